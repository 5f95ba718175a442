-- Whoever signs in elsewhere, and whose account is his here.

CREATE TABLE identities (
    -- github or apple
    provider VARCHAR(16) NOT NULL,
    -- what he is called there for ever
    subject VARCHAR(255) NOT NULL,
    account_id VARCHAR(64) NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (provider, subject)
);

CREATE INDEX identities_by_account ON identities (account_id);

-- Ways to a provider and back that somebody has come by already, until they would be too old anyway.
CREATE TABLE used_states (
    state_hash VARCHAR(64) NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);

CREATE INDEX used_states_by_age ON used_states (expires_at);
