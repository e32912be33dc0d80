//! Load balancers, edge networks and platforms that people rent.

use super::product::Product;
use super::timeout::{
    Confidence, CutKind, HeaderMark, ProductFamily, ProductMarks, SettingChange, Timeout, TimeoutKind,
    TimeoutValue, TimerReset, TypicalSetting, mark, s,
};

const CLOUD: Timeout = Timeout { family: ProductFamily::Cloud, ..Timeout::BLANK };

const CLOUDFLARE: ProductMarks = ProductMarks::Always(&[mark("cf-ray", ""), mark("server", "cloudflare")]);
const GOOGLE: ProductMarks = ProductMarks::Usually(GOOGLE_MARKS);
const GOOGLE_MARKS: &[HeaderMark] = &[mark("via", "1.1 google"), mark("server", "google frontend")];
const FRONT_DOOR: ProductMarks = ProductMarks::Always(&[mark("x-azure-ref", "")]);
const API_GATEWAY: ProductMarks = ProductMarks::Usually(&[mark("x-amzn-requestid", "")]);

const NLB_DOCS: &str = "docs.aws.amazon.com/elasticloadbalancing/latest/network/update-idle-timeout.html";
const API_GATEWAY_DOCS: &str = "docs.aws.amazon.com/apigateway/latest/developerguide/\
     apigateway-execution-service-websocket-limits-table.html";
const FRONT_DOOR_DOCS: &str =
    "MicrosoftDocs/azure-docs articles/frontdoor/standard-premium/websocket.md (July 2026)";
const GCP_DOCS: &str = "docs.cloud.google.com/load-balancing/docs/https/request-distribution (October 2026)";

