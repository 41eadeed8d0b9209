CREATE TABLE person (
    realm TEXT NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    sub TEXT NOT NULL,
    username TEXT NOT NULL,
    display_name TEXT,
    email TEXT,
    roles TEXT NOT NULL,
    groups TEXT NOT NULL,
    disabled INTEGER NOT NULL CHECK (disabled IN (0, 1)),
    version INTEGER NOT NULL,
    created INTEGER NOT NULL,
    password_hash TEXT,
    PRIMARY KEY (realm, id),
    UNIQUE (realm, username),
    UNIQUE (realm, sub)
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    realm TEXT NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    person BLOB NOT NULL,
    assurance TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    revoked INTEGER,
    address TEXT,
    user_agent TEXT,
    PRIMARY KEY (realm, id),
    FOREIGN KEY (realm, person) REFERENCES person (realm, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX session_by_person ON session (realm, person);
CREATE INDEX session_by_expiry ON session (expires);

CREATE TABLE family (
    realm TEXT NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    session BLOB NOT NULL,
    person BLOB NOT NULL,
    client BLOB NOT NULL,
    client_name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    audience TEXT NOT NULL,
    assurance TEXT NOT NULL,
    generation INTEGER NOT NULL,
    rotated INTEGER NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    revoked INTEGER,
    PRIMARY KEY (realm, id),
    FOREIGN KEY (realm, session) REFERENCES session (realm, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX family_by_session ON family (realm, session);
CREATE INDEX family_by_expiry ON family (expires);

CREATE TABLE consent (
    realm TEXT NOT NULL,
    person BLOB NOT NULL,
    client BLOB NOT NULL,
    audience TEXT NOT NULL,
    scopes TEXT NOT NULL,
    granted INTEGER NOT NULL,
    PRIMARY KEY (realm, person, client, audience),
    FOREIGN KEY (realm, person) REFERENCES person (realm, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE spent (
    realm TEXT NOT NULL,
    kind INTEGER NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    bucket INTEGER NOT NULL,
    PRIMARY KEY (realm, kind, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX spent_by_bucket ON spent (bucket);

CREATE TABLE resource (
    realm TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind <> 'person'),
    name TEXT NOT NULL,
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (realm, kind, name)
) STRICT;

CREATE TABLE key (
    kid TEXT NOT NULL PRIMARY KEY,
    realm TEXT NOT NULL,
    issuer TEXT NOT NULL,
    key_use TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    state TEXT NOT NULL,
    since INTEGER NOT NULL,
    jwk TEXT NOT NULL,
    sealed BLOB
) STRICT;
CREATE INDEX key_by_realm ON key (realm);
-- However many nodes rotate at once, one key signs. Gateways of one name may each have a key of their own.
CREATE UNIQUE INDEX key_active ON key (realm, issuer, algorithm) WHERE key_use = 'token' AND state = 'active';

CREATE TABLE client_secret (
    realm TEXT NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    client BLOB NOT NULL,
    hash TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER,
    PRIMARY KEY (realm, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX client_secret_by_client ON client_secret (realm, client);

CREATE TABLE revocation (
    realm TEXT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    not_before INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (realm, kind, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX revocation_by_expiry ON revocation (expires);

CREATE TABLE event (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    recorded INTEGER NOT NULL,
    node TEXT NOT NULL,
    realm TEXT,
    trace TEXT,
    family TEXT,
    session TEXT,
    issued TEXT,
    journaled INTEGER NOT NULL CHECK (journaled IN (0, 1)),
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX event_by_time ON event (recorded, id);
CREATE INDEX event_by_trace ON event (trace, id) WHERE trace IS NOT NULL;
CREATE INDEX event_by_family ON event (family, id) WHERE family IS NOT NULL;
CREATE INDEX event_by_session ON event (session, id) WHERE session IS NOT NULL;
CREATE INDEX event_by_issued ON event (issued) WHERE issued IS NOT NULL;
CREATE INDEX event_to_journal ON event (node, id) WHERE NOT journaled;

CREATE TABLE feed_head (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL
) STRICT;

CREATE TABLE feed (
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    recorded INTEGER NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (epoch, seq)
) STRICT;
CREATE INDEX feed_by_time ON feed (recorded);

CREATE TABLE material (
    name TEXT NOT NULL PRIMARY KEY,
    bytes BLOB NOT NULL
) STRICT;
