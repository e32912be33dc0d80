//! Charts of the HTML page, as SVG. What a chart shows is in its text alternative, too.

use maud::{Markup, html};

use crate::output::time_unit::RTT_UNIT;
use crate::output::view::{Distribution, View};

/// The size of a chart in pixels; it shrinks to the screen.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 180.0;
/// Room for the axis below the bars, and for the count above them.
const AXIS_HEIGHT: f64 = 24.0;

/// Every chart of a run.
pub fn all(view: &View) -> Markup {
    let has_several = view.sections.len() > 1;
    html! {
        @for section in &view.sections {
            @for distribution in &section.distributions {
                (histogram(distribution, has_several.then_some(section.title.as_str())))
            }
        }
    }
}

fn histogram(distribution: &Distribution, target: Option<&str>) -> Markup {
    let Distribution { name, min, max, buckets } = distribution;
    let highest = buckets.iter().map(|(_, count)| *count).max().unwrap_or(0);
    if highest == 0 {
        return html! {};
    }
    let kind = name.as_deref().map(|name| format!("{name} ")).unwrap_or_default();
    let of = target.map(|target| format!(": {target}")).unwrap_or_default();
    let (least, most) = (RTT_UNIT.span(*min), RTT_UNIT.span(*max));
    let text =
        format!("Distribution of the {kind}RTTs from {least} to {most}; at most {highest} in a column");
    let width = WIDTH / buckets.len().max(1) as f64;
    let bar_height = |count: u64| count as f64 / highest as f64 * (HEIGHT - 2.0 * AXIS_HEIGHT);
    let base = HEIGHT - AXIS_HEIGHT;
    html! {
        section {
            h2 { "Distribution of the " (kind) "RTTs" (of) }
            svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } width=(WIDTH) height=(HEIGHT) role="img" aria-label=(text) {
                @for (index, (_, count)) in buckets.iter().enumerate() {
                    rect.bar x=(index as f64 * width + 0.5) y=(base - bar_height(*count))
                        width=((width - 1.0).max(1.0)) height=(bar_height(*count)) {}
                }
                line.axis x1="0" x2=(WIDTH) y1=(base) y2=(base) {}
                text x="0" y="14" { "at most " (highest) " in a column" }
                text x="0" y=(HEIGHT - 6.0) { (least) }
                text x=(WIDTH) y=(HEIGHT - 6.0) text-anchor="end" { (most) }
            }
        }
    }
}
