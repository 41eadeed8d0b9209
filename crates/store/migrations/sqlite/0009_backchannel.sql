-- A device may wait for one person by name, instead of whoever types its code.
CREATE TABLE device_authorization_new (
    realm TEXT NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    user_code TEXT,
    person BLOB,
    binding_message TEXT,
    acr TEXT,
    notification BLOB,
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
    UNIQUE (realm, user_code),
    CHECK ((user_code IS NULL) <> (person IS NULL)),
    FOREIGN KEY (realm, person) REFERENCES person (realm, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
INSERT INTO device_authorization_new
    (realm, id, user_code, client, client_name, scopes, audience, address, state, family, created, expires)
SELECT realm, id, user_code, client, client_name, scopes, audience, address, state, family, created, expires FROM device_authorization;
DROP TABLE device_authorization;
ALTER TABLE device_authorization_new RENAME TO device_authorization;
CREATE INDEX device_authorization_by_expiry ON device_authorization (expires);
CREATE INDEX device_authorization_by_person ON device_authorization (realm, person) WHERE person IS NOT NULL;

-- When it was looked whether a client is to be told that this came to its natural end.
ALTER TABLE family ADD COLUMN outlived INTEGER;
CREATE INDEX family_by_natural_end ON family (expires) WHERE outlived IS NULL;
