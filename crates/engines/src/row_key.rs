//! Row keys: one number per row, the same on every Postgres engine. If the primary key is a single integer, the row key
//! is that integer. Otherwise it is a digest of the texts of the key's values, or of all values where there is no
//! primary key (FNV-1a, <http://www.isthe.com/chongo/tech/comp/fnv/>).

use std::fmt::{self, Write as _};

use retrial_engine::Value;

/// The row's key, from the values of its primary key, or from all of its values where it has none.
pub(crate) fn row_key(key: &[Value]) -> i64 {
    if let [Value::Integer(number)] = key {
        return *number;
    }
    let mut digest = Fnv(0xcbf2_9ce4_8422_2325);
    for value in key {
        let written = match value {
            // Same bytes as `Display`, without the formatting machinery: most keys are numbers or texts.
            Value::Text(text) => ["'", text, "'"].into_iter().try_for_each(|part| digest.write_str(part)),
            value => write!(digest, "{value}"),
        };
        // The separator distinguishes ('a', 'bc') from ('ab', 'c').
        written.and_then(|()| digest.write_char('\0')).expect("a digest takes everything in");
    }
    digest.0 as i64
}

struct Fnv(u64);

impl fmt::Write for Fnv {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Ok(())
    }
}
