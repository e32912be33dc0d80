//! Recorded cuts of known products: the right product is named, or none, never a wrong one.

use std::time::Duration;

use super::{Candidate, CutObservation, ObservedCut, ProductNaming, VisibleCut, consistent_with};
use crate::domain::catalogue::{
    CutKind, ProductFamily, ProductMarks, Timeout, TimeoutKind, TimeoutValue, timeouts,
};
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::idle::finding::{EndSpread, ResetBy};
use crate::domain::idle::refresh::{KeepaliveMethod, KeepaliveOutcome, MethodResult, RefreshResults};

const FIN: ObservedCut = ObservedCut::Visible(VisibleCut::Fin);
const HALF: ObservedCut = ObservedCut::Visible(VisibleCut::HalfClose);
const RST: ObservedCut = ObservedCut::Visible(VisibleCut::Rst);

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A recorded cut.
#[derive(Clone)]
struct RecordedCut<'a> {
    kind: TimeoutKind,
    lo: Option<u64>,
    ends: &'a [u64],
    hi: u64,
    seen: ObservedCut,
    stops_forwarding_before_closing: bool,
    reset_by: Option<ResetBy>,
    headers: &'a [(&'a str, &'a str)],
    refresh: Option<RefreshResults>,
    through_proxy: bool,
}

const BLANK: RecordedCut = RecordedCut {
    kind: TimeoutKind::Idle,
    lo: None,
    ends: &[],
    hi: 0,
    seen: FIN,
    stops_forwarding_before_closing: false,
    reset_by: None,
    headers: &[],
    refresh: None,
    through_proxy: false,
};

impl RecordedCut<'_> {
    fn naming(&self) -> ProductNaming {
        let headers: Vec<_> =
            self.headers.iter().map(|(name, value)| (name.to_string(), UntrustedText::new(value))).collect();
        let ends: Vec<_> = self.ends.iter().copied().map(ms).collect();
        consistent_with(&CutObservation {
            kind: self.kind,
            lo: self.lo.map(ms),
            hi: Some(ms(self.hi)),
            ends: EndSpread::of(&ends),
            seen: self.seen,
            stops_forwarding_before_closing: self.stops_forwarding_before_closing,
            reset_by: self.reset_by,
            refresh: self.refresh.as_ref(),
            headers: &headers,
            through_proxy: self.through_proxy,
        })
    }
}

/// Connections seen to end when a timer of `timer` ms expired.
fn visible<'a>(timer: u64, seen: ObservedCut, headers: &'a [(&'a str, &'a str)]) -> RecordedCut<'a> {
    RecordedCut { lo: Some(timer - timer / 100), hi: timer + 10, seen, headers, ..BLANK }
}

/// Connections found dead between two spans.
fn found_dead(lo: u64, hi: u64, seen: ObservedCut) -> RecordedCut<'static> {
    RecordedCut { lo: Some(lo), hi, seen, ..BLANK }
}

fn ids(candidates: &[Candidate]) -> Vec<&'static str> {
    candidates.iter().map(|candidate| candidate.timeout.id).collect()
}

fn named(record: &RecordedCut) -> Vec<&'static str> {
    ids(&record.naming().candidates)
}

fn undecided(record: &RecordedCut) -> Vec<&'static str> {
    ids(&record.naming().undecided)
}

fn kept(methods: [(KeepaliveMethod, bool); 3]) -> Option<RefreshResults> {
    let row = |(method, kept)| {
        let outcome = if kept {
            KeepaliveOutcome::Survived
        } else {
            KeepaliveOutcome::Died { after: ms(3000), how: String::new() }
        };
        MethodResult { method, every: None, held: ms(7500), outcome }
    };
    Some(RefreshResults::of(methods.map(row).to_vec(), &[]))
}

const NGINX: &[(&str, &str)] = &[("server", "nginx/1.22.1")];

#[test]
fn two_products_in_headers_are_undecided() {
    let headers = [("server", "nginx/1.22.1"), ("via", "1.1 varnish (Varnish/7.1)")];
    for seconds in [17, 60] {
        let record = visible(seconds * 1000, FIN, &headers);
        assert_eq!(named(&record), [""; 0], "{seconds} s");
        assert_eq!(undecided(&record), ["nginx.proxy_read_timeout", "varnish.pipe_timeout"], "{seconds} s");
    }
}

