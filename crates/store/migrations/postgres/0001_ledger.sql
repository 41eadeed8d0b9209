CREATE TABLE person (
    realm TEXT NOT NULL,
    id UUID NOT NULL,
    sub TEXT NOT NULL,
    username TEXT NOT NULL,
    display_name TEXT,
    email TEXT,
    roles TEXT NOT NULL,
    groups TEXT NOT NULL,
    disabled BOOLEAN NOT NULL,
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    password_hash TEXT,
    PRIMARY KEY (realm, id),
    UNIQUE (realm, username),
    UNIQUE (realm, sub)
);

CREATE TABLE session (
    realm TEXT NOT NULL,
    id UUID NOT NULL,
    person UUID NOT NULL,
    assurance TEXT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    revoked BIGINT,
    address TEXT,
    user_agent TEXT,
    PRIMARY KEY (realm, id),
    FOREIGN KEY (realm, person) REFERENCES person (realm, id) ON DELETE CASCADE
);
CREATE INDEX session_by_person ON session (realm, person);
CREATE INDEX session_by_expiry ON session (expires);

-- A rotation touches no indexed column: with room in the page it is a heap-only update.
CREATE TABLE family (
    realm TEXT NOT NULL,
    id UUID NOT NULL,
    session UUID NOT NULL,
    person UUID NOT NULL,
    client UUID NOT NULL,
    client_name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    audience TEXT NOT NULL,
    assurance TEXT NOT NULL,
    generation BIGINT NOT NULL,
    rotated BIGINT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    revoked BIGINT,
    PRIMARY KEY (realm, id),
    FOREIGN KEY (realm, session) REFERENCES session (realm, id) ON DELETE CASCADE
) WITH (fillfactor = 70);
CREATE INDEX family_by_session ON family (realm, session);
CREATE INDEX family_by_expiry ON family (expires);

CREATE TABLE consent (
    realm TEXT NOT NULL,
    person UUID NOT NULL,
    client UUID NOT NULL,
    audience TEXT NOT NULL,
    scopes TEXT NOT NULL,
    granted BIGINT NOT NULL,
    PRIMARY KEY (realm, person, client, audience),
    FOREIGN KEY (realm, person) REFERENCES person (realm, id) ON DELETE CASCADE
);

CREATE TABLE spent (
    realm TEXT NOT NULL,
    kind BIGINT NOT NULL,
    id UUID NOT NULL,
    bucket BIGINT NOT NULL,
    PRIMARY KEY (realm, kind, id)
);
CREATE INDEX spent_by_bucket ON spent (bucket);

CREATE TABLE resource (
    realm TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind <> 'person'),
    name TEXT NOT NULL,
    id UUID NOT NULL UNIQUE,
    version BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (realm, kind, name)
);

CREATE TABLE key (
    kid TEXT NOT NULL PRIMARY KEY,
    realm TEXT NOT NULL,
    issuer TEXT NOT NULL,
    key_use TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    state TEXT NOT NULL,
    since BIGINT NOT NULL,
    jwk TEXT NOT NULL,
    sealed BYTEA
);
CREATE INDEX key_by_realm ON key (realm);
-- However many nodes rotate at once, one key signs. Gateways of one name may each have a key of their own.
CREATE UNIQUE INDEX key_active ON key (realm, issuer, algorithm) WHERE key_use = 'token' AND state = 'active';

CREATE TABLE client_secret (
    realm TEXT NOT NULL,
    id UUID NOT NULL,
    client UUID NOT NULL,
    hash TEXT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT,
    PRIMARY KEY (realm, id)
);
CREATE INDEX client_secret_by_client ON client_secret (realm, client);

CREATE TABLE revocation (
    realm TEXT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    not_before BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (realm, kind, key)
);
CREATE INDEX revocation_by_expiry ON revocation (expires);

CREATE TABLE event (
    id UUID NOT NULL PRIMARY KEY,
    recorded BIGINT NOT NULL,
    node TEXT NOT NULL,
    realm TEXT,
    trace TEXT,
    family TEXT,
    session TEXT,
    issued TEXT,
    journaled BOOLEAN NOT NULL,
    body BYTEA NOT NULL
);
CREATE INDEX event_by_time ON event (recorded, id);
CREATE INDEX event_by_trace ON event (trace, id) WHERE trace IS NOT NULL;
CREATE INDEX event_by_family ON event (family, id) WHERE family IS NOT NULL;
CREATE INDEX event_by_session ON event (session, id) WHERE session IS NOT NULL;
CREATE INDEX event_by_issued ON event (issued) WHERE issued IS NOT NULL;
CREATE INDEX event_to_journal ON event (node, id) WHERE NOT journaled;

CREATE TABLE feed_head (
    one BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL
);

-- Changes wait here in their own transaction, then are moved to `feed` by one node at a time, the one that holds the row of `feed_head`.
CREATE TABLE outbox (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    record TEXT NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

CREATE TABLE feed (
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    recorded BIGINT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (epoch, seq)
);
CREATE INDEX feed_by_time ON feed (recorded);

CREATE TABLE material (
    name TEXT NOT NULL PRIMARY KEY,
    bytes BYTEA NOT NULL
);
