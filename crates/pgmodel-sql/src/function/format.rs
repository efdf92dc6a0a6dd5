//! `format` (manual, 9.4.1) with `%s` and `%L`. Identifiers, widths and positions are refused.

use super::signature::Kind::{Rest, Text};
use super::signature::{Entry, lax};
use super::text::text;
use crate::error::{Failure, Result};
use crate::value::Value;

pub(super) const FUNCTIONS: &[Entry] =
    &[lax("format", &[Text], Text, formatted), lax("format", &[Text, Rest], Text, formatted)];

fn formatted(args: &[Value]) -> Result<Value> {
    let Some((Value::Text(format), args)) = args.split_first() else { return Ok(Value::Null) };
    let mut made = String::new();
    let mut values = args.iter();
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            made.push(letter);
            continue;
        }
        let kind =
            letters.next().ok_or_else(|| Failure::sql("22023", "unterminated format() type specifier"))?;
        let mut value =
            || values.next().ok_or_else(|| Failure::sql("22023", "too few arguments for format()"));
        match kind {
            '%' => made.push('%'),
            's' => made.push_str(&value()?.text()),
            'L' => match value()? {
                Value::Null => made.push_str("NULL"),
                value => quote(&value.text(), &mut made),
            },
            'I' | '-' | '*' | '0'..='9' => {
                return Err(Failure::not_modelled(format!("format with %{kind}")));
            }
            other => {
                let message = format!("unrecognized format() type specifier \"{other}\"");
                return Err(Failure::sql("22023", message));
            }
        }
    }
    text(made)
}

/// The text as an SQL literal; with a backslash in it, an E'' string.
fn quote(content: &str, made: &mut String) {
    if content.contains('\\') {
        made.push('E');
    }
    made.push('\'');
    for letter in content.chars() {
        if matches!(letter, '\'' | '\\') {
            made.push(letter);
        }
        made.push(letter);
    }
    made.push('\'');
}
