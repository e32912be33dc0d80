//! Shares on the command line: a percentage (`5%`) or a fraction with a point (`0.05`).

/// Parses a share from 0 to 1. The error is a lower-case fragment that names the value and the rule.
///
/// Refuses whole numbers without `%`: a bare `1` could mean 1 % or everything. 0 is the same in both.
pub fn parse_share(text: &str) -> Result<f64, String> {
    let text = text.trim();
    match text.strip_suffix('%') {
        Some(percent) => at_most_all(text, number(text, percent.trim_end())? / 100.0),
        None => fraction(text),
    }
}

fn fraction(text: &str) -> Result<f64, String> {
    let value = number(text, text)?;
    let has_point = text.contains('.');
    match value {
        1.0 if !has_point => Err(format!("'{text}' could mean 1 % or everything: write 1% or 1.0")),
        _ if !has_point && value > 1.0 => Err(format!("'{text}' has no unit: write {text}%")),
        value => at_most_all(text, value),
    }
}

fn number(text: &str, digits: &str) -> Result<f64, String> {
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number = digits.parse::<f64>().ok().filter(|_| is_plain);
    number.ok_or_else(|| format!("'{text}' is not a share: write a percentage (5%) or a fraction (0.05)"))
}

fn at_most_all(text: &str, share: f64) -> Result<f64, String> {
    if share > 1.0 { Err(format!("'{text}' is above 100%")) } else { Ok(share) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_and_fractions_are_shares() {
        let shares = ["30%", "0.3", "0.3%", " 2.5 % ", "1.0", "100%", "0", "0.0"].map(parse_share);
        assert_eq!(shares, [0.3, 0.3, 0.003, 0.025, 1.0, 1.0, 0.0, 0.0].map(Ok));
    }

    #[test]
    fn whole_number_needs_a_percent_sign() {
        assert_eq!(parse_share("20"), Err("'20' has no unit: write 20%".to_string()));
        assert_eq!(parse_share("1"), Err("'1' could mean 1 % or everything: write 1% or 1.0".to_string()));
    }

    #[test]
    fn more_than_all_is_refused() {
        assert_eq!(parse_share("200%"), Err("'200%' is above 100%".to_string()));
        assert_eq!(parse_share("1.5"), Err("'1.5' is above 100%".to_string()));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "%", "-1", "-5%", "NaN", "inf", "1e-1", "a%", "."] {
            assert!(parse_share(text).is_err_and(|why| why.contains("is not a share")), "{text}");
        }
    }
}
