//! Shrinks the workload, as the JSON in a case: list elements are removed, in large parts and then one by one, optional
//! members are removed, and numbers become the smallest that the scenario draws in that place. Only workloads that the
//! scenario's `check` accepts are tried.
//!
//! proptest's own trees are not used for shrinking: in them a size that another value depends on cannot shrink without
//! redrawing everything below it, lists lose one element at a time, and a case read from a file has no tree. They only
//! provide the numbers that are drawn.

use std::collections::BTreeMap;
use std::ops::Range;

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;

use super::Search;
use crate::scenario::{Conditions, Workload};
use crate::seed::Seed;

/// How many workloads are drawn to find the smallest numbers.
const DRAWN: usize = 32;

impl<W: Workload, S: ?Sized, E: Conditions> Search<'_, W, S, E> {
    pub(super) fn workload(&mut self) {
        let mut index = 0;
        while let Some((list, length)) = nth(&self.value(), index, |place| place.list()) {
            self.elements(&list, length);
            index += 1;
        }
        let mut index = 0;
        while let Some(member) = nth(&self.value(), index, |place| place.member()) {
            let is_gone =
                self.with_value(&member, |_| None) || self.with_value(&member, |_| Some(Value::Null));
            // Once one is removed, the next one has its index.
            index += usize::from(!is_gone);
        }
        self.numbers();
    }

    fn value(&self) -> Value {
        serde_json::from_str(&self.prepared.json).expect("it has been written as JSON")
    }

    /// Removes elements of the list.
    fn elements(&mut self, list: &str, length: usize) {
        let mut part = length;
        while part > 0 {
            let mut end = self.length(list);
            while end > 0 {
                let start = end.saturating_sub(part);
                let mut value = self.value();
                if let Some(Value::Array(items)) = value.pointer_mut(list) {
                    items.drain(Range { start, end });
                }
                self.with_workload(value);
                end = start;
            }
            part /= 2;
        }
    }

    fn length(&self, list: &str) -> usize {
        self.value().pointer(list).and_then(Value::as_array).map_or(0, Vec::len)
    }

    /// Tries the workload with another value in that place, or without one.
    fn with_value(&mut self, place: &str, change: impl FnOnce(&Value) -> Option<Value>) -> bool {
        let mut value = self.value();
        let Some((parent, key)) = place.rsplit_once('/') else { return false };
        let Some(now) = value.pointer(place) else { return false };
        match (change(now), value.pointer_mut(parent)) {
            (None, Some(Value::Object(members))) => {
                members.remove(&plain(key));
            }
            (Some(other), Some(_)) => *value.pointer_mut(place).expect("it is there") = other,
            _ => return false,
        }
        self.with_workload(value)
    }

    /// Lowers numbers to the smallest that are drawn, all at once if that works, else each as far as it goes.
    fn numbers(&mut self) {
        let floors = self.floors();
        let numbers = |value: &Value| {
            let mut found = Vec::new();
            visit(value, &Place::default(), &mut |place| {
                let floor = floors.get(&place.shape).copied();
                if let (Some(number), Some(floor)) = (place.value.and_then(Value::as_i64), floor)
                    && number > floor
                {
                    found.push((place.pointer.clone(), number, floor));
                }
            });
            found
        };
        let mut value = self.value();
        for (pointer, _, floor) in numbers(&value) {
            *value.pointer_mut(&pointer).expect("it is there") = floor.into();
        }
        if self.with_workload(value) {
            return;
        }
        for (pointer, number, floor) in numbers(&self.value()) {
            let mut steps = vec![floor, floor + (number - floor) / 2, number - 1];
            steps.dedup();
            steps.into_iter().any(|step| self.with_value(&pointer, |_| Some(step.into())));
        }
    }

    /// The smallest number that the scenario draws in each place.
    fn floors(&self) -> BTreeMap<String, i64> {
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &Seed(0).named("floors").bytes());
        let mut runner = TestRunner::new_with_rng(Config::default(), rng);
        let strategy = (self.prepared.scenario.workloads)(self.prepared.environment);
        let mut floors = BTreeMap::new();
        for _ in 0..DRAWN {
            let drawn =
                strategy.new_tree(&mut runner).expect("a workload strategy rejects nothing").current();
            let value = serde_json::to_value(&drawn).expect("a workload has string keys only");
            visit(&value, &Place::default(), &mut |place| {
                if let Some(number) = place.value.and_then(Value::as_i64) {
                    let floor = floors.entry(place.shape.clone()).or_insert(number);
                    *floor = number.min(*floor);
                }
            });
        }
        floors
    }
}

/// A value within a workload.
#[derive(Clone, Debug, Default)]
struct Place<'v> {
    /// The JSON pointer to it (RFC 6901).
    pointer: String,
    /// The same with `*` for the indices in outer lists. The last index stays, because it may tell members of a tuple
    /// apart.
    shape: String,
    is_member: bool,
    value: Option<&'v Value>,
}

impl Place<'_> {
    fn list(&self) -> Option<(String, usize)> {
        let items = self.value?.as_array()?;
        Some((self.pointer.clone(), items.len()))
    }

    fn member(&self) -> Option<String> {
        self.is_member.then(|| self.pointer.clone())
    }

    fn member_of(&self, key: &str) -> String {
        format!("{}/{}", self.pointer, key.replace('~', "~0").replace('/', "~1"))
    }
}

/// An unescaped key.
fn plain(key: &str) -> String {
    key.replace("~1", "/").replace("~0", "~")
}

/// Visits all values, outer before inner.
fn visit<'v>(value: &'v Value, place: &Place<'v>, see: &mut dyn FnMut(&Place<'v>)) {
    see(&Place { value: Some(value), ..place.clone() });
    let outer = || place.shape.rsplit_once('/').filter(|(_, last)| last.parse::<usize>().is_ok());
    let shape = outer().map_or(place.shape.clone(), |(outer, _)| format!("{outer}/*"));
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let pointer = format!("{}/{index}", place.pointer);
                let inner =
                    Place { pointer, shape: format!("{shape}/{index}"), is_member: false, value: None };
                visit(item, &inner, see);
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                let pointer = place.member_of(key);
                let inner = Place { pointer, shape: format!("{shape}/{key}"), is_member: true, value: None };
                visit(member, &inner, see);
            }
        }
        _ => {}
    }
}

/// The place of that sort with that index.
fn nth<T>(value: &Value, index: usize, sort: impl Fn(&Place<'_>) -> Option<T>) -> Option<T> {
    let mut found = Vec::new();
    visit(value, &Place::default(), &mut |place| found.extend(sort(place)));
    found.into_iter().nth(index)
}
