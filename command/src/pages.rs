//! Man pages and the completions of shells, made from the command line's
//! definition for `make` to install.

use std::fmt::Write;
use std::fs;
use std::io;

use clap::{Arg, Command, CommandFactory};
use clap_complete::{Shell, generate_to};
use clap_mangen::Man;

use crate::Outcome;
use crate::args::{Args, Pages};

/// The pages of the library, which have the date of all.
const LIBRARY_PAGES: &str = include_str!("../../docs/man/pages.md");
/// How long a line of a page's source may be.
const WIDTH: usize = 72;

pub fn run(args: &Pages) -> Outcome {
    let wrong = |wrong| format!("{}: {wrong}", args.folder.display());
    fs::create_dir_all(&args.folder).map_err(wrong)?;
    let mut all = Args::command().disable_help_subcommand(true);
    all.build();
    let shown = all.get_subcommands().filter(|command| !command.is_hide_set());
    for command in shown.chain([&all]) {
        let name = command.get_display_name().unwrap_or_else(|| command.get_name());
        let page = page(command).map_err(wrong)?;
        fs::write(args.folder.join(format!("{name}.1")), page).map_err(wrong)?;
    }
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        generate_to(shell, &mut Args::command(), "fripp", &args.folder).map_err(wrong)?;
    }
    Ok(0)
}

/// A page: what clap_mangen makes of a command, with the values of options in
/// the synopsis, and with sections of what stands below the help.
fn page(command: &Command) -> io::Result<Vec<u8>> {
    let below = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let man = Man::new(command.clone().mut_args(values_in_a_line));
    let mut page = Vec::new();
    page.extend_from_slice(title(command).as_bytes());
    man.render_name_section(&mut page)?;
    page.extend_from_slice(synopsis(command).as_bytes());
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    page.extend_from_slice(sections(&below).as_bytes());
    Ok(filled(&String::from_utf8_lossy(&page)).into_bytes())
}

fn title(command: &Command) -> String {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_uppercase();
    let date = LIBRARY_PAGES.lines().find_map(|line| line.strip_prefix("date: "));
    let date = date.unwrap_or_default();
    let version = env!("CARGO_PKG_VERSION");
    format!(".TH {name} 1 {date} \"fripp {version}\" \"fripp Manual\"\n")
}

/// The page with its running text in lines of no more than `WIDTH`, which look
/// the same. Requests, and text that keeps its lines, stay as they are.
fn filled(page: &str) -> String {
    let mut out = String::new();
    let mut as_it_is = false;
    for line in page.lines() {
        as_it_is = (as_it_is || line == ".nf") && line != ".fi";
        if as_it_is || line.starts_with('.') {
            out.push_str(line);
        } else {
            let mut column = 0;
            for (i, word) in line.split(' ').enumerate() {
                if column > 0 && column + 1 + word.len() > WIDTH {
                    // at the end of a line these end a sentence, and two spaces follow
                    if out.ends_with(['.', '?', '!', ']', ')']) {
                        out.push_str("\\&");
                    }
                    // at its beginning they make it a request
                    let guard = if word.starts_with(['.', '\'']) { "\n\\&" } else { "\n" };
                    out.push_str(guard);
                    column = guard.len() - 1;
                } else if i > 0 {
                    out.push(' ');
                    column += 1;
                }
                out.push_str(word);
                column += word.len();
            }
        }
        out.push('\n');
    }
    out
}

/// The values of an option as a sentence, and not as a list of a page's length.
fn values_in_a_line(arg: Arg) -> Arg {
    let values: Vec<String> =
        arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
    let help = arg.get_long_help().or(arg.get_help()).map(ToString::to_string);
    match help {
        Some(help) if !values.is_empty() => {
            let help = format!("{help}\n\nOne of {}.", values.join(", "));
            arg.long_help(help).hide_possible_values(true)
        }
        _ => arg,
    }
}

