-- A device may wait for one person by name, instead of whoever types its code.
ALTER TABLE device_authorization
    ALTER COLUMN user_code DROP NOT NULL,
    ADD COLUMN person UUID,
    ADD COLUMN binding_message TEXT,
    ADD COLUMN acr TEXT,
    ADD COLUMN notification BYTEA,
    ADD CHECK ((user_code IS NULL) <> (person IS NULL)),
    ADD FOREIGN KEY (realm, person) REFERENCES person (realm, id) ON DELETE CASCADE;
CREATE INDEX device_authorization_by_person ON device_authorization (realm, person) WHERE person IS NOT NULL;

-- When it was looked whether a client is to be told that this came to its natural end.
ALTER TABLE family ADD COLUMN outlived BIGINT;
CREATE INDEX family_by_natural_end ON family (expires) WHERE outlived IS NULL;
