//! The text of a statement inside a body: the file's own text on one line, with a parameter for each variable. There is
//! no parameter where the server expects a name: in a list of columns, after a dot, an AS or a SET.

use crate::variable::Scope;
use retrial_plpgsql_syntax::Error;
use retrial_plpgsql_syntax::{Kind, Token};

/// A text to send, and the variables that it needs.
#[derive(Debug)]
pub(crate) struct Sql {
    pub(crate) label: &'static str,
    pub(crate) text: &'static str,
    /// The variable slots of `$1`, `$2` and so on.
    pub(crate) params: Vec<usize>,
}

/// Leaks a text: engines look up parsed statements by the address of their text, traces borrow it, and a program has
/// few scripts.
pub(crate) fn keep(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

/// The text to send for these tokens, after `lead`. Parameters have the types of their variables, as on the server, not
/// types inferred from the context.
pub(crate) fn sql(
    label: &'static str,
    lead: &str,
    text: &str,
    tokens: &[Token<'_>],
    scope: &Scope,
) -> Result<Sql, Error> {
    let mut sent = lead.to_owned();
    let mut params: Vec<usize> = Vec::new();
    let mut names = Names::default();
    let mut before: Option<&Token<'_>> = None;
    for (index, token) in tokens.iter().enumerate() {
        if token.kind == Kind::Parameter {
            return Err(Error::refused(text, token.at, &format!("the parameter {}", token.text)));
        }
        if let Some(before) = before
            && before.end() < token.at
        {
            // String constants on two lines are one constant; on one line they are an error.
            let both = before.kind == Kind::Text && token.kind == Kind::Text;
            sent.push(if both { '\n' } else { ' ' });
        }
        let is_name = names.is_name(before, token, tokens.get(index + 1));
        match token.name().filter(|_| !is_name).and_then(|name| scope.find(&name)) {
            Some(slot) => {
                let place = params.iter().position(|known| *known == slot).unwrap_or_else(|| {
                    params.push(slot);
                    params.len() - 1
                });
                sent.push_str(&format!("${}::{}", place + 1, scope.ty(slot).name()));
            }
            None => sent.push_str(token.text),
        }
        before = Some(token);
    }
    Ok(Sql { label, text: keep(sent), params })
}

/// Tracks where a statement has names that no variable can replace.
#[derive(Default)]
struct Names {
    depth: usize,
    /// The bracket depth of the SET whose assignments are being read.
    set: Option<usize>,
    /// The bracket depth of the list of columns being read.
    columns: Option<usize>,
    /// Whether the next bracket opens a list of columns.
    awaits_columns: bool,
}

impl Names {
    /// Whether the server takes the token for a name and nothing else.
    fn is_name(&mut self, before: Option<&Token<'_>>, token: &Token<'_>, after: Option<&Token<'_>>) -> bool {
        let after_symbol = |symbol: &str| after.is_some_and(|after| after.is_symbol(symbol));
        let before_is = |word: &str| before.is_some_and(|before| before.is_word(word));
        let comma = before.is_some_and(|before| before.is_symbol(","));
        match token.text {
            "(" if token.kind == Kind::Symbol => {
                self.depth += 1;
                if std::mem::take(&mut self.awaits_columns) {
                    self.columns = Some(self.depth);
                }
            }
            "=" if token.kind == Kind::Symbol => self.awaits_columns = false,
            ")" if token.kind == Kind::Symbol => {
                self.columns = self.columns.filter(|depth| *depth < self.depth);
                self.set = self.set.filter(|depth| *depth < self.depth);
                self.depth = self.depth.saturating_sub(1);
            }
            _ => {}
        }
        if ["into", "conflict", "set"].iter().any(|word| token.is_word(word)) {
            self.awaits_columns = true;
        }
        if ["values", "select", "default", "with", "on", "do"].iter().any(|word| token.is_word(word)) {
            self.awaits_columns = false;
            self.columns = self.columns.filter(|depth| *depth != self.depth);
        }
        if token.is_word("set") {
            self.set = Some(self.depth);
        }
        let ends_set = ["where", "from", "returning"].iter().any(|word| token.is_word(word));
        if ends_set && self.set == Some(self.depth) {
            self.set = None;
        }
        let assigned = self.set == Some(self.depth) && after_symbol("=") && (comma || before_is("set"));
        let alias = before_is("as") || before_is("into") || before_is("update");
        before.is_some_and(|before| before.is_symbol("."))
            || after_symbol(".")
            || after_symbol("(")
            || self.columns == Some(self.depth)
            || assigned
            || alias
    }
}
