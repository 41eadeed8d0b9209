-- The secret is sealed. `used` is the last step whose code was used: no code of a step up to it is good again.
CREATE TABLE totp (
    realm TEXT NOT NULL,
    person UUID NOT NULL,
    sealed BYTEA NOT NULL,
    used BIGINT NOT NULL,
    enrolled BIGINT NOT NULL,
    PRIMARY KEY (realm, person),
    FOREIGN KEY (realm, person) REFERENCES person (realm, id) ON DELETE CASCADE
);

-- A code that was used is gone.
CREATE TABLE recovery_code (
    realm TEXT NOT NULL,
    person UUID NOT NULL,
    hash BYTEA NOT NULL,
    PRIMARY KEY (realm, person, hash),
    FOREIGN KEY (realm, person) REFERENCES totp (realm, person) ON DELETE CASCADE
);
