//! The labels of the domain's enums in JSON. A test of the schema pins them, so that renaming a variant does not break
//! scripts.

use std::any::type_name;
use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use strum::{EnumMessage, IntoEnumIterator};

use crate::domain::label::Label;

/// A value of an enum, in JSON its label. The schema lists the labels and the variants' doc comments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name<T>(pub T);

impl<T> From<T> for Name<T> {
    fn from(value: T) -> Name<T> {
        Name(value)
    }
}

impl<T: Label> Serialize for Name<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.label())
    }
}

impl<T: Label + IntoEnumIterator + EnumMessage> JsonSchema for Name<T> {
    fn schema_name() -> Cow<'static, str> {
        let path = type_name::<T>();
        path.rsplit("::").next().unwrap_or(path).into()
    }

    fn schema_id() -> Cow<'static, str> {
        type_name::<Name<T>>().into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "oneOf": T::iter().map(|value| variant_schema(&value)).collect::<Vec<_>>() })
    }
}

fn variant_schema<T: Label + EnumMessage>(value: &T) -> Schema {
    let mut schema = json_schema!({ "type": "string", "const": value.label() });
    if let Some(doc) = value.get_documentation() {
        schema.insert("description".to_string(), doc.trim_end().into());
    }
    schema
}
