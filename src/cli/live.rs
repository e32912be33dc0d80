//! The terminal of the live view: keys, the alternate screen, and leaving it whatever happens.

use std::io::{self, Stdout, Write};
use std::os::fd::AsFd;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant, SystemTime};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{
    self, Event as TerminalEvent, KeyCode, KeyEvent, KeyEventKind, KeyModifiers,
};
use ratatui::crossterm::terminal::enable_raw_mode;
use tokio::sync::mpsc::UnboundedSender;

use super::live_terminal::{enter, is_live, restore_terminal, take_notices};
use super::print_queue::PrintQueueReceiver;
use super::runner::print_all;
use super::signals::{EndSignals, SignalReaction, end_process};
use crate::commands::watch::WatchEvent;
use crate::domain::run::reporter::Reporter;
use crate::output::watch::WatchPresenter;
use crate::output::watch::live::{LiveKey, LiveView, draw};
use crate::output::{Presenter, RunOutput};

/// Time between two drawings.
const FRAME: Duration = Duration::from_millis(100);
/// A pause of this process after which the screen is drawn anew: it was stopped, and something else wrote on it.
const STOPPED: Duration = Duration::from_secs(1);

/// Shows the live view until the run ends; then the ordinary report. Without a terminal that can be drawn on, lines.
pub fn show(
    view: LiveView,
    ask: UnboundedSender<()>,
    mut output: RunOutput<WatchPresenter>,
    queue: &PrintQueueReceiver<WatchEvent>,
) -> RunOutput<WatchPresenter> {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        restore_terminal();
        hook(panic);
    }));
    let terminal = enter().and_then(|()| Terminal::new(CrosstermBackend::new(io::stdout())));
    let Ok(terminal) = terminal else {
        restore_terminal();
        return print_all(output, queue);
    };
    output.hide_lines();
    let mut live = Live {
        view,
        terminal,
        ask,
        queue,
        drawn_at: None,
        stops: EndSignals::default(),
        keeps_screen: false,
    };
    while let Some(event) = live.next_event() {
        if WatchPresenter::report_in(&event).is_some() {
            live.leave();
        }
        output.report(&event);
    }
    live.leave();
    output
}

type LiveTerminal = Terminal<CrosstermBackend<Stdout>>;

struct Live<'a> {
    view: LiveView,
    terminal: LiveTerminal,
    /// Asks all connections at once.
    ask: UnboundedSender<()>,
    queue: &'a PrintQueueReceiver<WatchEvent>,
    drawn_at: Option<Instant>,
    /// Requests to stop.
    stops: EndSignals,
    /// The screen is printed above the report.
    keeps_screen: bool,
}

