//! `--log FILE`: lines in a file that is rotated by size: FILE.1 is the file before, FILE.2 the one before that.
//!
//! 1. A line is written at once and as a whole, to one file. One that cannot be written leaves nothing behind.
//! 2. A file that would exceed the size is renamed first. A single line that is longer has a file of its own.
//! 3. A file that was renamed, removed or truncated by another program (logrotate) is opened anew.
//! 4. Each file begins with the lines that make it readable by itself, if there are any.
//! 5. An error is reported once, and so is its end, with the number of lines lost meanwhile.
//!
//! The crates for it do not keep these rules. `file-rotate` ignores that a file could not be opened, and discards its lines
//! from then on; `logroller` renames in a thread of its own. Both look for no rotation by others, and bring a calendar.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::num::NonZeroU32;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// When a file is rotated, and how many are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RotationLimits {
    /// Maximum size of a file, in bytes.
    pub size: u64,
    /// Files that are kept beside the one that is written.
    pub files: NonZeroU32,
}

/// A change of whether lines can be written.
#[derive(Debug)]
pub enum LogNotice {
    /// From now on lines are lost.
    Failed(io::Error),
    /// Lines are written again; `lost` is the number of those that were not.
    Recovered { lost: u64 },
    /// Lines are written, but to the old file: it cannot be renamed, or no new one be opened.
    NotRotated(io::Error),
}

impl LogNotice {
    /// The notice as a sentence; `describe` puts an error in words.
    pub fn text(&self, path: &Path, describe: impl Fn(&io::Error) -> String) -> String {
        let path = path.display();
        match self {
            LogNotice::Failed(error) => {
                format!("cannot write the log {path}: {}; its lines are lost until it works", describe(error))
            }
            LogNotice::Recovered { lost } => {
                format!("the log {path} is written again; lines lost: {lost}")
            }
            LogNotice::NotRotated(error) => {
                format!("cannot rotate the log {path}: {}; it grows beyond its size", describe(error))
            }
        }
    }
}

/// A file of lines.
#[derive(Debug)]
pub struct RotatingFile {
    path: PathBuf,
    limits: RotationLimits,
    file: File,
    /// Whether the file's last line has no end, as after a crash.
    is_torn: bool,
    /// Lines lost since writing began to fail; `None` while it works.
    lost: Option<u64>,
    /// Whether it was reported that the file cannot be rotated.
    cannot_rotate: bool,
}

impl RotatingFile {
    /// Opens the file; lines go behind what it has. A device or a pipe is never rotated.
    ///
    /// # Errors
    ///
    /// The file cannot be written, or no other file be created beside it.
    pub fn open(path: &Path, limits: RotationLimits) -> io::Result<RotatingFile> {
        let (file, is_torn) = open(path)?;
        if file.metadata()?.is_file() {
            check_folder(path)?;
        }
        let path = path.to_path_buf();
        Ok(RotatingFile { path, limits, file, is_torn, lost: None, cannot_rotate: false })
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Renames the file unless it is empty, so that what follows has a file of its own.
    ///
    /// # Errors
    ///
    /// It cannot be renamed, or no new one be opened.
    pub fn begin_anew(&mut self) -> io::Result<()> {
        let metadata = self.file.metadata()?;
        if metadata.is_file() && metadata.len() > 0 { self.rotate() } else { Ok(()) }
    }

    /// Writes a line, given without its end.
    pub fn append(&mut self, line: &str) -> Vec<LogNotice> {
        self.append_after(line, Vec::new)
    }

    /// Writes a line. In a new file the lines of `head` go before it, unless they would fill half of it.
    pub fn append_after(&mut self, line: &str, head: impl FnOnce() -> Vec<String>) -> Vec<LogNotice> {
        let prepared = self.prepare(line.len() as u64 + 1);
        let mut lines = if self.is_new() { head() } else { Vec::new() };
        let length: u64 = lines.iter().map(|line| line.len() as u64 + 1).sum();
        if length > self.limits.size / 2 {
            lines.clear();
        }
        let lines = lines.iter().map(String::as_str).chain([line]);
        let written: Vec<LogNotice> = lines.filter_map(|line| self.write(line)).collect();
        prepared.into_iter().chain(written).collect()
    }

    /// Whether it is a file without a line.
    fn is_new(&self) -> bool {
        self.file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() == 0)
    }

