-- A chain, like refresh tokens: of several instances that rotate at once, one adds the next key.
CREATE TABLE signing_keys (
  kid          TEXT   NOT NULL PRIMARY KEY,
  -- The kid of the key before this one; empty for the first, of which there can be only one as well.
  replaces     TEXT   NOT NULL UNIQUE,
  algorithm    TEXT   NOT NULL,
  public_jwk   TEXT   NOT NULL,
  private_part TEXT   NOT NULL,
  created_at   BIGINT NOT NULL,
  -- Published before, signs from then on.
  activates_at BIGINT NOT NULL,
  -- Verifies until then.
  retires_at   BIGINT
);
