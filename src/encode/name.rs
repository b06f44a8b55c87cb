//! Names: what a server would trip over is taken out.

#![forbid(unsafe_code)]

use crate::error::Error;

/// The longest prefix, before and after its tokens are put in, in bytes.
pub const MAX_PREFIX: usize = 127;

/// The token of the process.
const PID: &[u8] = b"{{pid}}";

/// Bytes that stand as they are: not those with a meaning on the wire, white
/// space, control bytes; beyond ASCII it depends on the neighbours.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut b = 0x21;
    while b < 0x7f {
        plain[b] = !matches!(
            b as u8,
            b':' | b'|' | b'@' | b'#' | b',' | b';' | b'=' | b'[' | b']' | b'{' | b'}'
        );
        b += 1;
    }
    plain
};

/// More than any name may have: what is longer is not cleaned to its end.
const TOO_LONG: usize = 4096;

/// Writes `raw` with each byte that has a meaning on the wire as `_`, and
/// each byte of invalid UTF-8.
pub fn clean_bytes(raw: &[u8], out: &mut Vec<u8>) {
    out.extend(cleaned(raw));
}

fn cleaned(raw: &[u8]) -> impl Iterator<Item = u8> {
    raw.utf8_chunks().flat_map(|chunk| {
        let valid = chunk.valid().bytes();
        let valid = valid.map(|b| if PLAIN[b as usize] || b >= 0x80 { b } else { b'_' });
        valid.chain(chunk.invalid().iter().map(|_| b'_'))
    })
}

/// Writes the name that stands for `raw`: as `clean_bytes`, and without
/// leading, trailing and double dots. Returns its length, or any that is too
/// long where it is.
pub fn clean(raw: &[u8], out: &mut Vec<u8>) -> usize {
    let start = out.len();
    for b in cleaned(raw) {
        if b == b'.' && out[start..].last().is_none_or(|last| *last == b'.') {
            continue;
        }
        out.push(b);
        if out.len() - start > TOO_LONG {
            break;
        }
    }
    if out.len() > start && out.last() == Some(&b'.') {
        out.pop();
    }
    out.len() - start
}

/// The prefix that `text` stands for, with the dot that follows it; empty for
/// none.
pub fn prefix(text: &[u8], rank: u32) -> Result<Vec<u8>, Error> {
    if text.len() > MAX_PREFIX {
        return Err(too_long(text.len()));
    }
    let mut filled = text.to_vec();
    let tokens: [(&[u8], &dyn Fn() -> String); 4] = [
        (b"{{rank}}", &|| rank.to_string()),
        (b"{{hostname}}", &|| first_label(&crate::sys::hostname()).to_owned()),
        (b"{{fqdn}}", &|| crate::sys::hostname().replace('.', "_")),
        (PID, &|| std::process::id().to_string()),
    ];
    for (token, value) in tokens {
        let mut from = 0;
        while let Some(at) = find(&filled[from..], token) {
            let (at, value) = (from + at, value().into_bytes());
            from = at + value.len();
            filled.splice(at..at + token.len(), value);
        }
    }
    if filled.len() > MAX_PREFIX {
        return Err(too_long(filled.len()));
    }
    let mut out = Vec::with_capacity(filled.len() + 1);
    if clean(&filled, &mut out) > 0 {
        out.push(b'.');
    }
    Ok(out)
}

/// Whether the prefix of `text` depends on the process.
pub fn has_pid(text: &[u8]) -> bool {
    find(text, PID).is_some()
}

/// A host's name without its domain: each dot would be a level of the server's
/// tree of names.
fn first_label(host: &str) -> &str {
    host.split('.').next().unwrap_or(host)
}

fn too_long(len: usize) -> Error {
    Error::Invalid.because(format_args!("the prefix has {len} bytes, of {MAX_PREFIX} at most"))
}

fn find(text: &[u8], token: &[u8]) -> Option<usize> {
    text.windows(token.len()).position(|window| window == token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(raw: &[u8]) -> String {
        let mut out = b"kept".to_vec();
        clean(raw, &mut out);
        String::from_utf8(out.split_off(4)).unwrap()
    }

    #[test]
    fn what_servers_trip_over() {
        for (raw, want) in [
            (&b"content-cache.load"[..], "content-cache.load"),
            (b"a:1|c\nb", "a_1_c_b"),
            (b"a b\tc@d#e,f;g=h", "a_b_c_d_e_f_g_h"),
            (b"a[0].{b}", "a_0_._b_"),
            (b"..a..b...c..", "a.b.c"),
            (b"...", ""),
            (b"", ""),
            (b"\xff\xfe.x", "__.x"),
            ("größe".as_bytes(), "größe"),
            (b"a\x7fb\x01", "a_b_"),
        ] {
            assert_eq!(cleaned(raw), want);
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "it has no gethostname")]
    fn prefixes() {
        let made = |text: &str| prefix(text.as_bytes(), 7).map(|p| String::from_utf8(p).unwrap());
        assert_eq!(made("flux.{{rank}}"), Ok("flux.7.".to_owned()));
        assert_eq!(made("{{rank}}{{rank}}."), Ok("77.".to_owned()));
        assert_eq!(made("p{{pid}}"), Ok(format!("p{}.", std::process::id())));
        assert_eq!(made(""), Ok(String::new()));
        assert_eq!(made("."), Ok(String::new()));
        let host = crate::sys::hostname();
        assert_eq!(made("{{hostname}}"), Ok(format!("{}.", first_label(&host))));
        assert_eq!(made("{{fqdn}}"), Ok(format!("{}.", host.replace('.', "_"))));
        assert_eq!(first_label("node1.example.org"), "node1");
        assert!(made(&"p".repeat(127)).is_ok());
        assert_eq!(made(&"p".repeat(128)), Err(Error::Invalid));
    }
}
