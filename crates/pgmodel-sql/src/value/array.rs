//! Text forms of one-dimensional arrays. Arrays with more dimensions are refused.

use super::{Type, Value, is_space};
use crate::error::{Failure, Result};

/// `{1,2,NULL,"a b"}`.
pub(super) fn text(elements: &[Value]) -> String {
    let mut text = String::from("{");
    for (index, element) in elements.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        match element {
            Value::Null => text.push_str("NULL"),
            other => push_quoted(&mut text, &other.text()),
        }
    }
    text.push('}');
    text
}

fn push_quoted(text: &mut String, element: &str) {
    let special = |c: char| matches!(c, '{' | '}' | ',' | '"' | '\\') || is_space(c);
    if !element.is_empty() && !element.contains(special) && !element.eq_ignore_ascii_case("null") {
        text.push_str(element);
        return;
    }
    text.push('"');
    for c in element.chars() {
        if matches!(c, '"' | '\\') {
            text.push('\\');
        }
        text.push(c);
    }
    text.push('"');
}

fn malformed(text: &str, detail: &str) -> Failure {
    Failure::detailed("22P02", format!("malformed array literal: \"{text}\""), detail)
}

/// An array of elements of that type.
pub(super) fn input(text: &str, element: &Type) -> Result<Value> {
    let mut chars = text.trim_matches(is_space).chars().peekable();
    match chars.next() {
        Some('{') => {}
        Some('[') => return Err(Failure::not_modelled("arrays with bounds of their own")),
        _ => return Err(malformed(text, "Array value must start with \"{\" or dimension information.")),
    }
    let mut elements = Vec::new();
    loop {
        while chars.next_if(|c| is_space(*c)).is_some() {}
        match chars.peek() {
            Some('{') => return Err(Failure::not_modelled("arrays of more than one dimension")),
            Some('}') if elements.is_empty() => {
                chars.next();
                break;
            }
            Some(c @ (',' | '}')) => return Err(malformed(text, &format!("Unexpected \"{c}\" character."))),
            None => return Err(malformed(text, "Unexpected end of input.")),
            Some(_) => {}
        }
        let (item, quoted) = read_item(text, &mut chars)?;
        elements.push(match item {
            item if !quoted && item.eq_ignore_ascii_case("null") => Value::Null,
            item => Value::input(&item, element)?,
        });
        match chars.next() {
            Some(',') => {}
            Some('}') => break,
            _ => return Err(malformed(text, "Unexpected end of input.")),
        }
    }
    if chars.next().is_some() {
        return Err(malformed(text, "Junk after closing right brace."));
    }
    Ok(Value::Array(elements.into()))
}

/// One element up to its `,` or `}`, and whether any of it was quoted.
fn read_item(text: &str, chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<(String, bool)> {
    let end = || malformed(text, "Unexpected end of input.");
    let (mut item, mut kept, mut quoted) = (String::new(), 0, false);
    while let Some(&c) = chars.peek() {
        match c {
            ',' | '}' => break,
            '{' => return Err(malformed(text, "Unexpected \"{\" character.")),
            '"' if quoted || !item.is_empty() => return Err(malformed(text, "Unexpected array element.")),
            '"' => {
                chars.next();
                quoted = true;
                loop {
                    match chars.next().ok_or_else(end)? {
                        '"' => break,
                        '\\' => item.push(chars.next().ok_or_else(end)?),
                        other => item.push(other),
                    }
                }
                kept = item.len();
            }
            _ if quoted && !is_space(c) => return Err(malformed(text, "Unexpected array element.")),
            '\\' => {
                chars.next();
                item.push(chars.next().ok_or_else(end)?);
                kept = item.len();
            }
            _ => {
                chars.next();
                item.push(c);
                // White space before the delimiter is not part of the element.
                if !is_space(c) {
                    kept = item.len();
                }
            }
        }
    }
    item.truncate(kept);
    Ok((item, quoted))
}
