-- What flows say of the estimates from announces, day by day (common/balance/calibrate.h).

CREATE TABLE calibrations (
	interconnect   integer NOT NULL,           -- interconnects.number
	direction      matrix_direction NOT NULL CHECK (direction <> 'inside'),
	day            bigint NOT NULL CHECK (day % 86400 = 0), -- its start (UTC), unix seconds
	flow_bytes     numeric NOT NULL,           -- peer-to-peer, of the bins that announces told of too
	announce_bytes numeric NOT NULL,
	noise          double precision NOT NULL,  -- relative standard error of their quotient
	factor         double precision NOT NULL,  -- the quotient
	off            double precision NOT NULL,  -- from the mean of the days before, relative
	drift          boolean NOT NULL,
	k              double precision NOT NULL,  -- the running mean after the day
	sigma          double precision NOT NULL,
	days           integer NOT NULL,
	PRIMARY KEY (interconnect, direction, day)
);
CREATE INDEX ON calibrations (day) WHERE drift;

-- The sums of one day, of bins that both flows and announces know, with the noise that their scatter from
-- hour to hour shows, and the mean after the last day before.
CREATE FUNCTION calibration_sums(of_day bigint, bin_seconds integer)
RETURNS TABLE (provider label, id label, direction matrix_direction, flow numeric, announce numeric,
	noise double precision, k double precision, sigma double precision, days integer)
LANGUAGE sql STABLE AS $$
	WITH sums AS (
		SELECT interconnect, start,
			sum(out_p2p_bytes) FILTER (WHERE source = 'flow') AS flow_out,
			sum(in_p2p_bytes) FILTER (WHERE source = 'flow') AS flow_in,
			sum(out_bytes) FILTER (WHERE source = 'announce') AS announce_out,
			sum(in_bytes) FILTER (WHERE source = 'announce') AS announce_in
		FROM bins WHERE start >= of_day AND start < of_day + 86400 AND seconds = bin_seconds
			AND source IN ('flow', 'announce')
		GROUP BY interconnect, start),
	hours AS (
		SELECT interconnect, d.direction, start - start % 3600 AS hour, sum(d.flow) AS flow, sum(d.announce) AS announce
		FROM sums, LATERAL (VALUES ('out'::matrix_direction, flow_out, announce_out),
			('in'::matrix_direction, flow_in, announce_in)) AS d (direction, flow, announce)
		WHERE d.flow IS NOT NULL AND d.announce IS NOT NULL
		GROUP BY interconnect, d.direction, hour),
	all_day AS (
		SELECT h.interconnect, h.direction, sum(h.flow) AS flow, sum(h.announce) AS announce,
			coalesce(stddev_samp((h.flow / h.announce)::double precision) FILTER (WHERE h.announce > 0)
				/ nullif(avg((h.flow / h.announce)::double precision) FILTER (WHERE h.announce > 0), 0)
				/ sqrt(count(*) FILTER (WHERE h.announce > 0)), 0) AS noise
		FROM hours h GROUP BY h.interconnect, h.direction)
	SELECT i.provider, i.id, a.direction, a.flow, a.announce, a.noise,
		coalesce(p.k, 0), coalesce(p.sigma, 0), coalesce(p.days, 0)
	FROM all_day a JOIN interconnects i ON i.number = a.interconnect
	LEFT JOIN LATERAL (SELECT c.k, c.sigma, c.days FROM calibrations c
		WHERE c.interconnect = a.interconnect AND c.direction = a.direction AND c.day < of_day
		ORDER BY c.day DESC LIMIT 1) AS p ON true
	WHERE a.announce > 0
	ORDER BY i.provider, i.id, a.direction
$$;
