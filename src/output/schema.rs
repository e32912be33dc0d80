//! The JSON Schema of everything that `-o json` and `-o ndjson` print. Only tests make it, as what makes it would be a tenth of
//! the program: `wscheck schema` prints the file that a test keeps up to date.

use std::any::type_name;
use std::borrow::Cow;

use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, json_schema};
use serde_json::{Map, Value, json};
use strum::{EnumMessage, IntoEnumIterator};

use super::compare::CompareDocument;
use super::envelope::Envelope;
use super::finding_codes;
use super::json::{Checked, ErrorDocument, Name, SCHEMA_VERSION};
use super::ndjson::{ConnectionLine, EventBody, EventName, Interim, RunLine};
use super::{
    checks, client_test, doctor, idle, listen, ping, presets, products, serve, server_events, timeouts,
    watch, zombie,
};
use crate::domain::label::Label;

/// JSON Schema (draft 2020-12) of a document or of an event's line. It is strict, so that it tells what this
/// version prints exactly; later versions may add fields.
pub fn schema() -> Value {
    let mut shapes = SchemaBuilder {
        generator: SchemaSettings::draft2020_12()
            .for_serialize()
            .with_transform(RecursiveTransform(refuse_other_fields))
            .into_generator(),
        any: Vec::new(),
    };
    shapes.documents();
    shapes.run_lines();
    shapes.connection_lines();
    shapes.idle_lines();
    shapes.listen_lines();
    shapes.zombie_lines();
    shapes.doctor_lines();
    shapes.serve_lines();
    shapes.checks_lines();
    shapes.watch_lines();
    shapes.client_test_lines();
    let mut definitions = shapes.generator.take_definitions(true);
    accept_fields_beside_alternatives(&mut definitions);
    definitions["FindingCode"] = schema_of_finding_codes().into();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("wscheck output, schema_version {SCHEMA_VERSION}"),
        "description": "-o json prints one document. -o ndjson prints one event per line, each with its name in \
            'event', and then the same document as the last line. Durations are numbers in milliseconds, \
            rounded to the microsecond (*_ms); points in time are RFC 3339 in UTC; unknown values are null. Fields \
            are only ever added.",
        "anyOf": shapes.any,
        "$defs": definitions,
    })
}

/// An object has the fields that are listed, or those of one of its alternatives.
fn refuse_other_fields(schema: &mut Schema) {
    if schema.get("properties").is_some() {
        let key =
            if schema.get("anyOf").is_some() { "unevaluatedProperties" } else { "additionalProperties" };
        schema.insert(key.to_string(), false.into());
    }
}

/// An alternative does not know the fields that all alternatives have.
fn accept_fields_beside_alternatives(definitions: &mut Map<String, Value>) {
    let composed = definitions.values().filter(|schema| schema.get("unevaluatedProperties").is_some());
    let alternatives = composed.flat_map(|schema| schema["anyOf"].as_array().into_iter().flatten());
    let names = alternatives.filter_map(|schema| schema["$ref"].as_str()?.strip_prefix("#/$defs/"));
    for name in names.map(str::to_string).collect::<Vec<_>>() {
        definitions[&name].as_object_mut().map(|schema| schema.shift_remove("additionalProperties"));
    }
}

struct SchemaBuilder {
    generator: SchemaGenerator,
    any: Vec<Schema>,
}

impl SchemaBuilder {
    fn documents(&mut self) {
        self.add::<Envelope<ping::PingDocument>>("ping: document");
        self.add::<Envelope<CompareDocument>>("compare: document");
        self.add::<Envelope<checks::ChecksDocument>>("run: document");
        self.add::<Envelope<watch::WatchDocument>>("watch: document");
        self.add::<ErrorDocument>("error document");
        self.add::<timeouts::TimeoutsDocument>("timeouts: document");
        self.add::<timeouts::TimeoutLine>("timeouts: line");
        self.add::<presets::PresetsDocument>("presets: document");
        self.add::<presets::PresetLine>("presets: line");
        self.add::<products::ProductsDocument>("products: document");
        self.add::<products::ProductLine>("products: line");
        self.add::<Envelope<idle::IdleDocument>>("probe-idle: document");
        self.add::<Envelope<listen::ListenDocument>>("listen: document");
        self.add::<Envelope<zombie::ZombieDocument>>("probe-zombie: document");
        self.add::<Envelope<doctor::DoctorDocument>>("doctor: document");
        self.add::<Envelope<serve::ServeDocument>>("serve: document");
        self.add::<Envelope<client_test::ClientTestDocument>>("test-client: document");
        self.add::<serve::ClientsDocument>("serve: clients");
    }

    fn run_lines(&mut self) {
        self.run_line::<ping::Started>();
        self.run_line::<Interim<ping::PingDocument>>();
    }

    fn watch_lines(&mut self) {
        self.line_of::<Interim<watch::WatchDocument>>("watch");
        self.line_of::<watch::HostChanged>("watch");
        self.line_of::<watch::Reloaded>("watch");
        self.line_of::<watch::NotReloaded>("watch");
        self.line_of::<watch::Removed>("watch");
        self.line_of::<watch::HookEnded>("watch");
        self.line_of::<watch::HookSkipped>("watch");
    }