#[test]
fn nginx_is_named_at_any_value_of_its_timeout() {
    for seconds in [3, 17, 20, 30, 50, 55, 60, 75, 300, 3600] {
        let naming = visible(seconds * 1000, FIN, NGINX).naming();
        assert_eq!(ids(&naming.candidates), ["nginx.proxy_read_timeout"], "{seconds} s");
        assert_eq!((&naming.undecided, &naming.ruled_out), (&vec![], &vec![]), "{seconds} s");
        let nginx = &naming.candidates[0];
        let setting = format!("`proxy_read_timeout {seconds}s` in http, server or location");
        assert_eq!((nginx.value, nginx.setting()), (ms(seconds * 1000), setting));
    }
    let odd = visible(2500, FIN, NGINX).naming();
    assert!(odd.candidates[0].setting().starts_with("`proxy_read_timeout 2500ms`"), "{odd:?}");
}

#[test]
fn default_value_adds_a_reason() {
    let reasons = |seconds: u64| visible(seconds * 1000, FIN, NGINX).naming().candidates[0].reasons.clone();
    let header = "the response says server: nginx/1.22.1";
    assert_eq!(reasons(60), [header, "it cuts by FIN", "60 s is its default"]);
    assert_eq!(reasons(20), [header, "it cuts by FIN", "it can be set to 20 s, though 60 s is its default"]);
}

#[test]
fn a_header_shows_only_that_a_product_is_on_the_path() {
    let naming = visible(20_000, FIN, NGINX).naming();
    let caveat = naming.candidates[0].caveat().unwrap();
    assert!(caveat.contains("not that it cut") && caveat.contains("error log"), "{caveat}");
}

#[test]
fn fin_without_a_header_singles_nothing_out() {
    for seconds in [20, 50, 55, 60] {
        let naming = visible(seconds * 1000, FIN, &[]).naming();
        assert_eq!(naming.candidates, [], "{seconds} s");
        assert!(ids(&naming.undecided).contains(&"haproxy.client_server"), "{seconds} s: {naming:?}");
        let wrong =
            ["nginx.proxy_read_timeout", "heroku", "azure.appgw", "apache.httpd24", "gcp.global_alb.idle"];
        assert!(ids(&naming.undecided).iter().all(|id| !wrong.contains(id)), "{seconds} s: {naming:?}");
    }
    let sixty = undecided(&visible(60_000, FIN, &[]));
    for id in ["haproxy.client_server", "varnish.pipe_timeout", "aws.alb"] {
        assert!(sixty.contains(&id), "{sixty:?}");
    }
}

#[test]
fn origin_header_keeps_proxies_that_add_none() {
    let record = visible(60_000, FIN, &[("server", "gunicorn")]);
    assert_eq!(named(&record), [""; 0]);
    let undecided = undecided(&record);
    assert!(undecided.contains(&"haproxy.client_server") && undecided.contains(&"varnish.pipe_timeout"));
    assert!(!undecided.contains(&"ingress-nginx"), "it removes the origin's header: {undecided:?}");
}

#[test]
fn one_sided_fin_is_not_nginx() {
    for headers in [&[][..], NGINX, &[("server", "gunicorn")]] {
        let naming = visible(60_000, HALF, headers).naming();
        let found = [ids(&naming.candidates), ids(&naming.undecided)].concat();
        assert!(found.iter().all(|id| !id.starts_with("nginx")), "{found:?}");
        assert!(found.contains(&"apache.httpd24"), "{headers:?}: {found:?}");
    }
    assert_eq!(named(&visible(60_000, HALF, &[])), ["apache.httpd24"]);
    let ruled_out = visible(60_000, HALF, NGINX).naming().ruled_out;
    assert_eq!(ruled_out[0].product, "nginx (http proxy)");
    assert_eq!(ruled_out[0].why, "it cuts in another way (FIN)");
}

#[test]
fn apache_origin_does_not_cut_by_a_full_fin() {
    let naming = visible(50_000, FIN, &[("server", "Apache/2.4.57 (Debian)")]).naming();
    assert_eq!(naming.candidates, []);
    assert_eq!(naming.ruled_out[0].header, "server: Apache/2.4.57 (Debian)");
}

#[test]
fn tomcat_and_istio_are_not_apache_and_envoy() {
    let tomcat = visible(60_000, HALF, &[("server", "Apache-Coyote/1.1")]).naming();
    assert!(tomcat.candidates.iter().all(|it| it.header().is_none()), "{tomcat:?}");
    let istio = [("server", "istio-envoy")];
    let record = RecordedCut { lo: Some(2500), ends: &[4000, 4010], hi: 4010, headers: &istio, ..BLANK };
    assert_eq!(named(&record), ["istio"]);
}

