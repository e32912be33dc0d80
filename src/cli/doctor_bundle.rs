//! `--bundle`: one file with everything a maintainer or a vendor needs, without secrets.

use std::fs::File;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::origin::origin;
use crate::domain::doctor::report::DoctorEvent;
use crate::output::doctor::DoctorPresenter;
use crate::output::finished_run::FinishedRun;
use crate::output::{Format, HumanOptions, Presenter, ReportFormat};

/// What is in it.
const CONTENTS: &str = "\
This bundle was written by `wscheck doctor --bundle`. Secrets of the command line, of URLs and of headers are redacted; the
names of hosts, addresses and the headers of servers are not.

contents.txt    this text
report.txt      the report for people
report.html     the same with the details of each measurement
report.json     the whole document: checks, findings, the runs that they rest on, versions, the machine
events.ndjson   what happened when
";

/// The file, and what goes into it.
pub struct Bundle {
    path: PathBuf,
    file: File,
    presenter: DoctorPresenter,
    events: String,
    finished: Option<FinishedRun>,
}

impl Bundle {
    /// Creates the file before anything is measured.
    ///
    /// # Errors
    ///
    /// The file cannot be written: a sentence.
    pub fn create(path: PathBuf) -> Result<Bundle, String> {
        let file = File::create(&path)
            .map_err(|error| format!("--bundle: cannot write {}: {error}", path.display()))?;
        let presenter = DoctorPresenter::new(HumanOptions::default());
        Ok(Bundle { path, file, presenter, events: String::new(), finished: None })
    }

    /// Keeps an event.
    pub fn keep(&mut self, event: &DoctorEvent) {
        self.presenter.observe(event);
        self.events += &self.presenter.ndjson_line(event).unwrap_or_default();
        if let Some(report) = DoctorPresenter::report_in(event) {
            self.finished = Some(FinishedRun::of(&self.presenter, origin(), report));
        }
    }

    /// Writes the file.
    ///
    /// # Errors
    ///
    /// The file cannot be written: a sentence.
    pub fn finish(self) -> Result<(), String> {
        let path = self.path.display().to_string();
        self.write().map_err(|error| format!("--bundle: cannot write {path}: {error}"))
    }

    fn write(self) -> std::io::Result<()> {
        let Some(run) = self.finished else { return Ok(()) };
        let in_format = |format| run.render(format, HumanOptions::default());
        let files = [
            ("contents.txt", CONTENTS.to_string()),
            ("report.txt", in_format(Format::Human)),
            ("report.html", in_format(Format::Report(ReportFormat::Html))),
            ("report.json", in_format(Format::Json)),
            ("events.ndjson", self.events),
        ];
        let mut archive = tar::Builder::new(GzEncoder::new(self.file, Compression::default()));
        for (name, text) in files {
            archive.append_data(
                &mut header(text.len()),
                format!("wscheck-doctor/{name}"),
                text.as_bytes(),
            )?;
        }
        archive.into_inner()?.finish()?.sync_all()
    }
}

/// A regular file of this size.
fn header(size: usize) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(size as u64);
    header.set_mode(0o644);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    header.set_mtime(now.as_secs());
    header
}
