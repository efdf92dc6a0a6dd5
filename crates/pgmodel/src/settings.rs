//! SET, RESET and SHOW for the parameters that the model supports, and for those that do not affect its results. Any
//! other parameter is refused: silently accepting it would promise its effect.

use std::collections::BTreeMap;

use retrial_pgmodel_sql::ast::Isolation;
use retrial_pgmodel_sql::error::{Failure, Result};

use crate::backend::{Backend, SettingBefore, Settings};
use crate::limit;
use crate::outcome::Notice;
use crate::serializable::{GRANULARITY, Granularity, PRICES};

mod range;

pub(crate) use range::truth;

/// The maximum bytes of a name.
const NAME_MAX: usize = 63;

/// Parameters of the server that do not affect any result of the model.
const HARMLESS: &[&str] = &[
    "application_name",
    "client_min_messages",
    "client_encoding",
    "constraint_exclusion",
    "cursor_tuple_fraction",
    "datestyle",
    "default_statistics_target",
    "effective_cache_size",
    "enable_bitmapscan",
    "enable_hashagg",
    "enable_hashjoin",
    "enable_indexonlyscan",
    "enable_indexscan",
    "enable_material",
    "enable_mergejoin",
    "enable_nestloop",
    "enable_seqscan",
    "enable_sort",
    "force_parallel_mode",
    "idle_in_transaction_session_timeout",
    "intervalstyle",
    "jit",
    "log_lock_waits",
    "log_min_duration_statement",
    "maintenance_work_mem",
    "parallel_leader_participation",
    "plan_cache_mode",
    "search_path",
    "standard_conforming_strings",
    "synchronous_commit",
    "work_mem",
];

/// Sets a parameter, or resets it to its default if `value` is `None`.
///
/// # Errors
/// 22023 if the value is invalid; a refusal of a parameter that the model would have to support.
pub(crate) fn set(backend: &mut Backend, name: &str, value: Option<&str>, local: bool) -> Result<()> {
    let mut settings = backend.settings.clone();
    let is_name = name.eq_ignore_ascii_case("application_name");
    let called = value.filter(|_| is_name).map(|value| application_name(backend, value));
    let value = called.as_deref().or(value);
    change(&mut settings, &backend.startup, &name.to_ascii_lowercase(), value)?;
    limit::demand_settings(settings.others.len(), backend.settings_before.len())?;
    let before = SettingBefore { local, name: name.to_owned(), settings: backend.settings.clone() };
    if backend.transaction.is_some() {
        backend.settings_before.push(before);
    }
    backend.settings = settings;
    Ok(())
}

/// The form in which the server keeps an application name: at most 63 bytes, with all but printable ASCII replaced by
/// `?`.
fn application_name(backend: &mut Backend, value: &str) -> String {
    let short = &value[..value.floor_char_boundary(NAME_MAX)];
    if short.len() < value.len() {
        let text = format!("identifier \"{value}\" will be truncated to \"{short}\"");
        backend.notices.push(Notice { severity: "NOTICE", text });
    }
    let printed = |byte: u8| if matches!(byte, 32..=126) { char::from(byte) } else { '?' };
    short.bytes().map(printed).collect()
}

