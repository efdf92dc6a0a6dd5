//! How statements are parsed, which are refused, and the errors for texts that are not SQL. The behaviour of parsed
//! statements is not tested here.

use super::parse;
use super::shown::shown;
use crate::ast::{Body, Output, Select, SelectCore, Statement};
use crate::error::Failure;

/// The single statement of a text.
fn one(sql: &str) -> String {
    let parsed = parse(sql).unwrap_or_else(|failure| panic!("{sql}: {failure}"));
    assert_eq!(parsed.len(), 1, "{sql}");
    format!("{:?}", parsed[0].statement)
}

fn failure(sql: &str) -> Failure {
    match parse(sql) {
        Err(failure) => failure,
        Ok(parsed) => panic!("{sql}: {parsed:?}"),
    }
}

/// The expressions of a SELECT, fully parenthesized.
fn read(exprs: &str) -> String {
    let parsed = parse(&format!("select {exprs}")).unwrap_or_else(|failure| panic!("{exprs}: {failure}"));
    let Statement::Query(query) = &parsed[0].statement else { panic!("{exprs}") };
    let Body::Select(Select { core: SelectCore::Simple(simple), .. }) = &query.body else {
        panic!("{exprs}")
    };
    let shown = simple.output.iter().map(|output| match output {
        Output::Expr { expr, .. } => shown(expr),
        all @ Output::All(_) => format!("{all:?}"),
    });
    shown.collect::<Vec<_>>().join(", ")
}

#[test]
fn operators_bind_as_the_server_binds_them() {
    for (written, expected) in [
        ("a or b and not c = d is null", "(a or (b and (not ((c = d) is null))))"),
        ("a and b and c or d or e", "((a and b and c) or d or e)"),
        ("e between 1 + 1 and 3 and f in (1, 2)", "((e between (1 + 1) to 3) and (f in [1, 2]))"),
        ("not a not between 1 and 2", "(not (a not between 1 to 2))"),
        ("- a ^ 2 * 3 + 4 || 'x'", "(((((- a) ^ 2) * 3) + 4) || 'x')"),
        ("-1::bigint", "(- 1::Int8)"),
        ("a - b - c", "((a - b) - c)"),
        ("a ->> 'b' = 'c' or d @> '{}'", "(((a ->> 'b') = 'c') or (d @> '{}'))"),
        ("a || b like c || '%'", "((a || b) ~~ (c || '%'))"),
        ("a not like b and c ilike d", "((a !~~ b) and (c ~~* d))"),
        ("a=-1, a<>-1, a->-1", "(a = (- 1)), (a <> (- 1)), (a -> (- 1))"),
        ("a != b", "(a <> b)"),
        ("~ a + b", "(~ (a + b))"),
        ("a is distinct from b and c", "((a is distinct from b) and c)"),
        ("a is not distinct from b + 1", "(a is not distinct from (b + 1))"),
        ("a isnull, a notnull, a is not null", "(a is null), (a is not null), (a is not null)"),
        ("a is not true, a is unknown", "(a is not Some(true)), (a is None)"),
        ("a = any($1) and b", "((a = any $1) and b)"),
        ("a <> all (select 1) or c", "((a <> all {0 with}) or c)"),
        ("a = some ((select b))", "(a = any {0 with})"),
        ("a in ((select 1)), a not in (1)", "(a in {0 with}), (a not in [1])"),
        ("(a, b) in ((1, 2), (3, 4))", "(row(a, b) in [row(1, 2), row(3, 4)])"),
        ("(a or b) and c", "((a or b) and c)"),
        ("a::int::text", "a::Int4::Text"),
        ("a + b between 1 and 2, a = b between 1 and 2", {
            "((a + b) between 1 to 2), (a = (b between 1 to 2))"
        }),
        ("x and 1 + a::int not between 1 and 2 and y", "(x and ((1 + a::Int4) not between 1 to 2) and y)"),
        ("a between 1 and 2 or b is null", "((a between 1 to 2) or (b is null))"),
    ] {
        assert_eq!(read(written), expected, "{written}");
    }
}

