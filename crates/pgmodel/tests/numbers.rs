//! Numbers in statements at the ends of their ranges: settings, sequences, lengths, bounds. Codes and messages are
//! those of a version 15 server.

use retrial_pgmodel::{Database, Failure, Step};

const FAR: &str = "is outside the valid range for parameter";

/// Texts, and the result of the last statement of each: its single value, or code and message.
const GIVEN: &[(&str, &str)] = &[
    ("SET lock_timeout = 2147483647; SHOW lock_timeout", "2147483647ms"),
    ("SET lock_timeout = 2147483648", "22023 invalid value for parameter \"lock_timeout\": \"2147483648\""),
    (
        "SET lock_timeout = '99999999999999999999'",
        "22023 invalid value for parameter \"lock_timeout\": \"99999999999999999999\"",
    ),
    ("SET lock_timeout = '100000h'", "22023 invalid value for parameter \"lock_timeout\": \"100000h\""),
    ("SET lock_timeout = '25d'", "22023 invalid value for parameter \"lock_timeout\": \"25d\""),
    ("SET lock_timeout = '24d'; SHOW lock_timeout", "24d"),
    ("SET lock_timeout = '1us'; SHOW lock_timeout", "0"),
    ("SET lock_timeout = '600us'; SHOW lock_timeout", "1ms"),
    ("SET lock_timeout = '1500us'; SHOW lock_timeout", "2ms"),
    ("SET lock_timeout = '1.5s'; SHOW lock_timeout", "1500ms"),
    ("SET lock_timeout = 1.5; SHOW lock_timeout", "2ms"),
    ("SET lock_timeout = '.5s'; SHOW lock_timeout", "500ms"),
    ("SET lock_timeout = '10 s'; SHOW lock_timeout", "10s"),
    ("SET lock_timeout = '10 S'", "22023 invalid value for parameter \"lock_timeout\": \"10 S\""),
    ("SET lock_timeout = 'xx'", "22023 invalid value for parameter \"lock_timeout\": \"xx\""),
    ("SET lock_timeout = ''", "22023 invalid value for parameter \"lock_timeout\": \"\""),
    ("SET lock_timeout = '1e3'", "not modelled: the form of the number 1e3 in lock_timeout"),
    ("SET statement_timeout = on", "22023 invalid value for parameter \"statement_timeout\": \"on\""),
    ("SET enable_seqscan = maybe", "22023 parameter \"enable_seqscan\" requires a Boolean value"),
    (
        "SET default_transaction_read_only = maybe",
        "22023 parameter \"default_transaction_read_only\" requires a Boolean value",
    ),
    (
        "SELECT set_config('lock_timeout', '5000000000', false)",
        "22023 invalid value for parameter \"lock_timeout\": \"5000000000\"",
    ),
    ("CREATE SEQUENCE s INCREMENT 0", "22023 INCREMENT must not be zero"),
    ("CREATE SEQUENCE s START 0", "22023 START value (0) cannot be less than MINVALUE (1)"),
    ("CREATE SEQUENCE s INCREMENT -1 START 1", "22023 START value (1) cannot be greater than MAXVALUE (-1)"),
    (
        "CREATE SEQUENCE s START 9223372036854775807; SELECT nextval('s'); SELECT nextval('s')",
        "2200H nextval: reached maximum value of sequence \"s\" (9223372036854775807)",
    ),
    (
        "CREATE SEQUENCE s INCREMENT 9223372036854775807; SELECT nextval('s'); SELECT nextval('s')",
        "2200H nextval: reached maximum value of sequence \"s\" (9223372036854775807)",
    ),
    (
        "CREATE SEQUENCE s INCREMENT -9223372036854775808; SELECT nextval('s'); SELECT nextval('s')",
        "2200H nextval: reached minimum value of sequence \"s\" (-9223372036854775808)",
    ),
    (
        "CREATE SEQUENCE s; SELECT setval('s', 0)",
        "22003 setval: value 0 is out of bounds for sequence \"s\" (1..9223372036854775807)",
    ),
    (
        "CREATE TABLE t (a smallserial); SELECT setval('t_a_seq', 32768)",
        "22003 setval: value 32768 is out of bounds for sequence \"t_a_seq\" (1..32767)",
    ),
    ("SELECT substring('abc', -2147483648, 2147483647)", ""),
    ("SELECT substring('abc', 2147483647, 2147483647)", ""),
    ("SELECT left('abc', -2147483648)", ""),
    ("SELECT right('abc', -2147483648)", "abc"),
    ("SELECT length(repeat('a', -2147483648))", "0"),
    ("SELECT split_part('a', 'b', -2147483648)", ""),
    (
        "SELECT * FROM generate_series(9223372036854775806, 9223372036854775807, 9223372036854775807)",
        "9223372036854775806",
    ),
    (
        "SELECT a FROM generate_series(-9223372036854775807, -9223372036854775808, -9223372036854775808) a",
        "-9223372036854775807",
    ),
    ("SELECT count(*) FROM (SELECT 1 LIMIT 9223372036854775807 OFFSET 9223372036854775807) t", "0"),
    ("SELECT 1 LIMIT 9223372036854775808", "22003 bigint out of range"),
    ("SELECT interval '9223372036854775807 us' + interval '1 us'", "22008 interval out of range"),
    ("SELECT interval '2147483648 days'", "22015 interval field value out of range: \"2147483648 days\""),
    ("SELECT interval '178956970 years'", "178956970 years"),
    ("SELECT - interval '-2147483648 days'", "22008 interval out of range"),
    ("SELECT timestamptz '294276-12-31' + interval '1 year'", "22008 timestamp out of range"),
    ("SELECT (-9223372036854775808) / -1", "22003 bigint out of range"),
    ("SELECT (-9223372036854775808) % -1", "0"),
    ("SELECT abs((-9223372036854775808)::bigint)", "22003 bigint out of range"),
    ("SELECT 1::varchar(0)", "22023 length for type varchar must be at least 1"),
    ("SELECT trunc(1.5, -2147483648)", "0"),
    ("SELECT '[1]'::jsonb - (-2147483648)", "[1]"),
    ("SELECT $70000", "42P02 there is no parameter $70000"),
    ("SELECT count(*) FROM (SELECT pg_sleep(1e9) LIMIT 0) t", "0"),
];

