//! Known failures that several strategies share. Observed in trials, each with the reason.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::scenario::KnownFailure;

pub(super) const NOTHING_LEFT_TO_TELL: KnownFailure = KnownFailure {
    invariant: "no_lost_write_on_retry",
    anomalies: &[Anomaly::LostAcknowledgement, Anomaly::StaleOverwrite],
    from: "retry",
    rarely: None,
    because: "the queue redelivers the message, but the object has already stored its values and returns \
              only differences, of which there are none left",
};

pub(super) const LEFT_IN_THE_OBJECT: KnownFailure = KnownFailure {
    invariant: "last_message_stands",
    anomalies: &[Anomaly::LostAcknowledgement, Anomaly::StaleOverwrite],
    from: "retry",
    rarely: None,
    because: "the client's last value is in the object, but the write to Postgres failed and is not retried",
};

pub(super) const THE_LAST_GOES_UNDER: KnownFailure = KnownFailure {
    invariant: "last_message_stands",
    anomalies: &[Anomaly::StaleOverwrite, Anomaly::LostAcknowledgement],
    from: "concurrent",
    rarely: None,
    because: "two consumers write in the reverse order, and the earlier value remains",
};

pub(super) const THE_PARENT_COMES_TOO_LATE: KnownFailure = KnownFailure {
    invariant: "last_message_stands",
    anomalies: &[Anomaly::LostAcknowledgement],
    from: "late_parent",
    rarely: None,
    because: "the parent's row does not exist yet, the row's revision advances without it, and it is not \
              written afterwards; nor is a change whose four deliveries have all failed",
};

pub(super) const THE_PARENT_IS_SKIPPED: KnownFailure =
    KnownFailure { invariant: "no_lost_write_on_retry", ..THE_PARENT_COMES_TOO_LATE };

pub(super) const STAMPS_THE_SAME_STATUS: KnownFailure = KnownFailure {
    invariant: "noop_is_silent",
    anomalies: &[Anomaly::DuplicateEffect],
    from: "retry",
    rarely: None,
    because: "a status that the row already has is written again, with a new timestamp",
};

pub(super) const EACH_OTHERS_PARENT: KnownFailure = KnownFailure {
    invariant: "no_unhandled_deadlock",
    anomalies: &[Anomaly::Deadlock],
    from: "concurrent",
    rarely: None,
    because: "two sessions that are each other's parent: each transaction locks its own row and waits for \
              the other's; the victim rolls back, and the object, which has the change, does not return it \
              again",
};

pub(super) const WRITTEN_IN_THE_OTHER_ORDER: KnownFailure = KnownFailure {
    invariant: "no_stale_overwrite",
    anomalies: &[Anomaly::StaleOverwrite],
    from: "concurrent",
    rarely: None,
    because: "two consumers write the object's answers in the reverse order, and nothing in the row shows \
              which is newer",
};

pub(super) const THE_OLDER_STAYS: KnownFailure = KnownFailure {
    invariant: "no_lost_write_on_retry",
    anomalies: &[Anomaly::StaleOverwrite, Anomaly::LostAcknowledgement],
    from: "concurrent",
    rarely: Some("crash"),
    because: "two consumers write in the reverse order and the older state remains; or the object handles a \
              request late, after its caller has given up, and its answer reaches no consumer",
};

pub(super) const CARRIES_EVERYTHING_ALONG: KnownFailure = KnownFailure {
    invariant: "no_overwrite_of_concurrent_fields",
    anomalies: &[Anomaly::StaleOverwrite],
    from: "contended",
    rarely: None,
    because: "every message writes the object's whole state, over what another writer has put into the row",
};

pub(super) const STANDS_STILL_WITH_THE_ROW: KnownFailure = KnownFailure {
    invariant: "others_wait_briefly",
    anomalies: &[Anomaly::Starvation],
    from: "redelivery",
    rarely: None,
    because: "a consumer that stalls between two statements of its transaction keeps the row locked for as \
              long",
};

pub(super) const DIES_BEFORE_IT_NOTIFIES: KnownFailure = KnownFailure {
    invariant: "every_transition_is_notified",
    anomalies: &[Anomaly::Omission],
    from: "crash",
    rarely: None,
    because: "the consumer crashes after the commit and before the notification; the next delivery finds \
              nothing to do",
};
