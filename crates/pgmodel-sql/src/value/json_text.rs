//! Parses `jsonb` from text, with the server's errors and details. Recursion is limited to [`DEPTH`].

use std::rc::Rc;

use super::{Json, Numeric};
use crate::error::{Failure, Result};

/// The maximum nesting depth of arrays and objects; the server's limit depends on its stack.
pub(crate) const DEPTH: usize = 256;

impl Json {
    /// Parses a text.
    ///
    /// # Errors
    /// 22P02 with the server's DETAIL; 22P05 for an escape that cannot be stored as text.
    pub(crate) fn input(text: &str) -> Result<Json> {
        let mut parser = Parser { text, token: Token::End, start: 0, at: 0 };
        parser.advance()?;
        let json = parser.value(0)?;
        match parser.token {
            Token::End => Ok(json),
            _ => Err(parser.expected("end of input")),
        }
    }
}

/// The refusal of a value nested deeper than [`DEPTH`].
pub(crate) fn too_deep() -> Failure {
    Failure::not_modelled(format!("jsonb nested deeper than {DEPTH} levels"))
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Open(char),
    Close(char),
    Comma,
    Colon,
    String(String),
    Number,
    True,
    False,
    Null,
    End,
}

struct Parser<'a> {
    text: &'a str,
    token: Token,
    /// The start of the token.
    start: usize,
    /// The end of the token.
    at: usize,
}

