//! Signals, closed pipes, stopped and killed peers.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::AsRawFd;
use std::process::Stdio;

use serde_json::Value;

use crate::support::{
    ANY_SPEED, PONG, Ran, Reaped, Run, Script, Server, answer_pings, frame, read_frame, read_head, upgrade,
    wscheck,
};

#[test]
fn first_signal_ends_with_a_full_report() {
    let server = Server::start(&[]);
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        let mut run = Run::start(&[ANY_SPEED, &["-i", "20ms", &server.url()]].concat());
        run.until("heartbeat");
        run.process.signal(signal);
        let (lines, code) = run.rest();
        let report = lines.last().unwrap();
        assert_eq!(
            (code, &report["status"], &report["interrupted"]),
            (Some(0), &"healthy".into(), &true.into())
        );
        assert!(report["rtt"]["count"].as_u64().unwrap() >= 1);
    }
}

/// Like a closing terminal, or `timeout`, which signals a process and its group.
#[test]
fn two_signals_at_once_end_with_a_full_report() {
    // The peer answers nothing, so that our close waits for it.
    let peer = Script::upgraded_then("");
    let mut run = Run::start(&["-i", "20ms", "-W", "60s", &peer.url()]);
    run.until("opened");
    run.process.signal(libc::SIGHUP);
    run.process.signal(libc::SIGTERM);
    let (lines, code) = run.rest();
    let report = lines.last().unwrap();
    assert_eq!((code, &report["interrupted"]), (Some(4), &true.into()), "{report:#}");
}

#[test]
fn interrupted_run_reports_its_progress_in_json() {
    let server = Server::start(&[]);
    for (bound, of) in [(["-c", "10000"], " of 10000 heartbeats"), (["-w", "2h"], " of 2h")] {
        let mut run = Run::start(&[&["-i", "20ms"], &bound[..], &[&server.url()]].concat());
        run.until("heartbeat");
        run.process.signal(libc::SIGINT);
        let (lines, code) = run.rest();
        let report = lines.last().unwrap();
        assert_eq!((code, &report["result"]), (Some(4), &"interrupted".into()), "{report:#}");
        let reason = report["reasons"][0].as_str().unwrap();
        assert!(reason.starts_with("interrupted after ") && reason.ends_with(of), "{reason}");
    }
}

#[test]
fn interrupted_run_reports_its_progress_in_text() {
    let server = Server::start(&[]);
    let args = ["ping", "--proxy", "none", "-c", "10000", "-i", "20ms", &server.url()];
    let mut process = Reaped(wscheck(&args).spawn().unwrap());
    let mut lines = BufReader::new(process.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    lines.find(|line| line.starts_with("seq=")).unwrap();
    process.signal(libc::SIGINT);
    let verdict = lines.last().unwrap();
    assert!(verdict.starts_with("verdict      interrupted after "), "{verdict}");
    assert!(verdict.ends_with(" of 10000 heartbeats (exit 4)"), "{verdict}");
    assert_eq!(process.0.wait().unwrap().code(), Some(4));
}

#[test]
fn failed_criterion_survives_an_interrupt() {
    let server = Server::start(&[]);
    let mut run = Run::start(&["-c", "10000", "-i", "20ms", "--fail-if", "ok>0", &server.url()]);
    run.until("heartbeat");
    run.process.signal(libc::SIGINT);
    let (lines, code) = run.rest();
    let report = lines.last().unwrap();
    assert_eq!((code, &report["result"]), (Some(1), &"failed".into()), "{report:#}");
    assert!(report["reasons"][1].as_str().unwrap().starts_with("interrupted after "), "{report:#}");
}

#[test]
fn open_criterion_fails_no_interrupted_run() {
    let server = Server::start(&[]);
    let mut run = Run::start(&["-c", "10000", "-i", "20ms", "--fail-if", "ok<10000", &server.url()]);
    run.until("heartbeat");
    run.process.signal(libc::SIGINT);
    let (lines, code) = run.rest();
    let report = lines.last().unwrap();
    assert_eq!((code, &report["result"]), (Some(4), &"interrupted".into()), "{report:#}");
    assert!(report["reasons"][1].as_str().unwrap().starts_with("ok<10000 cannot be judged"), "{report:#}");
}

/// Detection runs before the run, and the server sends nothing.
#[test]
fn interrupt_during_detection_ends_with_a_report() {
    for command in ["ping", "listen", "probe-idle", "probe-zombie"] {
        for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
            let (asked, requests) = std::sync::mpsc::channel();
            let peer = Script::start(move |mut stream| {
                read_head(&mut stream);
                let _ = asked.send(());
                let _ = stream.read_to_end(&mut Vec::new());
            });
            let args = [command, "--proxy", "none", "--json", "--preset", "auto", &peer.url()];
            let process = wscheck(&args).spawn().unwrap();
            requests.recv().unwrap();
            // SAFETY: kill(2) only sends, and the process is not reaped yet.
            unsafe { libc::kill(process.id() as libc::pid_t, signal) };
            let ran = Ran::of(process);
            assert_eq!(
                (ran.code, &ran.json()["result"]),
                (Some(130), &"interrupted".into()),
                "{}",
                ran.all()
            );
        }
    }
}

