//! Colour of each command on stdout and stderr: where it is, where it is not, and that it only repeats words.

use std::collections::BTreeSet;
use std::process::Stdio;

use crate::support::{Ran, Server, root, run, run_concurrently, wscheck};
use crate::terminal::{shown, terminal};

/// A command line and what it shows in colour.
struct Colored {
    args: Vec<String>,
    /// Texts that are coloured; empty if the stream has no colour.
    stdout: &'static [&'static str],
    stderr: &'static [&'static str],
}

/// What the arguments of the cases name.
struct Fixtures {
    url: String,
    /// Ends each connection soon.
    closing: String,
    checks: String,
    run: String,
    _servers: [Server; 2],
    _folder: tempfile::TempDir,
}

const UNREACHABLE: &str = "ws://127.0.0.1:1/";

fn fixtures() -> Fixtures {
    let folder = tempfile::tempdir().unwrap();
    let checks = folder.path().join("wscheck.toml");
    let servers = [
        Server::start(&["--heartbeat", "protocol", "--interval", "100ms"]),
        Server::start(&["--close-after", "100ms:4001"]),
    ];
    let [url, closing] = [servers[0].url(), servers[1].url()];
    let of = |name: &str, url: &str| format!("[[check]]\nname = \"{name}\"\nurl = \"{url}\"\ncount = 2\n");
    std::fs::write(&checks, of("chat", &url) + &of("gone", UNREACHABLE)).unwrap();
    Fixtures {
        url,
        closing,
        checks: checks.display().to_string(),
        run: root().join("src/output/golden/ping.json").display().to_string(),
        _servers: servers,
        _folder: folder,
    }
}

/// A run and an error of each command that has colour.
fn cases(of: &Fixtures) -> Vec<Colored> {
    let error: &[&str] = &["error:"];
    let error_and_hint: &[&str] = &["error:", "hint:"];
    let case = |args: &[&str], stdout, stderr| Colored {
        args: args.iter().map(ToString::to_string).collect(),
        stdout,
        stderr,
    };
    vec![
        case(&["ping", "-i", "20ms", &of.closing], &["dead", "ended:", "failed"], &[]),
        case(&["watch", "-i", "20ms", "-w", "1s", &of.closing], &["dead", "ended:"], &[]),
        case(&["ping", "-q", "-o", "json", "-c", "1", &of.url], &[], &[]),
        case(&["ping", UNREACHABLE], &[], error_and_hint),
        case(&["ping", "--no-such-option"], &[], error),
        case(
            &["probe-idle", "--proxy", "none", "--min", "200ms", "--max", "400ms", &of.url],
            &["verdict"],
            &[],
        ),
        case(&["probe-idle", UNREACHABLE], &[], error_and_hint),
        case(&["listen", "--for", "500ms", &of.url], &["verdict"], &[]),
        case(&["listen", UNREACHABLE], &[], error_and_hint),
        case(&["probe-zombie", "--proxy", "none", "--max", "500ms", &of.url], &["verdict"], &[]),
        case(&["probe-zombie", UNREACHABLE], &[], error_and_hint),
        case(&["doctor", "--proxy", "none", "--only", "tcp,upgrade", &of.url], &["verdict", "✓"], &["✓"]),
        case(&["doctor", "--only", "no-such-check", UNREACHABLE], &[], error),
        case(&["run", &of.checks], &["passed", "unreachable"], &["passed", "unreachable"]),
        case(&["run", "no-such-file"], &[], error_and_hint),
        case(&["demo", "-q"], &["verdict"], &[]),
        case(&["demo", "--no-such-option"], &[], error),
        case(&["serve", "--bind", "127.0.0.1:0", "--for", "100ms"], &["verdict"], &[]),
        case(&["serve", "--bind", "192.0.2.1:0"], &[], error_and_hint),
        case(
            &["test-client", "--fault", "rst", "--after", "100ms", "--for", "1s", "--", "false"],
            &["verdict"],
            &[],
        ),
        case(&["test-client", "--fault", "rst", "--", "/no/such/client"], &[], error),
        case(&["report", &of.run], &["verdict"], &[]),
        case(&["report", "no-such-file"], &[], error),
        case(&["compare", &of.run, &of.run], &["verdict"], &[]),
        case(&["compare", &of.run, "no-such-file"], &[], error),
        case(&["timeouts"], &["Idle timeouts"], &[]),
        case(&["timeouts", "no-such-product"], &[], error),
        case(&["presets"], &["Heartbeats of real services"], &[]),
        case(&["presets", "no-such-preset"], &[], error),
        case(&["products"], &["Known products and services"], &[]),
        case(&["products", "no-such-product"], &[], error),
    ]
}

fn with_color(when: &str, args: &[String]) -> Vec<String> {
    let (command, rest) = args.split_first().unwrap();
    [&[command.clone(), "--color".to_string(), when.to_string()], rest].concat()
}

