//! Which known timers a measurement is consistent with. Never an assertion: somebody may have configured
//! anything.

use std::cmp::Reverse;
use std::time::Duration;

use super::lookup::all;
use super::model::{Confidence, Cut, Family, Kind, Mark, Middlebox, Shows, Typical, Value, span};
use crate::domain::ending::How;
use crate::domain::peer_text::PeerText;

/// The most candidates that are named.
const MOST: usize = 3;
/// What a header that names the product is worth; more than all else together.
const MARKED: i32 = 10;
/// What it costs when the response names another server where this product would name itself.
const NAMED_OTHER: i32 = -2;
/// A timer that is met so often is likelier than another that fits alike.
const COMMON: i32 = 2;
/// A value that is not the default but somebody's habit.
const HABIT: i32 = -2;
/// A measurement is this far off a timer's value at least, and by this part of it.
const SLACK: Duration = Duration::from_millis(250);
const SLACK_PART: f64 = 0.005;
/// What counts as a close fit: so near, or within this part of the upper end.
const CLOSE: Duration = Duration::from_millis(1500);
const CLOSE_PART: f64 = 0.02;

/// How a connection was seen to be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Seen {
    /// The end showed itself while nothing was sent.
    Visible(Visible),
    /// Nothing came, not even when the connection was used.
    Silent,
    /// Nothing came until the connection was used; then an RST.
    RstOnUse,
}

/// An end that shows itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Visible {
    /// A FIN, or under TLS a close_notify, without a close frame.
    Fin,
    /// A FIN, while what we write is still taken.
    HalfClose,
    Rst,
    /// A close frame, with its code where it had one.
    CloseFrame(Option<u16>),
}

impl Visible {
    /// What an ending looks like; `None` when it was not an end that the peer showed.
    pub fn of(how: &How) -> Option<Visible> {
        match how {
            How::CloseFrame { code, .. } => Some(Visible::CloseFrame(*code)),
            How::Fin | How::TlsClose => Some(Visible::Fin),
            How::Rst => Some(Visible::Rst),
            How::TlsAlert { .. } | How::Violation { .. } | How::Silent | How::Timeout | How::Error => None,
        }
    }
}

/// A known timer that a measurement is consistent with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub middlebox: &'static Middlebox,
    /// The value that fits: its default, or one that is often configured.
    pub value: Duration,
    /// Why it is named, each a lower-case fragment, the value first.
    pub reasons: Vec<String>,
    score: i32,
}

/// What is known of a cut: the longest idle (or age) that survived, the shortest that did not, how it was
/// cut, and the headers of the response, names in lower case. At most three candidates, best first; none when
/// nothing fits, or when the bracket has no upper end.
pub fn consistent_with(
    bracket_lo: Option<Duration>,
    bracket_hi: Option<Duration>,
    how: Seen,
    kind: Kind,
    headers: &[(String, PeerText)],
) -> Vec<Candidate> {
    let Some(hi) = bracket_hi else { return Vec::new() };
    let evidence = Evidence { lo: bracket_lo.unwrap_or_default(), hi, how, headers };
    let of_kind = all().filter(|middlebox| middlebox.kind == kind && middlebox.family != Family::Service);
    let mut candidates: Vec<Candidate> =
        of_kind.filter_map(|middlebox| evidence.candidate(middlebox)).collect();
    candidates.sort_by_key(|candidate| Reverse(candidate.score));
    let best = candidates.first().map_or(0, |candidate| candidate.score);
    candidates.retain(|candidate| candidate.score * 2 > best);
    candidates.truncate(MOST);
    candidates
}

struct Evidence<'a> {
    lo: Duration,
    hi: Duration,
    how: Seen,
    headers: &'a [(String, PeerText)],
}

