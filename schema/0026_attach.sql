-- A month's partition is made without stopping anybody.

-- As a table of its own first, and then attached: that waits for no reader and no writer of the others, where
-- PARTITION OF waits for all of them, and they for it.
CREATE OR REPLACE FUNCTION bins_make_one(parent text, at bigint, options text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	month     timestamp := date_trunc('month', to_timestamp(at) AT TIME ZONE 'UTC');
	partition text := parent || to_char(month, '_YYYY_MM');
BEGIN
	IF to_regclass(partition) IS NOT NULL THEN
		RETURN;
	END IF;
	PERFORM pg_advisory_xact_lock(hashtext('p4pd bins partition'));
	-- By who had the lock before; to_regclass() may remember for a while that there was none.
	IF EXISTS (SELECT FROM pg_class WHERE relname = partition
		AND relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = parent::regclass)) THEN
		RETURN;
	END IF;
	EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL) %s', partition, parent, options);
	EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', parent, partition,
		extract(epoch FROM month)::bigint,
		extract(epoch FROM month + interval '1 month')::bigint);
END
$$;
