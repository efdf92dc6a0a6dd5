//! A message as a consumer has it in hand.

use std::rc::Rc;

use crate::engine::Value;
use crate::trace::{Attempt, Field, Record};

/// A message delivered to a consumer.
#[derive(Debug)]
pub struct Delivery<M> {
    /// The message's number, in sending order.
    pub message: u64,
    /// The number of this attempt, from 1.
    pub attempt: u32,
    /// The message.
    pub body: Rc<M>,
    pub(super) receipt: u64,
}

impl<M> Delivery<M> {
    pub(super) fn number(&self) -> Attempt {
        Attempt { message: self.message, attempt: self.attempt }
    }
}

impl<M> Record for Delivery<M> {
    fn record(&self) -> Vec<Field> {
        record(self.number())
    }
}

pub(super) fn record(Attempt { message, attempt }: Attempt) -> Vec<Field> {
    vec![("message", Value::Integer(message as i64)), ("attempt", Value::Integer(i64::from(attempt)))]
}
