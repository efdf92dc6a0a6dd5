//! Specs on the model and on a live server, compared with PostgreSQL's own tester.

mod anomalies;
mod failing;
mod original;
