//! Binds statements against a small catalogue and compares the outcome with the recorded answers of a version 15 server
//! with the same tables.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::rc::Rc;

use crate::ast::{self, TableLockMode};
use crate::catalog::{Column, IndexDef, Layout, Names, TableDef, TableId};
use crate::error::{Failure, Result};
use crate::parse::parse;
use crate::plan::{Core, Expr, Plan, Slot};
use crate::value::Type;

use super::{Stored, row_expr, statement};

/// The server's answers: statements and outcomes alternate. An outcome is the columns and, after an arrow, the types of
/// the parameters; or an error with its detail.
const CASES: &str = include_str!("tests/cases.txt");

struct Catalogue(BTreeMap<String, Rc<TableDef>>);

impl Names for Catalogue {
    fn table(&self, name: &str, _: TableLockMode) -> Result<Option<Rc<TableDef>>> {
        Ok(self.0.get(name).cloned())
    }

    fn has_relation(&self, _: &str) -> bool {
        true
    }
}

fn column(name: &str, ty: Type) -> Column {
    let dropped = name.is_empty();
    Column { name: name.to_owned(), ty, not_null: false, default: None, serial: None, dropped }
}

fn table(id: u32, name: &str, columns: Vec<Column>) -> TableDef {
    TableDef {
        id: TableId(id),
        name: name.to_owned(),
        columns,
        indexes: Vec::new(),
        checks: Vec::new(),
        foreign_keys: Vec::new(),
        layout: Layout::default(),
        triggers: Vec::new(),
    }
}

/// The only expression of `SELECT expr`.
fn expr(text: &str) -> ast::Expr {
    let parsed = parse(&format!("select {text}")).expect("the expression parses");
    let ast::Statement::Query(with) = &parsed[0].statement else { panic!("no query: {text}") };
    let ast::Body::Select(ast::Select { core: ast::SelectCore::Simple(simple), .. }) = &with.body else {
        panic!("no select: {text}")
    };
    let ast::Output::Expr { expr, .. } = &simple.output[0] else { panic!("no expression: {text}") };
    expr.clone()
}

fn index(table: &mut TableDef, name: &str, keys: &[&str], filter: Option<&str>, constraint: bool) {
    let bind = |text: &str| {
        row_expr(&Catalogue(BTreeMap::new()), &expr(text), table, Stored::Key, None).expect("the key binds")
    };
    let index = IndexDef {
        name: name.to_owned(),
        keys: keys.iter().map(|key| bind(key)).collect(),
        included: Vec::new(),
        unique: true,
        primary: name.ends_with("_pkey"),
        constraint,
        filter: filter.map(bind),
        ready: true,
        valid: true,
    };
    table.indexes.push(Rc::new(index));
}

fn catalogue() -> Catalogue {
    let none = Catalogue(BTreeMap::new());
    let mut t = table(
        1,
        "t",
        vec![
            column("id", Type::Int4),
            column("", Type::Int4),
            column("name", Type::Text),
            column("qty", Type::Int4),
            column("price", Type::Numeric(Some((10, 2)))),
            column("tag", Type::Varchar(Some(10))),
            column("ok", Type::Bool),
            column("at", Type::Timestamptz),
            column("doc", Type::Jsonb),
            column("ids", Type::Array(Box::new(Type::Int4))),
        ],
    );
    t.columns[3].default = Some(
        row_expr(&none, &expr("0"), &t, Stored::Default("d"), Some(&Type::Int4)).expect("the default binds"),
    );
    index(&mut t, "t_pkey", &["id"], None, true);
    index(&mut t, "t_name_key", &["name"], None, true);
    index(&mut t, "t_tag", &["tag"], Some("ok"), false);
    index(&mut t, "t_lower", &["lower(name)"], None, false);
    let mut u = table(
        2,
        "u",
        vec![
            column("id", Type::Int8),
            column("t_id", Type::Int4),
            column("note", Type::Text),
            column("n", Type::Int2),
            column("key", Type::Uuid),
        ],
    );
    index(&mut u, "u_pkey", &["id"], None, true);
    let mut g = table(3, "g", vec![column("id", Type::Int4), column("v", Type::Text)]);
    g.columns[0].serial = Some(ast::Serial::Always);
    g.columns[0].default = Some(
        row_expr(&none, &expr("nextval('g_id_seq')"), &g, Stored::Default("id"), Some(&Type::Int4))
            .expect("binds"),
    );
    g.columns[1].default = Some(
        row_expr(&none, &expr("'x'"), &g, Stored::Default("x"), Some(&Type::Text))
            .expect("the default binds"),
    );
    index(&mut g, "g_pkey", &["id"], None, true);
    Catalogue([t, u, g].map(|table| (table.name.clone(), Rc::new(table))).into())
}

fn bind(sql: &str, names: &dyn Names) -> Result<Plan> {
    let parsed = parse(sql)?;
    let ast::Statement::Query(with) = &parsed[0].statement else { panic!("no query: {sql}") };
    statement(with, names)
}

fn told(outcome: &Result<Plan>) -> String {
    match outcome {
        Ok(plan) => {
            let columns = plan.query.columns.iter();
            let columns: Vec<_> =
                columns.map(|column| format!("{} {}", column.name, column.ty.name())).collect();
            let mut told = columns.join(", ");
            if !plan.params.is_empty() {
                let params: Vec<_> = plan.params.iter().map(Type::name).collect();
                write!(told, " <- {}", params.join(", ")).expect("a string takes all");
            }
            if told.is_empty() { "no columns".to_owned() } else { told.trim().to_owned() }
        }
        Err(Failure::Sql(error)) => {
            let detail = error.detail.as_ref().map_or(String::new(), |detail| format!(" ({detail})"));
            format!("{} {}{detail}", error.code, error.message)
        }
        Err(refusal) => refusal.to_string(),
    }
}

