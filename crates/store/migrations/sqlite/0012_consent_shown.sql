-- A digest of what the person was shown of a client that nobody vouches for: once it shows something else, they are asked again.
ALTER TABLE consent ADD COLUMN shown TEXT NOT NULL DEFAULT '';
