-- What a provider agreed with its neighbours: ratio policies and contracts, as documents.

CREATE TYPE agreement_kind AS ENUM ('policy', 'contract');

-- Every version, as it was written; the newest of an id is in force. A removal is a version without
-- a document, so that last year's statement still finds what was in force then.
CREATE TABLE agreements (
	provider label NOT NULL REFERENCES providers,
	kind     agreement_kind NOT NULL,
	id       label NOT NULL,
	version  bigint NOT NULL CHECK (version > 0),
	document text,                             -- byte for byte; NULL: removed
	sha256   text CHECK (sha256 ~ '^[0-9a-f]{64}$'),
	author   text NOT NULL,                    -- the token's name, which outlives the token
	created  timestamptz NOT NULL DEFAULT now(),
	CHECK ((document IS NULL) = (sha256 IS NULL)),
	PRIMARY KEY (provider, kind, id, version)
);
