//! Backfill in a procedure that commits after each chunk.
//!
//! The third push of pull request 870, between 6538ecda and ca7c6873, the same file. What was wrong: a DO block keeps
//! every filled row locked until it ends. What changes: a temporary procedure, which may COMMIT in its loop, so that
//! each chunk's row locks are released before the next chunk is taken. Here an operator runs it with psql, statement by
//! statement; `procedure_under_dbmate` is the same file run by dbmate.
//!
//! A reviewer asked: what about a row with `{"agentId": null}`? It has the key, so it matches; its value is null, so
//! the column stays null, and it matches again. Also, a plain CREATE INDEX blocks writers while it builds.

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
    known_failures::NULL_KEY,
    known_failures::ONE_KEY,
    known_failures::BUILDS_INDEX,
    known_failures::NO_ORGANIZATION,
];

static FILES: [File; 1] = [File::by_hand("20260518050000", UP)];

/// The file. The project's procedure has a longer name.
pub(super) const UP: &str = "-- migrate:up transaction:false
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
                AND action_input ? 'agentId'
              LIMIT chunk_size
         );
        GET DIAGNOSTICS rows_updated = ROW_COUNT;
        EXIT WHEN rows_updated = 0;
        COMMIT;
    END LOOP;
END
$proc$;
CALL pg_temp.backfill_runs();
SET lock_timeout = '30s';
CREATE INDEX IF NOT EXISTS runs_agent_conv_idx
    ON public.runs (agent_id, conversation_id, id DESC)
    WHERE agent_id IS NOT NULL AND conversation_id IS NOT NULL;
";