#[test]
fn values_and_calls_are_read() {
    for (written, expected) in [
        ("1, 1.5, .5, 1e3, 99999999999999999999", "1, 1.5, .5, 1e3, 99999999999999999999"),
        ("'it''s', E'a\\n', $$x'y$$, $q$z$q$", "'it's', 'a\n', 'x'y', 'z'"),
        ("'a'\n  'b'", "'ab'"),
        ("null, true, false, $12", "null, true, false, $12"),
        ("Foo, \"Foo\", \"a\"\"b\".C, public.t.x", "foo, Foo, a\"b.c, t.x"),
        ("interval '1 s', timestamptz '2000-01-01'", "'1 s'::Interval, '2000-01-01'::Timestamptz"),
        ("cast(a as character varying(3)), b::varchar", "a::Varchar(Some(3)), b::Varchar(None)"),
        ("a::numeric, a::decimal(10), a::numeric(10, 2)", {
            "a::Numeric(None), a::Numeric(Some((10, 0))), a::Numeric(Some((10, 2)))"
        }),
        ("a::int[], a::text array, a::timestamp with time zone", {
            "a::Array(Int4), a::Array(Text), a::Timestamptz"
        }),
        ("a::smallint, a::int8, a::bool, a::uuid, a::jsonb, a::bytea", {
            "a::Int2, a::Int8, a::Bool, a::Uuid, a::Jsonb, a::Bytea"
        }),
        ("count(*), count(distinct a), sum(b) filter (where c)", {
            "count(*), count(distinct a), sum(b) filter c"
        }),
        ("pg_catalog.now(), current_timestamp, coalesce(a, 1)", "now(), current_timestamp(), coalesce(a, 1)"),
        (
            "current_date, localtimestamp, date '2000-01-01'",
            "current_date(), localtimestamp(), '2000-01-01'::Date",
        ),
        ("a::char, a::character(3), a::timestamp without time zone", {
            "a::Char(Some(1)), a::Char(Some(3)), a::Timestamp"
        }),
        ("array_agg(a order by b desc, c), string_agg(distinct a, ',' order by a)", {
            "array_agg(a order by b order by c), string_agg(distinct a, ',' order by a)"
        }),
        ("a[1], t.a[b + 1], (array[1])[2:], $1[:3]", "a[1], t.a[(b + 1)], array[1][2:], $1[:3]"),
        ("extract(epoch from a), position(a in b)", "extract('epoch', a), position(b, a)"),
        ("substring(a from 2 for 3), trim(leading 'x' from a)", "substring(a, 2, 3), ltrim(a, 'x')"),
        ("case a when 1 then 2 else 3 end, case when a then b end", {
            "case a(1: 2) else (3), case (a: b) else ()"
        }),
        ("array[1, 2], row(), (1, 2), exists (select 1)", "array[1, 2], row(), row(1, 2), exists {0 with}"),
        ("*, t.*, public.t.*", "All(None), All(Some(\"t\")), All(Some(\"t\"))"),
    ] {
        assert_eq!(read(written), expected, "{written}");
    }
}

#[test]
fn joins_and_set_operations_nest_as_the_server_nests_them() {
    let tables = |sql: &str| {
        let text = one(sql);
        let kept = ["kind: ", "Table { name: \"", "operation: ", "all: true"];
        let mut found = Vec::new();
        for (at, _) in text.char_indices() {
            for prefix in kept {
                if let Some(rest) = text[at..].strip_prefix(prefix) {
                    let word = rest.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
                    found.push(if word.is_empty() { "all".to_owned() } else { word.to_owned() });
                }
            }
        }
        found.join(" ")
    };
    assert_eq!(tables("select 1 from a cross join b left join c on x"), "Left Inner a b c");
    assert_eq!(tables("select 1 from a left join b join c on x on y"), "Left a Inner b c");
    assert_eq!(tables("select 1 from a join (b full join c using (x)) on y"), "Inner a Full b c");
    assert_eq!(tables("table a union table b intersect table c"), "Union a Intersect b c");
    assert_eq!(tables("table a intersect table b except all table c"), "Except all Intersect a b c");
    assert_eq!(tables("table a union (table b union table c)"), "Union a Union b c");
}

#[test]
fn a_text_is_cut_into_its_statements() {
    let parsed = parse(" select $2 + $1 ; ;; -- nothing\n commit;select ';' -- end").expect("parses");
    let texts: Vec<_> = parsed.iter().map(|parsed| (parsed.text.as_str(), parsed.params)).collect();
    assert_eq!(texts, [("select $2 + $1", 2), ("commit", 0), ("select ';'", 0)]);
    assert!(parse(" -- nothing").expect("parses").is_empty());
}

