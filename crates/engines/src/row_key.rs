//! One number for a row, the same on every Postgres engine: a primary key of one number is that number, any other
//! key, or a whole row where there is none, a digest of its values' texts (FNV-1a, <http://www.isthe.com/chongo/tech/comp/fnv/>).

use retrial_sim::engine::Value;

/// The row's number, from the values of its primary key, or all of its values where it has none.
pub(crate) fn row_key(key: &[Value]) -> i64 {
    if let [Value::Integer(number)] = key {
        return *number;
    }
    let mut digest = 0xcbf2_9ce4_8422_2325_u64;
    for value in key {
        // The separator keeps ('a', 'bc') from ('ab', 'c').
        for byte in value.to_string().bytes().chain([0]) {
            digest = (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    digest as i64
}
