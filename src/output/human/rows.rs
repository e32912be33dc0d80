//! Labelled text in a column, wrapped to the terminal.

use super::style::Styler;

/// Width of the label column.
const LABEL_WIDTH: usize = 13;
/// Minimum width of the text, however narrow the terminal is.
const MIN_TEXT_WIDTH: usize = 20;

/// Rows of a label and its text; long text is wrapped and indented.
pub struct LabelledRows {
    paint: Styler,
    width: Option<usize>,
    text: String,
}

impl LabelledRows {
    pub fn new(paint: Styler, width: Option<usize>) -> LabelledRows {
        LabelledRows { paint, width, text: String::new() }
    }

    /// Adds a row. An empty label continues the row before.
    pub fn add(&mut self, label: &str, text: &str) {
        self.add_item(label, "", text);
    }

    /// Adds a row whose text begins with a sign such as `- `; further lines stand below the text.
    pub fn add_item(&mut self, label: &str, sign: &str, text: &str) {
        let indent_width = LABEL_WIDTH + shown_width(sign);
        let room = self.width.map(|width| width.saturating_sub(indent_width).max(MIN_TEXT_WIDTH));
        let label = self.paint.faint(&format!("{label:<LABEL_WIDTH$}"));
        let (first, indent) = (format!("{label}{sign}"), " ".repeat(indent_width));
        for (number, line) in wrap(text, room).iter().enumerate() {
            let before = if number == 0 { &first } else { &indent };
            self.text.push_str(format!("{before}{line}").trim_end());
            self.text.push('\n');
        }
    }

    /// Adds an empty line, unless the text ends in one.
    pub fn add_blank_line(&mut self) {
        if !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// Adds a row that is never wrapped, so that it can be copied.
    pub fn add_unbroken(&mut self, label: &str, text: &str) {
        let label = self.paint.faint(&format!("{label:<LABEL_WIDTH$}"));
        self.text.push_str(&format!("{label}{text}\n"));
    }

    /// Adds a row if there is a text.
    pub fn add_some(&mut self, label: &str, text: Option<String>) {
        if let Some(text) = text {
            self.add(label, &text);
        }
    }

    /// Adds lines that are already formatted.
    pub fn add_raw(&mut self, lines: &str) {
        self.text.push_str(lines);
    }

    pub fn into_text(self) -> String {
        self.text
    }
}

/// The lines of a text, broken at spaces so that none is wider than `room`, except by a single word.
pub fn wrap(text: &str, room: Option<usize>) -> Vec<String> {
    text.split('\n').flat_map(|line| wrap_line(line, room)).collect()
}

fn wrap_line(text: &str, room: Option<usize>) -> Vec<String> {
    let Some(room) = room.filter(|room| shown_width(text) > *room) else {
        return vec![text.to_string()];
    };
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else { break };
        if line.is_empty() {
            line.push_str(word);
        } else if shown_width(line) + 1 + shown_width(word) <= room {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_string());
        }
    }
    lines
}

/// Characters that are shown: our own colour sequences (`ESC [ ... m`) are not. A peer's escapes never come here
/// unescaped.
pub fn shown_width(text: &str) -> usize {
    let mut in_sequence = false;
    text.chars()
        .filter(|c| match (in_sequence, c) {
            (false, '\x1b') => {
                in_sequence = true;
                false
            }
            (true, 'm') => {
                in_sequence = false;
                false
            }
            (inside, _) => !inside,
        })
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_text_stand_below_each_other() {
        let mut rows = LabelledRows::new(Styler { color: false }, None);
        rows.add("change", "transport http {\n\tread_timeout 0\n}");
        let column = " ".repeat(LABEL_WIDTH);
        let expected = format!("change       transport http {{\n{column}\tread_timeout 0\n{column}}}\n");
        assert_eq!(rows.into_text(), expected);
    }

    #[test]
    fn long_text_goes_on_under_itself() {
        let mut rows = LabelledRows::new(Styler { color: false }, Some(40));
        rows.add("finding", "one two three four five six seven");
        assert_eq!(rows.into_text(), "finding      one two three four five six\n             seven\n");
    }

    #[test]
    fn an_item_goes_on_under_its_text() {
        let mut rows = LabelledRows::new(Styler { color: false }, Some(36));
        rows.add_item("findings", "! ", "one two three four five six");
        assert_eq!(rows.into_text(), "findings     ! one two three four\n               five six\n");
    }

    #[test]
    fn colour_takes_no_room() {
        assert_eq!(shown_width(&Styler { color: true }.bad("error")), 5);
    }

    #[test]
    fn a_word_longer_than_the_terminal_stays_whole() {
        assert_eq!(wrap("a verylongword b", Some(5)), ["a", "verylongword", "b"]);
    }
}
