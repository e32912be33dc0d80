//! Real third-party servers for the presets, installed by `tests/peers/install.sh`.

use std::sync::LazyLock;

use crate::peers::Peer;
use crate::support::Server;

/// A preset and its real server.
pub struct Live {
    pub preset: &'static str,
    pub peer: Peer,
    /// Its host, by name or address; the port follows.
    pub host: &'static str,
    pub path: &'static str,
    pub measures: Measures,
    pub says: Says,
}

/// What the preset measures.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Measures {
    /// Messages, which the server answers.
    App,
    /// Ping frames; by design nothing else is answered.
    Protocol,
}

/// Heartbeats that the server sends to a client of this preset.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Says {
    Nothing,
    /// App heartbeats with this interval in milliseconds.
    App(f64),
    /// Ping frames with this interval in milliseconds.
    Protocol(f64),
    /// App heartbeats with this interval in milliseconds, but only to clients that send none.
    AppUnlessAsked(f64),
}

/// Runs Python with the packages of `python/requirements.txt`.
pub const PYTHON: &str = "python/.venv/bin/python";

/// Defaults of an entry.
const PLAIN: Live = Live {
    preset: "",
    peer: Peer { name: "", needs: "", command: &[] },
    host: "127.0.0.1",
    path: "/",
    measures: Measures::App,
    says: Says::Nothing,
};