impl Live<'_> {
    /// The next event of the run; draws and obeys keys meanwhile. `None` at the end.
    fn next_event(&mut self) -> Option<WatchEvent> {
        loop {
            let next_frame = self.drawn_at.map_or(Duration::ZERO, |at| FRAME.saturating_sub(at.elapsed()));
            if next_frame.is_zero() && self.turn().is_err() {
                // The terminal is gone: the run ends.
                self.drawn_at = Some(Instant::now());
                self.queue.close();
            }
            match self.queue.next_within(next_frame) {
                Ok(event) => {
                    self.view.observe(&event);
                    return Some(event);
                }
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// Obeys the keys, and draws.
    fn turn(&mut self) -> io::Result<()> {
        if is_hung_up(io::stdin()) {
            return Err(io::ErrorKind::NotConnected.into());
        }
        if self.drawn_at.is_some_and(|at| at.elapsed() > STOPPED) {
            enable_raw_mode()?;
            self.terminal.clear()?;
        }
        let mut is_changed = self.drawn_at.is_none();
        while event::poll(Duration::ZERO)? {
            is_changed = true;
            if let TerminalEvent::Key(key) = event::read()? {
                self.press(key)?;
            }
        }
        take_notices().into_iter().for_each(|notice| self.view.add_line(notice));
        self.drawn_at = Some(Instant::now());
        if is_changed || !self.view.is_frozen() {
            let view = &self.view;
            self.terminal.draw(|frame| draw(frame, view, SystemTime::now()))?;
        }
        Ok(())
    }

    fn press(&mut self, key: KeyEvent) -> io::Result<()> {
        if key.kind == KeyEventKind::Release {
            return Ok(());
        }
        let with_control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c') if with_control => self.stop(false),
            KeyCode::Char('z') if with_control => self.suspend()?,
            KeyCode::Char(quit @ ('q' | 'Q')) => self.stop(quit == 'Q'),
            // The run may be over.
            KeyCode::Char('p') => drop(self.ask.send(())),
            KeyCode::Char('l') if with_control => self.terminal.clear()?,
            code => {
                if let Some(pressed) = key_of(code) {
                    self.view.press(pressed, SystemTime::now());
                }
            }
        }
        Ok(())
    }

    /// Ends the run with its report; a second request ends the process.
    fn stop(&mut self, keeps_screen: bool) {
        self.keeps_screen |= keeps_screen;
        if self.stops.on_signal(Instant::now()) == SignalReaction::Exit {
            end_process();
        }
        self.queue.close();
    }

    /// Stops the process, as Ctrl-Z does without a live view; comes back with `fg`.
    fn suspend(&mut self) -> io::Result<()> {
        restore_terminal();
        stop_this_process();
        enter()?;
        self.terminal.clear()
    }

    /// Leaves the live view; what was seen last stays in the scrollback if the user wanted it.
    fn leave(&mut self) {
        if !is_live() {
            return;
        }
        let screen = self.keeps_screen.then(|| self.screen());
        restore_terminal();
        if let Some(screen) = screen {
            // The report follows, and its error is the one that counts.
            let _ = io::stdout().write_all(screen.as_bytes());
        }
    }

    /// The screen as text.
    fn screen(&mut self) -> String {
        let mut text = String::new();
        let view = &self.view;
        let drawn = self.terminal.draw(|frame| {
            draw(frame, view, SystemTime::now());
            text = text_of(frame.buffer_mut());
        });
        drawn.map(|_| text.clone()).unwrap_or_default()
    }
}

/// Whether the other end of this terminal is gone. crossterm reads such a terminal for ever, and a paused view would not
/// notice it by drawing.
fn is_hung_up(terminal: impl AsFd) -> bool {
    let mut asked = [PollFd::new(terminal.as_fd(), PollFlags::empty())];
    // POLLHUP is reported in any case (poll(2)).
    poll(&mut asked, PollTimeout::ZERO).is_ok()
        && asked[0].revents().is_some_and(|events| events.contains(PollFlags::POLLHUP))
}

/// What a key means for the view itself.
fn key_of(code: KeyCode) -> Option<LiveKey> {
    Some(match code {
        KeyCode::Up | KeyCode::Char('k') => LiveKey::Up,
        KeyCode::Down | KeyCode::Char('j') => LiveKey::Down,
        KeyCode::Home | KeyCode::Char('g') => LiveKey::First,
        KeyCode::End | KeyCode::Char('G') => LiveKey::Last,
        KeyCode::Char(' ') => LiveKey::Freeze,
        KeyCode::Char('r') => LiveKey::Reset,
        KeyCode::Char('+' | '=') => LiveKey::ZoomIn,
        KeyCode::Char('-') => LiveKey::ZoomOut,
        KeyCode::Char('d') => LiveKey::Details,
        KeyCode::Char('?' | 'h') => LiveKey::Help,
        KeyCode::Esc => LiveKey::Back,
        _ => return None,
    })
}

/// The cells as lines without the spaces at their ends.
fn text_of(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width).max(1);
    let lines = buffer.content().chunks(width).map(|row| {
        let line: String = row.iter().map(|cell| cell.symbol()).collect();
        line.trim_end().to_string() + "\n"
    });
    lines.collect::<String>().trim_end().to_string() + "\n\n"
}

#[expect(unsafe_code, reason = "the standard library sends no signals")]
fn stop_this_process() {
    // SAFETY: raise(3) takes a number and returns after the process was continued.
    unsafe { libc::raise(libc::SIGTSTP) };
}
