-- Between which places, and in which swarms, the bytes went that announces tell of.

-- Bins of two days, then hours: an hour is the longest step that starts with every time zone's day but few, and
-- a twelfth of the rows. A place is a PID, an ASN or a prefix that a map names, never an address.

-- Which bins of which node are in the tables below. A bin that has become part of its hours is `rolled`
-- and cannot be replaced any more.
CREATE TABLE matrix_bins (
	start            bigint NOT NULL,          -- unix seconds
	node             label NOT NULL,
	seconds          integer NOT NULL CHECK (seconds > 0),
	observed_seconds integer NOT NULL CHECK (observed_seconds >= 0),
	rolled           boolean NOT NULL DEFAULT false,
	PRIMARY KEY (start, node)
);

CREATE TYPE matrix_direction AS ENUM ('inside', 'out', 'in');

-- In the book of `provider`. The smaller cells of a bin (of an hour) are one row for each crossing, whose
-- places are both '*': what a provider's rows add up to is what its interconnects are booked with.
CREATE TABLE matrix (
	start         bigint NOT NULL,
	node          label NOT NULL,
	seconds       integer NOT NULL,
	provider      label NOT NULL,
	direction     matrix_direction NOT NULL,
	tier          smallint NOT NULL,          -- 0 the same PID .. 5 unknown
	interconnect  text NOT NULL,              -- '': none
	from_place    text NOT NULL,              -- '': unknown
	to_place      text NOT NULL,
	bytes         numeric(20) NOT NULL,
	private_bytes numeric(20) NOT NULL,       -- of them, in swarms that are known to be private
	unmet_bytes   numeric(20) NOT NULL,       -- of them, between places without contacts of ours
	spread        double precision NOT NULL,  -- standard deviation of bytes
	cost          double precision NOT NULL   -- in cost units
);
CREATE INDEX ON matrix (start, node);

-- The largest swarms of each provider; all others of a bin are one row, of the swarm ''.
CREATE TABLE swarm_bytes (
	start           bigint NOT NULL,
	node            label NOT NULL,
	seconds         integer NOT NULL,
	provider        label NOT NULL,
	swarm           text NOT NULL,            -- its info-hash; '#' and a keyed hash when it was gone already
	same_pid        numeric(20) NOT NULL,
	same_provider   numeric(20) NOT NULL,
	settlement_free numeric(20) NOT NULL,
	paid_peering    numeric(20) NOT NULL,
	transit         numeric(20) NOT NULL,
	unknown         numeric(20) NOT NULL,
	out_bytes       numeric(20) NOT NULL,     -- of all these, across interconnects
	in_bytes        numeric(20) NOT NULL,
	reported_up     numeric(20) NOT NULL,     -- by all clients of the swarm
	reported_down   numeric(20) NOT NULL,
	clients         bigint NOT NULL,          -- a bit for each client of the provider, by a keyed hash
	swarms          bigint NOT NULL,          -- 1, or how many the others are
	private         boolean NOT NULL,
	cost            double precision NOT NULL
);
CREATE INDEX ON swarm_bytes (start, node);

