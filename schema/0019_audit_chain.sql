-- The audit log as a chain: each row carries the hash of itself and of all before it, so that whoever
-- changes one behind our back (a superuser, an edited backup) would have to change all that follow, and a
-- head that was noted elsewhere tells even that.

ALTER TABLE audit ADD provider text; -- whose auditors may read it; NULL: the admins' alone
ALTER TABLE audit ADD chain bytea;
ALTER TABLE audit ALTER number DROP IDENTITY;

-- SHA-256 of the hash before and of each value as LENGTH:VALUE, the length in bytes, separated by commas.
-- server/store/audit.c computes the same by itself.
CREATE FUNCTION audit_link(previous bytea, number bigint, at timestamptz, author text, action text,
                           subject text, provider text) RETURNS bytea LANGUAGE sql STABLE AS $$
	SELECT sha256(previous || string_agg(octet_length(v)::text::bytea || ':'::bytea || v, ','::bytea ORDER BY i))
	FROM (SELECT convert_to(t, 'UTF8') AS v, i FROM unnest(ARRAY[number::text,
	      (extract(epoch FROM at) * 1000000)::bigint::text, author, action, subject, coalesce(provider, '')])
	      WITH ORDINALITY AS u (t, i)) AS f
$$;

-- Rows of before say whose they are where their words do.
ALTER TABLE audit DISABLE TRIGGER append_only;
DO $$
DECLARE
	row audit;
	link bytea := decode(repeat('00', 32), 'hex');
	whose text;
BEGIN
	FOR row IN SELECT * FROM audit ORDER BY number LOOP
		whose := CASE
			WHEN row.action IN ('upload', 'activate', 'ratio-limit', 'statement', 'policy-put', 'policy-remove',
			                    'contract-put', 'contract-remove') THEN split_part(row.subject, ' ', 1)
			WHEN row.action = 'token-add' THEN nullif(split_part(row.subject, ' ', 3), '')
		END;
		whose := (SELECT p.provider FROM providers p WHERE p.provider = whose);
		link := audit_link(link, row.number, row.at, row.author, row.action, row.subject, whose);
		UPDATE audit SET provider = whose, chain = link WHERE number = row.number;
	END LOOP;
END
$$;
ALTER TABLE audit ENABLE TRIGGER append_only;
ALTER TABLE audit ALTER chain SET NOT NULL;
CREATE INDEX ON audit (provider, number);

-- One at a time until its transaction ends, so that the order of rows is that of their commits and a number
-- is missing only where a row was taken away. Who writes here does so last, and holds nobody up for long.
CREATE FUNCTION audit_append() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
	last audit;
BEGIN
	PERFORM pg_advisory_xact_lock(hashtext('p4pd audit chain'));
	SELECT * INTO last FROM audit ORDER BY number DESC LIMIT 1;
	NEW.number := coalesce(last.number, 0) + 1;
	NEW.at := clock_timestamp();
	NEW.chain := audit_link(coalesce(last.chain, decode(repeat('00', 32), 'hex')),
	                        NEW.number, NEW.at, NEW.author, NEW.action, NEW.subject, NEW.provider);
	RETURN NEW;
END
$$;
CREATE TRIGGER chained BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION audit_append();
