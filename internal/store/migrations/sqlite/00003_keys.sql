-- +goose Up
-- The keys are their own index: one page is changed for each, and not two.
ALTER TABLE alert_keys RENAME TO alert_keys_2;
CREATE TABLE alert_keys (
    agent_uid  TEXT NOT NULL,
    record_uid TEXT NOT NULL,
    digest     TEXT NOT NULL,
    PRIMARY KEY (agent_uid, record_uid)
) STRICT, WITHOUT ROWID;
INSERT INTO alert_keys (agent_uid, record_uid, digest)
    SELECT agent_uid, record_uid, digest FROM alert_keys_2 ORDER BY agent_uid, record_uid;
DROP TABLE alert_keys_2;
