CREATE TABLE api_key (
    realm TEXT NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    client BLOB NOT NULL CHECK (length(client) = 16),
    client_name TEXT NOT NULL,
    note TEXT NOT NULL,
    audience TEXT NOT NULL,
    scopes TEXT NOT NULL,
    limits TEXT NOT NULL,
    hash TEXT,
    created INTEGER NOT NULL,
    expires INTEGER,
    used INTEGER,
    revoked INTEGER,
    PRIMARY KEY (realm, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX api_key_by_hash ON api_key (realm, hash) WHERE hash IS NOT NULL;
CREATE INDEX api_key_by_expiry ON api_key (expires) WHERE expires IS NOT NULL;
CREATE INDEX api_key_by_end ON api_key (revoked) WHERE revoked IS NOT NULL;
