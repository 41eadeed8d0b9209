-- A client that registered itself. `generation` counts its registration access tokens; `ends` is when it goes unless it was used.
CREATE TABLE registration (
    realm TEXT NOT NULL,
    client UUID NOT NULL,
    name TEXT NOT NULL,
    generation BIGINT NOT NULL,
    created BIGINT NOT NULL,
    ends BIGINT,
    PRIMARY KEY (realm, client)
);
CREATE INDEX registration_by_end ON registration (ends) WHERE ends IS NOT NULL;

-- What lets somebody register: good for as many clients as it says.
CREATE TABLE initial_access (
    realm TEXT NOT NULL,
    id UUID NOT NULL,
    note TEXT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    uses BIGINT NOT NULL,
    PRIMARY KEY (realm, id)
);
CREATE INDEX initial_access_by_expiry ON initial_access (expires);
