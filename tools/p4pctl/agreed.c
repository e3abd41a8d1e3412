/* SPDX-License-Identifier: Apache-2.0 */
/* contracts, policies: agreements beside what was measured */
#include "common/balance/policy_preset.h"
#include "tools/p4pctl/columns.h"
#include "tools/p4pctl/ctl.h"
#include "tools/p4pctl/zone.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

/* A report of one kind; the arguments are its provider and id, or fewer. */
static enum ctl_exit show(const struct ctl *c, const char *route, const char *id,
                          void (*print)(const json_t *report))
{
	enum ctl_exit code;
	struct text path = { 0 }, answer = { 0 };
	text_put(&path, route);
	ctl_parameter(&path, "provider", c->n_args > 0 ? c->args[0] : NULL);
	ctl_parameter(&path, id, c->n_args > 1 ? c->args[1] : NULL);
	ctl_parameter(&path, "at", c->option[CTL_AT]);
	if (c->option[CTL_CSV] != NULL) {
		struct ctl_request r = { .method = "GET", .path = path };
		ctl_parameter(&r.path, "format", "csv");
		code = ctl_ask(c, &r, &answer);
		if (code == CTL_OK && !c->json)
			(void)fwrite(answer.bytes, 1, answer.size, stdout);
		text_done(&answer);
		return code;
	}
	json_t *report = ctl_get(c, path, &code);
	if (report != NULL && !c->json)
		print(report);
	json_decref(report);
	return code;
}

static const json_t *member(const json_t *object, const char *group)
{
	return json_object_get(object, group);
}

/* "8,931/8,940": how much of it is known. */
static void add_bins(struct columns *t, const json_t *item)
{
	columns_add(t, "%.0f/%.0f", ctl_number(member(item, "quality"), "bins_known"),
	            ctl_number(member(item, "quality"), "bins_expected"));
}

/* By the clock of the agreement's zone, which `zone` has; "-" for none. */
static void add_time(struct columns *t, const json_t *object, const char *key, const json_t *zone)
{
	char cell[ZONE_SIZE];
	columns_add(t, "%s",
	            zone_print(ctl_string(object, key), ctl_string(zone, "time_zone"), cell));
}

static void add_source(struct columns *t, const json_t *item)
{
	const json_t *method = member(item, "method");
	const char *source = ctl_string(method, "source");
	columns_add(t, "%s%s", source[0] != '\0' ? source : "-",
	            json_is_true(json_object_get(method, "estimate")) ? " (estimate)" : "");
}

/* ---- contracts ---- */

static void add_bps(struct columns *t, const json_t *object, const char *key)
{
	char cell[UNITS_SIZE];
	const double bps = ctl_number(object, key);
	columns_add(t, "%s", bps < 0 ? "-" : units_print(bps, "bit/s", cell));
}

static void add_money(struct columns *t, const json_t *object, const char *key)
{
	const char *amount = ctl_string(object, key);
	columns_add(t, "%s", amount[0] != '\0' ? amount : "-");
}

static void add_contract(struct columns *t, const json_t *contract)
{
	const json_t *billed = member(contract, "billed"), *cost = member(contract, "cost");
	const double left = ctl_number(member(contract, "burst_budget"), "bins_left");
	columns_add(t, "%s", ctl_string(contract, "provider"));
	columns_add(t, "%s", ctl_string(contract, "contract"));
	add_time(t, member(contract, "period"), "from", member(contract, "period"));
	add_source(t, contract);
	add_bps(t, billed, "percentile_bps");
	columns_add(t, "%s", ctl_string(billed, "side"));
	add_bps(t, billed, "floor_bps");
	add_bps(t, member(contract, "burst_budget"), "commit_bps");
	if (left < 0)
		columns_add(t, "-");
	else
		columns_add(t, "%.0f", left);
	add_money(t, cost, "total");
	columns_add(t, "%s", ctl_string(contract, "currency"));
	add_money(t, cost, "per_mbps");
	add_bins(t, contract);
}

static void print_warning(const json_t *contract)
{
	const char *warning = ctl_string(contract, "warning");
	if (warning[0] != '\0')
		printf("%s: %s\n", ctl_string(contract, "contract"), warning);
}

/* What a row of figures would not tell. */
static void print_notes(const json_t *contract)
{
	const char *id = ctl_string(contract, "contract"), *error = ctl_string(contract, "error");
	const json_t *cost = member(contract, "cost");
	if (error[0] != '\0')
		printf("%s: %s\n", id, error);
	print_warning(contract);
	if (json_is_true(member(cost, "beyond_what_has_a_price")))
		printf("%s: more is used than its commit, and it has no price for that: the cost is "
		       "without it\n",
		       id);
	if (member(contract, "sending_more_costs_less") != NULL)
		printf("%s: sending more lowers this bill: the tariff drops at a tier\n", id);
}

static void print_contracts(const json_t *report)
{
	static const char *const heads[] = { "PROVIDER",   "CONTRACT", "FROM",     "SOURCE",
		                             ">BILLED",    "SIDE",     ">FLOOR",   ">COMMIT",
		                             ">BINS LEFT", ">COST",    "CURRENCY", ">PER MBIT/S",
		                             ">BINS",      NULL };
	struct columns t;
	size_t i;
	json_t *contract;
	printf("the period of %s, so far: the percentile that is billed, below which floor it cannot "
	       "end, and\nhow many bins may still be above the commit for nothing\n",
	       ctl_string(report, "at"));
	columns_begin(&t, heads);
	json_array_foreach(json_object_get(report, "contracts"), i, contract)
		add_contract(&t, contract);
	(void)columns_print(&t, stdout);
	json_array_foreach(json_object_get(report, "contracts"), i, contract) print_notes(contract);
}

