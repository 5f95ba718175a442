-- What keys and accounts have used. Each gateway writes rows of its own only, always the whole of a day, so that they
-- share counts without waiting for each other, and writing something twice does no harm.

CREATE TABLE usage_by_day (
    subject VARCHAR(128) NOT NULL,
    -- days since 1970, UTC
    on_day BIGINT NOT NULL,
    gateway VARCHAR(128) NOT NULL,
    requests BIGINT NOT NULL,
    prompt_tokens BIGINT NOT NULL,
    -- those of the prompt tokens that were not computed again
    cached_tokens BIGINT NOT NULL,
    completion_tokens BIGINT NOT NULL,
    -- requests that had not ended then
    running INTEGER NOT NULL,
    -- when the gateway's buckets are full again, if nothing more is taken; 0: without a limit
    requests_full_at BIGINT NOT NULL,
    tokens_full_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (subject, on_day, gateway)
);
