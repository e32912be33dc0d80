//! What may expire, read anew before each opening: headers, messages and the URL.

use std::path::{Path, PathBuf};
use std::time::Duration;

use http::HeaderMap;
use thiserror::Error;
use tokio::time::timeout;

use super::connect::request_headers;
use super::text_file;
use super::url_command::{self, UrlCommandError};
use crate::domain::command_line::CommandLine;
use crate::domain::connection::target::Target;
use crate::domain::heartbeat::sent_message::{parse_message, without_last_newline};
use crate::domain::heartbeat::template::Template;
use crate::domain::secrets::{self, SentSecrets};

/// How long a file may take to be read; one that is a pipe might never end.
const MAX_READ_TIME: Duration = Duration::from_secs(10);

/// Where the inputs of an opening come from.
#[derive(Debug, Clone)]
pub struct InputSources {
    pub url: UrlSource,
    /// Headers that stay.
    pub headers: HeaderMap,
    /// A file of further headers, one a line.
    pub headers_file: Option<PathBuf>,
    /// Messages to send before the heartbeats, in this order.
    pub messages: Vec<MessageSource>,
}

/// Where the URL comes from.
#[derive(Debug, Clone)]
pub enum UrlSource {
    Fixed(Target),
    /// The first line that this command prints, within a time limit.
    Command(CommandLine, Duration),
}

/// Where a message comes from.
#[derive(Debug, Clone)]
pub enum MessageSource {
    Fixed(Template),
    File(PathBuf),
}

/// The inputs of one opening.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreshInputs {
    pub target: Target,
    pub headers: HeaderMap,
    pub messages: Vec<Template>,
}

/// Why the inputs are not complete. No error shows a secret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FreshInputError {
    #[error("cannot read the headers file {path}: {why}")]
    HeadersFile { path: String, why: String },
    #[error("{0}")]
    Header(String),
    #[error("cannot read the message file {path}: {why}")]
    MessageFile { path: String, why: String },
    #[error("the message of {path}: {why}")]
    Message { path: String, why: String },
    #[error(transparent)]
    UrlCommand(#[from] UrlCommandError),
}

impl InputSources {
    /// Reads the inputs for the next opening. Their secrets are hidden in all output from then on.
    ///
    /// # Errors
    ///
    /// A file cannot be read or is not as it should be, or the command gave no URL.
    pub async fn read(&self) -> Result<FreshInputs, FreshInputError> {
        if self.may_change() {
            secrets::learn(SentSecrets::renew);
        }
        let headers = self.read_headers().await?;
        let mut messages = Vec::new();
        for source in &self.messages {
            messages.push(source.read().await?);
        }
        let target = match &self.url {
            UrlSource::Fixed(target) => target.clone(),
            UrlSource::Command(command, limit) => url_command::run(command, *limit).await?,
        };
        Ok(FreshInputs { target, headers, messages })
    }

    /// Whether anything is read anew.
    fn may_change(&self) -> bool {
        let is_file = |source: &MessageSource| matches!(source, MessageSource::File(_));
        self.headers_file.is_some()
            || self.messages.iter().any(is_file)
            || matches!(self.url, UrlSource::Command(..))
    }

    async fn read_headers(&self) -> Result<HeaderMap, FreshInputError> {
        let mut headers = self.headers.clone();
        if let Some(file) = &self.headers_file {
            let path = shown(file);
            let read = read_file(file).await;
            let text = read.map_err(|why| FreshInputError::HeadersFile { path: path.clone(), why })?;
            request_headers::add_lines(&text, &path, &mut headers).map_err(FreshInputError::Header)?;
        }
        Ok(headers)
    }
}

impl MessageSource {
    async fn read(&self) -> Result<Template, FreshInputError> {
        let file = match self {
            MessageSource::Fixed(message) => return Ok(message.clone()),
            MessageSource::File(file) => file,
        };
        let path = shown(file);
        let read = read_file(file).await;
        let text = read.map_err(|why| FreshInputError::MessageFile { path: path.clone(), why })?;
        let message = without_last_newline(&text).ok_or_else(|| "it contains no message".to_string());
        message.and_then(parse_message).map_err(|why| FreshInputError::Message { path, why })
    }
}

/// Reads a file on a thread that may wait.
async fn read_file(path: &Path) -> Result<String, String> {
    let path = shown(path);
    let reading = tokio::task::spawn_blocking(move || text_file::read(&path));
    match timeout(MAX_READ_TIME, reading).await {
        Ok(Ok(text)) => text,
        Ok(Err(_)) => Err("reading it was interrupted".to_string()),
        Err(_) => Err("it takes longer than 10 s".to_string()),
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with these files, and sources that read them.
    fn sources(files: &[(&str, &str)]) -> (tempfile::TempDir, InputSources) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let mut headers = HeaderMap::new();
        headers.insert("x-fixed", "1".parse().unwrap());
        let sources = InputSources {
            url: UrlSource::Command("printf ws://a.example/".parse().unwrap(), Duration::from_secs(60)),
            headers,
            headers_file: Some(folder.path().join("headers")),
            messages: vec![
                MessageSource::Fixed("first".parse().unwrap()),
                MessageSource::File(folder.path().join("message")),
            ],
        };
        (folder, sources)
    }

    async fn refusal(files: &[(&str, &str)]) -> String {
        let (folder, sources) = sources(files);
        let folder = folder.path().display().to_string();
        sources.read().await.unwrap_err().to_string().replace(&folder, "/folder")
    }

    #[tokio::test]
    async fn changed_files_are_read_anew() {
        let (folder, sources) =
            sources(&[("headers", "# token\nAuthorization: Bearer one-77812\n"), ("message", "login 1\n")]);
        let before = sources.read().await.unwrap();
        assert_eq!(
            (&before.headers["authorization"], before.headers.len()),
            (&"Bearer one-77812".parse().unwrap(), 2)
        );
        let messages =
            |inputs: &FreshInputs| inputs.messages.iter().map(Template::to_string).collect::<Vec<_>>();
        assert_eq!(messages(&before), ["first", "login 1"]);
        std::fs::write(folder.path().join("headers"), "Authorization: Bearer two-77813").unwrap();
        std::fs::write(folder.path().join("message"), "login 2").unwrap();
        let after = sources.read().await.unwrap();
        assert_eq!(after.headers["authorization"], "Bearer two-77813");
        assert_eq!(
            (messages(&after), after.target.to_string()),
            (vec!["first".to_string(), "login 2".to_string()], "ws://a.example/".to_string())
        );
        assert_eq!(crate::domain::secrets::redact("two-77813 and one-77812"), "*** and ***");
    }

    #[tokio::test]
    async fn each_error_names_its_source_and_no_secret() {
        assert_eq!(
            refusal(&[("message", "a")]).await,
            "cannot read the headers file /folder/headers: no such file or directory (ENOENT)"
        );
        assert_eq!(
            refusal(&[("headers", "\nSECRET-8812\n"), ("message", "a")]).await,
            "line 2 of /folder/headers needs the form 'Name: value'"
        );
        assert_eq!(
            refusal(&[("headers", "")]).await,
            "cannot read the message file /folder/message: no such file or directory (ENOENT)"
        );
        assert_eq!(
            refusal(&[("headers", ""), ("message", "\n")]).await,
            "the message of /folder/message: it contains no message"
        );
    }
}
