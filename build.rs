//! Compiles the C half of the variadic functions, says how the shared object
//! is to be linked, and generates the header, which `make check-header` holds
//! against the committed one.

use std::env;
use std::path::PathBuf;

/// The C surface in the order in which a reader of the header wants it.
const HEADER_ORDER: [&str; 10] = [
    "types.rs",
    "context.rs",
    "packet.rs",
    "variadic.rs",
    "record.rs",
    "metric.rs",
    "timer.rs",
    "settings.rs",
    "stats.rs",
    "version.rs",
];

fn main() {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo"));
    let var = |name| env::var(name).unwrap_or_default();

    println!("cargo:rerun-if-changed=src/ffi");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=cbindgen.toml");

    cc::Build::new()
        .file("src/ffi/variadic.c")
        .warnings(true)
        .extra_warnings(true)
        .compile("fripp_variadic");

    // SemVer's rule: below 1.0 the minor number is the one that breaks, and
    // the SONAME has said 0 since 0.1.0
    let soname = format!("libfripp.so.{}", var("CARGO_PKG_VERSION_MAJOR"));
    for arg in [
        format!("-Wl,-soname,{soname}"),
        // a thread of ours may outlive the dlclose of our last user
        "-Wl,-z,nodelete".to_owned(),
        "-Wl,-z,relro,-z,now,-z,text".to_owned(),
    ] {
        println!("cargo:rustc-cdylib-link-arg={arg}");
    }

    // the name that programs are linked to, so that they run from the build's
    // folder as they will from an installed one
    let profile_dir = out.ancestors().nth(3).expect("target/PROFILE/build/NAME/out");
    let link = profile_dir.join(&soname);
    if std::fs::symlink_metadata(&link).is_err() {
        let _ = std::os::unix::fs::symlink("libfripp.so", &link);
    }

    let mut config =
        cbindgen::Config::from_file(here.join("cbindgen.toml")).expect("cbindgen.toml");
    let (major, minor, patch) = (
        var("CARGO_PKG_VERSION_MAJOR"),
        var("CARGO_PKG_VERSION_MINOR"),
        var("CARGO_PKG_VERSION_PATCH"),
    );
    let number = |text: &str| text.parse::<u32>().expect("a version of numbers");
    let version = number(&major) << 16 | number(&minor) << 8 | number(&patch);
    config.after_includes = config.after_includes.map(|text| {
        text.replace("@VERSION@", &var("CARGO_PKG_VERSION"))
            .replace("@VERSION_NUMBER@", &format!("0x{version:06x}"))
    });
    let mut builder = cbindgen::Builder::new().with_config(config);
    for file in HEADER_ORDER {
        builder = builder.with_src(here.join("src/ffi").join(file));
    }
    let mut header = Vec::new();
    builder.generate().expect("the header").write(&mut header);
    let header = String::from_utf8(header).expect("comments in UTF-8");
    std::fs::write(out.join("fripp.h"), tidy(&header)).expect("writing the header");
}

/// cbindgen's header in the C style of flux-core: comments as people write
/// them, a space before a function's parenthesis, attributes indented.
fn tidy(header: &str) -> String {
    let mut out = String::new();
    let mut lines = header.lines().peekable();
    let mut shifted = false;
    while let Some(line) = lines.next() {
        let indent = &line[..line.len() - line.trim_start().len()];
        if line.trim_start() == "/**" {
            let mut first = lines.next().unwrap_or_default().trim_start();
            while first == "*" {
                first = lines.next().unwrap_or_default().trim_start();
            }
            let text = first.trim_start_matches('*').trim_start();
            let close = if lines.peek().is_some_and(|next| next.trim() == "*/") {
                lines.next();
                " */"
            } else {
                ""
            };
            out += &format!("{indent}/* {text}{close}\n");
            continue;
        }
        if line.starts_with("FRIPP_PRINTF") {
            out += &format!("    {line}\n");
            shifted = false;
            continue;
        }
        let is_function = !indent.starts_with(' ') && !line.starts_with(['#', '/', '*', ' ']);
        match line.find("(").filter(|_| is_function && line.contains("fripp_")) {
            Some(at) => {
                out += &format!("{} {}\n", &line[..at], &line[at..]);
                shifted = !line.ends_with(';');
            }
            None if shifted => {
                out += &format!(" {line}\n");
                shifted = !line.ends_with(';');
            }
            None => out += &format!("{line}\n"),
        }
    }
    out.replace("  // extern", " // extern").replace("(*log)(", "(*log) (")
}
