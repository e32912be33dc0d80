//! What `doctor` shows: a line a check, then the answer; the JSON document, and NDJSON lines.

mod answer;
mod browser_findings;
mod changes;
mod document;
mod feature_findings;
mod findings;
mod log;
mod ndjson_events;
mod parts;
pub mod tls_findings;
mod view;

#[cfg(test)]
pub(super) mod fixtures;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use document::DoctorDocument;
pub use ndjson_events::{DoctorChecked, DoctorStarted};

use super::human::HumanOptions;
use super::presenter::{Lines, Presenter};
use super::view::View;
use crate::domain::doctor::report::{DoctorEvent, DoctorInfo, DoctorReport};

/// Shows a run of `doctor`.
pub struct DoctorPresenter {
    log: log::DoctorLog,
    info: Option<Arc<DoctorInfo>>,
}

impl Presenter for DoctorPresenter {
    type Event = DoctorEvent;
    type Report = Arc<DoctorReport>;
    type Document = DoctorDocument;

    fn new(options: HumanOptions) -> DoctorPresenter {
        DoctorPresenter { log: log::DoctorLog::new(options), info: None }
    }

    fn report_in(event: &DoctorEvent) -> Option<&Arc<DoctorReport>> {
        if let DoctorEvent::Finished(report) = event { Some(report) } else { None }
    }

    fn observe(&mut self, event: &DoctorEvent) {
        if let DoctorEvent::Started { info, .. } = event {
            self.info = Some(Arc::clone(info));
        }
    }

    fn lines(&mut self, event: &DoctorEvent) -> Lines {
        Lines::to_stderr(self.log.lines(event, self.info.as_deref()))
    }

    fn progress(&mut self, event: &DoctorEvent) -> Option<String> {
        if let DoctorEvent::Progress(progress) = event { Some(log::progress(progress)) } else { None }
    }

    fn ndjson_line(&self, event: &DoctorEvent) -> Option<String> {
        ndjson_events::line(event, self.info.as_deref())
    }

    fn view(&self, report: &Arc<DoctorReport>) -> View {
        view::view(report)
    }

    fn document(&self, report: &Arc<DoctorReport>) -> DoctorDocument {
        DoctorDocument::from(report.as_ref())
    }

    fn is_droppable(event: &DoctorEvent) -> bool {
        matches!(event, DoctorEvent::Progress(_))
    }
}
