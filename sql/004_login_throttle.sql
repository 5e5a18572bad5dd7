-- Failed logins by whatever they are counted by: an account, an address.
CREATE TABLE login_throttle (
  key           TEXT   NOT NULL PRIMARY KEY,
  failures      BIGINT NOT NULL,
  blocked_until BIGINT NOT NULL,
  -- The failures are forgotten then.
  expires_at    BIGINT NOT NULL
);

CREATE INDEX login_throttle_expires_at ON login_throttle (expires_at);
