-- Bytes that providers' clients downloaded, apart by arm of the built-in experiment: what the steering
-- report is made of.

-- A row is what one node saw of one group of swarms in one bin; a bin again replaces all rows of its node.
-- Groups are by a hash of the swarm, so that they can be drawn again in a bootstrap. Bytes by tier, in the
-- book of the provider whose clients downloaded; an estimate, as all that comes from announces.
CREATE TABLE steering (
	provider        label NOT NULL,
	start           bigint NOT NULL,           -- of the bin, unix seconds
	node            label NOT NULL,
	seconds         integer NOT NULL CHECK (seconds > 0),
	policy          text NOT NULL,             -- of the steered arm at the time
	control         boolean NOT NULL,          -- left to native lists
	private         boolean NOT NULL,          -- known to carry the flag (BEP 27)
	swarms          smallint NOT NULL,         -- the group
	same_pid        numeric(20) NOT NULL,
	same_provider   numeric(20) NOT NULL,
	settlement_free numeric(20) NOT NULL,      -- customers and siblings too
	paid_peering    numeric(20) NOT NULL,
	transit         numeric(20) NOT NULL,
	unknown         numeric(20) NOT NULL,
	PRIMARY KEY (start, node, provider, control, private, swarms)
);
