//! A document of each command, kept as scripts know it: a field that changes or gets lost fails the command's test, an
//! added one does not.

use std::path::PathBuf;

use serde_json::Value;

use super::human::HumanOptions;
use super::json::WSCHECK_VERSION;
use super::output_format::Format;
use super::presenter::Presenter;
use super::testing::{show, values};

fn document<P: Presenter>(presenter: P, events: &[P::Event]) -> Value {
    let (stdout, _) = show(presenter, Format::Json, HumanOptions::default(), events);
    values(&stdout.replace(&format!("\"{WSCHECK_VERSION}\""), "\"[version]\"")).remove(0)
}

/// Sentences for people may change.
const SENTENCES: [&str; 6] = ["message", "remedy", "wanted", "found", "reasons", "status_reason"];
/// The texts of `view` may change, too: scripts read the other fields.
const VIEW_TEXTS: [&str; 6] = ["claim", "rest", "evidence", "rows", "tables", "about_run"];

/// Whether only the presence of a field counts.
fn is_text(path: &str, name: &str) -> bool {
    SENTENCES.contains(&name) || path.starts_with("/view/") && VIEW_TEXTS.contains(&name)
}

/// Where the found value lacks something of the kept one.
fn lost(path: &str, kept: &Value, found: &Value, differences: &mut Vec<String>) {
    match (kept, found) {
        (Value::Object(kept), Value::Object(found)) => {
            for (name, value) in kept {
                let path = format!("{path}/{name}");
                match found.get(name) {
                    Some(_) if is_text(&path, name) => {}
                    Some(found) => lost(&path, value, found, differences),
                    None => differences.push(format!("{path} is lost")),
                }
            }
        }
        (Value::Array(kept), Value::Array(found)) if kept.len() == found.len() => {
            let pairs = kept.iter().zip(found).enumerate();
            pairs.for_each(|(n, (kept, found))| lost(&format!("{path}/{n}"), kept, found, differences));
        }
        (kept, found) if kept == found => {}
        (kept, found) => differences.push(format!("{path} was {kept} and is {found}")),
    }
}

/// Asserts that the command's document still has every field and value of the kept one. `WSCHECK_UPDATE_GOLDEN=1 cargo
/// test --lib golden` writes the documents anew, after a change on purpose.
pub fn assert_kept<P: Presenter>(command: &str, presenter: P, events: &[P::Event]) {
    let found = document(presenter, events);
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("src/output/golden/{command}.json"));
    if std::env::var_os("WSCHECK_UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, format!("{found:#}\n")).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (mut differences, kept) = (Vec::new(), serde_json::from_str(&kept).unwrap());
    lost("", &kept, &found, &mut differences);
    assert_eq!(differences, Vec::<String>::new(), "{command}: readers of this document would break");
}

#[test]
fn only_texts_of_the_view_may_change() {
    let differences = |kept: Value, found: Value| {
        let mut differences = Vec::new();
        lost("", &kept, &found, &mut differences);
        differences.len()
    };
    let (old, new) = (serde_json::json!({ "rows": [1] }), serde_json::json!({ "rows": [2] }));
    assert_eq!(differences(old.clone(), new.clone()), 1, "a command's own rows are read by scripts");
    let of_view = |view: &Value| serde_json::json!({ "view": view });
    assert_eq!(differences(of_view(&old), of_view(&new)), 0);
    assert_eq!(differences(of_view(&old), of_view(&serde_json::json!({}))), 1, "a field may not be lost");
}

#[test]
fn lost_and_changed_fields_are_found_and_added_ones_are_not() {
    let kept = serde_json::json!({ "a": 1, "list": [{ "b": 2 }], "same": null });
    let found = serde_json::json!({ "list": [{ "b": 3, "new": 4 }], "same": null, "more": true });
    let mut differences = Vec::new();
    lost("", &kept, &found, &mut differences);
    assert_eq!(differences, ["/a is lost", "/list/0/b was 2 and is 3"]);
}
