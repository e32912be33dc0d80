//! What systemd is told, by a socket of ours in its place.

use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::{Reaped, Server, wscheck};

/// The place of systemd.
struct Manager {
    folder: tempfile::TempDir,
    socket: UnixDatagram,
}

impl Manager {
    fn new() -> Manager {
        let folder = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        // A test that hangs fails.
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Manager { folder, socket }
    }

    fn start(&self, mut command: Command) -> Reaped {
        command.env("NOTIFY_SOCKET", self.folder.path().join("notify")).env("WATCHDOG_USEC", "100000");
        Reaped(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    fn message(&self) -> String {
        let mut bytes = [0; 1024];
        let length = self.socket.recv(&mut bytes).unwrap();
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    }

    /// Waits for the watchdog's message; nothing else comes before it.
    fn until_alive(&self) {
        assert_eq!(self.message(), "WATCHDOG=1\n");
    }

    /// The next message that does not only say that the process is alive.
    fn news(&self) -> String {
        std::iter::repeat_with(|| self.message()).find(|message| message != "WATCHDOG=1\n").unwrap()
    }
}

#[test]
fn services_are_ready_alive_reloading_and_stopping() {
    for arguments in [&["exporter", "--listen", "127.0.0.1:0"][..], &["watch"]] {
        let manager = Manager::new();
        let server = Server::start(&["--heartbeat", "none"]);
        let file = manager.folder.path().join("wscheck.toml");
        let text = format!("[[target]]\nname = \"a\"\nurl = \"{}\"\n", server.url());
        std::fs::write(&file, &text).unwrap();
        let config = file.display().to_string();
        let service = manager.start(wscheck(&[arguments, &["--config", &config]].concat()));
        assert_eq!(manager.news(), "READY=1\n", "{arguments:?}");
        manager.until_alive();
        // One reload, and one that finds a mistake and changes nothing.
        for text in [text, "nonsense".to_string()] {
            std::fs::write(&file, text).unwrap();
            service.signal(libc::SIGHUP);
            let reloading = manager.news();
            let time = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=");
            let time = time.and_then(|time| time.trim_end().parse::<u64>().ok());
            assert!(time.is_some_and(|time| time > 0), "{reloading}");
            assert_eq!(manager.news(), "READY=1\n", "{arguments:?}");
        }
        manager.until_alive();
        service.signal(libc::SIGTERM);
        assert_eq!(manager.news(), "STOPPING=1\n", "{arguments:?}");
    }
}

#[test]
fn watch_is_ready_although_its_target_is_down() {
    let manager = Manager::new();
    let watch = manager.start(wscheck(&["watch", "ws://127.0.0.1:9/"]));
    assert_eq!(manager.news(), "READY=1\n");
    manager.until_alive();
    watch.signal(libc::SIGTERM);
    assert_eq!(manager.news(), "STOPPING=1\n");
}
