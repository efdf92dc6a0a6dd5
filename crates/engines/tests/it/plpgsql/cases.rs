//! The scripts of the certification. What is written down beside each was seen on the server.

mod flow;
mod values;

/// All of them.
pub(super) const CASES: [&[Case]; 2] = [flow::CASES, values::CASES];

/// A script, statement by statement, and what it comes to.
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
