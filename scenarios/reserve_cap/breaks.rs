//! Breaks that several candidates own up to, each told once. Seen in trials, with the reason.
