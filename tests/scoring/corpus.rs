//! The corpus: worlds as files, each with what may be claimed of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use super::judged::{Judged, Verdict};
use super::world::World;

/// The world of a file, and what may and what must not be claimed of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The name of its file.
    #[serde(skip)]
    pub name: String,
    /// Why it is in the corpus.
    pub about: String,
    /// The seed of what is left to chance.
    #[serde(default)]
    pub seed: u64,
    pub world: World,
    /// The codes of the findings that may be claimed.
    #[serde(default)]
    pub may: BTreeMap<String, Bound>,
    /// The codes of the findings that must not be claimed.
    #[serde(default)]
    pub never: Vec<String>,
}

/// How a claim must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bound {
    /// It must be claimed.
    pub must: bool,
    /// Its range is at most this wide.
    pub within_ms: Option<u64>,
}

impl Entry {
    /// Plays it.
    pub fn judge(&self) -> Vec<Judged> {
        self.world.judge(self.seed)
    }

    /// What speaks against these claims, one a line; nothing does, if it is empty.
    pub fn objections(&self, claims: &[Judged]) -> String {
        let is_right =
            |code: &str| claims.iter().any(|claim| claim.code == code && claim.verdict == Verdict::Right);
        let needed = self.may.iter().filter(|(_, bound)| bound.must).map(|(code, _)| code);
        let missing = needed.filter(|code| !is_right(code)).map(|code| format!("{code} is not claimed"));
        let objections = claims.iter().filter_map(|claim| self.objection(claim)).chain(missing);
        objections.map(|objection| format!("{}: {objection} ({})\n", self.name, self.about)).collect()
    }

    fn objection(&self, claim: &Judged) -> Option<String> {
        let code = claim.code;
        match &claim.verdict {
            Verdict::Silent => None,
            Verdict::Wrong(why) => Some(format!("{code} is wrong: {why}")),
            Verdict::Right if self.never.iter().any(|never| never == code) => {
                Some(format!("{code} must not be claimed"))
            }
            Verdict::Right => match self.may.get(code) {
                None => Some(format!("{code} is not among what may be claimed")),
                Some(Bound { within_ms: Some(most), .. })
                    if claim.width.is_none_or(|width| width > Duration::from_millis(*most)) =>
                {
                    Some(format!("{code} is too wide: {:?}", claim.width))
                }
                Some(_) => None,
            },
        }
    }
}

/// All entries of the corpus, by name.
pub fn corpus() -> Vec<Entry> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let files =
        fs::read_dir(&folder).expect("the corpus is there").map(|file| file.expect("it can be read").path());
    let mut entries: Vec<Entry> = files
        .filter(|path| path.extension().is_some_and(|it| it == "toml"))
        .map(|path| entry(&path))
        .collect();
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    entries
}

fn entry(path: &Path) -> Entry {
    let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let text = fs::read_to_string(path).expect("it can be read");
    let entry: Entry = toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    Entry { name, ..entry }
}
