//! What a search for an idle timeout costs, in the path's own time: `cargo bench --bench idle_cost`. Virtual time, so
//! that the figures are the same on every machine.

#[expect(dead_code, reason = "a benchmark plays a part of what is simulated")]
#[path = "../tests/simulated_path/mod.rs"]
mod simulated_path;

use std::time::Duration;

use simulated_path::{SimCut, SimPath, SimTimer, play};
use wscheck::domain::idle::{Precision, SearchPlan, Strategy};

const TIMEOUTS: [u64; 12] = [2, 5, 10, 30, 47, 60, 100, 240, 350, 600, 1000, 3600];
const MAX: Duration = Duration::from_secs(4200);
const KINDS: [(SimCut, &str); 3] =
    [(SimCut::Fin, "FIN"), (SimCut::Silent, "silent"), (SimCut::RstOnUse, "RST on use")];

fn main() {
    println!(
        "Seconds until the bracket is known (and multiples of the timeout), for timeouts up to {} s;",
        MAX.as_secs()
    );
    println!("'plain' halves [0, max] with one connection at a time, and believes every single answer.\n");
    println!(
        "{:>7}  {:<10}  {:>16}  {:>16}  {:>16}  {:>11}",
        "timeout", "cut", "parallel", "bisect", "plain", "provisional"
    );
    for timeout in TIMEOUTS.map(Duration::from_secs) {
        KINDS.iter().for_each(|(kind, name)| row(timeout, *kind, name));
    }
}

fn row(timeout: Duration, kind: SimCut, name: &str) {
    let path = SimPath::new(SimTimer::Exact(timeout), kind);
    let run = |strategy| play(&SearchPlan { max: MAX, strategy, ..SearchPlan::default() }, &path, 1);
    let (parallel, bisect) = (run(Strategy::Parallel), run(Strategy::Bisect));
    let provisional =
        parallel.findings.provisional.map_or("-".to_string(), |p| format!("{:.1}", p.at.as_secs_f64()));
    let told = |cost: Duration| {
        format!("{:.0} ({:.1} T)", cost.as_secs_f64(), cost.as_secs_f64() / timeout.as_secs_f64())
    };
    println!(
        "{:>7}  {name:<10}  {:>16}  {:>16}  {:>16}  {provisional:>11}",
        timeout.as_secs(),
        told(parallel.cost),
        told(bisect.cost),
        told(plain(timeout, kind)),
    );
}

/// The cost of a binary search by hand: each trial costs its span, or the timeout where the end shows itself; and
/// an answer that never comes costs the time it is waited for.
fn plain(timeout: Duration, kind: SimCut) -> Duration {
    let (mut lo, mut hi, mut cost) = (Duration::ZERO, MAX, Duration::ZERO);
    while hi - lo > Precision::default().at(lo) {
        let span = lo + (hi - lo) / 2;
        cost += match (span < timeout, kind) {
            (true, _) | (false, SimCut::RstOnUse) => span,
            (false, kind) if kind.is_visible() => timeout,
            (false, _) => span + SearchPlan::default().answer_timeout,
        };
        *(if span < timeout { &mut lo } else { &mut hi }) = span;
    }
    cost
}