pub const LIVE: &[Live] = &[
    Live {
        preset: "engine.io",
        peer: Peer {
            name: "engine.io",
            needs: "node/node_modules/engine.io/package.json",
            command: &["node", "node/engineio.js", "500", "400"],
        },
        path: "/engine.io/?EIO=4&transport=websocket",
        measures: Measures::Protocol,
        says: Says::App(500.0),
        ..PLAIN
    },
    Live {
        preset: "engine.io",
        peer: Peer {
            name: "python-engineio",
            needs: "python/.venv/bin/jupyter-server",
            command: &[PYTHON, "python/engineio_server.py", "0.5", "0.4"],
        },
        path: "/engine.io/?EIO=4&transport=websocket",
        measures: Measures::Protocol,
        says: Says::App(500.0),
        ..PLAIN
    },
    Live {
        preset: "socket.io",
        peer: Peer {
            name: "socket.io 4",
            needs: "node/node_modules/socket.io/package.json",
            command: &["node", "node/socketio.js", "500", "400"],
        },
        path: "/socket.io/?EIO=4&transport=websocket",
        measures: Measures::Protocol,
        says: Says::App(500.0),
        ..PLAIN
    },
    Live {
        preset: "engine.io-3",
        peer: Peer {
            name: "socket.io 2",
            needs: "node/node_modules/socket.io-v2/package.json",
            command: &["node", "node/socketio_v2.js"],
        },
        path: "/socket.io/?EIO=3&transport=websocket",
        ..PLAIN
    },
    Live {
        preset: "graphql-ws",
        peer: Peer {
            name: "graphql-ws",
            needs: "node/node_modules/graphql-ws/package.json",
            command: &["node", "node/graphql.js", "500", "1000"],
        },
        path: "/graphql",
        says: Says::Protocol(500.0),
        ..PLAIN
    },
    Live {
        preset: "subscriptions-transport-ws",
        peer: Peer {
            name: "subscriptions-transport-ws",
            needs: "node/node_modules/subscriptions-transport-ws/package.json",
            command: &["node", "node/graphql_legacy.js", "500"],
        },
        path: "/graphql",
        measures: Measures::Protocol,
        says: Says::App(500.0),
        ..PLAIN
    },
    Live {
        // This one sends Ping frames where others send h.
        preset: "sockjs",
        peer: Peer {
            name: "sockjs",
            needs: "node/node_modules/sockjs/package.json",
            command: &["node", "node/sockjs.js", "500"],
        },
        path: "/echo/000/wscheck1/websocket",
        measures: Measures::Protocol,
        says: Says::Protocol(500.0),
        ..PLAIN
    },
    Live {
        preset: "stomp",
        peer: Peer {
            name: "stomp-broker-js",
            needs: "node/node_modules/stomp-broker-js/package.json",
            command: &["node", "node/stomp.js"],
        },
        path: "/stomp",
        measures: Measures::Protocol,
        ..PLAIN
    },
    Live {
        preset: "mqtt",
        peer: Peer {
            name: "mosquitto",
            needs: "/usr/sbin/mosquitto",
            command: &["python3", "daemons/start.py", "mosquitto"],
        },
        path: "/mqtt",
        ..PLAIN
    },
    Live {
        preset: "nats",
        peer: Peer {
            name: "nats-server",
            needs: "/usr/sbin/nats-server",
            command: &["python3", "daemons/start.py", "nats", "1"],
        },
        says: Says::AppUnlessAsked(1000.0),
        ..PLAIN
    },
    Live {
        preset: "action-cable",
        peer: Peer {
            name: "Action Cable",
            needs: "/var/lib/dpkg/info/ruby-actioncable.list",
            command: &["ruby", "ruby/cable.rb", "0.5"],
        },
        path: "/cable",
        measures: Measures::Protocol,
        says: Says::App(500.0),
        ..PLAIN
    },
    Live {
        // It accepts only its own host name.
        preset: "xmpp",
        peer: Peer {
            name: "prosody",
            needs: "/usr/bin/prosody",
            command: &["python3", "daemons/start.py", "prosody"],
        },
        host: "localhost",
        path: "/xmpp-websocket",
        ..PLAIN
    },
    Live {
        preset: "signalr",
        peer: Peer {
            name: "aiosignalr",
            needs: "python/.venv-signalr/bin/python",
            command: &["python/.venv-signalr/bin/python", "python/signalr.py", "0.5", "30"],
        },
        path: "/hub",
        measures: Measures::Protocol,
        // It checks only once a second whether one is due.
        says: Says::App(1000.0),
        ..PLAIN
    },
    Live {
        preset: "vite",
        peer: Peer {
            name: "vite",
            needs: "node/node_modules/vite/package.json",
            command: &["node", "node/vite.js"],
        },
        measures: Measures::Protocol,
        ..PLAIN
    },
    Live {
        preset: "jupyter",
        peer: Peer {
            name: "Jupyter Server",
            needs: "python/.venv/bin/jupyter-server",
            command: &[PYTHON, "python/jupyter.py", "500", "900"],
        },
        path: "/api/kernels/00000000-0000-0000-0000-000000000000/channels?token=wscheck",
        measures: Measures::Protocol,
        says: Says::Protocol(500.0),
        ..PLAIN
    },
    Live {
        preset: "webpack-dev-server",
        peer: Peer {
            name: "webpack-dev-server",
            needs: "node/node_modules/webpack-dev-server/package.json",
            command: &["node", "node/webpack.js"],
        },
        path: "/ws",
        measures: Measures::Protocol,
        says: Says::Protocol(1000.0),
        ..PLAIN
    },
    Live {
        preset: "jsonrpc",
        peer: Peer {
            name: "rpc-websockets",
            needs: "node/node_modules/rpc-websockets/package.json",
            command: &["node", "node/jsonrpc.js"],
        },
        ..PLAIN
    },
    Live {
        preset: "nostr",
        peer: Peer {
            name: "nostr-relay",
            needs: "node/node_modules/@nostr-relay/core/package.json",
            command: &["node", "node/nostr.js"],
        },
        ..PLAIN
    },
    Live {
        preset: "text",
        peer: Peer {
            name: "workerd",
            needs: "node/node_modules/@cloudflare/workerd-linux-64/package.json",
            command: &["python3", "daemons/start.py", "workerd"],
        },
        ..PLAIN
    },
];

impl Live {
    /// The server's URL.
    pub fn url(&self, server: &Server) -> String {
        format!("ws://{}:{}{}", self.host, server.port, self.path)
    }
}

/// All servers, started once for all tests; they exit when their standard input closes at the end.
pub fn servers() -> &'static [(&'static Live, Server)] {
    static SERVERS: LazyLock<Vec<(&Live, Server)>> = LazyLock::new(|| {
        std::thread::scope(|scope| {
            let start = |live: &'static Live| scope.spawn(move || (live, live.peer.start()));
            let starting: Vec<_> = LIVE.iter().map(start).collect();
            starting.into_iter().map(|thread| thread.join().unwrap()).collect()
        })
    });
    &SERVERS
}
