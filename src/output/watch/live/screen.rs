//! Draws the live view: a row for each target, the chart of the selected one, and what happened.

use std::time::{Duration, SystemTime};

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};

use super::chart::{self, ChartStyle, Glyphs};
use super::target::LiveTarget;
use super::{LiveView, SPANS};
use crate::domain::format;
use crate::domain::label::Label;
use crate::domain::ping::health::Status;
use crate::output::charset;
use crate::output::view::connection;

/// Rows of the chart of the selected target, its scale and title included.
const CHART_HEIGHT: u16 = 8;
/// Rows of the details.
const DETAILS_HEIGHT: u16 = 6;
/// Columns of the scale.
const SCALE_WIDTH: u16 = 9;
/// The least width of the line of RTTs in a row.
const MIN_SPARK: usize = 8;

const HELP: [&str; 12] = [
    "q, Ctrl-C    stop, and print the report",
    "Q            the same; this screen stays above it",
    "up/down, k/j select a target; Home, End",
    "space        pause this view; measuring goes on",
    "r            reset the RTTs and counts of this view",
    "+ -          show less or more time",
    "d            details of the selected target",
    "p            send a heartbeat on every connection now",
    "?            this help; Esc leaves it",
    "",
    "+ in the marks: an extra heartbeat, after a missed one,",
    "             while not healthy, or asked for",
];

/// A column of the table.
struct TargetColumn {
    title: &'static str,
    width: usize,
    /// The least width of the terminal, in columns, at which it is shown.
    from: u16,
    cell: fn(&LiveTarget, SystemTime) -> String,
}

const COLUMNS: [TargetColumn; 9] = [
    TargetColumn { title: "status", width: 8, from: 0, cell: |target, _| target.status.label().to_string() },
    TargetColumn { title: "last ms", width: 8, from: 40, cell: |target, _| ms(target.last) },
    TargetColumn { title: "p50", width: 7, from: 76, cell: |target, _| ms(target.rtt().map(|rtt| rtt.p50)) },
    TargetColumn { title: "p95", width: 7, from: 52, cell: |target, _| ms(target.rtt().map(|rtt| rtt.p95)) },
    TargetColumn { title: "jitter", width: 7, from: 90, cell: |target, _| ms(target.jitter()) },
    TargetColumn {
        title: "no answer",
        width: 10,
        from: 58,
        cell: |target, _| format!("{}/{}", target.counts.unanswered(), target.counts.judged()),
    },
    TargetColumn { title: "open for", width: 9, from: 100, cell: age },
    TargetColumn { title: "outages", width: 8, from: 50, cell: |target, _| target.outages().to_string() },
    TargetColumn { title: "up %", width: 7, from: 110, cell: up },
];

fn ms(span: Option<Duration>) -> String {
    span.map_or_else(|| "-".to_string(), |span| format::significant(span.as_secs_f64() * 1e3))
}

fn age(target: &LiveTarget, now: SystemTime) -> String {
    let age = target.open_since.and_then(|since| now.duration_since(since).ok());
    age.map_or_else(|| "closed".to_string(), |age| format::duration(Duration::from_secs(age.as_secs())))
}

fn up(target: &LiveTarget, now: SystemTime) -> String {
    target.availability(now).map_or_else(|| "-".to_string(), |part| format!("{:.3}", part * 100.0))
}

/// Draws the view as it is at `now`.
pub fn draw(frame: &mut Frame<'_>, view: &LiveView, now: SystemTime) {
    let now = view.frozen_at.unwrap_or(now);
    let area = frame.area();
    let targets = u16::try_from(view.targets.len()).unwrap_or(u16::MAX);
    let rest = area.height.saturating_sub(2);
    let below = if view.has_details { CHART_HEIGHT + DETAILS_HEIGHT } else { CHART_HEIGHT };
    let table = targets.min(rest.saturating_sub(below + 3).max(rest.min(3)));
    let [head, titles, rows, chart, details, log] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(table),
        Constraint::Length(CHART_HEIGHT.min(rest.saturating_sub(table))),
        Constraint::Length(if view.has_details { DETAILS_HEIGHT } else { 0 }),
        Constraint::Min(0),
    ])
    .areas(area);
    let screen = Screen { view, now, glyphs: Glyphs::of(view.is_ascii) };
    screen.head(frame, head);
    screen.table(frame, titles, rows);
    if let Some(target) = view.selected() {
        screen.chart(frame, chart, target);
        screen.details(frame, details, target);
    }
    screen.log(frame, log);
    if view.has_help {
        screen.help(frame, area);
    }
}

