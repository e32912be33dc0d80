//! Finding entries by name.

use std::collections::BTreeSet;

use super::model::Middlebox;
use super::{clouds, nats, proxies, servers};

/// Minimum similarity of a suggested name to the input; 1 is equal.
const MIN_SIMILARITY: f64 = 0.8;
/// Shorter words are not compared.
const MIN_TYPED_CHARS: usize = 3;
/// Maximum number of suggestions.
const MAX_SUGGESTIONS: usize = 5;

/// Every entry, family by family.
pub fn all() -> impl Iterator<Item = &'static Middlebox> {
    [proxies::PROXIES, clouds::CLOUDS, nats::NATS, servers::SERVERS].into_iter().flatten()
}

/// The entries whose product or id contains the text, ignoring case.
pub fn find(text: &str) -> Vec<&'static Middlebox> {
    let wanted = text.trim().to_lowercase();
    let named = |name: &str| name.to_lowercase().contains(&wanted);
    all().filter(|middlebox| named(middlebox.product) || named(middlebox.id)).collect()
}

/// Words of products' names and ids similar to the text (Jaro-Winkler), the best first; each of them finds an
/// entry.
pub fn near(text: &str) -> Vec<String> {
    let wanted = text.trim().to_lowercase();
    let words: BTreeSet<String> = all().flat_map(words).collect();
    let weighed = words.into_iter().map(|word| (strsim::jaro_winkler(&wanted, &word), word));
    let mut found: Vec<(f64, String)> = weighed.filter(|(likeness, _)| *likeness >= MIN_SIMILARITY).collect();
    found.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    found.into_iter().take(MAX_SUGGESTIONS).map(|(_, word)| word).collect()
}

fn words(middlebox: &Middlebox) -> Vec<String> {
    let names = format!("{} {}", middlebox.product, middlebox.id).to_lowercase();
    let words = names.split(|c: char| !c.is_alphanumeric());
    words.filter(|word| word.len() >= MIN_TYPED_CHARS).map(str::to_string).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::Duration;

    use super::super::model::{SettingChange, TimeoutKind, TimeoutValue, TimerReset};
    use super::*;

    #[test]
    fn every_entry_has_a_unique_name_and_a_source() {
        let mut seen = HashSet::new();
        for middlebox in all() {
            assert!(seen.insert(middlebox.id), "{} twice", middlebox.id);
            for text in [middlebox.id, middlebox.product, middlebox.setting, middlebox.source] {
                assert!(!text.is_empty(), "{}", middlebox.id);
            }
        }
        assert!(seen.len() > 80, "{}", seen.len());
    }

    #[test]
    fn entry_that_cuts_has_a_time_a_cut_and_a_reset() {
        for middlebox in all().filter(|middlebox| middlebox.value.span().is_some()) {
            assert!(middlebox.value.span() > Some(Duration::ZERO), "{}", middlebox.id);
            assert!(!middlebox.cuts.is_empty(), "{}: how it cuts", middlebox.id);
            let is_described = middlebox.resets.is_some() || !middlebox.resets_note.is_empty();
            assert!(is_described, "{}: what resets it", middlebox.id);
            assert!(
                middlebox.change != SettingChange::Nothing || middlebox.kind == TimeoutKind::Other,
                "{}",
                middlebox.id
            );
            assert!(
                middlebox.most.is_none_or(|most| Some(most) >= middlebox.value.span()),
                "{}",
                middlebox.id
            );
        }
    }

    #[test]
    fn nothing_resets_a_lifetime() {
        for middlebox in all().filter(|middlebox| middlebox.kind == TimeoutKind::Lifetime) {
            assert_eq!(middlebox.resets, Some(TimerReset::Nothing), "{}", middlebox.id);
        }
    }

    #[test]
    fn common_false_claims_are_corrected() {
        let by_id = |id: &str| all().find(|middlebox| middlebox.id == id).unwrap();
        let nginx = by_id("nginx.proxy_read_timeout");
        assert_eq!((nginx.resets, nginx.pings_count), (Some(TimerReset::Either), Some(true)));
        assert_eq!(by_id("haproxy.default").value, TimeoutValue::Unset);
        assert_eq!(by_id("gcp.classic_alb").kind, TimeoutKind::Lifetime);
        for id in ["nginx.proxy_read_timeout", "haproxy.default", "gcp.classic_alb", "cloudflare.proxy"] {
            assert!(by_id(id).folklore.is_some(), "{id}");
        }
    }

    #[test]
    fn product_is_found_by_part_of_its_name_or_id() {
        assert!(find("NGINX").len() > 4);
        assert!(find("natgw").iter().all(|middlebox| middlebox.id.ends_with("natgw")));
        assert_eq!(find("heroku").len(), 1);
        assert!(find("no such thing").is_empty());
    }

    #[test]
    fn misspelled_name_gives_suggestions() {
        assert_eq!(near("ngnix"), ["nginx"]);
        assert_eq!(near("Clodflare").first().map(String::as_str), Some("cloudflare"));
        assert!(near("zzzz").is_empty());
        for word in ["ngnix", "clodflare", "hproxy", "amazn", "azur"].iter().flat_map(|typed| near(typed)) {
            assert!(!find(&word).is_empty(), "{word}");
        }
    }
}