pub(super) const CLOUDS: &[Product] = &[
    Product {
        id: "aws.alb",
        name: "AWS ALB",
        timeouts: &[Timeout {
            id: "aws.alb",
            product: "AWS ALB",
            setting: "idle_timeout.timeout_seconds",
            value: TimeoutValue::After(s(60)),
            most: Some(s(4000)),
            resets: Some(TimerReset::Either),
            resets_note: "at least one byte of data, sent or received, on the client's or the target's \
                               connection; TCP keepalives and HTTP/2 PINGs do not count",
            pings_count: Some(true),
            cuts: &[CutKind::ClosesTcp],
            cut_note: "FIN or RST is not documented",
            change: SettingChange::Set(
                "aws elbv2 modify-load-balancer-attributes --load-balancer-arn ARN --attributes \
                     Key=idle_timeout.timeout_seconds,Value=3600",
            ),
            note: Some("client_keep_alive (3600 s) is for HTTP keep-alive"),
            source: "docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html",
            common: true,
            least: Some(s(1)),
            ..CLOUD
        }],
        ..Product::BLANK
    },
    Product {
        id: "aws.nlb",
        name: "AWS NLB",
        timeouts: &[
            Timeout {
                id: "aws.nlb.tcp",
                product: "AWS NLB (TCP listener)",
                family: ProductFamily::Nat,
                setting: "tcp.idle_timeout.seconds",
                value: TimeoutValue::After(s(350)),
                most: Some(s(6000)),
                resets: Some(TimerReset::TcpKeepaliveToo),
                resets_note: "data or a TCP keepalive from either side",
                pings_count: Some(true),
                cuts: &[CutKind::RstOnUse, CutKind::Silent],
                cut_note: "the next packet from either side gets an RST",
                change: SettingChange::Set(
                    "aws elbv2 modify-listener-attributes --listener-arn ARN --attributes \
                     Key=tcp.idle_timeout.seconds,Value=6000",
                ),
                note: Some("60 to 6000 s since 2024; older documentation says that it cannot be changed"),
                source: NLB_DOCS,
                common: true,
                least: Some(s(60)),
                ..CLOUD
            },
            Timeout {
                id: "aws.nlb.tls",
                product: "AWS NLB (TLS listener)",
                setting: "(fixed)",
                value: TimeoutValue::After(s(350)),
                resets: Some(TimerReset::Either),
                resets_note: "data; TCP keepalives do not help through the end of TLS (older documentation)",
                pings_count: Some(true),
                cuts: &[CutKind::RstOnUse, CutKind::Silent],
                cut_note: "as the TCP listener",
                change: SettingChange::Fixed,
                source: NLB_DOCS,
                ..CLOUD
            },
        ],
        ..Product::BLANK
    },
    Product {
        id: "aws.clb",
        name: "AWS Classic ELB",
        timeouts: &[Timeout {
            id: "aws.clb",
            product: "AWS Classic ELB",
            setting: "IdleTimeout",
            value: TimeoutValue::After(s(60)),
            most: Some(s(3600)),
            resets: Some(TimerReset::Either),
            resets_note: "payload; TCP keepalives do not count",
            pings_count: Some(true),
            cuts: &[CutKind::ClosesTcp],
            change: SettingChange::Set(
                "aws elb modify-load-balancer-attributes --load-balancer-name NAME --load-balancer-attributes \
                     ConnectionSettings={IdleTimeout=3600}",
            ),
            note: Some("its HTTP listeners do not know WebSockets: only TCP and SSL listeners pass them"),
            source: "docs.aws.amazon.com/elasticloadbalancing/latest/classic/config-idle-timeout.html",
            least: Some(s(1)),
            ..CLOUD
        }],
        ..Product::BLANK
    },
    Product {
        id: "aws.apigw",
        name: "AWS API Gateway (WebSocket)",
        timeouts: &[
            Timeout {
                id: "aws.apigw.idle",
                product: "AWS API Gateway (WebSocket)",
                setting: "Idle Connection Timeout",
                value: TimeoutValue::After(s(600)),
                resets: Some(TimerReset::Either),
                resets_note: "messages either way; whether Ping frames count is not documented",
                cuts: &[CutKind::Closes],
                change: SettingChange::Fixed,
                note: Some("a frame over 32 KB or a message over 128 KB is closed with 1009"),
                source: API_GATEWAY_DOCS,
                shows: API_GATEWAY,
                ..CLOUD
            },
            Timeout {
                id: "aws.apigw.life",
                product: "AWS API Gateway (WebSocket)",
                kind: TimeoutKind::Lifetime,
                setting: "Connection duration",
                value: TimeoutValue::After(s(7200)),
                resets: Some(TimerReset::Nothing),
                resets_note: "runs from the upgrade",
                cuts: &[CutKind::Closes],
                change: SettingChange::Fixed,
                folklore: Some("some say that there is no longest duration: it is 2 hours"),
                source: API_GATEWAY_DOCS,
                shows: API_GATEWAY,
                ..CLOUD
            },
        ],
        ..Product::BLANK
    },
    Product {
        id: "aws.cloudfront",
        name: "Amazon CloudFront",
        timeouts: &[Timeout {
            id: "aws.cloudfront",
            product: "Amazon CloudFront",
            setting: "(fixed: 10 minutes without a byte from the origin)",
            value: TimeoutValue::After(s(600)),
            resets: Some(TimerReset::ServerToClient),
            resets_note: "from the origin to the client",
            pings_count: Some(true),
            cuts: &[CutKind::ClosesTcp],
            change: SettingChange::Fixed,
            note: Some("a client's ping counts only because its pong comes back"),
            source: "AWS service quota text, quoted at repost.aws/questions/QU05nkjxdfRC2E67FGICmP3g",
            shows: ProductMarks::Always(&[
                mark("x-amz-cf-id", ""),
                mark("x-amz-cf-pop", ""),
                mark("via", "cloudfront"),
            ]),
            ..CLOUD
        }],
        ..Product::BLANK
    },
    Product {
        id: "aws.apprunner",
        name: "AWS App Runner",
        timeouts: &[Timeout {
            id: "aws.apprunner",
            product: "AWS App Runner",
            kind: TimeoutKind::Other,
            setting: "request timeout",
            value: TimeoutValue::After(s(120)),
            resets_note: "WebSockets are not supported, nor planned",
            cuts: &[CutKind::Closes],
            change: SettingChange::Fixed,
            source: "a third party's digest of AWS's roadmap and limits, October 2026",
            confidence: Confidence::Medium,
            ..CLOUD
        }],
        ..Product::BLANK
    },
    Product {
        id: "aws.lambda_url",
        name: "AWS Lambda function URL",
        timeouts: &[Timeout {
            id: "aws.lambda_url",
            product: "AWS Lambda function URL",
            kind: TimeoutKind::Other,
            setting: "function timeout",
            value: TimeoutValue::After(s(900)),
            resets_note: "WebSockets are not supported",
            cuts: &[CutKind::Closes],
            change: SettingChange::Fixed,
            source: "a third party's digest of AWS's limits, October 2026",
            confidence: Confidence::Medium,
            ..CLOUD
        }],
        ..Product::BLANK
    },
    Product {
        id: "cloudflare",
        name: "Cloudflare",
        timeouts: &[
            Timeout {
                id: "cloudflare.http524",
                product: "Cloudflare",
                kind: TimeoutKind::Other,
                setting: "Proxy Read Timeout (HTTP)",
                value: TimeoutValue::After(s(100)),
                resets: Some(TimerReset::ServerToClient),
                resets_note: "bytes from the origin; it applies to the handshake, not to the upgraded stream",
                cuts: &[CutKind::HttpError(524)],
                change: SettingChange::Fixed,
                note: Some(
                    "of the same table: proxy idle 900 s, keep-alive to the client 400 s, TCP keepalive to the \
                     origin 30 s",
                ),
                source: "cloudflare/cloudflare-docs src/content/docs/fundamentals/reference/connection-limits.mdx",
                shows: CLOUDFLARE,
                ..CLOUD
            },
            Timeout {
                id: "cloudflare.do",
                product: "Cloudflare Workers, Durable Objects",
                kind: TimeoutKind::Other,
                setting: "hibernation",
                value: TimeoutValue::Never,
                pings_count: Some(true),
                cut_note: "does not cut: while the object sleeps, the runtime answers Ping frames itself",
                note: Some(
                    "a pong from Cloudflare does not prove that the application lives; setWebSocketAutoResponse \
                     answers app heartbeats at the edge too; a deployment disconnects everybody",
                ),
                source: "cloudflare/cloudflare-docs src/content/docs/durable-objects/best-practices/websockets.mdx",
                shows: CLOUDFLARE,
                ..CLOUD
            },
            Timeout {
                id: "cloudflare.tunnel",
                product: "Cloudflare Tunnel (cloudflared)",
                kind: TimeoutKind::Other,
                setting: "keepAliveTimeout (90 s), tcpKeepAlive (30 s)",
                value: TimeoutValue::Never,
                resets_note: "keepAliveTimeout is for pooled HTTP connections to the origin, not for open \
                               WebSockets",
                note: Some(
                    "the edge's limits are those of a proxied origin; TCP over WebSocket is pinged every 54 s",
                ),
                source: "cloudflare/cloudflared@d1df7985bdf1 ingress/config.go:18-19, websocket/connection.go:23",
                shows: CLOUDFLARE,
                ..CLOUD
            },
            Timeout {
                id: "cloudflare.gateway",
                product: "Cloudflare Zero Trust Gateway",
                setting: "TCP idle",
                value: TimeoutValue::After(s(270)),
                resets: Some(TimerReset::Either),
                resets_note: "payload in either direction; TCP keepalives do not count, because the balancer terminates TCP",
                pings_count: Some(true),
                cuts: &[CutKind::ClosesTcp, CutKind::Silent],
                cut_note: "dropped; how is not documented",
                change: SettingChange::Fixed,
                source: "cloudflare/cloudflare-docs#3405",
                ..CLOUD
            },
            Timeout {
                id: "cloudflare.proxy",
                product: "Cloudflare (proxied origin)",
                setting: "(no number is published for WebSockets)",
                value: TimeoutValue::Unpublished,
                typical: &[TypicalSetting {
                    value: s(100),
                    whose: "reports of 2016 and later; it is the documented Proxy Read Timeout of HTTP, not of \
                            WebSockets",
                }],
                resets: Some(TimerReset::Either),
                resets_note: "data in either direction",
                pings_count: Some(true),
                cuts: &[CutKind::Silent, CutKind::ClosesTcp, CutKind::CloseFrame(1001)],
                cut_note: "abrupt, often without a close frame: the browser's connection stays open and what it sends is lost; \
                            when an edge server restarts, close 1001 \"CloudFlare WebSocket Proxy restarting\" or \
                            nothing",
                change: SettingChange::Fixed,
                folklore: Some(
                    "\"100 s\" is the Proxy Read Timeout of HTTP (error 524); measurements of 2026 show no fixed \
                     timer for WebSockets",
                ),
                note: Some(
                    "measured by others on workers.dev: over IPv6 4 of 4 idle connections lived 3600 s; over IPv4 13 \
                     of 16 died between 216 and 1788 s, half of them by about 660 s",
                ),
                source: "cloudflare/cloudflare-docs src/content/docs/network/websockets.mdx; Menci/Floway#324; \
                         cloudflare/agents#2286; websockets/ws#1520; aspnet/WebSockets#134; buildbot/buildbot#4078",
                confidence: Confidence::Medium,
                shows: CLOUDFLARE,
                common: true,
                ..CLOUD
            },
        ],
        ..Product::BLANK
    },
    Product {
        id: "azure.appgw",
        name: "Azure Application Gateway",
        timeouts: &[Timeout {
            id: "azure.appgw",
            product: "Azure Application Gateway",
            setting: "Backend settings: Request time-out",
            value: TimeoutValue::After(s(20)),
            most: Some(s(86_400)),
            resets: Some(TimerReset::Either),
            resets_note: "\"also applies to the WebSocket session\"; that it counts idle time is inferred, not \
                               documented",
            cuts: &[CutKind::ClosesTcp],
            change: SettingChange::Set(
                "az network application-gateway http-settings update -g GROUP --gateway-name NAME -n SETTINGS \
                     --timeout 3600",
            ),
            folklore: Some("\"Azure Application Gateway: 60 s\": the documented default is 20 s"),
            source: "MicrosoftDocs/azure-docs articles/application-gateway/configuration-http-settings.md, \
                         application-gateway-websocket.md",
            least: Some(s(1)),
            ..CLOUD
        }],
        ..Product::BLANK
    },
    Product {
        id: "azure.frontdoor",
        name: "Azure Front Door Standard and Premium",
        timeouts: &[
            Timeout {
                id: "azure.frontdoor.idle",
                product: "Azure Front Door Standard and Premium",
                setting: "(fixed: idle)",
                value: TimeoutValue::After(s(300)),
                resets: Some(TimerReset::Either),
                resets_note: "data from the origin or the client",
                pings_count: Some(true),
                cuts: &[CutKind::ClosesTcp],
                change: SettingChange::Fixed,
                note: Some("caching on the route breaks the upgrade"),
                source: FRONT_DOOR_DOCS,
                shows: FRONT_DOOR,
                ..CLOUD
            },
            Timeout {
                id: "azure.frontdoor.life",
                product: "Azure Front Door Standard and Premium",
                kind: TimeoutKind::Lifetime,
                setting: "(fixed: longest connection)",
                value: TimeoutValue::After(s(7200)),
                resets: Some(TimerReset::Nothing),
                resets_note: "runs from the upgrade",
                cuts: &[CutKind::ClosesTcp],
                change: SettingChange::Fixed,
                note: Some("at most 3000 WebSockets at once for a profile"),
                source: FRONT_DOOR_DOCS,
                shows: FRONT_DOOR,
                ..CLOUD
            },
        ],
        ..Product::BLANK
    },
    Product {
        id: "azure.appservice",
        name: "Azure App Service",
        timeouts: &[Timeout {
            id: "azure.appservice",
            product: "Azure App Service",
            setting: "(front end: idle)",
            value: TimeoutValue::After(s(230)),
            typical: &[TypicalSetting { value: s(240), whose: "Linux apps, and many who quote it" }],
            resets: Some(TimerReset::Either),
            resets_note: "data",
            pings_count: Some(true),
            cuts: &[CutKind::ClosesTcp, CutKind::Silent],
            cut_note: "dropped; how is not documented",
            change: SettingChange::Fixed,
            note: Some(
                "no page of Microsoft's speaks of WebSockets here; the Free and Shared tiers limit their number",
            ),
            source: "azure-advice.com/2024/08/26, widely repeated",
            confidence: Confidence::Medium,
            ..CLOUD
        }],
        ..Product::BLANK
    },
    Product {
        id: "gcp.classic_alb",
        name: "Google Cloud classic Application Load Balancer (GKE Ingress \"gce\")",
        timeouts: &[Timeout {
            id: "gcp.classic_alb",
            product: "Google Cloud classic Application Load Balancer (GKE Ingress \"gce\")",
            kind: TimeoutKind::Lifetime,
            setting: "backend service timeoutSec",
            value: TimeoutValue::After(s(30)),
            resets: Some(TimerReset::Nothing),
            resets_note: "\"Websocket connections, whether idle or active, automatically close after the \
                               backend service times out\"",
            pings_count: Some(false),
            cuts: &[CutKind::ClosesTcp],
            change: SettingChange::Set(
                "gcloud compute backend-services update NAME --global --timeout=86400s",
            ),
            folklore: Some(
                "\"Google Cloud's load balancer: 30 s idle\": on the classic one it is a lifetime of 30 s",
            ),
            note: Some("in GKE: timeoutSec of the BackendConfig. Heartbeats cannot help"),
            source: "docs.cloud.google.com/load-balancing/docs/https/request-distribution (October 2026); \
                         kubernetes/ingress-gce examples/websocket/README: \"not an idle timeout - it is a timeout \
                         on the connection lifetime\"",
            shows: GOOGLE,
            common: true,
            ..CLOUD
        }],
        ..Product::BLANK
    },
    Product {
        id: "gcp.global_alb",
        name: "Google Cloud global external Application Load Balancer",
        timeouts: &[
            Timeout {
                id: "gcp.global_alb.idle",
                product: "Google Cloud global external Application Load Balancer",
                setting: "backend service timeoutSec",
                value: TimeoutValue::After(s(30)),
                resets: Some(TimerReset::Either),
                resets_note: "data: active connections do not use the backend's timeout",
                pings_count: Some(true),
                cuts: &[CutKind::ClosesTcp],
                change: SettingChange::Set(
                    "gcloud compute backend-services update NAME --global --timeout=3600s",
                ),
                folklore: Some("30 s idle holds for this one; the classic one has a lifetime of 30 s"),
                source: GCP_DOCS,
                shows: GOOGLE,
                common: true,
                ..CLOUD
            },
            Timeout {
                id: "gcp.global_alb.life",
                product: "Google Cloud global external Application Load Balancer",
                kind: TimeoutKind::Lifetime,
                setting: "(fixed: longest connection)",
                value: TimeoutValue::After(s(86_400)),
                resets: Some(TimerReset::Nothing),
                resets_note: "runs from the upgrade",
                cuts: &[CutKind::ClosesTcp],
                cut_note: "closed after 24 hours; a restart of a front end may cut earlier",
                change: SettingChange::Fixed,
                source: "docs.cloud.google.com/load-balancing/docs/https/request-distribution; gcpdiag \
                         lb/BP/2025_002",
                shows: GOOGLE,
                ..CLOUD
            },
        ],
        ..Product::BLANK
    },
    Product {
        id: "gcp.cloudrun",
        name: "Google Cloud Run",
        timeouts: &[Timeout {
            id: "gcp.cloudrun",
            product: "Google Cloud Run",
            kind: TimeoutKind::Lifetime,
            setting: "request timeout",
            value: TimeoutValue::After(s(300)),
            most: Some(s(3600)),
            resets: Some(TimerReset::Nothing),
            resets_note: "a WebSocket is one request: nothing resets it",
            pings_count: Some(false),
            cuts: &[CutKind::ClosesTcp],
            change: SettingChange::Set("gcloud run services update NAME --timeout=3600"),
            source: "cloud.google.com/run/docs/triggering/websockets, /run/docs/configuring/request-timeout",
            shows: GOOGLE,
            ..CLOUD
        }],
        ..Product::BLANK
    },
    Product {
        id: "gcp.appengine_flex",
        name: "Google App Engine flexible environment",
        timeouts: &[Timeout {
            id: "gcp.appengine_flex",
            product: "Google App Engine flexible environment",
            kind: TimeoutKind::Lifetime,
            setting: "(fixed: longest WebSocket)",
            value: TimeoutValue::After(s(3600)),
            resets: Some(TimerReset::Nothing),
            resets_note: "\"once a WebSockets connection is established, it will time out after one hour\"",
            cuts: &[CutKind::ClosesTcp],
            change: SettingChange::Fixed,
            source: "cloud.google.com/appengine/docs/flexible/using-websockets-and-session-affinity",
            shows: GOOGLE,
            ..CLOUD
        }],
        ..Product::BLANK
    },
    Product {
        id: "heroku",
        name: "Heroku router",
        timeouts: &[Timeout {
            id: "heroku",
            product: "Heroku router",
            setting: "(fixed)",
            value: TimeoutValue::After(s(55)),
            resets: Some(TimerReset::EachDirection),
            resets_note: "two wordings are published: each byte of either side restarts one window of 55 s; \
                               or each direction has a window of its own (H15 without data from the dyno, H28 \
                               without data from the client)",
            pings_count: Some(true),
            cuts: &[CutKind::ClosesTcp],
            cut_note: "terminated, logged as H15 or H28",
            change: SettingChange::Fixed,
            note: Some(
                "be on the safe side: traffic in both directions more often than every 55 s, as a ping and its \
                     pong are; the first 30 s (H12) are for the handshake, and dynos are cycled every 24 hours",
            ),
            source: "devcenter.heroku.com/articles/request-timeout, /articles/limits#http-timeouts",
            shows: ProductMarks::Usually(&[
                mark("via", "vegur"),
                mark("via", "heroku"),
                mark("server", "heroku"),
            ]),
            common: true,
            ..CLOUD
        }],
        ..Product::BLANK
    },
    Product {
        id: "fly",
        name: "Fly.io proxy",
        timeouts: &[Timeout {
            id: "fly",
            product: "Fly.io proxy",
            setting: "http_options.idle_timeout",
            value: TimeoutValue::Unset,
            cut_note: "formerly an RST at 60 s",
            change: SettingChange::Set("[services.http_options] idle_timeout = 600"),
            folklore: Some("\"Fly.io: 60 s\": that limit was removed in 2023"),
            note: Some(
                "since 2026 the proxy sends close 1001 before it stops or suspends a Machine; before, suspended \
                     Machines left connections that were dead and said nothing",
            ),
            source: "community.fly.io/t/15160 (removed), community.fly.io/t/27544; superfly/docs@5c22c8cece71 \
                         reference/configuration.html.markerb:372",
            shows: ProductMarks::Always(&[mark("fly-request-id", ""), mark("server", "fly/")]),
            ..CLOUD
        }],
        ..Product::BLANK
    },
    Product {
        id: "railway",
        name: "Railway edge",
        timeouts: &[Timeout {
            id: "railway",
            product: "Railway edge",
            setting: "(none for WebSockets)",
            value: TimeoutValue::Never,
            note: Some("plain HTTP has 5 minutes idle and 15 at most"),
            source: "railwayapp/docs@c2a634f1b389 \
                         content/docs/networking/public-networking/specs-and-limits.md:15: \"can stay open \
                         indefinitely, even while idle\"",
            ..CLOUD
        }],
        ..Product::BLANK
    },
    Product {
        id: "render",
        name: "Render",
        timeouts: &[Timeout {
            id: "render",
            product: "Render",
            setting: "(none published for WebSockets)",
            value: TimeoutValue::Unpublished,
            note: Some(
                "Cloudflare is in front of it; an HTTP response may last 100 minutes; a new instance closes",
            ),
            source: "render.com/docs/websocket, docs.render.com/uptime-best-practices",
            confidence: Confidence::Medium,
            ..CLOUD
        }],
        ..Product::BLANK
    },
    Product {
        id: "vercel",
        name: "Vercel Functions (WebSockets, public beta of 2026)",
        timeouts: &[Timeout {
            id: "vercel",
            product: "Vercel Functions (WebSockets, public beta of 2026)",
            kind: TimeoutKind::Lifetime,
            setting: "function maximum duration",
            value: TimeoutValue::After(s(300)),
            typical: &[TypicalSetting { value: s(800), whose: "the most that the Pro plan can set" }],
            most: Some(s(800)),
            resets: Some(TimerReset::Nothing),
            resets_note: "ends with the function",
            pings_count: Some(false),
            cuts: &[CutKind::Closes],
            change: SettingChange::Set("export const maxDuration = 800;"),
            folklore: Some("\"Vercel has no WebSockets\" is outdated"),
            source: "vercel.com/docs/functions/websockets (July 2026), /docs/functions/limitations",
            shows: ProductMarks::Always(&[mark("x-vercel-id", ""), mark("server", "vercel")]),
            least: Some(s(1)),
            ..CLOUD
        }],
        ..Product::BLANK
    },
    Product {
        id: "akamai",
        name: "Akamai (Property Manager, WebSockets)",
        timeouts: &[Timeout {
            id: "akamai",
            product: "Akamai (Property Manager, WebSockets)",
            setting: "(not published)",
            value: TimeoutValue::Unpublished,
            cut_note: "the proxy knows nothing of WebSocket frames and closes TCP when either end is closed: a \
                            clean close is not guaranteed",
            source: "techdocs.akamai.com/property-mgr/docs/websockets-support",
            confidence: Confidence::Medium,
            ..CLOUD
        }],
        ..Product::BLANK
    },
    Product {
        id: "fastly",
        name: "Fastly (WebSockets passthrough)",
        timeouts: &[Timeout {
            id: "fastly",
            product: "Fastly (WebSockets passthrough)",
            setting: "(none documented; between_bytes_timeout does not apply after the handoff)",
            value: TimeoutValue::Unpublished,
            note: Some("not together with shielding or the Next-Gen WAF"),
            source: "docs.fastly.com/products/websockets; \
                         www.fastly.com/documentation/guides/concepts/real-time-messaging/\
                         websockets-tunnel",
            confidence: Confidence::Medium,
            shows: ProductMarks::Usually(&[mark("x-served-by", "cache-")]),
            ..CLOUD
        }],
        ..Product::BLANK
    },
    Product {
        id: "supabase.edge",
        name: "Supabase Edge Functions",
        timeouts: &[Timeout {
            id: "supabase.edge",
            product: "Supabase Edge Functions",
            kind: TimeoutKind::Lifetime,
            setting: "wall clock limit",
            value: TimeoutValue::After(s(150)),
            typical: &[TypicalSetting { value: s(400), whose: "the paid plans" }],
            resets: Some(TimerReset::Nothing),
            resets_note: "ends with the function",
            cuts: &[CutKind::Closes],
            change: SettingChange::Fixed,
            source: "github.com/orgs/supabase/discussions/32791",
            confidence: Confidence::Medium,
            ..CLOUD
        }],
        ..Product::BLANK
    },
    Product {
        id: "oci.lb",
        name: "Oracle Cloud load balancer",
        timeouts: &[Timeout {
            id: "oci.lb",
            product: "Oracle Cloud load balancer",
            setting: "listener: Idle Timeout in Seconds",
            value: TimeoutValue::Unpublished,
            resets: Some(TimerReset::EachDirection),
            resets_note: "for WebSockets a send does not reset the timer of receives, nor a receive that of \
                               sends",
            pings_count: Some(true),
            cuts: &[CutKind::ClosesTcp],
            change: SettingChange::Set("Idle Timeout in Seconds: 3600"),
            note: Some("set for each listener; the page that describes it gives no default"),
            source: "docs.oracle.com/en-us/iaas/Content/Balance/Reference/connectionreuse.htm",
            ..CLOUD
        }],
        ..Product::BLANK
    },
    Product {
        id: "blaxel",
        name: "Blaxel sandbox",
        timeouts: &[Timeout {
            id: "blaxel",
            product: "Blaxel sandbox",
            family: ProductFamily::Service,
            setting: "(fixed)",
            value: TimeoutValue::After(s(900)),
            resets: Some(TimerReset::Either),
            resets_note: "data",
            cuts: &[CutKind::Closes],
            change: SettingChange::Fixed,
            source: "docs.blaxel.ai",
            ..CLOUD
        }],
        ..Product::BLANK
    },
];
