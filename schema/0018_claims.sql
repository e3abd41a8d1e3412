-- What admins say of providers' claims: which ASNs are a provider's, and whose a prefix is that no ROA proves.

CREATE TABLE provider_asns (
	provider label NOT NULL REFERENCES providers,
	asn      bigint NOT NULL CHECK (asn BETWEEN 1 AND 4294967294),
	author   text NOT NULL,
	added    timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (provider, asn)
);

CREATE TABLE delegations (
	prefix   cidr PRIMARY KEY,
	provider label NOT NULL REFERENCES providers,
	author   text NOT NULL,
	added    timestamptz NOT NULL DEFAULT now()
);