fn run_words(args: &[String]) -> Ran {
    run(&args.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The texts that are shown in colour: what stands between an escape sequence that sets one and the next sequence. The
/// other sequences move the cursor.
fn colored_texts(output: &str) -> Vec<String> {
    let mut texts = Vec::new();
    for part in output.split("\x1b[").skip(1) {
        let code = part.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';' || c == '?');
        let is_set = code.starts_with('m') && !part.starts_with("0m") && !part.starts_with('m');
        if is_set {
            texts.push(code[1..].to_string());
        }
    }
    // A style of several sequences has nothing between them.
    texts.retain(|text| !text.is_empty());
    texts
}

fn assert_colored(output: &str, words: &[&str], context: &str) {
    let texts = colored_texts(output);
    assert_eq!(texts.is_empty(), words.is_empty(), "{context}: {output:?}");
    for word in words {
        assert!(texts.iter().any(|text| text.contains(word)), "{context}: {word} in {texts:?}");
    }
}

#[test]
fn each_command_that_takes_color_has_a_case() {
    let fixtures = fixtures();
    let tried: BTreeSet<String> = cases(&fixtures).iter().map(|case| case.args[0].clone()).collect();
    let command = wscheck::cli::command();
    let takes_color = |command: &&clap::Command| command.get_arguments().any(|arg| arg.get_id() == "color");
    let known = command.get_subcommands().filter(takes_color).map(|command| command.get_name().to_string());
    assert_eq!(tried, known.collect());
}

/// Each stream is asked alone: colour is on stdout and on stderr by the same option, though neither is a terminal.
#[test]
fn option_decides_the_colour_of_both_streams() {
    let fixtures = fixtures();
    run_concurrently(&cases(&fixtures), |case| {
        let context = format!("{:?}", case.args);
        let always = run_words(&with_color("always", &case.args));
        assert_colored(&always.stdout, case.stdout, &context);
        assert_colored(&always.stderr, case.stderr, &context);
        for args in [with_color("never", &case.args), case.args.clone()] {
            let plain = run_words(&args);
            assert!(!plain.stdout.contains('\x1b') && !plain.stderr.contains('\x1b'), "{context}: {plain:?}");
        }
    });
}

/// The output of a stream that is a terminal, while the other one is a pipe; and what came through the pipe.
fn on_terminal(args: &[String], is_stderr: bool, no_color: bool) -> (String, String) {
    let (ours, theirs) = terminal();
    let mut command = wscheck(&args.iter().map(String::as_str).collect::<Vec<_>>());
    command.env("TERM", "xterm");
    if no_color {
        command.env("NO_COLOR", "1");
    }
    if is_stderr {
        command.stderr(Stdio::from(theirs))
    } else {
        command.stdout(Stdio::from(theirs))
    };
    let child = command.spawn().unwrap();
    // The command's copy of the other end must close, or reading never ends.
    drop(command);
    let reading = std::thread::spawn(move || shown(ours));
    let piped = Ran::of(child);
    (reading.join().unwrap(), piped.stdout + &piped.stderr)
}

#[test]
fn terminal_decides_the_colour_of_each_stream() {
    let fixtures = fixtures();
    let cases = cases(&fixtures);
    let streams: Vec<(&Colored, bool)> =
        cases.iter().flat_map(|case| [false, true].map(|is_stderr| (case, is_stderr))).collect();
    run_concurrently(&streams, |(case, is_stderr)| {
        let words = if *is_stderr { case.stderr } else { case.stdout };
        let context = format!("{:?}, stderr: {is_stderr}", case.args);
        let (shown, piped) = on_terminal(&case.args, *is_stderr, false);
        assert_colored(&shown, words, &context);
        assert_colored(&piped, &[], &context);
        for (args, no_color) in [(with_color("never", &case.args), false), (case.args.clone(), true)] {
            let (shown, piped) = on_terminal(&args, *is_stderr, no_color);
            assert_colored(&shown, &[], &context);
            assert_colored(&piped, &[], &context);
        }
    });
}

/// Where two runs print the same, colour is all that differs. For what changes from run to run, the tests of the output
/// compare both forms of the same events.
#[test]
fn colour_only_repeats_words() {
    let fixtures = fixtures();
    let is_fixed = |case: &&Colored| {
        let is_error =
            case.stderr.first() == Some(&"error:") && !case.args.iter().any(|arg| arg == UNREACHABLE);
        is_error || ["report", "timeouts", "presets", "products"].contains(&case.args[0].as_str())
    };
    let cases = cases(&fixtures);
    let fixed: Vec<&Colored> = cases.iter().filter(is_fixed).collect();
    run_concurrently(&fixed, |case| {
        let colored = run_words(&with_color("always", &case.args));
        let plain = run_words(&with_color("never", &case.args));
        for (colored, plain) in [(colored.stdout, plain.stdout), (colored.stderr, plain.stderr)] {
            assert_eq!(anstream::adapter::strip_str(&colored).to_string(), plain, "{:?}", case.args);
        }
    });
}