#[test]
fn statements_come_to_what_the_server_says() {
    let names = catalogue();
    let mut wrong = String::new();
    let mut lines = CASES.lines().filter(|line| !line.starts_with("# "));
    while let (Some(sql), Some(expected)) = (lines.next(), lines.next()) {
        let told = told(&bind(sql, &names));
        if told != expected.trim() {
            writeln!(wrong, "{sql}\n    is      {told}\n    must be {}", expected.trim())
                .expect("a string takes all");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn what_has_no_place_in_a_plan_is_refused_by_name() {
    let names = catalogue();
    for (sql, refusal) in [
        ("select t from t", "a whole-row reference: t"),
        ("select ctid from t", "the system column ctid"),
        ("select (select sum(t.qty) from u) from t", "sum over columns of an outer query"),
        ("select generate_series(1, generate_series(1, 2))", "a set-returning function of another's rows"),
        (
            "select generate_series(1, 2), nextval('s')",
            "a set-returning function beside calls that have effects",
        ),
        (
            "select t.id from t left join u on true where u.n = 1 for update",
            "FOR UPDATE of a table that an outer",
        ),
        (
            "insert into t (id, name) values (1, 'a') on conflict (tag) where not ok do nothing",
            "ON CONFLICT with",
        ),
        ("select (1, 2)", "a row value"),
        ("values (1) order by column1 + 1", "ORDER BY an expression over VALUES"),
    ] {
        match bind(sql, &names) {
            Err(Failure::NotModelled(what)) => assert!(what.starts_with(refusal), "{sql}: {what}"),
            other => panic!("{sql}: {}", told(&other)),
        }
    }
}

/// The first subquery of a select list.
fn subquery_is_correlated(sql: &str) -> bool {
    let plan = bind(sql, &catalogue()).expect("the statement binds");
    let Core::Select(select) = &plan.query.core else { panic!("no select: {sql}") };
    match select.output.first() {
        Some(Expr::Sub { query, .. }) => query.correlated,
        other => panic!("no subquery: {other:?}"),
    }
}

#[test]
fn a_subquery_knows_whether_it_is_correlated() {
    for (sql, correlated) in [
        ("select (select max(n) from u) from t", false),
        ("select (select max(n) from u where u.t_id = t.id) from t", true),
        ("select (select (select t.id) from u limit 1) from t", true),
        ("select (select (select u.n) from u limit 1) from t", false),
        ("select (with c as (select t.id) select id from c) from t", true),
        ("with c as (select 1 as id) select (select id from c) from t", false),
        ("select exists (select 1 from u join lateral (select u.n + t.qty) s on true) from t", true),
    ] {
        assert_eq!(subquery_is_correlated(sql), correlated, "{sql}");
    }
}

#[test]
fn a_lock_goes_down_into_derived_tables_and_the_strongest_wins() {
    let sql = "select * from (select id from t limit 9) s join u on true for share of u nowait for update";
    let plan = bind(sql, &catalogue()).expect("the statement binds");
    let told: Vec<_> = plan
        .query
        .locks
        .iter()
        .map(|lock| format!("{} {:?} {:?}", lock.slot, lock.strength, lock.wait))
        .collect();
    assert_eq!(told, ["1 Update Nowait", "0 Update Block"]);
    let Core::Select(select) = &plan.query.core else { panic!("no select") };
    let Slot::Query { query, lateral: false } = &select.slots[0] else { panic!("no derived table") };
    assert_eq!(query.locks.len(), 1);
}

#[test]
fn columns_that_depend_on_a_grouped_primary_key_become_keys() {
    let sql = "select name, (select count(*) from u where u.t_id = t.qty) from t group by id";
    let plan = bind(sql, &catalogue()).expect("the statement binds");
    let Core::Select(select) = &plan.query.core else { panic!("no select") };
    let grouping = select.grouping.as_ref().expect("the query is grouped");
    assert_eq!(grouping.keys.len(), 3);
    assert!(matches!(select.output[0], Expr::Group { up: 0, key: 1 }));
    let Expr::Sub { query, .. } = &select.output[1] else { panic!("no subquery") };
    let Core::Select(inner) = &query.core else { panic!("no select") };
    let Some(Expr::Compare { right, .. }) = &inner.filter else { panic!("no condition") };
    assert!(matches!(**right, Expr::Group { up: 1, key: 2 }), "{right:?}");
}

#[test]
fn every_call_of_the_session_has_a_site_of_its_own() {
    let sql = "insert into g (v) values (default), ('y') on conflict (id) do update set id = default";
    let plan = bind(sql, &catalogue()).expect("the statement binds");
    let Core::Insert(insert) = &plan.query.core else { panic!("no insert") };
    let update = insert.on_conflict.as_ref().and_then(|clause| clause.update.as_ref()).expect("an update");
    let [first, second] = [&insert.row[0], &update.set[0].1].map(|expr| match expr {
        Expr::System { site, .. } => Some(*site),
        Expr::Apply { args, .. } => match args[0] {
            Expr::System { site, .. } => Some(site),
            _ => None,
        },
        _ => None,
    });
    assert!(first.is_some() && second.is_some() && first != second, "{first:?} {second:?}");
}