#[test]
fn ignored_sighup_stays_ignored() {
    use std::os::unix::process::CommandExt;
    let server = Server::start(&[]);
    let args = ["ping", "--proxy", "none", "-o", "ndjson", "-i", "20ms", &server.url()];
    let mut command = wscheck(&args);
    // SAFETY: signal(2) is async-signal-safe, and nothing else happens between fork and exec.
    unsafe {
        command.pre_exec(|| {
            libc::signal(libc::SIGHUP, libc::SIG_IGN);
            Ok(())
        });
    }
    let mut process = Reaped(command.spawn().unwrap());
    let lines = BufReader::new(process.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut lines = lines.map(|line| serde_json::from_str::<Value>(&line).unwrap());
    let mut heartbeat = |from: u64| {
        lines.find_map(|line| line["seq"].as_u64().filter(|seq| *seq >= from)).expect("the run ended")
    };
    let seen = heartbeat(0);
    process.signal(libc::SIGHUP);
    // More than fits into the pipe unread.
    heartbeat(seen + 50);
    process.signal(libc::SIGINT);
    assert_eq!(lines.last().unwrap()["interrupted"], true);
    assert_eq!(process.0.wait().unwrap().code(), Some(0));
}

#[test]
fn interrupt_before_opening_exits_130() {
    let peer = Script::answering("");
    let mut run = Run::start(&["--connect-timeout", "60s", &peer.url()]);
    run.until("opening");
    run.process.signal(libc::SIGINT);
    let (lines, code) = run.rest();
    let report = lines.last().unwrap();
    assert_eq!((code, &report["result"]), (Some(130), &"interrupted".into()));
    assert_eq!(report["result"], "interrupted");
    let reason = format!("the interrupt came while {} was still being opened", peer.url());
    assert_eq!(report["reasons"], serde_json::json!([reason]));
}

#[test]
fn interrupt_before_reconnecting_counts_no_attempt() {
    let mut server = Server::start(&[]);
    let long = ["--reconnect", "--reconnect-base", "100h", "--reconnect-cap", "100h"];
    let mut run = Run::start(&[&["-i", "20ms", &server.url()], &long[..]].concat());
    run.until("heartbeat");
    server.process.0.kill().unwrap();
    assert_eq!(run.until("reconnecting")["attempt"], 1);
    run.process.signal(libc::SIGINT);
    assert_eq!(run.until("gave_up")["attempts"], 0);
    assert_eq!(run.rest().1, Some(1));
}

#[test]
fn sigquit_prints_an_interim_report() {
    let server = Server::start(&[]);
    let mut run = Run::start(&["-i", "20ms", &server.url()]);
    run.until("heartbeat");
    run.process.signal(libc::SIGQUIT);
    run.until("interim");
    run.until("heartbeat");
    run.process.signal(libc::SIGINT);
    assert_eq!(run.rest().1, Some(0));
}

#[test]
fn closed_stdout_ends_quietly() {
    let server = Server::start(&[]);
    for format in ["human", "ndjson"] {
        let mut child = wscheck(&["ping", "-i", "10ms", "-o", format, &server.url()]).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert!(!first.is_empty());
        assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(0), ""), "{format}");
    }
}

#[test]
fn full_disk_is_reported() {
    let server = Server::start(&[]);
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let child = wscheck(&["ping", "-c", "2", "-i", "10ms", "--json", &server.url()])
        .stdout(Stdio::from(full))
        .spawn()
        .unwrap();
    let ran = Ran::of(child);
    assert_eq!(ran.code, Some(4));
    assert!(ran.stderr.contains("cannot write the report to stdout"), "{}", ran.stderr);
}

