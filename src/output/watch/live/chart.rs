//! RTTs over time as columns, heartbeats as a row of marks, and a small line of RTTs.

use std::time::{Duration, SystemTime};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::target::ShownBeat;
use crate::domain::format;
use crate::domain::heartbeat::HeartbeatOutcome;

/// The marks and bars of a charset.
#[derive(Debug, Clone, Copy)]
pub struct Glyphs {
    /// Parts of a cell from the bottom, the lowest first.
    pub bars: &'static [char],
    /// A column of a late answer.
    pub late_bar: char,
    pub ok: char,
    pub late: char,
    pub missed: char,
    pub unsent: char,
    pub extra: char,
    pub selected: char,
}

const UNICODE: Glyphs = Glyphs {
    bars: &['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
    late_bar: '░',
    ok: '●',
    late: '○',
    missed: '×',
    unsent: '-',
    extra: '+',
    selected: '▶',
};
const ASCII: Glyphs = Glyphs {
    bars: &['.', ':', '|'],
    late_bar: '%',
    ok: 'o',
    late: 'l',
    missed: 'x',
    unsent: '-',
    extra: '+',
    selected: '>',
};

impl Glyphs {
    pub fn of(is_ascii: bool) -> Glyphs {
        if is_ascii { ASCII } else { UNICODE }
    }

    /// The mark of a heartbeat.
    pub fn mark(&self, beat: &ShownBeat) -> char {
        match beat.outcome {
            HeartbeatOutcome::Ok if beat.is_extra => self.extra,
            HeartbeatOutcome::Ok => self.ok,
            HeartbeatOutcome::Late | HeartbeatOutcome::Superseded => self.late,
            HeartbeatOutcome::Missed => self.missed,
            HeartbeatOutcome::Unsent => self.unsent,
        }
    }
}

/// What happened in one column of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChartColumn {
    /// The longest RTT.
    pub rtt: Option<Duration>,
    pub has_late: bool,
    pub has_missed: bool,
}

/// The heartbeats of the span before `now`, by column; the last column ends now. One is placed where it was judged.
pub fn columns<'a>(
    beats: impl IntoIterator<Item = &'a ShownBeat>,
    now: SystemTime,
    span: Duration,
    width: usize,
) -> Vec<ChartColumn> {
    let mut columns = vec![ChartColumn::default(); width];
    for beat in beats {
        let Ok(age) = now.duration_since(beat.at) else { continue };
        let from_end = (age.as_secs_f64() / span.as_secs_f64() * width as f64) as usize;
        let Some(column) = width.checked_sub(from_end + 1).and_then(|index| columns.get_mut(index)) else {
            continue;
        };
        column.rtt = column.rtt.max(beat.rtt);
        column.has_late |= beat.outcome == HeartbeatOutcome::Late;
        column.has_missed |= beat.outcome == HeartbeatOutcome::Missed;
    }
    columns
}

/// A line of one cell a column, in parts of the longest RTT.
pub fn spark(columns: &[ChartColumn], glyphs: Glyphs) -> String {
    let most = columns.iter().filter_map(|column| column.rtt).max().unwrap_or_default();
    let cell = |column: &ChartColumn| match column.rtt {
        _ if column.has_missed => glyphs.missed,
        Some(rtt) => bar(glyphs, part(rtt, most)),
        None => ' ',
    };
    columns.iter().map(cell).collect()
}

fn part(rtt: Duration, most: Duration) -> f64 {
    if most.is_zero() { 0.0 } else { rtt.as_secs_f64() / most.as_secs_f64() }
}

/// The bar that fills this part of a cell; the lowest for anything above nothing.
fn bar(glyphs: Glyphs, part: f64) -> char {
    let steps = glyphs.bars.len();
    let step = ((part * steps as f64).ceil() as usize).clamp(1, steps);
    glyphs.bars.get(step - 1).copied().unwrap_or(' ')
}

/// How a chart is drawn.
pub struct ChartStyle {
    pub glyphs: Glyphs,
    pub bars: Style,
    pub late: Style,
    pub missed: Style,
}

/// Draws the columns above a line of what was missed, with a scale at the left; returns where the columns are.
pub fn draw_columns(area: Rect, buffer: &mut Buffer, columns: &[ChartColumn], style: &ChartStyle) {
    let most = columns.iter().filter_map(|column| column.rtt).max().unwrap_or_default();
    let height = usize::from(area.height.saturating_sub(1));
    for (index, column) in columns.iter().enumerate() {
        let x = area.x + index as u16;
        if x >= area.right() {
            break;
        }
        if let Some(rtt) = column.rtt {
            let filled = part(rtt, most) * height as f64;
            for row in 0..height {
                let in_row = (filled - row as f64).clamp(0.0, 1.0);
                if in_row <= 0.0 && row > 0 {
                    break;
                }
                let glyph = if column.has_late { style.glyphs.late_bar } else { bar(style.glyphs, in_row) };
                let colour = if column.has_late { style.late } else { style.bars };
                put(buffer, x, area.y + (height - 1 - row) as u16, glyph, colour);
            }
        }
        if column.has_missed && area.height > 0 {
            put(buffer, x, area.bottom() - 1, style.glyphs.missed, style.missed);
        }
    }
}

/// The longest RTT of the columns, for the scale.
pub fn longest(columns: &[ChartColumn]) -> Option<String> {
    columns.iter().filter_map(|column| column.rtt).max().map(format::rtt)
}

fn put(buffer: &mut Buffer, x: u16, y: u16, glyph: char, style: Style) {
    if let Some(cell) = buffer.cell_mut((x, y)) {
        cell.set_char(glyph).set_style(style);
    }
}
