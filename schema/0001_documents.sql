-- Map documents: every version that was ever accepted, and which one is in force.

-- Names of providers, PIDs, interconnects and tokens; compared by bytes, so that an order is the
-- same on every machine.
CREATE DOMAIN label AS text COLLATE "C" CHECK (char_length(VALUE) BETWEEN 1 AND 64);

CREATE TYPE document_kind AS ENUM ('topology', 'costs');

-- A provider exists as soon as anything names it. Its row is what a change of its maps locks.
CREATE TABLE providers (
	provider     label PRIMARY KEY,
	last_version bigint NOT NULL DEFAULT 0,    -- topology and costs count together
	created      timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE map_versions (
	provider label NOT NULL REFERENCES providers,
	version  bigint NOT NULL CHECK (version > 0),
	kind     document_kind NOT NULL,
	document text NOT NULL,                    -- as it was uploaded, byte for byte
	sha256   text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
	author   text NOT NULL,                    -- the token's name, which outlives the token
	created  timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (provider, version),
	UNIQUE (provider, version, kind)
);

-- Who put which version in force, and when. The newest of a provider and kind is in force; numbers
-- are drawn under the lock of the provider's row, so their order is that of the commits.
CREATE TABLE activations (
	number    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	provider  label NOT NULL,
	version   bigint NOT NULL,
	kind      document_kind NOT NULL,
	author    text NOT NULL,
	activated timestamptz NOT NULL DEFAULT now(),
	FOREIGN KEY (provider, version, kind) REFERENCES map_versions (provider, version, kind)
);
CREATE INDEX ON activations (provider, kind, number DESC);

CREATE VIEW documents_in_force AS
	SELECT DISTINCT ON (provider, kind) provider, kind, version, author, activated
	FROM activations
	ORDER BY provider, kind, number DESC;

-- Every interconnect that a topology in force or a bin ever named. Rows are never deleted: a report
-- about last year needs them. `number` is the short name that bins use.
CREATE TABLE interconnects (
	number            integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	provider          label NOT NULL REFERENCES providers,
	id                label NOT NULL,
	pid               text NOT NULL DEFAULT '',
	relation          text NOT NULL DEFAULT 'unknown',  -- unknown: a bin came before its topology
	metro             text NOT NULL DEFAULT '',
	neighbor_asn      bigint NOT NULL DEFAULT 0,
	capacity_mbps     numeric(20) NOT NULL DEFAULT 0,
	ratio_limit_milli numeric(20) NOT NULL DEFAULT 0,   -- 2000 is 2.000:1; 0: none of its own
	in_force          boolean NOT NULL DEFAULT false,   -- named by the topology in force
	UNIQUE (provider, id)
);
