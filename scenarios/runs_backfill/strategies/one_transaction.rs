//! Denormalize agent_id and conversation_id on runs, backfill, and index, for an index-only verifier.
//!
//! Pull request 870 as it was opened: db/migrations/20260518050000_runs_denormalize_agent_conversation.sql at 45feb6c.
//! What was wrong: `isRunOwnedByJwtScope` was believed to scan the table and read every document. What changes: two
//! columns, filled for existing rows by one UPDATE, and an index on them, all in dbmate's single transaction. The lock
//! timeout is 30 s for the DDL and none for the backfill.
//!
//! A reviewer asked: ADD COLUMN's ACCESS EXCLUSIVE is held until the commit; what can write to `runs` meanwhile? And
//! what does a gateway of the old release write into the columns afterwards?

use retrial_sim::anomaly::Anomaly;
use retrial_sim::scenario::KnownFailure;

use super::super::gateway::{Gateway, SCALAR};
use super::super::{File, Migration, known_failures};

pub(super) struct Strategy;

impl Migration for Strategy {
    fn files(&self) -> &'static [File] {
        &FILES
    }

    fn after(&self) -> Gateway {
        SCALAR
    }

    fn known_failures(&self) -> &'static [KnownFailure] {
        KNOWN_FAILURES
    }
}

/// Seen in trials, with the reason.
const KNOWN_FAILURES: &[KnownFailure] = &[
    known_failures::ONE_COMMIT,
    known_failures::BLOCKED_BY_BACKFILL,
    known_failures::ONE_KEY,
    KnownFailure {
        invariant: "verifier_is_right",
        anomalies: &[Anomaly::FalseReport],
        from: "rollout",
        rarely: Some("odd_rows"),
        because: "after the backfill the old release adds a run without the columns, and the new one leaves the \
                  agent's column NULL where it is empty or a number; the new verifier reads only the columns",
    },
];

static FILES: [File; 1] = [File::new("20260518050000", UP)];

const UP: &str = "-- migrate:up
SET lock_timeout = '30s';
ALTER TABLE public.runs
    ADD COLUMN IF NOT EXISTS agent_id text,
    ADD COLUMN IF NOT EXISTS conversation_id text;
SET lock_timeout = 0;
UPDATE public.runs
   SET agent_id = action_input->>'agentId',
       conversation_id = action_input->>'conversationId'
 WHERE agent_id IS NULL
   AND action_input ? 'agentId';
SET lock_timeout = '30s';
CREATE INDEX IF NOT EXISTS runs_agent_conv_idx
    ON public.runs (id, organization_id, agent_id, conversation_id)
    WHERE agent_id IS NOT NULL AND conversation_id IS NOT NULL;
";
