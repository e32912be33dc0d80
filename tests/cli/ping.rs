//! `wscheck ping` on servers with known behaviour.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use crate::support::{
    ANY_SPEED, PING, PONG, Run, Script, Server, TEXT, frame, ping_json, read_frame, run, upgrade, wscheck,
};

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("not a number: {value}"))
}

#[test]
fn ipv6_is_measured_by_address_and_by_name() {
    let server = Server::spawn(wscheck(&["serve", "--bind", "[::1]:0"]));
    let (port, resolve) = (server.port, format!("six.test:{}:[::1]", server.port));
    let by_address = format!("ws://[::1]:{port}/");
    let by_name = format!("ws://six.test:{port}/");
    for args in [&[by_address.as_str()][..], &["-6", "--resolve", &resolve, &by_name]] {
        let (code, document) = ping_json(&[&["-c", "3", "-i", "20ms"], args].concat());
        assert_eq!((code, &document["heartbeats"]["protocol"]["ok"]), (Some(0), &3.into()), "{document:#}");
        let remote = &document["targets"][0]["connections"][0]["remote"];
        assert_eq!(remote, &format!("[::1]:{port}"), "{document:#}");
    }
}

#[test]
fn good_server_is_healthy_with_exit_0() {
    let server = Server::start(&[]);
    let (code, document) = ping_json(&[ANY_SPEED, &["-c", "5", "-i", "20ms", &server.url()]].concat());
    assert_eq!(
        (code, &document["status"], &document["result"]),
        (Some(0), &"healthy".into(), &"passed".into())
    );
    let protocol = &document["heartbeats"]["protocol"];
    assert_eq!((&protocol["sent"], &protocol["ok"], &document["loss"]), (&5.into(), &5.into(), &0.0.into()));
    assert!(number(&document["rtt"]["p50_ms"]) > 0.0);
    assert!(number(&document["jitter"]["stddev_ms"]) >= 0.0);
    assert_eq!(document["ending"]["who"], "us");
    assert_eq!(document["ending"]["code"], 1000);
    assert!(document["error"].is_null() && document["heartbeats"]["app"].is_null());
}

#[test]
fn one_answer_has_no_jitter() {
    let server = Server::start(&[]);
    let (_, document) = ping_json(&["-c", "1", &server.url()]);
    for jitter in ["stddev_ms", "rfc3550_ms", "ipdv_mean_ms"] {
        assert!(document["jitter"][jitter].is_null(), "{jitter}");
    }
    assert_eq!(document["rtt"]["count"], 1);
}

#[test]
fn app_and_protocol_are_measured_separately() {
    let server = Server::start(&[]);
    for kind in ["app", "both"] {
        let (code, document) = ping_json(&["-c", "4", "-i", "20ms", "--heartbeat", kind, &server.url()]);
        assert_eq!((code, &document["heartbeats"]["app"]["ok"]), (Some(0), &4.into()), "{document:#}");
        assert_eq!(document["heartbeats"]["protocol"].is_null(), kind == "app");
    }
}

