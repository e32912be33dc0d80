//! Charts of the HTML page, as SVG. What a chart shows is in its text alternative, too.

use std::time::Duration;

use maud::{Markup, html};

use crate::domain::format::{counted, duration};
use crate::output::json::Ms;
use crate::output::time_unit::RTT_UNIT;
use crate::output::view::{
    Chart, ChartInterval, Distribution, Lane, Lanes, RttOverTime, Tone, Track, Tracks, View,
};

/// The size of a chart in pixels; it shrinks to the screen.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 180.0;
/// Room for the axis below the bars, and for a line of text above them.
const MARGIN: f64 = 24.0;
const LANE_HEIGHT: f64 = 20.0;
/// Room for the names of lanes.
const LABEL_WIDTH: f64 = 110.0;

/// Every chart of a run.
pub fn all(view: &View) -> Markup {
    let has_several = view.sections.len() > 1;
    html! {
        @for chart in &view.charts { (one(chart, None)) }
        @for section in &view.sections {
            @for chart in &section.charts { (one(chart, has_several.then_some(section.title.as_str()))) }
        }
    }
}

fn one(chart: &Chart, target: Option<&str>) -> Markup {
    match chart {
        Chart::Distribution(distribution) => histogram(distribution, target),
        Chart::RttOverTime(over) => over_time(over, TimeAxis::FromStart),
        Chart::Lanes(lanes) => bars(lanes),
        Chart::Tracks(shown) => tracks(shown, TimeAxis::FromStart),
    }
}

/// A drawing with its heading and the text that says the same.
fn figure(heading: &str, text: &str, height: f64, drawing: Markup) -> Markup {
    html! {
        section {
            h2 { (heading) }
            svg viewBox={ "0 0 " (WIDTH) " " (height) } width=(WIDTH) height=(height) role="img" aria-label=(text) {
                (drawing)
            }
        }
    }
}

/// Where an axis of time begins and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeAxis {
    /// At the start of a run.
    FromStart,
    /// Now, so that it moves.
    UpToNow,
}

impl TimeAxis {
    /// `start`: what a run's start is called. `x`: where the time begins.
    fn axis(self, (x, y): (f64, f64), start: &str, length: Duration) -> Markup {
        let length = duration(length);
        match self {
            TimeAxis::FromStart => axis(y, start, &length),
            TimeAxis::UpToNow => axis_from(x, y, &format!("{length} ago"), "now"),
        }
    }
}

fn axis(y: f64, from: &str, to: &str) -> Markup {
    axis_from(0.0, y, from, to)
}

/// `x`: where the text of its beginning stands.
fn axis_from(x: f64, y: f64, from: &str, to: &str) -> Markup {
    html! {
        line.axis x1="0" x2=(WIDTH) y1=(y) y2=(y) {}
        text x=(x) y=(y + 16.0) { (from) }
        text x=(WIDTH) y=(y + 16.0) text-anchor="end" { (to) }
    }
}

fn histogram(distribution: &Distribution, target: Option<&str>) -> Markup {
    let Distribution { name, min_ms, max_ms, counts } = distribution;
    let highest = counts.iter().copied().max().unwrap_or(0);
    if highest == 0 {
        return html! {};
    }
    let kind = name.as_deref().map(|name| format!("{name} ")).unwrap_or_default();
    let of = target.map(|target| format!(": {target}")).unwrap_or_default();
    let (least, most) = (RTT_UNIT.span((*min_ms).into()), RTT_UNIT.span((*max_ms).into()));
    let text =
        format!("Distribution of the {kind}RTTs from {least} to {most}; at most {highest} in a column");
    let width = WIDTH / counts.len().max(1) as f64;
    let bar_height = |count: u64| count as f64 / highest as f64 * (HEIGHT - 2.0 * MARGIN);
    let base = HEIGHT - MARGIN;
    let drawing = html! {
        @for (index, count) in counts.iter().enumerate() {
            rect.bar x=(index as f64 * width + 0.5) y=(base - bar_height(*count))
                width=((width - 1.0).max(1.0)) height=(bar_height(*count)) {}
        }
        text x="0" y="14" { "at most " (highest) " in a column" }
        (axis(base, &least, &most))
    };
    figure(&format!("Distribution of the {kind}RTTs{of}"), &text, HEIGHT, drawing)
}

