//! Footprints: what a step read and wrote of everything that actors share. They decide whether two steps of different
//! actors can be swapped, so they must never leave anything out; a part named too broadly costs only time.

use crate::digest::Digest;

/// How something was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// Looked at: two that look can be swapped.
    Read,
    /// Changed, locked or waited for.
    Write,
}

/// Something that was used: a part of the world, or one item of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Touch {
    /// Which part: a table, a queue, an object, a pool. See [`part`].
    pub part: u64,
    /// Which item of it, a row by its key for instance; none for all of it.
    pub item: Option<u64>,
    /// How.
    pub how: Use,
}

/// The part that stands for everything: whoever writes it can be swapped with nobody.
pub const WORLD: u64 = 0;

/// The number of a part of that kind and name: a digest.
pub fn part(kind: &str, name: &str) -> u64 {
    let mut digest = Digest::default();
    digest.text(kind);
    digest.text(name);
    // 0 is the world.
    digest.0 | 1
}

/// What a step has used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Footprint {
    /// In the order of use, without repetition.
    pub touched: Vec<Touch>,
}

impl Footprint {
    /// Adds a use.
    pub fn add(&mut self, touch: Touch) {
        if !self.touched.contains(&touch) {
            self.touched.push(touch);
        }
    }

    /// Adds a use of a whole part.
    pub fn add_part(&mut self, part: u64, how: Use) {
        self.add(Touch { part, item: None, how });
    }

    /// Adds everything that another has.
    pub fn absorb(&mut self, other: &Footprint) {
        other.touched.iter().for_each(|touch| self.add(*touch));
    }

    /// Whether the order of the two can matter.
    pub fn conflicts(&self, other: &Footprint) -> bool {
        self.touched.iter().any(|one| other.touched.iter().any(|two| meets(one, two)))
    }
}

fn meets(one: &Touch, two: &Touch) -> bool {
    let same = one.part == two.part && (one.item == two.item || one.item.is_none() || two.item.is_none());
    let everything = one.part == WORLD || two.part == WORLD;
    (same && (one.how == Use::Write || two.how == Use::Write)) || everything
}
