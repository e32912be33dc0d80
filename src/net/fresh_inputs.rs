//! What may expire, read anew before each opening: headers, messages and the URL.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::HeaderMap;
use tokio::time::timeout;

use super::client::preamble::Preamble;
use super::connect::dial::DialPlan;
use super::connect::request_headers;
use super::dial_error::DialError;
use super::text_file;
use super::url_command;
use crate::domain::command_line::CommandLine;
use crate::domain::connection::connect_info::FailureKind;
use crate::domain::connection::target::Target;
use crate::domain::connection::untrusted_text::without_controls;
use crate::domain::heartbeat::sent_message::{parse_message, without_last_newline};
use crate::domain::heartbeat::template::Template;
use crate::domain::secrets::{self, SentSecrets};

/// How long a file may take to be read; one that is a pipe might never end.
const MAX_READ_TIME: Duration = Duration::from_secs(10);

/// Where the inputs of an opening come from. What has no source here stays as it is in the plan.
#[derive(Debug, Clone, Default)]
pub struct InputSources {
    pub url_command: Option<UrlCommand>,
    /// A file of further headers, one a line.
    pub headers_file: Option<PathBuf>,
    /// All messages to send before the heartbeats, in this order; empty if none of them is in a file.
    pub messages: Vec<MessageSource>,
}

/// A command that prints the URL to open on its first line.
#[derive(Debug, Clone)]
pub struct UrlCommand {
    pub command: CommandLine,
    /// How long it may take.
    pub limit: Duration,
}

/// Where a message comes from.
#[derive(Debug, Clone)]
pub enum MessageSource {
    Fixed(Template),
    File(PathBuf),
}

/// The inputs of one opening that were read for it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FreshInputs {
    /// `None`: the URL stays.
    pub target: Option<Target>,
    /// Of the headers file.
    pub headers: HeaderMap,
    /// Empty: the messages stay.
    pub messages: Vec<Template>,
}

impl InputSources {
    /// Whether nothing is read anew.
    pub fn is_empty(&self) -> bool {
        self.url_command.is_none() && self.headers_file.is_none() && self.messages.is_empty()
    }

    /// Reads the inputs for the next opening. Their secrets are hidden in all output from then on.
    ///
    /// # Errors
    ///
    /// A file cannot be read or is not as it should be, or the command gave no URL. No error shows a secret.
    pub async fn read(&self) -> Result<FreshInputs, DialError> {
        if self.is_empty() {
            return Ok(FreshInputs::default());
        }
        let shown = |fault: DialError| DialError { cause: without_controls(&fault.cause, false), ..fault };
        self.read_each().await.map_err(shown)
    }

    async fn read_each(&self) -> Result<FreshInputs, DialError> {
        secrets::learn(SentSecrets::renew);
        let headers = self.read_headers().await?;
        let mut messages = Vec::new();
        for source in &self.messages {
            messages.push(source.read().await?);
        }
        let target = match &self.url_command {
            None => None,
            Some(UrlCommand { command, limit }) => Some(url_command::run(command, *limit).await?),
        };
        Ok(FreshInputs { target, headers, messages })
    }

    async fn read_headers(&self) -> Result<HeaderMap, DialError> {
        let mut headers = HeaderMap::new();
        if let Some(file) = &self.headers_file {
            let path = shown(file);
            let text = read_file(file, "the headers file").await?;
            request_headers::add_lines(&text, &path, &mut headers).map_err(wrong)?;
        }
        Ok(headers)
    }
}

impl FreshInputs {
    /// How to dial with these headers beside those of `plan`.
    pub fn dial<'a>(&self, plan: &'a DialPlan) -> Cow<'a, DialPlan> {
        if self.headers.is_empty() {
            return Cow::Borrowed(plan);
        }
        let mut plan = plan.clone();
        for (name, value) in &self.headers {
            plan.headers.append(name.clone(), value.clone());
        }
        Cow::Owned(plan)
    }

    /// The preamble with these messages instead of those of `preamble`.
    pub fn preamble<'a>(&self, preamble: &'a Preamble) -> Cow<'a, Preamble> {
        if self.messages.is_empty() {
            return Cow::Borrowed(preamble);
        }
        Cow::Owned(Preamble { send: self.messages.clone(), ..preamble.clone() })
    }
}

