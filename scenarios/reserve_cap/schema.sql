CREATE TABLE agent_transcript_snapshot (
    conversation_id bigint NOT NULL,
    run_id bigint NOT NULL,
    based_on bigint,
    PRIMARY KEY (conversation_id, run_id)
);
