//! Headless Chromium, driven by the DevTools protocol.

use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Message, WebSocket, client::client};

use super::programs::{find, missing};
use super::{Reaped, read_head};

/// An answer of the browser that takes longer fails the test.
const LIMIT: Duration = Duration::from_secs(60);

/// One page of a browser.
pub struct Page {
    _browser: Reaped,
    _profile: tempfile::TempDir,
    socket: WebSocket<TcpStream>,
    next_id: u64,
}

impl Page {
    /// Opens a URL in a window of this many pixels.
    pub fn open(url: &str, width: u32, is_dark: bool) -> Page {
        let chromium = find("chromium").unwrap_or_else(|| missing("chromium"));
        let profile = tempfile::tempdir().unwrap();
        let browser = Command::new(chromium)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--disable-dev-shm-usage",
            ])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .args(["--remote-debugging-port=0", "about:blank"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let browser = Reaped(browser);
        let port = debugging_port(profile.path());
        let target = page_url(port);
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        let (socket, _) = client(target, stream).unwrap();
        let mut page = Page { _browser: browser, _profile: profile, socket, next_id: 0 };
        let size = json!({ "width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": false });
        page.call("Emulation.setDeviceMetricsOverride", &size);
        let scheme = if is_dark { "dark" } else { "light" };
        let feature = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        page.call("Emulation.setEmulatedMedia", &feature);
        page.call("Page.navigate", &json!({ "url": url }));
        page
    }

    /// Calls a method of the protocol; events that come meanwhile are left out.
    pub fn call(&mut self, method: &str, parameters: &Value) -> Value {
        self.next_id += 1;
        let request = json!({ "id": self.next_id, "method": method, "params": parameters });
        self.socket.send(Message::text(request.to_string())).unwrap();
        loop {
            let message = self.socket.read().unwrap();
            let Ok(text) = message.to_text() else { continue };
            let Ok(answer) = serde_json::from_str::<Value>(text) else { continue };
            if answer["id"] == self.next_id {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }

    /// The value of an expression, which may be a promise.
    pub fn value(&mut self, expression: &str) -> Value {
        let parameters = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.call("Runtime.evaluate", &parameters);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Evaluates an expression until it is true.
    pub fn until(&mut self, expression: &str) {
        let deadline = Instant::now() + LIMIT;
        while self.value(expression) != true {
            if Instant::now() > deadline {
                let page = self.value("document.documentElement.outerHTML");
                panic!("{expression}: {page}");
            }
        }
    }
}

/// The browser writes its port to a file.
fn debugging_port(profile: &std::path::Path) -> u16 {
    let deadline = Instant::now() + LIMIT;
    loop {
        let written = std::fs::read_to_string(profile.join("DevToolsActivePort")).unwrap_or_default();
        if let Some(port) = written.lines().next().and_then(|line| line.parse().ok()) {
            return port;
        }
        assert!(Instant::now() < deadline, "the browser did not start");
        std::thread::yield_now();
    }
}

/// Where the only page is debugged.
fn page_url(port: u16) -> String {
    let deadline = Instant::now() + LIMIT;
    loop {
        let body = listed_pages(port);
        let pages: Vec<Value> = serde_json::from_str(&body).unwrap_or_default();
        let page = pages.iter().find(|page| page["type"] == "page");
        if let Some(url) = page.and_then(|page| page["webSocketDebuggerUrl"].as_str()) {
            return url.to_string();
        }
        assert!(Instant::now() < deadline, "the browser has no page: {body}");
    }
}

/// The browser keeps the connection open, so the length of its answer counts.
fn listed_pages(port: u16) -> String {
    let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", port)).unwrap());
    stream.get_ref().set_read_timeout(Some(LIMIT)).unwrap();
    let request = format!("GET /json/list HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n");
    stream.get_mut().write_all(request.as_bytes()).unwrap();
    let head = read_head(&mut stream).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or_else(|| panic!("no length: {head}"))];
    stream.read_exact(&mut body).unwrap();
    String::from_utf8(body).unwrap()
}
