//! Which value of a JSON text an error is about. The crate `serde_path_to_error` finds it, too, but has everything that reads a
//! document compiled twice: 3 % of the binary.

/// A step from a value to one in it.
enum Step<'a> {
    Item(usize),
    /// Empty before the name was read.
    Field(&'a str),
}

/// The path of the value that ends where the reader stopped, or of the one that it was in: `targets[0].rtt.min_ms`. Empty
/// for the whole text.
pub fn path_of(json: &str, error: &serde_json::Error) -> String {
    let mut steps = Vec::new();
    let mut rest = text_before(json, error);
    while let Some(at) = rest.find(['{', '}', '[', ']', ',', '"']) {
        let (token, after) = (rest.as_bytes()[at], &rest[at + 1..]);
        rest = after;
        match (token, steps.last_mut()) {
            (b'{', _) => steps.push(Step::Field("")),
            (b'[', _) => steps.push(Step::Item(0)),
            (b'}' | b']', _) => drop(steps.pop()),
            (b',', Some(Step::Item(index))) => *index += 1,
            (b',', Some(field)) => *field = Step::Field(""),
            (b'"', last) => {
                let text = &after[..length_of_string(after)];
                rest = after.get(text.len() + 1..).unwrap_or_default();
                if let Some(Step::Field(name @ "")) = last {
                    *name = text;
                }
            }
            _ => {}
        }
    }
    steps.iter().fold(String::new(), joined)
}

fn text_before<'a>(json: &'a str, error: &serde_json::Error) -> &'a str {
    let lines = json.split_inclusive('\n').take(error.line().saturating_sub(1));
    let end = lines.map(str::len).sum::<usize>() + error.column();
    json.get(..end).unwrap_or(json)
}

/// The number of bytes up to the quotation mark that ends a string.
fn length_of_string(text: &str) -> usize {
    let mut is_escaped = false;
    let end = text.bytes().position(|byte| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    });
    end.unwrap_or(text.len())
}

fn joined(path: String, step: &Step<'_>) -> String {
    match step {
        Step::Item(index) => format!("{path}[{index}]"),
        Step::Field("") => path,
        Step::Field(name) if path.is_empty() => name.to_string(),
        Step::Field(name) => format!("{path}.{name}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Document {
        #[expect(dead_code)]
        count: u8,
        #[expect(dead_code)]
        rows: Vec<BTreeMap<String, Vec<f64>>>,
    }

    fn path(json: &str) -> String {
        path_of(json, &serde_json::from_str::<Document>(json).unwrap_err())
    }

    #[test]
    fn path_names_the_value_that_is_wrong() {
        assert_eq!(path(r#"{"count": "x", "rows": []}"#), "count");
        assert_eq!(path(r#"{"count": 256, "rows": []}"#), "count");
        assert_eq!(path(r#"{"count":-1}"#), "count");
        assert_eq!(path(r#"{"count": {"a": 1}, "rows": []}"#), "count");
        assert_eq!(path(r#"{"count": 1, "rows": {}}"#), "rows");
        assert_eq!(path(r#"{"count": 1, "rows": [{}, {"a": [1.5, 2], "b": [3, null]}]}"#), "rows[1].b[1]");
        assert_eq!(path("{\"count\": 1,\n\"rows\": [\n{},\n7]}"), "rows[1]");
    }

    #[test]
    fn marks_in_texts_are_no_structure() {
        assert_eq!(path(r#"{"x": "}],\"{[", "\\": [","], "rows": [{"a,\"": [1], "é": "}"}]}"#), "rows[0].é");
    }

    #[test]
    fn missing_field_and_broken_text_are_of_what_they_are_in() {
        assert_eq!(path(r#"{"rows": []}"#), "");
        assert_eq!(path(r#"{"count": 1, "rows": [{"a": [1, "#), "rows[0].a[1]");
        assert_eq!(path("7"), "");
        assert_eq!(path(""), "");
        assert_eq!(path(r#"{"count": 1, "ro"#), "ro");
    }
}
