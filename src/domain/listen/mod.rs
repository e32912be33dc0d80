//! What a server sends by itself, and what this shows about its heartbeats: without a clock and without a
//! socket.
//!
//! - [`known_pings`]: the app pings and keep-alives that servers send, and the expected answers
//! - [`Interarrival`]: the arrival times of one kind of event; `Interval` summarizes the gaps
//! - `SinceTraffic`: the spans from the server's last event, because a server may count from that
//! - [`HeartbeatClock`] predicts the next heartbeat; [`Stimulus`] schedules a client message before it;
//!   [`StimulusSample`] is the result
//! - `KindRecord`: all of that for one kind of event
//! - [`Periodic`]: unknown messages at an interval. Messages are distinguished by their forms, in which
//!   numbers, times and ids may change; what the messages of a form have in common makes a pattern
//! - [`ListenState`] combines all; `ListenInference` derives [`ListenFindings`]: the verdict and its reasons
//! - [`ListenFinding`]: one thing learned, with its evidence; `conclusions` lists all of a report, and
//!   [`TimerEvidence`] is about the server's timer
//!
//! All times are durations since the connection's opening.

mod common_pattern;
mod conclusions;
mod covered_timeouts;
mod findings;
mod form;
mod inference;
mod interarrival;
pub mod known_pings;
mod listen_finding;
mod listening;
mod per_kind;
mod periodic;
pub mod report;
mod server_event;
#[cfg(test)]
mod simulator;
mod since_traffic;
mod stimulus;
mod timer;
mod timer_evidence;
mod traffic_effect;
mod window;

pub use conclusions::unanswered;
pub use covered_timeouts::CoveredTimeouts;
pub use findings::{
    EndLiveness, EndedBy, FirstHeartbeat, KindFindings, ListenFindings, ListenVerdict, ObservationConditions,
    UnansweredPolicy,
};
pub use interarrival::{Interarrival, PayloadVariation};
pub use listen_finding::{ListenFinding, ListenFindingCode, ObservationLimit};
pub use listening::ListenState;
pub use periodic::{Periodic, RepeatedContent, Sameness};
pub use server_event::{ServerEvent, ServerEventClass, ServerEventKind};
pub use stimulus::{HeartbeatClock, Stimulus};
pub use timer_evidence::{IntervalOrigin, IntervalSpan, Sender, TimerDoubt, TimerEvidence};
pub use traffic_effect::{StimulusSample, TrafficEffect, TrafficEffects};
