//! Happy Eyeballs (RFC 8305): staggered attempts to several addresses; the first connection wins.

use std::fmt::Display;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep_until};

use crate::domain::connection::connect_info::{ConnectAttempt, FailureKind};

use crate::net::dial_error::DialError;
use crate::net::time_limit::TimeLimit;

/// Time before the next address is tried in parallel (RFC 8305 section 5, Connection Attempt Delay).
pub const CONNECTION_ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Error of an attempt that was still running when another connected.
pub const ABANDONED: &str = "abandoned: another address answered first";

/// Alternates the address families, starting with the first address's (RFC 8305 section 4). Each family keeps its
/// order.
pub fn interleave(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let Some(first) = addresses.first() else { return addresses };
    let leads = first.is_ipv6();
    let (a, b): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|address| address.is_ipv6() == leads);
    let (mut a, mut b) = (a.into_iter(), b.into_iter());
    let mut mixed = Vec::new();
    loop {
        let pair = [a.next(), b.next()];
        if pair.iter().all(Option::is_none) {
            return mixed;
        }
        mixed.extend(pair.into_iter().flatten());
    }
}

/// Result of the attempts.
#[derive(Debug)]
pub struct RaceResult<C> {
    /// The first connection; `None` if every attempt failed.
    pub won: Option<C>,
    /// Every address that was tried, in order of start.
    pub attempts: Vec<ConnectAttempt>,
    /// Why attempts failed, in order of failure. After a timeout this includes the attempts still running.
    pub faults: Vec<DialError>,
    /// From the start of the first attempt to the end.
    pub took: Duration,
}

enum RaceEvent<C> {
    Start,
    Done(usize, Result<C, DialError>),
    Deadline,
    Exhausted,
}

/// Waits until `at`. Returns at once if there is no time, since a timer would round up to the next millisecond.
async fn due(at: Option<Instant>) {
    if let Some(at) = at {
        sleep_until(at).await;
    }
}

/// Tries the addresses in order, each [`CONNECTION_ATTEMPT_DELAY`] after the one before or as soon as one fails, until
/// one connects, all have failed, or the time is over. `whose` names the owner of addresses that do not answer: `the proxy `.
pub async fn race<A, C, F, Fut>(addresses: Vec<A>, whose: &str, limit: TimeLimit, connect: F) -> RaceResult<C>
where
    A: Display,
    F: Fn(A) -> Fut,
    Fut: Future<Output = Result<C, DialError>>,
{
    let mut attempts: Vec<RunningAttempt> = Vec::new();
    let mut faults = Vec::new();
    let mut waiting = addresses.into_iter();
    let mut running = FuturesUnordered::new();
    let mut next_start = None;
    let (won, at) = loop {
        let more = waiting.len() > 0;
        let step = tokio::select! {
            biased;
            Some((index, result)) = running.next() => RaceEvent::Done(index, result),
            () = sleep_until(limit.end) => RaceEvent::Deadline,
            () = due(next_start), if more => RaceEvent::Start,
            () = std::future::ready(()), if !more && running.is_empty() => RaceEvent::Exhausted,
        };
        let now = Instant::now();
        match step {
            RaceEvent::Start => {
                let Some(address) = waiting.next() else { continue };
                let index = attempts.len();
                attempts.push(RunningAttempt { address: address.to_string(), began: now, end: None });
                let attempt = connect(address);
                running.push(async move { (index, attempt.await) });
                next_start = Some(now + CONNECTION_ATTEMPT_DELAY);
            }
            RaceEvent::Done(index, result) => {
                attempts[index].end(now, result.as_ref().err());
                match result {
                    Ok(connection) => break (Some(connection), now),
                    Err(fault) => faults.push(fault),
                }
                next_start = None;
            }
            RaceEvent::Deadline => {
                for attempt in attempts.iter_mut().filter(|attempt| attempt.end.is_none()) {
                    let doing = format!("{whose}{} did not answer", attempt.address);
                    faults.push(limit.error(doing));
                    attempt.end(now, faults.last());
                }
                break (None, now);
            }
            RaceEvent::Exhausted => break (None, now),
        }
    };
    let took = attempts.first().map_or(Duration::ZERO, |first| at - first.began);
    let attempts = attempts.into_iter().map(|attempt| attempt.ended(at)).collect();
    RaceResult { won, attempts, faults, took }
}

