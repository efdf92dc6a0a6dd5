//! Add the columns with a short lock timeout, and retry.
//!
//! Ours: `columns_only` with one line changed. What was wrong: ADD COLUMN itself is instant, but while it waits for an
//! open transaction on the table, all other statements queue behind it, for up to its lock timeout. What changes: the
//! timeout is shorter than a request may take, and a migration that times out is run again.
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
