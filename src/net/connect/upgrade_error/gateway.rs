//! Tells whether the server itself or a proxy before it reports an unavailable server, and why.

use super::body_decoding::ResponseBody;
use super::body_text::BodyText;
use crate::domain::catalogue::{
    APPLICATION_SERVERS, BALANCER_SERVER_VALUES, ERROR_PAGES, PROXY_HEADERS, PROXY_SERVERS, SIGNED_PAGES,
    SLOW,
};
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::net::connect::http_head::HttpHead;

/// The hint for a 502, 503 or 504.
pub fn unavailable(head: &HttpHead, body: &ResponseBody, wording: &BodyText) -> String {
    let means = match head.status {
        502 => "the server behind it answered nothing, or nothing valid",
        503 => "it has no server for the request, limits it, or is configured to answer like this",
        _ => SLOW,
    };
    if let Some((product, evidence, own)) = own_page(head, body, wording) {
        return format!("{product} answers ({evidence}), not the server behind it: {}", own.unwrap_or(means));
    }
    if head.all("x-envoy-upstream-service-time").next().is_some() {
        return "the server behind Envoy itself sent this (x-envoy-upstream-service-time is there): see its log"
            .to_string();
    }
    match (application(head), head.status) {
        (Some(evidence), 503) => format!(
            "the server itself sent this ({evidence}): it is overloaded, starting or shutting down; see its log"
        ),
        (Some(evidence), _) => format!(
            "the server itself sent this ({evidence}), as a gateway to something behind it that does not answer"
        ),
        (None, 503) => {
            "the response does not show what sent it: the server itself (overloaded, starting, shutting \
                        down), or a proxy before it that has no server for the request"
                .to_string()
        }
        (None, _) => {
            let which = proxy_named(head).unwrap_or_else(|| "the response does not tell which".to_string());
            let means = means.replace("behind it", "behind that proxy");
            format!("by its status a proxy before the server sent this ({which}): {means}")
        }
    }
}

/// The proxy in the Server header. The response may come from another one and only be passed on.
fn proxy_named(head: &HttpHead) -> Option<String> {
    let server = head.text("server")?;
    let known = PROXY_SERVERS.iter().any(|name| server.to_ascii_lowercase().starts_with(name));
    known.then(|| format!("perhaps the one of server: {}", UntrustedText::new(&server)))
}

/// The product that made this page, the evidence, and the page's meaning.
fn own_page(
    head: &HttpHead,
    body: &ResponseBody,
    wording: &BodyText,
) -> Option<(String, String, Option<&'static str>)> {
    if let Some(page) = ERROR_PAGES.iter().find(|page| wording.has(page.says)) {
        return Some((page.product.to_string(), format!("its page says \"{}\"", page.says), page.means));
    }
    if head.all("x-squid-error").next().is_some() {
        return Some(("Squid".to_string(), "x-squid-error".to_string(), None));
    }
    if let Some(product) = signature(body) {
        return Some((product.to_string(), "its own error page".to_string(), nginx_limit(head, product)));
    }
    let server = head.text("server").unwrap_or_default();
    let shown = format!("server: {}", UntrustedText::new(&server));
    let lower = server.to_ascii_lowercase();
    if let Some((_, product)) = BALANCER_SERVER_VALUES.iter().find(|(name, _)| lower.starts_with(name)) {
        return Some((product.to_string(), shown, None));
    }
    // Caddy keeps the Server header of a proxied response, and has no error page.
    (lower == "caddy" && body.text.is_empty())
        .then(|| ("Caddy".to_string(), format!("{shown}, no body"), None))
}

/// nginx sends a 503 of its own only for its limits, or if configured to.
fn nginx_limit(head: &HttpHead, product: &str) -> Option<&'static str> {
    let nginx = ["nginx", "openresty", "tengine"].contains(&product);
    (nginx && head.status == 503).then_some("limit_req, limit_conn or a 'return 503' of its configuration")
}

fn signature(body: &ResponseBody) -> Option<&'static str> {
    let text = body.text.to_ascii_lowercase();
    SIGNED_PAGES.iter().copied().find(|name| text.contains(&format!("<center>{name}")))
}

/// The header that shows an application server, unless another header shows a proxy.
fn application(head: &HttpHead) -> Option<String> {
    if PROXY_HEADERS.iter().any(|name| head.all(name).next().is_some()) {
        return None;
    }
    ["server", "x-powered-by"].into_iter().find_map(|name| {
        let value = head.text(name)?;
        let lower = value.to_ascii_lowercase();
        let known = APPLICATION_SERVERS.iter().any(|application| lower.contains(application));
        known.then(|| format!("{name}: {}", UntrustedText::new(&value)))
    })
}

/// The hop that failed, by Cloudflare's own status codes.
fn cloudflare_hop(status: u16) -> Option<&'static str> {
    Some(match status {
        520 => "the origin closed, reset, or answered something that Cloudflare does not take",
        521 => {
            "the origin refused Cloudflare's connection: the server is down, or blocks Cloudflare's addresses"
        }
        522 => "Cloudflare's connection to the origin timed out: the server is down, or a firewall drops it",
        523 => "Cloudflare has no route to the origin: the origin's address in the DNS may be wrong",
        524 => "the origin took the connection but did not answer the request in time",
        525 => "the TLS handshake between Cloudflare and the origin failed",
        526 => "the origin's certificate is not valid for Cloudflare",
        527 => "the connection between Cloudflare and the origin's Railgun failed",
        530 => "Cloudflare could not find the origin: its name does not resolve, or its tunnel is down",
        _ => return None,
    })
}

