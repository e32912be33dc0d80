//! The screens of scripted watches, exactly; and what keys do.

use std::time::{Duration, SystemTime};

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::{Color, Modifier};

use super::*;
use crate::domain::heartbeat::{HeartbeatKind, HeartbeatOutcome};
use crate::domain::ping::event::{ConnEvent, HeartbeatResult};
use crate::domain::ping::health::Status;
use crate::output::ping::fixtures as ping;
use crate::output::testing::{PLAIN, assert_is_picture};
use crate::output::watch::fixtures::{group, watched, watched_as};

fn at(millis: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
}

fn view_of(events: &[Event], connections: usize) -> LiveView {
    let mut view = LiveView::new(PLAIN, connections, false);
    watched(events).iter().for_each(|event| view.observe(event));
    view
}

/// The first connection.
fn only(view: &mut LiveView) -> &mut LiveTarget {
    view.targets.values_mut().next().unwrap()
}

/// The start of the scripted runs.
fn start(view: &LiveView) -> SystemTime {
    view.started_at.unwrap_or(SystemTime::UNIX_EPOCH)
}

/// The screen of a terminal of this size, six seconds after the start.
fn screen(view: &LiveView, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let now = start(view) + Duration::from_secs(6);
    terminal.draw(|frame| draw(frame, view, now)).unwrap();
    let buffer = terminal.backend().buffer().clone();
    let lines = buffer.content().chunks(usize::from(width));
    let text = lines.map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>());
    text.map(|line| line.trim_end().to_string() + "\n").collect()
}

#[test]
fn screens_of_60_80_and_200_columns() {
    let mut view = view_of(&ping::several(), 6);
    view.press(LiveKey::Down, at(0));
    view.press(LiveKey::ZoomIn, at(0));
    view.press(LiveKey::ZoomIn, at(0));
    for width in [60, 80, 200] {
        insta::assert_snapshot!(format!("several_at_{width}"), screen(&view, width, 30));
    }
}

#[test]
fn screen_of_one_target_with_its_details() {
    let mut view = view_of(&ping::reconnect(), 1);
    view.press(LiveKey::Details, at(0));
    view.press(LiveKey::ZoomIn, at(0));
    view.press(LiveKey::ZoomIn, at(0));
    insta::assert_snapshot!(screen(&view, 100, 28));
}

#[test]
fn screen_in_ascii_has_nothing_else() {
    let mut view = LiveView::new(PLAIN, 1, true);
    watched(&ping::late()).iter().for_each(|event| view.observe(event));
    view.press(LiveKey::Help, at(0));
    let text = screen(&view, 80, 24);
    assert!(text.is_ascii(), "{text}");
    assert!(text.contains("+ keys -"), "{text}");
}

#[test]
fn no_size_is_too_small() {
    let mut view = view_of(&ping::several(), 6);
    view.press(LiveKey::Details, at(0));
    view.press(LiveKey::Help, at(0));
    for (width, height) in [(1, 1), (2, 3), (10, 2), (20, 4), (59, 9), (500, 200)] {
        screen(&view, width, height);
    }
    screen(&view_of(&[], 0), 80, 24);
}

#[test]
fn only_colour_depends_on_colour() {
    let plain = view_of(&ping::several(), 6);
    let mut coloured = LiveView::new(HumanOptions { color: true, ..PLAIN }, 6, false);
    watched(&ping::several()).iter().for_each(|event| coloured.observe(event));
    assert_eq!(screen(&plain, 90, 24), screen(&coloured, 90, 24));
}

#[test]
fn frozen_view_follows_and_shows_nothing_newer() {
    let events = ping::reconnect();
    let mut view = view_of(&events[..6], 1);
    let frozen_at = start(&view) + Duration::from_millis(1400);
    view.press(LiveKey::Freeze, frozen_at);
    watched(&events[6..]).iter().for_each(|event| view.observe(event));
    assert!(view.is_frozen());
    let text = screen(&view, 80, 24);
    assert!(text.contains("paused"), "{text}");
    view.press(LiveKey::Freeze, frozen_at);
    assert!(!screen(&view, 80, 24).contains("paused"));
}

fn beat(seq: u64, outcome: HeartbeatOutcome, was: Option<HeartbeatOutcome>, rtt: Option<u64>) -> ConnEvent {
    ConnEvent::Heartbeat(HeartbeatResult {
        kind: HeartbeatKind::Protocol,
        seq,
        outcome,
        was,
        rtt: rtt.map(Duration::from_millis),
        lag: None,
        to_wire: None,
        from_wire: None,
        acked: None,
        later_answered: false,
        exhausted_window: None,
        sent_again: None,
        rivals: 0,
    })
}

