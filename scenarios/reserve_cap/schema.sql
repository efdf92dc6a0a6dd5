CREATE TABLE transcripts (
    conversation_id bigint PRIMARY KEY,
    revision bigint NOT NULL DEFAULT 0,
    based_on bigint,
    run_id bigint
);