#[test]
fn lighttpd_fires_up_to_a_second_late() {
    let lighttpd = [("server", "lighttpd/1.4.69")];
    let three = RecordedCut { ends: &[3830, 3990, 4000], hi: 4000, seen: HALF, headers: &lighttpd, ..BLANK };
    let naming = three.naming();
    assert!(ids(&naming.candidates).contains(&"lighttpd.max-read-idle"), "{naming:?}");
    assert!(naming.candidates.iter().all(|it| it.value == ms(3000)), "{naming:?}");
    let sixty = RecordedCut { ends: &[61_040], hi: 61_040, lo: Some(60_600), ..three };
    assert_eq!(named(&sixty), ["lighttpd.max-read-idle"], "its default, and not max-write-idle's");
    let behind = RecordedCut { headers: &[("server", "gunicorn")], ..sixty };
    assert_eq!(named(&behind), [""; 0], "Apache passes the header on, too");
    assert!(undecided(&behind).contains(&"lighttpd.max-read-idle"));
}

#[test]
fn envoy_fin_comes_a_second_after_its_timer() {
    let envoy = [("server", "envoy")];
    for seconds in [3, 60, 300] {
        let end = [seconds * 1000 + 1003, seconds * 1000 + 1020];
        let lo = Some(seconds * 1000 - 100);
        let record = RecordedCut {
            lo,
            ends: &end,
            hi: end[1],
            stops_forwarding_before_closing: true,
            headers: &envoy,
            ..BLANK
        };
        let naming = record.naming();
        assert_eq!(ids(&naming.candidates), ["envoy.stream_idle_timeout"], "{seconds} s");
        assert_eq!(naming.candidates[0].value, ms(seconds * 1000));
    }
    let lived =
        RecordedCut { kind: TimeoutKind::Lifetime, lo: Some(3900), hi: 4030, headers: &envoy, ..BLANK };
    assert_eq!(lived.naming().candidates[0].setting(), "`max_stream_duration: 3s`");
}

#[test]
fn loss_in_the_last_second_excludes_exact_timers() {
    let record = RecordedCut { stops_forwarding_before_closing: true, ..visible(60_000, FIN, NGINX) };
    let naming = record.naming();
    assert_eq!(naming.candidates, []);
    assert_eq!(naming.ruled_out[0].why, "it cuts exactly when its timer is up");
}

#[test]
fn spread_ends_exclude_exact_timers() {
    let record = RecordedCut { ends: &[59_000, 59_600, 60_400], hi: 60_400, headers: NGINX, ..BLANK };
    assert_eq!(named(&record), [""; 0]);
}

#[test]
fn traffic_server_caddy_and_stunnel_are_recognized() {
    let ats = visible(3540, FIN, &[("server", "ATS/9.2.9")]).naming();
    assert_eq!(ids(&ats.candidates), ["trafficserver.no_activity"]);
    assert_eq!(ats.candidates[0].value, ms(3000));
    let caddy = visible(3000, FIN, &[("server", "Caddy"), ("server", "OriginX/1.0")]).naming();
    assert_eq!(ids(&caddy.candidates), ["caddy.read_timeout"]);
    let stunnel = undecided(&visible(3000, RST, &[]));
    assert!(stunnel.contains(&"stunnel"), "{stunnel:?}");
    assert!(!stunnel.contains(&"netscaler.client"), "looked at every 2 minutes: {stunnel:?}");
    assert!(!undecided(&visible(3000, FIN, &[])).contains(&"stunnel"));
}

#[test]
fn keepalive_methods_distinguish_caddy_from_nginx() {
    use KeepaliveMethod::{PingPong, TcpKeepalive, UnsolicitedPong};
    let tried = |pong| kept([(PingPong, true), (UnsolicitedPong, pong), (TcpKeepalive, false)]);
    let caddy = [("via", "1.1 Caddy")];
    let of = |headers, pong| RecordedCut { refresh: tried(pong), ..visible(20_000, FIN, headers) };
    assert_eq!(named(&of(&caddy, false)), ["caddy.read_timeout"]);
    assert_eq!(named(&of(&caddy, true)), [""; 0]);
    assert_eq!(named(&of(NGINX, true)), ["nginx.proxy_read_timeout"]);
    assert_eq!(named(&of(NGINX, false)), [""; 0]);
    let ruled_out = of(NGINX, false).naming().ruled_out;
    assert_eq!(ruled_out[0].why, "other traffic resets its timer");
}

