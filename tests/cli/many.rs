//! `wscheck ping` with many connections.

use std::collections::BTreeMap;
use std::process::Command;

use crate::support::{ANY_SPEED, Ran, Server, ping_json, run, wscheck};

/// Runs the command with a lower limit on open files.
fn with_files(limit: u32, args: &[&str]) -> Ran {
    let wscheck = wscheck(args);
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -n {limit}; exec \"$0\" \"$@\"")]);
    command.arg(wscheck.get_program()).args(wscheck.get_args());
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    Ran::of(command.spawn().unwrap())
}

#[test]
fn many_connections_list_only_the_worst() {
    let server = Server::start(&[]);
    let ran = run(&["ping", "-n", "40", "-c", "3", "-i", "50ms", "--worst", "2", &server.url()]);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    let lines: Vec<&str> = ran.stdout.lines().collect();
    let worst = lines.iter().position(|line| line.starts_with("worst        #")).expect(&ran.stdout);
    let listed = lines[worst..].iter().take_while(|line| line.contains(" from 127.0.0.1:")).count();
    assert_eq!(listed, 2, "{}", ran.stdout);
    assert!(lines[worst].contains(": healthy; rtt mean ") && lines[worst].ends_with("; 0 missed"));
    assert!(ran.stdout.contains("answer       healthy: 40 connections: 40 healthy"), "{}", ran.stdout);
    assert!(lines.len() < 30, "{}", ran.stdout);
}

