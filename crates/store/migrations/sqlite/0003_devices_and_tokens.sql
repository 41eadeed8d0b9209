CREATE TABLE device_authorization (
    realm TEXT NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    user_code TEXT NOT NULL,
    client BLOB NOT NULL,
    client_name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    audience TEXT NOT NULL,
    address TEXT,
    state TEXT NOT NULL,
    family BLOB,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    PRIMARY KEY (realm, id),
    UNIQUE (realm, user_code)
) STRICT, WITHOUT ROWID;
CREATE INDEX device_authorization_by_expiry ON device_authorization (expires);

CREATE TABLE personal_token (
    realm TEXT NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    person BLOB NOT NULL,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    audience TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER,
    used INTEGER,
    revoked INTEGER,
    PRIMARY KEY (realm, id),
    FOREIGN KEY (realm, person) REFERENCES person (realm, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX personal_token_by_person ON personal_token (realm, person);
CREATE INDEX personal_token_by_expiry ON personal_token (expires) WHERE expires IS NOT NULL;
CREATE INDEX personal_token_by_end ON personal_token (revoked) WHERE revoked IS NOT NULL;

ALTER TABLE consent ADD COLUMN declined TEXT NOT NULL DEFAULT '[]';
CREATE INDEX family_by_person ON family (realm, person, client);
