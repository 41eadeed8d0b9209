-- A client that registered itself. `generation` counts its registration access tokens; `ends` is when it goes unless it was used.
CREATE TABLE registration (
    realm TEXT NOT NULL,
    client BLOB NOT NULL,
    name TEXT NOT NULL,
    generation INTEGER NOT NULL,
    created INTEGER NOT NULL,
    ends INTEGER,
    PRIMARY KEY (realm, client)
) STRICT, WITHOUT ROWID;
CREATE INDEX registration_by_end ON registration (ends) WHERE ends IS NOT NULL;

-- What lets somebody register: good for as many clients as it says.
CREATE TABLE initial_access (
    realm TEXT NOT NULL,
    id BLOB NOT NULL,
    note TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    uses INTEGER NOT NULL,
    PRIMARY KEY (realm, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX initial_access_by_expiry ON initial_access (expires);
