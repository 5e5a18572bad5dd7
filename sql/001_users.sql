-- Every time is in milliseconds since the Unix epoch; it and every id (UUIDv7) come from the program.

CREATE TABLE users (
  id                  TEXT   NOT NULL PRIMARY KEY,
  -- Normalised by the program, so that equal addresses are equal text.
  email               TEXT   NOT NULL UNIQUE,
  password_hash       TEXT   NOT NULL,
  password_changed_at BIGINT NOT NULL,
  created_at          BIGINT NOT NULL,
  disabled_at         BIGINT
);
