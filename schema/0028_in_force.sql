-- What is in force is found by the index, whatever the number of versions.

-- DISTINCT ON looks at every activation there ever was.
CREATE OR REPLACE VIEW documents_in_force AS
	SELECT p.provider, k.kind, a.version, a.author, a.activated
	FROM providers p
	CROSS JOIN unnest(enum_range(NULL::document_kind)) AS k (kind)
	CROSS JOIN LATERAL (
		SELECT version, author, activated FROM activations
		WHERE provider = p.provider AND kind = k.kind
		ORDER BY number DESC LIMIT 1) a;

-- An upload asks whether the same document is there already.
CREATE INDEX ON map_versions (provider, kind, sha256);
