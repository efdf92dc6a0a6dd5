//! Backfill only rows that have both values.
//!
//! Ours: the fourth push with another predicate. The index and every reader of the columns need both values, so a row
//! with only the agent is better left as it is. What was wrong: the predicate tests one of the two keys. What changes:
//! it tests both values; and the lock timeout of 30 s is set again after the backfill, as in the first three pushes.
//! Everything else is as in `procedure_not_null`.
//!
//! A reviewer should ask, as before: where does each chunk start to search?

use retrial_sim::scenario::KnownFailure;

use super::super::{File, Migration, known_failures};
use super::procedure_not_null::INDEX;

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
    known_failures::QUEUE_BEHIND_ALTER,
    known_failures::HALF_BUILT_INDEX,
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
                AND action_input->>'agentId' IS NOT NULL AND action_input->>'conversationId' IS NOT NULL
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
";
