/* SPDX-License-Identifier: Apache-2.0 */
#include "server/report/terms_reading.h"

#include <stdio.h>

static const char *const sources[] = { "announce", "flow", "counter", NULL };
static const char *const statements[] = { "manual", "automatic", NULL };

static void read_tiers(struct reading *r, struct value *v, struct contract *c)
{
	enum { FROM, PRICE, KEYS };
	static const struct member keys[KEYS] = {
		[FROM] = { "from_mbps", REQUIRED },
		[PRICE] = { "price", REQUIRED },
	};
	const size_t n = read_array(r, v, CONTRACT_TIERS_MAX);
	for (size_t i = 0; v->json != NULL && i < n; i++) {
		const struct value item = value_item(v, i);
		struct value m[KEYS];
		struct contract_tier *tier = &c->tiers[c->n_tiers++];
		if (!read_object(r, &item, keys, KEYS, m)) {
			if (!value_is_object(&item))
				continue;
		}
		terms_read_mbps(r, &m[FROM], &tier->from_bps);
		terms_read_money(r, &m[PRICE], &tier->price);
	}
}

static void read_charges(struct reading *r, struct value *v, struct contract *c)
{
	enum { NAME, AMOUNT, PER, KEYS };
	static const struct member keys[KEYS] = {
		[NAME] = { "name", REQUIRED },
		[AMOUNT] = { "amount", REQUIRED },
		[PER] = { "per", REQUIRED },
	};
	const size_t n = read_array(r, v, CONTRACT_CHARGES_MAX);
	for (size_t i = 0; v->json != NULL && i < n; i++) {
		const struct value item = value_item(v, i);
		struct value m[KEYS];
		struct contract_charge *charge = &c->charges[c->n_charges++];
		const char *name = "";
		unsigned per = CONTRACT_MONTH;
		if (!read_object(r, &item, keys, KEYS, m))
			continue;
		terms_read_text(r, &m[NAME], CONTRACT_NAME_SIZE - 1, &name);
		(void)snprintf(charge->name, sizeof(charge->name), "%s", name);
		terms_read_money(r, &m[AMOUNT], &charge->amount);
		terms_read_word(r, &m[PER], contract_per_names, &per);
		charge->per = (enum contract_per)per;
	}
}

/* "USD", as contract_check() wants it: here only that it fits. */
static void read_currency(struct reading *r, const struct value *v, struct contract *c)
{
	const char *s = NULL;
	terms_read_text(r, v, sizeof(c->currency) - 1, &s);
	if (s != NULL)
		(void)snprintf(c->currency, sizeof(c->currency), "%s", s);
}

static void read_time_zone(struct reading *r, const struct value *v, struct contract *c)
{
	const char *s = "UTC";
	terms_read_text(r, v, sizeof(c->time_zone) - 1, &s);
	(void)snprintf(c->time_zone, sizeof(c->time_zone), "%s", s);
}

/* ---- what is measured ---- */

static size_t index_of(const struct terms_names *all, const char *name)
{
	size_t i = 0;
	while (i < all->n && strcmp(all->name[i], name) != 0)
		i++;
	return i;
}

/* Every interconnect is in exactly one set. */
static void read_sets(struct reading *r, struct value *v, struct terms_contract *t)
{
	bool in_one[TERMS_NAMES_MAX] = { false };
	const size_t n = read_array(r, v, TERMS_NAMES_MAX);
	for (size_t i = 0; v->json != NULL && i < n; i++) {
		struct value item = value_item(v, i);
		struct terms_names names = { .n = 0 };
		terms_read_names(r, &item, &names);
		for (size_t k = 0; k < names.n; k++) {
			const size_t at = index_of(&t->interconnects, names.name[k]);
			if (at == t->interconnects.n)
				reading_fault(r, &item, ERR_NOT_FOUND, "unknown-interconnect",
				              "\"%s\" is none of 'interconnects'", names.name[k]);
			else if (in_one[at])
				reading_fault(r, &item, ERR_EXISTS, "duplicate",
				              "\"%s\" is in two sets", names.name[k]);
			else
				t->set[at] = (unsigned)i;
			in_one[at < TERMS_NAMES_MAX ? at : 0] |= at < t->interconnects.n;
		}
	}
	for (size_t i = 0; v->json != NULL && i < t->interconnects.n; i++)
		if (!in_one[i])
			reading_fault(r, v, ERR_NOT_FOUND, "in-no-set", "\"%s\" is in no set",
			              t->interconnects.name[i]);
}

enum {
	FORMAT,
	PROVIDER,
	ID,
	INTERCONNECTS,
	MODEL,
	COMMIT,
	UNIT_PRICE,
	FEE,
	TIERS,
	CURRENCY,
	CYCLE_DAY,
	TZ,
	PERCENTILE,
	RANK,
	METHOD,
	SETS,
	DIRECTION,
	MISSING,
	SOURCE,
	CHARGES,
	STATEMENTS,
	NOTE,
	KEYS
};

