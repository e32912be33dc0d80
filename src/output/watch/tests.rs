//! What a watch shows, made of the scripted runs of `ping`.

use std::time::{Duration, SystemTime};

use super::fixtures::{events, report, watched};
use super::*;
use crate::commands::watch::hook::HookEvent;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::exit_status::ExitStatus;
use crate::domain::run::reporter::Reporter;
use crate::domain::watch::hook_result::{HookOutcome, HookResult};
use crate::domain::watch::host_event::HostEvent;
use crate::output::envelope::RunOrigin;
use crate::output::finished_run::FinishedRun;
use crate::output::ping::fixtures as ping;
use crate::output::schema::schema;
use crate::output::testing::{PLAIN, SharedBuffer};
use crate::output::{Format, RunOutput};

const NIGHT: Duration = Duration::from_secs(86_398);

fn shown(
    format: Format,
    options: HumanOptions,
    names: GroupNames,
    events: &[WatchEvent],
) -> (String, String) {
    let (out, err) = (SharedBuffer::default(), SharedBuffer::default());
    let presenter = WatchPresenter::new(options, names);
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

#[test]
fn changes_are_lines_with_the_time() {
    let mut all = watched(0, &ping::reconnect());
    all.extend([link_down(), hook_failed()]);
    let (out, err) = shown(Format::Human, PLAIN, vec![None], &all);
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
        let event = |event| WatchEvent::OfGroup { group: 0, event: Event::Connection { id, at, event } };
        [event(ConnEvent::OpenFailed(error)), event(retry)]
    };
    let mut all = watched(0, &ping::unreachable()[..1]);
    (0..50).for_each(|at| all.extend(fails(at)));
    let (out, err) = shown(Format::Human, PLAIN, vec![None], &all);
    assert_eq!(err.matches("error: cannot open").count(), 1, "{err}");
    assert!(!out.contains("reconnecting"), "{out}");
}

#[test]
fn groups_are_named_in_lines_and_in_ndjson() {
    let mut all = watched(0, &ping::reconnect());
    all.extend(watched(1, &ping::dead()));
    let names = || vec![Some("chat".to_string()), Some("feed".to_string())];
    let (out, _) = shown(Format::Human, PLAIN, names(), &all);
    assert!(out.contains(" chat: reconnected after an outage of 1.563 s"), "{out}");
    assert!(out.contains(" feed: status: "), "{out}");
    let (lines, _) = shown(Format::Ndjson, PLAIN, names(), &all);
    assert!(lines.starts_with("{\"group\":\"chat\",\"event\":\"started\""), "{lines}");
    assert!(lines.contains("{\"group\":\"feed\",\"event\":\"heartbeat\""), "{lines}");
}

#[test]
fn every_line_and_document_fits_the_schema() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let file = [("chat", ping::reconnect()), ("feed", ping::dead())];
    let names: GroupNames = file.iter().map(|(name, _)| Some(name.to_string())).collect();
    let mut of_file: Vec<WatchEvent> =
        file.iter().enumerate().flat_map(|(group, (_, events))| watched(group, events)).collect();
    of_file.extend([link_down(), hook_failed(), WatchEvent::Finished(Box::new(report(&file)))]);
    let of_line = events(&ping::reconnect());
    for (names, events) in [(names, of_file), (vec![None], of_line)] {
        let (lines, _) = shown(Format::Ndjson, PLAIN, names, &events);
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
        let presenter = WatchPresenter::new(PLAIN, vec![None]);
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
    let (out, _) = shown(Format::Human, PLAIN, Vec::new(), &[WatchEvent::Finished(Box::new(report(&file)))]);
    insta::assert_snapshot!(out);
}

#[test]
fn commands_get_changes_and_nothing_else() {
    let target = |_: usize, _: usize| "ws://a.example/".to_string();
    let of = |event: &WatchEvent| hook_message(event, &vec![Some("chat".to_string())], target);
    let names: Vec<HookEvent> =
        watched(0, &ping::reconnect()).iter().filter_map(of).map(|(event, _)| event).collect();
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