#[test]
fn json_totals_equal_the_connection_rows() {
    let server = Server::start(&[]);
    let (code, document) = ping_json(&["-n", "40", "-c", "3", "-i", "50ms", &server.url()]);
    assert_eq!(code, Some(0), "{document:#}");
    let rows = document["targets"][0]["connections"].as_array().unwrap();
    assert_eq!((rows.len(), document["worst"].as_array().unwrap().len()), (40, 5));
    assert_eq!(
        (&document["rtt"]["count"], &document["heartbeats"]["protocol"]["ok"]),
        (&120.into(), &120.into())
    );
    let of_rows = |figure: &str| {
        rows.iter()
            .map(|row| row["heartbeats"]["protocol"]["rtt"][figure].as_f64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(of_rows("max_ms").into_iter().reduce(f64::max), document["rtt"]["max_ms"].as_f64());
    assert_eq!(of_rows("min_ms").into_iter().reduce(f64::min), document["rtt"]["min_ms"].as_f64());
    let slowest = document["worst"][0]["rtt"]["mean_ms"].as_f64();
    assert_eq!(of_rows("mean_ms").into_iter().reduce(f64::max), slowest);
    let locals: std::collections::BTreeSet<&str> =
        rows.iter().map(|row| row["local"].as_str().unwrap()).collect();
    assert_eq!(locals.len(), 40, "each row tells its own address");
}

#[test]
fn json_of_many_connections_lists_the_worst_unless_all_are_wanted() {
    let server = Server::start(&[]);
    let many = ["-n", "120", "-c", "1", &server.url()];
    let listed = |more: &[&str]| {
        let (code, document) = ping_json(&[&many, more].concat());
        let target = document["targets"][0].clone();
        assert_eq!((code, &target["connection_count"]), (Some(0), &120.into()), "{document:#}");
        target["connections"].as_array().unwrap().len()
    };
    assert_eq!((listed(&[]), listed(&["--worst", "7"]), listed(&["--all-connections"])), (5, 7, 120));
}

#[test]
#[cfg(target_os = "linux")]
fn departures_of_many_heartbeats_are_not_timestamped_by_the_kernel() {
    let server = Server::start(&[]);
    let timestamps = |more: &[&str]| {
        let (_, document) = ping_json(&[&["-n", "30", "-c", "2"], more, &[&server.url()]].concat());
        document["timestamps"].clone()
    };
    assert_eq!(timestamps(&["-i", "25ms"]), "kernel_receive");
    assert_eq!(timestamps(&["-i", "25ms", "--timestamps", "kernel"]), "kernel");
    assert_eq!(timestamps(&["-i", "200ms"]), "kernel");
}

#[test]
fn compact_json_is_one_line() {
    let server = Server::start(&[]);
    let ran = run(&["ping", "-c", "1", "-o", "json", "--compact", &server.url()]);
    assert_eq!((ran.code, ran.stdout.lines().count()), (Some(0), 1), "{}", ran.all());
    assert_eq!(ran.json()["command"], "ping");
    let refused = run(&["ping", "-c", "1", "--compact", &server.url()]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("--compact has no effect without -o json"), "{}", refused.all());
}

#[test]
fn connections_open_by_the_ramp() {
    let server = Server::start(&[]);
    for ramp in ["1/m", "10h"] {
        let (code, document) = ping_json(
            &[ANY_SPEED, &["-n", "3", "--ramp", ramp, "-i", "20ms", "-w", "500ms", &server.url()]].concat(),
        );
        assert_eq!(code, Some(4), "{document:#}");
        let counts = &document["status_counts"];
        assert_eq!((&counts["healthy"], &counts["unknown"]), (&1.into(), &2.into()), "{ramp}: {document:#}");
    }
    let ran = run(&["ping", "-n", "20", "--ramp", "1000/s", "-c", "1", &server.url()]);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    assert!(ran.stdout.contains("20 of 20"), "{}", ran.stdout);
}

#[test]
fn too_few_file_descriptors_are_refused_early() {
    let server = Server::start(&[]);
    let ran = with_files(100, &["ping", "-n", "69", &server.url()]);
    assert_eq!(ran.code, Some(3), "{}", ran.all());
    assert!(ran.stdout.is_empty() && ran.stderr.contains("cannot open 69 connections: "), "{}", ran.all());
    assert!(ran.stderr.contains("\nhint: -n 68 is the maximum here; "), "{}", ran.stderr);
    let ran = with_files(100, &["ping", "-n", "69", "--json", &server.url()]);
    assert_eq!((ran.code, &ran.json()["error"]["kind"]), (Some(3), &"local".into()));
    let ran = with_files(100, &["ping", "-n", "68", "-c", "1", &server.url()]);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
}

#[cfg(target_os = "linux")]
#[test]
fn connections_are_spread_over_local_addresses() {
    let server = Server::start(&[]);
    let (code, document) =
        ping_json(&["-n", "6", "--bind", "127.0.0.2,127.0.0.3,127.0.0.4", "-c", "1", &server.url()]);
    assert_eq!(code, Some(0), "{document:#}");
    let mut uses = BTreeMap::new();
    for row in document["targets"][0]["connections"].as_array().unwrap() {
        let local = row["local"].as_str().unwrap();
        *uses.entry(local.split(':').next().unwrap()).or_insert(0) += 1;
    }
    assert_eq!(uses.into_iter().collect::<Vec<_>>(), [("127.0.0.2", 2), ("127.0.0.3", 2), ("127.0.0.4", 2)]);
}

#[test]
fn adaptive_heartbeats_follow_the_answers() {
    let server = Server::start(&[]);
    let (code, document) = ping_json(&["--adaptive", "-c", "500", &server.url()]);
    assert_eq!((code, &document["heartbeats"]["protocol"]["ok"]), (Some(0), &500.into()), "{document:#}");
    assert!(document["settings"]["interval_ms"].is_null());
    let ran = run(&["ping", "--adaptive", "-c", "2", &server.url()]);
    assert!(
        ran.stdout.contains("heartbeats as soon as the last is answered, timeout 10 s"),
        "{}",
        ran.stdout
    );
    let ran = run(&["ping", "--adaptive", "-i", "1s", &server.url()]);
    assert_eq!(ran.code, Some(2), "{}", ran.all());
}
