//! RAISE and GET DIAGNOSTICS (manual, 43.9.1 and 43.5.5).

use crate::block::Reader;
use crate::error::Error;
use crate::token::{Kind, Token};
use crate::tree::{Condition, Diagnostic, Level, Raise, Step};

const LEVELS: [(&str, Level); 6] = [
    ("debug", Level::Debug),
    ("log", Level::Log),
    ("info", Level::Info),
    ("notice", Level::Notice),
    ("warning", Level::Warning),
    ("exception", Level::Exception),
];

impl<'t> Reader<'_, 't> {
    /// `RAISE [level] ['text %', value, .. | condition] [USING option = value, ..]`.
    pub(crate) fn raise(&mut self) -> Result<Step<'t>, Error> {
        let level = LEVELS.iter().find(|(word, _)| self.cursor.take(&[word])).map(|(_, level)| *level);
        let mut raise = Raise {
            level: level.unwrap_or(Level::Exception),
            condition: None,
            pieces: None,
            values: Vec::new(),
            options: Vec::new(),
        };
        let next = self.cursor.peek();
        if let Some(format) = next.filter(|token| token.kind == Kind::Text) {
            if !format.text.starts_with('\'') {
                return Err(self.cursor.refused("RAISE with such a text"));
            }
            self.cursor.next();
            let pieces = pieces(format.text);
            while self.cursor.take_symbol(",") {
                let value = self.value()?;
                raise.values.push(value);
            }
            if pieces.len() != raise.values.len() + 1 {
                let what = "RAISE has not one value for each %";
                return Err(Error::new(self.cursor.text, format.at, what));
            }
            raise.pieces = Some(pieces);
        } else if !self.is_symbol(";") && !self.cursor.is("using") {
            raise.condition = Some(self.condition()?);
        } else if self.is_symbol(";") && level.is_none() {
            raise.condition = Some(Condition::Name(String::new()));
        }
        if self.cursor.take(&["using"]) {
            loop {
                let option = self.cursor.name("an option of RAISE")?.to_uppercase();
                if !self.cursor.take_symbol(":=") {
                    self.cursor.expect_symbol("=", "behind an option of RAISE")?;
                }
                let value = self.value()?;
                raise.options.push((option, value));
                if !self.cursor.take_symbol(",") {
                    break;
                }
            }
        }
        Ok(Step::Raise(raise))
    }

    fn value(&mut self) -> Result<crate::tree::Piece<'t>, Error> {
        let ends = |token: &Token<'_>| token.is_symbol(",") || token.is_symbol(";") || token.is_word("using");
        let tokens = self.cursor.until(ends, "`;` behind RAISE")?;
        self.piece(tokens)
    }

    /// `GET [CURRENT | STACKED] DIAGNOSTICS target = item, ..`.
    pub(crate) fn diagnostics(&mut self) -> Result<Step<'t>, Error> {
        let stacked = self.cursor.take(&["stacked"]);
        self.cursor.take(&["current"]);
        self.cursor.expect(&["diagnostics"], "behind GET")?;
        let mut items = Vec::new();
        loop {
            let target = self.target()?;
            if !self.cursor.take_symbol(":=") {
                self.cursor.expect_symbol("=", "in GET DIAGNOSTICS")?;
            }
            let item = self.cursor.name("an item of GET DIAGNOSTICS")?;
            items.push(Diagnostic { target, item });
            if !self.cursor.take_symbol(",") {
                return Ok(Step::Diagnostics { stacked, items });
            }
        }
    }
}

/// The pieces of a text around each `%`; `%%` is a literal percent sign.
fn pieces(quoted: &str) -> Vec<String> {
    let inside = quoted[1..quoted.len() - 1].replace("''", "'");
    let mut pieces = vec![String::new()];
    let mut letters = inside.chars().peekable();
    while let Some(letter) = letters.next() {
        let last = pieces.len() - 1;
        match letter {
            '%' if letters.peek() == Some(&'%') => {
                letters.next();
                pieces[last].push('%');
            }
            '%' => pieces.push(String::new()),
            letter => pieces[last].push(letter),
        }
    }
    pieces
}
