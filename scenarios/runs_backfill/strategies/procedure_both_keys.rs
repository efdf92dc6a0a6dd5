//! Backfill rows that have both values, and leave the others alone.
//!
//! What the fourth push says in its title and not in its predicate: the index and every reader of the columns want
//! both, so a row of which only the agent is known is better left as it is. What changes: the predicate asks for both
//! values. Everything else is the fourth push's.
//!
//! A reviewer should ask the same of it: where does each chunk begin to look?

use retrial_sim::scenario::Break;

use super::super::{File, Migration, breaks};
use super::procedure_not_null::INDEX;

pub(super) struct Strategy;

impl Migration for Strategy {
    fn files(&self) -> &'static [File] {
        &FILES
    }

    fn breaks(&self) -> &'static [Break] {
        BREAKS
    }
}

/// Seen in trials, with the reason.
const BREAKS: &[Break] = &[
    breaks::RESCAN,
    breaks::QUEUE_BEHIND_ALTER,
    breaks::TIMEOUT_OF_ANOTHER_SESSION,
    breaks::HALF_BUILT_INDEX,
];

static FILES: [File; 2] = [File::new("20260518050000", UP), File::new("20260518050001", INDEX)];

const UP: &str = "-- migrate:up transaction:false
SET lock_timeout = '30s';
ALTER TABLE runs ADD COLUMN IF NOT EXISTS agent_id text, ADD COLUMN IF NOT EXISTS conversation_id text;
CREATE OR REPLACE PROCEDURE pg_temp.backfill_runs() LANGUAGE plpgsql AS $$
DECLARE
    v_chunk bigint := COALESCE(current_setting('lobu.backfill_chunk', true)::bigint, 5000);
    v_rows bigint;
BEGIN
    LOOP
        UPDATE runs
        SET agent_id = action_input->>'agentId', conversation_id = action_input->>'conversationId'
        WHERE id IN (
            SELECT id FROM runs
            WHERE agent_id IS NULL
              AND action_input->>'agentId' IS NOT NULL AND action_input->>'conversationId' IS NOT NULL
            LIMIT v_chunk
        );
        GET DIAGNOSTICS v_rows = ROW_COUNT;
        COMMIT;
        EXIT WHEN v_rows = 0;
    END LOOP;
END $$;
CALL pg_temp.backfill_runs();
DROP PROCEDURE pg_temp.backfill_runs();
";
