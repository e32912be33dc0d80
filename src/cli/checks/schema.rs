//! The JSON Schema of a file of checks, for editors: made of the options that clap knows.

use std::collections::BTreeMap;

use clap::Arg;
use serde_json::{Map, Value, json};

use super::file::{IDLE_PROBE, IDLE_PROBE_MAX};
use super::options::{CheckOptions, OptionForm};
use crate::cli::MEASUREMENTS;

/// JSON Schema (draft 7, which editors' TOML plugins read) of a file of checks.
pub fn schema() -> Value {
    let commands: Vec<CheckOptions> = MEASUREMENTS.into_iter().filter_map(CheckOptions::of).collect();
    let ping = commands.first();
    let mut defaults = BTreeMap::new();
    for options in &commands {
        options.all().for_each(|(name, option)| {
            defaults.entry(name).or_insert_with(|| of_option(option));
        });
    }
    let mut defaults: Map<String, Value> = defaults.into_iter().flat_map(both_spellings).collect();
    defaults.extend(idle_keys());
    defaults.extend(own_keys().into_iter().filter(|(name, _)| !["name", "url"].contains(&name.as_str())));
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "The configuration file of wscheck run and wscheck exporter",
        "type": "object",
        "properties": {
            "max_connections": {
                "type": "integer", "minimum": 1,
                "description": "The most connections of all checks at once (64).",
            },
            "serial": { "type": "boolean", "description": "Run one check after another." },
            "defaults": {
                "type": "object", "properties": defaults, "additionalProperties": false,
                "description": "Options of every check whose command has them.",
            },
            "check": {
                "type": "array", "minItems": 1,
                "items": { "oneOf": commands.iter().map(of_command).collect::<Vec<Value>>() },
            },
            "target": {
                "type": "array",
                "description": "Targets whose connections wscheck exporter keeps.",
                "items": ping.map(of_target),
            },
            "module": {
                "type": "object",
                "description": "Ways of probing, for /probe of wscheck exporter.",
                "additionalProperties": ping.map(of_module),
            },
        },
        "additionalProperties": false,
    })
}

/// A target that is kept: a check of ping with one URL.
fn of_target(ping: &CheckOptions) -> Value {
    let mut shape = of_command(ping);
    shape["properties"]["url"] = json!({ "type": "string", "description": "The WebSocket URL." });
    if let Some(properties) = shape["properties"].as_object_mut() {
        ["command", "serial"].iter().for_each(|unfit| drop(properties.remove(*unfit)));
        properties.extend(idle_keys());
    }
    shape
}

/// When the idle timeout of a target is measured.
fn idle_keys() -> Map<String, Value> {
    let time = |description: &str| json!({ "type": "string", "description": description });
    let keys = [
        (IDLE_PROBE, time("How often to measure the idle timeout: 24h. One target is measured at a time.")),
        (IDLE_PROBE_MAX, time("The longest idle time to try (5m).")),
    ];
    keys.into_iter().flat_map(both_spellings).collect()
}

/// A way of probing: options of ping, and which targets it may probe.
fn of_module(ping: &CheckOptions) -> Value {
    let mut properties: Map<String, Value> =
        ping.all().map(|(name, option)| (name, of_option(option))).flat_map(both_spellings).collect();
    let headers_file = own_keys().into_iter().filter(|(name, _)| name.starts_with("headers"));
    properties.extend(headers_file);
    properties.insert(
        "allow".to_string(),
        json!({
            "description": "Patterns of the targets that it may probe: HOST[:PORT], or ws[s]://HOST[:PORT][/PATH].",
            "oneOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }],
        }),
    );
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

/// What a check may have beside its options.
fn own_keys() -> Map<String, Value> {
    let text = |description: &str| json!({ "type": "string", "description": description });
    let own = json!({
        "name": text("What the reports call the check; each check has its own."),
        "command": { "enum": MEASUREMENTS, "description": "What to run (ping)." },
        "url": {
            "description": "The WebSocket URL; ping takes several. ${NAME} is a variable of the environment.",
            "oneOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" }, "minItems": 1 }],
        },
        "labels": {
            "type": "object", "additionalProperties": { "type": "string" },
            "description": "Labels of the check's metrics.",
        },
        "serial": { "type": "boolean", "description": "No other check runs beside it." },
        "headers_file": text("A file with one request header a line."),
        "headers-file": text("A file with one request header a line."),
    });
    if let Value::Object(own) = own { own } else { Map::new() }
}

