/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4psim/report.h"

#include <math.h>
#include <stdio.h>

static const char *const tier_names[TIER_COUNT_] = {
	[TIER_SAME_PID] = "same_pid",
	[TIER_SAME_PROVIDER] = "same_provider",
	[TIER_SETTLEMENT_FREE] = "settlement_free",
	[TIER_PAID_PEERING] = "paid_peering",
	[TIER_TRANSIT] = "transit",
	[TIER_UNKNOWN] = "unknown",
};

static const char *provider_name(const struct report *r, size_t i)
{
	return r->network->world->sources[i].topology->provider;
}

static double utilisation(const struct report *r, const struct outcome *o, size_t segment)
{
	const uint64_t capacity = r->network->segments[segment].capacity_bps;
	if (capacity == 0)
		return 0;
	return outcome_load(o, segment, 1, r->scenario->bin_seconds) / (double)capacity;
}

size_t report_bottleneck(const struct report *r, const struct outcome *o, double *most)
{
	size_t best = SIZE_MAX;
	*most = 0;
	for (size_t i = 0; i < r->network->n_segments; i++) {
		const double u = utilisation(r, o, i);
		if (r->network->segments[i].capacity_bps > 0 && (best == SIZE_MAX || u > *most)) {
			best = i;
			*most = u;
		}
	}
	return best;
}

static const char *direction(const struct segment *s)
{
	return s->interconnect ? (s->reverse ? "in" : "out") : s->reverse ? "ba" : "ab";
}

enum { RATIO_SIZE = 32 };

/* out:in of an interconnect; nothing came in: `none`. */
static void print_ratio(const struct outcome *o, size_t segment, const char *none,
                        char out[static RATIO_SIZE])
{
	const double in = outcome_bytes(o, segment + 1);
	if (in > 0)
		(void)snprintf(out, RATIO_SIZE, "%.3f", outcome_bytes(o, segment) / in);
	else
		(void)snprintf(out, RATIO_SIZE, "%s", none);
}

/* ---- table ---- */

static void put_head(const struct report *r, struct text *out)
{
	text_printf(out, "%-16s %6s %6s %6s %6s %6s %6s  %8s %8s %6s %5s  %-24s %6s\n", "policy",
	            "pid%", "isp%", "free%", "paid%", "trans%", "unkn%", "median s", "p95 s",
	            "unfin", "gone", "bottleneck", "util%");
	(void)r;
}

static enum err put_arm(const struct report *r, size_t arm, struct text *out)
{
	const struct outcome *o = &r->outcomes[arm];
	struct outcome_times t;
	double tiers[TIER_COUNT_], sum = 0, most;
	char where[64] = "-";
	outcome_tiers(o, r->network, tiers);
	for (unsigned i = 0; i < TIER_COUNT_; i++)
		sum += tiers[i];
	if (outcome_times(o, r->network, UINT32_MAX, &t) != ERR_OK)
		return ERR_NOMEM;
	const size_t hot = report_bottleneck(r, o, &most);
	if (hot != SIZE_MAX) {
		const struct segment *s = &r->network->segments[hot];
		(void)snprintf(where, sizeof(where), "%s/%s:%s", s->provider, s->id, direction(s));
	}
	text_printf(out, "%-16s", r->scenario->arms[arm].name);
	for (unsigned i = 0; i < TIER_COUNT_; i++)
		text_printf(out, " %6.2f", sum > 0 ? 100 * tiers[i] / sum : 0);
	text_printf(out, "  %8.1f %8.1f %6zu %5zu  %-24s %6.1f\n", t.median, t.p95, t.unfinished,
	            t.gave_up, where, 100 * most);
	return ERR_OK;
}

