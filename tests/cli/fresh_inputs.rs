//! What expires is read anew before each opening: headers, messages and the URL.

use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::support::{PING, PONG, Run, Script, accept, frame, read_frame, read_head, run};

/// Opens again soon.
const QUICK: [&str; 6] = ["-i", "50ms", "--reconnect-base", "20ms", "--reconnect-cap", "40ms"];

/// What a server demands, and the connection that it has.
#[derive(Default)]
struct Gate {
    /// Must be in the head of the request.
    demanded: Mutex<String>,
    /// The first message after each upgrade.
    messages: Mutex<Vec<String>>,
    open: Mutex<Option<TcpStream>>,
}

impl Gate {
    fn demanding(text: &str) -> Arc<Gate> {
        Arc::new(Gate { demanded: Mutex::new(text.to_string()), ..Gate::default() })
    }

    /// Demands this from now on, and ends the connection that is open.
    fn demand(&self, text: &str) {
        *self.demanded.lock().unwrap() = text.to_string();
        let open = self.open.lock().unwrap().take();
        open.unwrap().shutdown(Shutdown::Both).unwrap();
    }

    fn server(self: &Arc<Gate>) -> Script {
        let gate = Arc::clone(self);
        Script::start(move |stream| gate.answer(stream))
    }

    fn answer(&self, mut stream: TcpStream) {
        use std::io::Write;
        let head = read_head(&mut stream);
        if !head.contains(self.demanded.lock().unwrap().as_str()) {
            let _ = stream.write_all(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
            return;
        }
        *self.open.lock().unwrap() = Some(stream.try_clone().unwrap());
        accept(&mut stream, &head, None);
        while let Some((first, payload)) = read_frame(&mut stream) {
            match first {
                PING if stream.write_all(&frame(PONG, &payload)).is_err() => return,
                0x81 => self.messages.lock().unwrap().push(String::from_utf8(payload).unwrap()),
                _ => {}
            }
        }
    }
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).display().to_string()
}

/// Reads lines to the next failed opening in this phase.
fn failed_in(run: &mut Run, phase: &str) -> Value {
    // The server may have refused the old token a few times before.
    let failures = (0..1000).map(|_| run.until("open_failed")["error"].clone());
    let mut of_phase = failures.filter(|error| error["phase"] == phase);
    of_phase.next().unwrap_or_else(|| panic!("no failure in the phase {phase}"))
}

/// The server accepts the second token only, after a file that was missing for a while is there again.
#[test]
fn renewed_token_and_message_open_the_connection_again() {
    for command in ["watch", "ping"] {
        let folder = tempfile::tempdir().unwrap();
        let (headers, message) = (path(folder.path(), "headers"), path(folder.path(), "message"));
        std::fs::write(&headers, "Authorization: Bearer first-token-55018\n").unwrap();
        std::fs::write(&message, "login first-login-55018\n").unwrap();
        let gate = Gate::demanding("first-token-55018");
        let (server, send) = (gate.server(), format!("@{message}"));
        let unlimited = ["--reconnect", "--reconnect-attempts", "unlimited"];
        let (url, of_ping) = (server.url(), if command == "ping" { &unlimited[..] } else { &[] });
        let given = ["--headers-file", &headers, "--send", &send, &url];
        let mut running = Run::of(command, &[&QUICK[..], of_ping, &given].concat());
        running.until("heartbeat");

        std::fs::remove_file(&headers).unwrap();
        gate.demand("second-token-55018");
        let failed = failed_in(&mut running, "input");
        let expected = format!("cannot read the headers file {headers}: no such file or directory (ENOENT)");
        assert_eq!((&failed["cause"], &failed["kind"]), (&expected.into(), &"local".into()), "{command}");
        std::fs::write(&message, "login second-login-55018\n").unwrap();
        std::fs::write(&headers, "Authorization: Bearer second-token-55018\n").unwrap();
        running.until("reconnected");
        // Its Pong shows that the server has read what was sent before.
        running.until("heartbeat");
        assert_eq!(*gate.messages.lock().unwrap(), ["login first-login-55018", "login second-login-55018"]);

        running.process.signal(libc::SIGINT);
        let (lines, _) = running.rest();
        let outage = &lines.last().unwrap()["targets"][0]["connections"][0]["outages"];
        assert_eq!(outage["count"], 1, "{command}: {outage:#}");
        let all = lines.iter().map(Value::to_string).collect::<String>();
        assert!(!all.contains("-token-55018") && !all.contains("-login-55018"), "{command}: {all}");
    }
}

#[test]
fn command_gives_the_url_of_each_opening() {
    let folder = tempfile::tempdir().unwrap();
    let file = path(folder.path(), "url");
    let gate = Gate::demanding("GET /live?ticket=first-ticket-771 ");
    let server = gate.server();
    let url_with = |ticket: &str| format!("ws://127.0.0.1:{}/live?ticket={ticket}\n", server.port);
    std::fs::write(&file, url_with("first-ticket-771")).unwrap();
    let command = format!("cat '{file}'");
    // Nothing listens at this name.
    let named = "ws://chat.invalid/";
    let mut running = Run::of("watch", &[&QUICK[..], &["--url-command", &command, named]].concat());
    running.until("heartbeat");

    std::fs::write(&file, "Error: session-secret-771 has expired\n").unwrap();
    gate.demand("GET /live?ticket=second-ticket-771 ");
    let failed = failed_in(&mut running, "input");
    let expected = "'cat' gave no URL: the first line that it printed is no WebSocket URL (ws:// or wss://)";
    assert_eq!(failed["cause"], expected);
    std::fs::write(&file, url_with("second-ticket-771")).unwrap();
    running.until("reconnected");

    running.process.signal(libc::SIGINT);
    let (lines, _) = running.rest();
    assert_eq!(lines.last().unwrap()["targets"][0]["url"], named);
    let all = lines.iter().map(Value::to_string).collect::<String>();
    assert!(!all.contains("-ticket-771") && !all.contains("session-secret"), "{all}");
}

/// What is missing at the start is a mistake on the command line; a command that fails is a failed opening.
#[test]
fn missing_input_at_the_start_opens_nothing() {
    let url = "ws://127.0.0.1:9/";
    for command in ["ping", "watch"] {
        let ran = run(&[command, "--headers-file", "/nonexistent/headers", url]);
        assert_eq!(ran.code, Some(2), "{}", ran.all());
        let expected = "--headers-file: cannot read /nonexistent/headers: no such file or directory (ENOENT)";
        assert!(ran.stderr.contains(expected), "{}", ran.stderr);
    }
    let ran = run(&["ping", "--url-command", "/nonexistent/program --token abc-331-def", url]);
    assert_eq!(ran.code, Some(3), "{}", ran.all());
    let expected = "input: cannot start '/nonexistent/program': no such file or directory (ENOENT)";
    assert!(ran.stderr.contains(expected) && !ran.all().contains("abc-331"), "{}", ran.all());
    let ran = run(&["ping", "--url-command", "true", url, url]);
    assert_eq!(ran.code, Some(2), "{}", ran.all());
}
