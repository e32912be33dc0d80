//! A command of the user's: a program and its arguments, split as a shell splits words. No shell runs it.

use std::fmt;
use std::str::FromStr;

use crate::domain::secrets;

/// A program and its arguments; `Display` is as typed, without secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    program: String,
    arguments: Vec<String>,
    typed: String,
}

impl CommandLine {
    /// The program: a path, or a name to look up in PATH.
    pub fn program(&self) -> &str {
        &self.program
    }

    pub fn arguments(&self) -> &[String] {
        &self.arguments
    }
}

impl FromStr for CommandLine {
    type Err = String;

    /// Splits by spaces outside quotes; a backslash, '...' and "..." quote (POSIX shell 2.2).
    fn from_str(typed: &str) -> Result<CommandLine, String> {
        let words = shlex::split(typed).ok_or("it ends inside quotes, or behind a backslash")?;
        let mut words = words.into_iter();
        match words.next() {
            Some(program) if !program.is_empty() => {
                Ok(CommandLine { program, arguments: words.collect(), typed: typed.trim().to_string() })
            }
            Some(_) | None => Err("it names no program".to_string()),
        }
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&secrets::redact(&self.typed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(typed: &str) -> Result<Vec<String>, String> {
        let command: CommandLine = typed.parse()?;
        Ok([vec![command.program().to_string()], command.arguments().to_vec()].concat())
    }

    #[test]
    fn words_are_split_as_in_a_shell() {
        let split = words(r#" notify-send "the path" 'is $down' a\ b; "" "#).unwrap();
        assert_eq!(split, ["notify-send", "the path", "is $down", "a b;", ""]);
    }

    #[test]
    fn incomplete_command_is_refused() {
        assert_eq!(words("echo 'a").unwrap_err(), "it ends inside quotes, or behind a backslash");
        assert_eq!(words("  ").unwrap_err(), "it names no program");
        assert_eq!(words("'' a").unwrap_err(), "it names no program");
    }

    #[test]
    fn secrets_are_not_shown() {
        let command: CommandLine = "get-url --token=s3cr3t-4711-x".parse().unwrap();
        assert_eq!(command.to_string(), "get-url --token=***");
    }
}