impl Evidence<'_> {
    fn candidate(&self, middlebox: &'static Middlebox) -> Option<Candidate> {
        let habits = middlebox.typical.iter().map(|typical| (typical.value, Some(typical)));
        let values = middlebox.value.span().map(|value| (value, None)).into_iter().chain(habits);
        let weighed = values.filter_map(|(value, habit)| self.weigh(middlebox, value, habit));
        weighed.max_by_key(|candidate| candidate.score)
    }

    fn weigh(
        &self,
        middlebox: &'static Middlebox,
        value: Duration,
        habit: Option<&Typical>,
    ) -> Option<Candidate> {
        let fit = self.fit(value, middlebox.coarse)?;
        let cut = self.cut(middlebox)?;
        let header = self.header(middlebox.shows)?;
        if fit == 0 && !matches!(header, Header::Named(_)) {
            return None;
        }
        let habitual = if habit.is_some() { HABIT } else { 0 };
        let common = if middlebox.common { COMMON } else { 0 };
        let trust = i32::from(middlebox.confidence == Confidence::High);
        let score = fit + cut.worth() + header.worth() + habitual + common + trust;
        let mut reasons = vec![told_value(middlebox, value, habit)];
        reasons.extend(header.told());
        reasons.push(cut.told());
        reasons.extend(coarse(middlebox));
        if middlebox.confidence == Confidence::Medium {
            reasons.push("its source is of medium confidence".to_string());
        }
        Some(Candidate { middlebox, value, reasons, score })
    }

    /// How tightly the evidence holds this value, 0 to 3; `None` when it excludes it. A cut that shows itself
    /// comes when the timer strikes, so that being near to the upper end is as good as a tight bracket.
    fn fit(&self, value: Duration, coarse: Duration) -> Option<i32> {
        let slack = SLACK.max(value.mul_f64(SLACK_PART));
        let latest = value.saturating_add(coarse);
        if self.lo > self.hi
            || latest.saturating_add(slack) < self.lo
            || value > self.hi.saturating_add(slack)
        {
            return None;
        }
        let near = CLOSE.max(self.hi.mul_f64(CLOSE_PART));
        let on_time = matches!(self.how, Seen::Visible(_)) && self.hi.saturating_sub(latest) <= near;
        let width = self.hi.saturating_sub(self.lo);
        Some(match width.as_secs_f64() / self.hi.as_secs_f64().max(f64::MIN_POSITIVE) {
            _ if on_time || width <= near => 3,
            ..=0.1 => 2,
            ..=0.4 => 1,
            _ => 0,
        })
    }

    /// The way of cutting that is most like what was seen; `None` when none is.
    fn cut(&self, middlebox: &Middlebox) -> Option<Likeness> {
        let likenesses = middlebox.cuts.iter().enumerate().filter_map(|(place, cut)| {
            let degree = likeness(self.how, *cut)?;
            Some(Likeness { cut: *cut, degree, usual: place == 0 })
        });
        likenesses.max_by_key(Likeness::worth)
    }

    /// What the headers say; `None` when they exclude it.
    fn header(&self, shows: Shows) -> Option<Header> {
        let (marks, always) = match shows {
            Shows::Never => return Some(Header::Mute),
            Shows::Usually(marks) => (marks, false),
            Shows::Always(marks) => (marks, true),
        };
        let named =
            self.headers.iter().find(|(name, value)| marks.iter().any(|mark| bears(mark, name, value)));
        let other = self.headers.iter().find(|(name, _)| name == "server");
        match (named, other) {
            (Some(header), _) => Some(Header::Named(shown(header))),
            (None, _) if always => None,
            (None, Some(header)) => Some(Header::NamedOther(shown(header))),
            (None, None) => Some(Header::Mute),
        }
    }
}

/// What the response says of a product.
enum Header {
    Named(String),
    NamedOther(String),
    Mute,
}

impl Header {
    fn worth(&self) -> i32 {
        match self {
            Header::Named(_) => MARKED,
            Header::NamedOther(_) => NAMED_OTHER,
            Header::Mute => 0,
        }
    }

    fn told(&self) -> Option<String> {
        match self {
            Header::Named(header) => Some(format!("the response says {header}")),
            Header::NamedOther(header) => Some(format!("but the response says {header}")),
            Header::Mute => None,
        }
    }
}

fn shown((name, value): &(String, PeerText)) -> String {
    format!("{name}: {value}")
}

