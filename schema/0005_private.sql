-- Which of the allowed torrents carry the private flag (BEP 27). Where it is missing, clients find each
-- other by DHT and peer exchange too, and steering does not bind them.

ALTER TABLE allowed_hashes ADD COLUMN private boolean NOT NULL DEFAULT false; -- false: open, or not known