    fn idle_lines(&mut self) {
        self.line_of::<idle::IdleStarted>("probe-idle");
        self.line_of::<idle::ProbeOpened>("probe-idle");
        self.line_of::<idle::ProbeFailed>("probe-idle");
        self.line_of::<idle::Asked>("probe-idle");
        self.line_of::<idle::Spoke>("probe-idle");
        self.line_of::<idle::TrialOver>("probe-idle");
        self.line_of::<idle::BracketSoFar>("probe-idle");
        self.line_of::<idle::ProvisionalAnswer>("probe-idle");
        self.line_of::<idle::RefreshTried>("probe-idle");
        self.line_of::<idle::VerifyOver>("probe-idle");
    }

    fn listen_lines(&mut self) {
        self.line_of::<listen::ListenStarted>("listen");
        self.line_of::<listen::ListenOpened>("listen");
        self.line_of::<server_events::ServerEventReceived>("listen");
        self.line_of::<listen::ClientSent>("listen");
        self.line_of::<listen::ListenEnded>("listen");
    }

    fn zombie_lines(&mut self) {
        self.line_of::<zombie::ZombieStarted>("probe-zombie");
        self.line_of::<zombie::ClientOpened>("probe-zombie");
        self.line_of::<zombie::ClientNotOpened>("probe-zombie");
        self.line_of::<zombie::ClientReceived>("probe-zombie");
        self.line_of::<zombie::ClientOver>("probe-zombie");
    }

    fn doctor_lines(&mut self) {
        self.line_of::<doctor::DoctorStarted>("doctor");
        self.line_of::<doctor::DoctorChecked>("doctor");
    }

    fn serve_lines(&mut self) {
        self.line_of::<serve::ServerListening>("serve");
        self.line_of::<serve::ServedClientOpened>("serve");
        self.line_of::<serve::ConnectionRejected>("serve");
        self.line_of::<serve::ServedClientStatus>("serve");
        self.line_of::<serve::DeadClientClosed>("serve");
        self.line_of::<serve::FaultInjected>("serve");
        self.line_of::<serve::SilenceNoticed>("serve");
        self.line_of::<serve::ServedClientClosed>("serve");
        self.line_of::<serve::ServerError>("serve");
    }

    fn checks_lines(&mut self) {
        self.line_of::<checks::ChecksStarted>("run");
        self.line_of::<checks::CheckRunning>("run");
        self.line_of::<checks::CheckOver>("run");
    }

    fn client_test_lines(&mut self) {
        self.line_of::<client_test::ClientTestStarted>("test-client");
        self.line_of::<client_test::ClientLaunched>("test-client");
        self.line_of::<client_test::ClientConnected>("test-client");
        self.line_of::<client_test::ClientRejected>("test-client");
        self.line_of::<client_test::ClientFaultActed>("test-client");
        self.line_of::<client_test::ClientNoticed>("test-client");
        self.line_of::<client_test::ClientDisconnected>("test-client");
        self.line_of::<client_test::TestServerError>("test-client");
        self.line_of::<client_test::ClientExited>("test-client");
        self.line_of::<client_test::ClientTestOver>("test-client");
    }

    fn connection_lines(&mut self) {
        self.line::<ping::ConnectionOpening>();
        self.line::<ping::Opened>();
        self.line::<ping::OpenFailed>();
        self.line::<ping::Heartbeat>();
        self.line::<ping::StrayPong>();
        self.line::<ping::StatusChanged>();
        self.line::<ping::ServerPing>();
        self.line::<ping::Message>();
        self.line::<ping::Echo>();
        self.line::<ping::Unjudged>();
        self.line::<ping::GoawayReceived>();
        self.line::<ping::Ended>();
        self.line::<ping::Retry>();
        self.line::<ping::Reconnected>();
        self.line::<ping::GaveUp>();
    }

    fn run_line<B: EventBody + JsonSchema>(&mut self) {
        self.add::<RunLine<B>>(&format!("event {}", B::EVENT));
    }

    /// A line that only this command prints.
    fn line_of<B: EventBody + JsonSchema>(&mut self, command: &str) {
        self.add::<RunLine<B>>(&format!("{command}: event {}", B::EVENT));
    }

    fn line<B: EventBody + JsonSchema>(&mut self) {
        self.add::<ConnectionLine<B>>(&format!("event {}", B::EVENT));
    }

    fn add<T: JsonSchema>(&mut self, title: &str) {
        let mut shape = self.generator.subschema_for::<T>();
        shape.insert("title".to_string(), title.into());
        self.any.push(shape);
    }
}

/// The schema of a value is its label and its doc comment.
impl<T: Label + IntoEnumIterator + EnumMessage> JsonSchema for Name<T> {
    fn schema_name() -> Cow<'static, str> {
        let path = type_name::<T>();
        path.rsplit("::").next().unwrap_or(path).into()
    }

    fn schema_id() -> Cow<'static, str> {
        type_name::<Name<T>>().into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "oneOf": T::iter().map(|value| schema_of_variant(&value)).collect::<Vec<_>>() })
    }
}