#[test]
fn timer_that_ignores_pings_is_no_proxy() {
    for reset_by in [ResetBy::Messages, ResetBy::Pings] {
        for headers in [NGINX, &[]] {
            let record = RecordedCut { reset_by: Some(reset_by), ..visible(60_000, FIN, headers) };
            let found = [named(&record), undecided(&record)].concat();
            assert_eq!(found, [""; 0], "{headers:?}");
        }
    }
}

#[test]
fn squid_is_named_only_behind_a_client_proxy() {
    let direct = visible(4500, FIN, &[]);
    assert!(!undecided(&direct).contains(&"squid.read_timeout"));
    assert!(undecided(&RecordedCut { through_proxy: true, ..direct }).contains(&"squid.read_timeout"));
}

#[test]
fn differing_fixed_timeout_is_excluded() {
    let vegur = [("via", "1.1 vegur")];
    assert_eq!(named(&visible(55_000, FIN, &vegur)), ["heroku"]);
    let naming = visible(20_000, FIN, &vegur).naming();
    assert_eq!(naming.candidates, []);
    assert_eq!(naming.ruled_out[0].why, "its timeout is 55 s, and cannot be changed");
    assert!(!undecided(&visible(55_000, FIN, &[])).contains(&"heroku"), "it would have shown itself");
}

#[test]
fn product_without_published_timeout_is_never_named() {
    let cloudflare = [("server", "cloudflare"), ("cf-ray", "8f0-AMS")];
    let naming = visible(20_000, FIN, &cloudflare).naming();
    assert_eq!(naming.candidates, []);
    assert!(naming.ruled_out[0].why.contains("no timeout of it is published"), "{naming:?}");
    let hundred = visible(100_000, FIN, &cloudflare).naming();
    assert_eq!(ids(&hundred.candidates), ["cloudflare.proxy"]);
    assert!(hundred.candidates[0].reasons.iter().any(|why| why.contains("not of WebSockets")), "{hundred:?}");
}

#[test]
fn silent_cut_lists_matching_defaults_first() {
    let rst = undecided(&found_dead(346_000, 352_000, ObservedCut::RstOnUse));
    assert_eq!(rst[..2], ["aws.nlb.tcp", "aws.natgw"]);
    let silent = undecided(&found_dead(346_000, 352_000, ObservedCut::Silent));
    assert!(
        silent[..3].contains(&"aws.network_firewall") && silent[..3].contains(&"aws.nlb.tcp"),
        "{silent:?}"
    );
    assert_eq!(undecided(&found_dead(238_000, 242_000, ObservedCut::Silent))[0], "azure.lb");
    let low = undecided(&found_dead(2900, 3100, ObservedCut::Silent));
    assert!(low.contains(&"linux.conntrack"), "any value can be set: {low:?}");
    assert!(
        !low.iter().any(|id| id.starts_with("azure") || id.starts_with("aws")),
        "not below 60 s: {low:?}"
    );
}

#[test]
fn acknowledged_cut_names_nothing_below_the_application() {
    for millis in [3_000, 240_000, 350_000, 432_000_000] {
        let naming = found_dead(millis - 20, millis + 20, ObservedCut::Acknowledged).naming();
        let all = naming.candidates.iter().chain(&naming.undecided);
        let below: Vec<_> = all.filter(|it| it.timeout.family == ProductFamily::Nat).collect();
        assert_eq!((below.len(), naming.candidates.len()), (0, 0), "{millis}: {below:?}");
    }
}

#[test]
fn lifetime_is_named_by_header_but_not_after_a_reload() {
    let google = [("via", "1.1 google")];
    let lived = |headers| RecordedCut { kind: TimeoutKind::Lifetime, ..visible(30_000, FIN, headers) };
    assert_eq!(named(&lived(&google)), ["gcp.classic_alb", "gcp.cloudrun"]);
    assert_eq!(named(&lived(NGINX)), [""; 0], "a reload is no age");
    assert_eq!(named(&visible(30_000, FIN, &google)), ["gcp.global_alb.idle"]);
    let caddy = RecordedCut { headers: &[("server", "Caddy")], ..lived(&[]) };
    assert_eq!(caddy.naming().candidates[0].setting(), "`stream_timeout 30s` in reverse_proxy");
}

