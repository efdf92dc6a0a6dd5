//! RAISE (manual, 43.9.1): messages to the client, and errors.

use retrial_pgmodel_sql::error::{Failure, PgError, Result};
use retrial_pgmodel_sql::value::{Type, Value};
use retrial_plpgsql_syntax::Level;

use super::assign::row_text;
use super::condition;
use super::execute::{Activation, Given};
use super::program::Raise;
use crate::outcome::Notice;

impl Activation<'_> {
    pub(super) async fn raise(&self, raise: &Raise) -> Result<()> {
        if raise.again {
            let caught = self.frame.caught.borrow().clone();
            let outside = || {
                Failure::sql("0Z002", "RAISE without parameters cannot be used outside an exception handler")
            };
            return Err(caught.map(|error| Failure::Sql(Box::new(error))).ok_or_else(outside)?);
        }
        let (mut code, mut message, mut detail) = (None, None, None);
        if let Some((state, name)) = &raise.condition {
            (code, message) = (Some(condition::kept(state)), Some(name.clone()));
        }
        if let Some(pieces) = &raise.pieces {
            message = Some(self.message(pieces, raise).await?);
        }
        for (option, value) in &raise.options {
            let text = match self.value_of(value, &Type::Text).await? {
                Value::Text(text) => text,
                _ => return Err(Failure::sql("22004", "RAISE statement option cannot be null")),
            };
            match option.as_str() {
                "MESSAGE" => message = Some(text.to_string()),
                "DETAIL" => detail = Some(text.to_string()),
                "ERRCODE" => code = Some(coded(&text)?),
                _ => {}
            }
        }
        let severity = match raise.level {
            Level::Exception => {
                let code = code.unwrap_or("P0001");
                let message = message.unwrap_or_else(|| code.to_owned());
                return Err(Failure::Sql(Box::new(PgError { code, message, detail })));
            }
            // A client receives these only if configured to.
            Level::Debug | Level::Log => return Ok(()),
            Level::Info => "INFO",
            Level::Notice => "NOTICE",
            Level::Warning => "WARNING",
        };
        let text = message.unwrap_or_else(|| code.unwrap_or("00000").to_owned());
        let mut backend = self.server.backend(self.session);
        let least = backend.settings.others.get("client_min_messages").cloned();
        match least.as_deref() {
            None | Some("notice" | "NOTICE") => {}
            Some("warning" | "WARNING") if severity == "NOTICE" => return Ok(()),
            Some(other) => {
                return Err(Failure::not_modelled(format!("RAISE with client_min_messages {other}")));
            }
        }
        backend.notices.push(Notice { severity, text });
        Ok(())
    }

    /// The message with its values inserted.
    async fn message(&self, pieces: &[String], raise: &Raise) -> Result<String> {
        let mut message = String::new();
        for (index, piece) in pieces.iter().enumerate() {
            message.push_str(piece);
            let Some(value) = raise.values.get(index) else { continue };
            match self.given(value).await? {
                Given::Value(Value::Null, _) | Given::Record(None) => message.push_str("<NULL>"),
                Given::Value(value, ty) => message.push_str(&value.output(&ty)),
                Given::Record(Some(row)) if row.is_null => message.push_str("<NULL>"),
                Given::Record(Some(row)) => message.push_str(&row_text(&row)),
            }
        }
        Ok(message)
    }
}

/// ERRCODE: a condition name or a five-character SQLSTATE.
fn coded(text: &str) -> Result<&'static str> {
    let is_state = text.len() == 5 && text.bytes().all(|it| it.is_ascii_digit() || it.is_ascii_uppercase());
    if is_state { Ok(condition::kept(text)) } else { condition::state(text) }
}