fn schema_of_variant<T: Label + EnumMessage>(value: &T) -> Schema {
    let mut schema = json_schema!({ "type": "string", "const": value.label() });
    if let Some(doc) = value.get_documentation() {
        schema.insert("description".to_string(), doc.trim_end().into());
    }
    schema
}

/// The schema is that of the value.
impl<T: JsonSchema> JsonSchema for Checked<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

impl<B: EventBody> JsonSchema for EventName<B> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        B::EVENT.into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "const": B::EVENT })
    }
}

/// All codes, each with its meaning.
fn schema_of_finding_codes() -> Schema {
    let mut codes = finding_codes();
    codes.sort_by_key(|code| code.code);
    codes.dedup_by_key(|code| code.code);
    let schemas =
        codes.iter().map(|code| json!({ "type": "string", "const": code.code, "description": code.meaning }));
    json_schema!({ "oneOf": schemas.collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use super::*;
    use crate::domain::connection::connect_info::FailureKind;
    use crate::output::human::HumanOptions;
    use crate::output::json::error_document;
    use crate::output::output_format::Format;
    use crate::output::ping::fixtures;
    use crate::output::testing::validator_of;

    fn validator() -> jsonschema::Validator {
        validator_of("ping")
    }

    /// Everything that every scripted run prints in both formats.
    fn printed() -> Vec<Value> {
        let mut values = Vec::new();
        for (_, events) in fixtures::all() {
            for format in [Format::Json, Format::Ndjson] {
                let (text, _) = fixtures::show(format, HumanOptions::default(), &events);
                values.extend(
                    serde_json::Deserializer::from_str(&text).into_iter::<Value>().map(Result::unwrap),
                );
            }
        }
        values
    }

    /// Every object in a value, as a path of keys and indices.
    fn objects(value: &Value, path: String, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                found.push(path.clone());
                fields.iter().for_each(|(key, inner)| objects(inner, format!("{path}/{key}"), found));
            }
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(i, inner)| objects(inner, format!("{path}/{i}"), found));
            }
            _ => {}
        }
    }

    #[test]
    fn the_schema_is_one() {
        assert!(jsonschema::meta::is_valid(&schema()));
    }

    /// Every list of words that scripts may rely on, by the name of its definition.
    fn words() -> String {
        let schema = schema();
        let definitions = schema["$defs"].as_object().unwrap();
        let lists = definitions.iter().filter_map(|(name, definition)| {
            let variants = definition["oneOf"].as_array().map_or(from_ref(definition), Vec::as_slice);
            let words: Vec<&str> = variants
                .iter()
                .flat_map(|variant| {
                    variant["enum"].as_array().into_iter().flatten().chain(variant.get("const"))
                })
                .filter_map(Value::as_str)
                .collect();
            (!words.is_empty()).then(|| format!("{name}: {}\n", words.join(" ")))
        });
        lists.collect()
    }

    #[test]
    fn words_in_json_never_change() {
        insta::assert_snapshot!(words());
    }

    #[test]
    fn whatever_is_printed_validates() {
        let validator = validator();
        for value in printed() {
            let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
            assert_eq!(errors, Vec::<String>::new(), "{value}");
        }
        let document = error_document(Some("ping"), FailureKind::Usage, "no URL", Some("give one"), 2);
        assert!(validator.is_valid(&serde_json::to_value(document).unwrap()));
    }

    #[test]
    fn a_field_too_many_anywhere_does_not_validate() {
        let validator = validator();
        for value in printed() {
            let mut paths = Vec::new();
            objects(&value, String::new(), &mut paths);
            for path in
                paths.iter().filter(|path| !["/headers", "/data"].iter().any(|open| path.ends_with(open)))
            {
                let mut broken = value.clone();
                broken.pointer_mut(path).unwrap()["surprise"] = json!(1);
                assert!(!validator.is_valid(&broken), "{path} takes anything in {value}");
            }
        }
    }

    #[test]
    fn a_document_without_any_one_of_its_fields_does_not_validate() {
        let validator = validator();
        for value in printed() {
            for field in value.as_object().unwrap().keys() {
                let mut broken = value.clone();
                broken.as_object_mut().unwrap().shift_remove(field);
                assert!(!validator.is_valid(&broken), "{field} may be left out of {value}");
            }
        }
    }

    #[test]
    fn an_unknown_word_does_not_validate() {
        let mut values = printed();
        values[0]["status"] = json!("splendid");
        assert!(!validator().is_valid(&values[0]));
    }

    #[test]
    fn the_scripted_runs_print_every_event_there_is() {
        let printed = printed();
        let schema = schema();
        let shapes = schema["anyOf"].as_array().unwrap();
        let names = shapes.iter().filter_map(|shape| shape["title"].as_str()?.strip_prefix("event "));
        let missing: Vec<&str> =
            names.filter(|name| !printed.iter().any(|value| value["event"] == **name)).collect();
        assert_eq!(missing, Vec::<&str>::new());
    }
}
