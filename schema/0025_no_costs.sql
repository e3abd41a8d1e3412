-- A roll back to no costs at all puts an empty document of costs in force, which says the same, and resumes itself.

-- As before; 0: it stands for nothing.
CREATE OR REPLACE FUNCTION activation_resumed(start bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
	WITH RECURSIVE chain(number, resumes) AS (
		SELECT number, resumes FROM activations WHERE number = start
		UNION
		SELECT a.number, a.resumes FROM activations a JOIN chain ON a.number = chain.resumes)
	SELECT CASE WHEN resumes IS NULL THEN number ELSE 0 END FROM chain WHERE resumes IS NULL OR resumes = number
$$;
