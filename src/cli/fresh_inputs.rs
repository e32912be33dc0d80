//! Arguments for what expires, and is read anew before each opening.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use http::HeaderMap;

use super::connect::read;
use crate::domain::command_line::CommandLine;
use crate::net::connect::request_headers::add_lines;
use crate::net::fresh_inputs::{InputSources, MessageSource, UrlCommand};
use crate::net::text_file;

/// Options of what is read anew before each opening.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Connecting")]
pub struct FreshInputArgs {
    /// Add the request headers in this file, one per line; it is read anew before each opening, so that a token may
    /// expire
    #[arg(long, value_name = "FILE")]
    pub headers_file: Option<PathBuf>,
    /// Run this command before each opening, and open the URL on the first line that it prints; URL only names the target
    /// in the report. No shell runs it, and --connect-timeout bounds it
    #[arg(long, value_name = "COMMAND")]
    pub url_command: Option<CommandLine>,
}

impl FreshInputArgs {
    /// Where the inputs come from. `limit` bounds the command; `messages` are all messages to send, if one of them is in a
    /// file.
    ///
    /// # Errors
    ///
    /// The headers file cannot be read now, or holds no headers: a mistake that is reported before anything is opened.
    pub fn sources(&self, limit: Duration, messages: Vec<MessageSource>) -> Result<InputSources, String> {
        self.headers()?;
        if let Some(file) = self.headers_file.as_ref().filter(|file| !text_file::is_lasting(file)) {
            let path = file.display();
            return Err(format!("--headers-file: {path} is no file that can be read again: use -H @{path}"));
        }
        let url_command = self.url_command.clone().map(|command| UrlCommand { command, limit });
        Ok(InputSources { url_command, headers_file: self.headers_file.clone(), messages })
    }

    /// The headers in the file as it is now.
    ///
    /// # Errors
    ///
    /// It cannot be read, or holds no headers. No error shows a secret.
    pub fn headers(&self) -> Result<HeaderMap, String> {
        let mut headers = HeaderMap::new();
        if let Some(file) = &self.headers_file {
            let path = file.display().to_string();
            let text = read(&path).map_err(|why| format!("--headers-file: cannot read {path}: {why}"))?;
            add_lines(&text, &path, &mut headers).map_err(|why| format!("--headers-file: {why}"))?;
        }
        Ok(headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_is_checked_before_anything_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("headers");
        let path = file.display();
        let args = FreshInputArgs { headers_file: Some(file.clone()), url_command: None };
        let checked = || args.sources(Duration::from_secs(1), Vec::new()).map(|sources| sources.is_empty());
        let missing = format!("--headers-file: cannot read {path}: no such file or directory (ENOENT)");
        assert_eq!(checked(), Err(missing));
        std::fs::write(&file, "SECRET-3321\n").unwrap();
        assert_eq!(checked(), Err(format!("--headers-file: line 1 of {path} needs the form 'Name: value'")));
        std::fs::write(&file, "Authorization: Bearer t\n").unwrap();
        assert_eq!(checked(), Ok(false));
        let pipe = FreshInputArgs { headers_file: Some("/dev/null".into()), url_command: None };
        let refused = pipe.sources(Duration::from_secs(1), Vec::new()).unwrap_err();
        assert!(refused.contains("/dev/null is no file that can be read again"), "{refused}");
    }
}
