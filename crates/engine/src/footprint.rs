//! Footprints: what a step read and wrote of shared state. They decide whether two steps of different actors can be
//! swapped, so nothing may be left out; a part named too broadly costs only time.

use crate::digest::Digest;

/// How something was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// Read: two reads can be swapped.
    Read,
    /// Changed, locked or waited for.
    Write,
}

/// One use of a part of the world, or of one item of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Touch {
    /// The part: a table, a queue, an object, a pool. See [`part`].
    pub part: u64,
    /// The item; none for the whole part.
    pub item: Option<Item>,
    /// How it was used.
    pub how: Use,
}

/// One item of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    /// The rows of a table with a key, by a digest of it.
    Rows(u64),
    /// Anything else that the part has many of.
    Other(u64),
}

/// The part that stands for everything: it conflicts with every use.
pub const WORLD: u64 = 0;

/// The identifier of a part: a digest of its kind and name.
#[inline]
pub fn part(kind: &str, name: &str) -> u64 {
    let mut digest = Digest::default();
    digest.text(kind);
    digest.text(name);
    // 0 is reserved for [`WORLD`].
    digest.0 | 1
}

/// Everything that a step has used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Footprint {
    /// The uses in order, without repetition.
    pub touched: Vec<Touch>,
}

impl Footprint {
    /// Adds a use.
    #[inline]
    pub fn add(&mut self, touch: Touch) {
        if !self.touched.contains(&touch) {
            self.touched.push(touch);
        }
    }

    /// Adds a use of a whole part.
    #[inline]
    pub fn add_part(&mut self, part: u64, how: Use) {
        self.add(Touch { part, item: None, how });
    }

    /// Adds the uses of another footprint.
    #[inline]
    pub fn absorb(&mut self, other: &Footprint) {
        other.touched.iter().for_each(|touch| self.add(*touch));
    }

    /// Whether the order of two steps with these footprints can matter.
    #[inline]
    pub fn conflicts(&self, other: &Footprint) -> bool {
        self.touched.iter().any(|one| other.touched.iter().any(|two| meets(one, two)))
    }
}

#[inline]
fn meets(one: &Touch, two: &Touch) -> bool {
    let same = one.part == two.part && (one.item == two.item || one.item.is_none() || two.item.is_none());
    let everything = one.part == WORLD || two.part == WORLD;
    (same && (one.how == Use::Write || two.how == Use::Write)) || everything
}
