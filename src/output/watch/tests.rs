//! What a watch shows, made of the scripted runs of `ping`.

use std::time::{Duration, SystemTime};

use super::fixtures::{events, group, report, report_in, watched, watched_as};
use super::*;
use crate::commands::watch::hook::HookEvent;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::exit_status::ExitStatus;
use crate::domain::run::reporter::Reporter;
use crate::domain::watch::group::ConfigChange;
use crate::domain::watch::hook_result::{HookOutcome, HookResult};
use crate::domain::watch::host_event::HostEvent;
use crate::output::envelope::RunOrigin;
use crate::output::finished_run::FinishedRun;
use crate::output::ping::fixtures as ping;
use crate::output::schema::schema;
use crate::output::testing::{PLAIN, SharedBuffer};
use crate::output::{Format, RunOutput};

const NIGHT: Duration = Duration::from_secs(86_398);

fn shown(format: Format, options: HumanOptions, events: &[WatchEvent]) -> (String, String) {
    let (out, err) = (SharedBuffer::default(), SharedBuffer::default());
    let presenter = WatchPresenter::new(options);
    let origin = RunOrigin::default();
    let mut output = RunOutput::new(presenter, format, origin, options, out.writer(), err.writer());
    events.iter().for_each(|event| output.report(event));
    (out.text(), err.text())
}

fn link_down() -> WatchEvent {
    let event = HostEvent::LinkDown { interface: UntrustedText::new("eth0") };
    WatchEvent::Host { at: SystemTime::UNIX_EPOCH + NIGHT, event }
}

fn hook_failed() -> WatchEvent {
    let result = HookResult {
        command: "page me".to_string(),
        event: "closed".to_string(),
        target: "ws://a.example/".to_string(),
        outcome: HookOutcome::Failed(ExitStatus::Code(3)),
        elapsed: Duration::from_millis(20),
    };
    WatchEvent::Hook { at: SystemTime::UNIX_EPOCH + NIGHT, result }
}

/// Readings of the configuration, and what they lead to.
fn reloads() -> [WatchEvent; 3] {
    let at = SystemTime::UNIX_EPOCH + NIGHT;
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    let (added, removed) = (names(&["news"]), names(&["feed"]));
    [
        WatchEvent::Reloaded(ConfigChange { at, added, removed, unchanged: 1 }),
        WatchEvent::Removed { group: group(1, Some("feed")), at },
        WatchEvent::NotReloaded { at, why: "a.toml:3: no url".to_string() },
    ]
}

#[test]
fn readings_of_the_configuration_are_lines() {
    let (out, err) = shown(Format::Human, PLAIN, &reloads());
    let line = "23:59:58 configuration reloaded: added: news; removed: feed; 1 target unchanged\n";
    assert_eq!(out, format!("1970-01-01 (UTC)\n{line}"));
    let failed = "the configuration was not reloaded, and the old one stays in force: a.toml:3: no url";
    assert_eq!(err, format!("23:59:58 {failed}\n"));
    let quiet = HumanOptions { quiet: true, ..PLAIN };
    assert_eq!(shown(Format::Human, quiet, &reloads()), (String::new(), format!("23:59:58 {failed}\n")));
}

#[test]
fn removed_targets_are_shown_and_not_judged() {
    let mut report = report(&[("chat", ping::healthy())]);
    let before = report.result();
    let feed = GroupReport { name: Some("feed".to_string()), report: report_in(&ping::dead()) };
    (0..150).for_each(|_| report.removed.record(SystemTime::UNIX_EPOCH + NIGHT, feed.clone()));
    assert_eq!(report.result(), before);
    let (out, _) = shown(Format::Human, PLAIN, &[WatchEvent::Finished(Box::new(report))]);
    assert!(out.contains("removed at (UTC)     target  answer until then"), "{out}");
    assert_eq!(out.matches("1970-01-01 23:59:58  feed").count(), 20, "{out}");
    assert!(out.contains("130 before these"), "{out}");
}

#[test]
fn log_of_a_target_that_was_replaced_has_both() {
    let chat = group(0, Some("chat"));
    let mut all = watched_as(&chat, &ping::healthy());
    all.push(WatchEvent::Removed { group: chat, at: SystemTime::UNIX_EPOCH + NIGHT });
    all.extend(watched_as(&group(1, Some("chat")), &ping::healthy()));
    let (lines, _) = shown(Format::Ndjson, PLAIN, &all);
    let groups = crate::output::ping::replay_groups(&lines).unwrap().unwrap();
    let removed: Vec<bool> = groups.iter().map(|group| group.removed_at.is_some()).collect();
    assert_eq!(removed, [true, false]);
    let counts: Vec<u64> = groups.iter().map(|group| group.report.connections().count() as u64).collect();
    assert_eq!(counts, [1, 1]);
    let mut head = crate::output::log_head::LogHead::default();
    lines.lines().for_each(|line| head.observe(line));
    let opened = head.lines(SystemTime::UNIX_EPOCH);
    assert_eq!(opened.iter().filter(|line| line.contains("\"started\"")).count(), 1);
}

#[test]
fn changes_are_lines_with_the_time() {
    let mut all = watched(&ping::reconnect());
    all.extend([link_down(), hook_failed()]);
    let (out, err) = shown(Format::Human, PLAIN, &all);
    insta::assert_snapshot!(out);
    assert_eq!(err, "23:59:58 --on-change: 'page me' exited with status 3 for the event closed\n");
}

