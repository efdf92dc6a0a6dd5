//! The scripts with which the stepper is certified. Their expected results were observed on the server.

mod flow;
mod values;

/// All scripts.
pub(super) const CASES: [&[Case]; 2] = [flow::CASES, values::CASES];

/// A script, statement by statement, and its expected result.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) statements: &'static [&'static str],
    pub(super) error: Option<&'static str>,
    pub(super) changed: &'static str,
}

const fn case(
    name: &'static str,
    statements: &'static [&'static str],
    error: Option<&'static str>,
    changed: &'static str,
) -> Case {
    Case { name, statements, error, changed }
}
