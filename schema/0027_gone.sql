-- Bins are not made again from what is left of a port's readings.

ALTER TABLE ports ADD COLUMN gone_ms bigint NOT NULL DEFAULT 0; -- readings before this one were let go
