//! A writer that remembers its first failure and is silent from then on.

use std::io::{self, Write};

/// Where output goes: anything that can be written to, from the task that prints.
pub type Writer = Box<dyn Write + Send>;

/// A writer for reporters, whose methods return nothing: the first error is kept, and after it (a
/// closed pipe, a full disk) nothing more is written.
pub struct ReportWriter {
    writer: Writer,
    error: Option<io::Error>,
}

impl ReportWriter {
    pub fn new(writer: Writer) -> ReportWriter {
        ReportWriter { writer, error: None }
    }

    /// Writes the text and flushes, so that a reader of a pipe sees each line when it happens.
    pub fn write(&mut self, text: &str) {
        if text.is_empty() || self.error.is_some() {
            return;
        }
        let written = self.writer.write_all(text.as_bytes()).and_then(|()| self.writer.flush());
        self.error = written.err();
    }

    /// The first error, if there was one.
    pub fn error(&self) -> Option<&io::Error> {
        self.error.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::testing::SharedBuffer;

    #[test]
    fn after_a_closed_pipe_nothing_more_is_written() {
        let pipe = SharedBuffer::that_closes_after(1);
        let mut sink = ReportWriter::new(pipe.writer());
        sink.write("one\n");
        assert!(sink.error().is_none());
        sink.write("two\n");
        sink.write("three\n");
        assert_eq!(sink.error().map(io::Error::kind), Some(io::ErrorKind::BrokenPipe));
        assert_eq!((pipe.text(), pipe.attempts()), ("one\n".to_string(), 2));
    }
}