struct RunningAttempt {
    address: String,
    began: Instant,
    /// Duration and error; `None` while it is running.
    end: Option<(Duration, Option<String>)>,
}

impl RunningAttempt {
    fn end(&mut self, at: Instant, fault: Option<&DialError>) {
        self.end = Some((at - self.began, fault.map(|fault| fault.cause.clone())));
    }

    /// What became of it, now that the race has ended.
    fn ended(self, at: Instant) -> ConnectAttempt {
        let (took, error) = self.end.unwrap_or_else(|| (at - self.began, Some(ABANDONED.to_string())));
        ConnectAttempt { address: self.address, took, error }
    }
}

/// The failure that explains most: first an explicit refusal, then a timeout, then no route, then a local error.
pub fn most_informative(faults: Vec<DialError>) -> Option<DialError> {
    let others = faults.len().saturating_sub(1);
    let mut fault = faults.into_iter().min_by_key(|fault| rank(fault.kind))?;
    match others {
        0 => {}
        1 => fault.cause.push_str("; 1 other address failed, too"),
        n => fault.cause.push_str(&format!("; {n} other addresses failed, too")),
    }
    Some(fault)
}

fn rank(kind: FailureKind) -> u8 {
    match kind {
        FailureKind::Refused => 0,
        FailureKind::Reset => 1,
        FailureKind::Timeout => 2,
        FailureKind::Unreachable => 3,
        FailureKind::Local => 4,
        _ => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::sleep;

    const BUDGET: Duration = Duration::from_secs(10);

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Each name is a script: `ok@300` connects after 300 ms, `no@10` is refused after 10 ms.
    async fn script(address: &'static str) -> Result<&'static str, DialError> {
        let (what, when) = address.split_once('@').unwrap();
        sleep(ms(when.parse().unwrap())).await;
        match what {
            "ok" => Ok(address),
            "no" => Err(DialError::new(FailureKind::Refused, format!("refused by {address}"))),
            _ => Err(DialError::new(FailureKind::Unreachable, format!("no route to {address}"))),
        }
    }

    async fn run(addresses: &[&'static str]) -> RaceResult<&'static str> {
        race(addresses.to_vec(), "", TimeLimit::from_now(BUDGET), script).await
    }

    fn attempt(address: &str, took: u64, error: Option<&str>) -> ConnectAttempt {
        ConnectAttempt { address: address.into(), took: ms(took), error: error.map(str::to_string) }
    }

    #[test]
    fn families_alternate_from_the_first() {
        let parse = |list: &[&str]| list.iter().map(|a| a.parse().unwrap()).collect::<Vec<SocketAddr>>();
        let mixed = interleave(parse(&["[::1]:1", "[::2]:1", "[::3]:1", "127.0.0.1:1", "127.0.0.2:1"]));
        assert_eq!(mixed, parse(&["[::1]:1", "127.0.0.1:1", "[::2]:1", "127.0.0.2:1", "[::3]:1"]));
        assert_eq!(
            interleave(parse(&["127.0.0.1:1", "127.0.0.2:1", "[::1]:1"])),
            parse(&["127.0.0.1:1", "[::1]:1", "127.0.0.2:1"])
        );
    }

    #[tokio::test(start_paused = true)]
    async fn quick_first_address_is_the_only_one_tried() {
        let raced = run(&["ok@249", "ok@1"]).await;
        assert_eq!(raced.won, Some("ok@249"));
        assert_eq!(raced.attempts, [attempt("ok@249", 249, None)]);
    }

    #[tokio::test(start_paused = true)]
    async fn next_address_starts_after_the_attempt_delay() {
        let began = Instant::now();
        let raced = run(&["ok@5000", "ok@30"]).await;
        assert_eq!(raced.won, Some("ok@30"));
        assert_eq!(began.elapsed(), ms(280));
        assert_eq!(raced.attempts, [attempt("ok@5000", 280, Some(ABANDONED)), attempt("ok@30", 30, None)]);
    }

    #[tokio::test(start_paused = true)]
    async fn slow_address_may_still_win() {
        let raced = run(&["ok@300", "ok@100"]).await;
        assert_eq!(raced.won, Some("ok@300"));
        assert_eq!(raced.attempts, [attempt("ok@300", 300, None), attempt("ok@100", 50, Some(ABANDONED))]);
    }

    #[tokio::test(start_paused = true)]
    async fn failure_starts_the_next_at_once() {
        let began = Instant::now();
        let raced = run(&["no@10", "no@20", "ok@30"]).await;
        assert_eq!(raced.won, Some("ok@30"));
        assert_eq!(began.elapsed(), ms(60));
        assert_eq!(raced.attempts[1], attempt("no@20", 20, Some("refused by no@20")));
    }

    #[tokio::test(start_paused = true)]
    async fn refusal_is_reported_when_all_fail() {
        let raced = run(&["way@10", "no@400", "way@20"]).await;
        assert!(raced.won.is_none());
        assert_eq!(
            raced.attempts,
            [
                attempt("way@10", 10, Some("no route to way@10")),
                attempt("no@400", 400, Some("refused by no@400")),
                attempt("way@20", 20, Some("no route to way@20")),
            ]
        );
        let failure = most_informative(raced.faults).unwrap();
        assert_eq!(failure.kind, FailureKind::Refused);
        assert_eq!(failure.cause, "refused by no@400; 2 other addresses failed, too");
    }

    #[tokio::test(start_paused = true)]
    async fn silence_ends_at_the_deadline() {
        let began = Instant::now();
        let raced = race(vec!["ok@99999", "way@5"], "the proxy ", TimeLimit::from_now(ms(400)), script).await;
        assert_eq!(began.elapsed(), ms(400));
        assert!(raced.won.is_none());
        assert_eq!(
            raced.attempts,
            [
                attempt("ok@99999", 400, Some("the proxy ok@99999 did not answer within 400 ms")),
                attempt("way@5", 5, Some("no route to way@5")),
            ]
        );
        assert_eq!(most_informative(raced.faults).unwrap().kind, FailureKind::Timeout);
    }

    #[tokio::test(start_paused = true)]
    async fn no_timer_runs_without_a_delay() {
        // The test starts off the timer's whole milliseconds, where a timer would round up.
        tokio::time::advance(Duration::from_micros(300)).await;
        let began = Instant::now();
        let at_once = async |address: &'static str| match address {
            "no" => Err(DialError::new(FailureKind::Refused, "refused")),
            _ => Ok(address),
        };
        let raced = race(vec!["no", "no", "ok"], "", TimeLimit::from_now(BUDGET), at_once).await;
        assert_eq!(raced.won, Some("ok"));
        assert_eq!((began.elapsed(), raced.took), (Duration::ZERO, Duration::ZERO));
        assert!(raced.attempts.iter().all(|attempt| attempt.took == Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn duration_spans_all_attempts() {
        assert_eq!(run(&["ok@249"]).await.took, ms(249));
        assert_eq!(run(&["no@10", "no@20", "ok@30"]).await.took, ms(60));
        assert_eq!(run(&["ok@5000", "ok@30"]).await.took, ms(280));
        assert_eq!(run(&["no@10", "way@400"]).await.took, ms(410));
    }

    #[tokio::test(start_paused = true)]
    async fn no_address_gives_no_connection() {
        let raced = run(&[]).await;
        assert!(raced.won.is_none() && raced.attempts.is_empty());
    }
}
