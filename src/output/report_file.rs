//! `--report FORMAT=FILE`: a further report of the same run, in a file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::log_head::LogHead;
use super::output_format::Format;
use super::rotating_file::RotatingFile;
use super::writer::Writer;

/// Where a further report goes.
pub struct ReportFile {
    pub format: Format,
    path: PathBuf,
    mode: Mode,
    error: Option<io::Error>,
}

enum Mode {
    /// The whole report at the end; readers never see it incomplete.
    Replace,
    /// Behind what the file has.
    Append,
    /// Line by line as it happens, so that a run that is killed leaves what it measured.
    Stream(Writer),
    /// As a stream, for runs of weeks: what cannot be written is told, and does not end the log.
    Log { file: Box<RotatingFile>, head: LogHead, tell: fn(&str) },
}

impl ReportFile {
    /// Checks that the file can be written, before the run begins.
    ///
    /// # Errors
    ///
    /// The file cannot be created or opened.
    pub fn create(format: Format, path: PathBuf) -> io::Result<ReportFile> {
        let mode = match format {
            Format::Ndjson => Mode::Stream(Box::new(File::create(&path)?)),
            _ if is_replaceable(&path) => {
                let temporary = temporary(&path);
                File::create(&temporary).and_then(|_| fs::remove_file(&temporary))?;
                Mode::Replace
            }
            _ => Mode::Stream(Box::new(OpenOptions::new().write(true).open(&path)?)),
        };
        Ok(ReportFile { format, path, mode, error: None })
    }

    /// A report that goes behind what the file has; a file that cannot be written is found at the end.
    pub fn append(format: Format, path: PathBuf) -> ReportFile {
        ReportFile { format, path, mode: Mode::Append, error: None }
    }

    /// A report that goes to a stream such as stderr.
    pub fn stream(format: Format, name: &str, writer: Writer) -> ReportFile {
        ReportFile { format, path: name.into(), mode: Mode::Stream(writer), error: None }
    }

    /// A log of the run; `tell` gets a sentence when lines cannot be written, and when they can again.
    pub fn log(file: RotatingFile, tell: fn(&str)) -> ReportFile {
        let path = file.path().to_path_buf();
        ReportFile {
            format: Format::Ndjson,
            path,
            mode: Mode::Log { file: Box::new(file), head: LogHead::default(), tell },
            error: None,
        }
    }

    /// Writes the report, or the next lines of one. Nothing is written after an error.
    pub fn write(&mut self, text: &str) {
        if self.error.is_none() && !text.is_empty() {
            self.error = self.try_write(text).err();
        }
    }

    fn try_write(&mut self, text: &str) -> io::Result<()> {
        match &mut self.mode {
            Mode::Stream(writer) => writer.write_all(text.as_bytes()).and_then(|()| writer.flush()),
            Mode::Log { file, head, tell } => {
                for line in text.lines() {
                    for notice in file.append_after(line, || head.lines(SystemTime::now())) {
                        tell(&notice.text(&self.path, ToString::to_string));
                    }
                    head.observe(line);
                }
                Ok(())
            }
            Mode::Append => {
                OpenOptions::new().create(true).append(true).open(&self.path)?.write_all(text.as_bytes())
            }
            Mode::Replace => {
                let temporary = temporary(&self.path);
                fs::write(&temporary, text)?;
                if let Ok(replaced) = fs::metadata(&self.path) {
                    fs::set_permissions(&temporary, replaced.permissions())?;
                }
                fs::rename(&temporary, &self.path).inspect_err(|_| {
                    // The rename's error is the one to report.
                    let _ = fs::remove_file(&temporary);
                })
            }
        }
    }

    /// What failed, as a sentence.
    pub fn failure(&self) -> Option<String> {
        let error = self.error.as_ref()?;
        let path = self.path.display();
        Some(match self.mode {
            Mode::Append => format!("GITHUB_STEP_SUMMARY: cannot write {path}: {error}"),
            Mode::Replace | Mode::Stream(_) | Mode::Log { .. } => {
                format!("--report {}: cannot write {path}: {error}", self.format.name())
            }
        })
    }
}

/// A pipe or a device is written to; a link is written through, not replaced.
fn is_replaceable(path: &Path) -> bool {
    fs::symlink_metadata(path).map_or(true, |metadata| metadata.is_file())
}

fn temporary(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::ReportFormat;

    const MARKDOWN: Format = Format::Report(ReportFormat::Markdown);

    #[test]
    fn a_file_is_replaced_at_the_end_and_nothing_else_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("report.md");
        fs::write(&path, "old").unwrap();
        let mut report = ReportFile::create(MARKDOWN, path.clone()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        report.write("new");
        assert_eq!((fs::read_to_string(&path).unwrap().as_str(), report.failure()), ("new", None));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_cannot_be_written_is_found_before_the_run() {
        let dir = tempfile::tempdir().unwrap();
        assert!(ReportFile::create(MARKDOWN, dir.path().join("no/such/dir.md")).is_err());
        assert!(ReportFile::create(Format::Ndjson, dir.path().to_path_buf()).is_err());
        assert!(ReportFile::create(MARKDOWN, dir.path().to_path_buf()).is_err());
    }

    #[test]
    fn a_link_is_written_through_and_a_summary_grows() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        fs::write(&file, "").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        ReportFile::create(MARKDOWN, link.clone()).unwrap().write("through");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        ReportFile::append(MARKDOWN, file.clone()).write(" and more");
        assert_eq!(fs::read_to_string(&file).unwrap(), "through and more");
    }
}
