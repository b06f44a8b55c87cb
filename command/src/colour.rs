//! Lines in colour, for a terminal.

use clap::builder::styling::{AnsiColor, Style};

use crate::dialect::Dialect;
use crate::safe;
use crate::wire::{self, Check, Item};

const NAME: Style = Style::new().bold();
const VALUE: Style = AnsiColor::Green.on_default();
const TYPE: Style = AnsiColor::Cyan.on_default();
const REST: Style = Style::new().dimmed();
const WRONG: Style = AnsiColor::Red.on_default();

/// Whether colours are for this terminal, see no-color.org.
pub fn wanted(is_terminal: bool) -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    is_terminal && !is_set("NO_COLOR") && !is_dumb
}

/// Appends a line, and what is wrong with it below.
pub fn line(line: &[u8], dialect: Option<Dialect>, problems: &[String], out: &mut Vec<u8>) {
    let mut paint = |style: Style, text: &[u8]| {
        out.extend_from_slice(style.render().to_string().as_bytes());
        out.extend_from_slice(safe::shown(text).as_bytes());
        out.extend_from_slice(style.render_reset().to_string().as_bytes());
    };
    match wire::read(line, dialect).collect::<Result<Vec<_>, _>>().as_deref() {
        Err(fault) => {
            paint(WRONG, line);
            paint(REST, format!("   {fault}").as_bytes());
        }
        Ok([Item::Event(event)]) => {
            let head = line.iter().position(|b| *b == b':').map_or(0, |at| at + 1);
            let (title, text) = (head + event.title.len(), event.text.len() + 1);
            paint(TYPE, &line[..head]);
            paint(NAME, &line[head..title]);
            paint(VALUE, &line[title..title + text]);
            paint(REST, &line[title + text..]);
        }
        Ok([Item::Check(check)]) => {
            let (head, status) = (Check::START.len(), Check::START.len() + check.name.len());
            paint(TYPE, &line[..head]);
            paint(NAME, &line[head..status]);
            paint(VALUE, &line[status..status + 2]);
            paint(REST, &line[status + 2..]);
        }
        Ok(_) => {
            let at = |from: usize, byte| line[from..].iter().position(|b| *b == byte);
            let colon = at(0, b':').unwrap_or(line.len());
            let bar = at(colon, b'|').map_or(line.len(), |n| colon + n);
            let end = at((bar + 1).min(line.len()), b'|').map_or(line.len(), |n| bar + 1 + n);
            paint(NAME, &line[..colon]);
            paint(VALUE, &line[colon..bar]);
            paint(TYPE, &line[bar..end]);
            paint(REST, &line[end..]);
        }
    }
    for why in problems {
        out.extend_from_slice(b"\n    ");
        let style = WRONG;
        out.extend_from_slice(style.render().to_string().as_bytes());
        out.extend_from_slice(why.as_bytes());
        out.extend_from_slice(style.render_reset().to_string().as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn painted(text: &[u8], problems: &[String]) -> String {
        let mut out = Vec::new();
        line(text, None, problems, &mut out);
        String::from_utf8(out).unwrap().replace('\x1b', "^")
    }

    #[test]
    fn colours() {
        assert_eq!(painted(b"a:1|ms|@0.5", &[]), "^[1ma^[0m^[32m:1^[0m^[36m|ms^[0m^[2m|@0.5^[0m");
        let said = painted(b"a:1|c", &["why".to_owned()]);
        assert!(said.ends_with("\n    ^[31mwhy^[0m"), "{said}");
        let event = painted(b"_e{1,2}:a|bc|p:low", &[]);
        assert_eq!(event, "^[36m_e{1,2}:^[0m^[1ma^[0m^[32m|bc^[0m^[2m|p:low^[0m");
        let check = painted(b"_sc|a.b|1", &[]);
        assert_eq!(check, "^[36m_sc|^[0m^[1ma.b^[0m^[32m|1^[0m^[2m^[0m");
        assert_eq!(painted(b"a", &[]), "^[31ma^[0m^[2m   no ':' after a name (byte 2)^[0m");
    }

    #[test]
    fn a_terminal_does_not_obey_what_came() {
        let said = painted("a\x1b[2Jé\u{9b}:1|c".as_bytes(), &[]);
        assert!(said.starts_with("^[1ma\\u{1b}[2Jé\\u{9b}^[0m"), "{said}");
    }
}
