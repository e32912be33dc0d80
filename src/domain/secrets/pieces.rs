//! Splits a text into parts to show and secrets to hide.

use std::collections::VecDeque;
use std::ops::Range;

use super::fields::{Field, field_at};
use super::sent::SentSecrets;

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    Shown(char),
    /// A secret.
    Hidden,
}

/// The parts of a text, in order. Lazy, so that the cost of a long text is that of the part shown.
#[derive(Debug)]
pub struct Pieces<'a> {
    text: &'a str,
    sent: &'a SentSecrets,
    at: usize,
    /// Secrets of the current field.
    hidden: VecDeque<Range<usize>>,
    /// Fields are searched up to here.
    read: usize,
    /// The last piece was a secret; directly following text belongs to it.
    is_after_hidden: bool,
}

impl<'a> Pieces<'a> {
    pub fn new(text: &'a str, sent: &'a SentSecrets) -> Pieces<'a> {
        Pieces { text, sent, at: 0, hidden: VecDeque::new(), read: 0, is_after_hidden: false }
    }

    /// The end of the secret that starts here.
    fn secret(&mut self) -> Option<usize> {
        if self.at >= self.read
            && let Some(Field { values, end }) = field_at(self.text, self.at)
        {
            (self.hidden, self.read) = (values.into(), end);
        }
        let own = self.hidden.front().filter(|range| range.start <= self.at).map(|range| range.end);
        let sent = self.sent.length_at(self.text.as_bytes(), self.at).map(|length| self.at + length);
        own.max(sent).filter(|end| self.text.is_char_boundary(*end))
    }

    fn skip(&mut self, end: usize) {
        self.at = end;
        self.hidden.retain_mut(|range| {
            range.start = range.start.max(end);
            range.start < range.end
        });
    }
}

impl Iterator for Pieces<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        loop {
            let c = self.text[self.at..].chars().next()?;
            let Some(end) = self.secret() else {
                self.at += c.len_utf8();
                self.is_after_hidden = false;
                return Some(Piece::Shown(c));
            };
            self.skip(end);
            if !std::mem::replace(&mut self.is_after_hidden, true) {
                return Some(Piece::Hidden);
            }
        }
    }
}
