-- RFC 9396: what was granted in detail, as JSON; NULL where nothing was.
ALTER TABLE family ADD COLUMN authorization_details TEXT;
