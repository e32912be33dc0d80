//! The JSON Schema of everything that `-o json` and `-o ndjson` print.

use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use super::checks::{CheckOver, CheckRunning, ChecksDocument, ChecksStarted};
use super::client_test::{
    ClientConnected, ClientDisconnected, ClientExited, ClientFaultActed, ClientLaunched, ClientNoticed,
    ClientRejected, ClientTestDocument, ClientTestOver, ClientTestStarted, TestServerError,
};
use super::compare::CompareDocument;
use super::doctor::{DoctorChecked, DoctorDocument, DoctorStarted};
use super::envelope::Envelope;
use super::finding_codes::{self, CodeMeaning, FINDING_CODE, codes_of};
use super::idle::{
    Asked, BracketSoFar, IdleDocument, IdleStarted, ProbeFailed, ProbeOpened, ProvisionalAnswer,
    RefreshTried, Spoke, TrialOver, VerifyOver,
};
use super::json::{ErrorDocument, SCHEMA_VERSION};
use super::listen::{ClientSent, ListenDocument, ListenEnded, ListenOpened, ListenStarted};
use super::ndjson::{ConnectionLine, EventBody, Interim, RunLine};
use super::ping::{
    ConnectionOpening, Echo, Ended, GaveUp, Heartbeat, Message, OpenFailed, Opened, PingDocument,
    Reconnected, Retry, ServerPing, Started, StatusChanged, StrayPong, Unjudged,
};
use super::presets::{PresetLine, PresetsDocument};
use super::products::{ProductLine, ProductsDocument};
use super::serve::{
    ClientsDocument, ConnectionRejected, DeadClientClosed, FaultInjected, ServeDocument, ServedClientClosed,
    ServedClientOpened, ServedClientStatus, ServerError, ServerListening, SilenceNoticed,
};
use super::server_events::ServerEventReceived;
use super::timeouts::{TimeoutLine, TimeoutsDocument};
use super::watch::{HookEnded, HookSkipped, HostChanged, NotReloaded, Reloaded, Removed, WatchDocument};
use super::zombie::{
    ClientNotOpened, ClientOpened, ClientOver, ClientReceived, ZombieDocument, ZombieStarted,
};
use crate::domain::doctor::DoctorFindingCode;
use crate::domain::doctor::tls::TlsFindingCode;
use crate::domain::idle::{IdleFindingCode, UndecidedCode};
use crate::domain::listen::ListenFindingCode;
use crate::domain::ping::finding::PingFindingCode;
use crate::domain::zombie::ZombieFindingCode;

/// The codes of all commands' findings.
pub fn finding_codes() -> Vec<CodeMeaning> {
    let mut all = Vec::new();
    all.extend(codes_of::<PingFindingCode>("ping"));
    all.extend(codes_of::<ListenFindingCode>("listen"));
    all.extend(codes_of::<ZombieFindingCode>("probe-zombie"));
    all.extend(codes_of::<IdleFindingCode>("probe-idle"));
    all.extend(codes_of::<UndecidedCode>("probe-idle"));
    all.extend(codes_of::<DoctorFindingCode>("doctor"));
    all.extend(codes_of::<TlsFindingCode>("doctor"));
    all
}

