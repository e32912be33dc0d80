//! Edits of a JSON document: arbitrary bytes that are no JSON would be refused at once.

use serde_json::{Value, json};

/// Bytes of an edit: two for the place, one for what is put there, one more for that.
const EDIT_BYTES: usize = 4;

/// The document with an edit for every four bytes.
pub fn edited(document: &str, edits: &[u8]) -> String {
    let mut document: Value = serde_json::from_str(document).expect("a kept document");
    for edit in edits.chunks_exact(EDIT_BYTES) {
        let place = usize::from(u16::from_be_bytes([edit[0], edit[1]]));
        let nodes = count(&document);
        let other = nth(&mut document, usize::from(edit[3]) * nodes / 256).cloned();
        if let Some(value) = nth(&mut document, place % nodes) {
            change(value, edit[2], edit[3], other);
        }
    }
    document.to_string()
}

fn count(value: &Value) -> usize {
    1 + children(value).map(count).sum::<usize>()
}

fn children(value: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match value {
        Value::Array(items) => Box::new(items.iter()),
        Value::Object(fields) => Box::new(fields.values()),
        _ => Box::new(std::iter::empty()),
    }
}

/// The value of this number, counted from the root downwards.
fn nth(value: &mut Value, number: usize) -> Option<&mut Value> {
    if number == 0 {
        return Some(value);
    }
    let mut left = number - 1;
    let children: Box<dyn Iterator<Item = &mut Value>> = match value {
        Value::Array(items) => Box::new(items.iter_mut()),
        Value::Object(fields) => Box::new(fields.values_mut()),
        _ => return None,
    };
    for child in children {
        let size = count(child);
        if left < size {
            return nth(child, left);
        }
        left -= size;
    }
    None
}

fn change(value: &mut Value, kind: u8, argument: u8, other: Option<Value>) {
    let one = f64::from(argument);
    *value = match kind % 16 {
        0 => Value::Null,
        1 => json!(argument.is_multiple_of(2)),
        2 => json!(argument),
        3 => json!(u64::MAX - u64::from(argument)),
        4 => json!(-i64::from(argument)),
        5 => json!(one * 10_f64.powi(i32::from(argument) * 2)),
        6 => json!(one / 1000.0),
        7 => json!(char::from(argument).to_string().repeat(3)),
        8 => json!("2026-03-01T12:00:00Z"),
        9 => json!([]),
        10 => json!({}),
        11 => other.unwrap_or_default(),
        12 => return shorten(value, argument),
        13 => return repeat(value, argument),
        14 => number(value, f64::from(argument as i8)),
        _ => number(value, one / 16.0),
    };
}

/// A number is multiplied; another value is replaced.
fn number(value: &Value, factor: f64) -> Value {
    json!(value.as_f64().unwrap_or(1.0) * factor)
}

fn shorten(value: &mut Value, argument: u8) {
    let index = usize::from(argument);
    match value {
        Value::Array(items) => items.truncate(index % (items.len() + 1)),
        Value::Object(fields) => {
            let name = fields.keys().nth(index % fields.len().max(1)).cloned();
            name.and_then(|name| fields.shift_remove(&name));
        }
        Value::String(text) => *text = text.chars().take(index).collect(),
        other => *other = Value::Null,
    }
}

fn repeat(value: &mut Value, argument: u8) {
    match value {
        Value::Array(items) if !items.is_empty() => {
            let again = items[usize::from(argument) % items.len()].clone();
            items.extend(std::iter::repeat_n(again, usize::from(argument % 3) + 1));
        }
        Value::String(text) => *text = text.repeat(usize::from(argument % 4)),
        other => *other = json!([other.clone()]),
    }
}