#[test]
fn echo_server_does_not_count_as_answering() {
    let peer = Script::start(|mut stream| {
        upgrade(&mut stream);
        echo(&mut stream);
    });
    let args = ["-c", "2", "-i", "20ms", "-W", "200ms", "--heartbeat", "app"];
    let (code, document) = ping_json(&[&args[..], &[&peer.url()]].concat());
    assert_eq!((code, &document["heartbeats"]["app"]["ok"]), (Some(1), &0.into()), "{document:#}");
    assert_eq!(document["targets"][0]["connections"][0]["echoes"], 2);
    let (code, document) =
        ping_json(&[&args[..], &["--app-pong", r#"{"type":"ping"}"#, &peer.url()]].concat());
    assert_eq!((code, &document["heartbeats"]["app"]["ok"]), (Some(0), &2.into()), "{document:#}");
}

/// Echoes each short client frame, unmasked; sends no pongs.
fn echo(stream: &mut std::net::TcpStream) {
    while let Some((first, payload)) = read_frame(stream) {
        let _ = stream.write_all(&frame(first, &payload));
    }
}

#[test]
fn slow_app_with_fast_protocol_is_explained() {
    let peer = Script::start(|mut stream| {
        upgrade(&mut stream);
        slow_app(&mut stream);
    });
    let ran = run(&["ping", "-c", "6", "-i", "50ms", "--heartbeat", "both", "--poor", "2s", &peer.url()]);
    assert!(ran.stdout.contains("the application, or something in the middle"), "{}", ran.all());
}

/// Answers Pings at once, and app pings after 300 ms.
fn slow_app(stream: &mut std::net::TcpStream) {
    let writer = Arc::new(Mutex::new(stream.try_clone().unwrap()));
    while let Some((first, payload)) = read_frame(stream) {
        match first {
            PING => drop(writer.lock().unwrap().write_all(&frame(PONG, &payload))),
            TEXT => {
                let pong = String::from_utf8(payload).unwrap().replace("ping", "pong");
                let writer = Arc::clone(&writer);
                std::thread::spawn(move || {
                    std::thread::sleep(std::time::Duration::from_millis(300));
                    drop(writer.lock().unwrap().write_all(&frame(TEXT, pong.as_bytes())));
                });
            }
            _ => {}
        }
    }
}

#[test]
fn late_replies_shift_and_drop_nothing() {
    let server = Server::start(&["--delay", "1s"]);
    let (_, document) = ping_json(&["-c", "200", "-i", "10ms", &server.url()]);
    let protocol = &document["heartbeats"]["protocol"];
    assert_eq!(
        (&protocol["sent"], &protocol["ok"], &protocol["unsent"]),
        (&200.into(), &200.into(), &0.into())
    );
    assert!(number(&document["rtt"]["min_ms"]) >= 1000.0, "{}", document["rtt"]);
    // 199 intervals of 10 ms and the last answer; waiting for each answer would take 200 s.
    assert!(number(&document["elapsed_ms"]) < 60_000.0);
}

#[test]
fn late_pongs_are_answered_not_lost() {
    let server = Server::start(&["--delay", "300ms"]);
    let args = ["-c", "2", "-i", "10ms", "-W", "100ms", "--dead-after", "9", "-w", "5s"];
    let ran = run(&[&["ping", "-o", "ndjson"], &args[..], &["--send", "x", &server.url()]].concat());
    let lines = ran.ndjson();
    assert!(lines.iter().any(|line| line["event"] == "heartbeat" && line["outcome"] == "missed"), "{ran:?}");
    let report = lines.last().unwrap();
    assert_eq!(report["result"], "failed", "{report:#}");
}

#[test]
fn answering_only_the_latest_supersedes() {
    let server = Server::start(&["--supersede", "--delay", "100ms"]);
    let (code, document) = ping_json(&["-c", "10", "-i", "20ms", &server.url()]);
    let protocol = &document["heartbeats"]["protocol"];
    assert!(number(&protocol["superseded"]) > 0.0, "{document:#}");
    assert_eq!((code, &document["loss"]), (Some(0), &0.0.into()));
}

/// Results of these --fail-if expressions.
fn gates(server: &Server, ping: &[&str], gates: &[&str]) -> Vec<bool> {
    let gated: Vec<&str> = gates.iter().flat_map(|gate| ["--fail-if", gate]).collect();
    let (_, document) = ping_json(&[ping, &gated, &[&server.url()]].concat());
    let reasons = document["reasons"].as_array().unwrap();
    let is_true =
        |gate: &&str| reasons.iter().filter_map(|reason| reason.as_str()).any(|reason| reason.contains(gate));
    gates.iter().map(is_true).collect()
}

#[test]
fn dropped_pongs_fail_every_gate_on_loss() {
    let server = Server::start(&["--pong-loss", "20%"]);
    let ping = ["-c", "20", "-i", "200ms", "-W", "3s"];
    assert_eq!(gates(&server, &ping, &["missed>0", "loss>0%", "unanswered>0", "unanswered==4"]), [true; 4]);
}

#[test]
fn merged_pongs_fail_only_the_gate_on_unanswered() {
    let server = Server::start(&["--merge-pongs", "400ms"]);
    let ping = ["-c", "20", "-i", "100ms"];
    let found = gates(&server, &ping, &["missed>0", "loss>0%", "superseded>0", "unanswered>0"]);
    assert_eq!(found, [false, false, true, true]);
}

#[test]
fn outcomes_add_up_to_sent_everywhere() {
    let server = Server::start(&["--pong-loss", "30%", "--close-after", "3s"]);
    let (_, document) =
        ping_json(&["-n", "3", "-i", "100ms", "-W", "500ms", "--dead-after", "9", &server.url()]);
    let connections = document["targets"][0]["connections"].as_array().unwrap();
    let figures = connections.iter().chain([&document, &document["targets"][0]]);
    for figures in figures.map(|figures| &figures["heartbeats"]["protocol"]) {
        let sum = |names: &[&str]| names.iter().map(|name| number(&figures[*name])).sum::<f64>();
        assert_eq!(sum(&["sent"]), sum(&["ok", "late", "superseded", "missed", "in_flight"]), "{figures:#}");
        assert_eq!(sum(&["unanswered"]), sum(&["superseded", "missed"]), "{figures:#}");
        assert!(sum(&["unanswered"]) > 0.0, "{figures:#}");
    }
}

#[test]
fn peer_close_fails_with_its_code() {
    let server = Server::start(&["--close-after", "200ms:4001"]);
    let (code, document) = ping_json(&["-i", "50ms", &server.url()]);
    assert_eq!((code, &document["status"]), (Some(1), &"dead".into()));
    let ending = &document["ending"];
    assert_eq!(
        (&ending["who"], &ending["how"], &ending["code"]),
        (&"peer".into(), &"close_frame".into(), &4001.into())
    );
    // The server counts from its upgrade response, we from its arrival.
    let (age, run) = (number(&ending["age_ms"]), number(&document["elapsed_ms"]));
    assert!(age > 0.0 && run >= 200.0 && age <= run, "{document:#}");
}

#[test]
fn deadline_ends_the_run_with_a_report() {
    let server = Server::start(&[]);
    let (code, document) = ping_json(&["-w", "300ms", "-i", "50ms", &server.url()]);
    assert_eq!((code, &document["interrupted"]), (Some(0), &false.into()));
    assert!(number(&document["heartbeats"]["protocol"]["ok"]) > 0.0);
}

#[test]
fn nothing_answered_is_inconclusive_and_null() {
    let peer = Script::upgraded_then("");
    let (code, document) = ping_json(&["-w", "300ms", "-i", "100ms", &peer.url()]);
    assert_eq!(
        (code, &document["result"], &document["status"]),
        (Some(4), &"inconclusive".into(), &"unknown".into())
    );
    assert!(document["rtt"].is_null() && document["loss"].is_null());
    assert!(!document["reasons"].as_array().unwrap().is_empty());
}

#[test]
fn all_missed_heartbeats_fail_by_status() {
    let peer = Script::upgraded_then("");
    let args = ["-c", "5", "-i", "10ms", "-W", "100ms", "--dead-after", "99"];
    let (code, document) = ping_json(&[&args[..], &[&peer.url()]].concat());
    assert_eq!((code, &document["status"], &document["loss"]), (Some(1), &"timeout".into(), &1.0.into()));
    assert_eq!((&document["measurement"], &document["rtt"]), (&"unknown".into(), &Value::Null));
    let (code, document) = ping_json(&[&args[..], &["--fail-on", "dead", &peer.url()]].concat());
    assert_eq!((code, &document["status"], &document["loss"]), (Some(0), &"timeout".into(), &1.0.into()));
}

#[test]
fn deadline_before_opening_is_explained() {
    let (mute, rude) = (Script::answering(""), Script::upgraded_then(""));
    for (peer, more) in [(&mute, ["--connect-timeout", "60s"]), (&rude, ["--await", "welcome"])] {
        let url = peer.url();
        let args = [&["-w", "300ms"][..], &more, &[&url]].concat();
        let (code, document) = ping_json(&args);
        let reason = format!("the deadline came while {url} was still being opened");
        assert_eq!((code, &document["reasons"]), (Some(3), &serde_json::json!([reason])));
        assert!(document["targets"][0]["connections"][0]["outage_ms"].is_null());
        let human = run(&[&["ping"], &args[..]].concat());
        assert!(human.code == Some(3) && human.stdout.contains("was still being opened"), "{}", human.all());
    }
}

#[test]
fn pongs_with_another_payload_are_named() {
    let peer = Script::start(|mut stream| {
        upgrade(&mut stream);
        while let Some((first, _)) = read_frame(&mut stream) {
            if first == PING && stream.write_all(&frame(PONG, b"hello")).is_err() {
                return;
            }
        }
    });
    let (code, document) = ping_json(&["-c", "3", "-i", "10ms", "-W", "200ms", &peer.url()]);
    let finding = &document["findings"][0];
    assert_eq!((code, &finding["code"]), (Some(1), &"wrong_pong_payload".into()), "{document:#}");
    assert_eq!(finding["severity"], "problem");
}

#[test]
fn ambiguous_answers_fail_no_run() {
    let peer = Script::start(|mut stream| {
        upgrade(&mut stream);
        slow_app(&mut stream);
    });
    let ask = ["--heartbeat", "app", "--app-ping", r#"{"type":"ping"}"#, "--app-pong", r#"{"type":"pong"}"#];
    let args = ["-c", "4", "-i", "50ms", "--fail-if", "rtt.p50>1ms"];
    let (code, document) = ping_json(&[&ask[..], &args, &[&peer.url()]].concat());
    assert_eq!((code, &document["result"]), (Some(4), &"inconclusive".into()), "{document:#}");
    assert!(document["reasons"][0].as_str().unwrap().contains("app RTTs are upper bounds"), "{document:#}");
}

#[test]
fn several_connections_and_targets_share_one_report() {
    let (one, two) = (Server::start(&[]), Server::start(&["--delay", "1500ms"]));
    // The fast server answers in less than a second on a busy machine, too.
    let limits = ["--healthy", "1s", "--degraded", "30s", "--poor", "40s"];
    let args = ["-c", "3", "-i", "100ms", "-n", "2", &one.url(), &two.url()];
    let (code, document) = ping_json(&[&limits[..], &args].concat());
    assert_eq!((code, &document["status"]), (Some(0), &"degraded".into()), "{document:#}");
    assert_eq!(
        (&document["status_counts"]["healthy"], &document["status_counts"]["degraded"]),
        (&2.into(), &2.into())
    );
    assert_eq!(document["heartbeats"]["protocol"]["ok"], 12);
    let ran = run(&["ping", "-c", "2", "-i", "50ms", "-n", "2", &one.url(), &two.url()]);
    assert!(ran.stdout.contains("target") && ran.stdout.contains("2 healthy"), "{}", ran.all());
    assert!(!ran.stdout.contains("seq="), "several connections have no line per heartbeat: {}", ran.all());
}

#[test]
fn heartbeats_are_spread_over_the_interval() {
    let server = Server::start(&[]);
    // Two kinds on two connections with an interval of an hour: at most one heartbeat in half a second.
    let args = ["-i", "4h", "-w", "500ms", "-n", "2", "--heartbeat", "both"];
    let (code, document) = ping_json(&[&args[..], &[&server.url()]].concat());
    let sent: f64 =
        ["protocol", "app"].map(|kind| number(&document["heartbeats"][kind]["sent"])).iter().sum();
    assert!(sent <= 1.0, "{document:#}");
    assert_eq!(code, Some(4), "no heartbeat was sent on the others");
}

#[test]
fn every_ping_payload_is_unique() {
    let (sender, payloads) = std::sync::mpsc::channel();
    let peer = Script::start(move |stream| {
        let sender = sender.clone();
        std::thread::spawn(move || tell_payloads(stream, &sender));
    });
    ping_json(&["-n", "3", "-c", "4", "-i", "20ms", "-W", "100ms", "--dead-after", "9", &peer.url()]);
    let longest = std::time::Duration::from_secs(60);
    let mut payloads: Vec<_> = (0..12).map(|_| payloads.recv_timeout(longest).unwrap()).collect();
    payloads.sort();
    payloads.dedup();
    assert_eq!(payloads.len(), 12);
}

/// Reports each Ping's payload and answers none.
fn tell_payloads(mut stream: std::net::TcpStream, to: &std::sync::mpsc::Sender<Vec<u8>>) {
    upgrade(&mut stream);
    while let Some((first, payload)) = read_frame(&mut stream) {
        if first == PING {
            let _ = to.send(payload);
        }
    }
}

#[test]
fn one_unreachable_target_of_two_fails() {
    let server = Server::start(&[]);
    let (_socket, port) = crate::support::closed_port();
    let bad = format!("ws://127.0.0.1:{port}/");
    let (code, document) = ping_json(&["-c", "2", "-i", "20ms", &server.url(), &bad]);
    assert_eq!((code, &document["result"]), (Some(1), &"failed".into()));
    assert_eq!(document["error"]["kind"], "refused");
}

#[test]
fn thresholds_decide_the_exit_code() {
    let server = Server::start(&["--delay", "30ms"]);
    let run = |more: &[&str]| ping_json(&[&["-i", "20ms"], more, &[&server.url()]].concat());
    assert_eq!(run(&["-c", "3"]).0, Some(0));
    assert_eq!(run(&["-c", "3", "--healthy", "10ms", "--fail-on", "degraded"]).0, Some(1));
    assert_eq!(run(&["-c", "3", "--fail-if", "rtt.p50>1ms"]).0, Some(1));
    let fine = ["--fail-if", "rtt.p50>10s", "--fail-if", "loss>1%", "--fail-if", "late>0"];
    assert_eq!(run(&[&["-c", "3"], &fine[..]].concat()).0, Some(0));
    let (code, document) = run(&["-c", "1", "--fail-if", "jitter>1h"]);
    assert_eq!((code, &document["result"]), (Some(4), &"inconclusive".into()), "{document:#}");
    assert!(document["reasons"][0].as_str().unwrap().contains("no sample of jitter"), "{document:#}");
}

#[test]
fn reconnect_reports_the_outage() {
    let server = Server::start(&["--close-after", "150ms:1012"]);
    let args = ["-c", "12", "-i", "50ms", "--reconnect", "--reconnect-base", "10ms"];
    let (code, document) = ping_json(&[&args[..], &[&server.url()]].concat());
    let connection = &document["targets"][0]["connections"][0];
    assert!(
        number(&connection["reconnects"]) >= 1.0 && number(&connection["outage_ms"]) > 0.0,
        "{document:#}"
    );
    assert_eq!(code, Some(1), "a connection ended that should not have");
    let reason = document["status_reason"].as_str().unwrap();
    assert!(document["status"] == "poor" && reason.starts_with("the connection was lost "), "{reason}");
    assert_eq!((&document["ending"]["who"], &connection["ending"]["code"]), (&"us".into(), &1000.into()));
    assert_eq!(connection["last_unplanned_ending"]["code"], 1012, "our own close does not hide the loss");
    assert!(number(&document["heartbeats"]["protocol"]["ok"]) >= 10.0, "{document:#}");
}

#[test]
fn reconnecting_to_a_dead_server_ends() {
    let server = Server::start(&[]);
    let args = ["ping", "-o", "ndjson", "-i", "20ms", "--reconnect", "--reconnect-base", "1ms"];
    let child =
        crate::support::wscheck(&[&args[..], &["--reconnect-attempts", "3", &server.url()]].concat()).spawn();
    let mut child = child.unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    lines.find(|line| line.as_ref().unwrap().contains("\"heartbeat\"")).unwrap().unwrap();
    drop(server);
    let rest: Vec<Value> = lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
    let of = |event: &str| rest.iter().filter(|line| line["event"] == event).count();
    assert_eq!((of("closed"), of("reconnecting"), of("gave_up")), (1, 3, 1), "{rest:#?}");
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

/// A server that leaves these Pings unanswered.
fn losing(lost: &'static [u64]) -> Script {
    Script::start(|mut stream| {
        upgrade(&mut stream);
        while let Some((first, payload)) = read_frame(&mut stream) {
            let seq = payload.last_chunk().map(|seq| u64::from_be_bytes(*seq));
            let answer = match first {
                PING if seq.is_some_and(|seq| lost.contains(&seq)) => continue,
                PING => PONG,
                first => first,
            };
            if stream.write_all(&frame(answer, &payload)).is_err() {
                return;
            }
        }
    })
}

#[test]
fn lost_last_pong_alone_fails_no_run() {
    let args = ["-c", "10", "-i", "20ms", "-W", "1s"];
    let (code, document) = ping_json(&[&args[..], &[&losing(&[9]).url()]].concat());
    let statuses = (&document["status"], &document["last_status"]);
    assert_eq!((code, statuses), (Some(0), (&"degraded".into(), &"timeout".into())), "{document:#}");
    assert_eq!(document["status_reason"], "1 of 10 heartbeats missed (10 % loss)");
}

#[test]
fn two_lost_pongs_at_the_end_are_a_timeout() {
    let args = ["-c", "10", "-i", "20ms", "-W", "1s"];
    let (code, document) = ping_json(&[&args[..], &[&losing(&[8, 9]).url()]].concat());
    assert_eq!((code, &document["status"]), (Some(1), &"timeout".into()), "{document:#}");
    let reason = document["status_reason"].as_str().unwrap();
    assert!(reason.starts_with("2 consecutive heartbeats missed"), "{reason}");
}

/// Uses app heartbeats where each lost answer must count as missed: on a busy machine, Pings may be superseded.
const APP: [&str; 6] = ["--heartbeat", "app", "--app-ping", "ask {seq}", "--app-pong", "answer {seq}"];

#[test]
fn lost_answer_in_the_middle_is_counted() {
    let peer = Script::start(|mut stream| {
        upgrade(&mut stream);
        while let Some((first, payload)) = read_frame(&mut stream) {
            let text = String::from_utf8_lossy(&payload).replace("ask", "answer");
            let answer = if first == TEXT { text.as_bytes() } else { &payload };
            if text != "answer 3" && stream.write_all(&frame(first, answer)).is_err() {
                return;
            }
        }
    });
    let (code, document) =
        ping_json(&[&APP[..], ANY_SPEED, &["-c", "6", "-i", "20ms", "-W", "1s", &peer.url()]].concat());
    let statuses = (&document["status"], &document["last_status"]);
    assert_eq!((code, statuses), (Some(0), (&"degraded".into(), &"healthy".into())), "{document:#}");
    assert_eq!(document["status_reason"], "1 of 6 heartbeats missed (16.7 % loss)");
}

#[test]
fn twenty_percent_loss_fails_without_fail_if() {
    let server = Server::start(&["--pong-loss", "20%"]);
    let lossy = ["--heartbeat", "app", "-c", "20", "-i", "50ms", "-W", "2s", &server.url()];
    let (code, document) = ping_json(&lossy);
    assert_eq!((code, &document["status"]), (Some(1), &"poor".into()), "{document:#}");
    let reason = "4 of 20 heartbeats missed (20 % loss)";
    assert_eq!((&document["status_reason"], &document["result"]), (&reason.into(), &"failed".into()));
    let (code, document) = ping_json(&[&lossy[..], &["--poor-loss", "20%"]].concat());
    assert_eq!((code, &document["status"]), (Some(0), &"degraded".into()), "{document:#}");
}

/// Each connection loses one pong of five, which fails none of them alone.
#[test]
fn losses_of_many_connections_add_up() {
    let server = Server::start(&["--pong-loss", "20%"]);
    let args = ["--heartbeat", "app", "-n", "40", "-c", "5", "-i", "100ms", "-W", "3s"];
    let (code, document) = ping_json(&[&args[..], &[&server.url()]].concat());
    assert_eq!((code, &document["status"]), (Some(1), &"poor".into()), "{}", document["reasons"]);
    let (target, counts) = (&document["targets"][0], &document["status_counts"]);
    assert_eq!((&target["status"], &counts["degraded"]), (&"poor".into(), &40.into()), "{counts:#}");
    let reason = "40 of 200 heartbeats missed (20 % loss) on all 40 connections together";
    assert_eq!((&document["status_reason"], &target["status_reason"]), (&reason.into(), &reason.into()));
    let ran = run(&[&["ping", "--proxy", "none"], &args[..], &[&server.url()]].concat());
    let context = [&format!("answer       poor: {reason}; 40 degraded"), "failed (exit 1)"];
    assert!(context.iter().all(|context| ran.stdout.contains(*context)), "{}", ran.stdout);
}

/// The server answers one heartbeat and closes, on every connection.
#[test]
fn reconnecting_to_closing_server_ends() {
    let peer = Script::start(|mut stream| {
        upgrade(&mut stream);
        if let Some((PING, payload)) = read_frame(&mut stream) {
            stream.write_all(&frame(PONG, &payload)).unwrap();
        }
    });
    let backoff = ["--reconnect", "--reconnect-base", "1ms", "--reconnect-cap", "20ms"];
    let args = [&["ping", "-o", "ndjson", "-i", "20ms", "--reconnect-attempts", "6"], &backoff[..]].concat();
    let ran = run(&[&args[..], &[&peer.url()]].concat());
    let lines = ran.ndjson();
    let attempts: Vec<_> = lines
        .iter()
        .filter(|line| line["event"] == "reconnecting")
        .map(|line| line["attempt"].as_u64())
        .collect();
    assert_eq!(attempts, (1..=6).map(Some).collect::<Vec<_>>(), "{lines:#?}");
    let gave_up = lines.iter().find(|line| line["event"] == "gave_up").unwrap();
    assert_eq!((&gave_up["attempts"], ran.code), (&6.into(), Some(1)), "{lines:#?}");
}

/// The outages of the run's only connection.
fn outages(document: &Value) -> &Value {
    &document["targets"][0]["connections"][0]["outages"]
}

const UNLIMITED: [&str; 9] = [
    "-i",
    "50ms",
    "--reconnect",
    "--reconnect-attempts",
    "unlimited",
    "--reconnect-base",
    "20ms",
    "--reconnect-cap",
    "100ms",
];

/// A server that is stopped for a while, then killed and started again: two outages, each as long as the server was away.
#[test]
fn every_outage_has_its_length_and_its_cause() {
    const AWAY: Duration = Duration::from_millis(1500);
    let server = Server::start(&["--heartbeat", "none"]);
    let (url, bind) = (server.url(), format!("127.0.0.1:{}", server.port));
    let silence = ["-W", "400ms", "--outage-after", "600ms", "--dead-after", "1000"];
    let mut run = Run::start(&[&UNLIMITED[..], &silence, &[&url]].concat());
    run.until("heartbeat");
    server.process.signal(libc::SIGSTOP);
    std::thread::sleep(AWAY);
    // Those from before it was stopped come first.
    while run.until("heartbeat")["outcome"] != "missed" {}
    server.process.signal(libc::SIGCONT);
    while run.until("heartbeat")["outcome"] != "ok" {}
    drop(server);
    std::thread::sleep(AWAY);
    let _again = Server::spawn(crate::support::wscheck(&["serve", "--bind", &bind, "--heartbeat", "none"]));
    run.until("reconnected");
    run.until("heartbeat");
    run.process.signal(libc::SIGINT);
    let (rest, _) = run.rest();
    let found = outages(rest.last().unwrap());
    let causes: Vec<_> = found["latest"].as_array().unwrap().iter().map(|one| &one["cause"]).collect();
    assert_eq!(causes, ["unanswered", "ended"], "{found:#}");
    for outage in found["latest"].as_array().unwrap() {
        assert!(number(&outage["length_ms"]) >= AWAY.as_secs_f64() * 1000.0 - 100.0, "{found:#}");
    }
    let [_, killed] = &found["latest"].as_array().unwrap()[..] else { panic!("{found:#}") };
    assert!(killed["failed_attempts"].as_u64() > Some(0) && killed["last_error"].is_string(), "{found:#}");
    assert!(number(&killed["uncertain_ms"]) <= 100.0, "{found:#}");
}

#[test]
fn run_starts_while_the_target_is_down() {
    let (held, port) = crate::support::closed_port();
    let url = format!("ws://127.0.0.1:{port}/");
    let mut run = Run::start(&[&UNLIMITED[..], &["-c", "2", &url]].concat());
    for _ in 0..3 {
        run.until("open_failed");
    }
    drop(held);
    let bind = format!("127.0.0.1:{port}");
    let _server = Server::spawn(crate::support::wscheck(&["serve", "--bind", &bind, "--heartbeat", "none"]));
    run.until("opened");
    let (rest, _) = run.rest();
    let found = outages(rest.last().unwrap());
    assert_eq!(
        (&found["count"], &found["latest"][0]["cause"]),
        (&1.into(), &"not_opened".into()),
        "{found:#}"
    );
    assert_eq!(found["latest"][0]["from_ms"], 0.0, "{found:#}");
}

/// The same server; a connection counts as lasting once a heartbeat is answered.
#[test]
fn lasting_connection_resets_the_attempts() {
    let peer = Script::start(|mut stream| {
        upgrade(&mut stream);
        if let Some((PING, payload)) = read_frame(&mut stream) {
            stream.write_all(&frame(PONG, &payload)).unwrap();
        }
    });
    let args = ["-i", "200ms", "--reconnect", "--reconnect-base", "1ms", "--reconnect-attempts", "1"];
    let mut run = Run::start(&[&args[..], &["--reconnect-reset-after", "1us", &peer.url()]].concat());
    for _ in 0..5 {
        assert_eq!(run.until("reconnecting")["attempt"], 1);
        run.until("reconnected");
    }
}

#[test]
fn secrets_are_redacted_everywhere() {
    let server = Server::start(&[]);
    let url = server.url().replace("ws://", "ws://bob:hunter2@") + "?token=hunter2&room=7";
    for format in ["human", "json", "ndjson"] {
        let ran = run(&["ping", "-o", format, "-c", "1", "-H", "Cookie: s=hunter2", &url]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(!ran.all().contains("hunter2") && ran.all().contains("room=7"), "{}", ran.all());
    }
}

#[test]
fn request_carries_the_given_options() {
    let (sender, heads) = std::sync::mpsc::channel();
    let peer = Script::start(move |mut stream| {
        sender.send(upgrade(&mut stream)).unwrap();
    });
    run(&[
        "ping",
        "-c",
        "1",
        "-H",
        "X-One: 1",
        "--origin",
        "https://app.example",
        "--subprotocol",
        "chat.v2",
        "--subprotocol",
        "chat.v1",
        "--user",
        "bob:pw",
        &peer.url(),
    ]);
    let head = heads.recv().unwrap().to_lowercase();
    for line in [
        "x-one: 1",
        "origin: https://app.example",
        "sec-websocket-protocol: chat.v2, chat.v1",
        "authorization: basic ym9ionb3",
        "sec-websocket-version: 13",
    ] {
        assert!(head.contains(&format!("{line}\r\n")), "'{line}' is not in {head}");
    }
}

#[test]
fn incomplete_frame_is_in_the_report() {
    let peer = Script::upgraded_then([&[0x82, 126, 0x27, 0x10][..], &[0; 100]].concat());
    for format in ["human", "json"] {
        let ran = run(&[
            "ping",
            "--proxy",
            "none",
            "-o",
            format,
            "-c",
            "9",
            "-i",
            "200ms",
            "-W",
            "200ms",
            &peer.url(),
        ]);
        let words = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            words.contains("a frame is incomplete: 100 of 10000 bytes came, then nothing for"),
            "{ran:?}"
        );
    }
}
