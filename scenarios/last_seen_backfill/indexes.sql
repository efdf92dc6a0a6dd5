-- The two indexes that the migration uses; internal/dbschema/dbschema.go at 816062ba creates them before it starts.
CREATE INDEX idx_tx_last_seen ON transmissions (last_seen);
CREATE INDEX idx_observations_tx_ts ON observations (transmission_id, timestamp);