fn of_command(options: &CheckOptions) -> Value {
    let mut properties: Map<String, Value> =
        options.all().map(|(name, option)| (name, of_option(option))).flat_map(both_spellings).collect();
    let (mut own, is_default) = (own_keys(), options.name() == MEASUREMENTS[0]);
    own.insert("command".to_string(), json!({ "const": options.name() }));
    properties.extend(own);
    let required = if is_default { json!(["name", "url"]) } else { json!(["name", "url", "command"]) };
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

/// TOML's usual spelling with underscores, and that of the command line.
fn both_spellings((name, shape): (&str, Value)) -> Vec<(String, Value)> {
    let underscored = name.replace('-', "_");
    if underscored == name {
        vec![(underscored, shape)]
    } else {
        vec![(underscored, shape.clone()), (name.to_string(), shape)]
    }
}

fn of_option(option: &Arg) -> Value {
    let one = match option.get_possible_values().as_slice() {
        [] => json!({ "type": ["string", "number"] }),
        values => {
            json!({ "enum": values.iter().map(clap::builder::PossibleValue::get_name).collect::<Vec<_>>() })
        }
    };
    let mut shape = match OptionForm::of(option) {
        OptionForm::Flag => json!({ "type": "boolean" }),
        OptionForm::One => one,
        OptionForm::OptionalOne => json!({ "oneOf": [{ "type": "boolean" }, one] }),
        OptionForm::Several => json!({ "oneOf": [one, { "type": "array", "items": one }] }),
    };
    shape["description"] = option.get_help().map(ToString::to_string).unwrap_or_default().into();
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(file: &Value) -> usize {
        jsonschema::draft7::new(&schema()).unwrap().iter_errors(file).count()
    }

    #[test]
    fn a_file_of_checks_is_as_the_schema_says() {
        let file = json!({
            "max_connections": 8,
            "defaults": { "interval": "1s", "connect-timeout": "2s" },
            "check": [
                { "name": "a", "url": "ws://a.example/", "fail_if": ["loss>1%"], "labels": { "team": "x" } },
                { "name": "b", "command": "probe-idle", "url": "ws://a.example/", "max": "2m", "verify": true },
            ],
        });
        assert_eq!(errors(&file), 0);
    }

    #[test]
    fn mistakes_are_found_by_the_schema() {
        let with = |check: Value| json!({ "check": [check] });
        for check in [
            json!({ "name": "a" }),
            json!({ "name": "a", "url": "ws://a/", "conut": 5 }),
            json!({ "name": "a", "url": "ws://a/", "insecure": "yes" }),
            json!({ "name": "a", "url": "ws://a/", "max": "2m" }),
            json!({ "name": "a", "url": "ws://a/", "command": "pong" }),
        ] {
            assert_ne!(errors(&with(check.clone())), 0, "{check}");
        }
        assert_ne!(errors(&json!({ "check": [] })), 0);
    }

    /// Every option that the reader takes is in the schema.
    #[test]
    fn reader_and_schema_know_the_same_options() {
        let schema = schema();
        for (index, command) in MEASUREMENTS.into_iter().enumerate() {
            let properties = &schema["properties"]["check"]["items"]["oneOf"][index]["properties"];
            assert_eq!(properties["command"]["const"], command);
            for (name, _) in CheckOptions::of(command).unwrap().all() {
                assert!(properties.get(name).is_some(), "{command} {name}");
                assert!(
                    properties[name]["description"].as_str().is_some_and(|text| !text.is_empty()),
                    "{name}"
                );
            }
        }
    }
}
