//! Small text files of the user's.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::os_error;

/// Maximum size of a file, in bytes.
const MAX_FILE_SIZE: u64 = 1024 * 1024;

/// Whether it is a file that can be read again: what comes from a pipe is there only once.
pub fn is_lasting(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|file| file.is_file())
}

/// The text of a file of at most 1 MiB. The error is a lower-case fragment without the path.
///
/// # Errors
///
/// The file cannot be read, is longer, or is not UTF-8.
pub fn read(path: &str) -> Result<String, String> {
    let system = |error: io::Error| os_error::describe(&error);
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(MAX_FILE_SIZE + 1).read_to_end(&mut bytes)).map_err(system)?;
    if bytes.len() as u64 > MAX_FILE_SIZE {
        return Err("it holds more than 1 MiB".to_string());
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_string())
}
