//! Backfill in a procedure that commits after each chunk.
//!
//! The third push. What was wrong: a DO block holds every row it has filled until it ends. What changes: a temporary
//! procedure, which may COMMIT in its loop, so that each chunk's row locks fall before the next chunk is taken.
//!
//! A reviewer asked: what of a row with `{"agentId": null}`? It has the key, so it matches; its value is null, so the
//! column stays null, and it matches again.

use retrial_sim::scenario::Break;

use super::super::{File, Migration, breaks};

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
const BREAKS: &[Break] = &[breaks::RESCAN, breaks::NULL_KEY, breaks::ONE_KEY, breaks::QUEUE_BEHIND_ALTER];

static FILES: [File; 1] = [File::new("20260518050000", UP)];

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
            SELECT id FROM runs WHERE agent_id IS NULL AND action_input ? 'agentId' LIMIT v_chunk
        );
        GET DIAGNOSTICS v_rows = ROW_COUNT;
        COMMIT;
        EXIT WHEN v_rows = 0;
    END LOOP;
END $$;
CALL pg_temp.backfill_runs();
DROP PROCEDURE pg_temp.backfill_runs();
CREATE INDEX IF NOT EXISTS runs_agent_conv_idx ON runs (agent_id, conversation_id, id DESC)
    WHERE agent_id IS NOT NULL AND conversation_id IS NOT NULL;
";