fn bears(mark: &Mark, name: &str, value: &PeerText) -> bool {
    let is_named =
        if mark.header.ends_with('-') { name.starts_with(mark.header) } else { name == mark.header };
    is_named && value.as_str().to_lowercase().contains(mark.contains)
}

/// How like what was seen a known way of cutting is.
#[derive(Clone, Copy)]
struct Likeness {
    cut: Cut,
    degree: Degree,
    /// Whether it is the product's usual way.
    usual: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Degree {
    /// The same.
    Same,
    /// What is known allows it, but is less exact.
    Allowed,
    /// It may look so when another hop takes part.
    Possible,
}

impl Likeness {
    fn worth(&self) -> i32 {
        let degree = match self.degree {
            Degree::Same => 4,
            Degree::Allowed => 3,
            Degree::Possible => 1,
        };
        if self.usual { degree } else { degree - 1 }
    }

    fn told(&self) -> String {
        let verb = match self.cut {
            Cut::ClosesTcp => return "it closes TCP; how is not documented".to_string(),
            Cut::Closes => return "it closes; how is not documented".to_string(),
            Cut::Fin | Cut::HalfClose | Cut::Rst | Cut::HttpError(_) => format!("cuts by {}", self.cut),
            Cut::CloseFrame(code) => format!("closes with close frame {code}"),
            Cut::Silent => "cuts silently".to_string(),
            Cut::RstOnUse => "answers the next use by an RST".to_string(),
        };
        if self.usual { format!("it {verb}") } else { format!("it sometimes {verb}") }
    }
}

fn likeness(seen: Seen, cut: Cut) -> Option<Degree> {
    match (seen, cut) {
        (Seen::Visible(Visible::Fin), Cut::Fin)
        | (Seen::Visible(Visible::HalfClose), Cut::HalfClose)
        | (Seen::Visible(Visible::Rst), Cut::Rst)
        | (Seen::Silent, Cut::Silent)
        | (Seen::RstOnUse, Cut::RstOnUse) => Some(Degree::Same),
        (Seen::Visible(Visible::CloseFrame(code)), Cut::CloseFrame(its)) => {
            (code == Some(its)).then_some(Degree::Same)
        }
        (Seen::Visible(Visible::Fin | Visible::HalfClose), Cut::Fin | Cut::HalfClose)
        | (Seen::Visible(Visible::Fin | Visible::HalfClose | Visible::Rst), Cut::ClosesTcp) => {
            Some(Degree::Allowed)
        }
        (Seen::Visible(_), Cut::Closes) | (Seen::Silent, Cut::RstOnUse) | (Seen::RstOnUse, Cut::Silent) => {
            Some(Degree::Possible)
        }
        (Seen::Visible(_) | Seen::Silent | Seen::RstOnUse, _) => None,
    }
}

/// `its default is 60 s`, or whose habit the value is.
fn told_value(middlebox: &Middlebox, value: Duration, habit: Option<&Typical>) -> String {
    let value = span(value);
    match (habit, middlebox.value, middlebox.family) {
        (Some(habit), Value::Unset, _) => {
            format!("{value} is that of {}; it has no built-in default", habit.whose)
        }
        (Some(habit), _, _) => format!("{value} is that of {}", habit.whose),
        (None, _, Family::Server) => format!("{value} is its default: a server's own, not a proxy's"),
        (None, _, Family::Proxy | Family::Cloud | Family::Nat | Family::Service) => {
            format!("its default is {value}")
        }
    }
}

fn coarse(middlebox: &Middlebox) -> Option<String> {
    (!middlebox.coarse.is_zero())
        .then(|| format!("its timer may strike up to {} late", span(middlebox.coarse)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIN: Seen = Seen::Visible(Visible::Fin);

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn with(lo: u64, hi: u64, how: Seen, kind: Kind, headers: &[(&str, &str)]) -> Vec<Candidate> {
        let headers: Vec<(String, PeerText)> =
            headers.iter().map(|(name, value)| (name.to_string(), PeerText::new(value))).collect();
        consistent_with(Some(ms(lo)), Some(ms(hi)), how, kind, &headers)
    }

    fn ids(candidates: &[Candidate]) -> Vec<&'static str> {
        candidates.iter().map(|candidate| candidate.middlebox.id).collect()
    }

    #[test]
    fn nginx_is_named_by_its_60_s_its_fin_and_its_header() {
        let found = with(59_400, 60_020, FIN, Kind::Idle, &[("server", "nginx/1.22.1")]);
        assert_eq!(ids(&found), ["nginx.proxy_read_timeout"]);
        assert_eq!(
            found[0].reasons,
            ["its default is 60 s", "the response says server: nginx/1.22.1", "it cuts by FIN"]
        );
    }

    #[test]
    fn without_a_header_60_s_is_anybodys() {
        let found = ids(&with(59_400, 60_020, FIN, Kind::Idle, &[]));
        assert_eq!(found, ["nginx.proxy_read_timeout", "ingress-nginx", "aws.alb"]);
    }

    #[test]
    fn a_response_that_names_an_application_server_speaks_for_a_balancer_that_names_nobody() {
        let found = with(59_400, 60_020, FIN, Kind::Idle, &[("server", "gunicorn")]);
        let place = |id: &str| ids(&found).iter().position(|found| *found == id);
        assert!(place("aws.alb").is_some());
        assert!(place("nginx.proxy_read_timeout").is_none_or(|nginx| Some(nginx) > place("aws.alb")));
    }

    #[test]
    fn heroku_is_55_s() {
        let found = with(54_000, 55_100, FIN, Kind::Idle, &[("via", "1.1 vegur")]);
        assert_eq!(ids(&found), ["heroku"]);
        assert_eq!(ids(&with(54_000, 55_100, FIN, Kind::Idle, &[])), ["heroku"]);
    }

    #[test]
    fn haproxys_50_s_are_those_of_debian_not_its_own() {
        let found = with(49_000, 50_010, FIN, Kind::Idle, &[]);
        assert_eq!(ids(&found), ["haproxy.client_server"]);
        let value = "50 s is that of the configuration file of Debian's and Ubuntu's package; it has no \
        built-in default";
        assert_eq!(found[0].reasons, [value, "it cuts by FIN"]);
    }

    #[test]
    fn awss_350_s_are_silent_or_end_in_an_rst() {
        let rst = ids(&with(346_000, 352_000, Seen::RstOnUse, Kind::Idle, &[]));
        assert_eq!(rst, ["aws.nlb.tcp", "aws.natgw", "aws.nlb.tls"]);
        let silent = ids(&with(346_000, 352_000, Seen::Silent, Kind::Idle, &[]));
        assert_eq!(silent.len(), 3);
        assert!(silent.contains(&"aws.nlb.tcp") && silent.contains(&"aws.network_firewall"), "{silent:?}");
        assert!(with(346_000, 352_000, FIN, Kind::Idle, &[]).is_empty());
    }

    #[test]
    fn azures_240_s_are_silent_unless_somebody_enabled_the_reset() {
        let found = with(238_000, 242_000, Seen::Silent, Kind::Idle, &[]);
        assert_eq!(ids(&found)[0], "azure.lb");
        let reset = with(238_000, 240_100, Seen::Visible(Visible::Rst), Kind::Idle, &[]);
        assert_eq!(ids(&reset)[0], "azure.lb");
        assert!(reset[0].reasons.contains(&"it sometimes cuts by RST".to_string()), "{:?}", reset[0].reasons);
    }

    #[test]
    fn googles_classic_balancer_is_a_lifetime_of_30_s() {
        let via = [("via", "1.1 google")];
        let found = with(29_000, 30_100, FIN, Kind::Lifetime, &via);
        assert_eq!(ids(&found), ["gcp.classic_alb"]);
        assert_eq!(ids(&with(29_000, 30_100, FIN, Kind::Idle, &via)), ["gcp.global_alb.idle"]);
    }

    #[test]
    fn cloudflares_100_s_need_its_header_and_say_that_they_are_not_documented() {
        let found =
            with(99_000, 100_500, FIN, Kind::Idle, &[("server", "cloudflare"), ("cf-ray", "8f0-AMS")]);
        assert_eq!(ids(&found), ["cloudflare.proxy"]);
        assert!(found[0].reasons[0].contains("not of WebSockets"), "{:?}", found[0].reasons);
        assert!(with(99_000, 100_500, FIN, Kind::Idle, &[("server", "nginx")]).is_empty());
    }

    #[test]
    fn phoenix_closes_with_1000_and_is_a_servers_default() {
        let close = Seen::Visible(Visible::CloseFrame(Some(1000)));
        let found = with(59_000, 63_000, close, Kind::Idle, &[("server", "Cowboy")]);
        assert_eq!(ids(&found), ["cowboy", "phoenix"]);
        assert_eq!(found[1].reasons[0], "60 s is its default: a server's own, not a proxy's");
        let other = Seen::Visible(Visible::CloseFrame(Some(4000)));
        assert!(with(59_000, 63_000, other, Kind::Idle, &[]).is_empty());
    }

    #[test]
    fn nobody_is_known_for_47_s() {
        for how in [FIN, Seen::Visible(Visible::Rst), Seen::Silent, Seen::RstOnUse] {
            assert!(with(46_500, 47_400, how, Kind::Idle, &[("server", "nginx")]).is_empty());
        }
    }

    #[test]
    fn a_bracket_without_an_upper_end_or_too_wide_says_nothing() {
        assert!(consistent_with(Some(ms(300_000)), None, Seen::Silent, Kind::Idle, &[]).is_empty());
        assert!(with(30_000, 600_000, Seen::Silent, Kind::Idle, &[]).is_empty());
        assert!(with(61_000, 59_000, FIN, Kind::Idle, &[]).is_empty());
    }

    #[test]
    fn a_visible_end_is_enough_before_its_lower_end_was_asked() {
        let found = consistent_with(None, Some(ms(60_030)), FIN, Kind::Idle, &[]);
        assert_eq!(ids(&found)[0], "nginx.proxy_read_timeout");
        assert!(found.iter().all(|candidate| candidate.value == ms(60_000)));
    }

    #[test]
    fn a_coarse_timer_may_strike_late() {
        let half = Seen::Visible(Visible::HalfClose);
        let found = with(60_600, 61_050, half, Kind::Idle, &[("server", "lighttpd/1.4.69")]);
        assert_eq!(ids(&found), ["lighttpd.max-read-idle"]);
        assert!(found[0].reasons.contains(&"its timer may strike up to 2 s late".to_string()));
    }

    #[test]
    fn at_most_three_are_named_and_a_service_at_another_address_never() {
        for seconds in 1..=1000 {
            for how in [FIN, Seen::Silent, Seen::RstOnUse, Seen::Visible(Visible::CloseFrame(Some(1000)))] {
                for kind in Kind::ALL {
                    let found = with(seconds * 1000 - 500, seconds * 1000 + 500, how, kind, &[]);
                    assert!(found.len() <= MOST);
                    assert!(found.iter().all(|candidate| candidate.middlebox.family != Family::Service));
                    assert!(
                        found
                            .iter()
                            .all(|candidate| candidate.value.abs_diff(ms(seconds * 1000)) < ms(130_000))
                    );
                }
            }
        }
    }

    #[test]
    fn a_hostile_header_is_shown_escaped() {
        let found = with(59_400, 60_020, FIN, Kind::Idle, &[("server", "nginx\u{1b}[2J")]);
        assert_eq!(found[0].reasons[1], "the response says server: nginx\\u{1b}[2J");
    }

    #[test]
    fn what_an_ending_looks_like_is_read_off_it() {
        let close = How::CloseFrame { code: Some(1001), reason: PeerText::default() };
        assert_eq!(Visible::of(&close), Some(Visible::CloseFrame(Some(1001))));
        assert_eq!(Visible::of(&How::TlsClose), Some(Visible::Fin));
        assert_eq!(Visible::of(&How::Rst), Some(Visible::Rst));
        assert_eq!(Visible::of(&How::Silent), None);
    }
}