/// The RTTs over the time of the run: the range of each interval as a bar, its mean as a line; what was missed or late as
/// marks at the top.
pub fn over_time(over: &RttOverTime, time: TimeAxis) -> Markup {
    let intervals = &over.intervals;
    let longest = intervals.iter().filter_map(|one| Some(Duration::from(one.rtt.as_ref()?.max_ms))).max();
    let Some(longest) = longest.filter(|max| !max.is_zero()) else { return html! {} };
    // An archived file may have any numbers.
    let sum = |count: fn(&ChartInterval) -> u64| intervals.iter().map(count).fold(0, u64::saturating_add);
    let (missed, late) = (sum(|one| one.missed), sum(|one| one.late));
    let width = WIDTH / intervals.len().max(1) as f64;
    let base = HEIGHT - MARGIN;
    let y =
        |rtt: Ms| base - Duration::from(rtt).as_secs_f64() / longest.as_secs_f64() * (HEIGHT - 2.0 * MARGIN);
    let x = |index: usize| index as f64 * width;
    let means =
        intervals.iter().enumerate().filter_map(|(index, one)| Some((index, one.rtt.as_ref()?.mean_ms)));
    let lines = unbroken(means.collect());
    let point = |(index, mean): &(usize, Ms)| format!("{:.1},{:.1}", x(*index) + width / 2.0, y(*mean));
    let lines = lines.iter().map(|line| line.iter().map(point).collect::<Vec<_>>().join(" "));
    let text = format!(
        "RTTs over {}: at most {}; {} missed, {late} late",
        duration(over.length()),
        RTT_UNIT.span(longest),
        counted(missed, "heartbeat")
    );
    let drawing = html! {
        @for (index, one) in intervals.iter().enumerate() {
            @if let Some(rtt) = &one.rtt {
                rect.range x=(x(index)) y=(y(rtt.max_ms)) width=(width.max(1.0))
                    height=((y(rtt.min_ms) - y(rtt.max_ms)).max(1.0)) {}
            }
            @if one.missed > 0 { rect.fill-bad x=(x(index)) y="0" width=(width.max(2.0)) height="8" {} }
            @if one.late > 0 { rect.fill-caution x=(x(index)) y="10" width=(width.max(2.0)) height="8" {} }
        }
        @for points in lines { polyline.line points=(points) {} }
        (time.axis((0.0, base), "0 s", over.length()))
    };
    let heading = format!("RTT over time, up to {} ({missed} missed, {late} late)", RTT_UNIT.span(longest));
    figure(&heading, &text, HEIGHT, drawing)
}

/// A longer pause than this many usual ones breaks the line: nothing was answered meanwhile.
const MAX_USUAL_GAPS: usize = 3;

/// The points of each unbroken line.
fn unbroken(points: Vec<(usize, Ms)>) -> Vec<Vec<(usize, Ms)>> {
    let mut gaps: Vec<usize> = points.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    gaps.sort_unstable();
    let usual = gaps.get(gaps.len() / 2).copied().unwrap_or(1);
    let is_near = |before: &(usize, Ms), after: &(usize, Ms)| after.0 - before.0 <= usual * MAX_USUAL_GAPS;
    points.chunk_by(is_near).map(<[_]>::to_vec).collect()
}

