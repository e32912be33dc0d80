//! What a command shows of its run. The formats are made from it and know no command.

use super::envelope::DocumentBody;
use super::human::HumanOptions;
use super::output_format::Format;
use super::view::View;

/// Text for stdout (the result) and stderr (the conversation), with its newlines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines {
    pub stdout: String,
    pub stderr: String,
}

impl Lines {
    /// Text for stdout alone.
    pub fn to_stdout(text: Option<String>) -> Lines {
        Lines { stdout: text.unwrap_or_default(), ..Lines::default() }
    }

    /// Text for stderr alone.
    pub fn to_stderr(text: Option<String>) -> Lines {
        Lines { stderr: text.unwrap_or_default(), ..Lines::default() }
    }
}

/// Decides whether an event changes anything that is shown.
pub type EventFilter<E> = Box<dyn FnMut(&E) -> bool>;

/// One command's run: its lines while it goes on, its moving line, its report and its document.
///
/// A command implements this; [`RunOutput`](super::run_output::RunOutput) shows it in every format.
pub trait Presenter: Send + 'static {
    type Event: Clone + Send + 'static;
    type Report;
    /// What is the command's own in its document.
    type Document: DocumentBody;

    fn new(options: HumanOptions) -> Self;

    /// The report, if this is the last event.
    fn report_in(event: &Self::Event) -> Option<&Self::Report>;

    /// Keeps what later lines or the report need; called first for each event.
    fn observe(&mut self, _event: &Self::Event) {}

    /// What people read of this event while the run goes on.
    fn lines(&mut self, event: &Self::Event) -> Lines;

    /// The report so far, if this event brings one because the user asked for it.
    fn interim_in(_event: &Self::Event) -> Option<&Self::Report> {
        None
    }

    /// The report so far on one line, for people.
    fn interim_line(&self, _report: &Self::Report) -> Option<String> {
        None
    }

    /// The new text of the moving line, if this event changes it.
    fn progress(&mut self, event: &Self::Event) -> Option<String>;

    /// The NDJSON line of this event.
    fn ndjson_line(&self, event: &Self::Event) -> Option<String>;

    /// What the report says, whatever the command.
    fn view(&self, report: &Self::Report) -> View;

    /// What is the command's own in the JSON document.
    fn document(&self, report: &Self::Report) -> Self::Document;

    /// Whether an event may be dropped while the reader is too slow.
    fn is_droppable(event: &Self::Event) -> bool;

    /// Which events to show at all: an event that shows nothing need not wake the printing thread.
    fn filter(_format: Format, _options: HumanOptions) -> EventFilter<Self::Event> {
        Box::new(|_| true)
    }
}
