-- +goose Up
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
    enrolled_at   BIGINT NOT NULL DEFAULT 0,
    first_seen    BIGINT NOT NULL DEFAULT 0,
    last_seen     BIGINT NOT NULL DEFAULT 0,
    interval_ms   BIGINT NOT NULL DEFAULT 0,
    stopped_at    BIGINT NOT NULL DEFAULT 0,
    silent_since  BIGINT NOT NULL DEFAULT 0,
    trouble       TEXT   NOT NULL DEFAULT '',
    heartbeat     TEXT,
    log_seq       BIGINT NOT NULL DEFAULT 0,
    log_head      TEXT   NOT NULL DEFAULT '',
    got_seq       BIGINT NOT NULL DEFAULT 0,
    got_digest    TEXT   NOT NULL DEFAULT '',
    alerts        BIGINT NOT NULL DEFAULT 0,
    rejected      BIGINT NOT NULL DEFAULT 0,
    conflicts     BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX agents_group     ON agents (group_name, agent_uid);
CREATE INDEX agents_last_seen ON agents (last_seen);

-- Keys of all alerts that were ever stored, also of those that have expired.
CREATE TABLE alert_keys (
    agent_uid  TEXT NOT NULL,
    record_uid TEXT NOT NULL,
    digest     TEXT NOT NULL,
    PRIMARY KEY (agent_uid, record_uid)
);

CREATE TABLE alerts (
    agent_uid   TEXT   NOT NULL,
    record_uid  TEXT   NOT NULL,
    seq         BIGINT NOT NULL, -- order of commit
    id          TEXT   NOT NULL,
    digest      TEXT   NOT NULL,
    group_name  TEXT   NOT NULL,
    received_at BIGINT NOT NULL,
    time        BIGINT NOT NULL,
    hostname    TEXT   NOT NULL,
    level       TEXT   NOT NULL,
    brand       TEXT   NOT NULL,
    rule        TEXT   NOT NULL,
    score       BIGINT NOT NULL,
    severity    BIGINT NOT NULL,
    path        TEXT   NOT NULL,
    sha256      TEXT   NOT NULL,
    user_name   TEXT   NOT NULL,
    host        TEXT   NOT NULL,
    signer      TEXT   NOT NULL,
    finding_id  TEXT   NOT NULL,
    finding_key TEXT   NOT NULL,
    landed      BIGINT NOT NULL,
    status      TEXT   NOT NULL,
    disposition TEXT   NOT NULL DEFAULT '',
    assignee    TEXT   NOT NULL DEFAULT '',
    closed_at   BIGINT NOT NULL DEFAULT 0,
    exception   TEXT   NOT NULL DEFAULT '',
    record      TEXT   NOT NULL,
    PRIMARY KEY (agent_uid, record_uid)
);
CREATE INDEX alerts_seq      ON alerts (seq);
CREATE INDEX alerts_id       ON alerts (id);
CREATE INDEX alerts_received ON alerts (received_at);
CREATE INDEX alerts_status   ON alerts (status, seq);
CREATE INDEX alerts_key      ON alerts (finding_key, seq);
CREATE INDEX alerts_sha256   ON alerts (sha256, seq);
CREATE INDEX alerts_rule     ON alerts (rule, seq);
CREATE INDEX alerts_hostname ON alerts (hostname, seq);
CREATE INDEX alerts_group    ON alerts (group_name, seq);

CREATE TABLE alert_events (
    agent_uid  TEXT   NOT NULL,
    record_uid TEXT   NOT NULL,
    id         TEXT   NOT NULL,
    at         BIGINT NOT NULL,
    who        TEXT   NOT NULL,
    action     TEXT   NOT NULL,
    note       TEXT   NOT NULL,
    PRIMARY KEY (agent_uid, record_uid, id)
);

-- A second record under a uid that is taken.
CREATE TABLE conflicts (
    agent_uid   TEXT   NOT NULL,
    record_uid  TEXT   NOT NULL,
    digest      TEXT   NOT NULL,
    received_at BIGINT NOT NULL, -- of the first time
    record      TEXT   NOT NULL,
    PRIMARY KEY (agent_uid, record_uid, digest)
);

