//! Breaks that several candidates own up to, each told once. Seen in trials, with the reason.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::scenario::Break;

pub(super) const OUT_OF_ORDER: Break = Break {
    invariant: "last_message_stands",
    anomalies: &[Anomaly::StaleOverwrite],
    from: "calm",
    rarely: None,
    because: "the queue promises no order, and the object takes for new whatever comes last",
};

pub(super) const NOTHING_LEFT_TO_TELL: Break = Break {
    invariant: "no_lost_write_on_retry",
    anomalies: &[Anomaly::LostAcknowledgement, Anomaly::StaleOverwrite],
    from: "retry",
    rarely: None,
    because: "the queue delivers the message again, but the object has stored its values already and tells only what \
              differs, which is nothing",
};

pub(super) const WRITTEN_IN_THE_OTHER_ORDER: Break = Break {
    invariant: "no_stale_overwrite",
    anomalies: &[Anomaly::StaleOverwrite],
    from: "concurrent",
    rarely: None,
    because: "two consumers write what the object has told them in the other order, and nothing in \
              the row says which is newer",
};

pub(super) const THE_OLDER_STAYS: Break = Break {
    invariant: "no_lost_write_on_retry",
    anomalies: &[Anomaly::StaleOverwrite, Anomaly::LostAcknowledgement],
    from: "concurrent",
    rarely: Some("crash"),
    because: "two consumers write in the other order and the older state stays; or the object handles a \
              request late whose caller has given up, and nobody is left to be told",
};

pub(super) const HANDLED_TOO_LATE: Break = Break {
    invariant: "no_lost_write_on_retry",
    anomalies: &[Anomaly::LostAcknowledgement, Anomaly::StaleOverwrite],
    from: "crash",
    rarely: Some("crash"),
    because: "the object handles a request late whose caller has given up: it goes back to an old \
              message, and nobody is left to be told",
};

pub(super) const CARRIES_EVERYTHING_ALONG: Break = Break {
    invariant: "no_overwrite_of_concurrent_fields",
    anomalies: &[Anomaly::StaleOverwrite],
    from: "contended",
    rarely: None,
    because: "every message carries the object's whole state along, over what another writer has given the row",
};

pub(super) const OLD_TITLE_REVIVED: Break = Break {
    invariant: "no_overwrite_of_concurrent_fields",
    anomalies: &[Anomaly::StaleOverwrite],
    from: "all",
    rarely: Some("retry"),
    because: "a message that comes once more brings an old title, which differs from the object's and so is a change",
};

pub(super) const DIES_BEFORE_IT_NOTIFIES: Break = Break {
    invariant: "every_transition_is_notified",
    anomalies: &[Anomaly::Omission],
    from: "crash",
    rarely: None,
    because: "the consumer dies after the commit and before the notification; the next delivery finds nothing to do",
};