static const struct member keys[KEYS] = {
	[FORMAT] = { "format", REQUIRED },
	[PROVIDER] = { "provider", REQUIRED },
	[ID] = { "id", REQUIRED },
	[INTERCONNECTS] = { "interconnects", REQUIRED | NOT_EMPTY },
	[MODEL] = { "model", REQUIRED },
	[COMMIT] = { "commit_mbps", REQUIRED },
	[UNIT_PRICE] = { "unit_price", REQUIRED },
	[FEE] = { "fee", 0 },
	[TIERS] = { "tiers", 0 },
	[CURRENCY] = { "currency", REQUIRED },
	[CYCLE_DAY] = { "cycle_day", 0 },
	[TZ] = { "tz", 0 },
	[PERCENTILE] = { "percentile", 0 },
	[RANK] = { "rank", 0 },
	[METHOD] = { "method", 0 },
	[SETS] = { "sets", NOT_EMPTY },
	[DIRECTION] = { "direction", 0 },
	[MISSING] = { "missing", 0 },
	[SOURCE] = { "source", 0 },
	[CHARGES] = { "charges", 0 },
	[STATEMENTS] = { "statements", 0 },
	[NOTE] = { "note", 0 },
};

static void read_rule(struct reading *r, struct value m[static KEYS], struct terms_contract *t)
{
	uint32_t percentile = 95;
	unsigned rank = RANK_NEAREST, method = COMBINE_SUM_OF_PEAKS;
	unsigned direction = DIRECTION_MAX_IN_OUT, missing = MISSING_DROP;
	read_u32(r, &m[PERCENTILE], RANK_PERCENTILE_MIN, RANK_PERCENTILE_MAX, &percentile);
	terms_read_word(r, &m[RANK], rank_method_names, &rank);
	terms_read_word(r, &m[METHOD], percentile_combine_names, &method);
	terms_read_word(r, &m[DIRECTION], percentile_direction_names, &direction);
	terms_read_word(r, &m[MISSING], percentile_missing_names, &missing);
	t->contract.rule = (struct percentile_rule){
		.percentile = percentile,
		.rank = (enum rank_method)rank,
		.combine = (enum percentile_combine)method,
		.direction = (enum percentile_direction)direction,
		.missing = (enum percentile_missing)missing,
	};
	if (method == COMBINE_SETS && m[SETS].json == NULL && !m[SETS].lost)
		reading_fault(r, &m[METHOD], ERR_MALFORMED, "missing",
		              "\"sets\" needs the member 'sets': which interconnects are added up "
		              "together");
	else if (method != COMBINE_SETS && m[SETS].json != NULL)
		reading_fault(r, &m[SETS], ERR_MALFORMED, "choice",
		              "sets are for \"method\": \"sets\" alone");
	else
		read_sets(r, &m[SETS], t);
}

static void read_source(struct reading *r, const struct value *v, struct terms_contract *t)
{
	unsigned source = STORE_ANNOUNCE;
	if (v->json == NULL)
		return;
	/* Estimates are not for money. */
	read_word(r, v, sources + STORE_FLOW, 2, &source);
	t->has_source = true;
	t->source = (enum store_source)(source + STORE_FLOW);
}

static void read_contract(struct reading *r, struct value m[static KEYS], struct terms_contract *t)
{
	struct contract *c = &t->contract;
	unsigned model = CONTRACT_COMMIT_BLENDED, automatic = 0;
	uint32_t cycle_day = 1;
	read_name(r, &m[PROVIDER], &t->provider);
	read_name(r, &m[ID], &t->id);
	terms_read_names(r, &m[INTERCONNECTS], &t->interconnects);
	terms_read_word(r, &m[MODEL], contract_model_names, &model);
	c->model = (enum contract_model)model;
	terms_read_mbps(r, &m[COMMIT], &c->commit_bps);
	terms_read_money(r, &m[UNIT_PRICE], &c->unit_price);
	terms_read_money(r, &m[FEE], &c->fee);
	read_tiers(r, &m[TIERS], c);
	read_currency(r, &m[CURRENCY], c);
	read_u32(r, &m[CYCLE_DAY], 1, 28, &cycle_day);
	c->cycle_day = cycle_day;
	read_time_zone(r, &m[TZ], c);
	read_rule(r, m, t);
	read_source(r, &m[SOURCE], t);
	read_charges(r, &m[CHARGES], c);
	terms_read_word(r, &m[STATEMENTS], statements, &automatic);
	t->automatic = automatic == 1;
	terms_read_text(r, &m[NOTE], 500, &t->note);
}

enum err terms_contract_parse(const char *json, size_t size, struct arena *arena,
                              struct terms_contract **out, struct faults *faults)
{
	struct reading r = { .arena = arena, .faults = faults };
	struct value top = { 0 }, m[KEYS];
	enum err err;
	top.json = terms_load(json, size, faults, &err);
	struct terms_contract *t = reading_take(&r, 1, sizeof(*t));
	if (top.json != NULL && t != NULL &&
	    read_format(&r, &top, "p4p-contract/1", "p4p-policy/1") &&
	    read_object(&r, &top, keys, KEYS, m))
		read_contract(&r, m, t);
	else if (top.json != NULL && !value_is_object(&top))
		r.bad = true;
	reading_drop(top.json);
	if (err == ERR_OK)
		err = reading_verdict(&r);
	if (err == ERR_OK && contract_check(&t->contract, "", faults) != ERR_OK)
		err = ERR_MALFORMED;
	if (err == ERR_OK)
		*out = t;
	return err;
}
