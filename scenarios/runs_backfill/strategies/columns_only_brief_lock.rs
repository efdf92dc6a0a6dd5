//! Add the columns with a lock timeout that traffic can bear, and try again.
//!
//! Ours: `columns_only`, but for one line. What was wrong: ADD COLUMN itself takes no time, yet while it waits for a
//! transaction that is open on the table, everybody else queues behind it, for as long as its lock timeout. What
//! changes: the timeout is shorter than a request may take, and a migration that met it is run again.
//!
//! A reviewer should ask: who runs it again, and how often?

use retrial_sim::scenario::KnownFailure;

use super::super::{File, Migration, known_failures};

pub(super) struct Strategy;

impl Migration for Strategy {
    fn files(&self) -> &'static [File] {
        &FILES
    }

    fn known_failures(&self) -> &'static [KnownFailure] {
        KNOWN_FAILURES
    }
}

/// Seen in trials, with the reason.
const KNOWN_FAILURES: &[KnownFailure] = &[known_failures::STARVES, known_failures::NO_ORGANIZATION];

static FILES: [File; 1] = [File::new("20260518050000", UP)];

const UP: &str = "-- migrate:up
SET lock_timeout = '50ms';
ALTER TABLE public.runs
    ADD COLUMN IF NOT EXISTS agent_id text,
    ADD COLUMN IF NOT EXISTS conversation_id text;
";
