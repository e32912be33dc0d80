//! The state of the terminal: whether the live view has it, and how it is given back.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};

use super::errors;

/// The terminal is in raw mode and shows the alternate screen.
static IS_LIVE: AtomicBool = AtomicBool::new(false);
/// What was said meanwhile.
static NOTICES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Leaves the live view if there is one, so that the process can end. Can be called on any thread, more than once.
pub fn restore_terminal() {
    if IS_LIVE.swap(false, Relaxed) {
        let _ = disable_raw_mode();
        let _ = execute!(io::stdout(), LeaveAlternateScreen, Show);
    }
}

/// Shows the alternate screen, in raw mode.
///
/// # Errors
///
/// There is no terminal.
pub fn enter() -> io::Result<()> {
    IS_LIVE.store(true, Relaxed);
    enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen)
}

/// Says something that matters while it goes on: in the live view, or on stderr without one.
pub fn tell(text: &str) {
    if IS_LIVE.load(Relaxed) {
        NOTICES.lock().unwrap_or_else(PoisonError::into_inner).push(text.to_string());
    } else {
        errors::print_to_stderr(text);
    }
}

/// Whether the live view has the terminal.
pub fn is_live() -> bool {
    IS_LIVE.load(Relaxed)
}

/// What was said meanwhile.
pub fn take_notices() -> Vec<String> {
    std::mem::take(&mut *NOTICES.lock().unwrap_or_else(PoisonError::into_inner))
}
