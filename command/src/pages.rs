//! Man pages and the completions of shells, made from the command line's
//! definition for `make` to install.

use std::fs;

use clap::CommandFactory;
use clap_complete::{Shell, generate_to};

use crate::Outcome;
use crate::args::{Args, Pages};

pub fn run(args: &Pages) -> Outcome {
    let wrong = |wrong| format!("{}: {wrong}", args.folder.display());
    fs::create_dir_all(&args.folder).map_err(wrong)?;
    clap_mangen::generate_to(Args::command(), &args.folder).map_err(wrong)?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        generate_to(shell, &mut Args::command(), "fripp", &args.folder).map_err(wrong)?;
    }
    Ok(0)
}
