-- Periods of contracts, frozen: the figures, and all that they were made of.

CREATE TABLE statements (
	number           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	provider         label NOT NULL REFERENCES providers,
	contract         label NOT NULL,
	contract_version bigint NOT NULL,
	period           text NOT NULL CHECK (period ~ '^[0-9]{4}-[0-9]{2}$'), -- the month it begins in
	period_from      bigint NOT NULL,                -- unix seconds
	period_to        bigint NOT NULL CHECK (period_to > period_from),
	created          timestamptz NOT NULL DEFAULT now(),
	author           text NOT NULL,                  -- a token's name; "p4pd" for those it makes by itself
	software         text NOT NULL,
	inputs           text NOT NULL,                  -- server/report/inputs.h says what every byte is
	inputs_sha256    text NOT NULL CHECK (inputs_sha256 ~ '^[0-9a-f]{64}$'),
	figures_json     text NOT NULL,                  -- the same figures three times, as they were shown first
	figures_csv      text NOT NULL,
	figures_html     text NOT NULL,
	supersedes       bigint REFERENCES statements    -- the one before it of the same contract and period
);
CREATE INDEX ON statements (provider, contract, period, number DESC);

CREATE FUNCTION statements_are_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'a statement is never changed; a later one supersedes it';
END
$$;
CREATE TRIGGER frozen BEFORE UPDATE OR DELETE OR TRUNCATE ON statements
	FOR EACH STATEMENT EXECUTE FUNCTION statements_are_frozen();
