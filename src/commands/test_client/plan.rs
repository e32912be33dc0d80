//! What `test-client` will do.

use std::ffi::OsString;
use std::time::Duration;

use crate::domain::client_test::expectation::ClientExpectation;
use crate::domain::client_test::faults::ClientFault;
use crate::domain::secrets;

/// Stands for the server's URL in the client's arguments.
const URL_PLACEHOLDER: &str = "{url}";

/// Parameters of a test.
#[derive(Debug, Clone)]
pub struct TestClientPlan {
    pub command: ClientCommand,
    pub faults: Vec<&'static ClientFault>,
    /// Age of a connection at which its fault begins; of a slow upgrade, how long it takes.
    pub after: Duration,
    /// The most that the test of one fault may last.
    pub limit: Duration,
    pub expected: Vec<ClientExpectation>,
    /// Time between the server's pings.
    pub interval: Duration,
    /// Time limit for an answer.
    pub timeout: Duration,
    /// Test one fault after another, not side by side.
    pub one_at_a_time: bool,
    /// Whether what the client prints is shown.
    pub shows_output: bool,
}

/// The client's program and its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCommand {
    pub program: OsString,
    pub arguments: Vec<OsString>,
}

impl ClientCommand {
    /// The command as typed, without secrets.
    pub fn text(&self) -> String {
        let words = std::iter::once(&self.program).chain(&self.arguments);
        let words: Vec<String> = words.map(|word| secrets::redact(&word.to_string_lossy())).collect();
        words.join(" ")
    }

    /// The arguments with this URL.
    pub fn arguments_with(&self, url: &str) -> Vec<OsString> {
        let with_url = |argument: &OsString| match argument.to_str() {
            Some(text) => OsString::from(text.replace(URL_PLACEHOLDER, url)),
            None => argument.clone(),
        };
        self.arguments.iter().map(with_url).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_replaces_its_placeholder_in_every_argument() {
        let command = ClientCommand {
            program: "node".into(),
            arguments: ["client.mjs", "--url={url}", "{url}"].map(OsString::from).to_vec(),
        };
        assert_eq!(command.arguments_with("ws://a/"), ["client.mjs", "--url=ws://a/", "ws://a/"]);
        assert_eq!(command.text(), "node client.mjs --url={url} {url}");
    }
}
