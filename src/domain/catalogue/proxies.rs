//! Proxies and gateways for self-hosting.

use std::time::Duration;

use super::product::{Product, UpgradeForwarding};
use super::timeout::{
    Confidence, CutKind, HeaderMark, ProductMarks, SettingChange, Timeout, TimeoutKind, TimeoutValue,
    TimerReset, TypicalSetting, mark, s,
};

const NGINX: ProductMarks = ProductMarks::Usually(&[mark("server", "nginx"), mark("server", "openresty")]);
const ENVOY: ProductMarks = ProductMarks::Usually(ENVOY_MARKS);
const ENVOY_MARKS: &[HeaderMark] = &[mark("server", "envoy"), mark("x-envoy-", "")];
const ENVOY_TIMEOUTS: &str = "envoyproxy/envoy docs/root/faq/configuration/timeouts.rst";
const ENVOY_LOG: &str = "the access log shows response flag SI, or DT for the maximum duration";
/// The default delay between the end of the stream and the close of TCP in Envoy (delayed_close_timeout).
const ENVOY_DELAY: Duration = s(1);
const CADDY: ProductMarks = ProductMarks::Usually(&[mark("server", "caddy"), mark("via", "caddy")]);
const TRAFFIC_SERVER: ProductMarks =
    ProductMarks::Usually(&[mark("server", "ats/"), mark("via", "apachetrafficserver")]);
/// lighttpd checks its timers every second and fires once the timeout is exceeded.
const LIGHTTPD_TICK: Duration = Duration::from_millis(1100);
const EITHER: &str = "any TCP payload byte";