static enum err put_providers(const struct report *r, struct text *out)
{
	text_printf(out, "\n%-16s %-16s %10s %8s %8s %8s\n", "provider", "policy", "in GB",
	            "copies", "median s", "p95 s");
	for (uint32_t i = 0; i < r->network->world->n; i++)
		for (size_t k = 0; k < r->n; k++) {
			const double in = outcome_imports(&r->outcomes[k], r->network, i);
			struct outcome_times t;
			if (outcome_times(&r->outcomes[k], r->network, i, &t) != ERR_OK)
				return ERR_NOMEM;
			text_printf(out, "%-16s %-16s %10.3f %8.2f %8.1f %8.1f\n",
			            k == 0 ? provider_name(r, i) : "", r->scenario->arms[k].name,
			            in / 1e9, in / (double)r->scenario->content_bytes, t.median,
			            t.p95);
		}
	return ERR_OK;
}

static void put_interconnects(const struct report *r, struct text *out)
{
	const struct network *n = r->network;
	text_printf(out, "\n%-32s %-16s %10s %10s %7s %10s %10s\n", "interconnect", "policy",
	            "out GB", "in GB", "out:in", "p95 out M", "p95 in M");
	for (size_t i = n->first_interconnect; i < n->n_segments; i += 2)
		for (size_t k = 0; k < r->n; k++) {
			const struct outcome *o = &r->outcomes[k];
			const uint32_t bin = r->scenario->bin_seconds;
			char name[64], ratio[RATIO_SIZE];
			print_ratio(o, i, "-", ratio);
			(void)snprintf(name, sizeof(name), "%s/%s", n->segments[i].provider,
			               n->segments[i].id);
			text_printf(out, "%-32s %-16s %10.3f %10.3f %7s %10.3f %10.3f\n",
			            k == 0 ? name : "", r->scenario->arms[k].name,
			            outcome_bytes(o, i) / 1e9, outcome_bytes(o, i + 1) / 1e9, ratio,
			            outcome_load(o, i, .95, bin) / 1e6,
			            outcome_load(o, i + 1, .95, bin) / 1e6);
		}
}

enum err report_table(const struct report *r, struct text *out)
{
	put_head(r, out);
	for (size_t i = 0; i < r->n; i++)
		if (put_arm(r, i, out) != ERR_OK)
			return ERR_NOMEM;
	if (put_providers(r, out) != ERR_OK)
		return ERR_NOMEM;
	put_interconnects(r, out);
	return out->bad ? ERR_NOMEM : ERR_OK;
}

/* ---- JSON ---- */

static void json_times(const struct outcome_times *t, struct text *out)
{
	text_printf(out,
	            "\"completed\":%zu,\"unfinished\":%zu,\"gave_up\":%zu,\"completion_s\":"
	            "{\"median\":%.3f,\"p95\":%.3f,\"mean\":%.3f,\"max\":%.3f}",
	            t->n, t->unfinished, t->gave_up, t->median, t->p95, t->mean, t->most);
}

static enum err json_providers(const struct report *r, const struct outcome *o, struct text *out)
{
	text_put(out, ",\"providers\":[");
	for (uint32_t i = 0; i < r->network->world->n; i++) {
		const double in = outcome_imports(o, r->network, i);
		struct outcome_times t;
		if (outcome_times(o, r->network, i, &t) != ERR_OK)
			return ERR_NOMEM;
		text_printf(out, "%s{\"provider\":", i > 0 ? "," : "");
		text_json_string(out, provider_name(r, i));
		text_printf(out, ",\"in_bytes\":%.0f,\"copies_in\":%.4f,", in,
		            in / (double)r->scenario->content_bytes);
		json_times(&t, out);
		text_put(out, "}");
	}
	text_put(out, "]");
	return ERR_OK;
}