#[test]
fn stopped_peer_becomes_timeout_then_dead() {
    stop_mid_run(Server::start(&[]));
}

#[test]
fn killed_peer_is_reported_with_its_ending() {
    kill_mid_run(Server::start(&[]));
}

/// When the process continues, pongs wait in the kernel and all timers have expired.
#[test]
fn stopped_wscheck_finds_no_peer_dead() {
    let (sender, pid) = std::sync::mpsc::channel::<i32>();
    let peer = Script::start(move |mut stream| {
        upgrade(&mut stream);
        let stopped = pid.recv().unwrap();
        let pings: Vec<_> = (0..4).map(|_| read_frame(&mut stream).unwrap().1).collect();
        // SAFETY: kill(2) has no memory effects; the test holds the child and has not waited for it.
        let signal = |signal| assert_eq!(unsafe { libc::kill(stopped, signal) }, 0);
        signal(libc::SIGSTOP);
        pings.iter().for_each(|payload| stream.write_all(&frame(PONG, payload)).unwrap());
        // Longer than the timeout: the stall under test, not a wait for something.
        std::thread::sleep(std::time::Duration::from_millis(1500));
        signal(libc::SIGCONT);
        answer_pings(&mut stream);
    });
    let run = Run::start(&["-c", "40", "-i", "50ms", "-W", "1s", &peer.url()]);
    sender.send(run.process.0.id() as i32).unwrap();
    let (lines, code) = run.rest();
    let report = lines.last().unwrap();
    let protocol = &report["heartbeats"]["protocol"];
    assert_eq!((&protocol["missed"], &report["measurement"]), (&0.into(), &"suspect".into()), "{report:#}");
    assert_eq!((code, &report["ending"]["who"]), (Some(4), &"us".into()), "{report:#}");
    assert!(report["host_lag"]["max_ms"].as_f64().unwrap() > 1000.0, "{report:#}");
}

