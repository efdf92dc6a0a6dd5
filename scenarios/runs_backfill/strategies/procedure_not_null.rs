//! Backfill rows whose key has a value, and build the index in a file of its own.
//!
//! The fourth push. What was wrong: one row with `{"agentId": null}` kept the loop going for ever. What changes: the
//! predicate asks for the value instead of the key; and the index is built CONCURRENTLY, by a file that is a single
//! statement, so that writers go on meanwhile.
//!
//! A reviewer asked: each chunk looks for its rows from the beginning of the table, past all that is done: what is that
//! in millions of rows?

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
const BREAKS: &[Break] = &[
    breaks::RESCAN,
    breaks::ONE_KEY,
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
            SELECT id FROM runs WHERE agent_id IS NULL AND action_input->>'agentId' IS NOT NULL LIMIT v_chunk
        );
        GET DIAGNOSTICS v_rows = ROW_COUNT;
        COMMIT;
        EXIT WHEN v_rows = 0;
    END LOOP;
END $$;
CALL pg_temp.backfill_runs();
DROP PROCEDURE pg_temp.backfill_runs();
";

/// The file that builds the index.
pub(super) const INDEX: &str = "-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY IF NOT EXISTS runs_agent_conv_idx ON runs (agent_id, conversation_id, id DESC)
    WHERE agent_id IS NOT NULL AND conversation_id IS NOT NULL;
";
