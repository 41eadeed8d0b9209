-- Clients that are still to be told that a login of theirs is over. Neither person nor family need be there any more.
CREATE TABLE logout_notice (
    realm TEXT NOT NULL,
    family BLOB NOT NULL CHECK (length(family) = 16),
    client BLOB NOT NULL CHECK (length(client) = 16),
    subject TEXT NOT NULL,
    ended INTEGER NOT NULL,
    due INTEGER NOT NULL,
    wait INTEGER NOT NULL,
    PRIMARY KEY (realm, family)
) STRICT, WITHOUT ROWID;
CREATE INDEX logout_notice_by_due ON logout_notice (due);
