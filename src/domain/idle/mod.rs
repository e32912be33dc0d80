//! How long may a path be idle: the search, without a clock and without a socket.
//!
//! [`Search`] is a state machine. A *driver* opens real connections (or a test simulates a path) and
//! plays this loop; all times are durations since the run's start:
//!
//! ```text
//! let mut search = Search::new(plan)?;
//! loop {
//!     match search.next(now()) {
//!         Step::Act(orders)     => carry each out, in order: open, ask, cancel
//!         Step::Wait { until }  => sleep until the run is as old as `until`, or an observation comes;
//!                                  hand every observation to search.observe(&observation)
//!         Step::Done            => break
//!     }
//! }
//! let findings = search.findings(now());      // on Ctrl-C: search.interrupt(); and the same
//! ```
//!
//! # What a driver owes
//! - Before the search it has opened one connection, and closed it.
//! - [`ProbeOrder::Open`]: open a connection, then say `ConnectInfo` (or `OpenFailed`, and the probe is over). From
//!   then on it is silent: it sends nothing, answers nothing that the WebSocket library does not answer by
//!   itself, and it reads, to see the end.
//! - When a connection's idle span (since the last byte either way) reaches `ask_at`, it asks its one
//!   question and says `Asked`, then `Survived` or `Died`, once, at the latest when the answer timeout is
//!   over. After `Asked` an end of the connection is `Died` with `CutOnUse`.
//! - Before the question an end is `Ended`, at once. What the server says unasked is `Spoke`: idle begins anew.
//!   (An answer to our question is not `Spoke`; nor is anything before `ConnectInfo`, such as a greeting
//!   that --await waited for.)
//! - The control is asked every `control_interval`; `Beat` for every answer, `Ended` when it ends or when
//!   `answer_timeout` passed without an answer. **No death counts before a beat of the control, of a later
//!   moment, vouches for the path**, so beats must all be told.
//! - After `OpenFailed`, `Survived`, `Died` or `Ended` the connection is over: the driver closes it. After
//!   [`ProbeOrder::Cancel`] nothing more is said about it (what crosses the order on its way is ignored).
//! - Observations may be late (their `at` says when it was) but come in the order of each connection.
//!
//! # How it decides
//! Survival is hard evidence; death is not: connections die for other reasons. `evidence` holds what was seen
//! and computes the bracket; `parallel` and `bisect` say which spans to try next; `search` keeps the
//! connections, the rounds and the control, and stops when a verdict stands; `zone` says what is still unknown, and
//! what the next connection is best asked for. [`path`] simulates what a search may meet, and `proof` has it meet all.
//! `incident` tells apart what ends connections and is no timeout: ends of connections of different age at one moment, ends
//! right after the opening (a limit on connections, a replaced session), ends by wscheck's own judgement. `admission` backs
//! off from a server that takes no further connection. What a search may cost is bounded by [`SearchPlan::longest`] and
//! [`SearchPlan::most_connections`].
//! [`Expectation`], [`Recommendation`] and [`refresh`] draw conclusions from what was found.

pub mod middleboxes;

mod admission;
mod bisect;
mod candidates;
mod control;
mod evidence;
mod finding;
mod incident;
mod incident_detection;
mod parallel;
mod plan;
mod probe;
mod recommendation;
pub mod refresh;
pub mod report;
mod search;
mod second_control;
mod server_activity;
mod statistics;
mod strategy;
mod uncertainty;

pub use crate::domain::idle::incident::{Incident, IncidentKind};
pub use finding::{
    CutManner, CutMannerName, EndSpread, IdleFindings, IdleVerdict, LifetimeCap, ProvisionalTimeout, ResetBy,
    ServerActivity,
};
pub use plan::{PlanError, Precision, SearchPlan, Strategy};
pub use probe::{
    DeathCause, Observation, ProbeEvent, ProbeId, ProbeOrder, ProbeRole, SearchStep, VisibleEnd,
};
pub use recommendation::{MIN_SURVIVED_SPAN, Recommendation};
pub use search::{Search, SearchProgress, SilentProbe};

#[cfg(test)]
mod search_tests;

#[cfg(test)]
#[path = "../../../tests/simulated_path/mod.rs"]
mod simulator;
