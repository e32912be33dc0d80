//! On a terminal: colour, NO_COLOR, and the progress line, which is never on stdout.

use std::ffi::CStr;
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::process::Stdio;

use crate::support::{ANY_SPEED, Server, closed_port, wscheck};

/// A new pseudo-terminal of 80 columns: our end and the other.
pub fn terminal() -> (File, OwnedFd) {
    terminal_of(80)
}

/// A new pseudo-terminal: our end and the other.
fn terminal_of(columns: u16) -> (File, OwnedFd) {
    let size = libc::winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    let mut name = [0; 64];
    // SAFETY: the descriptor is new and nobody else's; the calls read the size, and write no more of the name than its length.
    let (ours, name) = unsafe {
        // No process that a test starts meanwhile keeps our end open.
        let ours = libc::posix_openpt(libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC);
        assert!(ours >= 0);
        assert_eq!(libc::grantpt(ours), 0);
        assert_eq!(libc::unlockpt(ours), 0);
        assert_eq!(libc::ptsname_r(ours, name.as_mut_ptr(), name.len()), 0);
        assert_eq!(libc::ioctl(ours, libc::TIOCSWINSZ, &raw const size), 0);
        (File::from_raw_fd(ours), CStr::from_ptr(name.as_ptr()))
    };
    let mut open = OpenOptions::new();
    let theirs = open.read(true).write(true).custom_flags(libc::O_NOCTTY).open(name.to_str().unwrap());
    (ours, theirs.unwrap().into())
}

/// Everything shown until the other end closes.
pub fn shown(mut terminal: File) -> String {
    let mut bytes = Vec::new();
    // A terminal ends with an error (EIO) that keeps the data read before.
    let _ = terminal.read_to_end(&mut bytes);
    String::from_utf8(bytes).unwrap()
}

/// Terminal output of a ping whose stdout is a terminal, with these variables set.
fn on_terminal(args: &[&str], variables: &[(&str, &str)]) -> String {
    let server = Server::start(&["--close-after", "100ms:4001"]);
    let (ours, theirs) = terminal();
    let mut command = wscheck(&[&["ping", "-i", "20ms", &server.url()], args].concat());
    command.env("TERM", "xterm").envs(variables.iter().copied()).stdout(Stdio::from(theirs));
    let mut child = command.spawn().unwrap();
    // The command's copy of the other end must close, or reading never ends.
    drop(command);
    let text = shown(ours);
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(text.contains("dead") && text.contains("4001"), "{text:?}");
    text
}

#[test]
fn colour_is_used_on_terminals_unless_no_color() {
    assert!(on_terminal(&[], &[]).contains("\x1b["));
    assert!(!on_terminal(&[], &[("NO_COLOR", "1")]).contains("\x1b["));
    assert!(!on_terminal(&["--color", "never"], &[]).contains("\x1b["));
    assert!(on_terminal(&["--color", "always"], &[("NO_COLOR", "1")]).contains("\x1b["));
}

#[test]
fn error_in_a_file_has_no_colour() {
    let (_socket, port) = closed_port();
    let url = format!("ws://127.0.0.1:{port}/");
    let commands = ["ping", "listen", "probe-idle", "probe-zombie"];
    for (name, stderr_is_the_terminal) in commands.iter().flat_map(|name| [(name, false), (name, true)]) {
        let (ours, theirs) = terminal();
        let mut command = wscheck(&[name, &url]);
        command.env("TERM", "xterm");
        if stderr_is_the_terminal {
            command.stderr(Stdio::from(theirs))
        } else {
            command.stdout(Stdio::from(theirs))
        };
        let child = command.spawn().unwrap();
        drop(command);
        let on_terminal = shown(ours);
        let error = String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap() + &on_terminal;
        assert!(error.contains("cannot open"), "{name}: {error:?}");
        // A progress line moves the cursor; only colour ends in an `m`.
        let colour = error.split('\x1b').skip(1).any(|escape| {
            escape
                .trim_start_matches(['[', ';'])
                .trim_start_matches(|c: char| c.is_ascii_digit() || c == ';')
                .starts_with('m')
        });
        assert_eq!(colour, stderr_is_the_terminal, "{name}: {error:?}");
    }
}

#[test]
fn colour_adds_no_information() {
    let plain = |text: &str| {
        let mut plain = String::new();
        let mut rest = text;
        while let Some((before, escape)) = rest.split_once("\x1b[") {
            plain += before;
            rest = escape.split_once('m').unwrap().1;
        }
        plain + rest
    };
    let coloured = on_terminal(&["-q"], &[]);
    let words: Vec<&str> = ["answer", "verdict", "failed (exit 1)", "dead"].into();
    assert!(words.iter().all(|word| plain(&coloured).contains(word)), "{coloured:?}");
}