/// Parameters set to values out of range, the number in the server's message, and the range.
const OUT_OF_RANGE: &[(&str, &str, &str, &str)] = &[
    ("lock_timeout", "-1", "-1 ms", "(0 .. 2147483647)"),
    ("statement_timeout", "-5", "-5 ms", "(0 .. 2147483647)"),
    ("idle_in_transaction_session_timeout", "-1", "-1 ms", "(0 .. 2147483647)"),
    ("deadlock_timeout", "0", "0 ms", "(1 .. 2147483647)"),
    ("deadlock_timeout", "-5", "-5 ms", "(1 .. 2147483647)"),
    ("deadlock_timeout", "'100us'", "0 ms", "(1 .. 2147483647)"),
    ("default_statistics_target", "100000", "100000", "(1 .. 10000)"),
];

fn last(sql: &str) -> String {
    let database = Database::new();
    let session = database.connect();
    let step = match database.send(session, sql) {
        Ok(step) => step,
        Err(refusal) => return refusal.to_string(),
    };
    let Step::Done(finished) = step else { return "waits".to_owned() };
    match finished.results.last() {
        Some(Ok(outcome)) => {
            outcome.rows.first().map_or_else(String::new, |row| row[0].output(&outcome.columns[0].ty))
        }
        Some(Err(Failure::Sql(error))) => format!("{} {}", error.code, error.message),
        Some(Err(refusal)) => refusal.to_string(),
        None => String::new(),
    }
}

#[test]
fn numbers_at_the_ends_of_their_ranges_are_as_on_the_server() {
    let wrong: Vec<_> = GIVEN
        .iter()
        .map(|(sql, expected)| (*sql, last(sql), *expected))
        .filter(|(_, found, expected)| found != expected)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_parameter_out_of_its_range_is_told_the_range() {
    for (name, value, shown, range) in OUT_OF_RANGE {
        let sql = format!("SET {name} = {value}");
        assert_eq!(last(&sql), format!("22023 {shown} {FAR} \"{name}\" {range}"), "{sql}");
    }
}