/// JSON Schema (draft 2020-12) of a document or of an event's line. It is strict, so that it tells what this
/// version prints exactly; later versions may add fields.
pub fn schema() -> Value {
    let mut shapes = SchemaBuilder {
        generator: SchemaSettings::draft2020_12().for_serialize().into_generator(),
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
    definitions[FINDING_CODE] = finding_codes::schema_of(finding_codes()).into();
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

struct SchemaBuilder {
    generator: SchemaGenerator,
    any: Vec<Schema>,
}

impl SchemaBuilder {
    fn documents(&mut self) {
        self.add::<Envelope<PingDocument>>("ping: document");
        self.add::<Envelope<CompareDocument>>("compare: document");
        self.add::<Envelope<ChecksDocument>>("run: document");
        self.add::<Envelope<WatchDocument>>("watch: document");
        self.add::<ErrorDocument>("error document");
        self.add::<TimeoutsDocument>("timeouts: document");
        self.add::<TimeoutLine>("timeouts: line");
        self.add::<PresetsDocument>("presets: document");
        self.add::<PresetLine>("presets: line");
        self.add::<ProductsDocument>("products: document");
        self.add::<ProductLine>("products: line");
        self.add::<Envelope<IdleDocument>>("probe-idle: document");
        self.add::<Envelope<ListenDocument>>("listen: document");
        self.add::<Envelope<ZombieDocument>>("probe-zombie: document");
        self.add::<Envelope<DoctorDocument>>("doctor: document");
        self.add::<Envelope<ServeDocument>>("serve: document");
        self.add::<Envelope<ClientTestDocument>>("test-client: document");
        self.add::<ClientsDocument>("serve: clients");
    }

    fn run_lines(&mut self) {
        self.run_line::<Started>();
        self.run_line::<Interim<PingDocument>>();
    }

    fn watch_lines(&mut self) {
        self.line_of::<Interim<WatchDocument>>("watch");
        self.line_of::<HostChanged>("watch");
        self.line_of::<Reloaded>("watch");
        self.line_of::<NotReloaded>("watch");
        self.line_of::<Removed>("watch");
        self.line_of::<HookEnded>("watch");
        self.line_of::<HookSkipped>("watch");
    }

    fn idle_lines(&mut self) {
        self.line_of::<IdleStarted>("probe-idle");
        self.line_of::<ProbeOpened>("probe-idle");
        self.line_of::<ProbeFailed>("probe-idle");
        self.line_of::<Asked>("probe-idle");
        self.line_of::<Spoke>("probe-idle");
        self.line_of::<TrialOver>("probe-idle");
        self.line_of::<BracketSoFar>("probe-idle");
        self.line_of::<ProvisionalAnswer>("probe-idle");
        self.line_of::<RefreshTried>("probe-idle");
        self.line_of::<VerifyOver>("probe-idle");
    }

    fn listen_lines(&mut self) {
        self.line_of::<ListenStarted>("listen");
        self.line_of::<ListenOpened>("listen");
        self.line_of::<ServerEventReceived>("listen");
        self.line_of::<ClientSent>("listen");
        self.line_of::<ListenEnded>("listen");
    }

    fn zombie_lines(&mut self) {
        self.line_of::<ZombieStarted>("probe-zombie");
        self.line_of::<ClientOpened>("probe-zombie");
        self.line_of::<ClientNotOpened>("probe-zombie");
        self.line_of::<ClientReceived>("probe-zombie");
        self.line_of::<ClientOver>("probe-zombie");
    }

    fn doctor_lines(&mut self) {
        self.line_of::<DoctorStarted>("doctor");
        self.line_of::<DoctorChecked>("doctor");
    }

    fn serve_lines(&mut self) {
        self.line_of::<ServerListening>("serve");
        self.line_of::<ServedClientOpened>("serve");
        self.line_of::<ConnectionRejected>("serve");
        self.line_of::<ServedClientStatus>("serve");
        self.line_of::<DeadClientClosed>("serve");
        self.line_of::<FaultInjected>("serve");
        self.line_of::<SilenceNoticed>("serve");
        self.line_of::<ServedClientClosed>("serve");
        self.line_of::<ServerError>("serve");
    }

    fn checks_lines(&mut self) {
        self.line_of::<ChecksStarted>("run");
        self.line_of::<CheckRunning>("run");
        self.line_of::<CheckOver>("run");
    }

    fn client_test_lines(&mut self) {
        self.line_of::<ClientTestStarted>("test-client");
        self.line_of::<ClientLaunched>("test-client");
        self.line_of::<ClientConnected>("test-client");
        self.line_of::<ClientRejected>("test-client");
        self.line_of::<ClientFaultActed>("test-client");
        self.line_of::<ClientNoticed>("test-client");
        self.line_of::<ClientDisconnected>("test-client");
        self.line_of::<TestServerError>("test-client");
        self.line_of::<ClientExited>("test-client");
        self.line_of::<ClientTestOver>("test-client");
    }

    fn connection_lines(&mut self) {
        self.line::<ConnectionOpening>();
        self.line::<Opened>();
        self.line::<OpenFailed>();
        self.line::<Heartbeat>();
        self.line::<StrayPong>();
        self.line::<StatusChanged>();
        self.line::<ServerPing>();
        self.line::<Message>();
        self.line::<Echo>();
        self.line::<Unjudged>();
        self.line::<Ended>();
        self.line::<Retry>();
        self.line::<Reconnected>();
        self.line::<GaveUp>();
    }

    fn run_line<B: EventBody>(&mut self) {
        self.add::<RunLine<B>>(&format!("event {}", B::EVENT));
    }

    /// A line that only this command prints.
    fn line_of<B: EventBody>(&mut self, command: &str) {
        self.add::<RunLine<B>>(&format!("{command}: event {}", B::EVENT));
    }

    fn line<B: EventBody>(&mut self) {
        self.add::<ConnectionLine<B>>(&format!("event {}", B::EVENT));
    }

    fn add<T: JsonSchema>(&mut self, title: &str) {
        let mut shape = self.generator.subschema_for::<T>();
        shape.insert("title".to_string(), title.into());
        self.any.push(shape);
    }
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
