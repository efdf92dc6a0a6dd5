//! Add the columns, and nothing else.
//!
//! Pull request 870 as it was merged: db/migrations/20260518050000_runs_denormalize_agent_conversation.sql at d4691a73.
//! What was wrong: all four backfills that were pushed, and an index that is not needed. What changes: no backfill and
//! no index. ADD COLUMN changes only the catalogue, new runs are inserted with both columns, and the verifier falls
//! back to the document for all other runs.
//!
//! A reviewer should ask: ADD COLUMN takes ACCESS EXCLUSIVE for a moment; how long may it wait for that lock, and what
//! queues behind it?

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
const KNOWN_FAILURES: &[KnownFailure] =
    &[known_failures::QUEUE_BEHIND_ALTER, known_failures::NO_ORGANIZATION];

static FILES: [File; 1] = [File::new("20260518050000", UP)];

const UP: &str = "-- migrate:up
SET lock_timeout = '30s';
ALTER TABLE public.runs
    ADD COLUMN IF NOT EXISTS agent_id text,
    ADD COLUMN IF NOT EXISTS conversation_id text;
";
