//! What came from the network, for a terminal to show and not to obey.

use std::borrow::Cow;
use std::fmt::Write;

/// The text with what a terminal would obey or hide written as an escape:
/// control characters, marks of direction, and bytes that are not UTF-8.
pub fn shown(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(is_unsafe) => Cow::Borrowed(text),
        _ => {
            let mut out = String::new();
            for chunk in bytes.utf8_chunks() {
                push(chunk.valid(), &mut out);
                let _ = write!(out, "{}", chunk.invalid().escape_ascii());
            }
            Cow::Owned(out)
        }
    }
}

fn push(text: &str, out: &mut String) {
    for c in text.chars() {
        if is_unsafe(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
}

/// Text as JSON has it, with what a terminal would obey as `\\u` escapes,
/// which mean the same to a program.
pub fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unsafe(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// Controls of C0 and C1, separators of lines, and what changes the direction
/// of text or has no width.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
        || matches!(c, '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_does_not_obey_what_came() {
        for (text, want) in [
            (&b"a.b:1|c|#k:v"[..], "a.b:1|c|#k:v"),
            ("größe→".as_bytes(), "größe→"),
            (b"a\x1b[2J\x07\x7f", "a\\u{1b}[2J\\u{7}\\u{7f}"),
            ("a\u{9b}31m".as_bytes(), "a\\u{9b}31m"),
            (
                "a\u{202e}b\u{2066}c\u{200f}\u{61c}".as_bytes(),
                "a\\u{202e}b\\u{2066}c\\u{200f}\\u{61c}",
            ),
            (b"\xff\x9b", "\\xff\\x9b"),
        ] {
            assert_eq!(shown(text), want);
        }
    }

    #[test]
    fn json_means_the_same() {
        let text = "\u{9b}\u{202e}\u{7f}\u{e0041}ä";
        let object = serde_json::json!({ "a": text }).to_string();
        let safe = json(&object);
        assert!(safe.contains("\\u009b\\u202e\\u007f\\udb40\\udc41ä"), "{safe}");
        let read: serde_json::Value = serde_json::from_str(&safe).unwrap();
        assert_eq!(read["a"], text);
    }
}