#[test]
fn phoenix_default_is_recognized_by_close_1000() {
    let close = |code| ObservedCut::Visible(VisibleCut::CloseFrame(Some(code)));
    let cowboy = [("server", "Cowboy")];
    let record = RecordedCut { lo: Some(59_000), hi: 63_000, seen: close(1000), headers: &cowboy, ..BLANK };
    let naming = record.naming();
    assert_eq!(ids(&naming.candidates), ["cowboy", "phoenix"]);
    assert!(naming.candidates[0].reasons.iter().any(|why| why.contains("a server's own")), "{naming:?}");
    let other = RecordedCut { seen: close(4000), ..record }.naming();
    assert_eq!((other.candidates.len(), other.undecided.len()), (0, 0));
    assert_eq!(other.ruled_out[0].why, "it cuts in another way (close frame 1000)");
}

#[test]
fn open_or_wide_bracket_names_nothing() {
    let nothing = |record: RecordedCut| {
        let naming = record.naming();
        assert_eq!((naming.candidates.len(), naming.undecided.len()), (0, 0), "{naming:?}");
    };
    nothing(found_dead(30_000, 600_000, ObservedCut::Silent));
    nothing(RecordedCut { lo: Some(61_000), hi: 59_000, headers: NGINX, ..BLANK });
    let open = CutObservation {
        kind: TimeoutKind::Idle,
        lo: Some(ms(300_000)),
        hi: None,
        ends: None,
        seen: ObservedCut::Silent,
        stops_forwarding_before_closing: false,
        reset_by: None,
        refresh: None,
        headers: &[],
        through_proxy: false,
    };
    assert_eq!(consistent_with(&open), ProductNaming::default());
}

#[test]
fn visible_end_suffices_without_a_lower_end() {
    let record = RecordedCut { hi: 60_030, headers: NGINX, ..BLANK };
    assert_eq!(record.naming().candidates[0].value, ms(60_000));
}

#[test]
fn hostile_header_is_escaped() {
    let naming = visible(60_000, FIN, &[("server", "nginx\u{1b}[2J")]).naming();
    assert_eq!(naming.candidates[0].reasons[0], "the response says server: nginx\\u{1b}[2J");
}

/// Every product of the table, at its default and at other values, as an observation of its cut.
#[test]
fn no_product_is_named_for_the_cut_of_another() {
    let seen_of = |cut| match cut {
        CutKind::Fin | CutKind::ClosesTcp | CutKind::Closes => Some(FIN),
        CutKind::HalfClose => Some(HALF),
        CutKind::Rst => Some(RST),
        CutKind::CloseFrame(code) => Some(ObservedCut::Visible(VisibleCut::CloseFrame(Some(code)))),
        CutKind::Silent => Some(ObservedCut::Silent),
        CutKind::RstOnUse => Some(ObservedCut::RstOnUse),
        CutKind::HttpError(_) => None,
    };
    let known =
        || timeouts().filter(|it| it.kind == TimeoutKind::Idle && it.family != ProductFamily::Service);
    for timeout in
        known().filter(|it| it.value != TimeoutValue::Never && it.value != TimeoutValue::Unpublished)
    {
        for seconds in [3, 17, 20, 30, 50, 55, 60, 230, 240, 300, 350, 600] {
            for seen in timeout.cuts.iter().filter_map(|cut| seen_of(*cut)) {
                let headers: Vec<_> = header_of(timeout).into_iter().collect();
                let end = seconds * 1000 + u64::try_from(timeout.delay.as_millis()).unwrap();
                let record =
                    RecordedCut { lo: Some(seconds * 990), hi: end + 10, seen, headers: &headers, ..BLANK };
                for candidate in record.naming().candidates {
                    let same = candidate.timeout.topic() == timeout.topic();
                    let shares = candidate.header().is_some();
                    assert!(same || shares, "{} at {seconds} s: {}", timeout.id, candidate.timeout.id);
                    assert!(candidate.timeout.family != ProductFamily::Service);
                }
            }
        }
    }
}

/// A header that reveals a product.
fn header_of(timeout: &Timeout) -> Option<(&'static str, &'static str)> {
    let marks = match timeout.shows {
        ProductMarks::Never | ProductMarks::Behind(_) => return None,
        ProductMarks::Usually(marks) | ProductMarks::Yields(marks) | ProductMarks::Always(marks) => marks,
    };
    marks.first().map(|mark| (mark.header, mark.contains))
}
