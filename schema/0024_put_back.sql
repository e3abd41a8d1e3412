-- A state folder that was put back from a backup knows less of its last bins than the database does.

-- The folder counts how often its node began to store, and so does its row here; a folder that counts behind is an
-- older copy. Bins before the moment when that was seen are then replaced by nothing smaller.
ALTER TABLE node_lives
	ADD COLUMN steps bigint NOT NULL DEFAULT 0,
	ADD COLUMN kept bigint NOT NULL DEFAULT 0;    -- unix seconds
