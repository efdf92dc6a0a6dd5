//! Statements that have been parsed, and the plans made of them. Each text is parsed once per thread, and each of its
//! statements is planned once per version of the definitions, whichever database runs it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use retrial_pgmodel_sql::ast::{LockStrength, Statement};
use retrial_pgmodel_sql::error::Result;
use retrial_pgmodel_sql::parse::{self, Parsed};
use retrial_pgmodel_sql::plan::{Core, Cte, OutputColumn, Plan, Query};
use retrial_pgmodel_sql::stack;

use crate::routine::Function;

/// A statement that is ready to be run, any number of times.
#[derive(Debug)]
pub struct Prepared {
    pub(crate) parsed: Parsed,
    /// Its plans, made when it is first run.
    pub(crate) plans: Plans,
}

impl Prepared {
    fn new(parsed: Parsed) -> Prepared {
        Prepared { parsed, plans: Plans::default() }
    }

    /// Its text, without the semicolon.
    pub fn text(&self) -> &str {
        &self.parsed.text
    }

    pub(crate) fn statement(&self) -> &Statement {
        &self.parsed.statement
    }
}

impl Drop for Prepared {
    /// Drops the plans of a deeply nested statement on a larger stack, since dropping recurses.
    fn drop(&mut self) {
        if self.parsed.depth > stack::SHALLOW {
            stack::with_depth(self.parsed.depth, || drop(std::mem::take(&mut self.plans)));
        }
    }
}

/// A plan and data that each run of it needs.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) plan: Plan,
    /// The user-defined functions that it may call.
    pub(crate) functions: Vec<Rc<Function>>,
    pub(crate) columns: Rc<[OutputColumn]>,
    /// The command that a read-only transaction reports it cannot execute, such as `UPDATE` or `SELECT FOR UPDATE`.
    pub(crate) writes: Option<&'static str>,
}

impl Planned {
    pub(crate) fn new(plan: Plan, functions: Vec<Rc<Function>>) -> Planned {
        Planned { functions, columns: plan.query.columns.clone().into(), writes: writes(&plan.query), plan }
    }
}

fn writes(query: &Query) -> Option<&'static str> {
    let own = match &query.core {
        Core::Insert(_) => Some("INSERT"),
        Core::Update(_) => Some("UPDATE"),
        Core::Delete(_) => Some("DELETE"),
        _ => query.locks.first().map(|lock| match lock.strength {
            LockStrength::Update => "SELECT FOR UPDATE",
            LockStrength::NoKeyUpdate => "SELECT FOR NO KEY UPDATE",
            LockStrength::Share => "SELECT FOR SHARE",
            LockStrength::KeyShare => "SELECT FOR KEY SHARE",
        }),
    };
    // For a writing WITH the name of the outer statement is reported.
    let inside =
        |cte: &Cte| writes(&cte.query).map(|what| if what.starts_with("SELECT") { what } else { "SELECT" });
    own.or_else(|| query.ctes.iter().find_map(inside))
}

/// The plans of a statement, by the version of the definitions that they were made under. A version number is never
/// used for two sets of definitions.
#[derive(Default)]
pub(crate) struct Plans(RefCell<Vec<(u64, Rc<Planned>)>>);

/// Plans cached per statement: a trial that changes definitions has a few versions, and each trial creates new ones.
const PLANS_MAX: usize = 8;

impl Plans {
    /// The plan made under that version.
    pub(crate) fn known(&self, version: u64) -> Option<Rc<Planned>> {
        let plans = self.0.borrow();
        plans.iter().find(|(known, _)| *known == version).map(|(_, planned)| planned.clone())
    }

    pub(crate) fn keep(&self, version: u64, planned: Rc<Planned>) {
        let mut plans = self.0.borrow_mut();
        if plans.len() >= PLANS_MAX {
            // The first plan is the initial state's, which every trial uses again.
            plans.remove(1);
        }
        plans.push((version, planned));
    }
}

impl std::fmt::Debug for Plans {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Plans").field(&self.0.borrow().len()).finish()
    }
}

/// The number of texts that a thread caches. A workload has a handful; the bound is for texts that contain their
/// values.
const REMEMBERED: usize = 4096;

/// The total bytes of the cached texts; what they parse to takes a hundred times as much.
const REMEMBERED_BYTES: usize = 1 << 20;

/// What a text was prepared to. Failures are cached too, since finding one may take a second and texts are sent again.
type Known = Result<Rc<Vec<Prepared>>>;

#[derive(Default)]
struct Remembered {
    /// The texts by their length, as every statement that is sent is looked up here, and lengths compare fast.
    texts: BTreeMap<usize, Vec<(String, Known)>>,
    count: usize,
    bytes: usize,
}

impl Remembered {
    fn find(&self, sql: &str) -> Option<Known> {
        let same_length = self.texts.get(&sql.len())?;
        same_length.iter().find(|(text, _)| text == sql).map(|(_, known)| known.clone())
    }

    fn keep(&mut self, sql: &str, known: Known) {
        if self.count >= REMEMBERED || self.bytes + sql.len() > REMEMBERED_BYTES {
            *self = Remembered::default();
        }
        self.count += 1;
        self.bytes += sql.len();
        self.texts.entry(sql.len()).or_default().push((sql.to_owned(), known));
    }
}

thread_local! {
    static CACHE: RefCell<Remembered> = RefCell::default();
}

/// Parses a text to its statements, in order.
///
/// # Errors
/// 42601 if it is not SQL; a refusal by name if it is SQL that the model does not support.
pub fn prepare(sql: &str) -> Result<Rc<Vec<Prepared>>> {
    if let Some(known) = CACHE.with_borrow(|cache| cache.find(sql)) {
        return known;
    }
    let prepared = fresh(sql);
    if sql.len() <= parse::LONGEST {
        CACHE.with_borrow_mut(|cache| cache.keep(sql, prepared.clone()));
    }
    prepared
}

/// Same as [`prepare`], for a text that is sent without parameters. If the text contains parameters nevertheless, its
/// plans are not shared with those made for parameters.
///
/// # Errors
/// Same as [`prepare`].
pub(crate) fn prepare_without_parameters(sql: &str) -> Result<Rc<Vec<Prepared>>> {
    let prepared = prepare(sql)?;
    if prepared.iter().all(|statement| statement.parsed.params == 0) { Ok(prepared) } else { fresh(sql) }
}

fn fresh(sql: &str) -> Result<Rc<Vec<Prepared>>> {
    parse::parse(sql).map(|parsed| Rc::new(parsed.into_iter().map(Prepared::new).collect()))
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::{prepare, prepare_without_parameters};

    #[test]
    fn a_text_is_parsed_once() {
        let again = |sql: &str| Rc::ptr_eq(&prepare(sql).expect("parses"), &prepare(sql).expect("parses"));
        assert!(again("select 1"));
        assert!(again("select 2"));
        let (one, two) = (prepare("select 1").expect("parses"), prepare("select 2").expect("parses"));
        assert_eq!((one[0].text(), two[0].text()), ("select 1", "select 2"));
    }

    #[test]
    fn a_text_with_parameters_has_plans_of_its_own_where_it_is_sent_without() {
        let shares = |sql: &str| {
            let sent = prepare_without_parameters(sql).expect("parses");
            Rc::ptr_eq(&prepare(sql).expect("parses"), &sent)
        };
        assert!(shares("select 1"));
        assert!(!shares("select $1"));
    }
}