#[test]
fn repeated_failures_are_said_once() {
    let fails = |at: u64| {
        let events = ping::unreachable();
        let failed = events.iter().find_map(|event| match event {
            Event::Connection { id, event: ConnEvent::OpenFailed(error), .. } => Some((*id, error.clone())),
            _ => None,
        });
        let (id, error) = failed.unwrap();
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(at);
        let retry =
            ConnEvent::Retry { attempt: at.elapsed().map_or(1, |_| 2), after: Duration::from_secs(1) };
        let event =
            |event| WatchEvent::OfGroup { group: group(0, None), event: Event::Connection { id, at, event } };
        [event(ConnEvent::OpenFailed(error)), event(retry)]
    };
    let mut all = watched(&ping::unreachable()[..1]);
    (0..50).for_each(|at| all.extend(fails(at)));
    let (out, err) = shown(Format::Human, PLAIN, &all);
    assert_eq!(err.matches("error: cannot open").count(), 1, "{err}");
    assert!(!out.contains("reconnecting"), "{out}");
}

/// The events of two groups of a file.
fn chat_and_feed() -> Vec<WatchEvent> {
    let chat = watched_as(&group(0, Some("chat")), &ping::reconnect());
    [chat, watched_as(&group(1, Some("feed")), &ping::dead())].concat()
}

#[test]
fn groups_are_named_in_lines_and_in_ndjson() {
    let all = chat_and_feed();
    let (out, _) = shown(Format::Human, PLAIN, &all);
    assert!(out.contains(" chat: reconnected after 1.563 s without a connection"), "{out}");
    assert!(out.contains(" feed: status: "), "{out}");
    let (lines, _) = shown(Format::Ndjson, PLAIN, &all);
    assert!(lines.starts_with("{\"group\":\"chat\",\"event\":\"started\""), "{lines}");
    assert!(lines.contains("{\"group\":\"feed\",\"event\":\"heartbeat\""), "{lines}");
}

#[test]
fn every_line_and_document_fits_the_schema() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let file = [("chat", ping::reconnect()), ("feed", ping::dead())];
    let mut of_file = chat_and_feed();
    of_file.extend([link_down(), hook_failed()]);
    of_file.extend(reloads());
    let mut report = report(&file);
    report.removed.record(SystemTime::UNIX_EPOCH, report.groups[0].clone());
    of_file.push(WatchEvent::Finished(Box::new(report)));
    for events in [of_file, events(&ping::reconnect())] {
        let (lines, _) = shown(Format::Ndjson, PLAIN, &events);
        for line in lines.lines() {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{line}: {errors:?}");
        }
    }
}

#[test]
fn archived_watch_reads_as_it_was() {
    let file = [("chat", ping::reconnect()), ("feed", ping::dead())];
    for report in [report(&file), crate::output::watch::fixtures::report_of_line(&ping::reconnect())] {
        let presenter = WatchPresenter::new(PLAIN);
        let run =
            FinishedRun::new(RunOrigin::default(), presenter.view(&report), presenter.document(&report));
        let text = serde_json::to_string(&run.document).unwrap();
        let read = crate::output::archive::read(&text).unwrap();
        assert_eq!(read.render(Format::Human, PLAIN), run.render(Format::Human, PLAIN));
    }
}

#[test]
fn report_of_a_file_names_its_groups() {
    let file = [("chat", ping::reconnect()), ("feed", ping::dead())];
    let (out, _) = shown(Format::Human, PLAIN, &[WatchEvent::Finished(Box::new(report(&file)))]);
    insta::assert_snapshot!(out);
}

#[test]
fn commands_get_changes_and_nothing_else() {
    let mut messages = HookMessages::default();
    let mut of = |event: &WatchEvent| messages.message(event);
    let names: Vec<HookEvent> =
        watched(&ping::reconnect()).iter().filter_map(&mut of).map(|(event, _)| event).collect();
    assert!(names.iter().all(|event| event.target == "ws://a.example/"), "{names:?}");
    let names: Vec<&str> = names.iter().map(|event| event.name.as_str()).collect();
    let expected = ["opened", "closed", "status", "reconnecting", "opened", "reconnected", "status"];
    assert_eq!(names, expected);
    let (event, document) = of(&link_down()).unwrap();
    assert_eq!((event.name.as_str(), event.target.as_str()), ("host_changed", ""));
    assert!(document(0).starts_with("{\"event\":\"host_changed\""));
    let (_, document) = of(&link_down()).unwrap();
    let value: serde_json::Value = serde_json::from_str(&document(7)).unwrap();
    assert_eq!((value["dropped_before"].as_u64(), value["change"].as_str()), (Some(7), Some("link_down")));
}

#[test]
fn figures_so_far_are_one_line() {
    let file = [("chat", ping::reconnect()), ("feed", ping::dead())];
    assert_eq!(log::interim_line(&report(&file)), "watching for 90 s: chat healthy, feed dead\n");
}

#[test]
fn watch_that_never_connected_has_a_report() {
    let (out, err) = shown(Format::Human, PLAIN, &events(&ping::unreachable()));
    assert!(err.contains("error: cannot open"), "{err}");
    assert!(out.contains("\nanswer       ") && out.contains("\nverdict      unreachable"), "{out}");
}
