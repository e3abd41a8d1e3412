-- Copies of contents and completed downloads, beside the bytes of the built-in experiment.

-- Bytes per size of the content, summed over swarms, in millionths of a copy: all that clients downloaded,
-- and what of it came from outside the provider.
ALTER TABLE steering
	ADD COLUMN copies     numeric(20) NOT NULL DEFAULT 0,
	ADD COLUMN imported   numeric(20) NOT NULL DEFAULT 0,
	ADD COLUMN downloaded bigint NOT NULL DEFAULT 0, -- swarms that bytes came in
	ADD COLUMN unsized    bigint NOT NULL DEFAULT 0; -- of them, left out of the copies: of unknown size

-- How many downloads were completed in a bin, by the time they took: bucket b is for 2^(b/4) seconds to
-- 2^((b+1)/4). Rows belong to those of the same key in steering, and are replaced with them.
CREATE TABLE steering_times (
	provider  label NOT NULL,
	start     bigint NOT NULL,
	node      label NOT NULL,
	seconds   integer NOT NULL CHECK (seconds > 0),
	policy    text NOT NULL,
	control   boolean NOT NULL,
	private   boolean NOT NULL,
	swarms    smallint NOT NULL,
	bucket    smallint NOT NULL,
	completed bigint NOT NULL,
	PRIMARY KEY (start, node, provider, control, private, swarms, bucket)
);
