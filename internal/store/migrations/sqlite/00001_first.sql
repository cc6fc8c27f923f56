-- +goose Up
PRAGMA application_id = 0x4d474331; -- "MGC1": tells our file from any other

-- Times are milliseconds since 1970 in UTC.
CREATE TABLE agents (
    uid           TEXT    NOT NULL PRIMARY KEY,
    hostname      TEXT    NOT NULL,
    os            TEXT    NOT NULL,
    version       TEXT    NOT NULL,
    rules_version TEXT    NOT NULL,
    first_seen    INTEGER NOT NULL,
    last_seen     INTEGER NOT NULL,
    heartbeat     TEXT,
    alerts        INTEGER NOT NULL DEFAULT 0,
    rejected      INTEGER NOT NULL DEFAULT 0,
    conflicts     INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE alerts (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT, -- order of arrival, never used twice
    id          TEXT    NOT NULL UNIQUE,
    agent_uid   TEXT    NOT NULL REFERENCES agents (uid),
    record_uid  TEXT    NOT NULL,
    digest      TEXT    NOT NULL,
    received_at INTEGER NOT NULL,
    time        INTEGER NOT NULL, -- 0 if the record has none
    hostname    TEXT    NOT NULL,
    level       TEXT    NOT NULL,
    brand       TEXT    NOT NULL,
    rule        TEXT    NOT NULL,
    score       INTEGER NOT NULL,
    path        TEXT    NOT NULL,
    sha256      TEXT    NOT NULL,
    record      TEXT    NOT NULL,
    UNIQUE (agent_uid, record_uid)
) STRICT;

CREATE INDEX alerts_level    ON alerts (level, seq);
CREATE INDEX alerts_brand    ON alerts (brand, seq);
CREATE INDEX alerts_rule     ON alerts (rule, seq);
CREATE INDEX alerts_hostname ON alerts (hostname, seq);
CREATE INDEX alerts_received ON alerts (received_at);

-- A second record under a uid that is taken.
CREATE TABLE conflicts (
    agent_uid   TEXT    NOT NULL REFERENCES agents (uid),
    record_uid  TEXT    NOT NULL,
    digest      TEXT    NOT NULL,
    received_at INTEGER NOT NULL, -- of the first time
    record      TEXT    NOT NULL,
    PRIMARY KEY (agent_uid, record_uid, digest)
) STRICT;

-- Records that cannot be stored, cut to 64 KiB.
CREATE TABLE dead_letters (
    agent_uid   TEXT    NOT NULL REFERENCES agents (uid),
    digest      TEXT    NOT NULL, -- of the whole record
    record_uid  TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    received_at INTEGER NOT NULL, -- of the first time
    size        INTEGER NOT NULL, -- bytes of the whole record
    record      BLOB    NOT NULL, -- may be cut, and may be no text
    PRIMARY KEY (agent_uid, digest)
) STRICT;
