//! How long a path may be idle: the search, without a clock and without a socket.
//!
//! [`Search`] is a state machine. A *driver* opens real connections (a test simulates a path) and runs this
//! loop. All times are durations since the run's start:
//!
//! ```text
//! let mut search = Search::new(plan)?;
//! loop {
//! match search.next(now()) {
//! SearchStep::Act(orders)     => carry out each in order: open, ask, cancel
//! SearchStep::Wait { until }  => sleep until `until` or the next observation;
//! pass every observation to search.observe(&observation)
//! SearchStep::Done            => break
//! }
//! }
//! let findings = search.findings(now());      // on Ctrl-C: call search.interrupt() first
//! ```
//!
//! # What a driver must do
//! - Before the search, open and close one connection.
//! - [`ProbeOrder::Open`]: open a connection and report `Opened` (or `OpenFailed`, and the probe is over).
//!   From then on the connection reads, to see its end, but sends nothing beyond what the WebSocket library
//!   answers by itself.
//! - When the idle span (since the last byte either way) reaches `ask_at`, send the one question and report
//!   `Asked`. Then report `Survived` or `Died` once, at the latest at the answer timeout. After `Asked`, an
//!   end of the connection is `Died` with `CutOnUse`.
//! - Before the question, report an end as `Ended` at once, and each message the server sends by itself as
//!   `ServerMessage`: the idle span starts anew. An answer to the question is not `ServerMessage`, nor is anything before
//!   `Opened`, such as a greeting that --await waited for.
//! - Ask the control every `control_interval`. Report `Beat` for every answer, and `Ended` when it ends or
//!   when `answer_timeout` passes without an answer. **No death counts until a later answer of the control
//!   shows that the path works**, so every `Beat` must be reported.
//! - After `OpenFailed`, `Survived`, `Died` or `Ended`, close the connection: it is over. After
//!   [`ProbeOrder::Cancel`], report nothing more of it (what crosses the order is ignored).
//! - Observations may be late (`at` is when it happened), but each connection's come in order.
//!
//! # How it decides
//! A survival is proof; a death is not, because connections die for other reasons.
//! - `evidence` holds what was observed and computes the bracket; `uncertainty` is the range still unknown.
//! - `parallel` and `bisect` choose the spans to try next.
//! - `search` manages the connections, the rounds and the control, and stops when the verdict is decided.
//! - `incident_detection` recognizes ends that no timeout caused: connections of different age that end at
//!   one moment, ends right after opening (a connection limit, a replaced session), and connections closed by
//!   wscheck itself.
//! - `admission` backs off from a server that accepts no further connection.
//! - [`SearchPlan::longest`] and [`SearchPlan::most_connections`] bound the cost.
//! - [`Recommendation`], [`refresh`] and `Expectation` draw conclusions from the findings.
//!
//! The tests run the search on paths that `simulator` simulates.

pub mod product_naming;

mod admission;
mod bisect;
mod candidates;
mod conclusions;
mod control;
mod control_evidence;
mod direction;
mod evidence;
mod finding;
mod idle_finding;
mod incident;
mod incident_detection;
mod keepalive_method;
mod lifetime_cap;
mod parallel;
mod plan;
mod probe;
mod reason;
mod recommendation;
pub mod refresh;
mod refresh_conclusion;
pub mod report;
mod search;
mod second_control;
mod server_activity;
mod statistics;
mod strategy;
mod uncertainty;
mod undecided;
mod verification;

pub use crate::domain::idle::incident::{Incident, IncidentKind};
pub use conclusions::findings_of;
pub use control_evidence::shown_by_controls;
pub use finding::{
    CutManner, CutMannerName, EndSpread, IdleFindings, IdleVerdict, ProvisionalTimeout, ResetBy,
    ServerActivity,
};
pub use idle_finding::{IdleFinding, IdleFindingCode, NeededTraffic, SkipCause, VoidCause};
pub use lifetime_cap::LifetimeCap;
pub use plan::{PlanError, Precision, SearchPlan, Strategy};
pub use probe::{
    DeathCause, Observation, ProbeEvent, ProbeId, ProbeOrder, ProbeRole, SearchStep, VisibleEnd,
};
pub use reason::IdleReason;
pub use recommendation::{MIN_SURVIVED_SPAN, Recommendation};
pub use search::{Search, SearchProgress};
pub use undecided::{DeathCount, UndecidedCause, UndecidedCode};

#[cfg(test)]
mod search_tests;

#[cfg(test)]
#[path = "../../../tests/simulated_path/mod.rs"]
mod simulator;