pub(super) const PROXIES: &[Product] = &[
    Product {
        id: "nginx",
        name: "nginx",
        upgrade: Some(UpgradeForwarding {
            place: "in the location",
            lines: &[
                "proxy_http_version 1.1;",
                "proxy_set_header Upgrade $http_upgrade;",
                "proxy_set_header Connection \"upgrade\";",
            ],
            refuses_with: None,
            source: "nginx.org xml/en/docs/http/websocket.xml",
        }),
        timeouts: &[
            Timeout {
                id: "nginx.proxy_read_timeout",
                product: "nginx (http proxy)",
                setting: "proxy_read_timeout",
                value: TimeoutValue::After(s(60)),
                resets: Some(TimerReset::Either),
                resets_note: "any TCP payload byte: the upstream's read timer restarts \
                               after each pass in either direction",
                pings_count: Some(true),
                cuts: &[CutKind::Fin],
                cut_note: "to both sides, without a close frame (the client sees 1006); \
                            reset_timedout_connection on did not make it an RST. The log says \"upstream timed out \
                            ... while proxying upgraded connection\"",
                change: SettingChange::Set("proxy_read_timeout 3600s;"),
                folklore: Some(
                    "\"only data from the server resets it\", as the documentation says, is wrong: the client's \
                     bytes do too",
                ),
                note: Some(
                    "measured: client pings every 1.5 s to a server that never answers kept timeouts of 4 s and 60 s \
                     from striking; a silent pair was cut at 60.00 s",
                ),
                source: "measured on loopback, nginx 1.22.1; nginx/nginx@3f6f7824d4e2 src/http/ngx_http_upstream.c \
                         (ngx_http_upstream_process_upgraded), ngx_http_proxy_module.c:3735; nginx.org \
                         xml/en/docs/http/websocket.xml",
                shows: NGINX,
                common: true,
                line: "`proxy_read_timeout {t}` in http, server or location",
                log: Some("the error log says 'upstream timed out ... while proxying upgraded connection'"),
                hides_server: true,
                ..Timeout::BLANK
            },
            Timeout {
                id: "nginx.proxy_send_timeout",
                product: "nginx (http proxy)",
                kind: TimeoutKind::Other,
                setting: "proxy_send_timeout",
                value: TimeoutValue::After(s(60)),
                resets_note: "armed only while a write to the upstream is blocked (its socket buffer is full); irrelevant \
                               to an idle WebSocket",
                cuts: &[CutKind::Fin],
                change: SettingChange::Set("proxy_send_timeout 3600s;"),
                source: "nginx/nginx@3f6f7824d4e2 src/http/ngx_http_upstream.c:3843",
                shows: NGINX,
                ..Timeout::BLANK
            },
            Timeout {
                id: "nginx.send_timeout",
                product: "nginx",
                kind: TimeoutKind::Other,
                setting: "send_timeout",
                value: TimeoutValue::After(s(60)),
                resets_note: "armed only while a write to the client is blocked (the client does not read)",
                cuts: &[CutKind::Fin, CutKind::Rst],
                cut_note: "RST with reset_timedout_connection on",
                change: SettingChange::Set("send_timeout 3600s;"),
                note: Some("affects a hung or slow client while the server sends"),
                source: "nginx/nginx@3f6f7824d4e2 src/http/ngx_http_upstream.c:3725,3888, \
                         ngx_http_core_module.c:3934",
                shows: NGINX,
                ..Timeout::BLANK
            },
            Timeout {
                id: "nginx.stream.proxy_timeout",
                product: "nginx stream (TCP passthrough)",
                setting: "proxy_timeout",
                value: TimeoutValue::After(s(600)),
                resets: Some(TimerReset::Either),
                resets_note: EITHER,
                pings_count: Some(true),
                cuts: &[CutKind::Fin],
                change: SettingChange::Set("proxy_timeout 1h;"),
                source: "nginx/nginx@3f6f7824d4e2 src/stream/ngx_stream_proxy_module.c:2466",
                line: "`proxy_timeout {t}` in stream or server",
                log: Some("see the stream log, if it is enabled"),
                ..Timeout::BLANK
            },
            Timeout {
                id: "nginx.worker_shutdown_timeout",
                product: "nginx (reload, upgrade)",
                kind: TimeoutKind::Lifetime,
                setting: "worker_shutdown_timeout",
                value: TimeoutValue::Unset,
                resets: Some(TimerReset::Nothing),
                resets_note: "counts from the reload",
                cuts: &[CutKind::ClosesTcp],
                cut_note: "if unset, an old worker runs until its last WebSocket ends; if set, its connections are \
                            closed this long after a reload",
                change: SettingChange::Set("worker_shutdown_timeout 1h;"),
                source: "nginx documentation; nginx/nginx@3f6f7824d4e2 src/core/nginx.c:128",
                confidence: Confidence::Medium,
                shows: NGINX,
                from_reload: true,
                ..Timeout::BLANK
            },
        ],
        ..Product::BLANK
    },
    Product {
        id: "ingress-nginx",
        name: "kubernetes/ingress-nginx",
        default_certificate: Some("Kubernetes Ingress Controller Fake Certificate"),
        upgrade: Some(UpgradeForwarding {
            place: "by itself",
            lines: &[],
            refuses_with: None,
            source: "kubernetes/ingress-nginx docs/user-guide/miscellaneous.md, Websockets",
        }),
        timeouts: &[
            Timeout {
                id: "ingress-nginx",
                product: "kubernetes/ingress-nginx",
                setting: "proxy-read-timeout, proxy-send-timeout (annotation or ConfigMap)",
                value: TimeoutValue::After(s(60)),
                resets: Some(TimerReset::Either),
                resets_note: "any TCP payload byte (it is nginx)",
                pings_count: Some(true),
                cuts: &[CutKind::Fin],
                change: SettingChange::Set("nginx.ingress.kubernetes.io/proxy-read-timeout: \"3600\""),
                note: Some(
                    "its documentation recommends more than 3600 for WebSockets; see worker-shutdown-timeout too",
                ),
                source: "kubernetes/ingress-nginx@dbb11b92ddb7 internal/ingress/controller/config/config.go:859, \
                         docs/user-guide/miscellaneous.md",
                common: true,
                line: "`nginx.ingress.kubernetes.io/proxy-read-timeout: \"{s}\"`",
                log: Some("the error log says 'upstream timed out ... while proxying upgraded connection'"),
                hides_server: true,
                ..Timeout::BLANK
            },
            Timeout {
                id: "ingress-nginx.worker-shutdown-timeout",
                product: "kubernetes/ingress-nginx",
                kind: TimeoutKind::Lifetime,
                setting: "worker-shutdown-timeout (ConfigMap)",
                value: TimeoutValue::After(s(240)),
                resets: Some(TimerReset::Nothing),
                resets_note: "counts from the reload of the configuration",
                cuts: &[CutKind::Fin],
                change: SettingChange::Set("worker-shutdown-timeout: \"3600s\""),
                note: Some("WebSockets are cut up to 4 minutes after any reload"),
                source: "kubernetes/ingress-nginx@dbb11b92ddb7 docs/user-guide/nginx-configuration/configmap.md:115",
                from_reload: true,
                hides_server: true,
                ..Timeout::BLANK
            },
        ],
        ..Product::BLANK
    },
    Product {
        id: "kong",
        name: "Kong Gateway",
        timeouts: &[Timeout {
            id: "openresty.kong",
            product: "Kong Gateway",
            setting: "service.read_timeout, service.write_timeout",
            value: TimeoutValue::After(s(60)),
            resets: Some(TimerReset::Either),
            resets_note: "any TCP payload byte (its core is nginx)",
            pings_count: Some(true),
            cuts: &[CutKind::Fin],
            change: SettingChange::Set(
                "curl -X PATCH http://localhost:8001/services/NAME -d read_timeout=3600000",
            ),
            note: Some("the settings are in milliseconds"),
            source: "Kong/kong@22246ef28c16 kong/db/schema/entities/services.lua:41-42",
            shows: ProductMarks::Usually(&[mark("via", "kong"), mark("server", "kong")]),
            line: "`read_timeout: {ms}` of the service",
            ..Timeout::BLANK
        }],
        ..Product::BLANK
    },
    Product {
        id: "haproxy",
        name: "HAProxy",
        upgrade: Some(UpgradeForwarding {
            place: "by itself",
            lines: &[],
            refuses_with: None,
            source: "haproxy/haproxy doc/configuration.txt, HTTP transaction model: tunnel mode after 101",
        }),
        timeouts: &[
            Timeout {
                id: "haproxy.default",
                product: "HAProxy",
                setting: "timeout client, timeout server, timeout tunnel",
                value: TimeoutValue::Unset,
                cut_note: "unset is infinite; it warns of \"missing timeouts\" when it starts",
                folklore: Some(
                    "\"HAProxy's default is 50 to 60 s\": it has none. 50 s is what Debian's and Ubuntu's package \
                     configures, 1 minute the stock file of Red Hat's",
                ),
                source: "measured on loopback, HAProxy 2.6.12",
                ..Timeout::BLANK
            },
            Timeout {
                id: "haproxy.client_server",
                product: "HAProxy",
                setting: "timeout client, timeout server (without timeout tunnel)",
                value: TimeoutValue::Unset,
                typical: &[
                    TypicalSetting {
                        value: s(50),
                        whose: "the configuration file of Debian's and Ubuntu's package",
                    },
                    TypicalSetting {
                        value: s(60),
                        whose: "the stock configuration file of Fedora's and Red Hat's package",
                    },
                ],
                resets: Some(TimerReset::Either),
                resets_note: "any TCP payload byte: traffic one way refreshes both timers",
                pings_count: Some(true),
                cuts: &[CutKind::Fin],
                cut_note: "to the client, at the lesser of the two, without a close frame",
                change: SettingChange::Set("timeout tunnel 1h"),
                source: "measured on loopback, HAProxy 2.6.12: client 3 s and server 9 s were cut at 3.0 s, and the \
                         other way round; traffic one way kept either alive",
                common: true,
                line: "`timeout client {t}` or `timeout server {t}`",
                log: Some("the log shows termination state cD or sD"),
                ..Timeout::BLANK
            },
            Timeout {
                id: "haproxy.tunnel",
                product: "HAProxy",
                setting: "timeout tunnel",
                value: TimeoutValue::Unset,
                typical: &[TypicalSetting { value: s(3600), whose: "the examples of its documentation" }],
                resets: Some(TimerReset::Either),
                resets_note: EITHER,
                pings_count: Some(true),
                cuts: &[CutKind::Fin],
                cut_note: "takes the place of timeout client and server once upgraded",
                change: SettingChange::Set("timeout tunnel 1h"),
                source: "measured on loopback, HAProxy 2.6.12: client 4 s, server 4 s and tunnel 8 s were cut at 8.0 \
                         s",
                line: "`timeout tunnel {t}`",
                log: Some("the log shows termination state cD or sD"),
                ..Timeout::BLANK
            },
        ],
        ..Product::BLANK
    },
    Product {
        id: "envoy",
        name: "Envoy",
        upgrade: Some(UpgradeForwarding {
            place: "in the HTTP connection manager",
            lines: &["upgrade_configs: [{ upgrade_type: websocket }]"],
            refuses_with: Some(403),
            source: "envoyproxy/envoy docs/root/intro/arch_overview/http/upgrades.rst",
        }),
        timeouts: &[
            Timeout {
                id: "envoy.stream_idle_timeout",
                product: "Envoy",
                setting: "HttpConnectionManager.stream_idle_timeout, RouteAction.idle_timeout",
                value: TimeoutValue::After(s(300)),
                resets: Some(TimerReset::Either),
                resets_note: "any activity on the stream, upstream or downstream",
                pings_count: Some(true),
                cuts: &[CutKind::Fin, CutKind::Rst],
                cut_note: "the stream is reset at once, and TCP closed by a FIN a second later (delayed_close_timeout); to a client that sends in between, by an RST",
                change: SettingChange::Set("stream_idle_timeout: 3600s"),
                source: "measured on loopback, Envoy 1.40.0: 3 s was cut at 3 s, and the FIN came at 4.0 s; envoyproxy/envoy docs/root/faq/configuration/timeouts.rst",
                shows: ENVOY,
                common: true,
                line: "`stream_idle_timeout: {s}s` of the HttpConnectionManager, or `idle_timeout: {s}s` of the route",
                delay: ENVOY_DELAY,
                log: Some(ENVOY_LOG),
                hides_server: true,
                ..Timeout::BLANK
            },
            Timeout {
                id: "envoy.max_stream_duration",
                product: "Envoy",
                kind: TimeoutKind::Lifetime,
                setting: "max_stream_duration",
                value: TimeoutValue::Unset,
                resets: Some(TimerReset::Nothing),
                cuts: &[CutKind::Fin, CutKind::Rst],
                cut_note: "the stream is reset at once, and TCP closed by a FIN a second later (delayed_close_timeout); to a client that sends in between, by an RST",
                change: SettingChange::Set("max_stream_duration: { max_stream_duration: 0s }"),
                source: "measured on loopback, Envoy 1.40.0: 3 s, with traffic either way, and the FIN came at 4.0 s; envoyproxy/envoy docs/root/faq/configuration/timeouts.rst",
                shows: ENVOY,
                line: "`max_stream_duration: {s}s`",
                delay: ENVOY_DELAY,
                log: Some(ENVOY_LOG),
                hides_server: true,
                ..Timeout::BLANK
            },
            Timeout {
                id: "envoy.tcp_proxy",
                product: "Envoy TCP proxy",
                setting: "idle_timeout",
                value: TimeoutValue::After(s(3600)),
                resets: Some(TimerReset::Either),
                resets_note: EITHER,
                pings_count: Some(true),
                cuts: &[CutKind::ClosesTcp],
                change: SettingChange::Set("idle_timeout: 0s"),
                source: ENVOY_TIMEOUTS,
                line: "`idle_timeout: {s}s` of the TCP proxy filter",
                ..Timeout::BLANK
            },
            Timeout {
                id: "envoy.conn_idle",
                product: "Envoy",
                kind: TimeoutKind::Other,
                setting: "common_http_protocol_options.idle_timeout",
                value: TimeoutValue::After(s(3600)),
                resets_note: "runs only while there is no active stream: it never affects an open WebSocket",
                cuts: &[CutKind::ClosesTcp],
                source: ENVOY_TIMEOUTS,
                shows: ENVOY,
                ..Timeout::BLANK
            },
            Timeout {
                id: "envoy.route_timeout",
                product: "Envoy",
                kind: TimeoutKind::Other,
                setting: "RouteAction.timeout",
                value: TimeoutValue::After(s(15)),
                resets: Some(TimerReset::Nothing),
                resets_note: "starts when the client's request has ended, which that of an upgraded stream normally \
                               never does: it usually does not affect WebSockets",
                cuts: &[CutKind::HttpError(504), CutKind::ClosesTcp],
                change: SettingChange::Set("timeout: 0s"),
                note: Some("max_stream_duration does affect them"),
                source: ENVOY_TIMEOUTS,
                confidence: Confidence::Medium,
                shows: ENVOY,
                ..Timeout::BLANK
            },
        ],
        ..Product::BLANK
    },
    Product {
        id: "istio",
        name: "Istio",
        timeouts: &[Timeout {
            id: "istio",
            product: "Istio sidecar or gateway",
            setting: "stream_idle_timeout of its Envoy",
            value: TimeoutValue::Off,
            note: Some(
                "it switches Envoy's 5 minutes off; gateways that opt in to the connection profile EDGE of \
                     current versions have 300 s",
            ),
            source: "istio/istio@86c9f01fd735 pilot/pkg/networking (listener_builder.go:440, \
                         connection_settings.go:50)",
            shows: ProductMarks::Usually(&[mark("server", "istio-envoy")]),
            line: "`stream_idle_timeout: {s}s` of its Envoy",
            resets: Some(TimerReset::Either),
            pings_count: Some(true),
            cuts: &[CutKind::Fin, CutKind::Rst],
            change: SettingChange::Set("stream_idle_timeout: 0s"),
            delay: ENVOY_DELAY,
            log: Some(ENVOY_LOG),
            hides_server: true,
            ..Timeout::BLANK
        }],
        ..Product::BLANK
    },
    Product {
        id: "traefik",
        name: "Traefik",
        default_certificate: Some("TRAEFIK DEFAULT CERT"),
        upgrade: Some(UpgradeForwarding {
            place: "by itself",
            lines: &[],
            refuses_with: None,
            source: "traefik/traefik docs/content/user-guides/websocket.md",
        }),
        timeouts: &[Timeout {
            id: "traefik",
            product: "Traefik",
            setting: "entryPoints.NAME.transport.respondingTimeouts (readTimeout, writeTimeout, idleTimeout)",
            value: TimeoutValue::Never,
            resets_note: "does not apply after the upgrade: Go's net/http clears its deadlines on Hijack",
            note: Some(
                "readTimeout is 60 s since 2.11.2, idleTimeout 180 s, and neither cuts a WebSocket; #8668 \
                     (2.5.6) reports a hard 180 s all the same, and 2.11.1 cut WebSockets by lingeringTimeout \
                     (#10589, #10598)",
            ),
            source: "traefik/traefik@fd5a576df2e8 pkg/config/static/static_config.go:47-51; \
                         traefik/traefik#10627; measured on loopback with Go's ReverseProxy, all timeouts 4 s, alive",
            confidence: Confidence::Medium,
            ..Timeout::BLANK
        }],
        ..Product::BLANK
    },
    Product {
        id: "caddy",
        name: "Caddy 2",
        upgrade: Some(UpgradeForwarding {
            place: "by itself",
            lines: &[],
            refuses_with: None,
            source: "caddyserver.com/docs/caddyfile/directives/reverse_proxy, streaming",
        }),
        timeouts: &[
            Timeout {
                id: "caddy",
                product: "Caddy 2 (reverse_proxy)",
                kind: TimeoutKind::Lifetime,
                setting: "stream_timeout",
                value: TimeoutValue::Unset,
                resets: Some(TimerReset::Nothing),
                resets_note: "not an idle timer: it runs from the upgrade and is never reset",
                cuts: &[CutKind::Fin],
                change: SettingChange::Set("stream_timeout 24h"),
                note: Some(
                    "a reload of the configuration closes every proxied WebSocket at once with 1001 in both \
                     directions, unless stream_close_delay is set",
                ),
                source: "measured on loopback, Caddy 2.11.7: 3 s, with traffic either way; caddyserver/caddy@0cf03d32f7d9 \
                         modules/caddyhttp/reverseproxy/reverseproxy.go:170-172, streaming.go:216",
                shows: CADDY,
                line: "`stream_timeout {t}` in reverse_proxy",
                ..Timeout::BLANK
            },
            Timeout {
                id: "caddy.read_timeout",
                product: "Caddy 2 (reverse_proxy)",
                setting: "read_timeout of transport http",
                value: TimeoutValue::Off,
                resets: Some(TimerReset::ServerToClient),
                resets_note: "bytes from the backend; what the client sends does not count",
                pings_count: Some(true),
                cuts: &[CutKind::Fin],
                change: SettingChange::Set("transport http {\n\tread_timeout 0\n}"),
                line: "`read_timeout {t}` in `transport http` of reverse_proxy",
                note: Some(
                    "a client's ping counts only because its pong comes back; without this setting a quiet stream is not \
                     cut, and write_timeout does not cut it",
                ),
                source: "measured on loopback, Caddy 2.11.7: 3 s cut a quiet stream and one on which only the client sent, at \
                         3.0 s; what the backend sent kept it open; write_timeout 3 s, and none, did not cut",
                shows: CADDY,
                ..Timeout::BLANK
            },
        ],
        ..Product::BLANK
    },
    Product {
        id: "apache",
        name: "Apache httpd",
        upgrade: Some(UpgradeForwarding {
            place: "in the virtual host; upgrade=websocket needs 2.4.47",
            lines: &["ProxyPass \"/\" \"http://SERVER:PORT/\" upgrade=websocket"],
            refuses_with: None,
            source: "httpd.apache.org/docs/2.4/mod/mod_proxy.html, Protocol Upgrade",
        }),
        timeouts: &[
            Timeout {
                id: "apache.httpd24",
                product: "Apache httpd 2.4 (mod_proxy_http, upgrade=)",
                setting: "the greater of TimeOut and ProxyTimeout or ProxyPass timeout=",
                value: TimeoutValue::After(s(60)),
                typical: &[TypicalSetting {
                    value: s(300),
                    whose: "apache2.conf of Debian's package (Timeout 300)",
                }],
                resets: Some(TimerReset::Either),
                resets_note: EITHER,
                pings_count: Some(true),
                cuts: &[CutKind::HalfClose],
                cut_note: "writes are still taken for a while; no close frame",
                change: SettingChange::Set("ProxyTimeout 3600"),
                note: Some(
                    "it adds no Server header to an upgrade: that is the origin's. mod_proxy_wstunnel hands over to \
                     mod_proxy_http since 2.4.47. Trunk (2.5): ProxyPass timeout=, else ProxyTimeout, else TimeOut",
                ),
                source: "measured on loopback: cut at 60.06 s; TimeOut 4 with ProxyTimeout 8 at 8.01 s; ProxyTimeout \
                         4 alone changed nothing. apache/httpd@0cb680442eca 2.4.x modules/proxy/proxy_util.c:5440",
                shows: ProductMarks::Behind(&[mark("server", "apache")]),
                line: "`ProxyTimeout {s}` or `Timeout {s}` (the greater counts), or `timeout={s}` of ProxyPass",
                log: Some("the error log does not show it; see the configuration"),
                ..Timeout::BLANK
            },
            Timeout {
                id: "apache.wstunnel",
                product: "Apache httpd 2.4 (mod_proxy_wstunnel proper)",
                setting: "(none: neither Timeout nor timeout= cuts)",
                value: TimeoutValue::Never,
                note: Some(
                    "mod_proxy_wstunnel itself: before 2.4.47, or with ProxyWebsocketFallbackToProxyHttp Off. Otherwise it \
                     hands over to mod_proxy_http, which cuts",
                ),
                source: "measured on loopback, Apache httpd 2.4.71: Timeout 3 and timeout=3 had not cut after 102 s",
                ..Timeout::BLANK
            },
            Timeout {
                id: "apache.ProxyWebsocketIdleTimeout",
                product: "Apache httpd (trunk, 2.5)",
                setting: "ProxyWebsocketIdleTimeout",
                value: TimeoutValue::Off,
                resets: Some(TimerReset::Either),
                resets_note: EITHER,
                pings_count: Some(true),
                cuts: &[CutKind::HalfClose],
                cut_note: "as httpd 2.4 does (inferred)",
                confidence: Confidence::Medium,
                change: SettingChange::Set("ProxyWebsocketIdleTimeout 0"),
                note: Some("not in 2.4"),
                source: "apache/httpd@0cb680442eca docs/manual/mod/mod_proxy_wstunnel.xml:124",
                shows: ProductMarks::Behind(&[mark("server", "apache")]),
                line: "`ProxyWebsocketIdleTimeout {s}`",
                ..Timeout::BLANK
            },
        ],
        ..Product::BLANK
    },
    Product {
        id: "lighttpd",
        name: "lighttpd",
        upgrade: Some(UpgradeForwarding {
            place: "in the proxy's section",
            lines: &["proxy.header = (\"upgrade\" => \"enable\")"],
            refuses_with: None,
            source: "redmine.lighttpd.net/projects/lighttpd/wiki/Mod_proxy, proxy.header",
        }),
        timeouts: &[
            Timeout {
                id: "lighttpd.max-read-idle",
                product: "lighttpd (mod_proxy, upgrade)",
                setting: "server.max-read-idle",
                value: TimeoutValue::After(s(60)),
                coarse: LIGHTTPD_TICK,
                resets: Some(TimerReset::ClientToServer),
                resets_note: "bytes from client to server only; what the server pushes does not help",
                pings_count: Some(true),
                cuts: &[CutKind::HalfClose],
                change: SettingChange::Set("server.max-read-idle = 3600"),
                note: Some("a browser's automatic answers to the server's pings do count"),
                source: "measured on loopback, lighttpd 1.4.69: silence was cut at 61.04 s, a mute client whose server pings at 61.05 s; 3 s at 3.8 to 4.0 s, and for 5 s what the client sent was still taken; lighttpd/lighttpd1.4@2ddc51389a13 src/configfile.c:1318",
                shows: ProductMarks::Yields(&[mark("server", "lighttpd")]),
                line: "`server.max-read-idle = {s}`",
                ..Timeout::BLANK
            },
            Timeout {
                id: "lighttpd.max-write-idle",
                product: "lighttpd (mod_proxy, upgrade)",
                setting: "server.max-write-idle",
                value: TimeoutValue::After(s(360)),
                coarse: LIGHTTPD_TICK,
                resets: Some(TimerReset::ServerToClient),
                resets_note: "bytes from server to client only; pings without answers do not help",
                pings_count: Some(true),
                cuts: &[CutKind::HalfClose],
                change: SettingChange::Set("server.max-write-idle = 3600"),
                note: Some("both together: client to server every 60 s and server to client every 360 s"),
                source: "measured on loopback: client pings to a mute server were cut at 361.28 s; \
                         lighttpd/lighttpd1.4@2ddc51389a13 src/configfile.c:1319, src/h1.c:986",
                shows: ProductMarks::Yields(&[mark("server", "lighttpd")]),
                line: "`server.max-write-idle = {s}`",
                ..Timeout::BLANK
            },
        ],
        ..Product::BLANK
    },
    Product {
        id: "varnish",
        name: "Varnish",
        upgrade: Some(UpgradeForwarding {
            place: "in vcl_recv, and in vcl_pipe",
            lines: &[
                "if (req.http.Upgrade ~ \"(?i)websocket\") { return (pipe); }",
                "set bereq.http.Upgrade = req.http.Upgrade; set bereq.http.Connection = req.http.Connection;",
            ],
            refuses_with: None,
            source: "varnish-cache.org/docs/trunk/users-guide/vcl-example-websockets.html",
        }),
        timeouts: &[
            Timeout {
                id: "varnish.pipe_timeout",
                product: "Varnish",
                setting: "pipe_timeout",
                value: TimeoutValue::After(s(60)),
                resets: Some(TimerReset::Either),
                resets_note: EITHER,
                pings_count: Some(true),
                cuts: &[CutKind::Fin],
                change: SettingChange::Set("varnishd -p pipe_timeout=3600"),
                source: "measured on loopback, Varnish 7.1.1 (3 s at 3.0 s, 4 s at 4.0 s; it adds no header to a pipe); \
                         varnishcache/varnish-cache@27d2ce15b20b include/tbl/params.h:887",
                line: "`pipe_timeout={s}`",
                log: Some("see varnishlog"),
                ..Timeout::BLANK
            },
            Timeout {
                id: "varnish.pipe_task_deadline",
                product: "Varnish 7 and later",
                kind: TimeoutKind::Lifetime,
                setting: "pipe_task_deadline",
                value: TimeoutValue::Off,
                resets: Some(TimerReset::Nothing),
                cuts: &[CutKind::ClosesTcp],
                change: SettingChange::Set("varnishd -p pipe_task_deadline=0"),
                source: "varnishcache/varnish-cache@27d2ce15b20b include/tbl/params.h:875",
                line: "`pipe_task_deadline={s}`",
                ..Timeout::BLANK
            },
        ],
        ..Product::BLANK
    },
    Product {
        id: "squid",
        name: "Squid",
        timeouts: &[
            Timeout {
                id: "squid.read_timeout",
                product: "Squid (CONNECT tunnel)",
                setting: "read_timeout",
                value: TimeoutValue::After(s(900)),
                coarse: s(1),
                resets: Some(TimerReset::Either),
                resets_note: EITHER,
                pings_count: Some(true),
                cuts: &[CutKind::Fin],
                change: SettingChange::Set("read_timeout 1 hour"),
                source: "measured on loopback, Squid 5.7 (4 s was cut at 4.5 s); squid-cache/squid@7c20a8a787d1 \
                         src/cf.data.pre:7378",
                line: "`read_timeout {s} seconds`",
                forward_only: true,
                ..Timeout::BLANK
            },
            Timeout {
                id: "squid.client_lifetime",
                product: "Squid",
                kind: TimeoutKind::Lifetime,
                setting: "client_lifetime",
                value: TimeoutValue::After(s(86_400)),
                resets: Some(TimerReset::Nothing),
                resets_note: "runs from the start of the connection",
                cuts: &[CutKind::ClosesTcp],
                change: SettingChange::Set("client_lifetime 7 days"),
                source: "squid-cache/squid@7c20a8a787d1 src/cf.data.pre:7446",
                line: "`client_lifetime {s} seconds`",
                forward_only: true,
                ..Timeout::BLANK
            },
        ],
        ..Product::BLANK
    },
    Product {
        id: "trafficserver",
        name: "Apache Traffic Server",
        timeouts: &[
            Timeout {
                id: "trafficserver.no_activity",
                product: "Apache Traffic Server",
                setting: "proxy.config.websocket.no_activity_timeout",
                value: TimeoutValue::After(s(600)),
                coarse: s(1),
                resets: Some(TimerReset::Either),
                resets_note: EITHER,
                pings_count: Some(true),
                cuts: &[CutKind::Fin],
                change: SettingChange::Set("CONFIG proxy.config.websocket.no_activity_timeout INT 3600"),
                line: "`CONFIG proxy.config.websocket.no_activity_timeout INT {s}` in records.config",
                note: Some(
                    "a remap rule must map ws:// addresses; active_timeout ends a connection after an hour all the same",
                ),
                source: "measured on loopback, Traffic Server 9.2.9: 3 s was cut at 3.5 s, and traffic one way kept it open; \
                         apache/trafficserver doc/admin-guide/files/records.config.en.rst",
                shows: TRAFFIC_SERVER,
                hides_server: true,
                ..Timeout::BLANK
            },
            Timeout {
                id: "trafficserver.active",
                product: "Apache Traffic Server",
                kind: TimeoutKind::Lifetime,
                setting: "proxy.config.websocket.active_timeout",
                value: TimeoutValue::After(s(3600)),
                coarse: s(1),
                resets: Some(TimerReset::Nothing),
                resets_note: "runs from the upgrade",
                cuts: &[CutKind::Fin],
                change: SettingChange::Set("CONFIG proxy.config.websocket.active_timeout INT 86400"),
                line: "`CONFIG proxy.config.websocket.active_timeout INT {s}` in records.config",
                source: "measured on loopback, Traffic Server 9.2.9: 3 s was cut at 3.0 to 3.4 s, with traffic either way; \
                         apache/trafficserver doc/admin-guide/files/records.config.en.rst",
                shows: TRAFFIC_SERVER,
                hides_server: true,
                ..Timeout::BLANK
            },
        ],
        ..Product::BLANK
    },
    Product {
        id: "stunnel",
        name: "stunnel",
        timeouts: &[Timeout {
            id: "stunnel",
            product: "stunnel",
            setting: "TIMEOUTidle",
            value: TimeoutValue::After(s(43_200)),
            resets: Some(TimerReset::Either),
            resets_note: EITHER,
            pings_count: Some(true),
            cuts: &[CutKind::Rst],
            cut_note: "without close_notify and without a close frame",
            change: SettingChange::Set("TIMEOUTidle = 86400"),
            line: "`TIMEOUTidle = {s}` in the service's section",
            log: Some("the log says 'Connection reset'"),
            source: "measured on loopback, stunnel 5.68: 3 s was cut by an RST at 3.0 s, and traffic one way kept it open; \
                         the default of 12 hours: stunnel src/options.c, timeout_idle = 43200",
            ..Timeout::BLANK
        }],
        ..Product::BLANK
    },
    Product {
        id: "sozu",
        name: "Sozu",
        timeouts: &[Timeout {
            id: "sozu.front_timeout",
            product: "Sozu",
            setting: "front_timeout (60 s), back_timeout (30 s) of the listener",
            value: TimeoutValue::After(s(60)),
            typical: &[TypicalSetting { value: s(30), whose: "back_timeout, by default" }],
            resets_note: "not tried",
            cuts: &[CutKind::ClosesTcp],
            cut_note: "FIN or RST was not tried",
            change: SettingChange::Set("front_timeout = 3600"),
            line: "`front_timeout = {s}` or `back_timeout = {s}` of the listener",
            source: "sozu-proxy/sozu command/src/config.rs, DEFAULT_FRONT_TIMEOUT and DEFAULT_BACK_TIMEOUT; \
                         doc/configure.md; not tried",
            confidence: Confidence::Medium,
            shows: ProductMarks::Usually(&[mark("sozu-id", "")]),
            ..Timeout::BLANK
        }],
        ..Product::BLANK
    },
    Product {
        id: "spring-cloud-gateway",
        name: "Spring Cloud Gateway",
        timeouts: &[Timeout {
            id: "spring-cloud-gateway",
            product: "Spring Cloud Gateway",
            setting: "(reactor-netty has no idle timeout for WebSockets by default)",
            value: TimeoutValue::Never,
            note: Some(
                "it ends the WebSocket and begins another: Ping frames are not relayed, it answers them itself",
            ),
            source: "spring-cloud/spring-cloud-gateway#729, #689",
            confidence: Confidence::Medium,
            ..Timeout::BLANK
        }],
        ..Product::BLANK
    },
    Product {
        id: "f5",
        name: "F5 BIG-IP",
        timeouts: &[Timeout {
            id: "f5",
            product: "F5 BIG-IP",
            setting: "ltm profile tcp idle-timeout",
            value: TimeoutValue::After(s(300)),
            resets: Some(TimerReset::Either),
            resets_note: EITHER,
            pings_count: Some(true),
            cuts: &[CutKind::Rst],
            cut_note: "to both sides (reset-on-timeout is enabled by default)",
            change: SettingChange::Set("tmsh modify ltm profile tcp NAME idle-timeout 3600"),
            note: Some("the fastL4 profile has 300 s too"),
            source: "networkengineering.stackexchange.com/questions/3188; F5 community article 290743 on TCP \
                         profiles",
            confidence: Confidence::Medium,
            ..Timeout::BLANK
        }],
        ..Product::BLANK
    },
    Product {
        id: "netscaler",
        name: "Citrix ADC / NetScaler",
        timeouts: &[
            Timeout {
                id: "netscaler.client",
                product: "Citrix ADC / NetScaler",
                setting: "cltTimeout (HTTP, SSL)",
                value: TimeoutValue::After(s(180)),
                coarse: s(120),
                resets: Some(TimerReset::ClientToServer),
                resets_note: "data on the client's side",
                pings_count: Some(true),
                cuts: &[CutKind::Rst],
                cut_note: "the zombie cleanup, every 120 s, sends an RST to both sides",
                change: SettingChange::Set("set lb vserver NAME -cltTimeout 3600"),
                source: "docs.netscaler.com, manage client connections; Citrix CTX137362; NetScaler TCP optimization \
                         FAQ",
                ..Timeout::BLANK
            },
            Timeout {
                id: "netscaler.tcp",
                product: "Citrix ADC / NetScaler",
                setting: "cltTimeout (TCP)",
                value: TimeoutValue::After(s(9000)),
                coarse: s(120),
                resets: Some(TimerReset::ClientToServer),
                resets_note: "data on the client's side",
                pings_count: Some(true),
                cuts: &[CutKind::Rst],
                cut_note: "the zombie cleanup, every 120 s, sends an RST to both sides",
                change: SettingChange::Set("set lb vserver NAME -cltTimeout 9000"),
                source: "docs.netscaler.com, manage client connections; Citrix CTX137362; NetScaler TCP optimization \
                         FAQ",
                ..Timeout::BLANK
            },
        ],
        ..Product::BLANK
    },
    Product {
        id: "wso2",
        name: "WSO2 API Platform",
        timeouts: &[
            Timeout {
                id: "wso2",
                product: "WSO2 API Platform (WebSocket proxy)",
                setting: "idle timeout",
                value: TimeoutValue::After(s(240)),
                resets_note: "not documented",
                cuts: &[CutKind::Closes],
                change: SettingChange::Fixed,
                note: Some("the longest connection is 900 s"),
                source: "wso2.com, API Platform documentation",
                ..Timeout::BLANK
            },
            Timeout {
                id: "wso2.life",
                product: "WSO2 API Platform (WebSocket proxy)",
                kind: TimeoutKind::Lifetime,
                setting: "maximum duration",
                value: TimeoutValue::After(s(900)),
                resets: Some(TimerReset::Nothing),
                resets_note: "runs from the upgrade",
                cuts: &[CutKind::Closes],
                change: SettingChange::Fixed,
                source: "wso2.com, API Platform documentation",
                ..Timeout::BLANK
            },
        ],
        ..Product::BLANK
    },
];
