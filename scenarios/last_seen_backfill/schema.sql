-- The project's tables before the migration runs: cmd/ingestor/db.go and internal/dbschema/dbschema.go at 816062ba.
-- Times are numbers here, and unused columns are left out.
CREATE TABLE transmissions (
    id         INTEGER PRIMARY KEY,
    first_seen INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE observations (
    id              INTEGER PRIMARY KEY,
    transmission_id INTEGER NOT NULL REFERENCES transmissions (id),
    timestamp       INTEGER NOT NULL
);
CREATE INDEX idx_observations_transmission_id ON observations (transmission_id);

CREATE TABLE _async_migrations (
    name           TEXT PRIMARY KEY,
    status         TEXT NOT NULL,
    error          TEXT,
    rows_processed INTEGER NOT NULL DEFAULT 0,
    rows_total     INTEGER NOT NULL DEFAULT 0,
    last_update_at INTEGER
);