enum ctl_exit ctl_contracts(const struct ctl *c)
{
	return show(c, "/v1/reports/contracts", "contract", print_contracts);
}

/* ---- policies ---- */

static void add_policy(struct columns *t, const json_t *policy)
{
	const json_t *clause = member(policy, "clause"), *method = member(policy, "method");
	const double broken = ctl_number(clause, "periods_broken");
	columns_add(t, "%s", ctl_string(policy, "provider"));
	columns_add(t, "%s", ctl_string(policy, "policy"));
	columns_add(t, "%s", ctl_string(policy, "subject"));
	columns_add(t, "%s", ctl_string(method, "window"));
	add_time(t, member(policy, "period"), "from", method);
	add_source(t, policy);
	columns_add(t, "%s", ctl_string(policy, "verdict"));
	columns_add(t, "%s", ctl_string(clause, "verdict"));
	columns_add(t, "%.0f", broken < 0 ? 0 : broken);
	add_time(t, clause, "notice_ends", method);
	add_bins(t, policy);
	columns_add(t, "%s%s", ctl_string(policy, "summary"), ctl_string(policy, "error"));
}

static void print_policies(const json_t *report)
{
	static const char *const heads[] = { "PROVIDER", "POLICY",      "ABOUT", "WINDOW",
		                             "FROM",     "SOURCE",      "NOW",   "CLAUSE",
		                             ">BROKEN",  "NOTICE ENDS", ">BINS", "RATIO",
		                             NULL };
	struct columns t;
	size_t i;
	json_t *policy;
	printf("at %s: this period so far, and what the periods before it say of the clause\n",
	       ctl_string(report, "at"));
	columns_begin(&t, heads);
	json_array_foreach(json_object_get(report, "policies"), i, policy) add_policy(&t, policy);
	(void)columns_print(&t, stdout);
}

enum ctl_exit ctl_policies(const struct ctl *c)
{
	return show(c, "/v1/reports/policies", "policy", print_policies);
}

/* ---- presets: these ask no server ---- */

static void put_ratio_clause(struct text *out, const struct policy *p)
{
	text_put(out, "\"ratio\":{");
	if (p->ratio.limit_milli > 0)
		text_printf(out, "\"limit\":%" PRIu64 ".%03" PRIu64 ",\"orientation\":\"%s\",",
		            p->ratio.limit_milli / 1000, p->ratio.limit_milli % 1000,
		            ratio_orientation_names[p->ratio.orientation]);
	text_printf(out, "\"metric\":\"%s\",\"window\":\"%s\",\"scope\":\"%s\"}",
	            policy_metric_names[p->metric], policy_window_names[p->window],
	            policy_scope_names[p->scope]);
}

static void put_member(struct text *out, const char *key, const char *value)
{
	text_printf(out, ",\n \"%s\":", key);
	text_json_string(out, value);
}

/* A document to start one's own from: the provider and the peer are yet to be filled in. */
static void put_preset(struct text *out, const struct policy_preset *preset)
{
	const struct policy *p = &preset->policy;
	text_put(out, "{\"format\":\"p4p-policy/1\",\"provider\":\"PROVIDER\",\"id\":");
	text_json_string(out, preset->id);
	text_put(out, ",\"peer_asn\":65535,\n ");
	put_ratio_clause(out, p);
	if (p->min_bps > 0)
		text_printf(out,
		            ",\n \"min_volume\":{\"mbps\":%" PRIu64
		            ",\"metric\":\"%s\",\"more_than\":\"%s\"}",
		            p->min_bps / 1000000, policy_volume_names[p->min_metric],
		            p->min_more ? "yes" : "no");
	text_printf(out, ",\n \"breach_after_periods\":%u,\"qualify_after_periods\":%u",
	            p->consecutive_periods > 0 ? p->consecutive_periods : 1,
	            p->qualify_periods > 0 ? p->qualify_periods : 1);
	text_printf(out, ",\"notice_days\":%u", p->notice_days);
	put_member(out, "source", preset->source);
	put_member(out, "checked_on", preset->checked_on);
	put_member(out, "note", preset->note);
	text_put(out, "}\n");
}

static void print_presets(const struct policy_preset *all, size_t n)
{
	static const char *const heads[] = { "ID",         "NETWORK", "CERTAINTY",
		                             "CHECKED ON", "SOURCE",  NULL };
	struct columns t;
	columns_begin(&t, heads);
	for (size_t i = 0; i < n; i++) {
		columns_add(&t, "%s", all[i].id);
		columns_add(&t, "%s", all[i].title);
		columns_add(&t, "%s", policy_mark_names[all[i].mark]);
		columns_add(&t, "%s", all[i].checked_on);
		columns_add(&t, "%s", all[i].source);
	}
	(void)columns_print(&t, stdout);
}

enum ctl_exit ctl_policy_presets(const struct ctl *c)
{
	size_t n;
	const struct policy_preset *all = policy_presets(&n);
	struct text out = { 0 };
	bool found = c->n_args == 0;
	if (found && !c->json) {
		print_presets(all, n);
		return CTL_OK;
	}
	text_put(&out, c->n_args == 0 ? "[" : "");
	for (size_t i = 0; i < n; i++) {
		if (c->n_args > 0 && strcmp(all[i].id, c->args[0]) != 0)
			continue;
		text_put(&out, c->n_args == 0 && i > 0 ? "," : "");
		put_preset(&out, &all[i]);
		found = true;
	}
	text_put(&out, c->n_args == 0 ? "]\n" : "");
	if (found)
		(void)fwrite(out.bytes, 1, out.size, stdout);
	text_done(&out);
	return found ? CTL_OK
	             : ctl_fail(CTL_USAGE,
	                        "no preset is called \"%s\"; p4pctl policy presets lists them",
	                        c->args[0]);
}
