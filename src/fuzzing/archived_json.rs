//! Archived runs, which anybody may have written.

mod edits;

use super::rendered::render_everywhere;
use super::{SEPARATOR, forget_secrets};
use crate::domain::compare::compare;
use crate::domain::ping::merge::RunMerger;
use crate::domain::ping::report::PingReport;
use crate::domain::ping::verdict::PassCriteria;
use crate::output::RunOrigin;
use crate::output::archive::{figures, find_report, read};
use crate::output::ping::{finished, read_run};

/// The documents that `wscheck` writes, which are kept for the tests.
const DOCUMENTS: [&str; 7] = [
    include_str!("../output/golden/ping.json"),
    include_str!("../output/golden/listen.json"),
    include_str!("../output/golden/probe-idle.json"),
    include_str!("../output/golden/probe-zombie.json"),
    include_str!("../output/golden/serve.json"),
    include_str!("../output/golden/test-client.json"),
    include_str!("../output/golden/run.json"),
];

/// One or two archived runs, with a [`SEPARATOR`] in between. A run is a text; or, where its first byte is below the number
/// of [`DOCUMENTS`], that document, and the rest edits it.
pub fn archived_json(data: &[u8]) {
    forget_secrets();
    let mut texts = data.splitn(2, |byte| *byte == SEPARATOR).filter_map(text);
    let Some(first) = texts.next() else { return };
    let second = texts.next().unwrap_or_else(|| DOCUMENTS[0].to_string());
    let runs = [&first, &second].map(|text| read(text));
    if let Ok(run) = &runs[0] {
        render_everywhere(run);
    }
    if let [Ok(before), Ok(after)] = &runs {
        compare(&figures(before), &figures(after));
    }
    merge([&first, &second]);
}

fn text(bytes: &[u8]) -> Option<String> {
    match bytes.split_first() {
        Some((number, edits)) if usize::from(*number) < DOCUMENTS.len() => {
            Some(edits::edited(DOCUMENTS[usize::from(*number)], edits))
        }
        _ => String::from_utf8(bytes.to_vec()).ok(),
    }
}

/// Merges two runs of `ping`, as `wscheck report` does.
fn merge(texts: [&String; 2]) {
    let [Some(first), Some(second)] = texts.map(|text| archived(text)) else { return };
    let Ok(policy) = PassCriteria::of(&first.info.demands) else { return };
    let Ok(mut merger) = RunMerger::new(first) else { return };
    let _ = merger.add(second);
    render_everywhere(&finished(RunOrigin::default(), &merger.judged(&policy)));
}

fn archived(text: &str) -> Option<PingReport> {
    let (command, unread) = find_report(text).ok()?;
    let report = (command == "ping").then(|| read_run(unread.json, "run.json", unread.is_interim))?;
    report.ok()
}
