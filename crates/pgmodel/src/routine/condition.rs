//! Condition names and their SQLSTATEs (manual, appendix A).

use retrial_pgmodel_sql::error::{Failure, Result};

/// The SQLSTATE of a condition. That of a condition class ends in three zeros.
pub(super) fn state(name: &str) -> Result<&'static str> {
    let found = CONDITIONS.iter().find(|(known, _)| *known == name).map(|(_, state)| *state);
    found.ok_or_else(|| Failure::not_modelled(format!("the condition {name}")))
}

/// Whether `wanted`, the SQLSTATE of a handler, catches an error with SQLSTATE `state`.
pub(super) fn catches(wanted: &str, state: &str) -> bool {
    wanted == state || (wanted.ends_with("000") && wanted.get(..2) == state.get(..2))
}

/// Whether WHEN OTHERS does not catch the SQLSTATE.
pub(super) fn is_beyond_others(state: &str) -> bool {
    matches!(state, "57014" | "P0004")
}

/// The SQLSTATE as a static string. The few unknown ones are leaked.
pub(super) fn kept(state: &str) -> &'static str {
    thread_local! {
        static OWN: std::cell::RefCell<Vec<&'static str>> = const { std::cell::RefCell::new(Vec::new()) };
    }
    if let Some((_, known)) = CONDITIONS.iter().find(|(_, known)| *known == state) {
        return known;
    }
    OWN.with_borrow_mut(|own| match own.iter().find(|known| **known == state) {
        Some(known) => *known,
        None => {
            let kept: &'static str = Box::leak(state.to_owned().into_boxed_str());
            own.push(kept);
            kept
        }
    })
}

#[rustfmt::skip]
const CONDITIONS: &[(&str, &str)] = &[
    ("data_exception", "22000"),
    ("string_data_right_truncation", "22001"),
    ("numeric_value_out_of_range", "22003"),
    ("null_value_not_allowed", "22004"),
    ("invalid_datetime_format", "22007"),
    ("datetime_field_overflow", "22008"),
    ("division_by_zero", "22012"),
    ("invalid_parameter_value", "22023"),
    ("invalid_text_representation", "22P02"),
    ("integrity_constraint_violation", "23000"),
    ("restrict_violation", "23001"),
    ("not_null_violation", "23502"),
    ("foreign_key_violation", "23503"),
    ("unique_violation", "23505"),
    ("check_violation", "23514"),
    ("exclusion_violation", "23P01"),
    ("invalid_transaction_state", "25000"),
    ("read_only_sql_transaction", "25006"),
    ("triggered_data_change_violation", "27000"),
    ("transaction_rollback", "40000"),
    ("serialization_failure", "40001"),
    ("deadlock_detected", "40P01"),
    ("cardinality_violation", "21000"),
    ("case_not_found", "20000"),
    ("feature_not_supported", "0A000"),
    ("syntax_error_or_access_rule_violation", "42000"),
    ("syntax_error", "42601"),
    ("undefined_column", "42703"),
    ("undefined_function", "42883"),
    ("undefined_table", "42P01"),
    ("undefined_object", "42704"),
    ("duplicate_table", "42P07"),
    ("duplicate_column", "42701"),
    ("duplicate_object", "42710"),
    ("datatype_mismatch", "42804"),
    ("object_not_in_prerequisite_state", "55000"),
    ("object_in_use", "55006"),
    ("lock_not_available", "55P03"),
    ("query_canceled", "57014"),
    ("plpgsql_error", "P0000"),
    ("raise_exception", "P0001"),
    ("no_data_found", "P0002"),
    ("too_many_rows", "P0003"),
    ("assert_failure", "P0004"),
];
