//! Variables of the environment in a file of checks: `${NAME}`, `${NAME:-default}`; `$${` is a plain `${`.

/// A text in which the variables have their values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expanded {
    pub text: String,
    /// The values of the variables, each of which may be a secret.
    pub values: Vec<String>,
}

/// Puts the values of variables in their places.
///
/// # Errors
///
/// A variable that is not set, or a `${` without its end.
pub fn expand(text: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Expanded, String> {
    let (mut shown, mut values, mut rest) = (String::new(), Vec::new(), text);
    while let Some(start) = rest.find("${") {
        let (before, from) = rest.split_at(start);
        if let Some(before) = before.strip_suffix('$') {
            shown.extend([before, "${"]);
            rest = &from[2..];
            continue;
        }
        let end = from.find('}').ok_or("'${' has no '}'; write '$${' for a plain '${'")?;
        let value = value(&from[2..end], &variable)?;
        shown.extend([before, &value]);
        values.push(value);
        rest = &from[end + 1..];
    }
    Ok(Expanded { text: shown + rest, values })
}

fn value(inside: &str, variable: &impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let (name, default) = inside.split_once(":-").map_or((inside, None), |(name, text)| (name, Some(text)));
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_name {
        return Err(format!("'${{{inside}}}' names no variable: write ${{NAME}} or ${{NAME:-default}}"));
    }
    let set = variable(name).filter(|value| default.is_none() || !value.is_empty());
    set.or_else(|| default.map(str::to_string))
        .ok_or_else(|| format!("the environment has no variable {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> Result<String, String> {
        let variable = |name: &str| match name {
            "TOKEN" => Some("s3cret".to_string()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        expand(text, variable).map(|expanded| expanded.text)
    }

    #[test]
    fn variables_have_their_values() {
        assert_eq!(expanded("Bearer ${TOKEN}, ${TOKEN}").unwrap(), "Bearer s3cret, s3cret");
        assert_eq!(expanded("${NONE:-a}${EMPTY:-b}${EMPTY}${TOKEN:-c}").unwrap(), "abs3cret");
        assert_eq!(expanded("$TOKEN $5 {id} $${TOKEN} $").unwrap(), "$TOKEN $5 {id} ${TOKEN} $");
        let values = expand("x ${A} y ${B:-d}", |name| (name == "A").then(|| "v".to_string()));
        assert_eq!(values.unwrap().values, ["v", "d"]);
    }

    #[test]
    fn what_cannot_be_expanded_is_named() {
        assert_eq!(expanded("${NONE}").unwrap_err(), "the environment has no variable NONE");
        assert_eq!(expanded("a ${TOKEN").unwrap_err(), "'${' has no '}'; write '$${' for a plain '${'");
        for text in ["${}", "${1A}", "${A B}", "${:-x}"] {
            assert!(expanded(text).unwrap_err().contains("names no variable"), "{text}");
        }
    }
}
