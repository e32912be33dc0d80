//! The faults that `test-client` tries a client against, and what a good client does about each.

use std::time::Duration;

use super::expectation::ClientExpectation;
use crate::domain::format;

/// A fault and what is expected of a client that meets it.
#[derive(Debug, Clone, Copy)]
pub struct ClientFault {
    pub name: &'static str,
    /// What the server does; `{after}` is when.
    meaning: &'static str,
    /// The option of `serve` that injects it, without its dashes.
    pub server_option: &'static str,
    /// The value of the option; `{after}` is when the fault begins.
    server_value: &'static str,
    /// Only the first connection has the fault, so that the client can come back to a good server.
    pub is_once: bool,
    /// The default criteria.
    expects: &'static [&'static str],
}

/// What is expected of a client whose server becomes silent.
const NOTICE_AND_RETURN: &[&str] =
    &["answered>=90%", "noticed<=60s", "reconnects>=1", "reconnect.delay<=30s"];

/// All faults, in the order of the matrix.
pub const CLIENT_FAULTS: &[ClientFault] = &[
    ClientFault {
        name: "silent",
        meaning: "after {after} the server discards everything, as a NAT that forgot the connection",
        server_option: "lifetime",
        server_value: "{after}:silent",
        is_once: true,
        expects: NOTICE_AND_RETURN,
    },
    ClientFault {
        name: "stall",
        meaning: "after {after} the server neither reads nor writes, as a process that hangs",
        server_option: "stall",
        server_value: "{after}",
        is_once: true,
        expects: NOTICE_AND_RETURN,
    },
    ClientFault {
        name: "mute",
        meaning: "after {after} the server reads everything and answers nothing",
        server_option: "mute",
        server_value: "{after}",
        is_once: true,
        expects: NOTICE_AND_RETURN,
    },
    ClientFault {
        name: "close",
        meaning: "after {after} the server closes with 1012 (service restart)",
        server_option: "close-after",
        server_value: "{after}:1012",
        is_once: true,
        expects: &["answered>=90%", "closed_cleanly>=100%", "reconnects>=1", "reconnect.delay<=30s"],
    },
    ClientFault {
        name: "rst",
        meaning: "after {after} the server resets TCP (RST)",
        server_option: "rst-after",
        server_value: "{after}",
        is_once: true,
        expects: &["answered>=90%", "reconnects>=1", "reconnect.delay<=30s"],
    },
    ClientFault {
        name: "half-close",
        meaning: "after {after} the server sends a FIN without a close frame, and keeps its end open",
        server_option: "half-close",
        server_value: "{after}",
        is_once: true,
        expects: NOTICE_AND_RETURN,
    },
    ClientFault {
        name: "slow-upgrade",
        meaning: "the server answers the upgrade only after {after}",
        server_option: "slow-upgrade",
        server_value: "{after}",
        is_once: false,
        expects: &["clients>=1", "answered>=90%"],
    },
];

impl ClientFault {
    /// The fault of this name. The error is a lower-case fragment that names the known ones.
    pub fn named(name: &str) -> Result<&'static ClientFault, String> {
        let known = || CLIENT_FAULTS.iter().map(|fault| fault.name).collect::<Vec<_>>().join(", ");
        let found = CLIENT_FAULTS.iter().find(|fault| fault.name == name);
        found.ok_or_else(|| format!("'{name}' is not a fault of a client test; known are {}", known()))
    }

    /// What the server does, in words.
    pub fn meaning(&self, after: Duration) -> String {
        self.meaning_after(&format::exact_duration(after))
    }

    /// What the server does, with these words for when.
    pub fn meaning_after(&self, after: &str) -> String {
        self.meaning.replace("{after}", after)
    }

    /// The value of the server's option.
    pub fn server_value(&self, after: Duration) -> String {
        self.server_value.replace("{after}", &format!("{}ns", after.as_nanos()))
    }

    /// Whether the fault acts on an open connection; else on its opening.
    pub fn acts_when_open(&self) -> bool {
        self.is_once
    }

    /// The criteria: the defaults, each replaced by the user's about the same metric, and the user's others.
    pub fn criteria(&self, users: &[ClientExpectation]) -> Vec<DemandedOfClient> {
        let is_replaced = |default: &ClientExpectation| {
            users.iter().any(|user| user.metric().name == default.metric().name)
        };
        let defaults = self.expects.iter().filter_map(|text| text.parse::<ClientExpectation>().ok());
        let defaults = defaults.filter(|default| !is_replaced(default));
        let by_default = defaults.map(|expectation| DemandedOfClient { expectation, option: "--fault" });
        let by_user =
            users.iter().map(|user| DemandedOfClient { expectation: user.clone(), option: "--expect" });
        by_default.chain(by_user).collect()
    }
}

/// An expectation and the option that demands it.
#[derive(Debug, Clone, PartialEq)]
pub struct DemandedOfClient {
    pub expectation: ClientExpectation,
    pub option: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(fault: &str, users: &[&str]) -> Vec<String> {
        let users: Vec<ClientExpectation> = users.iter().map(|text| text.parse().unwrap()).collect();
        let criteria = ClientFault::named(fault).unwrap().criteria(&users);
        criteria.iter().map(|one| format!("{} {}", one.option, one.expectation)).collect()
    }

    #[test]
    fn every_default_criterion_parses() {
        for fault in CLIENT_FAULTS {
            assert_eq!(fault.criteria(&[]).len(), fault.expects.len(), "{}", fault.name);
        }
    }

    #[test]
    fn user_replaces_the_default_about_the_same_metric_and_adds_others() {
        assert_eq!(
            wanted("rst", &["reconnect.delay<=2s", "clients<=2"]),
            [
                "--fault answered>=90%",
                "--fault reconnects>=1",
                "--expect reconnect.delay<=2s",
                "--expect clients<=2"
            ]
        );
    }

    #[test]
    fn onset_is_exact_in_the_servers_option() {
        let stall = ClientFault::named("stall").unwrap();
        assert_eq!(stall.server_value(Duration::from_millis(1500)), "1500000000ns");
        assert!(stall.meaning(Duration::from_secs(3)).starts_with("after 3 s the server neither"));
        assert!(ClientFault::named("flood").unwrap_err().contains("known are silent, stall"));
    }
}
