-- Days and months of bins in a packed form, so that a report need not read every bin; and how long each is kept.

-- What was made of bins says exactly what they say, or is on one of the two lists of what is due. Which bytes a
-- page, sums, an index and values are: common/balance/page.h, sums.h, ranks.h. Nodes are summed.
CREATE TABLE bin_days (
	interconnect integer NOT NULL,             -- interconnects.number
	source       bin_source NOT NULL,
	seconds      integer NOT NULL,             -- of the bins
	start        bigint NOT NULL,              -- of the day, UTC
	page         bytea NOT NULL,
	PRIMARY KEY (interconnect, source, seconds, start)
) PARTITION BY RANGE (start);

CREATE TABLE bin_months (
	interconnect integer NOT NULL,
	source       bin_source NOT NULL,
	seconds      integer NOT NULL,
	start        bigint NOT NULL,              -- of the month, UTC
	sums         bytea NOT NULL,
	out_index    bytea NOT NULL,
	in_index     bytea NOT NULL,
	out_values   bytea NOT NULL,
	in_values    bytea NOT NULL,
	PRIMARY KEY (interconnect, source, seconds, start)
) PARTITION BY RANGE (start);

-- Packed as they are, and read in slices: compression would only be in the way.
ALTER TABLE bin_days ALTER COLUMN page SET STORAGE EXTERNAL;
ALTER TABLE bin_months
	ALTER COLUMN sums SET STORAGE PLAIN,
	ALTER COLUMN out_index SET STORAGE MAIN,
	ALTER COLUMN in_index SET STORAGE MAIN,
	ALTER COLUMN out_values SET STORAGE EXTERNAL,
	ALTER COLUMN in_values SET STORAGE EXTERNAL;

-- Days and months with bins that changed since they were packed, or that never were.
CREATE TABLE bin_days_due (
	start        bigint NOT NULL,
	seconds      integer NOT NULL,
	interconnect integer NOT NULL,
	source       bin_source NOT NULL,
	month        bigint NOT NULL,              -- the start of the day's
	PRIMARY KEY (start, seconds, interconnect, source)
);
CREATE TABLE bin_months_due (
	start        bigint NOT NULL,
	seconds      integer NOT NULL,
	interconnect integer NOT NULL,
	source       bin_source NOT NULL,
	PRIMARY KEY (start, seconds, interconnect, source)
);

-- Bins before this moment are gone for good, and late ones are refused: one row.
CREATE TABLE bins_kept (
	since bigint NOT NULL
);
INSERT INTO bins_kept VALUES (0);

CREATE FUNCTION month_begin(at bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
	$$ SELECT extract(epoch FROM date_trunc('month', to_timestamp(at) AT TIME ZONE 'UTC'))::bigint $$;

-- Whoever writes bins, their days are due in the same transaction. A day that is due already is locked, so that
-- whoever packs it cannot miss what is being written.
CREATE FUNCTION bins_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP <> 'INSERT' THEN
		INSERT INTO bin_days_due
			SELECT day, seconds, interconnect, source, month_begin(day)
			FROM (SELECT DISTINCT start / 86400 * 86400 AS day, seconds, interconnect, source FROM was) days
			ORDER BY 1, 2, 3, 4
			ON CONFLICT (start, seconds, interconnect, source) DO UPDATE SET month = EXCLUDED.month;
	END IF;
	IF TG_OP <> 'DELETE' THEN
		INSERT INTO bin_days_due
			SELECT day, seconds, interconnect, source, month_begin(day)
			FROM (SELECT DISTINCT start / 86400 * 86400 AS day, seconds, interconnect, source FROM is_now) days
			ORDER BY 1, 2, 3, 4
			ON CONFLICT (start, seconds, interconnect, source) DO UPDATE SET month = EXCLUDED.month;
	END IF;
	RETURN NULL;
END
$$;
CREATE TRIGGER bins_inserted AFTER INSERT ON bins
	REFERENCING NEW TABLE AS is_now FOR EACH STATEMENT EXECUTE FUNCTION bins_changed();
CREATE TRIGGER bins_updated AFTER UPDATE ON bins
	REFERENCING OLD TABLE AS was NEW TABLE AS is_now FOR EACH STATEMENT EXECUTE FUNCTION bins_changed();
CREATE TRIGGER bins_deleted AFTER DELETE ON bins
	REFERENCING OLD TABLE AS was FOR EACH STATEMENT EXECUTE FUNCTION bins_changed();

-- One month's partition of one table. A page stays in its row up to 8 kB, which a day of 300-second bins fits.
CREATE FUNCTION bins_make_one(parent text, at bigint, options text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	month     timestamp := date_trunc('month', to_timestamp(at) AT TIME ZONE 'UTC');
	partition text := parent || to_char(month, '_YYYY_MM');
BEGIN
	IF to_regclass(partition) IS NULL THEN
		PERFORM pg_advisory_xact_lock(hashtext('p4pd bins partition'));
		EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF %I FOR VALUES FROM (%s) TO (%s) %s',
			partition, parent,
			extract(epoch FROM month)::bigint,
			extract(epoch FROM month + interval '1 month')::bigint, options);
	END IF;
END
$$;
CREATE OR REPLACE FUNCTION bins_make_partition(at bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM bins_make_one('bins', at, '');
	PERFORM bins_make_one('bin_days', at, 'WITH (toast_tuple_target = 8160)');
	PERFORM bins_make_one('bin_months', at, '');
END
$$;

-- What there is so far.
SELECT bins_make_partition(extract(epoch FROM to_date(right(relid::text, 7), 'YYYY_MM'))::bigint)
	FROM pg_partition_tree('bins') WHERE isleaf;
INSERT INTO bin_days_due
	SELECT day, seconds, interconnect, source, month_begin(day)
	FROM (SELECT DISTINCT start / 86400 * 86400 AS day, seconds, interconnect, source FROM bins) days;

-- A month's partition of one of the three, by any moment in it.
CREATE FUNCTION bins_drop_partition(parent text, at bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('DROP TABLE IF EXISTS %I', parent || to_char(to_timestamp(at) AT TIME ZONE 'UTC', '_YYYY_MM'));
END
$$;
