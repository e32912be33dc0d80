//! Each format of each command, and hostile text in every format.

use std::time::Duration;

use proptest::prelude::*;
use strum::IntoEnumIterator;

use super::github::{data, defused, property};
use super::{RenderedRun, nagios};
use crate::commands::serve::ServeRunEvent;
use crate::domain::label::Label;
use crate::output::archive;
use crate::output::client_test::{self, ClientTestPresenter};
use crate::output::doctor::{self, DoctorPresenter};
use crate::output::json::WSCHECK_VERSION;
use crate::output::output_format::{Format, ReportFormat};
use crate::output::presenter::Presenter;
use crate::output::serve::{self, ServePresenter};
use crate::output::testing::{PLAIN, named, show};
use crate::output::{checks, envelope::RunOrigin, idle, listen, ping, zombie};

/// What a format prints of one run of each command.
fn of_each_command(format: Format) -> Vec<(&'static str, String)> {
    let ping = |events: &[_]| ping::fixtures::show(format, PLAIN, events).0;
    let of_ping = |name: &str| ping(&named(ping::fixtures::all(), name));
    let idle = named(idle::fixtures::all(), "visible");
    let listen = named(listen::fixtures::all(), "pings");
    let zombie = named(zombie::fixtures::all(), "reaped");
    let of_doctor = |name: &str| {
        show(DoctorPresenter::new(PLAIN), format, PLAIN, &named(doctor::fixtures::all(), name)).0
    };
    vec![
        ("ping.healthy", of_ping("healthy")),
        ("ping.several", of_ping("several")),
        ("ping.unreachable", of_ping("unreachable")),
        ("ping.hostile", of_ping("hostile")),
        ("ping.reconnect", of_ping("reconnect")),
        ("probe-idle", idle::fixtures::show(format, PLAIN, &idle).0),
        ("listen", listen::fixtures::show(format, PLAIN, &listen).0),
        ("run", checks::fixtures::show(format, PLAIN).0),
        ("serve", show(ServePresenter::new(PLAIN), format, PLAIN, &serve::fixtures::run()).0),
        (
            "test-client",
            show(ClientTestPresenter::new(PLAIN), format, PLAIN, &client_test::fixtures::matrix()).0,
        ),
        ("probe-zombie", zombie::fixtures::show(format, PLAIN, &zombie).0),
        ("doctor.cut", of_doctor("cut")),
        ("doctor.refused", of_doctor("refused")),
    ]
}

#[test]
fn every_format_shows_every_command() {
    for format in ReportFormat::iter() {
        for (run, text) in of_each_command(Format::Report(format)) {
            let text = text.replace(WSCHECK_VERSION, "[version]");
            insta::assert_snapshot!(format!("{}.{run}", format.label()), text);
        }
    }
}

/// The figure of a document is what every format shows, so that an archived run cannot be rounded a second time.
#[test]
fn a_duration_between_two_figures_is_shown_as_its_document_has_it() {
    for nanos in [1_268_499_600, 1_268_500_300, 76_349_700, 521_499_999] {
        let mut events = serve::fixtures::run();
        let ServeRunEvent::Finished(report) = events.last_mut().unwrap() else { panic!("not finished") };
        report.summary.elapsed = Duration::from_nanos(nanos);
        let show = |format| show(ServePresenter::new(PLAIN), format, PLAIN, &events).0;
        let archived = archive::read(&show(Format::Json)).unwrap();
        for format in ReportFormat::iter().map(Format::Report) {
            assert_eq!(archived.render(format, PLAIN), show(format), "{nanos} ns as {format:?}");
        }
    }
}

/// What a hostile peer would send to each format.
const HOSTILE_TEXT: &str = "</script><script>alert(1)</script>]]>|'=\"%0A::error::owned ##[error]owned @team #1 `x` [a](b) {x=\"y\"}\\";

