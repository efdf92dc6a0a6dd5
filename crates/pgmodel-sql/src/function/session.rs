//! Functions that depend on the session, the clock or a sequence: their names and types only, not their implementation.

use crate::plan::System;
use crate::value::Type;

/// The function of that name with `args` arguments.
pub(super) fn system(name: &str, args: usize) -> Option<(System, Vec<Type>, Type)> {
    if let Some(found) = advisory(name, args) {
        return Some(found);
    }
    Some(match (name, args) {
        ("now" | "transaction_timestamp" | "current_timestamp", 0) => {
            (System::Now, vec![], Type::Timestamptz)
        }
        ("statement_timestamp", 0) => (System::StatementTimestamp, vec![], Type::Timestamptz),
        ("clock_timestamp", 0) => (System::ClockTimestamp, vec![], Type::Timestamptz),
        ("pg_sleep", 1) => (System::Sleep, vec![Type::Numeric(None)], Type::Void),
        ("nextval", 1) => (System::NextVal, vec![Type::Text], Type::Int8),
        ("currval", 1) => (System::CurrVal, vec![Type::Text], Type::Int8),
        ("lastval", 0) => (System::LastVal, vec![], Type::Int8),
        ("setval", 2) => (System::SetVal, vec![Type::Text, Type::Int8], Type::Int8),
        ("setval", 3) => (System::SetVal, vec![Type::Text, Type::Int8, Type::Bool], Type::Int8),
        ("pg_backend_pid", 0) => (System::BackendPid, vec![], Type::Int4),
        ("current_setting", 1) => (System::CurrentSetting, vec![Type::Text], Type::Text),
        ("current_setting", 2) => (System::CurrentSetting, vec![Type::Text, Type::Bool], Type::Text),
        ("set_config", 3) => (System::SetConfig, vec![Type::Text, Type::Text, Type::Bool], Type::Text),
        ("pg_notify", 2) => (System::Notify, vec![Type::Text, Type::Text], Type::Void),
        ("gen_random_uuid", 0) => (System::RandomUuid, vec![], Type::Uuid),
        ("txid_current", 0) => (System::TransactionId, vec![], Type::Int8),
        _ => return None,
    })
}

/// The advisory-lock functions, which take one 8-byte key or two 4-byte keys.
fn advisory(name: &str, args: usize) -> Option<(System, Vec<Type>, Type)> {
    if (name, args) == ("pg_advisory_unlock_all", 0) {
        return Some((System::AdvisoryUnlockAll, vec![], Type::Void));
    }
    let types = match args {
        1 => vec![Type::Int8],
        2 => vec![Type::Int4, Type::Int4],
        _ => return None,
    };
    let (plain, shared) = match name.strip_suffix("_shared") {
        Some(plain) => (plain, true),
        None => (name, false),
    };
    let (transaction, attempt) = match plain {
        "pg_advisory_unlock" => return Some((System::AdvisoryUnlock { shared }, types, Type::Bool)),
        "pg_advisory_lock" => (false, false),
        "pg_advisory_xact_lock" => (true, false),
        "pg_try_advisory_lock" => (false, true),
        "pg_try_advisory_xact_lock" => (true, true),
        _ => return None,
    };
    let result = if attempt { Type::Bool } else { Type::Void };
    Some((System::AdvisoryLock { shared, transaction, attempt }, types, result))
}
