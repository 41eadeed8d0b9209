-- The secret is sealed. `used` is the last step whose code was used: no code of a step up to it is good again.
CREATE TABLE totp (
    realm TEXT NOT NULL,
    person BLOB NOT NULL,
    sealed BLOB NOT NULL,
    used INTEGER NOT NULL,
    enrolled INTEGER NOT NULL,
    PRIMARY KEY (realm, person),
    FOREIGN KEY (realm, person) REFERENCES person (realm, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- A code that was used is gone.
CREATE TABLE recovery_code (
    realm TEXT NOT NULL,
    person BLOB NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (realm, person, hash),
    FOREIGN KEY (realm, person) REFERENCES totp (realm, person) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