/* Both directions of a link or an interconnect. */
static void json_segments(const struct report *r, const struct outcome *o, size_t i,
                          struct text *out)
{
	const struct segment *s = &r->network->segments[i];
	const uint32_t bin = r->scenario->bin_seconds;
	text_put(out, "{\"provider\":");
	text_json_string(out, s->provider);
	text_put(out, s->interconnect ? ",\"interconnect\":" : ",\"link\":");
	text_json_string(out, s->id);
	for (size_t k = i; k < i + 2; k++) {
		const char *d = direction(&r->network->segments[k]);
		text_printf(out, ",\"%s_bytes\":%.0f,\"p95_%s_bps\":%.0f,\"max_%s_bps\":%.0f", d,
		            outcome_bytes(o, k), d, outcome_load(o, k, .95, bin), d,
		            outcome_load(o, k, 1, bin));
		if (s->capacity_bps > 0)
			text_printf(out, ",\"max_%s_utilisation\":%.6f", d, utilisation(r, o, k));
	}
	if (s->interconnect) {
		char ratio[RATIO_SIZE];
		print_ratio(o, i, "null", ratio);
		text_printf(out, ",\"ratio\":%s", ratio);
	}
	text_put(out, "}");
}

static void json_network(const struct report *r, const struct outcome *o, struct text *out)
{
	const struct network *n = r->network;
	for (unsigned kind = 0; kind < 2; kind++) {
		const size_t first = kind == 0 ? 0 : n->first_interconnect;
		const size_t last = kind == 0 ? n->first_interconnect : n->n_segments;
		text_put(out, kind == 0 ? ",\"links\":[" : ",\"interconnects\":[");
		for (size_t i = first; i < last; i += 2) {
			text_put(out, i > first ? "," : "");
			json_segments(r, o, i, out);
		}
		text_put(out, "]");
	}
	double most;
	const size_t hot = report_bottleneck(r, o, &most);
	if (hot == SIZE_MAX)
		return;
	text_put(out, ",\"bottleneck\":{\"provider\":");
	text_json_string(out, n->segments[hot].provider);
	text_put(out, ",\"id\":");
	text_json_string(out, n->segments[hot].id);
	text_printf(out, ",\"direction\":\"%s\",\"bytes\":%.0f,\"max_utilisation\":%.6f}",
	            direction(&n->segments[hot]), outcome_bytes(o, hot), most);
}

static enum err json_arm(const struct report *r, size_t i, struct text *out)
{
	const struct outcome *o = &r->outcomes[i];
	const struct scenario_arm *arm = &r->scenario->arms[i];
	struct outcome_times t;
	double tiers[TIER_COUNT_];
	text_put(out, "{\"name\":");
	text_json_string(out, arm->name);
	text_printf(out, ",\"policy\":\"%s\",\"numwant\":%u,\"control_percent\":%u,", arm->policy,
	            arm->numwant, arm->control_percent);
	if (outcome_times(o, r->network, UINT32_MAX, &t) != ERR_OK)
		return ERR_NOMEM;
	text_printf(out, "\"seconds\":%.3f,\"content_bytes\":%.0f,", o->seconds, o->content);
	json_times(&t, out);
	outcome_tiers(o, r->network, tiers);
	text_put(out, ",\"tier_bytes\":{");
	for (unsigned k = 0; k < TIER_COUNT_; k++)
		text_printf(out, "%s\"%s\":%.0f", k > 0 ? "," : "", tier_names[k], tiers[k]);
	text_put(out, "}");
	if (json_providers(r, o, out) != ERR_OK)
		return ERR_NOMEM;
	json_network(r, o, out);
	text_put(out, "}");
	return ERR_OK;
}

enum err report_json(const struct report *r, struct text *out)
{
	text_printf(out, "{\"seed\":%llu,\"step_seconds\":%.6f,\"bin_seconds\":%u,\"policies\":[",
	            (unsigned long long)r->scenario->seed, r->n > 0 ? r->outcomes[0].step : 0,
	            r->scenario->bin_seconds);
	for (size_t i = 0; i < r->n; i++) {
		text_put(out, i > 0 ? ",\n" : "\n");
		if (json_arm(r, i, out) != ERR_OK)
			return ERR_NOMEM;
	}
	text_put(out, "\n]}\n");
	return out->bad ? ERR_NOMEM : ERR_OK;
}
