//! Round trips of values to the server and back: what comes back in binary must read as the server prints it.

use std::rc::Rc;

use retrial_engines::postgres::Postgres;
use retrial_sim::engine::{Engine, InitialState, Reply, Value};
use retrial_sim::seed::Seed;

use super::server;

const SAMPLES: [(&str, &[&str]); 21] = [
    ("int2", &["-32768", "7"]),
    ("int4", &["2147483647", "-1"]),
    ("int8", &["-9223372036854775808", "0"]),
    ("bool", &["t", "f"]),
    ("text", &["", "a 'quote' \\ and \u{1F600}"]),
    ("varchar(20)", &["varying"]),
    (
        "numeric",
        &["0", "-12.3400", "10000", "0.0001", "123456789012345678901234567890.5", "NaN", "0.00", "100000000"],
    ),
    ("numeric(10,2)", &["1.5", "-99999999.99"]),
    ("float8", &["0.1", "1e20", "-1.5e-7", "123456789012345", "1e15", "0.0001", "Infinity", "100"]),
    ("float4", &["0.1", "1e6", "123456", "-1e-5"]),
    (
        "timestamptz",
        &["2024-02-29 12:00:00+00", "1999-12-31T23:59:59.999999Z", "2024-06-01 00:30:00+02", "infinity"],
    ),
    ("timestamp", &["1969-07-20 20:17:40", "2000-01-01 00:00:00.000001", "0001-01-01 00:00:00"]),
    ("date", &["2000-03-01", "1900-02-28", "9999-12-31", "-infinity"]),
    ("time", &["00:00:00", "23:59:59.5"]),
    ("uuid", &["123e4567-e89b-12d3-a456-426614174000"]),
    ("jsonb", &["{\"b\": [1, 2.50], \"a\": null}", "\"x\""]),
    ("json", &["{\"b\" :1}"]),
    ("int4[]", &["{1,2,NULL}", "{}"]),
    ("text[]", &["{a,\"b c\",\"\",NULL,\"null\",\"q\\\"\\\\\"}"]),
    ("uuid[]", &["{123e4567-e89b-12d3-a456-426614174000}"]),
    ("numeric[]", &["{1.50,-2}"]),
];

fn ask(engine: &mut Postgres, sql: &str, params: &[Value]) -> Vec<Value> {
    let session = engine.connect().unwrap();
    let reply = engine.submit(session, sql, params).unwrap();
    let Reply::Done(done) = reply else { panic!("it waits for no other session") };
    let rows = done.result.unwrap_or_else(|error| panic!("{sql}: {error}")).rows;
    engine.close(session);
    rows[0].to_vec()
}

#[test]
#[cfg_attr(not(live_postgres), ignore = "needs a PostgreSQL server: apt-get install postgresql")]
fn binary_values_read_as_the_server_prints_them() {
    let server = server();
    let mut engine = Postgres::new(&server).unwrap();
    let schema = "CREATE TYPE mood AS ENUM ('sad', 'fine'); CREATE DOMAIN small AS int CHECK (VALUE < 10);";
    engine.open(&Rc::new(InitialState::new(schema, Vec::new())), Seed(1)).unwrap();
    for (name, samples) in SAMPLES {
        for sample in samples {
            // The parameter is sent in binary; the literal is parsed by the server itself.
            let literal = sample.replace('\'', "''");
            let sql = format!(
                "SELECT $1::{name}, '{literal}'::{name}, $1::{name}::text, '{literal}'::{name}::text"
            );
            let back = ask(&mut engine, &sql, &[Value::from(*sample)]);
            let mut told = |value: &Value| match value {
                Value::Bool(truth) => truth.to_string(),
                Value::Timestamp(_) => {
                    // The kernel has only the number, so the server formats it.
                    let text = ask(&mut engine, "SELECT $1::timestamptz::text", std::slice::from_ref(value));
                    text[0].text().unwrap_or_default().to_owned()
                }
                Value::Integer(number) => number.to_string(),
                other => other.text().unwrap_or_default().to_owned(),
            };
            let expected = back[3].text().unwrap().to_owned();
            assert_eq!(back[2].text(), Some(&*expected), "{name} {sample}: as it was sent");
            assert_eq!(told(&back[0]), expected, "{name} {sample}: there and back");
            assert_eq!(told(&back[1]), expected, "{name} {sample}: back");
        }
    }
    let sql = "SELECT $1::mood, $2::small, $3::bytea, $4::int, $5::bool, $6::bytea";
    let sent =
        ["fine".into(), 7.into(), Value::Blob(Rc::from([0, 255])), Value::Null, 1.into(), "\\xff".into()];
    let back = ask(&mut engine, sql, &sent);
    let bytes = Value::Blob(Rc::from([255]));
    assert_eq!(back, ["fine".into(), 7.into(), sent[2].clone(), Value::Null, true.into(), bytes]);
}
