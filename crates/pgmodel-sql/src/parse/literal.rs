//! Literals: numbers, strings, parameters. An escape that is not read exactly as on the server is refused.

use squawk_syntax::decoded_text::DecodedText;
use squawk_syntax::{SyntaxKind, SyntaxNode, SyntaxToken, quote, unescape};

use super::cursor::Cursor;
use super::refuse;
use crate::ast::Expr;
use crate::error::{Failure, Result};

/// A literal, including DEFAULT.
pub(super) fn literal(node: &SyntaxNode) -> Result<Expr> {
    let mut cursor = Cursor::new(node);
    let token = cursor.next().and_then(|child| child.into_token()).ok_or_else(|| refuse(node.kind()))?;
    let expr = match token.kind() {
        SyntaxKind::NULL_KW => Expr::Null,
        SyntaxKind::TRUE_KW => Expr::Bool(true),
        SyntaxKind::FALSE_KW => Expr::Bool(false),
        SyntaxKind::DEFAULT_KW => Expr::Default,
        SyntaxKind::INT_NUMBER => Expr::Integer(number(token.text())?),
        SyntaxKind::NUMERIC_NUMBER => Expr::Decimal(number(token.text())?),
        SyntaxKind::POSITIONAL_PARAM => Expr::Param(param(token.text())?),
        SyntaxKind::STRING => {
            let mut content = string(&token)?;
            while cursor.kind() == Some(SyntaxKind::STRING) {
                if let Some(more) = cursor.next().and_then(|child| child.into_token()) {
                    content.push_str(&string(&more)?);
                }
            }
            Expr::String(content)
        }
        SyntaxKind::ESC_STRING | SyntaxKind::DOLLAR_QUOTED_STRING => Expr::String(string(&token)?),
        SyntaxKind::UNICODE_ESC_STRING => return Err(Failure::not_modelled("U& strings")),
        SyntaxKind::BIT_STRING | SyntaxKind::BYTE_STRING => {
            return Err(Failure::not_modelled("bit strings"));
        }
        SyntaxKind::NATIONAL_STRING => return Err(Failure::not_modelled("type character")),
        kind => return Err(refuse(kind)),
    };
    cursor.finish()?;
    Ok(expr)
}

/// The number of a parameter.
pub(super) fn param(text: &str) -> Result<u32> {
    let digits = text.trim_start_matches('$');
    match digits.parse() {
        Ok(number @ 1..) => Ok(number),
        _ => Err(Failure::sql("42P02", format!("there is no parameter ${digits}"))),
    }
}

/// A number as version 15 reads it: decimal and without underscores.
fn number(text: &str) -> Result<String> {
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-');
    let digits = text.chars().take_while(|c| is_number(*c)).count();
    match text.chars().nth(digits) {
        None => Ok(text.to_owned()),
        Some(_) => {
            let junk: String = text.chars().take(digits + 1).collect();
            Err(Failure::sql("42601", format!("trailing junk after numeric literal at or near \"{junk}\"")))
        }
    }
}

/// The content of a string token.
fn string(token: &SyntaxToken) -> Result<String> {
    let text = token.text();
    let start = token.text_range().start();
    let mut out = DecodedText::new(start);
    let inner = match token.kind() {
        SyntaxKind::STRING => quote::strip_quotes(text).inspect(|inner| {
            unescape::decode_plain_string(inner, start, &mut out);
        }),
        SyntaxKind::ESC_STRING => {
            let inner = quote::strip_prefixed_quotes(text, ['e', 'E']);
            if inner.is_some_and(|inner| !plain_escapes(inner)) {
                return Err(Failure::not_modelled("numeric escapes in E strings"));
            }
            inner.inspect(|inner| unescape::decode_esc_string(inner, start, &mut out))
        }
        _ => return quote::strip_dollar_quotes(text).map(str::to_owned).ok_or_else(|| refuse(token.kind())),
    };
    if inner.is_none() {
        return Err(refuse(token.kind()));
    }
    Ok(out.into_text())
}

/// Whether every escape is a single letter that stands for one character. Numeric escapes may produce invalid text,
/// which the server reports and the grammar library does not.
fn plain_escapes(inner: &str) -> bool {
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        if c == '\\'
            && chars.next().is_none_or(|next| next.is_ascii_digit() || matches!(next, 'x' | 'u' | 'U'))
        {
            return false;
        }
    }
    true
}
