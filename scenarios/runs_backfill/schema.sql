CREATE SEQUENCE runs_id_seq START 101;
CREATE TABLE runs (
    id bigint PRIMARY KEY DEFAULT nextval('runs_id_seq'),
    organization_id text,
    action_input jsonb,
    status text NOT NULL DEFAULT 'pending'
);
CREATE TABLE schema_migrations (
    version varchar(128) PRIMARY KEY
);
