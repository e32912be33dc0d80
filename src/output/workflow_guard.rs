//! Under GitHub Actions a line of output may be a command of the workflow. Nothing that a peer sent may be one.

use std::io::{self, Write};

use super::report_formats::github::defused;
use super::writer::Writer;

/// A writer through which no workflow command passes.
pub fn writer(writer: Writer, is_json: bool) -> Writer {
    Box::new(GuardedWriter { writer, is_json })
}

struct GuardedWriter {
    writer: Writer,
    is_json: bool,
}

impl Write for GuardedWriter {
    /// What is given begins and ends at a line.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        self.writer.write_all(defused(&text, self.is_json).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}
