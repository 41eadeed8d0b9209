-- What the client is called that a person allowed something: clients known by documents of their own are nowhere else kept.
ALTER TABLE consent ADD COLUMN client_name TEXT NOT NULL DEFAULT '';
