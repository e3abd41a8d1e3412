-- What a bin is besides its bytes: packets and peer-to-peer bytes where they were measured, and how good it is.

-- NULL is "nobody measured it", which is not 0. The packets turn bytes of one layer into those of the other: an
-- interface counts Ethernet, flows and announces count IP.
ALTER TABLE bins
	ADD COLUMN out_packets   numeric(20) CHECK (out_packets BETWEEN 0 AND 18446744073709551615),
	ADD COLUMN in_packets    numeric(20) CHECK (in_packets BETWEEN 0 AND 18446744073709551615),
	ADD COLUMN out_p2p_bytes numeric(20) CHECK (out_p2p_bytes BETWEEN 0 AND 18446744073709551615),
	ADD COLUMN in_p2p_bytes  numeric(20) CHECK (in_p2p_bytes BETWEEN 0 AND 18446744073709551615),
	ADD COLUMN quality       smallint NOT NULL DEFAULT 0, -- flags of common/balance/quality.h
	ADD CHECK ((out_packets IS NULL) = (in_packets IS NULL)),
	ADD CHECK ((out_p2p_bytes IS NULL) = (in_p2p_bytes IS NULL));

-- 1 is "watched for less than the bin"; so far only the seconds said so.
UPDATE bins SET quality = 1 WHERE observed_seconds < seconds;