#[test]
fn late_answer_revises_the_heartbeat_that_was_shown() {
    let mut view = view_of(&ping::healthy()[..1], 1);
    let target = only(&mut view);
    target.observe(at(1000), &beat(0, HeartbeatOutcome::Missed, None, None));
    target.observe(at(2000), &beat(0, HeartbeatOutcome::Late, Some(HeartbeatOutcome::Missed), Some(1900)));
    assert_eq!(target.beats.len(), 1);
    assert_eq!(target.beats[0].outcome, HeartbeatOutcome::Late);
    assert_eq!((target.counts.late, target.counts.missed), (1, 0));
}

#[test]
fn reset_begins_the_figures_anew_and_keeps_the_outages() {
    let mut view = view_of(&ping::reconnect(), 1);
    assert_eq!((only(&mut view).counts.ok, only(&mut view).outages()), (3, 1));
    view.press(LiveKey::Reset, at(0));
    assert_eq!((only(&mut view).counts.ok, only(&mut view).outages()), (0, 1));
    assert_eq!(only(&mut view).rtt(), None);
}

#[test]
fn memory_does_not_grow_with_time() {
    let mut view = view_of(&ping::healthy()[..1], 1);
    for seq in 0..100_000 {
        only(&mut view).observe(at(seq), &beat(seq, HeartbeatOutcome::Ok, None, Some(1)));
        view.add_line(String::new());
    }
    assert_eq!((only(&mut view).beats.len(), view.lines.len()), (MAX_BEATS_EACH, MAX_LINES));
}

#[test]
fn selection_and_zoom_stay_in_range() {
    let mut view = view_of(&ping::several(), 6);
    for key in [LiveKey::Up, LiveKey::ZoomIn] {
        (0..20).for_each(|_| view.press(key, at(0)));
    }
    assert_eq!((view.selected, view.span()), (0, SPANS[0]));
    for key in [LiveKey::Down, LiveKey::ZoomOut] {
        (0..20).for_each(|_| view.press(key, at(0)));
    }
    assert_eq!((view.selected, view.span()), (5, SPANS[SPANS.len() - 1]));
}

#[test]
fn target_that_is_removed_has_no_row() {
    let mut view = LiveView::new(PLAIN, 2, false);
    let (chat, feed) = (group(0, Some("chat")), group(1, Some("feed")));
    for group in [&chat, &feed] {
        watched_as(group, &ping::healthy()).iter().for_each(|event| view.observe(event));
    }
    view.press(LiveKey::Last, at(0));
    view.observe(&WatchEvent::Removed { group: feed, at: at(0) });
    let names: Vec<&str> = view.targets.values().map(|target| target.name.as_str()).collect();
    assert_eq!((names, view.selected), (vec!["chat"], 0));
    view.observe(&WatchEvent::Removed { group: chat, at: at(0) });
    assert_eq!(view.selected, 0);
    screen(&view, 80, 24);
}

#[test]
fn target_that_never_opened_is_unknown() {
    let mut view = view_of(&ping::unreachable(), 1);
    let target = only(&mut view);
    assert_eq!(target.status, Status::Unknown);
    assert_eq!(target.reason, "TCP: no address answered");
}

/// The cells as a terminal gets them: colours and weights by escape sequences.
fn escaped(buffer: &ratatui::buffer::Buffer) -> String {
    let mut text = String::new();
    for row in buffer.content().chunks(usize::from(buffer.area.width)) {
        for cell in row {
            let mut style = anstyle::Style::new();
            style = style.fg_color(ansi_colour(cell.fg).map(Into::into));
            if cell.modifier.contains(Modifier::BOLD) {
                style = style.bold();
            }
            if cell.modifier.contains(Modifier::DIM) {
                style = style.dimmed();
            }
            text += &format!("{style}{}{style:#}", cell.symbol());
        }
        text.push('\n');
    }
    text
}

fn ansi_colour(colour: Color) -> Option<anstyle::AnsiColor> {
    Some(match colour {
        Color::Red => anstyle::AnsiColor::Red,
        Color::Green => anstyle::AnsiColor::Green,
        Color::Yellow => anstyle::AnsiColor::Yellow,
        Color::Cyan => anstyle::AnsiColor::Cyan,
        _ => return None,
    })
}

#[test]
fn picture_in_docs_is_fresh() {
    let coloured = HumanOptions { color: true, ..PLAIN };
    let mut view = LiveView::new(coloured, 2, false);
    let runs = [("chat", ping::reconnect()), ("feed", ping::late())];
    for (id, (name, events)) in (0..).zip(&runs) {
        watched_as(&group(id, Some(name)), events).iter().for_each(|event| view.observe(event));
    }
    view.press(LiveKey::ZoomIn, at(0));
    view.press(LiveKey::ZoomIn, at(0));
    let mut terminal = Terminal::new(TestBackend::new(100, 24)).unwrap();
    let now = start(&view) + Duration::from_secs(6);
    terminal.draw(|frame| draw(frame, &view, now)).unwrap();
    let shown = escaped(terminal.backend().buffer());
    assert_is_picture("watch", "wscheck watch --config wscheck.toml", &shown);
}
