-- +goose Up
-- Texts have the collation "C": they compare as in SQLite, and an index stays
-- right when a standby with another C library takes over.
--
-- Times are milliseconds since 1970 in UTC, 0 for none. Every unique key of a
-- table that grows with the fleet begins with agent_uid.
-- A heartbeat changes no column that has an index, and pages have room, so that
-- PostgreSQL writes it into the page where the agent is (HOT). Silent agents are
-- found by reading all, which is once in a while.
CREATE TABLE agents (
    agent_uid     TEXT COLLATE "C"   NOT NULL PRIMARY KEY,
    hostname      TEXT COLLATE "C"   NOT NULL,
    os            TEXT COLLATE "C"   NOT NULL,
    version       TEXT COLLATE "C"   NOT NULL,
    rules_version TEXT COLLATE "C"   NOT NULL,
    group_name    TEXT COLLATE "C"   NOT NULL,
    state         TEXT COLLATE "C"   NOT NULL,
    machine_id    TEXT COLLATE "C"   NOT NULL DEFAULT '',
    boot_id       TEXT COLLATE "C"   NOT NULL DEFAULT '',
    enrolled_at   BIGINT NOT NULL DEFAULT 0,
    first_seen    BIGINT NOT NULL DEFAULT 0,
    last_seen     BIGINT NOT NULL DEFAULT 0,
    interval_ms   BIGINT NOT NULL DEFAULT 0,
    stopped_at    BIGINT NOT NULL DEFAULT 0,
    silent_since  BIGINT NOT NULL DEFAULT 0,
    trouble       TEXT COLLATE "C"   NOT NULL DEFAULT '',
    heartbeat     TEXT COLLATE "C",
    log_seq       BIGINT NOT NULL DEFAULT 0,
    log_head      TEXT COLLATE "C"   NOT NULL DEFAULT '',
    got_seq       BIGINT NOT NULL DEFAULT 0,
    got_digest    TEXT COLLATE "C"   NOT NULL DEFAULT '',
    alerts        BIGINT NOT NULL DEFAULT 0,
    rejected      BIGINT NOT NULL DEFAULT 0,
    conflicts     BIGINT NOT NULL DEFAULT 0
) WITH (fillfactor = 60);
CREATE INDEX agents_group     ON agents (group_name, agent_uid);

-- Keys of all alerts that were ever stored, also of those that have expired.
CREATE TABLE alert_keys (
    agent_uid  TEXT COLLATE "C" NOT NULL,
    record_uid TEXT COLLATE "C" NOT NULL,
    digest     TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (agent_uid, record_uid)
);

CREATE TABLE alerts (
    agent_uid   TEXT COLLATE "C"   NOT NULL,
    record_uid  TEXT COLLATE "C"   NOT NULL,
    seq         BIGINT NOT NULL, -- order of commit
    id          TEXT COLLATE "C"   NOT NULL,
    digest      TEXT COLLATE "C"   NOT NULL,
    group_name  TEXT COLLATE "C"   NOT NULL,
    received_at BIGINT NOT NULL,
    time        BIGINT NOT NULL,
    hostname    TEXT COLLATE "C"   NOT NULL,
    level       TEXT COLLATE "C"   NOT NULL,
    brand       TEXT COLLATE "C"   NOT NULL,
    rule        TEXT COLLATE "C"   NOT NULL,
    score       BIGINT NOT NULL,
    severity    BIGINT NOT NULL,
    path        TEXT COLLATE "C"   NOT NULL,
    sha256      TEXT COLLATE "C"   NOT NULL,
    user_name   TEXT COLLATE "C"   NOT NULL,
    host        TEXT COLLATE "C"   NOT NULL,
    signer      TEXT COLLATE "C"   NOT NULL,
    finding_id  TEXT COLLATE "C"   NOT NULL,
    finding_key TEXT COLLATE "C"   NOT NULL,
    landed      BIGINT NOT NULL,
    status      TEXT COLLATE "C"   NOT NULL,
    disposition TEXT COLLATE "C"   NOT NULL DEFAULT '',
    assignee    TEXT COLLATE "C"   NOT NULL DEFAULT '',
    closed_at   BIGINT NOT NULL DEFAULT 0,
    exception   TEXT COLLATE "C"   NOT NULL DEFAULT '',
    record      TEXT COLLATE "C"   NOT NULL,
    PRIMARY KEY (agent_uid, record_uid)
);
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
    agent_uid  TEXT COLLATE "C"   NOT NULL,
    record_uid TEXT COLLATE "C"   NOT NULL,
    id         TEXT COLLATE "C"   NOT NULL,
    at         BIGINT NOT NULL,
    who        TEXT COLLATE "C"   NOT NULL,
    action     TEXT COLLATE "C"   NOT NULL,
    note       TEXT COLLATE "C"   NOT NULL,
    PRIMARY KEY (agent_uid, record_uid, id)
);

-- A second record under a uid that is taken.
CREATE TABLE conflicts (
    agent_uid   TEXT COLLATE "C"   NOT NULL,
    record_uid  TEXT COLLATE "C"   NOT NULL,
    digest      TEXT COLLATE "C"   NOT NULL,
    received_at BIGINT NOT NULL, -- of the first time
    record      TEXT COLLATE "C"   NOT NULL,
    PRIMARY KEY (agent_uid, record_uid, digest)
);

