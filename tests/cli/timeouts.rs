//! `wscheck timeouts`: the table of known timers, in every format.

use serde_json::Value;

use crate::support::{Ran, run, wscheck};

fn entries(document: &Value) -> &Vec<Value> {
    document["timeouts"].as_array().unwrap()
}

#[test]
fn every_timer_has_source_and_confidence() {
    let document = run(&["timeouts", "--json"]).json();
    assert!(entries(&document).len() > 80);
    for entry in entries(&document) {
        assert!(entry["source"].as_str().is_some_and(|source| source.len() > 5), "{entry}");
        assert!(["high", "medium"].contains(&entry["confidence"].as_str().unwrap()), "{entry}");
    }
    assert_eq!(document["product"], Value::Null);
}

#[test]
fn nginx_is_shown_in_full() {
    insta::assert_snapshot!(run(&["timeouts", "nginx"]).all());
}

#[test]
fn product_is_found_case_insensitively() {
    let ids = |product: &str| {
        let document = run(&["timeouts", "--json", product]).json();
        entries(&document).iter().map(|entry| entry["id"].as_str().unwrap().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(ids("HEROKU"), ["heroku"]);
    assert_eq!(ids("aws.nlb"), ["aws.nlb.tcp", "aws.nlb.tls"]);
    assert!(ids("ELB").contains(&"aws.clb".to_string()));
}

#[test]
fn ndjson_lists_entries_and_ends_with_the_document() {
    let lines = run(&["timeouts", "-o", "ndjson", "haproxy"]).ndjson();
    let (document, entries) = lines.split_last().unwrap();
    assert_eq!(document["timeouts"].as_array().unwrap().len(), entries.len());
    for (line, entry) in entries.iter().zip(document["timeouts"].as_array().unwrap()) {
        assert_eq!((&line["event"], &line["timeout"]), (&"timeout".into(), entry));
    }
}

#[test]
fn unknown_product_error_suggests_similar_names() {
    let ran = run(&["timeouts", "ngnix"]);
    let context = "error: 'ngnix' is not a product in the table of timeouts; similar names: nginx\n";
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (Some(2), "", context));
    let ran = run(&["timeouts", "--json", "qqqq\u{1b}[2J"]);
    let document = ran.json();
    assert_eq!((ran.code, &document["result"]), (Some(2), &"usage".into()));
    let context =
        "'qqqq\\u{1b}[2J' is not a product in the table of timeouts; 'wscheck timeouts' lists them all";
    assert_eq!(document["error"]["message"], context);
    assert_eq!(run(&["timeouts", ""]).code, Some(2));
}

#[test]
fn table_is_grouped_by_kind_and_sorted() {
    let text = run(&["timeouts"]).stdout;
    let place = |text: &str, what: &str| text.find(what).unwrap_or_else(|| panic!("no {what}"));
    let (idle, lifetime, other) =
        (place(&text, "Idle timeouts"), place(&text, "Lifetimes"), place(&text, "Other timers"));
    assert!(idle < lifetime && lifetime < other);
    assert!(
        place(&text, "AWS ALB") < place(&text, "Heroku router") && place(&text, "Heroku router") < lifetime
    );
    let classic = place(&text, "Google Cloud classic");
    assert!(lifetime < classic && classic < other);
}

#[test]
fn closed_pipe_ends_quietly_without_colour() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ran = Ran::of(wscheck(&["timeouts"]).stdout(writer).spawn().unwrap());
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert!(!run(&["timeouts", "nginx"]).stdout.contains('\x1b'));
    let colored = wscheck(&["timeouts", "nginx", "--color", "always"]).spawn().unwrap();
    assert!(Ran::of(colored).stdout.contains('\x1b'));
}
