//! What people read while an idle search runs.

use std::collections::HashSet;

use crate::domain::connection::connect_info::{ConnectError, FailureKind};
use crate::domain::format::{self, counted};
use crate::domain::idle::report::{IdleEvent, IdleInfo, IdleReport};
use crate::output::human::{HumanOptions, Styler, failed_opening};

/// The messages during a run, on stderr.
#[derive(Debug)]
pub struct SearchLog {
    quiet: bool,
    paint: Styler,
    /// The failures to open that were printed.
    reported: HashSet<FailureKind>,
}

impl SearchLog {
    pub fn new(options: HumanOptions) -> SearchLog {
        SearchLog {
            quiet: options.quiet,
            paint: Styler { color: options.stderr_color },
            reported: HashSet::new(),
        }
    }

    /// The message for an event during the run, newline included.
    pub fn lines(&mut self, event: &IdleEvent) -> Option<String> {
        match event {
            IdleEvent::Started { info, .. } => (!self.quiet).then(|| introduction(info)),
            IdleEvent::OpenFailed { error, .. } => self.open_failed(error),
            IdleEvent::Finished(report) => never_opened(report).and_then(|error| self.open_failed(error)),
            IdleEvent::Provisional(guess) => (!self.quiet).then(|| {
                let ends = counted(guess.samples as u64, "connection");
                format!("{ends} ended after about {}; confirming\n", format::duration(guess.timeout))
            }),
            IdleEvent::ProbeOpened { .. }
            | IdleEvent::Seen(_)
            | IdleEvent::Bracket { .. }
            | IdleEvent::Progress(_)
            | IdleEvent::Following { .. }
            | IdleEvent::RefreshRow { .. }
            | IdleEvent::VerifyBeat { .. }
            | IdleEvent::Verified { .. } => None,
        }
    }

    /// Each kind of failure once, in full.
    fn open_failed(&mut self, error: &ConnectError) -> Option<String> {
        self.reported.insert(error.kind).then(|| failed_opening(self.paint, error))
    }
}

/// `wscheck probe-idle ws://a.example/: searching idle times from 1 s to 5m with a precision of 1 s or 2 %; at most 16
/// connections at once, 264 in total, and 1230 s`
fn introduction(info: &IdleInfo) -> String {
    let search = &info.search;
    format!(
        "wscheck probe-idle {}: searching idle times from {} to {} with a precision of {}; at most {} connections at \
         once, {} in total, and {}\n",
        info.url,
        format::duration(search.min),
        format::duration(search.max),
        precision(info),
        search.max_connections,
        search.most_connections(),
        format::duration(search.longest())
    )
}

fn precision(info: &IdleInfo) -> String {
    let precision = info.search.precision;
    match (precision.absolute.is_zero(), precision.relative > 0.0) {
        (true, _) => format::exact_percent(precision.relative),
        (false, false) => format::duration(precision.absolute),
        (false, true) => format!(
            "{} or {}",
            format::duration(precision.absolute),
            format::exact_percent(precision.relative)
        ),
    }
}

/// Why nothing was measured.
pub fn never_opened(report: &IdleReport) -> Option<&ConnectError> {
    report.error.as_deref().filter(|_| report.opened.is_none())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::idle::{Precision, SearchPlan};
    #[test]
    fn precision_is_shown_as_requested() {
        let precision_of = |absolute, relative| {
            let search = SearchPlan { precision: Precision { absolute, relative }, ..SearchPlan::default() };
            let url = "ws://a/".to_string();
            precision(&IdleInfo {
                url,
                search,
                refresh: false,
                verify: false,
                expectation: None,
                preset: None,
            })
        };
        let second = Duration::from_secs(1);
        assert_eq!(
            [precision_of(second, 0.02), precision_of(second, 0.0), precision_of(Duration::ZERO, 0.05)],
            ["1 s or 2 %", "1 s", "5 %"]
        );
    }
}
