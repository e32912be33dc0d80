//! Set-ups without anything wrong.

use super::apache::apache;
use super::caddy::caddy;
use super::certificates::tls;
use super::envoy::envoy;
use super::haproxy::haproxy;
use super::lighttpd::lighttpd;
use super::nginx::nginx;
use super::traefik::traefik;
use super::varnish::varnish;
use super::{Backend, Hop, SETUP, Setup, Symptom, TLS_ARGS, TLS_URL};
use crate::products::{APACHE, CADDY, ENVOY, HAPROXY, LIGHTTPD, NGINX, TRAEFIK, VARNISH};

/// Pings in time for a bounded run.
const SERVER: Backend = Backend::Serve(&["--interval", "2s", "--timeout", "1s"]);
const TLS_SETUP: Setup = Setup { url: TLS_URL, args: TLS_ARGS, symptom: Symptom::KeptOpen(5), ..HEALTHY };
const HEALTHY: Setup = Setup { server: SERVER, symptom: Symptom::KeptOpen(5), ..SETUP };

pub const SETUPS: &[Setup] = &[
    Setup { name: "wscheck serve alone", ..HEALTHY },
    Setup { name: "wscheck serve without heartbeats of 30 s", symptom: Symptom::Survives(5), ..SETUP },
    Setup {
        name: "wscheck serve with a certificate chain",
        server: Backend::Serve(&[
            "--cert",
            "@files@/chain.pem",
            "--key",
            "@files@/chain.key",
            "--interval",
            "2s",
            "--timeout",
            "1s",
        ]),
        ..TLS_SETUP
    },
    Setup { name: "node ws with isAlive", server: Backend::Node("alive.js", &[]), ..HEALTHY },
    Setup { name: "python websockets", server: Backend::Python("keepalive.py", &[]), ..HEALTHY },
    Setup {
        name: "Socket.IO",
        server: Backend::Node("socketio.js", &["2000", "1000"]),
        url: "ws://@entry@/socket.io/?EIO=4&transport=websocket",
        symptom: Symptom::Opens,
        ..HEALTHY
    },
    Setup {
        name: "nginx with TLS",
        hops: &[nginx!(
            "  server {\n    listen @listen@ ssl http2;\n    ssl_certificate @files@/good.pem;\n    \
             ssl_certificate_key @files@/good.key;\n    location / {\n      proxy_pass http://@next@;\n      \
             proxy_http_version 1.1;\n      proxy_set_header Upgrade $http_upgrade;\n      \
             proxy_set_header Connection \"upgrade\";\n      proxy_read_timeout 1h;\n    }\n  }\n"
        )],
        ..TLS_SETUP
    },
    Setup {
        name: "nginx at a Unix socket",
        hops: &[nginx!(
            "  server {\n    listen @listen@;\n    listen unix:@own@/socket;\n    location / {\n      \
             proxy_pass http://@next@;\n      proxy_http_version 1.1;\n      proxy_set_header Upgrade $http_upgrade;\n      \
             proxy_set_header Connection \"upgrade\";\n      proxy_read_timeout 1h;\n    }\n  }\n"
        )],
        url: "ws://chat.test/",
        args: &["--unix-socket", "@own0@/socket"],
        ..HEALTHY
    },
    Setup {
        name: "HAProxy with TLS",
        hops: &[haproxy!(
            "  timeout client 20s\n  timeout server 20s\n  timeout tunnel 1h\n",
            " ssl crt @files@/both.pem alpn h2,http/1.1"
        )],
        ..TLS_SETUP
    },
    Setup {
        name: "Apache with TLS",
        hops: &[apache!(
            "LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so\nSSLEngine on\n\
             SSLCertificateFile @files@/good.pem\nSSLCertificateKeyFile @files@/good.key\nSSLSessionCache none\n\
             ProxyTimeout 3600\nProxyPass / http://@next@/ upgrade=websocket\n"
        )],
        ..TLS_SETUP
    },
    Setup {
        name: "Apache with mod_proxy_wstunnel",
        hops: &[apache!(
            "LoadModule proxy_wstunnel_module /usr/lib/apache2/modules/mod_proxy_wstunnel.so\n\
             ProxyWebsocketFallbackToProxyHttp Off\nProxyPass / ws://@next@/\n"
        )],
        ..HEALTHY
    },
    Setup {
        name: "Apache with ws:// and mod_proxy_http",
        hops: &[apache!("ProxyTimeout 3600\nProxyPass / ws://@next@/\n")],
        ..HEALTHY
    },
    Setup {
        name: "Apache whose Timeout is longer than its ProxyTimeout 4",
        hops: &[apache!("Timeout 3600\nProxyTimeout 4\nProxyPass / http://@next@/ upgrade=websocket\n")],
        server: Backend::Serve(&[]),
        symptom: Symptom::Survives(6),
        ..HEALTHY
    },
    Setup {
        name: "lighttpd",
        hops: &[lighttpd!("proxy.header = (\"upgrade\" => \"enable\")\nserver.max-read-idle = 3600\n")],
        ..HEALTHY
    },
    Setup {
        name: "Varnish with pipe",
        hops: &[varnish!(
            "#ARG -p pipe_timeout=3600\nsub vcl_recv { return (pipe); }\nsub vcl_pipe {\n  \
             set bereq.http.upgrade = req.http.upgrade;\n  set bereq.http.connection = req.http.connection;\n}\n"
        )],
        ..HEALTHY
    },
    Setup {
        name: "Caddy with TLS",
        hops: &[caddy!(
            "https://ws.test:@port@",
            "  tls @files@/good.pem @files@/good.key\n  reverse_proxy @next@\n"
        )],
        ..TLS_SETUP
    },
    Setup {
        name: "Traefik with TLS",
        hops: &[traefik!(
            "      rule: \"PathPrefix(`/`)\"\n      tls: {}\n",
            "tls:\n  certificates:\n  - {certFile: \"@files@/good.pem\", keyFile: \"@files@/good.key\"}\n"
        )],
        ..TLS_SETUP
    },
    Setup {
        name: "Envoy",
        hops: &[envoy!(
            "          upgrade_configs:\n          - upgrade_type: websocket\n          stream_idle_timeout: 3600s\n",
            ""
        )],
        ..HEALTHY
    },
    Setup {
        name: "TLS server, expected by its own certificate",
        server: tls!("good"),
        symptom: Symptom::Survives(5),
        ..TLS_SETUP
    },
];