/// The hint for a status of 520 to 530.
pub fn cloudflare(head: &HttpHead, wording: &BodyText) -> Option<String> {
    let hop = match head.status {
        530 if wording.has("1033") => "Cloudflare's tunnel to the origin is not connected (error 1033)",
        530 if wording.has("1016") => "Cloudflare could not resolve the origin's name (error 1016)",
        status => cloudflare_hop(status)?,
    };
    let server = head.text("server").unwrap_or_default().to_ascii_lowercase();
    let is_cloudflare =
        server.starts_with("cloudflare") || head.all("cf-ray").next().is_some() || wording.has("cloudflare");
    Some(if is_cloudflare {
        hop.to_string()
    } else {
        format!("Cloudflare uses this status, but nothing else here names it; there it means: {hop}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(status: u16, headers: &[(&str, &str)]) -> HttpHead {
        let headers = headers.iter().map(|(n, v)| (n.to_string(), v.as_bytes().to_vec())).collect();
        HttpHead { status, minor_version: 1, headers }
    }

    fn hint_of(status: u16, headers: &[(&str, &str)], body: &str) -> String {
        let head = head(status, headers);
        let body = ResponseBody::new(&head, body.as_bytes());
        unavailable(&head, &body, &BodyText::new(&body.text))
    }

    #[test]
    fn proxy_error_page_names_the_proxy() {
        let nginx =
            "<html><body><center><h1>502 Bad Gateway</h1></center><hr><center>nginx/1.22.1</center></body>";
        for (status, headers, body, product) in [
            (502, &[("server", "nginx/1.22.1")][..], nginx, "nginx answers (its own error page)"),
            (
                503,
                &[],
                "<h1>503 Service Unavailable</h1>\nNo server is available to handle this request.",
                "HAProxy",
            ),
            (504, &[], "The server didn't respond in time.", "HAProxy"),
            (503, &[("server", "envoy")], "no healthy upstream", "Envoy"),
            (503, &[], "Error 503 Backend fetch failed", "Varnish"),
            (503, &[("server", "awselb/2.0")], "<center><h1>503</h1></center>", "the AWS load balancer"),
            (502, &[("server", "Caddy")], "", "Caddy answers"),
            (503, &[("x-squid-error", "ERR_CONNECT_FAIL 111")], "", "Squid"),
        ] {
            let hint = hint_of(status, headers, body);
            assert!(hint.starts_with(product) && hint.contains("not the server behind it"), "{hint}");
        }
    }

    #[test]
    fn nginx_503_means_its_limits() {
        let hint = hint_of(503, &[], "<center><h1>503</h1></center><hr><center>nginx</center>");
        assert!(hint.contains("limit_req") && !hint.contains("no server"), "{hint}");
    }

    #[test]
    fn application_server_is_named() {
        for headers in [
            [("server", "Python/3.11 websockets/12.0")],
            [("server", "uvicorn")],
            [("x-powered-by", "Express")],
        ] {
            let hint = hint_of(503, &headers, "busy");
            assert!(hint.starts_with("the server itself sent this ("), "{hint}");
            assert!(hint.contains(headers[0].1), "{hint}");
        }
        let hint = hint_of(503, &[("server", "envoy"), ("x-envoy-upstream-service-time", "3")], "busy");
        assert!(hint.starts_with("the server behind Envoy itself sent this"), "{hint}");
    }

    #[test]
    fn unknown_responder_is_reported() {
        for headers in [&[][..], &[("server", "nginx/1.22.1")], &[("server", "Cowboy"), ("via", "1.1 vegur")]]
        {
            let hint = hint_of(503, headers, "busy");
            assert!(hint.starts_with("the response does not show what sent it"), "{hint}");
        }
        let hint = hint_of(502, &[], "");
        assert!(hint.starts_with("by its status a proxy before the server sent this"), "{hint}");
        let hint = hint_of(502, &[("server", "nginx/1.22.1")], "oops");
        assert!(hint.contains("(perhaps the one of server: nginx/1.22.1)"), "{hint}");
        assert!(hint_of(504, &[], "").contains("behind that proxy did not answer in time"));
    }

    #[test]
    fn each_cloudflare_status_names_the_hop() {
        let of = |status, headers: &[(&str, &str)], body: &str| {
            cloudflare(&head(status, headers), &BodyText::new(body)).unwrap_or_default()
        };
        for (status, words) in [
            (520, "does not take"),
            (521, "refused"),
            (522, "timed out"),
            (523, "no route"),
            (524, "did not answer the request in time"),
            (525, "TLS handshake"),
            (526, "certificate"),
            (530, "does not resolve"),
        ] {
            for headers in [("server", "cloudflare"), ("cf-ray", "8c-FRA")] {
                let hint = of(status, &[headers], "");
                assert!(hint.contains(words) && !hint.contains("nothing else"), "{hint}");
            }
            let hint = of(status, &[], "error");
            assert!(hint.contains(words) && hint.contains("nothing else here names it"), "{hint}");
        }
        assert!(of(530, &[("server", "cloudflare")], "error code: 1033").contains("tunnel"));
        assert!(
            of(530, &[("server", "cloudflare")], "error code: 1016").contains("resolve the origin's name")
        );
        assert_eq!(of(529, &[("server", "cloudflare")], ""), "");
    }
}
