//! Functions that depend on the session, the clock or a sequence: advisory locks, `now()`, `nextval`, `pg_sleep`.
//!
//! Each call is executed once per row, even if its expression is evaluated again after a wait.

use retrial_pgmodel_sql::ast::TableLockMode;
use retrial_pgmodel_sql::error::{Failure, Result};
use retrial_pgmodel_sql::plan::System;
use retrial_pgmodel_sql::value::{Numeric, Type, Value};

use crate::execution::Execution;
use crate::footprint::{Object, Use, name_digest};
use crate::limit;
use crate::lock::LockTag;
use crate::notify;
use crate::outcome::Notice;
use crate::settings;

impl Execution {
    /// The value of a call that is constant during the statement, and may be evaluated any number of times.
    pub(crate) fn constant(&self, call: System) -> Option<Value> {
        match call {
            System::Now => Some(Value::Timestamptz(self.server.backend(self.session).xact().started)),
            System::StatementTimestamp => {
                Some(Value::Timestamptz(self.server.backend(self.session).statement_started))
            }
            _ => None,
        }
    }

    pub(crate) async fn system(&self, call: System, args: &[Value]) -> Result<Value> {
        // All calls are strict except `set_config` and `pg_notify`.
        if args.contains(&Value::Null) && !matches!(call, System::SetConfig | System::Notify) {
            return Ok(Value::Null);
        }
        match call {
            System::Now | System::StatementTimestamp => Ok(self.constant(call).unwrap_or(Value::Null)),
            System::ClockTimestamp => Ok(Value::Timestamptz(self.server.clock())),
            System::Sleep => {
                let Value::Numeric(seconds) = &args[0] else { return Ok(Value::Void) };
                let until = self.server.now.get().saturating_add(nanoseconds(seconds)?);
                self.server.sleep(self.session, until).await?;
                Ok(Value::Void)
            }
            System::NextVal => self.next_value(text(&args[0])).await,
            System::CurrVal => self.current_value(text(&args[0])).await,
            System::LastVal => self.last_value().await,
            System::SetVal => self.set_value(args).await,
            System::AdvisoryLock { shared, transaction, attempt } => {
                self.advisory_lock(args, shared, transaction, attempt).await
            }
            System::AdvisoryUnlock { shared } => Ok(Value::Bool(self.advisory_unlock(args, shared))),
            System::AdvisoryUnlockAll => {
                let advisory = |tag| matches!(tag, LockTag::Advisory(..));
                self.server.release(self.session, &[], |held| advisory(held.tag) && held.depth.is_none());
                Ok(Value::Void)
            }
            System::BackendPid => Ok(Value::Int(notify::process(self.session).into())),
            System::CurrentSetting => {
                match settings::show(&self.server.backend(self.session), text(&args[0])) {
                    Ok(shown) => Ok(Value::Text(shown.into())),
                    Err(Failure::Sql(_)) if args.get(1) == Some(&Value::Bool(true)) => Ok(Value::Null),
                    Err(failure) => Err(failure),
                }
            }
            System::SetConfig => {
                let [Value::Text(name), value, Value::Bool(local)] = args else {
                    return Err(Failure::not_modelled("set_config without a name"));
                };
                let value = if let Value::Text(value) = value { Some(value.to_string()) } else { None };
                settings::set(&mut self.server.backend(self.session), name, value.as_deref(), *local)?;
                Ok(Value::Text(value.unwrap_or_default().into()))
            }
            System::Notify => {
                // `pg_notify` treats NULL as an empty text.
                self.server.notify(self.session, text(&args[0]), text(&args[1]))?;
                Ok(Value::Void)
            }
            System::RandomUuid => {
                // A version 4 UUID (RFC 9562) whose random bits come from a counter.
                self.touch(Object::Sequence(name_digest("gen_random_uuid")), Use::Write);
                self.server.uuids.set(self.server.uuids.get() + 1);
                let count = u128::from(self.server.uuids.get());
                Ok(Value::Uuid((count << 80) | (0x4 << 76) | (0x8 << 60) | count))
            }
            System::TransactionId => Ok(Value::Int(i64::from(self.server.xid(self.session).0))),
        }
    }

    async fn advisory_lock(
        &self,
        args: &[Value],
        shared: bool,
        transaction: bool,
        attempt: bool,
    ) -> Result<Value> {
        let tag = advisory(args);
        if let LockTag::Advisory(key, _) = tag {
            self.touch(Object::Advisory(key), Use::Lock);
        }
        limit::demand_locks(self.server.backend(self.session).held.len())?;
        let depth = transaction.then(|| self.server.backend(self.session).depth());
        let granted = self.server.lock(self.session, tag, mode(shared), depth, attempt).await?;
        Ok(if attempt { Value::Bool(granted) } else { Value::Void })
    }

    fn advisory_unlock(&self, args: &[Value], shared: bool) -> bool {
        let (tag, mode) = (advisory(args), mode(shared));
        if let LockTag::Advisory(key, _) = tag {
            self.touch(Object::Advisory(key), Use::Lock);
        }
        let place = {
            let backend = self.server.backend(self.session);
            backend.held.iter().rposition(|it| it.tag == tag && it.mode == mode && it.depth.is_none())
        };
        let Some(place) = place else {
            let word = if shared { "ShareLock" } else { "ExclusiveLock" };
            let text = format!("you don't own a lock of type {word}");
            self.server.backend(self.session).notices.push(Notice { severity: "WARNING", text });
            return false;
        };
        self.server.backend(self.session).held.remove(place);
        let mut woken = Vec::new();
        self.server.locks.borrow_mut().release(self.session, tag, mode, &mut woken);
        self.server.wake(&woken);
        true
    }
}

/// An advisory key of 64 bits, or two of 32; the two key spaces are distinct (manual, 9.27.10).
fn advisory(args: &[Value]) -> LockTag {
    match args {
        [Value::Int(high), Value::Int(low)] => LockTag::Advisory((high << 32) | (low & 0xffff_ffff), true),
        [Value::Int(key)] => LockTag::Advisory(*key, false),
        _ => LockTag::Advisory(0, false),
    }
}

fn mode(shared: bool) -> TableLockMode {
    if shared { TableLockMode::Share } else { TableLockMode::Exclusive }
}

fn text(value: &Value) -> &str {
    if let Value::Text(text) = value { text } else { "" }
}

/// Converts seconds to nanoseconds, using the decimal text as the model does not use floating point.
fn nanoseconds(seconds: &std::rc::Rc<Numeric>) -> Result<u64> {
    let text = Value::Numeric(seconds.clone()).output(&Type::Numeric(None));
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let fraction: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    if whole.starts_with('-') {
        return Ok(0);
    }
    let read = |digits: &str| digits.parse::<u64>().ok();
    let time = read(whole).and_then(|whole| whole.checked_mul(1_000_000_000)?.checked_add(read(&fraction)?));
    time.ok_or_else(|| Failure::not_modelled("a sleep that never ends"))
}
