-- RFC 9449 section 5: the key whose holder alone may refresh, as JSON; NULL where it is anybody who holds the token.
ALTER TABLE family ADD COLUMN bound_key TEXT;
