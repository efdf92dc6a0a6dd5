//! SQL statements inside a body: which rows they have, and where those go. A query whose rows go nowhere, which the
//! server would refuse only when it gets there, is refused when the file is read.

use crate::label::{label, main_verb};
use crate::op::{Op, Rows, Send};
use crate::sql::{Sql, keep, sql};
use crate::variable::Scope;
use retrial_plpgsql_syntax::Error;
use retrial_plpgsql_syntax::{IntoTargets, find_outside};
use retrial_plpgsql_syntax::{Kind, Token};

/// First words of statements that the stepper does not support: the server's PL/pgSQL has them, or does not allow them.
const REFUSED: [(&[&str], &str); 19] = [
    (&["savepoint"], "SAVEPOINT in a body"),
    (&["release"], "RELEASE in a body"),
    (&["start"], "START TRANSACTION in a body"),
    (&["abort"], "ABORT in a body"),
    (&["explain"], "EXPLAIN in a body"),
    (&["merge"], "MERGE in a body"),
    (&["values"], "VALUES in a body"),
    (&["table"], "TABLE in a body"),
    (&["copy"], "COPY in a body"),
    (&["show"], "SHOW in a body"),
    (&["prepare"], "PREPARE in a body"),
    (&["vacuum"], "VACUUM in a body"),
    (&["create", "procedure"], "CREATE PROCEDURE in a body"),
    (&["create", "function"], "CREATE FUNCTION in a body"),
    (&["create", "or"], "CREATE OR REPLACE in a body"),
    (&["drop", "procedure"], "DROP PROCEDURE in a body"),
    (&["listen"], "LISTEN in a body"),
    (&["unlisten"], "UNLISTEN in a body"),
    (&["import"], "IMPORT in a body"),
];

/// Timeouts that the server counts over a whole DO or CALL, and the stepper over each statement.
const CLOCKS: [&str; 2] = ["statement_timeout", "idle_in_transaction_session_timeout"];

/// Where a statement sets a timeout that would count differently than on the server; setting it to 0 turns it off.
pub(crate) fn sets_clock(tokens: &[Token<'_>]) -> Option<usize> {
    if !tokens.first().is_some_and(|token| token.is_word("set")) {
        return None;
    }
    let clock = tokens.iter().find(|token| CLOCKS.iter().any(|clock| token.is_word(clock)))?;
    let stops = tokens.last().is_some_and(|token| matches!(token.text, "0" | "'0'" | "'0s'" | "'0ms'"));
    (!stops).then_some(clock.at)
}

/// `SELECT .. INTO v, w ..`, `.. RETURNING .. INTO v` or any other SQL statement, without its INTO.
pub(crate) fn statement(
    text: &str,
    at: usize,
    tokens: &[Token<'_>],
    into: Option<&IntoTargets>,
    scope: &Scope,
) -> Result<Op, Error> {
    let refused = |what: &str| Error::refused(text, at, what);
    let fits = |(words, _): &&(&[&str], &str)| {
        words.len() <= tokens.len() && words.iter().zip(tokens).all(|(word, token)| token.is_word(word))
    };
    if let Some((_, what)) = REFUSED.iter().find(fits) {
        return Err(refused(what));
    }
    if let Some(at) = sets_clock(tokens) {
        return Err(Error::refused(text, at, "a timeout that the server counts over the whole body"));
    }
    let verb = tokens.get(main_verb(tokens)).map_or("", |token| token.text).to_ascii_lowercase();
    let into = into.map_or(Ok(Vec::new()), |into| targets(text, into, scope))?;
    let returns = find_outside(tokens, "returning").is_some();
    let result = match (verb.as_str(), into.is_empty()) {
        ("select", false) => Rows::First { locks: locks_rows(tokens) },
        ("select", true) => return Err(refused("a SELECT without INTO (PERFORM throws rows away)")),
        ("insert" | "update" | "delete", false) if returns => Rows::Returned,
        ("insert" | "update" | "delete", true) if !returns => Rows::Changed,
        ("insert" | "update" | "delete", true) => return Err(refused("RETURNING without INTO")),
        (_, false) => return Err(refused("INTO behind anything but SELECT and RETURNING")),
        (_, true) => Rows::Utility,
    };
    let label = label(tokens);
    let sql = if result == Rows::Utility {
        // Utility statements take no parameters, so a name in them is never a variable.
        let text = tokens.first().map_or("", |first| &text[first.at..tokens[tokens.len() - 1].end()]);
        Sql { label, text: keep(text.to_owned()), params: Vec::new() }
    } else {
        sql(label, "", text, tokens, scope)?
    };
    Ok(Op::Send(Send { sql, into, result }))
}

/// `PERFORM ..`: a SELECT whose rows are discarded.
pub(crate) fn perform(text: &str, tokens: &[Token<'_>], scope: &Scope) -> Result<Op, Error> {
    if let Some(place) = find_outside(tokens, "into") {
        return Err(Error::refused(text, tokens[place].at, "INTO behind PERFORM"));
    }
    let sql = sql("perform", "SELECT ", text, tokens, scope)?;
    Ok(Op::Send(Send { sql, into: Vec::new(), result: Rows::Performed }))
}

/// The variables that INTO names.
fn targets(text: &str, into: &IntoTargets, scope: &Scope) -> Result<Vec<usize>, Error> {
    if into.strict {
        return Err(Error::refused(text, into.at, "INTO STRICT"));
    }
    let slot = |target: &Vec<String>| {
        let slot = if let [name] = target.as_slice() { scope.find(name) } else { None };
        slot.ok_or_else(|| {
            let what = format!("INTO {}, which is no variable", target.join("."));
            Error::refused(text, into.at, &what)
        })
    };
    into.targets.iter().map(slot).collect()
}

/// Whether a query has a clause that locks the rows it reads.
fn locks_rows(tokens: &[Token<'_>]) -> bool {
    let strengths = ["update", "share", "no", "key"];
    tokens.windows(2).any(|pair| {
        pair[0].is_word("for")
            && pair[1].kind == Kind::Word
            && strengths.iter().any(|word| pair[1].is_word(word))
    })
}
