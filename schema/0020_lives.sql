-- Lives of a node: as long as its state folder lasts it knows which of its bins are stored already.

-- A node that lost its folder cannot tell, and its bins must not replace what an earlier life has stored. So each
-- life writes under a name of its own: the first under the node's, the second under "NODE~2", and reports add.
CREATE TABLE node_lives (
	node   label NOT NULL,
	number integer NOT NULL,
	life   text NOT NULL,
	began  timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (node, number),
	UNIQUE (node, life)
);
