//! Backfill rows whose key has a value, and build the index in a file of its own.
//!
//! The fourth push of pull request 870: db/migrations/20260518050000_runs_denormalize_agent_conversation.sql and
//! 20260518050001_runs_agent_conv_index.sql at ca7c6873. What was wrong: one row with `{"agentId": null}` kept the loop
//! running forever. What changes: the predicate tests the value instead of the key; and the index is built
//! CONCURRENTLY, by a file with a single statement, so that writers are not blocked. Here an operator runs the first
//! file with psql; the second is a single statement, which dbmate can send.
//!
//! A reviewer asked: each chunk searches for its rows from the start of the table, past all filled rows; what does that
//! cost with millions of rows?

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
const KNOWN_FAILURES: &[KnownFailure] = &[
    known_failures::RESCAN,
    known_failures::ONE_KEY,
    known_failures::QUEUE_BEHIND_ALTER,
    known_failures::NO_ORGANIZATION,
];

static FILES: [File; 2] = [File::by_hand("20260518050000", UP), File::new("20260518050001", INDEX)];

const UP: &str = "-- migrate:up transaction:false
SET lock_timeout = '30s';
ALTER TABLE public.runs
    ADD COLUMN IF NOT EXISTS agent_id text,
    ADD COLUMN IF NOT EXISTS conversation_id text;
SET lock_timeout = 0;
CREATE OR REPLACE PROCEDURE pg_temp.backfill_runs()
LANGUAGE plpgsql
AS $proc$
DECLARE
    chunk_size int := COALESCE(current_setting('lobu.backfill_chunk', true)::int, 5000);
    rows_updated int;
BEGIN
    LOOP
        UPDATE public.runs
           SET agent_id = action_input->>'agentId',
               conversation_id = action_input->>'conversationId'
         WHERE id IN (
             SELECT id FROM public.runs
              WHERE agent_id IS NULL
                AND action_input->>'agentId' IS NOT NULL
              LIMIT chunk_size
         );
        GET DIAGNOSTICS rows_updated = ROW_COUNT;
        EXIT WHEN rows_updated = 0;
        COMMIT;
    END LOOP;
END
$proc$;
CALL pg_temp.backfill_runs();
";

/// The file that builds the index.
pub(super) const INDEX: &str = "-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY IF NOT EXISTS runs_agent_conv_idx
    ON public.runs (agent_id, conversation_id, id DESC)
    WHERE agent_id IS NOT NULL AND conversation_id IS NOT NULL;
";
