-- Who may do what, which torrents are served, and who did what.

CREATE TYPE token_role AS ENUM ('admin', 'operator', 'analyst');

-- Only the hash of a token is kept: what leaks from a backup opens nothing.
CREATE TABLE tokens (
	id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	hash     bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
	name     label NOT NULL,
	role     token_role NOT NULL,
	provider label REFERENCES providers,       -- NULL: all
	created  timestamptz NOT NULL DEFAULT now(),
	revoked  timestamptz,                      -- NULL: valid
	CHECK ((role = 'admin') = (provider IS NULL))
);
-- A name may be used again after its token was revoked.
CREATE UNIQUE INDEX ON tokens (name) WHERE revoked IS NULL;

CREATE TABLE allowed_hashes (
	hash   bytea PRIMARY KEY CHECK (octet_length(hash) = 20),
	author text NOT NULL,
	added  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE audit (
	number  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at      timestamptz NOT NULL DEFAULT now(),
	author  text NOT NULL,
	action  text NOT NULL,
	subject text NOT NULL
);

-- What was done cannot be made undone, not even by p4pd itself.
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'the audit log is append-only';
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
	FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
