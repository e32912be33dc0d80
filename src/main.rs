//! The door.

use std::process::ExitCode;

fn main() -> ExitCode {
    wscheck::cli::main(std::env::args_os())
}