fn syntax(detail: String) -> Failure {
    Failure::detailed("22P02", "invalid input syntax for type json", detail)
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn invalid_token(&self) -> Failure {
        syntax(format!("Token \"{}\" is invalid.", &self.text[self.start..self.at]))
    }

    fn expected(&self, what: &str) -> Failure {
        match self.token {
            Token::End => syntax("The input string ended unexpectedly.".to_owned()),
            _ => syntax(format!("Expected {what}, but found \"{}\".", &self.text[self.start..self.at])),
        }
    }

    fn advance(&mut self) -> Result<()> {
        let space = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r');
        self.at = self.text.len() - self.rest().trim_start_matches(space).len();
        self.start = self.at;
        let Some(first) = self.rest().chars().next() else {
            self.token = Token::End;
            return Ok(());
        };
        self.at += first.len_utf8();
        self.token = match first {
            '{' | '[' => Token::Open(first),
            '}' | ']' => Token::Close(first),
            ',' => Token::Comma,
            ':' => Token::Colon,
            '"' => Token::String(self.string()?),
            '-' | '0'..='9' => self.number()?,
            _ => self.word()?,
        };
        Ok(())
    }

    /// Whether the character may continue a word: letters, digits, `_` and anything beyond ASCII.
    fn in_word(c: char) -> bool {
        c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii()
    }

    fn word(&mut self) -> Result<Token> {
        let first = self.text[self.start..].chars().next();
        if first.is_some_and(Parser::in_word) {
            let tail = self.rest().len() - self.rest().trim_start_matches(Parser::in_word).len();
            self.at += tail;
        }
        match &self.text[self.start..self.at] {
            "true" => Ok(Token::True),
            "false" => Ok(Token::False),
            "null" => Ok(Token::Null),
            _ => Err(self.invalid_token()),
        }
    }

    fn digits(&mut self) -> usize {
        let count = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        self.at += count;
        count
    }

    fn number(&mut self) -> Result<Token> {
        self.at = self.start + usize::from(self.text[self.start..].starts_with('-'));
        let mut valid = if self.rest().starts_with('0') {
            self.at += 1;
            true
        } else {
            self.digits() > 0
        };
        if self.rest().starts_with('.') {
            self.at += 1;
            valid &= self.digits() > 0;
        }
        if self.rest().starts_with(['e', 'E']) {
            self.at += 1;
            self.at += usize::from(self.rest().starts_with(['+', '-']));
            valid &= self.digits() > 0;
        }
        let tail = self.rest().len() - self.rest().trim_start_matches(Parser::in_word).len();
        self.at += tail;
        if valid && tail == 0 { Ok(Token::Number) } else { Err(self.invalid_token()) }
    }

    fn string(&mut self) -> Result<String> {
        let mut out = String::new();
        loop {
            let Some(c) = self.rest().chars().next() else { return Err(self.invalid_token()) };
            self.at += c.len_utf8();
            match c {
                '"' => return Ok(out),
                '\\' => out.push(self.escape()?),
                c if c < ' ' => {
                    return Err(syntax(format!(
                        "Character with value 0x{:02x} must be escaped.",
                        u32::from(c)
                    )));
                }
                c => out.push(c),
            }
        }
    }

    fn escape(&mut self) -> Result<char> {
        let Some(c) = self.rest().chars().next() else { return Err(self.invalid_token()) };
        self.at += c.len_utf8();
        Ok(match c {
            '"' | '\\' | '/' => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => return self.unicode(),
            other => return Err(syntax(format!("Escape sequence \"\\{other}\" is invalid."))),
        })
    }

    fn hex(&mut self) -> Result<u32> {
        let digits =
            self.text.get(self.at..self.at + 4).filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
        let invalid = || syntax("\"\\u\" must be followed by four hexadecimal digits.".to_owned());
        let code = u32::from_str_radix(digits.ok_or_else(invalid)?, 16).map_err(|_| invalid())?;
        self.at += 4;
        Ok(code)
    }

    fn unicode(&mut self) -> Result<char> {
        let lonely = || syntax("Unicode low surrogate must follow a high surrogate.".to_owned());
        let code = self.hex()?;
        let code = match code {
            0 => {
                let message = "unsupported Unicode escape sequence";
                return Err(Failure::detailed("22P05", message, "\\u0000 cannot be converted to text."));
            }
            0xD800..=0xDBFF => {
                if !self.rest().starts_with("\\u") {
                    return Err(lonely());
                }
                self.at += 2;
                match self.hex()? {
                    low @ 0xDC00..=0xDFFF => 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00),
                    0xD800..=0xDBFF => {
                        let detail = "Unicode high surrogate must not follow a high surrogate.";
                        return Err(syntax(detail.to_owned()));
                    }
                    _ => return Err(lonely()),
                }
            }
            0xDC00..=0xDFFF => return Err(lonely()),
            plain => plain,
        };
        char::from_u32(code).ok_or_else(lonely)
    }

    fn value(&mut self, depth: usize) -> Result<Json> {
        if depth > DEPTH {
            return Err(too_deep());
        }
        let json = match &mut self.token {
            Token::Open('[') => return self.array(depth),
            Token::Open(_) => return self.object(depth),
            Token::String(text) => Json::String(std::mem::take(text).into()),
            Token::Number => Json::Number(Numeric::input(&self.text[self.start..self.at])?),
            Token::True => Json::Bool(true),
            Token::False => Json::Bool(false),
            Token::Null => Json::Null,
            Token::Close(_) | Token::Comma | Token::Colon | Token::End => {
                return Err(self.expected("JSON value"));
            }
        };
        self.advance()?;
        Ok(json)
    }

    fn array(&mut self, depth: usize) -> Result<Json> {
        let mut elements = Vec::new();
        self.advance()?;
        while self.token != Token::Close(']') {
            if !elements.is_empty() {
                if self.token != Token::Comma {
                    return Err(self.expected("\",\" or \"]\""));
                }
                self.advance()?;
            }
            elements.push(self.value(depth + 1)?);
        }
        self.advance()?;
        Ok(Json::Array(elements))
    }

    fn object(&mut self, depth: usize) -> Result<Json> {
        let mut pairs: Vec<(Rc<str>, Json)> = Vec::new();
        self.advance()?;
        while self.token != Token::Close('}') {
            let mut what = "string or \"}\"";
            if !pairs.is_empty() {
                if self.token != Token::Comma {
                    return Err(self.expected("\",\" or \"}\""));
                }
                self.advance()?;
                what = "string";
            }
            let Token::String(key) = self.token.clone() else { return Err(self.expected(what)) };
            self.advance()?;
            if self.token != Token::Colon {
                return Err(self.expected("\":\""));
            }
            self.advance()?;
            pairs.push((key.into(), self.value(depth + 1)?));
        }
        self.advance()?;
        Ok(Json::object(pairs))
    }
}
