//! What a server says by itself, and what that tells of its heartbeats: without a clock and without a socket.
//!
//! - [`shapes`] knows the app pings and keep-alives that servers send, and how they want to be answered
//! - [`Interarrival`] takes the moments of one kind of sound; [`Interval`] is what its gaps come to
//! - `SinceTraffic` takes the spans from the last that the server said, for a server may count from that
//! - [`HeartbeatClock`] is by which the next heartbeat is to come, and [`Stimulus`] says when the client is to speak before it;
//!   [`StimulusSample`] is what came of that
//! - `KindRecord` is all of that for one kind of sound
//! - [`Periodic`] is what comes at an interval and has no known shape: messages are told apart by their forms, in which
//!   numbers, times and ids may change, and what those of one form have in common makes a pattern
//! - [`ListenState`] puts it together; `ListenInference` says what it comes to: [`ZombieFindings`], the verdict, and why
//!
//! All moments are spans since the connection's opening.

mod common_pattern;
mod covered_timeouts;
mod findings;
mod form;
mod inference;
mod interarrival;
pub mod known_pings;
mod listening;
mod per_kind;
mod periodic;
mod prediction;
pub mod report;
mod server_event;
#[cfg(test)]
mod simulator;
mod since_traffic;
mod stimulus;
mod traffic_effect;
mod window;

pub use covered_timeouts::CoveredTimeouts;
pub use findings::{
    EndLiveness, EndedBy, FirstHeartbeat, IntervalOrigin, IntervalSpan, KindFindings, ListenFindings,
    ListenVerdict, ObservationConditions, UnansweredPolicy,
};
pub use interarrival::{Interarrival, PayloadVariation};
pub use listening::ListenState;
pub use periodic::{Periodic, RepeatedContent, Sameness};
pub use prediction::HeartbeatClock;
pub use server_event::{ServerEvent, ServerEventClass, ServerEventKind};
pub use stimulus::Stimulus;
pub use traffic_effect::{StimulusSample, TrafficEffect, TrafficEffects};
