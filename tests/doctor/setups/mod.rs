//! The table of set-ups: what is started, what is wrong with it, and what cures it.

use crate::products::Product;
use crate::running::Running;

mod apache;
mod browsers;
mod caddy;
mod certificates;
mod envoy;
mod haproxy;
mod healthy;
mod lighttpd;
mod network;
mod nginx;
mod paths;
mod servers;
mod traefik;
mod varnish;

/// One path to a WebSocket server. Texts have placeholders:
/// - `@server@`, `@behind@`: addresses of the servers; `@hop0@`, `@hop1@`: addresses of the proxies, from the server
///   outwards; `@entry@`: the address of the last of these.
/// - `@next@`: in a proxy's configuration, the address that it passes to; `@listen@`, `@listen2@`: its own.
/// - `@dead@`: an address without a listener; `@files@`: a folder with certificates; `@own@`: a proxy's folder.
/// - An address's host and port have its name and `host` or `port`: `@entryport@`.
#[derive(Clone, Copy)]
pub struct Setup {
    pub name: &'static str,
    pub server: Backend,
    /// A second server, which the first one uses.
    pub behind: Backend,
    /// Proxies, from the server outwards.
    pub hops: &'static [Hop],
    pub place: Place,
    pub url: &'static str,
    /// Arguments of every command that connects.
    pub args: &'static [&'static str],
    /// Arguments of `doctor` alone.
    pub doctor: &'static [&'static str],
    /// What the other commands see of it: the proof that the set-up is what it says.
    pub symptom: Symptom,
    /// What `doctor` must find, and no other problem. Empty: healthy.
    pub expected: &'static [Expected],
    pub cure: Cure,
}

/// A healthy test server.
pub const SETUP: Setup = Setup {
    name: "",
    server: Backend::Serve(&[]),
    behind: Backend::None,
    hops: &[],
    place: Place::Host,
    url: "ws://@entry@/",
    args: &[],
    doctor: &[],
    symptom: Symptom::Opens,
    expected: &[],
    cure: Cure::None,
};

/// URL and arguments of a TLS listener at `@entry@` with a certificate of the test authority.
pub const TLS_URL: &str = "wss://ws.test:@entryport@/";
pub const TLS_ARGS: &[&str] = &["--resolve", "ws.test:@entryport@:@entryhost@", "--cacert", "@files@/ca.pem"];

#[derive(Clone, Copy)]
pub enum Backend {
    None,
    /// `wscheck serve` with these arguments.
    Serve(&'static [&'static str]),
    /// A file of `tests/peers/node`, and its arguments.
    Node(&'static str, &'static [&'static str]),
    /// A file of `tests/peers/python`, and its arguments.
    Python(&'static str, &'static [&'static str]),
}

/// A proxy and its configuration.
#[derive(Clone, Copy)]
pub struct Hop {
    pub product: &'static Product,
    pub configuration: &'static str,
}

/// Where the commands run.
#[derive(Clone, Copy)]
pub enum Place {
    Host,
    /// With the server in a network namespace that forgets connections after these seconds of silence.
    Forgetting(u32),
    /// Without any network or name server; names are looked up in files only.
    Offline,
}

#[derive(Clone, Copy)]
pub enum Symptom {
    /// `ping -c 1` passes.
    Opens,
    /// `ping` passes, and a connection survives this many seconds of silence.
    Survives(u32),
    /// The connection stays open for these seconds, during which the server sends heartbeats.
    KeptOpen(u32),
    /// The opening fails with this kind of error.
    Fails(&'static str),
    /// The opening fails with a cause or a hint that contains this.
    FailsWith(&'static str),
    /// The upgrade is answered with this status.
    Refused(u16),
    /// `probe-idle` finds this idle timeout, in seconds.
    Idle(u32),
    /// `probe-idle` finds this limit of the lifetime, in seconds.
    Lifetime(u32),
    /// A connection that only listens ends within these seconds.
    Ends(u32),
    /// The server closes with this code.
    Closes(u16),
    /// Another proof.
    Proved(fn(&Running)),
}

/// A finding of a check.
#[derive(Clone, Copy)]
pub struct Expected {
    /// The check; several where more than one may rightly have it.
    pub checks: &'static [&'static str],
    pub severity: Severity,
    /// What its message contains.
    pub says: Option<&'static str>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Severity {
    Problem,
    /// A warning or a problem: the set-up works, but not for every client.
    AtLeastWarning,
    /// Anything that was found.
    Any,
}

pub const fn problem(checks: &'static [&'static str]) -> Expected {
    Expected { checks, severity: Severity::Problem, says: None }
}

pub const fn warning(checks: &'static [&'static str]) -> Expected {
    Expected { checks, severity: Severity::AtLeastWarning, says: None }
}

/// A hop that a message names.
pub const fn appears_at(name: &'static str) -> Expected {
    Expected { checks: &["hops"], severity: Severity::Any, says: Some(name) }
}

pub const REFUSED: &[Expected] = &[problem(&["upgrade"])];
/// How long the path may be idle is a fact; that it is too short is advice.
pub const CUT_WHEN_IDLE: &[Expected] = &[warning(&["idle-timeout", "advice"])];

/// What removes the findings.
#[derive(Clone, Copy)]
pub enum Cure {
    /// Nothing that a client or a configuration could do here, or more than one thing.
    None,
    /// The lines that `doctor` prints for this check and the product of a hop, at `#CHANGE` in its configuration.
    Changes {
        check: &'static str,
        hop: usize,
        /// Lines that are known to cure it.
        lines: &'static [&'static str],
        then: Symptom,
    },
    /// These further arguments, the first of which the remedy of this check names.
    Arguments { check: &'static str, args: &'static [&'static str] },
    /// Another URL, which the remedy of this check names, and its arguments.
    Url { check: &'static str, url: &'static str, args: &'static [&'static str] },
    /// The server with other arguments.
    Server { server: Backend, then: Symptom },
}

/// All set-ups.
pub fn all() -> Vec<Setup> {
    let tables = [
        nginx::SETUPS,
        haproxy::SETUPS,
        apache::SETUPS,
        lighttpd::SETUPS,
        varnish::SETUPS,
        caddy::SETUPS,
        traefik::SETUPS,
        envoy::SETUPS,
        certificates::SETUPS,
        servers::SETUPS,
        network::SETUPS,
        paths::SETUPS,
        healthy::SETUPS,
        browsers::SETUPS,
    ];
    tables.concat()
}

#[test]
fn names_are_unique_and_there_are_enough_setups() {
    let setups = all();
    let mut names: Vec<&str> = setups.iter().map(|setup| setup.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), setups.len());
    let healthy = setups.iter().filter(|setup| setup.expected.is_empty()).count();
    assert!(healthy >= 10 && setups.len() - healthy >= 40, "{healthy} of {} are healthy", setups.len());
}
