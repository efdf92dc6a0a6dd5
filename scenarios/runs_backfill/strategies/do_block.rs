//! Backfill in chunks, each step committing independently, and fall back on the document.
//!
//! The second push. What was wrong: one transaction kept everyone out of runs until it ended. What changes: no
//! transaction around the file, a DO block that fills a chunk at a time, an index led by the agent, and a verifier that
//! falls back on the document where a column is null, so that the order of deployment does not matter.
//!
//! A reviewer asked: a DO block is one transaction whatever it loops over; which step commits?

use retrial_sim::anomaly::Anomaly;
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
    breaks::ONE_COMMIT,
    breaks::RESCAN,
    breaks::BLOCKED_BY_BACKFILL,
    breaks::NULL_KEY,
    breaks::ONE_KEY,
    Break {
        invariant: "rerun_is_safe",
        anomalies: &[Anomaly::FalseReport],
        from: "killed",
        rarely: None,
        because: "no transaction takes the columns back any more, and ADD COLUMN fails over them",
    },
    Break {
        invariant: "lock_timeout_is_honoured",
        anomalies: &[Anomaly::Starvation],
        from: "all",
        rarely: None,
        because: "the backfill has no lock timeout, and waits for as long as a worker has its row",
    },
];

static FILES: [File; 1] = [File::new("20260518050000", UP)];

/// The columns are added as in the first push, where the transaction took them back if anything failed.
const UP: &str = "-- migrate:up transaction:false
SET lock_timeout = '30s';
ALTER TABLE runs ADD COLUMN agent_id text, ADD COLUMN conversation_id text;
SET lock_timeout = 0;
DO $$
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
        EXIT WHEN v_rows = 0;
    END LOOP;
END $$;
SET lock_timeout = '30s';
CREATE INDEX IF NOT EXISTS runs_agent_conv_idx ON runs (agent_id, conversation_id, id DESC)
    WHERE agent_id IS NOT NULL AND conversation_id IS NOT NULL;
";
