//! Finding presets by name.

use super::model::Preset;
use super::{exchanges, generic, libraries, services};

/// How like a name must be to what was typed to be worth mentioning; 1 is the same.
const MIN_SIMILARITY: f64 = 0.8;
/// The most names that are mentioned.
const MAX_SUGGESTIONS: usize = 3;

/// Every preset: those that belong to nobody, libraries, services, exchanges.
pub fn all() -> impl Iterator<Item = &'static Preset> {
    [generic::PLAIN, libraries::LIBRARIES, services::SERVICES, exchanges::EXCHANGES].into_iter().flatten()
}

/// The preset of this name, whatever its case; other names of it count too.
pub fn find(name: &str) -> Option<&'static Preset> {
    let wanted = name.trim().to_lowercase();
    let by_name = all().find(|preset| preset.name == wanted);
    by_name.or_else(|| all().find(|preset| preset.aliases.contains(&wanted.as_str())))
}

/// The presets' names that are near to this one (Jaro-Winkler), nearest first.
pub fn near(name: &str) -> Vec<&'static str> {
    let wanted = name.trim().to_lowercase();
    let likeness = |preset: &Preset| {
        let names = preset.aliases.iter().chain([&preset.name]);
        let likenesses = names.map(|name| {
            if name.contains(&wanted) && wanted.len() > 1 { 1.0 } else { strsim::jaro_winkler(&wanted, name) }
        });
        likenesses.fold(0.0, f64::max)
    };
    let mut found: Vec<(f64, &str)> = all().map(|preset| (likeness(preset), preset.name)).collect();
    found.retain(|(likeness, _)| *likeness >= MIN_SIMILARITY);
    found.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    found.into_iter().take(MAX_SUGGESTIONS).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preset_is_found_by_each_of_its_names() {
        assert_eq!(find("engine.io").unwrap().name, "engine.io");
        assert_eq!(find("EngineIO4").unwrap().name, "engine.io");
        assert_eq!(find("graphql-transport-ws").unwrap().name, "graphql-ws");
        assert_eq!(find("nope"), None);
    }

    #[test]
    fn a_slip_of_the_pen_is_answered_by_what_is_near() {
        assert_eq!(near("enginio")[0], "engine.io");
        assert!(near("phonix").contains(&"phoenix"));
        assert!(near("mexc-fut").contains(&"mexc-futures"));
        assert!(near("qqqqqq").is_empty());
    }

    #[test]
    fn no_name_means_two_presets() {
        let names: Vec<&str> =
            all().flat_map(|preset| preset.aliases.iter().chain([&preset.name])).copied().collect();
        for (n, name) in names.iter().enumerate() {
            assert!(!names[..n].contains(name), "{name} twice");
            assert_eq!(name.to_lowercase(), *name, "names are typed in lower case");
            assert_ne!(*name, "auto", "it has a meaning of its own");
        }
    }
}