/// A run whose every text is hostile.
fn hostile_run(format: ReportFormat) -> String {
    let text = || HOSTILE_TEXT.to_string();
    let mut view = ping::fixtures::view_of("healthy");
    (view.subject, view.reasons) = (text(), vec![text()]);
    view.headline.rest = text();
    view.evidence.add("evidence", text());
    view.metrics[0].labels = [("target".into(), text())].into();
    view.sections[0].title = text();
    view.sections[0].rows.add("row", text());
    let origin = RunOrigin { command_line: vec![text()], ..RunOrigin::default() };
    let document = || serde_json::to_string(HOSTILE_TEXT).unwrap();
    format.render(&RenderedRun { command: "ping", origin: &origin, view: &view, document: &document })
}

#[test]
fn a_page_has_no_markup_of_a_peer() {
    let page = hostile_run(ReportFormat::Html);
    assert_eq!(page.matches("<script").count(), 1, "only the embedded document: {page}");
    assert!(page.contains("&lt;script&gt;alert(1)") && page.contains(r"\u003c/script>"), "{page}");
    for fetched in ["src=", "href=", "url(", "@import"] {
        assert!(!page.contains(fetched), "{fetched}");
    }
}

#[test]
fn a_plugins_first_line_has_one_bar_and_no_quote_in_a_label() {
    let text = hostile_run(ReportFormat::Nagios);
    let (message, figures) = text.lines().next().unwrap().split_once('|').unwrap();
    assert!(message.starts_with("WEBSOCKET OK - ") && !figures.contains('|'), "{text}");
    assert_eq!(figures.matches('\'').count() % 2, 0, "{figures}");
    assert_eq!(nagios::unknown("a|b\nc"), "WEBSOCKET UNKNOWN - a¦b c\n");
}

#[test]
fn labels_and_markdown_are_escaped() {
    let metrics = hostile_run(ReportFormat::Prometheus);
    let label = metrics.lines().find(|line| line.contains("target=\"<")).unwrap();
    assert!(label.contains(r#"{x=\"y\"}\\"}"#), "{label}");
    let markdown = hostile_run(ReportFormat::Markdown);
    // In the code span with the command line nothing is markup.
    let markdown: String = markdown.lines().filter(|line| !line.starts_with("`wscheck ")).collect();
    assert!(
        !markdown.contains("<script") && !markdown.contains("@team") && !markdown.contains("[a](b)"),
        "{markdown}"
    );
    let lines = hostile_run(ReportFormat::Github);
    assert!(
        lines.lines().all(|line| line.starts_with("::notice title=") || line.starts_with("::warning title="))
    );
}

/// As actions/runner reads a line: `::` after spaces at its beginning, or `##[` anywhere.
fn is_command(line: &str) -> bool {
    line.trim_start().starts_with("::") || line.contains("##[")
}

proptest! {
    #[test]
    fn no_text_is_a_workflow_command(text in r"[:#\[\] a-c%\r\n]{0,40}", is_json: bool) {
        prop_assert!(!defused(&text, is_json).lines().any(is_command));
    }

    #[test]
    fn a_message_stays_on_its_line(text in r"[:,%a-c\r\n]{0,40}") {
        prop_assert!(!data(&text).contains(['\r', '\n']));
        prop_assert!(!property(&text).contains(['\r', '\n', ':', ',']));
        // The runner undoes the escapes in this order (src/Runner.Common/ActionCommand.cs).
        let back = property(&text).replace("%0D", "\r").replace("%0A", "\n").replace("%3A", ":");
        prop_assert_eq!(back.replace("%2C", ",").replace("%25", "%"), text);
    }

    #[test]
    fn defused_json_keeps_its_meaning(text in r"[#\[\]a-c:]{0,30}") {
        let json = serde_json::to_string(&text).unwrap();
        prop_assert_eq!(serde_json::from_str::<String>(&defused(&json, true)).unwrap(), text);
    }
}