-- A place as a report shows it. `level`: 'pid' as it is; 'as' without PIDs; 'near' without those of
-- providers other than `book`'s.
CREATE FUNCTION matrix_place(place text, book text, level text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT CASE
		WHEN place = '*' THEN 'others'
		WHEN place = '' THEN 'unknown'
		WHEN left(place, 4) = 'pid:' AND (level = 'as' OR (level = 'near' AND split_part(substr(place, 5), '/', 1) <> book))
			THEN 'isp:' || split_part(substr(place, 5), '/', 1)
		ELSE place
	END
$$;

-- The bins of one hour become one; of each provider the largest 256 cells and 64 swarms stay apart.
-- Deviations add up over time, for the same clients err the same way all along.
CREATE FUNCTION matrix_roll(hour bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO matrix
	SELECT hour, node, 3600, provider, direction, tier, interconnect,
		CASE WHEN rank <= 256 THEN from_place ELSE '*' END, CASE WHEN rank <= 256 THEN to_place ELSE '*' END,
		sum(bytes), sum(private_bytes), sum(unmet_bytes), sqrt(sum(spread * spread)), sum(cost)
	FROM (SELECT node, provider, direction, tier, interconnect, from_place, to_place, sum(bytes) AS bytes,
			sum(private_bytes) AS private_bytes, sum(unmet_bytes) AS unmet_bytes, sum(spread) AS spread,
			sum(cost) AS cost,
			row_number() OVER (PARTITION BY node, provider ORDER BY sum(bytes) DESC) AS rank
		FROM matrix WHERE start >= hour AND start < hour + 3600 AND seconds < 3600
		GROUP BY node, provider, direction, tier, interconnect, from_place, to_place) AS cells
	GROUP BY node, provider, direction, tier, interconnect, 8, 9;
	DELETE FROM matrix WHERE start >= hour AND start < hour + 3600 AND seconds < 3600;

	INSERT INTO swarm_bytes
	SELECT hour, node, 3600, provider, CASE WHEN rank <= 64 THEN swarm ELSE '' END, sum(same_pid),
		sum(same_provider), sum(settlement_free), sum(paid_peering), sum(transit), sum(unknown),
		sum(out_bytes), sum(in_bytes),
		CASE WHEN rank <= 64 THEN sum(reported_up) ELSE 0 END, CASE WHEN rank <= 64 THEN sum(reported_down) ELSE 0 END,
		CASE WHEN rank <= 64 THEN bit_or(clients) ELSE 0 END, sum(swarms), bool_and(private), sum(cost)
	FROM (SELECT node, provider, swarm, sum(same_pid) AS same_pid, sum(same_provider) AS same_provider,
			sum(settlement_free) AS settlement_free, sum(paid_peering) AS paid_peering, sum(transit) AS transit,
			sum(unknown) AS unknown, sum(out_bytes) AS out_bytes, sum(in_bytes) AS in_bytes,
			sum(reported_up) AS reported_up, sum(reported_down) AS reported_down, bit_or(clients) AS clients,
			max(swarms) AS swarms, bool_and(private) AS private, sum(cost) AS cost,
			row_number() OVER (PARTITION BY node, provider ORDER BY swarm = '', sum(same_pid + same_provider
				+ settlement_free + paid_peering + transit + unknown) DESC) AS rank
		FROM swarm_bytes WHERE start >= hour AND start < hour + 3600 AND seconds < 3600
		GROUP BY node, provider, swarm) AS largest
	GROUP BY node, provider, 5, rank <= 64;
	DELETE FROM swarm_bytes WHERE start >= hour AND start < hour + 3600 AND seconds < 3600;

	UPDATE matrix_bins SET rolled = true WHERE start >= hour AND start < hour + 3600 AND seconds < 3600;
END
$$;

-- Rolls up whole hours before `hours_until`, at most `most` of them, and forgets what began before `keep_from`.
-- Returns how many hours it rolled up. Two daemons take turns.
CREATE FUNCTION matrix_tidy(hours_until bigint, keep_from bigint, most integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	hour  bigint;
	hours bigint := 0;
BEGIN
	PERFORM pg_advisory_xact_lock(hashtext('p4pd matrix tidy'));
	FOR hour IN SELECT DISTINCT b.start - b.start % 3600 AS at FROM matrix_bins b
		WHERE NOT b.rolled AND b.seconds < 3600 AND 3600 % b.seconds = 0 AND b.start < hours_until - hours_until % 3600
		ORDER BY at LIMIT most
	LOOP
		PERFORM matrix_roll(hour);
		hours := hours + 1;
	END LOOP;
	DELETE FROM matrix WHERE start < keep_from;
	DELETE FROM swarm_bytes WHERE start < keep_from;
	DELETE FROM matrix_bins WHERE start < keep_from;
	RETURN hours;
END
$$;
