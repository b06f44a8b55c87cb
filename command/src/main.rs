//! The program `fripp`.

#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    fripp_command::main()
}
