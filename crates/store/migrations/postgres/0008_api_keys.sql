CREATE TABLE api_key (
    realm TEXT NOT NULL,
    id UUID NOT NULL,
    client UUID NOT NULL,
    client_name TEXT NOT NULL,
    note TEXT NOT NULL,
    audience TEXT NOT NULL,
    scopes TEXT NOT NULL,
    limits TEXT NOT NULL,
    hash TEXT,
    created BIGINT NOT NULL,
    expires BIGINT,
    used BIGINT,
    revoked BIGINT,
    PRIMARY KEY (realm, id)
);
CREATE UNIQUE INDEX api_key_by_hash ON api_key (realm, hash) WHERE hash IS NOT NULL;
CREATE INDEX api_key_by_expiry ON api_key (expires) WHERE expires IS NOT NULL;
CREATE INDEX api_key_by_end ON api_key (revoked) WHERE revoked IS NOT NULL;
