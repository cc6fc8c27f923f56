-- +goose Up
-- Tries at a log-in, by the hash of who or where, and log-ins that were begun.
CREATE TABLE tries (
    name  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    n     BIGINT NOT NULL,
    last  BIGINT NOT NULL,
    until BIGINT NOT NULL
);
CREATE INDEX tries_last ON tries (last);