fn synopsis(command: &Command) -> String {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let mut text = format!(".SH SYNOPSIS\n\\fB{}\\fR", escaped(name));
    let shown =
        |arg: &&Arg| !arg.is_hide_set() && !["help", "version"].contains(&arg.get_id().as_str());
    let (places, options): (Vec<&Arg>, Vec<&Arg>) =
        command.get_arguments().filter(shown).partition(|arg| arg.is_positional());
    for arg in options.into_iter().chain(places) {
        let flag = match (arg.get_short(), arg.get_long()) {
            (Some(short), _) => format!("\\fB{}\\fR", escaped(&format!("-{short}"))),
            (None, Some(long)) => format!("\\fB{}\\fR", escaped(&format!("--{long}"))),
            (None, None) if arg.is_last_set() => "\\fB\\-\\-\\fR".to_owned(),
            (None, None) => String::new(),
        };
        let names = arg.get_value_names().filter(|_| arg.get_action().takes_values());
        let values = names.into_iter().flatten().map(|name| format!("\\fI{}\\fR", escaped(name)));
        let words: Vec<String> =
            [flag].into_iter().filter(|flag| !flag.is_empty()).chain(values).collect();
        let many = if arg.is_last_set()
            || matches!(arg.get_action(), clap::ArgAction::Append) && !arg.is_positional()
        {
            "..."
        } else {
            ""
        };
        let words = format!("{}{many}", words.join(" "));
        let _ = match arg.is_required_set() {
            true => write!(text, " {words}"),
            false => write!(text, " [{words}]"),
        };
    }
    if command.has_subcommands() {
        text.push_str(" \\fICOMMAND\\fR ...");
    }
    text + "\n"
}

/// A section for each heading of the text, with its lines as they are.
fn sections(text: &str) -> String {
    let mut page = String::new();
    for line in text.lines() {
        match line.strip_suffix(':') {
            Some(heading) if !line.starts_with(' ') => {
                page.push_str(if page.is_empty() { "" } else { ".fi\n" });
                let _ = writeln!(page, ".SH \"{}\"\n.nf", escaped(&heading.to_uppercase()));
            }
            _ if line.is_empty() => page.push('\n'),
            _ => {
                let _ = writeln!(page, "\\&{}", escaped(line.strip_prefix("  ").unwrap_or(line)));
            }
        }
    }
    if page.is_empty() { page } else { page + ".fi\n" }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_has_its_sections() {
        let mut all = Args::command().disable_help_subcommand(true);
        all.build();
        let mut pages = 0;
        for command in all.get_subcommands().filter(|command| !command.is_hide_set()) {
            let page = String::from_utf8(page(command).unwrap()).unwrap();
            for section in ["SYNOPSIS", "OPTIONS", "EXIT STATUS", "ENVIRONMENT", "EXAMPLES"] {
                let head = format!(".SH {section}\n");
                let quoted = format!(".SH \"{section}\"\n");
                assert!(
                    page.contains(&head) || page.contains(&quoted),
                    "{}: {section}",
                    command.get_name()
                );
            }
            pages += 1;
        }
        assert_eq!(pages, 5);
    }

    #[test]
    fn a_page_tells_its_name_version_and_date() {
        let title = title(&Args::command());
        let words: Vec<&str> = title.split(' ').collect();
        assert_eq!(words[..3], [".TH", "FRIPP", "1"]);
        assert!(words[3].len() == 10 && words[3].starts_with("20"), "{title}");
        assert!(title.ends_with(" \"fripp Manual\"\n"), "{title}");
    }

    #[test]
    fn long_lines_are_filled_and_no_word_becomes_a_request() {
        let long = format!("{}. .csv {}", "x".repeat(WIDTH - 2), "y".repeat(10));
        let kept = format!(".nf\n{long}\n.fi\n.br {long}\n");
        assert_eq!(
            filled(&format!("{long}\n{kept}")),
            format!("{}.\\&\n\\&.csv {}\n{kept}", "x".repeat(WIDTH - 2), "y".repeat(10))
        );
        assert_eq!(filled(" a  b\n\nc\n"), " a  b\n\nc\n");
    }

    #[test]
    fn the_synopsis_has_values() {
        let mut all = Args::command();
        all.build();
        let listen = all.find_subcommand("listen").unwrap();
        let text = synopsis(listen).replace("\\fB", "").replace("\\fI", "").replace("\\fR", "");
        assert_eq!(
            text.replace("\\-", "-"),
            ".SH SYNOPSIS\nfripp listen [-d DIALECT] [--forward HOST:PORT] [-m RE] [-n N] [-t S] [-j] \
             [ADDRESS|FILE|-] [-- COMMAND...]\n"
        );
    }
}
