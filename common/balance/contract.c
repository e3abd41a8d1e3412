/* SPDX-License-Identifier: Apache-2.0 */
#include "common/balance/contract.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *const contract_model_names[CONTRACT_MODELS + 1] = {
	[CONTRACT_COMMIT_BLENDED] = "commit_blended",
	[CONTRACT_COMMIT_VOLUME] = "commit_volume",
	[CONTRACT_FLAT] = "flat",
};

const char *const contract_per_names[CONTRACT_PERS + 1] = {
	[CONTRACT_MONTH] = "month",
	[CONTRACT_YEAR] = "year",
	[CONTRACT_ONCE] = "once",
};

const char *const contract_line_names[LINE_KINDS + 1] = {
	[LINE_FEE] = "fee",   [LINE_COMMIT] = "commit", [LINE_EXCESS] = "excess",
	[LINE_TIER] = "tier", [LINE_CHARGE] = "charge", [LINE_ONCE] = "once",
};

unsigned contract_minor_places(const char *currency)
{
	static const char none[] = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV "
				   "XAF XOF XPF";
	static const char three[] = "BHD IQD JOD KWD LYD OMR TND";
	static const char four[] = "CLF UYW";
	if (strlen(currency) != 3)
		return 2;
	if (strstr(none, currency) != NULL)
		return 0;
	if (strstr(three, currency) != NULL)
		return 3;
	return strstr(four, currency) != NULL ? 4 : 2;
}

struct checking {
	const char *where;
	struct faults *faults;
	bool bad;
};

static void __attribute__((format(printf, 4, 5)))
complain(struct checking *c, const char *kind, const char *member, const char *fmt, ...)
{
	char where[sizeof(((struct fault *)NULL)->where)], text[200];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	(void)snprintf(where, sizeof(where), "%s%s", c->where, member);
	(void)faults_add(c->faults, ERR_RANGE, kind, where, "%s", text);
	c->bad = true;
}

static void check_price(struct checking *k, struct decimal price, const char *member)
{
	if (price.bad || price.units < 0)
		complain(k, "out-of-range", member, "must not be below 0");
}

static void check_tiers(struct checking *k, const struct contract *c)
{
	char member[64];
	if (c->model == CONTRACT_FLAT && c->n_tiers > 0)
		complain(k, "contradiction", "/tiers", "a flat contract has none");
	for (size_t i = 0; i < c->n_tiers; i++) {
		(void)snprintf(member, sizeof(member), "/tiers/%zu/price", i);
		check_price(k, c->tiers[i].price, member);
		(void)snprintf(member, sizeof(member), "/tiers/%zu/from_mbps", i);
		if (c->tiers[i].from_bps <= c->commit_bps)
			complain(k, "out-of-range", member, "must be above commit_mbps");
		if (i > 0 && c->tiers[i].from_bps <= c->tiers[i - 1].from_bps)
			complain(k, "out-of-order", member,
			         "must be above that of the tier before it");
	}
}

static bool is_currency(const char *s)
{
	return strlen(s) == 3 && strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 3;
}

enum err contract_check(const struct contract *c, const char *where, struct faults *faults)
{
	struct checking k = { .where = where, .faults = faults };
	must(c->n_tiers <= CONTRACT_TIERS_MAX && c->n_charges <= CONTRACT_CHARGES_MAX);
	check_price(&k, c->unit_price, "/unit_price");
	check_price(&k, c->fee, "/fee");
	check_tiers(&k, c);
	if (c->model == CONTRACT_FLAT && c->commit_bps == 0)
		complain(&k, "out-of-range", "/commit_mbps",
		         "a flat contract needs the bandwidth that its fee is for");
	if (!is_currency(c->currency))
		complain(&k, "malformed", "/currency",
		         "must be three capital letters (ISO 4217), as in USD");
	if (c->cycle_day < 1 || c->cycle_day > 28)
		complain(&k, "out-of-range", "/cycle_day",
		         "must be from 1 to 28, which every month has");
	if (c->rule.percentile < RANK_PERCENTILE_MIN || c->rule.percentile > RANK_PERCENTILE_MAX)
		complain(&k, "out-of-range", "/percentile", "must be from %d to %d",
		         RANK_PERCENTILE_MIN, RANK_PERCENTILE_MAX);
	return k.bad ? ERR_RANGE : ERR_OK;
}
