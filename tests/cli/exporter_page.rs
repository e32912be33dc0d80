//! The exporter's page `/`: over HTTP, and in a browser.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use crate::exporter::{config, exporter, get, target};
use crate::support::browser::Page;
use crate::support::{Server, text, wscheck};

/// A name that a page must not take for HTML.
const HOSTILE: &str = "<img src=x onerror=alert(1)>";

/// The head of an answer to a request for the events, and what follows it.
fn events(port: u16, headers: &str) -> (String, BufReader<TcpStream>) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(format!("GET /events HTTP/1.1\r\n{headers}\r\n").as_bytes()).unwrap();
    let mut lines = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(lines.read_line(&mut head).unwrap() > 0, "{head}");
    }
    (head, lines)
}

/// Reads events until one has this text.
fn until_event(lines: &mut impl BufRead, wanted: &str) {
    let mut line = String::new();
    while !line.contains(wanted) {
        line.clear();
        assert!(lines.read_line(&mut line).unwrap() > 0, "no {wanted}");
    }
}

#[test]
fn page_and_events_show_targets_and_follow_a_reload() {
    let server = Server::start(&["--heartbeat", "none"]);
    let folder = tempfile::tempdir().unwrap();
    let file = config(folder.path(), &target(HOSTILE, &server.url(), ""));
    let exporter = exporter(&["--config", &file]);
    let (status, page) = get(exporter.port, "/");
    assert_eq!(status, 200);
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("&lt;img src=x"), "{page}");
    assert!(!page.contains("<img"), "{page}");
    let (head, mut lines) = events(exporter.port, "Host: localhost\r\n");
    assert!(head.starts_with("HTTP/1.1 200") && head.contains("text/event-stream"), "{head}");
    until_event(&mut lines, "1 of 1");
    config(folder.path(), &[target("chat", &server.url(), ""), target("feed", &server.url(), "")].concat());
    exporter.process.signal(libc::SIGHUP);
    until_event(&mut lines, "2 of 2");
}

/// A page of another site may not take the places of those that follow the targets, and no more than eight may.
#[test]
fn events_are_for_few_pages_of_this_site() {
    let server = Server::start(&["--heartbeat", "none"]);
    let exporter = exporter(&[&server.url()]);
    let status = |headers: &str| events(exporter.port, headers).0[9..12].to_string();
    assert_eq!(status("Host: localhost\r\nOrigin: https://other.example\r\n"), "403");
    assert_eq!(status("Host: other.example\r\n"), "421");
    let open: Vec<_> = (0..8).map(|_| events(exporter.port, "Host: localhost\r\n")).collect();
    assert!(open.iter().all(|(head, _)| head.starts_with("HTTP/1.1 200")));
    assert_eq!(status("Host: localhost\r\n"), "503");
    drop(open);
    // The server notices when it sends the next event.
    while status("Host: localhost\r\n") == "503" {}
}

#[test]
fn page_needs_the_credentials_of_the_others() {
    let server = Server::start(&["--heartbeat", "none"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("auth");
    std::fs::write(&file, "bob:secret-4471\n").unwrap();
    let exporter = exporter(&["--basic-auth-file", &file.display().to_string(), &server.url()]);
    assert_eq!(get(exporter.port, "/").0, 401);
    assert_eq!(events(exporter.port, "Host: localhost\r\n").0[9..12], *"401");
    let given = "Host: localhost\r\nAuthorization: Basic Ym9iOnNlY3JldC00NDcx\r\n";
    assert_eq!(events(exporter.port, given).0[9..12], *"200");
}

/// Rows and charts appear, an outage becomes visible without a reload, nothing is wider than the window, and nothing comes
/// from elsewhere; light and dark, and as narrow as 60 columns.
#[test]
#[ignore = "needs a browser: tests/peers/install.sh"]
fn browser_shows_an_outage_as_it_happens() {
    let axe = text("tests/peers/node/node_modules/axe-core/axe.min.js");
    for (width, is_dark) in [(1200, false), (480, true)] {
        let server = Server::start(&["--heartbeat", "none"]);
        let (url, bind) = (server.url(), format!("127.0.0.1:{}", server.port));
        let folder = tempfile::tempdir().unwrap();
        let both = [target("chat", &url, ""), target(HOSTILE, &url, "")].concat();
        let exporter = exporter(&["--config", &config(folder.path(), &both)]);
        let mut page = Page::open(&format!("http://127.0.0.1:{}/", exporter.port), width, is_dark);
        page.until("document.getElementById('feed')?.textContent === 'live'");
        page.until("document.querySelectorAll('article svg polyline').length === 2");
        page.until("document.querySelector('#summary').textContent.startsWith('2 of 2')");
        assert_eq!(page.value("document.querySelectorAll('tbody tr').length"), 2);
        assert_eq!(page.value("document.querySelectorAll('article .fill-bad').length"), 0);
        drop(server);
        page.until("document.querySelector('#summary').textContent.startsWith('0 of 2')");
        page.until("document.querySelector('article').textContent.includes('so far')");
        page.until("document.querySelectorAll('article .fill-bad').length >= 2");
        let _again = Server::spawn(wscheck(&["serve", "--bind", &bind, "--heartbeat", "none"]));
        page.until("document.querySelector('#summary').textContent.startsWith('2 of 2')");
        page.until("document.querySelectorAll('article .fill-bad').length >= 2");
        assert_eq!(page.value("document.querySelector('img')"), serde_json::Value::Null);
        assert_eq!(page.value(&format!("document.body.textContent.includes('{HOSTILE}')")), true);
        assert_eq!(page.value("document.documentElement.scrollWidth <= innerWidth"), true, "{width}");
        let loaded =
            "performance.getEntriesByType('resource').every(one => one.name.startsWith(location.origin))";
        assert_eq!(page.value(loaded), true);
        let ground = page.value("getComputedStyle(document.body).backgroundColor");
        assert_eq!(ground, if is_dark { "rgb(13, 17, 23)" } else { "rgb(255, 255, 255)" });
        page.value(&axe);
        let violations = "axe.run().then(found => JSON.stringify(found.violations.map(one => [one.id, one.nodes.map(node => node.html)])))";
        assert_eq!(page.value(violations), "[]", "{width}, dark: {is_dark}");
    }
}
