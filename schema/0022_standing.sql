-- Plans and approvals count while whoever made them may still do such a thing.

-- What has become of the token that did something then: its role now, 'revoked' or 'expired'. A name may be used
-- again after its token was revoked: who has it since answers for nothing of before. The admin of the state folder
-- has no row.
CREATE FUNCTION author_standing(who text, since timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT CASE WHEN who = 'admin' THEN 'admin' ELSE coalesce((
		SELECT CASE WHEN revoked IS NOT NULL THEN 'revoked' WHEN expires <= now() THEN 'expired' ELSE role::text END
		FROM tokens WHERE name = who AND created <= since ORDER BY created DESC LIMIT 1), 'revoked') END
$$;

-- Plans of before count from now on.
ALTER TABLE map_plans ADD made timestamptz NOT NULL DEFAULT now();