#[test]
fn clauses_keep_their_meaning() {
    for (sql, part) in [
        ("select 1 limit all offset 3 rows", "limit: None, offset: Some(Integer(\"3\"))"),
        ("select 1 fetch first row only", "limit: Some(Integer(\"1\"))"),
        (
            "(select 1 limit 2) order by 1",
            "descending: false, nulls_first: None }], limit: Some(Integer(\"2\"))",
        ),
        ("select 1 order by a desc nulls last", "descending: true, nulls_first: Some(false)"),
        (
            "select 1 for no key update of a, b skip locked",
            "NoKeyUpdate, of: [\"a\", \"b\"], wait: SkipLocked",
        ),
        ("select 1 for key share nowait", "KeyShare, of: [], wait: Nowait"),
        ("select 1 for share limit 1", "limit: Some(Integer(\"1\"))"),
        ("with a as not materialized (select 1) select 1 union select 2", "materialized: Some(false)"),
        ("insert into t default values", "source: None"),
        ("insert into t values (default)", "Values([[Default]])"),
        (
            "insert into t values (1) on conflict on constraint k do nothing",
            "Constraint(\"k\")), action: Nothing",
        ),
        ("update t set (a, b) = (1, default)", "columns: [\"b\"], value: Default"),
        ("update t set (a, b) = (select 1, 2)", "columns: [\"a\", \"b\"], value: Scalar("),
        ("delete from t as x using u", "alias: Some(\"x\"), using: [Table { name: \"u\""),
        ("begin isolation level repeatable read, read only", "Some(RepeatableRead), read_only: Some(true)"),
        ("start transaction read write not deferrable", "read_only: Some(false), deferrable: Some(false)"),
        ("set session characteristics as transaction read only", "SetSessionCharacteristics("),
        (
            "set local lock_timeout to '1s'",
            "Set { local: true, name: \"lock_timeout\", value: Some(\"1s\") }",
        ),
        ("set statement_timeout = -5", "value: Some(\"-5\")"),
        ("set x.y = on", "name: \"x.y\", value: Some(\"on\")"),
        ("set time zone default", "name: \"timezone\", value: None"),
        ("show transaction isolation level", "Show(\"transaction_isolation\")"),
        ("rollback to savepoint \"A b\"", "RollbackTo(\"A b\")"),
        ("lock t", "mode: AccessExclusive, nowait: false"),
        ("lock table a, b in share update exclusive mode nowait", "mode: ShareUpdateExclusive, nowait: true"),
        ("create table t (a bigserial)", "ty: Int8, not_null: false, default: None, serial: Some(Serial)"),
        ("create table t (a int generated always as identity)", "serial: Some(Always)"),
        (
            "create table t (a int unique)",
            "kind: Unique { columns: [\"a\"], included: [] }, not_valid: false",
        ),
        ("create table t (a int references u on delete set null)", "referenced: [], on_delete: SetNull"),
        ("create table t (a int, foreign key (a) references u (b))", "kind: ForeignKey { columns"),
        ("create sequence s increment -2", "start: -1, increment: -2"),
        ("create unique index on t (lower(a)) where b is null", "name: None, table: \"t\", unique: true"),
        ("drop index concurrently if exists i restrict", "if_exists: true, concurrently: true"),
        ("alter table t drop column if exists a cascade", "if_exists: true, cascade: true"),
        ("alter table t add constraint c check (a > 0) not valid", "not_valid: true"),
        (
            "alter table t alter a set data type text using a::text",
            "SetType { column: \"a\", ty: Text, using: Some",
        ),
        ("alter table t rename a to b", "RenameColumn { column: \"a\", to: \"b\" }"),
        ("alter table only t alter a set not null, alter b drop default", "not_null: true }, SetDefault"),
        ("truncate a, b restart identity cascade", "restart_identity: true, cascade: true"),
        ("vacuum (analyze, freeze) a", "kind: Vacuum, tables: [\"a\"]"),
        ("create unique index on t (a) include (b, c)", "included: [\"b\", \"c\"]"),
        ("create table t (a int, b int, primary key (a) include (b))", "included: [\"b\"]"),
        ("create table t (a, b) as values (1, 2) with data", "columns: [\"a\", \"b\"]"),
    ] {
        let read = one(sql);
        assert!(read.contains(part), "{sql}: {read}");
    }
}