/// Stops it for 1.5 s after three such events; returns its output at the end.
fn stopped_after_three(command: &str, more: &[&str], event: &str) -> (Option<i32>, Value) {
    let server = Server::start(&["--heartbeat", "protocol", "--interval", "200ms", "--max-missed", "0"]);
    let url = server.url();
    let args = [&[command, "--proxy", "none", "-o", "ndjson"], more, &[&url]].concat();
    let mut process = Reaped(wscheck(&args).spawn().unwrap());
    let mut lines = BufReader::new(process.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let context = format!(r#""event":"{event}""#);
    assert_eq!(lines.by_ref().filter(|line| line.contains(&context)).take(3).count(), 3);
    process.signal(libc::SIGSTOP);
    // The stall under test, not a wait for something.
    std::thread::sleep(std::time::Duration::from_millis(1500));
    process.signal(libc::SIGCONT);
    let last = serde_json::from_str(&lines.last().unwrap()).unwrap();
    (process.0.wait().unwrap().code(), last)
}

#[test]
fn stopped_listener_finds_no_irregular_server() {
    let (code, report) = stopped_after_three("listen", &["--for", "4s"], "received");
    let context =
        (code, &report["verdict"], &report["interval"]["max_ms"].as_f64().is_some_and(|ms| ms < 300.0));
    assert_eq!(context, (Some(0), &"server_pings_every".into(), &true), "{report:#}");
    assert!(report["reasons"][0].as_str().unwrap().starts_with("this host was stalled for 1."), "{report:#}");
}

#[test]
fn stopped_probe_zombie_is_inconclusive() {
    let (code, report) = stopped_after_three("probe-zombie", &["--max", "3s"], "received");
    assert_eq!((code, &report["verdict"]), (Some(4), &"inconclusive".into()), "{report:#}");
    assert_eq!(report["policy"]["kind"], "unknown", "{report:#}");
    assert!(report["reasons"][0].as_str().unwrap().starts_with("this host was stalled for 1."), "{report:#}");
}

/// Answers and cuts that come while it is stopped are seen too late: what it then says must hold all the same.
#[test]
fn stopped_probe_idle_claims_no_wrong_timeout() {
    let server = Server::start(&["--idle-timeout", "2s"]);
    let url = server.url();
    let bounds = ["--min", "500ms", "--max", "6s"];
    let args = [&["probe-idle", "--proxy", "none", "-o", "ndjson"], &bounds[..], &[&url]].concat();
    let mut process = Reaped(wscheck(&args).spawn().unwrap());
    let mut lines = BufReader::new(process.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert_eq!(lines.by_ref().filter(|line| line.contains(r#""event":"opened""#)).take(3).count(), 3);
    process.signal(libc::SIGSTOP);
    // The stall under test, not a wait for something.
    std::thread::sleep(std::time::Duration::from_millis(1500));
    process.signal(libc::SIGCONT);
    let report: Value = serde_json::from_str(&lines.last().unwrap()).unwrap();
    let code = process.0.wait().unwrap().code();
    let end = |name: &str| report["bracket"][name].as_f64();
    match report["verdict"].as_str() {
        Some("idle_timeout") => {
            let (lo, hi) = (end("lo_ms").unwrap(), end("hi_ms").unwrap());
            assert!(code == Some(0) && lo <= 2000.0 && 2000.0 <= hi + 1.0, "{report:#}");
        }
        _ => assert_eq!(code, Some(4), "{report:#}"),
    }
}

/// The kernel still acknowledges data for a stopped server; only heartbeats show the failure.
pub fn stop_mid_run(server: Server) {
    let mut run = Run::start(&["-i", "50ms", "-W", "200ms", &server.url()]);
    run.until("heartbeat");
    server.process.signal(libc::SIGSTOP);
    let (lines, code) = run.rest();
    server.process.signal(libc::SIGCONT);
    let statuses: Vec<&str> = lines
        .iter()
        .filter(|line| line["event"] == "status")
        .map(|line| line["to"].as_str().unwrap())
        .collect();
    assert!(statuses.ends_with(&["timeout", "dead"]), "{statuses:?}");
    let report = lines.last().unwrap();
    assert_eq!((code, &report["status"]), (Some(1), &"dead".into()));
    let ending = &report["ending"];
    assert_eq!((&ending["who"], &ending["how"]), (&"us".into(), &"timeout".into()));
    assert_eq!((&ending["code"], &ending["reason"]), (&4000.into(), &"Heartbeat timeout".into()));
    assert!(report["targets"][0]["connections"][0]["outage_ms"].is_null(), "it is not opened again");
    assert_eq!(report["findings"][0]["code"], "server_stopped_answering", "{report:#}");
    let protocol = &report["heartbeats"]["protocol"];
    let known = (protocol["missed_acknowledged"].as_u64(), protocol["missed_unacknowledged"].as_u64());
    assert!(known.0 > Some(0) && known.1 == Some(0), "{report:#}");
}

/// A killed server's kernel closes its connections.
pub fn kill_mid_run(mut server: Server) {
    let mut run = Run::start(&["-i", "50ms", &server.url()]);
    run.until("heartbeat");
    server.process.0.kill().unwrap();
    let (lines, code) = run.rest();
    let ending = &lines.last().unwrap()["ending"];
    assert_eq!((code, &ending["who"]), (Some(1), &"peer".into()));
    assert!(["fin", "rst"].contains(&ending["how"].as_str().unwrap()), "{ending}");
}

#[test]
fn second_interrupt_ends_a_run_with_a_stuck_reader() {
    let server = Server::start(&[]);
    let mut child = Reaped(wscheck(&["ping", "-i", "1ms", "-o", "ndjson", &server.url()]).spawn().unwrap());
    let mut stdout = child.0.stdout.take().unwrap();
    fill(&stdout);
    child.signal(libc::SIGINT);
    // Within half a second of the first, a signal counts as the same one.
    while child.0.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(100));
        child.signal(libc::SIGTERM);
    }
    assert_eq!(child.0.wait().unwrap().code(), Some(130));
    let _ = stdout.read_to_end(&mut Vec::new());
}

/// Waits until the pipe is full, so that its writer is blocked.
fn fill(pipe: &impl AsRawFd) {
    let mut before = -1;
    loop {
        let mut held: libc::c_int = 0;
        // SAFETY: FIONREAD writes one int, and F_GETPIPE_SZ nothing.
        let size = unsafe {
            assert_eq!(libc::ioctl(pipe.as_raw_fd(), libc::FIONREAD, &mut held), 0);
            libc::fcntl(pipe.as_raw_fd(), libc::F_GETPIPE_SZ)
        };
        // A page of the pipe has room left if the next line does not fit into it.
        if held > size / 4 * 3 && held == before {
            return;
        }
        before = held;
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
