//! The labels of the domain's enums in JSON. A test of the schema pins them, so that renaming a variant does not break
//! scripts.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use strum::IntoEnumIterator;

use crate::domain::connection::untrusted_text::without_controls;
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

impl<'de, T: Label + IntoEnumIterator> Deserialize<'de> for Name<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Name<T>, D::Error> {
        let name = String::deserialize(deserializer)?;
        let found = T::iter().find(|value| value.label() == name);
        found.map(Name).ok_or_else(|| {
            let known = T::iter().map(|value| value.label()).collect::<Vec<_>>().join(", ");
            D::Error::custom(format!("'{}' is none of {known}", without_controls(&name, false)))
        })
    }
}
