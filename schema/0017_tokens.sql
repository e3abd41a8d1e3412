-- Tokens end by themselves, and change their secret without changing their name.
ALTER TABLE tokens
	ADD expires        timestamptz, -- NULL: never
	ADD last_used      timestamptz, -- to about a minute; NULL: not since this was kept
	ADD previous_hash  bytea CHECK (octet_length(previous_hash) = 32), -- of before the last rotation
	ADD previous_until timestamptz, -- so long it still works
	ADD CHECK ((previous_hash IS NULL) = (previous_until IS NULL));
CREATE INDEX ON tokens (previous_hash);