struct Screen<'a> {
    view: &'a LiveView,
    now: SystemTime,
    glyphs: Glyphs,
}

impl Screen<'_> {
    /// A style, if there is colour.
    fn colour(&self, colour: Color) -> Style {
        if self.view.options.color { Style::new().fg(colour) } else { Style::new() }
    }

    fn of_status(&self, status: Status) -> Style {
        match status {
            Status::Healthy => self.colour(Color::Green),
            Status::Unknown => Style::new(),
            Status::Degraded | Status::Poor => self.colour(Color::Yellow),
            Status::Critical | Status::Timeout | Status::Dead => self.colour(Color::Red),
        }
    }

    fn faint(&self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// Text that the terminal's charset has.
    fn text(&self, text: &str) -> String {
        if self.view.is_ascii { charset::to_ascii(text).into_owned() } else { text.to_string() }
    }

    fn head(&self, frame: &mut Frame<'_>, area: Rect) {
        let view = self.view;
        let healthy = view.targets.values().filter(|target| target.status == Status::Healthy).count();
        let since = view.started_at.and_then(|at| self.now.duration_since(at).ok()).unwrap_or_default();
        let since = format::duration(Duration::from_secs(since.as_secs()));
        let frozen = if view.frozen_at.is_some() { ", paused" } else { "" };
        let left = format!("wscheck watch: {healthy} of {} healthy, {since}{frozen}", view.targets.len());
        let right = "q quit  ? help";
        let gap = usize::from(area.width).saturating_sub(left.chars().count() + right.len());
        let line = if gap > 1 { format!("{left}{}{right}", " ".repeat(gap)) } else { left };
        frame.render_widget(Paragraph::new(line).style(Style::new().add_modifier(Modifier::BOLD)), area);
    }

    /// The columns that there is room for, the width of the names, and that of the line of RTTs.
    fn layout(&self, width: u16) -> (Vec<&'static TargetColumn>, usize, usize) {
        let columns: Vec<&TargetColumn> = COLUMNS.iter().filter(|column| width >= column.from).collect();
        let taken: usize = columns.iter().map(|column| column.width + 1).sum::<usize>() + 2;
        let free = usize::from(width).saturating_sub(taken);
        let longest = self.view.targets.values().map(|target| target.name.chars().count()).max().unwrap_or(0);
        let name = longest.max(6).min(free);
        let spark = free.saturating_sub(name + 1);
        (columns, name, if spark < MIN_SPARK { 0 } else { spark })
    }

    fn table(&self, frame: &mut Frame<'_>, titles: Rect, rows: Rect) {
        let (columns, name, spark) = self.layout(titles.width);
        let mut head = format!("  {:<name$}", "target");
        for column in &columns {
            head += &format!(" {:>width$}", column.title, width = column.width);
        }
        if spark > 0 {
            head += &format!(" RTTs of {}", format::duration(self.view.span()));
        }
        frame.render_widget(Paragraph::new(head).style(self.faint()), titles);
        let height = usize::from(rows.height);
        let first = (self.view.selected + 1).saturating_sub(height);
        let shown = self.view.targets.values().enumerate().skip(first).take(height);
        let lines: Vec<Line> =
            shown.map(|(index, target)| self.row(index, target, (&columns, name, spark))).collect();
        frame.render_widget(Paragraph::new(lines), rows);
    }

    fn row(
        &self,
        index: usize,
        target: &LiveTarget,
        (columns, name, spark): (&[&TargetColumn], usize, usize),
    ) -> Line<'static> {
        let is_selected = index == self.view.selected;
        let sign = if is_selected { self.glyphs.selected } else { ' ' };
        let style = if is_selected { Style::new().add_modifier(Modifier::BOLD) } else { Style::new() };
        let shown = shortened(&self.text(&target.name), name, self.view.is_ascii);
        let mut spans = vec![Span::styled(format!("{sign} {shown:<name$}"), style)];
        for column in columns {
            let text = format!(" {:>width$}", (column.cell)(target, self.now), width = column.width);
            let style = if column.title == "status" { self.of_status(target.status) } else { Style::new() };
            spans.push(Span::styled(text, style));
        }
        if spark > 0 {
            let columns = chart::columns(&target.beats, self.now, self.view.span(), spark - 1);
            spans.push(Span::raw(format!(" {}", chart::spark(&columns, self.glyphs))));
        }
        Line::from(spans)
    }

    fn chart(&self, frame: &mut Frame<'_>, area: Rect, target: &LiveTarget) {
        let [title, body, marks] =
            Layout::vertical([Constraint::Length(1), Constraint::Min(0), Constraint::Length(1)]).areas(area);
        let [scale, plot] =
            Layout::horizontal([Constraint::Length(SCALE_WIDTH), Constraint::Min(0)]).areas(body);
        let span = format::duration(self.view.span());
        let zoom = if self.view.span + 1 < SPANS.len() { "" } else { " (the most)" };
        let text = self.text(&format!("RTT of {}, the last {span}{zoom}", target.name));
        frame.render_widget(Paragraph::new(text).style(self.faint()), title);
        let columns = chart::columns(&target.beats, self.now, self.view.span(), usize::from(plot.width));
        if let Some(most) = chart::longest(&columns) {
            frame.render_widget(Paragraph::new(format!("{most:>8}")), scale);
        }
        let style = ChartStyle {
            glyphs: self.glyphs,
            bars: self.colour(Color::Cyan),
            late: self.colour(Color::Yellow),
            missed: self.colour(Color::Red),
        };
        chart::draw_columns(plot, frame.buffer_mut(), &columns, &style);
        self.marks(frame, marks, target);
    }

    /// The latest heartbeats, one mark each.
    fn marks(&self, frame: &mut Frame<'_>, area: Rect, target: &LiveTarget) {
        let room = usize::from(area.width.saturating_sub(SCALE_WIDTH));
        let upto: Vec<_> = target.beats.iter().filter(|beat| beat.at <= self.now).collect();
        let marks: String =
            upto.iter().skip(upto.len().saturating_sub(room)).map(|beat| self.glyphs.mark(beat)).collect();
        frame.render_widget(Paragraph::new(format!("{:<9}{marks}", "each")), area);
    }

    fn details(&self, frame: &mut Frame<'_>, area: Rect, target: &LiveTarget) {
        let mut lines = vec![
            format!("url       {}", target.url),
            format!("status    {}: {}", target.status.label(), target.reason),
        ];
        if let Some(opened) = &target.opened {
            let address = connection::peer_address(opened).unwrap_or_else(|| "-".to_string());
            lines.push(format!("address   {address}"));
            lines.push(format!("opened in {}", connection::phases(&opened.phases)));
        }
        let counts = &target.counts;
        lines.push(format!(
            "sent      {}: {} ok, {} late, {} superseded, {} missed; {} extra",
            counts.sent(),
            counts.ok,
            counts.late,
            counts.superseded,
            counts.missed,
            counts.extra
        ));
        let lines: Vec<Line> = lines.iter().map(|line| Line::from(self.text(line))).collect();
        frame.render_widget(Paragraph::new(lines), area);
    }

    /// The latest lines of what happened.
    fn log(&self, frame: &mut Frame<'_>, area: Rect) {
        let room = usize::from(area.height);
        let lines = &self.view.lines;
        let shown = lines.iter().skip(lines.len().saturating_sub(room));
        let lines: Vec<Line> = shown.map(|line| Line::from(self.text(line))).collect();
        frame.render_widget(Paragraph::new(lines), area);
    }

    fn help(&self, frame: &mut Frame<'_>, area: Rect) {
        let width = HELP.iter().map(|line| line.len()).max().unwrap_or(0) as u16 + 4;
        let height = HELP.len() as u16 + 2;
        let (width, height) = (width.min(area.width), height.min(area.height));
        let place = Rect {
            x: area.x + (area.width - width) / 2,
            y: area.y + (area.height - height) / 2,
            width,
            height,
        };
        let lines: Vec<Line> = HELP.iter().map(|line| Line::from(format!(" {line}"))).collect();
        frame.render_widget(Clear, place);
        let block = Block::bordered().title(" keys ");
        let block = if self.view.is_ascii {
            block.border_set(ratatui::symbols::border::Set {
                top_left: "+",
                top_right: "+",
                bottom_left: "+",
                bottom_right: "+",
                vertical_left: "|",
                vertical_right: "|",
                horizontal_top: "-",
                horizontal_bottom: "-",
            })
        } else {
            block
        };
        frame.render_widget(Paragraph::new(lines).block(block), place);
    }
}

/// The text shortened to this width; its middle is left out, because URLs often differ at their ends.
fn shortened(text: &str, width: usize, is_ascii: bool) -> String {
    let length = text.chars().count();
    if length <= width {
        return text.to_string();
    }
    let sign = if is_ascii { '.' } else { '…' };
    let kept = width.saturating_sub(1);
    let (head, tail) = (kept / 2, kept - kept / 2);
    text.chars().take(head).chain([sign]).chain(text.chars().skip(length - tail)).take(width).collect()
}
