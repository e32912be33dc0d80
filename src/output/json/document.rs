//! Parts of a document, declared together with what fills them.

use serde::Serialize;

/// Declares parts of a document: for each field its name, its type, and what it is made from, by `From`, of the value that
/// is named after `from`. With `= "name"`, a part is the body of the NDJSON line of that event.
macro_rules! document {
    ($(
        $(#[$meta:meta])*
        $vis:vis struct $name:ident $(= $event:literal)? from $source:tt: $domain:ty {
            $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $type:ty = $value:expr,)*
        }
    )*) => {$(
        #[derive(Debug, Clone, PartialEq, ::serde::Serialize)]
        #[cfg_attr(test, derive(::schemars::JsonSchema))]
        $(#[$meta])*
        $vis struct $name { $($(#[$field_meta])* $field_vis $field: $type,)* }

        impl From<$domain> for $name {
            fn from($source: $domain) -> $name {
                $name { $($field: ($value).into(),)* }
            }
        }

        $(impl $crate::output::json::EventBody for $name {
            const EVENT: &'static str = $event;
        })?
    )*};
}

pub(crate) use document;

/// What a line of NDJSON tells, beside when and of which connection.
pub trait EventBody: Serialize {
    /// The event's name.
    const EVENT: &'static str;
}
