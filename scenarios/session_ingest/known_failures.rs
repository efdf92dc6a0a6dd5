//! Breaks that several candidates own up to, each told once. Seen in trials, with the reason.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::scenario::KnownFailure;

pub(super) const NOTHING_LEFT_TO_TELL: KnownFailure = KnownFailure {
    invariant: "no_lost_write_on_retry",
    anomalies: &[Anomaly::LostAcknowledgement, Anomaly::StaleOverwrite],
    from: "retry",
    rarely: None,
    because: "the queue delivers the message again, but the object has stored its values already and tells only what \
              differs, which is nothing",
};

pub(super) const LEFT_IN_THE_OBJECT: KnownFailure = KnownFailure {
    invariant: "last_message_stands",
    anomalies: &[Anomaly::LostAcknowledgement, Anomaly::StaleOverwrite],
    from: "retry",
    rarely: None,
    because: "what the client said last is in the object, whoever was to write it has failed, and nobody comes for it \
              again",
};

pub(super) const THE_LAST_GOES_UNDER: KnownFailure = KnownFailure {
    invariant: "last_message_stands",
    anomalies: &[Anomaly::StaleOverwrite, Anomaly::LostAcknowledgement],
    from: "concurrent",
    rarely: None,
    because: "two consumers write in the other order, and what was said before stands",
};

pub(super) const THE_PARENT_COMES_TOO_LATE: KnownFailure = KnownFailure {
    invariant: "last_message_stands",
    anomalies: &[Anomaly::LostAcknowledgement],
    from: "late_parent",
    rarely: None,
    because: "the parent's row is not there yet, the row's revision moves on without it, and nobody writes it \
              afterwards; nor does anybody write what all four deliveries have failed to",
};

pub(super) const THE_PARENT_IS_SKIPPED: KnownFailure =
    KnownFailure { invariant: "no_lost_write_on_retry", ..THE_PARENT_COMES_TOO_LATE };

pub(super) const STAMPS_THE_SAME_STATUS: KnownFailure = KnownFailure {
    invariant: "noop_is_silent",
    anomalies: &[Anomaly::DuplicateEffect],
    from: "retry",
    rarely: None,
    because: "a status that the row has already is written and stamped again",
};

pub(super) const EACH_OTHERS_PARENT: KnownFailure = KnownFailure {
    invariant: "no_unhandled_deadlock",
    anomalies: &[Anomaly::Deadlock],
    from: "concurrent",
    rarely: None,
    because: "two sessions that are each other's parent: each locks its own row and waits for the other's; the victim \
              rolls back, and what it was to write is in the object and comes to nobody again",
};

pub(super) const WRITTEN_IN_THE_OTHER_ORDER: KnownFailure = KnownFailure {
    invariant: "no_stale_overwrite",
    anomalies: &[Anomaly::StaleOverwrite],
    from: "concurrent",
    rarely: None,
    because: "two consumers write what the object has told them in the other order, and nothing in \
              the row says which is newer",
};

pub(super) const THE_OLDER_STAYS: KnownFailure = KnownFailure {
    invariant: "no_lost_write_on_retry",
    anomalies: &[Anomaly::StaleOverwrite, Anomaly::LostAcknowledgement],
    from: "concurrent",
    rarely: Some("crash"),
    because: "two consumers write in the other order and the older state stays; or the object handles a \
              request late whose caller has given up, and nobody is left to be told",
};

pub(super) const CARRIES_EVERYTHING_ALONG: KnownFailure = KnownFailure {
    invariant: "no_overwrite_of_concurrent_fields",
    anomalies: &[Anomaly::StaleOverwrite],
    from: "contended",
    rarely: None,
    because: "every message carries the object's whole state along, over what another writer has given the row",
};

pub(super) const STANDS_STILL_WITH_THE_ROW: KnownFailure = KnownFailure {
    invariant: "others_wait_briefly",
    anomalies: &[Anomaly::Starvation],
    from: "redelivery",
    rarely: None,
    because: "a consumer that stands still between two statements of its transaction keeps the row for as long",
};

pub(super) const DIES_BEFORE_IT_NOTIFIES: KnownFailure = KnownFailure {
    invariant: "every_transition_is_notified",
    anomalies: &[Anomaly::Omission],
    from: "crash",
    rarely: None,
    because: "the consumer dies after the commit and before the notification; the next delivery finds nothing to do",
};
