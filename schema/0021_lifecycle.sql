-- The life of a map: drafts, who approved them, activations for later, and what is watched after one.

-- Where a document came from, in its author's words: a file, a commit.
ALTER TABLE map_versions ADD COLUMN source text NOT NULL DEFAULT '';

-- A roll back resumes an activation of before. Topology and costs of one change: both have the number of
-- the first of the two in `together`.
ALTER TABLE activations
	ADD COLUMN resumes  bigint REFERENCES activations,
	ADD COLUMN together bigint REFERENCES activations,
	ADD COLUMN reason   text NOT NULL DEFAULT '';
CREATE INDEX ON activations (provider, version, number DESC);

-- How a provider wants its maps to come into force; one without a row has the defaults of the program.
CREATE TABLE provider_settings (
	provider      label PRIMARY KEY REFERENCES providers,
	version       bigint NOT NULL CHECK (version > 0), -- counts the changes
	approvals     integer NOT NULL CHECK (approvals IN (0, 1)),
	refuse        boolean NOT NULL,                    -- what trips a guard, even when it is in force at once
	watch_seconds integer NOT NULL CHECK (watch_seconds >= 0),
	watch_points  integer NOT NULL CHECK (watch_points > 0)
);

CREATE TABLE map_approvals (
	provider label NOT NULL,
	version  bigint NOT NULL,
	author   text NOT NULL,                    -- the token's name
	approved timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (provider, version, author),
	FOREIGN KEY (provider, version) REFERENCES map_versions (provider, version)
);

-- Activations for later.
CREATE TABLE map_plans (
	number        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	provider      label NOT NULL,
	version       bigint NOT NULL,
	also          bigint,                      -- the version of the other kind that goes with it
	author        text NOT NULL,
	at            bigint NOT NULL,             -- unix seconds
	expected      text,                        -- what must be in force then; NULL: does not matter
	force         boolean NOT NULL,
	watch_seconds integer NOT NULL,
	state         text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'failed', 'cancelled')),
	reason        text NOT NULL DEFAULT '',
	ended         timestamptz,
	FOREIGN KEY (provider, version) REFERENCES map_versions (provider, version),
	FOREIGN KEY (provider, also) REFERENCES map_versions (provider, version)
);
CREATE UNIQUE INDEX ON map_plans (provider, version) WHERE state = 'waiting';
CREATE INDEX ON map_plans (provider, version, number DESC);

-- A change that is looked after, and what it goes back to. Live peers are those of `node`, which put it in
-- force; NULL: it could not count them.
CREATE TABLE map_watches (
	number        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	provider      label NOT NULL,
	version       bigint NOT NULL,
	activation    bigint NOT NULL REFERENCES activations,
	begun         bigint NOT NULL,             -- unix seconds
	until         bigint NOT NULL,
	points        integer NOT NULL,
	node          text NOT NULL,
	own_peers     bigint,
	nobodys_peers bigint,
	state         text NOT NULL DEFAULT 'watching' CHECK (state IN ('watching', 'passed', 'breached', 'ended')),
	reason        text NOT NULL DEFAULT '',
	ended         timestamptz
);
-- A newer change of a provider ends the watch of the one before.
CREATE UNIQUE INDEX ON map_watches (provider) WHERE state = 'watching';
CREATE INDEX ON map_watches (provider, version, number DESC);

-- The activation whose state another one stands for: a roll back's is that which it resumed.
CREATE FUNCTION activation_resumed(start bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
	WITH RECURSIVE chain(number, resumes) AS (
		SELECT number, resumes FROM activations WHERE number = start
		UNION ALL
		SELECT a.number, a.resumes FROM activations a JOIN chain ON a.number = chain.resumes)
	SELECT number FROM chain WHERE resumes IS NULL
$$;
