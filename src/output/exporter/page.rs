//! The page: a row for each target, its RTTs and its outages. maud escapes every text.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use ring::digest::{SHA256, digest};

use crate::commands::exporter::RenderTargets;
use crate::domain::exporter::live::{LiveTarget, LiveTargets, RecentHeartbeat};
use crate::domain::format::{counted, duration, exact_duration};
use crate::domain::heartbeat::HeartbeatOutcome;
use crate::domain::label::Label;
use crate::domain::ping::outages::Outage;
use crate::output::ping::outages::{cause, clock};
use crate::output::ping::status::tone;
use crate::output::report_formats::charts::{self, TimeAxis};
use crate::output::report_formats::html::{STYLE, scrollable, tone_class};
use crate::output::time_unit::RTT_UNIT;
use crate::output::view::{ChartInterval, RttOverTime, RttRange, Tone, Track, TrackSpan, Tracks};

const SCRIPT: &str = include_str!("page.js");
/// Beside the style of reports.
const OWN_STYLE: &str = include_str!("page.css");
/// The time that the outages of a target are shown of.
const SHOWN_OUTAGES: Duration = Duration::from_secs(3600);
/// The most outages in the chart of a target; the latest.
const MAX_SHOWN_OUTAGES: usize = 30;
/// Columns of the chart of RTTs.
const INTERVALS: u32 = 60;
/// The chart of RTTs shows at least this time.
const MIN_CHART_LENGTH: Duration = Duration::from_secs(1);

/// Makes the page of a command.
#[derive(Debug, Clone, Copy)]
pub struct TargetsPage {
    pub title: &'static str,
    /// Whether there is a page of the configuration.
    pub has_config: bool,
}

impl RenderTargets for TargetsPage {
    fn page(&self, live: &LiveTargets) -> String {
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (self.title) }
                    style { (PreEscaped(style())) }
                }
                body {
                    header {
                        h1 { (self.title) }
                        p.command { span #feed role="status" { "not live: the figures are those of when the page was made" } }
                    }
                    main #targets { (targets(live)) }
                    footer {
                        p.command {
                            a href="metrics" { "metrics" }
                            @if self.has_config { " · " a href="config" { "configuration" } }
                        }
                    }
                    script { (PreEscaped(SCRIPT)) }
                }
            }
        };
        page.into_string()
    }

    fn targets(&self, live: &LiveTargets) -> String {
        targets(live).into_string()
    }

    /// Nothing but this style and this script, and events from this server.
    fn policy(&self) -> String {
        let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(digest(&SHA256, text.as_bytes())));
        format!(
            "default-src 'none'; style-src {}; script-src {}; connect-src 'self'; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'",
            hash(&style()),
            hash(SCRIPT)
        )
    }
}

fn style() -> String {
    [STYLE, OWN_STYLE].concat()
}

