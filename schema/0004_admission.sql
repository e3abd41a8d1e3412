-- Who is let in: denied torrents and clients, and keys in the announce URL.

CREATE TABLE denied_hashes (
	hash   bytea PRIMARY KEY CHECK (octet_length(hash) = 20),
	author text NOT NULL,
	added  timestamptz NOT NULL DEFAULT now()
);

-- How the peer ids of clients begin that are refused.
CREATE TABLE denied_clients (
	prefix text PRIMARY KEY CHECK (octet_length(prefix) BETWEEN 1 AND 20),
	author text NOT NULL,
	added  timestamptz NOT NULL DEFAULT now()
);

-- Keys in the announce URL. As with tokens, only the hash is kept.
CREATE TABLE passkeys (
	id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	hash       bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
	name       label NOT NULL,
	max_peers  integer NOT NULL CHECK (max_peers >= 0),  -- at a time; 0: no limit
	per_minute integer NOT NULL CHECK (per_minute >= 0), -- announces; 0: no limit
	created    timestamptz NOT NULL DEFAULT now(),
	revoked    timestamptz                               -- NULL: valid
);
CREATE UNIQUE INDEX ON passkeys (name) WHERE revoked IS NULL;
