-- Instances read again and again what has been revoked: so they read what is new. What an older release notes
-- is always new (2^53 - 1, the latest time there is).
ALTER TABLE revocations ADD COLUMN noted_at BIGINT NOT NULL DEFAULT 9007199254740991;

CREATE INDEX revocations_noted_at ON revocations (noted_at);
