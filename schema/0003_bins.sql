-- Bytes per interconnect and bin: the figures that reports are made of.

CREATE TYPE bin_source AS ENUM ('announce', 'flow', 'counter');

-- One row for what one node saw in one bin. Its key makes a replay replace instead of add.
-- Byte counts are unsigned 64 bit, which bigint does not hold. Times are unix seconds, so that no
-- session's time zone can move a bin into another month.
-- There is no foreign key to interconnects: rows there are never deleted, numbers come from a join.
CREATE TABLE bins (
	interconnect     integer NOT NULL,         -- interconnects.number
	source           bin_source NOT NULL,
	start            bigint NOT NULL,
	node             label NOT NULL,           -- the daemon that saw it
	seconds          integer NOT NULL CHECK (seconds > 0),
	observed_seconds integer NOT NULL CHECK (observed_seconds >= 0),
	out_bytes        numeric(20) NOT NULL CHECK (out_bytes BETWEEN 0 AND 18446744073709551615),
	in_bytes         numeric(20) NOT NULL CHECK (in_bytes BETWEEN 0 AND 18446744073709551615),
	PRIMARY KEY (interconnect, source, start, node)
) PARTITION BY RANGE (start);

-- The key serves one interconnect's history; this serves "all of last night" in a big month. Rows
-- arrive in the order of time, which is all that BRIN needs.
CREATE INDEX ON bins USING brin (start) WITH (autosummarize = on);

-- Makes the partition of the month that holds `at` when there is none. Daemons that meet at midnight
-- take turns.
CREATE FUNCTION bins_make_partition(at bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	month     timestamp := date_trunc('month', to_timestamp(at) AT TIME ZONE 'UTC');
	partition text := 'bins_' || to_char(month, 'YYYY_MM');
BEGIN
	IF to_regclass(partition) IS NULL THEN
		PERFORM pg_advisory_xact_lock(hashtext('p4pd bins partition'));
		EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF bins FOR VALUES FROM (%s) TO (%s)',
			partition,
			extract(epoch FROM month)::bigint,
			extract(epoch FROM month + interval '1 month')::bigint);
	END IF;
END
$$;
