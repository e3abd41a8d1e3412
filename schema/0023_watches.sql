-- What a watch compares: where the map before and the map in force have the peers that are there now, on each daemon.
-- Counts of before are needed no more.
ALTER TABLE map_watches DROP COLUMN node, DROP COLUMN own_peers, DROP COLUMN nobodys_peers;