fn change(
    settings: &mut Settings,
    startup: &BTreeMap<String, String>,
    name: &str,
    value: Option<&str>,
) -> Result<()> {
    let defaults = Settings::default();
    let time = |default: u64| value.map_or(Ok(default), |value| range::time(name, value));
    match name {
        "lock_timeout" => settings.lock_timeout = time(defaults.lock_timeout)?,
        "statement_timeout" => settings.statement_timeout = time(defaults.statement_timeout)?,
        "deadlock_timeout" => settings.deadlock_timeout = time(defaults.deadlock_timeout)?,
        "default_transaction_isolation" => {
            settings.default_isolation = match value.map(str::to_ascii_lowercase).as_deref() {
                None | Some("read committed") => Isolation::ReadCommitted,
                Some("read uncommitted") => Isolation::ReadUncommitted,
                Some("repeatable read") => Isolation::RepeatableRead,
                Some("serializable") => Isolation::Serializable,
                Some(other) => return Err(invalid(name, other)),
            };
        }
        "default_transaction_read_only" => {
            settings.default_read_only = match value {
                None => false,
                Some(value) => range::truth(name, value)?,
            };
        }
        "default_transaction_deferrable" => {
            settings.default_deferrable = match value {
                None => false,
                Some(value) => range::truth(name, value)?,
            };
        }
        "timezone" | "time zone" => match value {
            None | Some("UTC" | "utc" | "Etc/UTC" | "GMT") => {}
            Some(_) => return Err(Failure::not_modelled("a time zone other than UTC")),
        },
        // A name with a dot is a custom parameter of the application (manual, 20.16).
        name if HARMLESS.contains(&name) || PRICES.contains(&name) || name.contains('.') => {
            if let Some(value) = value {
                range::demand(name, value)?;
            }
            match value {
                Some(value)
                    if name == GRANULARITY
                        && ![Granularity::Page, Granularity::Key].iter().any(|it| it.name() == value) =>
                {
                    return Err(invalid(name, value));
                }
                Some(value) if PRICES.contains(&name) && !is_plain(value) => {
                    return Err(Failure::not_modelled(format!("that value of the parameter {name}")));
                }
                _ => {}
            }
            match value.or_else(|| startup.get(name).map(String::as_str)) {
                Some(value) => settings.others.insert(name.to_owned(), value.to_owned()),
                None => settings.others.remove(name),
            };
        }
        other => return Err(Failure::not_modelled(format!("the parameter {other}"))),
    }
    Ok(())
}

/// The value of a parameter as shown by SHOW.
///
/// # Errors
/// 42704 if a custom parameter was never set; a refusal of one that the model does not keep.
pub(crate) fn show(backend: &Backend, name: &str) -> Result<String> {
    let settings = &backend.settings;
    let isolation = |isolation: Isolation| match isolation {
        Isolation::ReadUncommitted => "read uncommitted",
        Isolation::ReadCommitted => "read committed",
        Isolation::RepeatableRead => "repeatable read",
        Isolation::Serializable => "serializable",
    };
    match &*name.to_ascii_lowercase() {
        "lock_timeout" => Ok(shown(settings.lock_timeout)),
        "statement_timeout" => Ok(shown(settings.statement_timeout)),
        "deadlock_timeout" => Ok(shown(settings.deadlock_timeout)),
        "default_transaction_isolation" => Ok(isolation(settings.default_isolation).to_owned()),
        "transaction_isolation" => {
            let open = backend.transaction.as_ref().map(|transaction| transaction.isolation);
            Ok(isolation(open.unwrap_or(settings.default_isolation)).to_owned())
        }
        name => match settings.others.get(name) {
            // The server shows some of them with another unit.
            Some(_) if PRICES.contains(&name) => Err(Failure::not_modelled(format!("SHOW {name}"))),
            Some(value) => Ok(value.clone()),
            None if name.contains('.') => {
                Err(Failure::sql("42704", format!("unrecognized configuration parameter \"{name}\"")))
            }
            None => Err(Failure::not_modelled(format!("the parameter {name}"))),
        },
    }
}

/// Whether a value is a number without a unit.
fn is_plain(value: &str) -> bool {
    !value.is_empty() && value.chars().all(|c| c.is_ascii_digit() || c == '.')
}

fn invalid(name: &str, value: &str) -> Failure {
    Failure::sql("22023", format!("invalid value for parameter \"{name}\": \"{value}\""))
}

/// A time in the largest unit that divides it.
fn shown(nanoseconds: u64) -> String {
    let milliseconds = nanoseconds / 1_000_000;
    match milliseconds {
        0 => "0".to_owned(),
        time if time % 86_400_000 == 0 => format!("{}d", time / 86_400_000),
        time if time % 3_600_000 == 0 => format!("{}h", time / 3_600_000),
        time if time % 60_000 == 0 => format!("{}min", time / 60_000),
        time if time % 1000 == 0 => format!("{}s", time / 1000),
        time => format!("{time}ms"),
    }
}