-- Records that cannot be stored, cut to 64 KiB.
CREATE TABLE dead_letters (
    agent_uid   TEXT COLLATE "C"   NOT NULL,
    digest      TEXT COLLATE "C"   NOT NULL, -- of the whole record
    record_uid  TEXT COLLATE "C"   NOT NULL,
    reason      TEXT COLLATE "C"   NOT NULL,
    received_at BIGINT NOT NULL, -- of the first time
    size        BIGINT NOT NULL, -- bytes of the whole record
    record      BYTEA  NOT NULL, -- may be cut, and may be no text
    PRIMARY KEY (agent_uid, digest)
);
CREATE INDEX dead_letters_received ON dead_letters (received_at);

-- Certificates and bearer secrets by their SHA-256. agent_uid stands first for
-- distribution; hash has an index of its own because requests name only it.
CREATE TABLE credentials (
    agent_uid  TEXT COLLATE "C"   NOT NULL,
    hash       TEXT COLLATE "C"   NOT NULL,
    kind       TEXT COLLATE "C"   NOT NULL,
    issued_at  BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (agent_uid, hash)
);
CREATE INDEX credentials_hash ON credentials (hash);

CREATE TABLE tokens (
    id          TEXT COLLATE "C"   NOT NULL PRIMARY KEY,
    secret_hash TEXT COLLATE "C"   NOT NULL UNIQUE,
    group_name  TEXT COLLATE "C"   NOT NULL,
    note        TEXT COLLATE "C"   NOT NULL,
    created_by  TEXT COLLATE "C"   NOT NULL,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    max_uses    BIGINT NOT NULL,
    uses        BIGINT NOT NULL DEFAULT 0,
    last_used   BIGINT NOT NULL DEFAULT 0,
    last_by     TEXT COLLATE "C"   NOT NULL DEFAULT '',
    revoked_at  BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE users (
    id            TEXT COLLATE "C"   NOT NULL PRIMARY KEY,
    name          TEXT COLLATE "C"   NOT NULL UNIQUE,
    role          TEXT COLLATE "C"   NOT NULL,
    groups        TEXT COLLATE "C"   NOT NULL, -- JSON list
    password_hash TEXT COLLATE "C"   NOT NULL,
    totp          BYTEA,
    totp_step     BIGINT NOT NULL DEFAULT 0,
    recovery      TEXT COLLATE "C"   NOT NULL DEFAULT '[]', -- JSON list of hashes
    subject       TEXT COLLATE "C"   NOT NULL,
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
    hash       TEXT COLLATE "C"   NOT NULL PRIMARY KEY,
    user_id    TEXT COLLATE "C"   NOT NULL,
    kind       TEXT COLLATE "C"   NOT NULL,
    note       TEXT COLLATE "C"   NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    address    TEXT COLLATE "C"   NOT NULL,
    client     TEXT COLLATE "C"   NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE exceptions (
    id         TEXT COLLATE "C"   NOT NULL PRIMARY KEY,
    group_name TEXT COLLATE "C"   NOT NULL,
    sha256     TEXT COLLATE "C"   NOT NULL,
    rule       TEXT COLLATE "C"   NOT NULL,
    brand      TEXT COLLATE "C"   NOT NULL,
    signer     TEXT COLLATE "C"   NOT NULL,
    host       TEXT COLLATE "C"   NOT NULL,
    path       TEXT COLLATE "C"   NOT NULL,
    hostname   TEXT COLLATE "C"   NOT NULL,
    why        TEXT COLLATE "C"   NOT NULL,
    who        TEXT COLLATE "C"   NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at   BIGINT NOT NULL DEFAULT 0,
    ended_by   TEXT COLLATE "C"   NOT NULL DEFAULT '',
    hits       BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE leases (
    name  TEXT COLLATE "C"   NOT NULL PRIMARY KEY,
    owner TEXT COLLATE "C"   NOT NULL,
    until BIGINT NOT NULL
);

CREATE TABLE cursors (
    name       TEXT COLLATE "C"   NOT NULL PRIMARY KEY,
    seq        BIGINT NOT NULL,
    sent       BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    error      TEXT COLLATE "C"   NOT NULL,
    failed_at  BIGINT NOT NULL
);

CREATE TABLE jobs (
    id         TEXT COLLATE "C"   NOT NULL PRIMARY KEY,
    kind       TEXT COLLATE "C"   NOT NULL,
    who        TEXT COLLATE "C"   NOT NULL,
    params     TEXT COLLATE "C"   NOT NULL,
    state      TEXT COLLATE "C"   NOT NULL,
    total      BIGINT NOT NULL,
    done       BIGINT NOT NULL,
    changed    BIGINT NOT NULL,
    error      TEXT COLLATE "C"   NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE settings (
    name  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value TEXT COLLATE "C" NOT NULL
);

CREATE TABLE audit (
    id      TEXT COLLATE "C"   NOT NULL PRIMARY KEY,
    at      BIGINT NOT NULL,
    who     TEXT COLLATE "C"   NOT NULL,
    action  TEXT COLLATE "C"   NOT NULL,
    target  TEXT COLLATE "C"   NOT NULL,
    detail  TEXT COLLATE "C"   NOT NULL,
    address TEXT COLLATE "C"   NOT NULL
);

-- The number of the newest alert. Its row is locked from the moment a batch
-- takes its numbers to the commit, which makes seq the order of commits.
CREATE TABLE counter (
    name  TEXT COLLATE "C"   NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO counter (name, value) VALUES ('alerts', 0);
