//! A relay before a server, which notes by its own clock when the server's bytes pass, and can slow them down. What it noted is
//! the truth that monitoring is compared with.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The first byte of an unmasked Pong frame, and of a masked Ping frame.
const PONG: u8 = 0x8a;
const PING: u8 = 0x89;

pub struct Relay {
    pub port: u16,
    notes: Arc<Notes>,
}

#[derive(Default)]
struct Notes {
    /// How long bytes of the server's are held back, in ms.
    delay: AtomicU64,
    /// When bytes of the server reached a client that was there.
    alive: Mutex<Vec<Instant>>,
    /// From a Ping to its Pong.
    rtts: Mutex<Vec<Duration>>,
    /// Connections, and how many of them saw a Pong.
    connections: AtomicU64,
    answered: AtomicU64,
}

impl Relay {
    /// Relays to this port of loopback. Ends with the test process.
    pub fn start(server: u16) -> Relay {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let notes = Arc::new(Notes::default());
        let noting = Arc::clone(&notes);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                noting.connections.fetch_add(1, Relaxed);
                let notes = Arc::clone(&noting);
                std::thread::spawn(move || relay(client, server, &notes));
            }
        });
        Relay { port, notes }
    }

    pub fn url(&self) -> String {
        format!("ws://127.0.0.1:{}/", self.port)
    }

    pub fn delay(&self, delay: Duration) {
        self.notes.delay.store(delay.as_millis() as u64, Relaxed);
    }

    /// Connections so far, and how many of them saw a Pong.
    pub fn counts(&self) -> (u64, u64) {
        (self.notes.connections.load(Relaxed), self.notes.answered.load(Relaxed))
    }

    /// How many Pongs passed.
    pub fn pongs(&self) -> usize {
        self.notes.rtts.lock().unwrap().len()
    }

    pub fn rtts(&self) -> Vec<Duration> {
        self.notes.rtts.lock().unwrap().clone()
    }

    /// The silences of the server of at least this length.
    pub fn silences(&self, least: Duration) -> Vec<Duration> {
        let alive = self.notes.alive.lock().unwrap();
        alive.windows(2).map(|two| two[1] - two[0]).filter(|silence| *silence >= least).collect()
    }
}

fn relay(client: TcpStream, server: u16, notes: &Notes) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { return };
    // Pings that wait for their Pong: when they passed.
    let pings = Mutex::new(VecDeque::new());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            pass(&client, &server, |bytes| {
                if bytes[0] == PING {
                    pings.lock().unwrap().push_back(Instant::now());
                }
            });
            // The client is gone: what the server still sends reaches nobody.
            let _ = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
        });
        let mut is_answered = false;
        pass(&server, &client, |bytes| {
            std::thread::sleep(Duration::from_millis(notes.delay.load(Relaxed)));
            let now = Instant::now();
            notes.alive.lock().unwrap().push(now);
            if bytes[0] == PONG {
                notes.rtts.lock().unwrap().extend(pings.lock().unwrap().pop_front().map(|sent| now - sent));
                notes.answered.fetch_add(u64::from(!is_answered), Relaxed);
                is_answered = true;
            }
        });
        let _ = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
    });
}

fn pass(mut from: &TcpStream, mut to: &TcpStream, mut note: impl FnMut(&[u8])) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        note(&buffer[..length]);
        if to.write_all(&buffer[..length]).is_err() {
            return;
        }
    }
}
