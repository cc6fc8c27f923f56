-- +goose Up
-- The first version knew agents and alerts only. What it kept is moved over: an
-- agent of that time has no certificate and must enrol, its alerts stay.
ALTER TABLE agents RENAME TO agents_1;
ALTER TABLE alerts RENAME TO alerts_1;
DROP INDEX alerts_level;
DROP INDEX alerts_brand;
DROP INDEX alerts_rule;
DROP INDEX alerts_hostname;
DROP INDEX alerts_received;
ALTER TABLE conflicts RENAME TO conflicts_1;
ALTER TABLE dead_letters RENAME TO dead_letters_1;

-- Times are milliseconds since 1970 in UTC, 0 for none. Every unique key of a
-- table that grows with the fleet begins with agent_uid.
CREATE TABLE agents (
    agent_uid     TEXT   NOT NULL PRIMARY KEY,
    hostname      TEXT   NOT NULL,
    os            TEXT   NOT NULL,
    version       TEXT   NOT NULL,
    rules_version TEXT   NOT NULL,
    group_name    TEXT   NOT NULL,
    state         TEXT   NOT NULL,
    machine_id    TEXT   NOT NULL DEFAULT '',
    boot_id       TEXT   NOT NULL DEFAULT '',
    enrolled_at   INTEGER NOT NULL DEFAULT 0,
    first_seen    INTEGER NOT NULL DEFAULT 0,
    last_seen     INTEGER NOT NULL DEFAULT 0,
    interval_ms   INTEGER NOT NULL DEFAULT 0,
    stopped_at    INTEGER NOT NULL DEFAULT 0,
    silent_since  INTEGER NOT NULL DEFAULT 0,
    trouble       TEXT   NOT NULL DEFAULT '',
    heartbeat     TEXT,
    log_seq       INTEGER NOT NULL DEFAULT 0,
    log_head      TEXT   NOT NULL DEFAULT '',
    got_seq       INTEGER NOT NULL DEFAULT 0,
    got_digest    TEXT   NOT NULL DEFAULT '',
    alerts        INTEGER NOT NULL DEFAULT 0,
    rejected      INTEGER NOT NULL DEFAULT 0,
    conflicts     INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX agents_group     ON agents (group_name, agent_uid);

-- Keys of all alerts that were ever stored, also of those that have expired.
CREATE TABLE alert_keys (
    agent_uid  TEXT NOT NULL,
    record_uid TEXT NOT NULL,
    digest     TEXT NOT NULL,
    PRIMARY KEY (agent_uid, record_uid)
) STRICT;

CREATE TABLE alerts (
    agent_uid   TEXT   NOT NULL,
    record_uid  TEXT   NOT NULL,
    seq         INTEGER NOT NULL, -- order of commit
    id          TEXT   NOT NULL,
    digest      TEXT   NOT NULL,
    group_name  TEXT   NOT NULL,
    received_at INTEGER NOT NULL,
    time        INTEGER NOT NULL,
    hostname    TEXT   NOT NULL,
    level       TEXT   NOT NULL,
    brand       TEXT   NOT NULL,
    rule        TEXT   NOT NULL,
    score       INTEGER NOT NULL,
    severity    INTEGER NOT NULL,
    path        TEXT   NOT NULL,
    sha256      TEXT   NOT NULL,
    user_name   TEXT   NOT NULL,
    host        TEXT   NOT NULL,
    signer      TEXT   NOT NULL,
    finding_id  TEXT   NOT NULL,
    finding_key TEXT   NOT NULL,
    landed      INTEGER NOT NULL,
    status      TEXT   NOT NULL,
    disposition TEXT   NOT NULL DEFAULT '',
    assignee    TEXT   NOT NULL DEFAULT '',
    closed_at   INTEGER NOT NULL DEFAULT 0,
    exception   TEXT   NOT NULL DEFAULT '',
    record      TEXT   NOT NULL,
    PRIMARY KEY (agent_uid, record_uid)
) STRICT;
CREATE INDEX alerts_seq      ON alerts (seq);
CREATE INDEX alerts_id       ON alerts (id);
CREATE INDEX alerts_received ON alerts (received_at);
CREATE INDEX alerts_status   ON alerts (status, seq);
CREATE INDEX alerts_expiry   ON alerts (status, received_at);
CREATE INDEX alerts_key      ON alerts (finding_key, seq);
CREATE INDEX alerts_rule     ON alerts (rule, seq);
CREATE INDEX alerts_hostname ON alerts (hostname, seq);
CREATE INDEX alerts_group    ON alerts (group_name, seq);
CREATE INDEX alerts_host     ON alerts (host, seq) WHERE host <> '';
CREATE INDEX alerts_signer   ON alerts (signer, seq) WHERE signer <> '';

CREATE TABLE alert_events (
    agent_uid  TEXT   NOT NULL,
    record_uid TEXT   NOT NULL,
    id         TEXT   NOT NULL,
    at         INTEGER NOT NULL,
    who        TEXT   NOT NULL,
    action     TEXT   NOT NULL,
    note       TEXT   NOT NULL,
    PRIMARY KEY (agent_uid, record_uid, id)
) STRICT;

-- A second record under a uid that is taken.
CREATE TABLE conflicts (
    agent_uid   TEXT   NOT NULL,
    record_uid  TEXT   NOT NULL,
    digest      TEXT   NOT NULL,
    received_at INTEGER NOT NULL, -- of the first time
    record      TEXT   NOT NULL,
    PRIMARY KEY (agent_uid, record_uid, digest)
) STRICT;

-- Records that cannot be stored, cut to 64 KiB.
CREATE TABLE dead_letters (
    agent_uid   TEXT   NOT NULL,
    digest      TEXT   NOT NULL, -- of the whole record
    record_uid  TEXT   NOT NULL,
    reason      TEXT   NOT NULL,
    received_at INTEGER NOT NULL, -- of the first time
    size        INTEGER NOT NULL, -- bytes of the whole record
    record      BLOB  NOT NULL, -- may be cut, and may be no text
    PRIMARY KEY (agent_uid, digest)
) STRICT;
CREATE INDEX dead_letters_received ON dead_letters (received_at);

-- Certificates and bearer secrets by their SHA-256. agent_uid stands first for
-- distribution; hash has an index of its own because requests name only it.
CREATE TABLE credentials (
    agent_uid  TEXT   NOT NULL,
    hash       TEXT   NOT NULL,
    kind       TEXT   NOT NULL,
    issued_at  INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked_at INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (agent_uid, hash)
) STRICT;
CREATE INDEX credentials_hash ON credentials (hash);

CREATE TABLE tokens (
    id          TEXT   NOT NULL PRIMARY KEY,
    secret_hash TEXT   NOT NULL UNIQUE,
    group_name  TEXT   NOT NULL,
    note        TEXT   NOT NULL,
    created_by  TEXT   NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    max_uses    INTEGER NOT NULL,
    uses        INTEGER NOT NULL DEFAULT 0,
    last_used   INTEGER NOT NULL DEFAULT 0,
    last_by     TEXT   NOT NULL DEFAULT '',
    revoked_at  INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE users (
    id            TEXT   NOT NULL PRIMARY KEY,
    name          TEXT   NOT NULL UNIQUE,
    role          TEXT   NOT NULL,
    groups        TEXT   NOT NULL, -- JSON list
    password_hash TEXT   NOT NULL,
    totp          BLOB,
    totp_step     INTEGER NOT NULL DEFAULT 0,
    recovery      TEXT   NOT NULL DEFAULT '[]', -- JSON list of hashes
    subject       TEXT   NOT NULL,
    disabled      INTEGER NOT NULL DEFAULT 0,
    must_change   INTEGER NOT NULL DEFAULT 0,
    created_at    INTEGER NOT NULL,
    last_login    INTEGER NOT NULL DEFAULT 0,
    change        INTEGER NOT NULL DEFAULT 0 -- counts up with each one
) STRICT;
-- Names that differ in case only are one name; a subject is one account.
CREATE UNIQUE INDEX users_name    ON users (lower(name));
CREATE UNIQUE INDEX users_subject ON users (subject) WHERE subject <> '';

CREATE TABLE sessions (
    hash       TEXT   NOT NULL PRIMARY KEY,
    user_id    TEXT   NOT NULL,
    kind       TEXT   NOT NULL,
    note       TEXT   NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    address    TEXT   NOT NULL,
    client     TEXT   NOT NULL
) STRICT;
CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE exceptions (
    id         TEXT   NOT NULL PRIMARY KEY,
    group_name TEXT   NOT NULL,
    sha256     TEXT   NOT NULL,
    rule       TEXT   NOT NULL,
    brand      TEXT   NOT NULL,
    signer     TEXT   NOT NULL,
    host       TEXT   NOT NULL,
    path       TEXT   NOT NULL,
    hostname   TEXT   NOT NULL,
    why        TEXT   NOT NULL,
    who        TEXT   NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ended_at   INTEGER NOT NULL DEFAULT 0,
    ended_by   TEXT   NOT NULL DEFAULT '',
    hits       INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE leases (
    name  TEXT   NOT NULL PRIMARY KEY,
    owner TEXT   NOT NULL,
    until INTEGER NOT NULL
) STRICT;

CREATE TABLE cursors (
    name       TEXT   NOT NULL PRIMARY KEY,
    seq        INTEGER NOT NULL,
    sent       INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    error      TEXT   NOT NULL,
    failed_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE jobs (
    id         TEXT   NOT NULL PRIMARY KEY,
    kind       TEXT   NOT NULL,
    who        TEXT   NOT NULL,
    params     TEXT   NOT NULL,
    state      TEXT   NOT NULL,
    total      INTEGER NOT NULL,
    done       INTEGER NOT NULL,
    changed    INTEGER NOT NULL,
    error      TEXT   NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE settings (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE audit (
    id      TEXT   NOT NULL PRIMARY KEY,
    at      INTEGER NOT NULL,
    who     TEXT   NOT NULL,
    action  TEXT   NOT NULL,
    target  TEXT   NOT NULL,
    detail  TEXT   NOT NULL,
    address TEXT   NOT NULL
) STRICT;

-- The number of the newest alert. Its row is locked from the moment a batch
-- takes its numbers to the commit, which makes seq the order of commits.
CREATE TABLE counter (
    name  TEXT   NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT;
INSERT INTO counter (name, value) VALUES ('alerts', 0);

INSERT INTO agents (agent_uid, hostname, os, version, rules_version, group_name, state, first_seen, last_seen, heartbeat, alerts, rejected, conflicts)
SELECT uid, hostname, os, version, rules_version, 'default', 'active', first_seen, last_seen, heartbeat, alerts, rejected, conflicts FROM agents_1;
INSERT INTO alert_keys (agent_uid, record_uid, digest) SELECT agent_uid, record_uid, digest FROM alerts_1;
-- What the first version did not cut into columns is read from the record, which
-- an agent wrote: only texts without control or bidi characters are taken.
CREATE TEMP VIEW plain_1 AS SELECT a.seq AS seq, j.key AS name, substr(j.value, 1, 256) AS value
FROM alerts_1 AS a, json_each(CASE WHEN json_valid(a.record) THEN json_object(
    'user', json_extract(a.record, '$.unmapped.mg_user'), 'host', json_extract(a.record, '$.unmapped.mg_source_host'),
    'signer', json_extract(a.record, '$.unmapped.mg_signer'), 'finding', json_extract(a.record, '$.finding_info.uid')) ELSE '{}' END) AS j
WHERE j.type = 'text' AND j.value NOT GLOB '*[' || char(1, 45, 31, 127, 45, 159, 1564, 8206, 8207, 8234, 45, 8238, 8294, 45, 8297) || ']*';
INSERT INTO alerts (agent_uid, record_uid, seq, id, digest, group_name, received_at, time, hostname, level, brand, rule, score, severity,
    path, sha256, user_name, host, signer, finding_id, finding_key, landed, status, record)
SELECT agent_uid, record_uid, seq, id, digest, 'default', received_at, time, hostname, level, brand, rule, score,
    CASE WHEN json_valid(record) THEN CASE json_extract(record, '$.severity_id')
        WHEN 1 THEN 1 WHEN 2 THEN 2 WHEN 3 THEN 3 WHEN 4 THEN 4 WHEN 5 THEN 5 WHEN 6 THEN 6 WHEN 99 THEN 99 ELSE 0 END ELSE 0 END,
    path, sha256,
    coalesce((SELECT value FROM plain_1 AS p WHERE p.seq = a.seq AND name = 'user'), ''),
    coalesce((SELECT value FROM plain_1 AS p WHERE p.seq = a.seq AND name = 'host'), ''),
    coalesce((SELECT value FROM plain_1 AS p WHERE p.seq = a.seq AND name = 'signer'), ''),
    coalesce((SELECT value FROM plain_1 AS p WHERE p.seq = a.seq AND name = 'finding'), ''),
    CASE WHEN sha256 <> '' THEN sha256 ELSE 'rule:' || rule END, 0, 'new', record FROM alerts_1 AS a;
DROP VIEW plain_1;
INSERT INTO conflicts SELECT agent_uid, record_uid, digest, received_at, record FROM conflicts_1;
INSERT INTO dead_letters SELECT agent_uid, digest, record_uid, reason, received_at, size, record FROM dead_letters_1;
UPDATE counter SET value = (SELECT coalesce(max(seq), 0) FROM alerts);
DROP TABLE conflicts_1;
DROP TABLE dead_letters_1;
DROP TABLE alerts_1;
DROP TABLE agents_1;