fn bars(Lanes { title, lanes }: &Lanes) -> Markup {
    let Some(longest) =
        lanes.iter().map(|lane| Duration::from(lane.lasted_ms)).max().filter(|longest| !longest.is_zero())
    else {
        return html! {};
    };
    let height = lanes.len() as f64 * LANE_HEIGHT + MARGIN;
    let text = lanes
        .iter()
        .map(|lane| format!("{}: {}, {}", lane.label, duration(lane.lasted_ms.into()), lane.text));
    let text = format!("{title}: {}", text.collect::<Vec<_>>().join("; "));
    let drawing = html! {
        @for (index, lane) in lanes.iter().enumerate() { (bar(lane, index as f64 * LANE_HEIGHT, longest)) }
        (axis(height - MARGIN, "", &duration(longest)))
    };
    figure(title, &text, height, drawing)
}

fn bar(lane: &Lane, y: f64, longest: Duration) -> Markup {
    let room = WIDTH - LABEL_WIDTH;
    let width = (Duration::from(lane.lasted_ms).as_secs_f64() / longest.as_secs_f64() * room).max(1.0);
    html! {
        text x="0" y=(y + 14.0) { (lane.label) }
        rect.(fill(lane.tone)) x=(LABEL_WIDTH) y=(y + 3.0) width=(width) height=(LANE_HEIGHT - 6.0) {
            title { (lane.label) ": " (duration(lane.lasted_ms.into())) ", " (lane.text) }
        }
    }
}

fn fill(tone: Tone) -> &'static str {
    match tone {
        Tone::Neutral => "fill-neutral",
        Tone::Good => "fill-good",
        Tone::Caution => "fill-caution",
        Tone::Bad => "fill-bad",
    }
}

/// What happened when.
pub fn tracks(Tracks { title, length_ms, tracks }: &Tracks, time: TimeAxis) -> Markup {
    let length = Duration::from(*length_ms);
    if length.is_zero() || tracks.is_empty() {
        return html! {};
    }
    let height = tracks.len() as f64 * LANE_HEIGHT + MARGIN;
    let text = tracks.iter().map(|track| format!("{}: {}", track.label, spans(track)));
    let text = format!("{title}: {}", text.collect::<Vec<_>>().join("; "));
    let drawing = html! {
        @for (index, track) in tracks.iter().enumerate() {
            (one_track(track, index as f64 * LANE_HEIGHT, length))
        }
        (time.axis((LABEL_WIDTH, height - MARGIN), "", length))
    };
    figure(title, &text, height, drawing)
}

/// Of more spans the text alternative has the first.
const MAX_SPANS_IN_TEXT: usize = 12;

fn spans(track: &Track) -> String {
    let shown = track.spans.iter().take(MAX_SPANS_IN_TEXT).map(|span| span.text.as_str());
    let shown: Vec<&str> = shown.collect();
    let all = track.of.unwrap_or(track.spans.len() as u64);
    match all.saturating_sub(shown.len() as u64) {
        0 if shown.is_empty() => "none".to_string(),
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn one_track(track: &Track, y: f64, length: Duration) -> Markup {
    let room = WIDTH - LABEL_WIDTH;
    let x = |at: Ms| Duration::from(at).as_secs_f64() / length.as_secs_f64() * room;
    html! {
        text x="0" y=(y + 14.0) { (track.label) }
        @for span in &track.spans {
            rect.(fill(span.tone)) x=(LABEL_WIDTH + x(span.from_ms)) y=(y + 3.0)
                width=((x(span.to_ms) - x(span.from_ms)).max(2.0)) height=(LANE_HEIGHT - 6.0) {
                title { (span.text) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Heartbeats every second interval, and an outage: the line has a gap there and nowhere else.
    #[test]
    fn line_is_broken_where_nothing_was_answered() {
        let point = |index: usize| (index, Ms::from(Duration::from_millis(1)));
        let lines = unbroken([0, 2, 4, 6, 30, 32, 34].map(point).to_vec());
        let indexes: Vec<Vec<usize>> =
            lines.iter().map(|line| line.iter().map(|(index, _)| *index).collect()).collect();
        assert_eq!(indexes, [vec![0, 2, 4, 6], vec![30, 32, 34]]);
        assert!(unbroken(Vec::new()).is_empty());
    }
}
