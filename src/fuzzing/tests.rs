//! Every target accepts its seeds, which `fuzz/corpus` keeps.

use std::path::Path;

/// A target's name and entry point.
type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 11] = [
    ("frames", super::frames),
    ("deflate", super::deflate),
    ("http2_frames", super::http2_frames),
    ("http_heads", super::http_heads),
    ("upgrade_answers", super::upgrade_answers),
    ("patterns", super::patterns),
    ("classifier", super::classifier),
    ("expressions", super::expressions),
    ("checks_toml", super::checks_toml),
    ("event_stream", super::event_stream),
    ("archived_json", super::archived_json),
];

#[test]
fn every_seed_is_accepted() {
    for (name, target) in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
        let seeds =
            std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut count = 0;
        for seed in seeds {
            target(&std::fs::read(seed.unwrap().path()).unwrap());
            count += 1;
        }
        assert!(count >= 5, "{name} has only {count} seeds");
    }
}
