//! How the shared object is linked.

use std::env;
use std::path::PathBuf;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // SemVer's rule: below 1.0 the minor number is the one that breaks, and
    // the SONAME has said 0 since 0.1.0
    let major = env::var("CARGO_PKG_VERSION_MAJOR").expect("set by cargo");
    let soname = format!("libfripp.so.{major}");
    for arg in [
        format!("-Wl,-soname,{soname}"),
        // a thread of the library may outlive the dlclose of its last user
        "-Wl,-z,nodelete".to_owned(),
        "-Wl,-z,relro,-z,now,-z,text".to_owned(),
    ] {
        println!("cargo:rustc-cdylib-link-arg={arg}");
    }

    // Programs are linked to this name: with the link they run from the
    // build's folder as they will from an installed one.
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo"));
    let profile_dir = out.ancestors().nth(3).expect("target/PROFILE/build/NAME/out");
    let link = profile_dir.join(&soname);
    if std::fs::symlink_metadata(&link).is_err() {
        let _ = std::os::unix::fs::symlink("libfripp.so", &link);
    }
}
