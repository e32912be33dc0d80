//! Floor 3: shows a run. A command implements [`Presenter`]; [`RunOutput`] shows it in every format, with the result on
//! stdout and the conversation on stderr, and keeps the first error of stdout.

pub mod archive;
pub mod charset;
pub mod checks;
pub mod client_test;
pub mod compare;
pub mod doctor;
pub mod envelope;
pub mod exporter;
pub mod finding_code;
pub mod finished_run;
pub mod flow_control;
mod goaway_finding;
pub mod human;
pub mod idle;
pub mod json;
pub mod listen;
pub mod listing;
pub mod log_head;
pub mod ndjson;
mod output_format;
pub mod ping;
mod presenter;
pub mod presets;
pub mod products;
mod report_file;
pub mod report_formats;
pub mod rotating_file;
mod run_output;
pub mod serve;
mod server_events;
mod terminal;
mod time_unit;
pub mod timeouts;
pub mod view;
pub mod watch;
pub mod workflow_guard;
mod writer;
pub mod zombie;

#[cfg(test)]
mod golden;
#[cfg(test)]
pub mod schema;
#[cfg(test)]
mod testing;

pub use envelope::{HostFacts, RunOrigin};
pub use human::HumanOptions;
pub use output_format::{Format, ReportFormat};
pub use presenter::{EventFilter, Presenter};
pub use report_file::ReportFile;
pub use run_output::RunOutput;
pub use writer::Writer;

use crate::domain::doctor::DoctorFindingCode;
use crate::domain::doctor::tls::TlsFindingCode;
use crate::domain::idle::{IdleFindingCode, UndecidedCode};
use crate::domain::listen::ListenFindingCode;
use crate::domain::ping::finding::PingFindingCode;
use crate::domain::zombie::ZombieFindingCode;
use finding_code::{CodeMeaning, codes_of};

/// The codes of all commands' findings.
pub fn finding_codes() -> Vec<CodeMeaning> {
    let mut all = Vec::new();
    all.extend(codes_of::<PingFindingCode>("ping"));
    all.extend(codes_of::<ListenFindingCode>("listen"));
    all.extend(codes_of::<ZombieFindingCode>("probe-zombie"));
    all.extend(codes_of::<IdleFindingCode>("probe-idle"));
    all.extend(codes_of::<UndecidedCode>("probe-idle"));
    all.extend(codes_of::<DoctorFindingCode>("doctor"));
    all.extend(codes_of::<TlsFindingCode>("doctor"));
    all
}