    /// Makes the file ready for `length` bytes; reports the first of several errors.
    fn prepare(&mut self, length: u64) -> Option<LogNotice> {
        match self.try_prepare(length) {
            Ok(()) => {
                self.cannot_rotate = false;
                None
            }
            Err(_) if self.cannot_rotate => None,
            Err(error) => {
                self.cannot_rotate = true;
                Some(LogNotice::NotRotated(error))
            }
        }
    }

    fn try_prepare(&mut self, length: u64) -> io::Result<()> {
        let mut metadata = self.file.metadata()?;
        if !is_same(&metadata, fs::metadata(&self.path)) {
            self.reopen()?;
            metadata = self.file.metadata()?;
        }
        if metadata.is_file() && metadata.len() > 0 && metadata.len() + length > self.limits.size {
            self.rotate()?;
        }
        Ok(())
    }

    fn reopen(&mut self) -> io::Result<()> {
        (self.file, self.is_torn) = open(&self.path)?;
        Ok(())
    }

    /// Renames the files, the oldest first. A number that is free takes the next, so that no file is removed early.
    fn rotate(&mut self) -> io::Result<()> {
        let files = self.limits.files.get();
        let is_free = |number: &u32| !self.numbered(*number).exists();
        let last = (1..files).find(is_free).unwrap_or(files);
        for number in (1..last).rev() {
            fs::rename(self.numbered(number), self.numbered(number + 1))?;
        }
        fs::rename(&self.path, self.numbered(1))?;
        self.reopen()
    }

    fn numbered(&self, number: u32) -> PathBuf {
        beside(&self.path, &number.to_string())
    }

    fn write(&mut self, line: &str) -> Option<LogNotice> {
        match self.try_write(line) {
            Ok(()) => self.lost.take().map(|lost| LogNotice::Recovered { lost }),
            Err(error) => {
                let is_first = self.lost.is_none();
                *self.lost.get_or_insert_default() += 1;
                is_first.then_some(LogNotice::Failed(error))
            }
        }
    }

    fn try_write(&mut self, line: &str) -> io::Result<()> {
        let before = self.file.metadata()?;
        if before.is_file() && before.nlink() == 0 {
            // Nobody could read it.
            return Err(io::ErrorKind::NotFound.into());
        }
        let separator = if self.is_torn { "\n" } else { "" };
        let written = self.file.write_all(format!("{separator}{line}\n").as_bytes());
        // What a full disk took of a line is removed.
        self.is_torn = written.is_err()
            && before.is_file()
            && (self.is_torn || self.file.set_len(before.len()).is_err());
        written
    }
}

/// Opens a file to append to; returns also whether its last line has no end.
fn open(path: &Path) -> io::Result<(File, bool)> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    match options.clone().read(true).open(path) {
        Ok(mut file) => {
            let is_torn = file.metadata()?.is_file() && is_torn(&mut file)?;
            Ok((file, is_torn))
        }
        // A file, such as a pipe, that may be written only.
        Err(_) => Ok((options.open(path)?, false)),
    }
}

fn is_torn(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

/// Whether a path still leads to a file.
fn is_same(file: &Metadata, at_path: io::Result<Metadata>) -> bool {
    at_path.is_ok_and(|found| (found.dev(), found.ino()) == (file.dev(), file.ino()))
}

/// Checks that another file can be created beside this one.
fn check_folder(path: &Path) -> io::Result<()> {
    let trial = beside(path, &format!("{}.tmp", std::process::id()));
    OpenOptions::new().write(true).create_new(true).open(&trial)?;
    fs::remove_file(&trial)
}

/// The path with a further ending.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

#[cfg(test)]
mod tests;
