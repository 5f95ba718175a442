-- Whoever signs in, and what he may bring instead. Of passwords, sessions and keys there are only hashes.

CREATE TABLE accounts (
    id VARCHAR(64) NOT NULL PRIMARY KEY,
    email VARCHAR(254) NOT NULL,
    -- in small letters
    email_key VARCHAR(254) NOT NULL UNIQUE,
    name VARCHAR(100) NOT NULL,
    role VARCHAR(16) NOT NULL,
    password_hash VARCHAR(200) NOT NULL,
    -- 0 or 1
    disabled INTEGER NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE sessions (
    token_hash VARCHAR(64) NOT NULL PRIMARY KEY,
    account_id VARCHAR(64) NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    used_at BIGINT NOT NULL
);

CREATE INDEX sessions_by_account ON sessions (account_id);

CREATE TABLE api_keys (
    id VARCHAR(64) NOT NULL PRIMARY KEY,
    key_hash VARCHAR(64) NOT NULL UNIQUE,
    -- an account, or local
    user_id VARCHAR(64) NOT NULL,
    name VARCHAR(100) NOT NULL,
    -- how it begins and ends
    hint VARCHAR(32) NOT NULL,
    -- words with spaces between
    scopes VARCHAR(200) NOT NULL,
    -- 0: the server's own
    requests_per_minute INTEGER NOT NULL,
    tokens_per_minute BIGINT NOT NULL,
    parallel INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT NOT NULL
);

CREATE INDEX api_keys_by_user ON api_keys (user_id, created_at);
