-- For H2 and PostgreSQL alike. Times are milliseconds since 1970, an empty string stands for what is not there,
-- and 0 for a time that has not come.

CREATE TABLE conversations (
    id VARCHAR(64) NOT NULL PRIMARY KEY,
    user_id VARCHAR(64) NOT NULL,
    title VARCHAR NOT NULL,
    -- words: the first ones of the first message; model or user: who wrote it
    title_by VARCHAR(16) NOT NULL,
    model VARCHAR NOT NULL,
    system_prompt VARCHAR NOT NULL,
    -- a JSON object
    settings VARCHAR NOT NULL,
    -- the leaf of the path through the tree of messages that is shown
    current_message VARCHAR(64) NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT NOT NULL
);

CREATE INDEX conversations_by_user ON conversations (user_id, updated_at);

CREATE TABLE messages (
    id VARCHAR(64) NOT NULL PRIMARY KEY,
    conversation_id VARCHAR(64) NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    parent_id VARCHAR(64) NOT NULL,
    -- order in the conversation
    number BIGINT NOT NULL,
    role VARCHAR(16) NOT NULL,
    content VARCHAR NOT NULL,
    reasoning VARCHAR NOT NULL,
    status VARCHAR(16) NOT NULL,
    -- the gateway that generates it
    owner VARCHAR(128) NOT NULL,
    model VARCHAR NOT NULL,
    finish_reason VARCHAR(16) NOT NULL,
    error VARCHAR NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    cached_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    first_token_ms BIGINT NOT NULL,
    prompt_ms BIGINT NOT NULL,
    completion_ms BIGINT NOT NULL,
    duration_ms BIGINT NOT NULL,
    -- the earliest message that the model was given, and how many before it were not
    history_from VARCHAR(64) NOT NULL,
    left_out INTEGER NOT NULL,
    left_out_by VARCHAR(32) NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (conversation_id, number)
);

CREATE INDEX messages_by_status ON messages (status);

-- What happened, for streams that begin where others ended. An event names what it is about and holds no text.
CREATE TABLE events (
    user_id VARCHAR(64) NOT NULL,
    position BIGINT NOT NULL,
    kind VARCHAR(16) NOT NULL,
    subject VARCHAR(64) NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, position)
);

CREATE TABLE cursors (
    user_id VARCHAR(64) NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL
);
