//! Compiles the C half of the variadic functions. With the feature `header`,
//! which `make header` and `make check-header` turn on, it writes the header
//! as well; everyone else builds without cbindgen, because the header is
//! committed.

fn main() {
    println!("cargo:rerun-if-changed=src/ffi");
    println!("cargo:rerun-if-changed=build.rs");

    println!("cargo:rustc-check-cfg=cfg(fripp_no_jump)");
    let mut c = cc::Build::new();
    if !jumps() {
        println!("cargo:rustc-cfg=fripp_no_jump");
        c.define("FRIPP_NO_JUMP", None);
    }
    c.file("src/ffi/variadic.c")
        .warnings(true)
        .extra_warnings(true)
        // with -flto in CFLAGS, which come last, there is machine code, too
        .flag_if_supported("-ffat-lto-objects")
        .compile("fripp_variadic");

    #[cfg(feature = "header")]
    header::write();
}

/// Whether variadic.rs can jump: it knows how on this processor, and rustc has
/// naked functions.
fn jumps() -> bool {
    const KNOWN: [&str; 6] = ["x86_64", "x86", "aarch64", "arm", "riscv64", "s390x"];
    const NAKED: u32 = 88;
    let arch = std::env::var("CARGO_CFG_TARGET_ARCH").expect("set by cargo");
    let rustc = std::env::var("RUSTC").expect("set by cargo");
    let version = std::process::Command::new(rustc).arg("--version").output();
    let version = String::from_utf8(version.expect("rustc runs").stdout).unwrap_or_default();
    // rustc 1.88.0 (6b00bc388 2025-06-23)
    let minor = version.split('.').nth(1).and_then(|minor| minor.parse().ok());
    KNOWN.contains(&arch.as_str()) && minor.is_none_or(|minor: u32| minor >= NAKED)
}

#[cfg(feature = "header")]
mod header {
    use std::{env, path::PathBuf};

    /// The C surface in the order in which a reader of the header wants it.
    const HEADER_ORDER: [&str; 12] = [
        "types.rs",
        "context.rs",
        "by_name.rs",
        "by_handle.rs",
        "timer.rs",
        "settings.rs",
        "packet.rs",
        "variadic.rs",
        "event.rs",
        "stats.rs",
        "reason.rs",
        "version.rs",
    ];

    /// The sections of the header, each before its first function.
    const SECTIONS: [(&str, &str); 8] = [
        ("fripp_ctx_create_uri", "contexts"),
        ("fripp_inc", "recording by name"),
        ("fripp_metric_get", "recording by handle"),
        ("fripp_timer_start", "timers"),
        ("fripp_set_prefix", "settings"),
        ("fripp_format_send", "packets: StatsD lines that the caller writes"),
        ("fripp_event", "events and service checks"),
        ("fripp_flush", "state"),
    ];

    /// Has cbindgen write the header from the comments of the C surface.
    pub fn write() {
        println!("cargo:rerun-if-changed=cbindgen.toml");
        let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo"));
        let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo"));
        let var = |name| env::var(name).unwrap_or_default();
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
        out = out
            .replace("}  // extern \"C\"", "} /* extern \"C\" */")
            .replace("#endif // __cplusplus", "#endif")
            .replace("#endif  // __cplusplus", "#endif")
            .replace("#endif  /* FRIPP_H */", "#endif /* !FRIPP_H */")
            .replace("(*log)(", "(*log) (")
            // C90 has no comma there
            .replace(",\n};", "\n};");
        for (function, title) in SECTIONS {
            let at = out
                .find(&format!("{function} (struct"))
                .or(out.find(&format!("{function} (flux_t")));
            let comment = at.and_then(|at| out[..at].rfind("\n/* ")).expect("a section's function");
            out.insert_str(comment + 1, &format!("/* -- {title} -- */\n\n"));
        }
        out
    }
}
