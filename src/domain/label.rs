//! The names that scripts see: in JSON, in metrics and on the command line. Other words for people are `Display`, or
//! a function of another name.

/// The name of a value, in `snake_case`. Enums get it by deriving `strum::IntoStaticStr`.
pub trait Label {
    /// The name that scripts see: `idle_timeout`.
    fn label(&self) -> &'static str;

    /// The name in a sentence: `idle timeout`.
    fn words(&self) -> String {
        self.label().replace('_', " ")
    }
}

impl<T> Label for T
where
    for<'a> &'a T: Into<&'static str>,
{
    fn label(&self) -> &'static str {
        self.into()
    }
}
