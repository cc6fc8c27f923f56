-- +goose Up
-- Tries at a log-in, by the hash of who or where, and log-ins that were begun.
CREATE TABLE tries (
    name  TEXT    NOT NULL PRIMARY KEY,
    n     INTEGER NOT NULL,
    last  INTEGER NOT NULL,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tries_last ON tries (last);
