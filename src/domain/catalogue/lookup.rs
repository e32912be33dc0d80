//! Finding entries and their facts by name.

use std::collections::BTreeSet;

use super::known_ping::KnownPing;
use super::preset::Preset;
use super::product::Product;
use super::reaping::ReapingDefault;
use super::timeout::Timeout;
use super::{clouds, conventions, exchanges, nats, protocols, proxies, servers, services};

/// How like a name must be to what was typed to be worth mentioning (Jaro-Winkler); 1 is the same.
const MIN_SIMILARITY: f64 = 0.8;
/// Shorter words are not compared.
const MIN_TYPED_CHARS: usize = 3;
/// The most names that are mentioned.
const MAX_SUGGESTIONS: usize = 5;

/// Every entry, family by family, the common ones first.
pub fn products() -> impl Iterator<Item = &'static Product> {
    let families = [
        conventions::CONVENTIONS,
        proxies::PROXIES,
        clouds::CLOUDS,
        nats::NATS,
        protocols::PROTOCOLS,
        servers::SERVERS,
        services::SERVICES,
        exchanges::EXCHANGES,
    ];
    families.into_iter().flatten()
}

/// The presets of every product.
pub fn presets() -> impl Iterator<Item = &'static Preset> {
    products().flat_map(|product| product.speaks)
}

/// Every heartbeat that is known by itself.
pub fn known_pings() -> impl Iterator<Item = &'static KnownPing> {
    products().flat_map(|product| product.pings)
}

/// The timeouts of every product.
pub fn timeouts() -> impl Iterator<Item = &'static Timeout> {
    products().flat_map(|product| product.timeouts)
}

/// Every library's way with clients that do not answer.
pub fn reaping_defaults() -> impl Iterator<Item = &'static ReapingDefault> {
    products().flat_map(|product| product.reaping)
}

/// The preset of this name, whatever its case; other names of it count too.
pub fn find_preset(name: &str) -> Option<&'static Preset> {
    let wanted = name.trim().to_lowercase();
    let by_name = presets().find(|preset| preset.name == wanted);
    by_name.or_else(|| presets().find(|preset| preset.aliases.contains(&wanted.as_str())))
}

/// The timeouts whose product or id contains the text, ignoring case.
pub fn find_timeouts(text: &str) -> Vec<&'static Timeout> {
    let wanted = text.trim().to_lowercase();
    timeouts().filter(|timeout| has(&wanted, [timeout.product, timeout.id])).collect()
}

/// The entry of exactly this id, or those in which something bears the text in its name, ignoring case.
pub fn find_products(text: &str) -> Vec<&'static Product> {
    let wanted = text.trim().to_lowercase();
    match products().find(|product| product.id == wanted) {
        Some(product) => vec![product],
        None => products().filter(|product| product.names().any(|name| has(&wanted, [name]))).collect(),
    }
}

fn has<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> bool {
    names.into_iter().any(|name| name.to_lowercase().contains(wanted))
}

impl Product {
    /// Under what it and its facts are known.
    fn names(&self) -> impl Iterator<Item = &'static str> {
        let presets =
            self.speaks.iter().flat_map(|preset| preset.aliases.iter().copied().chain([preset.name]));
        let timeouts = self.timeouts.iter().flat_map(|timeout| [timeout.id, timeout.product]);
        let reaping = self.reaping.iter().flat_map(|reaping| [reaping.id, reaping.name]);
        [self.id, self.name].into_iter().chain(presets).chain(timeouts).chain(reaping)
    }
}

/// The presets' names that are near to this one, nearest first.
pub fn near_presets(name: &str) -> Vec<String> {
    let names = presets().map(|preset| (preset.aliases.iter().copied().chain([preset.name]), preset.name));
    nearest(
        name,
        names.flat_map(|(known, shown)| known.map(move |name| (name.to_string(), shown.to_string()))),
    )
}

/// Words of timeouts' products and ids that are near to this one, nearest first; each of them finds an entry.
pub fn near_timeouts(text: &str) -> Vec<String> {
    let words: BTreeSet<String> =
        timeouts().flat_map(|timeout| words([timeout.product, timeout.id])).collect();
    nearest(text, words.into_iter().map(|word| (word.clone(), word)))
}

/// Words of products' names that are near to this one, nearest first; each of them finds an entry.
pub fn near_products(text: &str) -> Vec<String> {
    let words: BTreeSet<String> = products().flat_map(|product| words(product.names())).collect();
    nearest(text, words.into_iter().map(|word| (word.clone(), word)))
}

/// What is shown for the known names that are near to the text, nearest first, each once.
fn nearest(text: &str, known: impl Iterator<Item = (String, String)>) -> Vec<String> {
    let wanted = text.trim().to_lowercase();
    let likeness = |name: &str| {
        let is_part = wanted.len() >= MIN_TYPED_CHARS && name.contains(&wanted);
        if is_part { 1.0 } else { strsim::jaro_winkler(&wanted, name) }
    };
    let mut found: Vec<(f64, String)> = known.map(|(name, shown)| (likeness(&name), shown)).collect();
    found.retain(|(likeness, _)| *likeness >= MIN_SIMILARITY);
    found.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let mut names: Vec<String> = Vec::new();
    for (_, name) in found {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.truncate(MAX_SUGGESTIONS);
    names
}

fn words<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let names = names.into_iter().map(str::to_lowercase).collect::<Vec<_>>().join(" ");
    let words = names.split(|c: char| !c.is_alphanumeric());
    words.filter(|word| word.len() >= MIN_TYPED_CHARS).map(str::to_string).collect()
}