impl MessageSource {
    async fn read(&self) -> Result<Template, DialError> {
        let file = match self {
            MessageSource::Fixed(message) => return Ok(message.clone()),
            MessageSource::File(file) => file,
        };
        let text = read_file(file, "the message file").await?;
        let message = without_last_newline(&text).ok_or_else(|| "it contains no message".to_string());
        message
            .and_then(parse_message)
            .map_err(|why| wrong(format!("the message of {}: {why}", file.display())))
    }
}

/// Reads a file on a thread that may wait; `what` it is, for the error text.
async fn read_file(path: &Path, what: &str) -> Result<String, DialError> {
    let path = shown(path);
    let reading = tokio::task::spawn_blocking({
        let path = path.clone();
        move || text_file::read(&path)
    });
    let text = match timeout(MAX_READ_TIME, reading).await {
        Ok(Ok(text)) => text,
        Ok(Err(_)) => Err("reading it was interrupted".to_string()),
        Err(_) => Err("it takes longer than 10 s".to_string()),
    };
    text.map_err(|why| wrong(format!("cannot read {what} {path}: {why}")))
}

fn wrong(cause: String) -> DialError {
    DialError::new(FailureKind::Local, cause)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::connection::phase::Phase;

    /// A folder with these files, and sources that read them.
    fn sources(files: &[(&str, &str)]) -> (tempfile::TempDir, InputSources) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let command = "printf ws://a.example/".parse().unwrap();
        let sources = InputSources {
            url_command: Some(UrlCommand { command, limit: Duration::from_secs(60) }),
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
        sources.read().await.unwrap_err().cause.replace(&folder, "/folder")
    }

    #[tokio::test]
    async fn changed_files_are_read_anew() {
        let (folder, sources) =
            sources(&[("headers", "# token\nAuthorization: Bearer one-77812\n"), ("message", "login 1\n")]);
        let before = sources.read().await.unwrap();
        assert_eq!(
            (before.headers.len(), before.headers["authorization"].to_str().unwrap()),
            (1, "Bearer one-77812")
        );
        let messages =
            |inputs: &FreshInputs| inputs.messages.iter().map(Template::to_string).collect::<Vec<_>>();
        assert_eq!(messages(&before), ["first", "login 1"]);
        std::fs::write(folder.path().join("headers"), "Authorization: Bearer two-77813").unwrap();
        std::fs::write(folder.path().join("message"), "login 2").unwrap();
        let after = sources.read().await.unwrap();
        assert_eq!(after.headers["authorization"], "Bearer two-77813");
        assert_eq!(
            (messages(&after), after.target.as_ref().map(Target::to_string)),
            (vec!["first".to_string(), "login 2".to_string()], Some("ws://a.example/".to_string()))
        );
        assert_eq!(crate::domain::secrets::redact("two-77813 and one-77812"), "*** and ***");
    }

    #[test]
    fn only_what_was_read_replaces_the_plan() {
        let mut dial = DialPlan::default();
        dial.headers.insert("x-fixed", "1".parse().unwrap());
        let preamble = Preamble { send: vec!["old".parse().unwrap()], ..Preamble::default() };
        let nothing = FreshInputs::default();
        assert_eq!((nothing.dial(&dial).headers.len(), nothing.preamble(&preamble).send.len()), (1, 1));
        let mut headers = HeaderMap::new();
        headers.append("x-fixed", "2".parse().unwrap());
        headers.append("x-new", "3".parse().unwrap());
        let fresh = FreshInputs { headers, messages: vec!["new".parse().unwrap()], target: None };
        let dialled = fresh.dial(&dial);
        let values: Vec<_> =
            dialled.headers.get_all("x-fixed").iter().map(|one| one.to_str().unwrap()).collect();
        assert_eq!((values, dialled.headers.len()), (vec!["1", "2"], 3));
        assert_eq!(fresh.preamble(&preamble).send[0].to_string(), "new");
    }

    #[tokio::test]
    async fn failure_is_a_failed_opening_of_its_own_phase() {
        let (_folder, sources) = sources(&[("headers", "X-A 1\n")]);
        let failure = sources.read().await.unwrap_err();
        let target: Target = "wss://a.example/?token=s3cr3t-991".parse().unwrap();
        let failed = failure.failed_opening(&target, Phase::Input, Duration::ZERO);
        assert_eq!((failed.phase, failed.kind), (Phase::Input, FailureKind::Local));
        let text = failed.to_string();
        assert!(text.starts_with("cannot open wss://a.example/?token=***: input: line 1 of "), "{text}");
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