-- Records that cannot be stored, cut to 64 KiB.
CREATE TABLE dead_letters (
    agent_uid   TEXT   NOT NULL,
    digest      TEXT   NOT NULL, -- of the whole record
    record_uid  TEXT   NOT NULL,
    reason      TEXT   NOT NULL,
    received_at BIGINT NOT NULL, -- of the first time
    size        BIGINT NOT NULL, -- bytes of the whole record
    record      BYTEA  NOT NULL, -- may be cut, and may be no text
    PRIMARY KEY (agent_uid, digest)
);
CREATE INDEX dead_letters_received ON dead_letters (received_at);

-- Certificates and bearer secrets by their SHA-256. agent_uid stands first for
-- distribution; hash has an index of its own because requests name only it.
CREATE TABLE credentials (
    agent_uid  TEXT   NOT NULL,
    hash       TEXT   NOT NULL,
    kind       TEXT   NOT NULL,
    issued_at  BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (agent_uid, hash)
);
CREATE INDEX credentials_hash ON credentials (hash);

CREATE TABLE tokens (
    id          TEXT   NOT NULL PRIMARY KEY,
    secret_hash TEXT   NOT NULL UNIQUE,
    group_name  TEXT   NOT NULL,
    note        TEXT   NOT NULL,
    created_by  TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    max_uses    BIGINT NOT NULL,
    uses        BIGINT NOT NULL DEFAULT 0,
    last_used   BIGINT NOT NULL DEFAULT 0,
    last_by     TEXT   NOT NULL DEFAULT '',
    revoked_at  BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE users (
    id            TEXT   NOT NULL PRIMARY KEY,
    name          TEXT   NOT NULL UNIQUE,
    role          TEXT   NOT NULL,
    groups        TEXT   NOT NULL, -- JSON list
    password_hash TEXT   NOT NULL,
    totp          BYTEA,
    totp_step     BIGINT NOT NULL DEFAULT 0,
    recovery      TEXT   NOT NULL DEFAULT '[]', -- JSON list of hashes
    subject       TEXT   NOT NULL,
    disabled      BIGINT NOT NULL DEFAULT 0,
    must_change   BIGINT NOT NULL DEFAULT 0,
    created_at    BIGINT NOT NULL,
    last_login    BIGINT NOT NULL DEFAULT 0,
    change        BIGINT NOT NULL DEFAULT 0 -- counts up with each one
);
-- Names that differ in case only are one name; a subject is one account.
CREATE UNIQUE INDEX users_name    ON users (lower(name));
CREATE UNIQUE INDEX users_subject ON users (subject) WHERE subject <> '';

CREATE TABLE sessions (
    hash       TEXT   NOT NULL PRIMARY KEY,
    user_id    TEXT   NOT NULL,
    kind       TEXT   NOT NULL,
    note       TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    address    TEXT   NOT NULL,
    client     TEXT   NOT NULL
);
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
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at   BIGINT NOT NULL DEFAULT 0,
    ended_by   TEXT   NOT NULL DEFAULT '',
    hits       BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE leases (
    name  TEXT   NOT NULL PRIMARY KEY,
    owner TEXT   NOT NULL,
    until BIGINT NOT NULL
);

CREATE TABLE cursors (
    name       TEXT   NOT NULL PRIMARY KEY,
    seq        BIGINT NOT NULL,
    sent       BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    error      TEXT   NOT NULL,
    failed_at  BIGINT NOT NULL
);

CREATE TABLE jobs (
    id         TEXT   NOT NULL PRIMARY KEY,
    kind       TEXT   NOT NULL,
    who        TEXT   NOT NULL,
    params     TEXT   NOT NULL,
    state      TEXT   NOT NULL,
    total      BIGINT NOT NULL,
    done       BIGINT NOT NULL,
    changed    BIGINT NOT NULL,
    error      TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE settings (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE audit (
    id      TEXT   NOT NULL PRIMARY KEY,
    at      BIGINT NOT NULL,
    who     TEXT   NOT NULL,
    action  TEXT   NOT NULL,
    target  TEXT   NOT NULL,
    detail  TEXT   NOT NULL,
    address TEXT   NOT NULL
);

-- The number of the newest alert. Its row is locked from the moment a batch
-- takes its numbers to the commit, which makes seq the order of commits.
CREATE TABLE counter (
    name  TEXT   NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO counter (name, value) VALUES ('alerts', 0);