/// Each child has an id, by which the script finds it again.
fn targets(live: &LiveTargets) -> Markup {
    let hidden = live.all.saturating_sub(live.shown.len());
    html! {
        p.answer #summary { (summary(live)) }
        @if !live.shown.is_empty() { div #overview { (overview(live)) } }
        @if hidden > 0 { p #hidden { "Not shown: " (counted(hidden as u64, "other target")) ". " a href="metrics" { "All are in the metrics." } } }
        @for target in &live.shown { (charts_of(target, live)) }
    }
}

fn summary(live: &LiveTargets) -> Markup {
    let tone = if live.up == live.all { Tone::Good } else { Tone::Bad };
    html! {
        @if live.all == 0 { "No target is kept: this exporter only answers " code { "/probe" } "." }
        @else { span.badge.(tone_class(tone)) { (live.up) " of " (live.all) } " targets are up." }
    }
}

fn overview(live: &LiveTargets) -> Markup {
    scrollable(
        "Targets",
        html! {
            table {
                thead { tr {
                    th scope="col" { "target" } th scope="col" { "status" } th.number scope="col" { "last RTT" }
                    th.number scope="col" { "no answer" } th.number scope="col" { "open for" }
                    th.number scope="col" { "outages" } th.number scope="col" { "away" }
                } }
                tbody { @for target in &live.shown { (row(target)) } }
            }
        },
    )
}

fn row(target: &LiveTarget) -> Markup {
    let last = target.recent.iter().rev().find_map(|beat| beat.rtt);
    let unanswered = target.recent.iter().filter(|beat| is_unanswered(beat)).count();
    let (text, tone) = state(target);
    html! {
        tr {
            td { a href={ "#target-" (target.id) } { (shown_name(target)) } }
            td { span.(tone_class(tone)) { (text) } }
            td.number { (last.map_or_else(|| "-".to_string(), |rtt| RTT_UNIT.span(rtt))) }
            td.number { (unanswered) "/" (target.recent.iter().count()) }
            td.number { (target.open_for.map_or_else(|| "closed".to_string(), whole_seconds)) }
            td.number { (target.outages.count) }
            td.number { (duration(target.outages.total())) }
        }
    }
}

/// A target that is not up has no status that counts.
fn state(target: &LiveTarget) -> (&'static str, Tone) {
    if target.is_up { (target.status.label(), tone(target.status)) } else { ("down", Tone::Bad) }
}

fn shown_name(target: &LiveTarget) -> &str {
    target.name.as_deref().unwrap_or(&target.url)
}

fn whole_seconds(span: Duration) -> String {
    exact_duration(Duration::from_secs(span.as_secs()))
}

fn is_unanswered(beat: &RecentHeartbeat) -> bool {
    matches!(beat.outcome, HeartbeatOutcome::Missed | HeartbeatOutcome::Superseded)
}

/// When an outage was, how long, and why.
fn told(outage: &Outage, live: &LiveTargets) -> String {
    let length = match outage.length() {
        Some(length) => duration(length),
        None => format!("{} so far", duration(live.now.saturating_sub(outage.from))),
    };
    format!("{} UTC, {length}: {}", clock(live.started_at, outage.from), cause(outage))
}

fn charts_of(target: &LiveTarget, live: &LiveTargets) -> Markup {
    html! {
        article id={ "target-" (target.id) } {
            h2 { (shown_name(target)) }
            @if target.name.is_some() { p.command { code { (target.url) } } }
            (charts::over_time(&rtts(target, live.now), TimeAxis::UpToNow))
            (charts::tracks(&outages(target, live), TimeAxis::UpToNow))
            @if let Some(outage) = target.outages.latest.back() { p { "Last outage: " (told(outage, live)) } }
        }
    }
}

/// The latest heartbeats, in intervals up to now.
fn rtts(target: &LiveTarget, now: Duration) -> RttOverTime {
    let oldest = target.recent.iter().next().map_or(now, |beat| beat.at);
    let length = now.saturating_sub(oldest).max(MIN_CHART_LENGTH);
    let width = length / INTERVALS;
    let mut intervals = vec![Vec::new(); INTERVALS as usize];
    for beat in target.recent.iter() {
        let since = beat.at.saturating_sub(now.saturating_sub(length));
        let index = (since.as_nanos() / width.as_nanos()) as usize;
        intervals[index.min(INTERVALS as usize - 1)].push(beat);
    }
    let intervals = intervals.iter().map(|beats| interval(beats)).collect();
    RttOverTime { interval_ms: width.into(), intervals }
}

fn interval(beats: &[&RecentHeartbeat]) -> ChartInterval {
    let count = |is_counted: &dyn Fn(&RecentHeartbeat) -> bool| {
        beats.iter().filter(|beat| is_counted(beat)).count() as u64
    };
    let rtts: Vec<Duration> = beats.iter().filter_map(|beat| beat.rtt).collect();
    let range = || {
        let (min, max) = (rtts.iter().min()?, rtts.iter().max()?);
        let mean = rtts.iter().sum::<Duration>() / u32::try_from(rtts.len()).ok()?;
        Some(RttRange { min_ms: (*min).into(), mean_ms: mean.into(), max_ms: (*max).into() })
    };
    ChartInterval {
        answered: rtts.len() as u64,
        missed: count(&is_unanswered),
        late: count(&|beat| beat.outcome == HeartbeatOutcome::Late),
        rtt: range(),
    }
}

/// The outages of the latest time.
fn outages(target: &LiveTarget, live: &LiveTargets) -> Tracks {
    let length = live.now.min(SHOWN_OUTAGES);
    let start = live.now.saturating_sub(length);
    let span = |outage: &Outage| {
        let until = outage.until.unwrap_or(live.now);
        (until >= start).then(|| TrackSpan {
            from_ms: outage.from.saturating_sub(start).into(),
            to_ms: until.saturating_sub(start).into(),
            tone: Tone::Bad,
            text: told(outage, live),
        })
    };
    let mut spans: Vec<TrackSpan> = target.outages.latest.iter().filter_map(span).collect();
    let (all, left_out) = (spans.len() as u64, spans.len().saturating_sub(MAX_SHOWN_OUTAGES));
    spans.drain(..left_out);
    let track = Track { label: "outages".to_string(), spans, of: (left_out > 0).then_some(all) };
    let title = format!("Outages of the last {}", whole_seconds(length));
    Tracks { title, length_ms: length.into(), tracks: vec![track] }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::time::SystemTime;

    use super::*;

    const PAGE: TargetsPage = TargetsPage { title: "wscheck exporter", has_config: true };
    use crate::domain::exporter::live::RecentHeartbeats;
    use crate::domain::heartbeat::HeartbeatKind;
    use crate::domain::ping::event::HeartbeatResult;
    use crate::domain::ping::health::Status;
    use crate::domain::ping::outages::{OutageCause, Outages};

    fn seconds(number: u64) -> Duration {
        Duration::from_secs(number)
    }

    fn target(name: &str) -> LiveTarget {
        let mut recent = RecentHeartbeats::default();
        for (seq, rtt) in [Some(20), None, Some(30)].into_iter().enumerate() {
            let outcome = if rtt.is_some() { HeartbeatOutcome::Ok } else { HeartbeatOutcome::Missed };
            let result = HeartbeatResult {
                kind: HeartbeatKind::Protocol,
                seq: seq as u64,
                outcome,
                was: None,
                rtt: rtt.map(Duration::from_millis),
                lag: None,
                to_wire: None,
                from_wire: None,
                acked: None,
                later_answered: false,
                exhausted_window: None,
                sent_again: None,
                rivals: 1,
            };
            recent.note(seconds(seq as u64 * 10), &result);
        }
        let outage = Outage {
            from: seconds(12),
            until: Some(seconds(17)),
            cause: OutageCause::Ended,
            detail: "peer sent close 1001 \"<b>bye\"".to_string(),
            failed_attempts: 0,
            last_error: None,
            uncertain: Duration::ZERO,
        };
        LiveTarget {
            id: 7,
            name: Some(name.to_string()),
            url: "wss://a.example/?token=***".to_string(),
            status: Status::Degraded,
            is_up: true,
            open_for: Some(seconds(13)),
            recent,
            outages: Outages {
                latest: VecDeque::from([outage]),
                count: 1,
                ended_total: seconds(5),
                ended_longest: seconds(5),
                observed: seconds(30),
            },
        }
    }

    fn live(shown: Vec<LiveTarget>, all: usize) -> LiveTargets {
        let up = shown.iter().filter(|target| target.is_up).count() + all - shown.len();
        LiveTargets { shown, all, up, started_at: SystemTime::UNIX_EPOCH, now: seconds(30) }
    }

    #[test]
    fn row_and_charts_show_rtts_and_outages() {
        let text = PAGE.targets(&live(vec![target("chat")], 1));
        for part in [
            "1 of 1",
            "<a href=\"#target-7\">chat</a>",
            "<span class=\"caution\">degraded</span>",
            "<td class=\"number\">1/3</td>",
            "<td class=\"number\">13 s</td>",
            "<p>Last outage: 1970-01-01 00:00:12 UTC, 5 s: peer sent close 1001",
            "RTTs over 30 s: at most 30.0 ms; 1 heartbeat missed, 0 late",
            "Outages of the last 30 s: outages: 1970-01-01 00:00:12 UTC",
            "class=\"fill-bad\" x=\"354\"",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn hostile_texts_are_escaped() {
        let name = "<img src=x onerror=alert(1)>\"'&";
        let page = PAGE.page(&live(vec![target(name)], 1));
        assert!(!page.contains("<img") && !page.contains("<b>"), "{page}");
        assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;&quot;"), "{page}");
    }

    #[test]
    fn target_that_is_away_is_down_whatever_its_last_status() {
        let gone = LiveTarget { is_up: false, open_for: None, status: Status::Healthy, ..target("gone") };
        let text = PAGE.targets(&live(vec![gone], 1));
        assert!(text.contains("<span class=\"bad\">down</span>") && text.contains("0 of 1"), "{text}");
    }

    #[test]
    fn chart_has_a_bounded_number_of_outages() {
        let mut flapping = target("chat");
        let one = flapping.outages.latest[0].clone();
        flapping.outages.latest = std::iter::repeat_n(one, 100).collect();
        let shown = outages(&flapping, &live(Vec::new(), 0));
        assert_eq!((shown.tracks[0].spans.len(), shown.tracks[0].of), (MAX_SHOWN_OUTAGES, Some(100)));
    }

    #[test]
    fn targets_that_do_not_fit_are_counted() {
        let text = PAGE.targets(&live(vec![target("a")], 30));
        assert!(text.contains("Not shown: 29 other targets"), "{text}");
        let none = PAGE.targets(&live(Vec::new(), 0));
        assert!(none.contains("No target is kept") && !none.contains("<table"), "{none}");
    }

    /// The page may run its own script and nothing else.
    #[test]
    fn policy_names_what_is_in_the_page() {
        let (page, policy) = (PAGE.page(&live(Vec::new(), 0)), PAGE.policy());
        assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"), "{policy}");
        let script = page.split("<script>").nth(1).unwrap().split("</script>").next().unwrap();
        let style = page.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
        for (kind, text) in [("script", script), ("style", style)] {
            let hash = STANDARD.encode(digest(&SHA256, text.as_bytes()));
            assert!(policy.contains(&format!("{kind}-src 'sha256-{hash}'")), "{policy}");
        }
        assert!(!page.contains("style=\""), "{page}");
    }
}