#[test]
fn what_is_not_understood_is_refused_by_name() {
    for (sql, name) in [
        ("select sum(a) over () from t", "OVER clause"),
        ("select 1 from t window w as ()", "WINDOW clause"),
        ("select percentile_cont(0.5) within group (order by a) from t", "WITHIN GROUP"),
        ("select 1 from t tablesample system (1)", "TABLESAMPLE clause"),
        ("select 1 from a natural join b", "NATURAL JOIN"),
        ("select 1 from rows from (f()) x", "ROWS FROM"),
        ("select a from t group by rollup (a)", "ROLLUP"),
        ("select 1 fetch first 1 row with ties", "WITH TIES"),
        ("select 1 into t", "SELECT INTO"),
        ("select a at time zone 'x'", "AT TIME ZONE"),
        ("select a collate \"C\"", "COLLATE"),
        ("select a like b escape 'x'", "ESCAPE"),
        ("select a[1][2]", "arrays of more than one dimension"),
        ("select a between 1 and 2 or not b", "NOT behind BETWEEN and OR (brackets around BETWEEN help)"),
        ("select a collate \"C\" between 1 and 2", "COLLATE"),
        ("select * from t, lateral f(a, b => 1)", "arguments by name"),
        ("select (a).b", "fields of composite values"),
        ("select u&'x'", "U& strings"),
        ("select b'1'", "bit strings"),
        ("select current_time", "CURRENT_TIME"),
        ("select 1::float8", "type float8"),
        ("select '1'::time", "type time"),
        ("select n'1'", "type character"),
        ("select '1'::json", "type json"),
        ("select interval '1' day", "interval fields and precision"),
        ("select 1 from s.t", "schema s"),
        ("select 1 from pg_locks", "system catalog pg_locks"),
        ("insert into t overriding user value values (1)", "OVERRIDING"),
        ("update t set a[1] = 2", "assignment to a part of a column"),
        ("update t set a = 1 where current of c", "WHERE CURRENT OF"),
        ("create temp table t (a int)", "temporary tables"),
        ("create table t (a int) partition by range (a)", "PARTITION BY"),
        ("create table t (a int references u deferrable)", "DEFERRABLE"),
        ("create table t (a int references u match full)", "MATCH FULL"),
        ("create table t (like u)", "LIKE clause"),
        ("create index on t using gin (a)", "gin index"),
        ("alter table t add unique (a) deferrable", "DEFERRABLE"),
        ("alter table t set schema s", "ALTER TABLE SET SCHEMA"),
        ("vacuum full t", "VACUUM FULL"),
        ("set x = 1, 2", "SET with a list of values"),
        ("set names 'utf8'", "SET NAMES"),
        ("commit and chain", "AND CHAIN"),
        ("prepare transaction 'x'", "PREPARE TRANSACTION"),
        ("merge into t using u on true when matched then delete", "MERGE"),
        ("create function f() returns setof int language plpgsql as $$ nonsense $$", "RETURNS SETOF"),
        (
            "create trigger x instead of insert on t for each row execute function f()",
            "a trigger with TIMING INSTEAD OF",
        ),
        ("create view v as select 1", "CREATE VIEW"),
        ("do language plperl $$ 1 $$", "LANGUAGE plperl"),
        ("declare c cursor for select 1", "DECLARE CURSOR"),
        ("explain select 1", "EXPLAIN"),
        ("copy t from stdin", "COPY"),
        ("cluster t", "CLUSTER"),
        ("grant select on t to u", "GRANT"),
        ("select 1; reindex table t", "REINDEX"),
    ] {
        assert_eq!(failure(sql), Failure::not_modelled(name), "{sql}");
    }
}

#[test]
fn what_is_no_sql_is_blamed_on_the_token_that_the_server_blames() {
    for (sql, message) in [
        ("selec 1", "syntax error at or near \"selec\""),
        ("select * frm t", "syntax error at or near \"frm\""),
        ("select 1 from t where", "syntax error at end of input"),
        ("select (1", "syntax error at end of input"),
        ("select 1 from t where a = ; select 1", "syntax error at or near \";\""),
        ("select 1; garbage", "syntax error at or near \"garbage\""),
        ("insert into t values (1,)", "syntax error at or near \")\""),
        ("create tabel t ()", "syntax error at or near \"tabel\""),
        ("create table order (a int)", "syntax error at or near \"order\""),
        ("delete t", "syntax error at or near \"t\""),
        ("select 1 limit 1 order by 2", "syntax error at or near \"order\""),
        ("select a = b = c", "syntax error at or near \"=\""),
        ("select 'a' 'b'", "syntax error at or near \"'b'\""),
        ("select 'abc", "unterminated quoted string at or near \"'abc\""),
        ("select 1a", "trailing junk after numeric literal at or near \"1a\""),
        ("select 0x1f", "trailing junk after numeric literal at or near \"0x\""),
        ("select \"\"", "zero-length delimited identifier at or near \"\"\"\""),
        ("select default", "DEFAULT is not allowed in this context"),
        ("(select 1 limit 1) limit 2", "multiple LIMIT clauses not allowed"),
        ("select 1 from (select 1)", "subquery in FROM must have an alias"),
        ("insert into t values (1) on conflict do update set a = 1", {
            "ON CONFLICT DO UPDATE requires inference specification or constraint name"
        }),
    ] {
        assert_eq!(failure(sql), Failure::sql("42601", message), "{sql}");
    }
}

#[test]
fn what_nests_too_deep_is_refused_before_the_stack_is_full() {
    let chain = |terms: usize| format!("select {}", vec!["a = 1"; terms].join(" or "));
    let nested = |depth: usize| format!("select {}1{}", "(".repeat(depth), ")".repeat(depth));
    let rows = format!("insert into t values {}", vec!["(1, 'x')"; 5000].join(", "));
    for sql in [chain(3000), nested(1000), rows] {
        assert!(parse(&sql).is_ok());
    }
    for sql in [chain(20_000), nested(10_001)] {
        assert!(matches!(failure(&sql), Failure::NotModelled(what) if what.contains("nested deeper")));
    }
}
