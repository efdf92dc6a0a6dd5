//! Backfill page by page along the primary key, with one commit per page.
//!
//! A reviewer's proposal: the fourth review asks for a keyset cursor, and the merged file refers operators to a runbook
//! with one (docs/runbooks/runs-backfill-denormalize.md, which is not archived). What was wrong: every chunk searched
//! from the first row again. What changes: the procedure remembers the last id, takes the next page from there, and
//! fills the rows of the page that have both values and neither column. An operator runs it with psql.
//!
//! A reviewer should ask: who needs the columns filled, once the verifier falls back to the document?

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

static FILES: [File; 1] = [File::by_hand("20260518050000", UP)];

const UP: &str = "-- migrate:up transaction:false
SET lock_timeout = '30s';
ALTER TABLE runs ADD COLUMN IF NOT EXISTS agent_id text, ADD COLUMN IF NOT EXISTS conversation_id text;
CREATE OR REPLACE PROCEDURE pg_temp.backfill_runs() LANGUAGE plpgsql AS $$
DECLARE
    v_chunk bigint := COALESCE(current_setting('lobu.backfill_chunk', true)::bigint, 5000);
    v_after bigint := 0;
    v_until bigint;
BEGIN
    LOOP
        SELECT max(id) INTO v_until
        FROM (SELECT id FROM runs WHERE id > v_after ORDER BY id LIMIT v_chunk) AS page;
        EXIT WHEN v_until IS NULL;
        UPDATE runs
        SET agent_id = action_input->>'agentId', conversation_id = action_input->>'conversationId'
        WHERE id > v_after AND id <= v_until
          AND agent_id IS NULL AND conversation_id IS NULL
          AND action_input->>'agentId' IS NOT NULL AND action_input->>'conversationId' IS NOT NULL;
        COMMIT;
        v_after := v_until;
    END LOOP;
END $$;
CALL pg_temp.backfill_runs();
DROP PROCEDURE pg_temp.backfill_runs();
";
