//! Footprints: what a statement read, locked and wrote. They decide whether two steps of different actors can be
//! swapped.
//!
//! A scan reads a whole table, a key lookup one key of it. A footprint must be complete: with an object missing, a
//! search would skip an order that matters.

use retrial_pgmodel_sql::catalog::TableId;
use retrial_pgmodel_sql::value::Value;

/// How an object was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// Read by a snapshot.
    Read,
    /// Locked, or waited for.
    Lock,
    /// Written.
    Write,
}

/// An object that a statement used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Object {
    /// All rows of a table, and its definition.
    Table(TableId),
    /// The rows of a table with a given key: a digest of the index's position and the key's values.
    Key(TableId, u64),
    /// A table's lock: locked if the mode conflicts with reading or writing rows, else read.
    TableLock(TableId),
    /// An advisory lock.
    Advisory(i64),
    /// A sequence, by a digest of its name.
    Sequence(u64),
    /// The order of commits, on which long-lived snapshots depend.
    Commit,
    /// The end of a table, where new versions are appended: scans visit them in that order.
    Tail(TableId),
    /// The wait-for graph.
    Waits,
    /// The shared state of serializable transactions, and the assignment of transaction numbers: serializable
    /// transactions lock it as a whole, others read it.
    Serializable,
    /// The set of definitions by name. A statement whose analysis fails reads it, because it holds no table lock.
    Definitions,
}

/// The objects that a statement used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Footprint {
    /// In the order of use, without repetition.
    pub touched: Vec<(Object, Use)>,
}

impl Footprint {
    pub(crate) fn add(&mut self, object: Object, how: Use) {
        if !self.touched.contains(&(object, how)) {
            self.touched.push((object, how));
        }
    }
}

/// A digest of an index's position and a key (FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/).
pub(crate) fn key_digest(index: usize, key: &[Value]) -> u64 {
    let mut digest = Fnv(0xcbf2_9ce4_8422_2325);
    digest.word(index as u64);
    key.iter().for_each(|value| digest.value(value));
    digest.0
}

/// A digest of a name.
pub(crate) fn name_digest(name: &str) -> u64 {
    let mut digest = Fnv(0xcbf2_9ce4_8422_2325);
    name.bytes().for_each(|byte| digest.byte(byte));
    digest.0
}

struct Fnv(u64);

impl Fnv {
    fn byte(&mut self, byte: u8) {
        self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }

    fn word(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(0x0100_0000_01b3);
        self.0 ^= self.0 >> 32;
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Int(number) => self.word(*number as u64),
            Value::Text(text) => text.bytes().for_each(|byte| self.byte(byte)),
            Value::Uuid(number) => {
                self.word(*number as u64);
                self.word((*number >> 64) as u64);
            }
            Value::Timestamptz(time) | Value::Timestamp(time) => self.word(*time as u64),
            Value::Date(days) => self.word(*days as u64),
            Value::Bool(flag) => self.byte(u8::from(*flag)),
            // Equal keys of other types must have equal digests. Giving all of them the same digest loses precision,
            // not correctness.
            _ => self.byte(7),
        }
    }
}
