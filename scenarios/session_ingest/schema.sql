CREATE TABLE cli_sessions_v2 (
    session_id text PRIMARY KEY,
    title text,
    git_branch text,
    parent_session_id text REFERENCES cli_sessions_v2 (session_id),
    status text,
    status_updated_at timestamptz,
    updated_at timestamptz NOT NULL DEFAULT now()
);
