-- Counts the changes of what is declared, so that two which were each decided without the other cannot both happen.
CREATE TABLE declaration (
    one BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    version BIGINT NOT NULL
);
INSERT INTO declaration (one, version) VALUES (1, 0);
