//! Drop the columns again, and read the document by primary key.
//!
//! Pull request 873. What was wrong: the premise. The verifier looks a run up by its primary key, and taking two keys
//! out of one document is a matter of microseconds; nobody else reads the columns. What changes: they are dropped,
//! the gateway writes the document alone, and the verifier reads it alone.
//!
//! A reviewer should ask: which release is still running when the columns go?

use retrial_sim::anomaly::Anomaly;
use retrial_sim::scenario::Break;

use super::super::gateway::{COALESCE, Gateway, JSON};
use super::super::{File, Migration, breaks};

pub(super) struct Strategy;

impl Migration for Strategy {
    fn files(&self) -> &'static [File] {
        &FILES
    }

    fn before(&self) -> Gateway {
        COALESCE
    }

    fn after(&self) -> Gateway {
        JSON
    }

    fn finds_columns(&self) -> bool {
        true
    }

    fn breaks(&self) -> &'static [Break] {
        BREAKS
    }
}

/// Seen in trials, with the reason.
const BREAKS: &[Break] = &[
    Break {
        invariant: "requests_are_served",
        anomalies: &[Anomaly::LostAcknowledgement, Anomaly::FalseReport],
        from: "rollout",
        rarely: None,
        because: "the release that is still running writes and reads the columns that are gone",
    },
    breaks::QUEUE_BEHIND_ALTER,
];

static FILES: [File; 1] = [File::new("20260518060000", UP)];

const UP: &str = "-- migrate:up
SET LOCAL lock_timeout = '30s';
ALTER TABLE runs DROP COLUMN IF EXISTS agent_id, DROP COLUMN IF EXISTS conversation_id;
";
