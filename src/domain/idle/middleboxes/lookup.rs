//! Finding entries by name.

use super::model::Middlebox;
use super::{clouds, nats, proxies, servers};

/// How like a name must be to what was typed to be worth mentioning; 1 is the same.
const LIKE: f64 = 0.8;
/// The most names that are mentioned.
const MOST_NEAR: usize = 5;

/// Every entry, family by family.
pub fn all() -> impl Iterator<Item = &'static Middlebox> {
    [proxies::PROXIES, clouds::CLOUDS, nats::NATS, servers::SERVERS].into_iter().flatten()
}

/// The entries whose product or id contains the text, whatever its case.
pub fn find(text: &str) -> Vec<&'static Middlebox> {
    let wanted = text.trim().to_lowercase();
    let named = |name: &str| name.to_lowercase().contains(&wanted);
    all().filter(|middlebox| named(middlebox.product) || named(middlebox.id)).collect()
}

/// The products whose names are near to the text (Jaro-Winkler, word by word), nearest first.
pub fn near(text: &str) -> Vec<&'static str> {
    let wanted = text.trim().to_lowercase();
    let mut found: Vec<(f64, &'static str)> = Vec::new();
    for middlebox in all() {
        let likeness = likeness(&wanted, middlebox);
        if likeness >= LIKE && found.iter().all(|(_, product)| *product != middlebox.product) {
            found.push((likeness, middlebox.product));
        }
    }
    found.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    found.into_iter().take(MOST_NEAR).map(|(_, product)| product).collect()
}

/// That of the likest word of the product and the id.
fn likeness(wanted: &str, middlebox: &Middlebox) -> f64 {
    let names = [middlebox.product.to_lowercase(), middlebox.id.to_lowercase()];
    let words =
        names.iter().flat_map(|name| name.split(|c: char| !c.is_alphanumeric()).chain([name.as_str()]));
    words.map(|word| strsim::jaro_winkler(wanted, word)).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::Duration;

    use super::super::model::{Change, Kind, Resets, Value};
    use super::*;

    #[test]
    fn every_entry_has_a_name_of_its_own_and_a_source() {
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
    fn an_entry_that_cuts_says_when_how_and_what_resets_it() {
        for middlebox in all().filter(|middlebox| middlebox.value.span().is_some()) {
            assert!(middlebox.value.span() > Some(Duration::ZERO), "{}", middlebox.id);
            assert!(!middlebox.cuts.is_empty(), "{}: how it cuts", middlebox.id);
            assert!(!middlebox.resets_words.is_empty(), "{}: what resets it", middlebox.id);
            assert!(middlebox.change != Change::Nothing || middlebox.kind == Kind::Other, "{}", middlebox.id);
            assert!(
                middlebox.most.is_none_or(|most| Some(most) >= middlebox.value.span()),
                "{}",
                middlebox.id
            );
        }
    }

    #[test]
    fn nothing_resets_a_lifetime() {
        for middlebox in all().filter(|middlebox| middlebox.kind == Kind::Lifetime) {
            assert_eq!(middlebox.resets, Some(Resets::Nothing), "{}", middlebox.id);
        }
    }

    #[test]
    fn folklore_is_corrected() {
        let by_id = |id: &str| all().find(|middlebox| middlebox.id == id).unwrap();
        let nginx = by_id("nginx.proxy_read_timeout");
        assert_eq!((nginx.resets, nginx.pings_count), (Some(Resets::Either), Some(true)));
        assert_eq!(by_id("haproxy.default").value, Value::Unset);
        assert_eq!(by_id("gcp.classic_alb").kind, Kind::Lifetime);
        for id in ["nginx.proxy_read_timeout", "haproxy.default", "gcp.classic_alb", "cloudflare.proxy"] {
            assert!(by_id(id).folklore.is_some(), "{id}");
        }
    }

    #[test]
    fn a_product_is_found_by_a_part_of_its_name_or_id() {
        assert!(find("NGINX").len() > 4);
        assert!(find("natgw").iter().all(|middlebox| middlebox.id.ends_with("natgw")));
        assert_eq!(find("heroku").len(), 1);
        assert!(find("no such thing").is_empty());
    }

    #[test]
    fn a_slip_of_the_finger_finds_its_neighbours() {
        assert!(near("ngnix").iter().any(|product| product.contains("nginx")), "{:?}", near("ngnix"));
        assert_eq!(near("clodflare").first().map(|product| product.starts_with("Cloudflare")), Some(true));
        assert!(near("zzzz").is_empty());
    }
}
