//! The write paths on trial, one folder each. They know the kernel and the traits of engines, nothing else.

use retrial_sim::docket::Docket;

pub mod last_seen_backfill;
pub mod session_ingest;

/// Every scenario.
pub static SCENARIOS: &[&dyn Docket] =
    &[&session_ingest::SessionIngest, &last_seen_backfill::LastSeenBackfill];
