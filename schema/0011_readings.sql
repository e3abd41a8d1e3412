-- What pollers read of interface counters. Bins of counters are made of any two readings that follow each other,
-- whatever order they came in; so readings stay until nothing late is taken any more.

CREATE TABLE readings (
	interconnect  integer NOT NULL,                        -- interconnects.number
	port          label NOT NULL,
	at_ms         bigint NOT NULL,                         -- unix, when it was read
	period_ms     integer NOT NULL CHECK (period_ms >= 0), -- not 0: octets are what was counted in that long before
	bits          smallint NOT NULL CHECK (bits IN (0, 32, 53, 64)),
	out_octets    numeric(20) NOT NULL CHECK (out_octets BETWEEN 0 AND 18446744073709551615),
	in_octets     numeric(20) NOT NULL CHECK (in_octets BETWEEN 0 AND 18446744073709551615),
	out_packets   numeric(20) CHECK (out_packets BETWEEN 0 AND 18446744073709551615),
	in_packets    numeric(20) CHECK (in_packets BETWEEN 0 AND 18446744073709551615),
	uptime        bigint,                                  -- sysUpTime, hundredths of a second
	discontinuity bigint,                                  -- ifCounterDiscontinuityTime
	speed_bps     numeric(20) NOT NULL,                    -- 0: not known
	PRIMARY KEY (interconnect, port, at_ms),
	CHECK ((out_packets IS NULL) = (in_packets IS NULL))
);

-- Every port that was ever read, and how far it got.
CREATE TABLE ports (
	interconnect integer NOT NULL,
	port         label NOT NULL,
	last_ms      bigint NOT NULL,
	PRIMARY KEY (interconnect, port)
);
