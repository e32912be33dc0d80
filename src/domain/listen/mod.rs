//! What a server says by itself, and what that tells of its heartbeats: without a clock and without a socket.
//!
//! - [`shapes`] knows the app pings and keep-alives that servers send, and how they want to be answered
//! - [`Rhythm`] takes the moments of one kind of sound; [`Interval`] is what its gaps come to
//! - `SinceTraffic` takes the spans from the last that the server said, for a server may count from that
//! - [`Clock`] is by which the next heartbeat is to come, and [`Talk`] says when the client is to speak before it;
//!   [`Disturbance`] is what came of that
//! - `KindHeard` is all of that for one kind of sound
//! - [`Periodic`] is what comes at an interval and has no known shape: messages are told apart by their forms, in which
//!   numbers, times and ids may change, and what those of one form have in common makes a pattern
//! - [`Listening`] puts it together; `Judgement` says what it comes to: [`Findings`], the verdict, and why
//!
//! All moments are spans since the connection's opening.

mod clearance;
mod clock;
mod disturbance;
mod findings;
mod form;
mod interval;
mod judgement;
mod kind;
mod listening;
mod periodic;
pub mod report;
mod rhythm;
pub mod shapes;
#[cfg(test)]
mod simulated;
mod since;
mod skeleton;
mod sound;
mod spans;
mod talk;

pub use clearance::Clearance;
pub use clock::Clock;
pub use disturbance::{Disturbance, Effect, Effects};
pub use findings::{
    Circumstances, EndedBy, Findings, First, KindFindings, Known, Origin, Spanning, Unanswered, Verdict,
};
pub use interval::{Interval, tolerance};
pub use listening::Listening;
pub use periodic::{Content, Periodic, Sameness};
pub use rhythm::{Payloads, Rhythm};
pub use sound::{Kind, Sound, Utterance};
pub use talk::Talk;