#[test]
fn progress_line_is_only_on_stderr() {
    let server = Server::start(&[]);
    let args = ["-c", "5", "-i", "50ms", "-n", "3", &server.url()];
    let (ours, theirs) = terminal();
    let mut command = wscheck(&[&["ping", "--json"], ANY_SPEED, &args].concat());
    command.env("TERM", "xterm").stderr(Stdio::from(theirs));
    let child = command.spawn().unwrap();
    drop(command);
    let output = child.wait_with_output().unwrap();
    drop(ours);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["status"], "healthy");

    let (ours, theirs) = terminal();
    let mut command = wscheck(&[&["ping"], ANY_SPEED, &args].concat());
    command.env("TERM", "xterm").stderr(Stdio::from(theirs));
    let child = command.spawn().unwrap();
    drop(command);
    let progress = std::thread::spawn(move || shown(ours));
    let output = child.wait_with_output().unwrap();
    let (stdout, progress) = (String::from_utf8(output.stdout).unwrap(), progress.join().unwrap());
    assert!(progress.contains("healthy"), "{progress:?}");
    assert!(!stdout.contains(['\r', '\x1b']) && stdout.contains("3 healthy"), "{stdout:?}");
}

#[test]
fn search_progress_is_on_stderr() {
    let server = Server::start(&[]);
    let (ours, theirs) = terminal_of(160);
    let mut command = wscheck(&["probe-idle", "--proxy", "none", "--max", "2500ms", "--json", &server.url()]);
    command.env("TERM", "xterm").stderr(Stdio::from(theirs));
    let child = command.spawn().unwrap();
    drop(command);
    let progress = std::thread::spawn(move || shown(ours));
    let output = child.wait_with_output().unwrap();
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["verdict"], "no_timeout_up_to_max");
    let progress = progress.join().unwrap();
    for words in ["done by ", " at the latest", "timeout above ", "3 watchers silent"] {
        assert!(progress.contains(words), "{words}: {progress:?}");
    }
}

#[test]
fn summary_fits_the_terminal() {
    let (one, two) = (Server::start(&["--close-after", "300ms:4001"]), Server::start(&[]));
    for (columns, all_figures) in [(60, false), (120, true)] {
        let (ours, theirs) = terminal_of(columns);
        let mut command = wscheck(&["ping", "-q", "-c", "20", "-i", "50ms", &one.url(), &two.url()]);
        command.env("TERM", "xterm").env("NO_COLOR", "1").stdout(Stdio::from(theirs));
        let mut child = command.spawn().unwrap();
        drop(command);
        let text = shown(ours);
        assert_eq!(child.wait().unwrap().code(), Some(1), "{text}");
        for line in text.lines() {
            assert!(line.chars().count() <= usize::from(columns), "{columns} columns: {line}");
        }
        assert!(text.contains("target ") && text.contains("4001"), "{text}");
        let header = text.lines().find(|line| line.starts_with("target")).unwrap();
        assert_eq!(header.contains("sent") && header.contains("p95"), all_figures, "{text}");
    }
}

#[test]
fn findings_are_logged_on_stderr_as_they_come() {
    let server = Server::start(&["--interval", "400ms", "--timeout", "200ms"]);
    let cases = [
        (["listen", "--for", "2500ms"], ["listened for ", "one every "]),
        (["probe-zombie", "--max", "2500ms"], ["closed: ", "still open: "]),
    ];
    for (args, context) in cases {
        let (ours, theirs) = terminal_of(160);
        let mut command = wscheck(&[&args[..], &["--proxy", "none", "-o", "json", &server.url()]].concat());
        command.env("TERM", "xterm").stdout(Stdio::piped()).stderr(Stdio::from(theirs));
        let child = command.spawn().unwrap();
        drop(command);
        let progress = std::thread::spawn(move || shown(ours));
        let stdout = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
        let progress = progress.join().unwrap();
        assert!(stdout.starts_with('{') && !stdout.contains('\x1b'), "{stdout:?}");
        for words in context {
            assert!(progress.contains(words), "{words}: {progress:?}");
        }
    }
}

#[test]
fn output_is_ascii_without_utf8_locale() {
    let server = Server::start(&[]);
    let ping = ["ping", "-c", "3", "-i", "20ms", &server.url()];
    let listing = ["timeouts"];
    for args in [&ping[..], &listing[..]] {
        for (locale, ascii) in [("C", true), ("de_DE.ISO-8859-1", true), ("C.UTF-8", false)] {
            let output = wscheck(args).env("LC_ALL", locale).output().unwrap();
            assert_eq!(
                output.stdout.is_ascii(),
                ascii,
                "{locale}: {}",
                String::from_utf8_lossy(&output.stdout)
            );
        }
    }
    let json = wscheck(&["ping", "-c", "1", "-o", "json", "-H", "X-Place: Köln", &server.url()])
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    assert_eq!(json.status.code(), Some(0));
}
