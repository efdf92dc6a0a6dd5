//! The write paths on trial, one folder each. They know the kernel and the traits of engines, nothing else.

use retrial_sim::docket::Docket;

pub mod last_seen_backfill;

/// Every scenario.
pub static SCENARIOS: &[&dyn Docket] = &[&last_seen_backfill::LastSeenBackfill];
