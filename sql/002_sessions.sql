-- A session is a family of refresh tokens: what one login began, and what access tokens name as their `sid`.
CREATE TABLE sessions (
  id             TEXT   NOT NULL PRIMARY KEY,
  user_id        TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  created_at     BIGINT NOT NULL,
  -- The absolute end, however often its tokens are renewed.
  expires_at     BIGINT NOT NULL,
  revoked_at     BIGINT,
  revoked_reason TEXT
);

CREATE INDEX sessions_user_id ON sessions (user_id);
CREATE INDEX sessions_expires_at ON sessions (expires_at);

-- A chain: each token names the one it replaces. A token is used when another one replaces it, and the
-- unique constraint on `replaces` is what lets exactly one of many parallel uses succeed.
CREATE TABLE refresh_tokens (
  id                TEXT   NOT NULL PRIMARY KEY,
  session_id        TEXT   NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  -- SHA-256. The token itself is nowhere in the database.
  token_hash        TEXT   NOT NULL UNIQUE,
  -- The hash of the token before this one; null for a session's first.
  replaces          TEXT   UNIQUE,
  -- This token, encrypted under the one it replaces, to answer that one again until `grace_until`.
  sealed            TEXT,
  grace_until       BIGINT,
  issued_at         BIGINT NOT NULL,
  -- The idle end: never later than that of the session.
  expires_at        BIGINT NOT NULL,
  -- When the access token that was issued along with it is refused everywhere.
  access_expires_at BIGINT NOT NULL
);

CREATE INDEX refresh_tokens_session_id ON refresh_tokens (session_id);
CREATE INDEX refresh_tokens_expires_at ON refresh_tokens (expires_at);
CREATE INDEX refresh_tokens_grace_until ON refresh_tokens (grace_until) WHERE sealed IS NOT NULL;

-- Sessions whose access tokens must be refused although they have not expired. They outlive a deleted user.
CREATE TABLE revocations (
  session_id TEXT   NOT NULL PRIMARY KEY,
  expires_at BIGINT NOT NULL
);

CREATE INDEX revocations_expires_at ON revocations (expires_at);
