/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sketch/write.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_key(struct text *out, const char *key, bool first)
{
	text_printf(out, "%s\"%s\": ", first ? "" : ", ", key);
}

static void put_string(struct text *out, const char *key, const char *value, bool first)
{
	if (value == NULL)
		return;
	put_key(out, key, first);
	text_json_string(out, value);
}

static void put_number(struct text *out, const char *key, uint64_t value)
{
	if (value == 0) /* not said */
		return;
	put_key(out, key, false);
	text_printf(out, "%" PRIu64, value);
}

/* Kilobits as megabits, with the digits there are. */
static void put_speed(struct text *out, const char *key, uint32_t kbps)
{
	if (kbps == 0)
		return;
	put_key(out, key, false);
	char digits[8];
	int n = snprintf(digits, sizeof(digits), "%03u", kbps % 1000);
	while (n > 0 && digits[n - 1] == '0')
		digits[--n] = '\0';
	text_printf(out, "%u%s%s", kbps / 1000, n > 0 ? "." : "", digits);
}

static void put_asns(struct text *out, const uint32_t *asns, size_t n)
{
	text_put(out, "[");
	for (size_t i = 0; i < n; i++)
		text_printf(out, "%s%" PRIu32,
		            i == 0        ? ""
		            : i % 12 == 0 ? ",\n    "
		                          : ", ",
		            asns[i]);
	text_put(out, "]");
}

static void put_prefixes(struct text *out, const struct ip_prefix *prefixes, size_t n)
{
	char text[IP_PREFIX_TEXT_SIZE];
	text_put(out, "[");
	for (size_t i = 0; i < n; i++) {
		ip_prefix_print(&prefixes[i], text);
		text_put(out, i == 0 ? "\"" : i % 4 == 0 ? ",\n    \"" : ", \"");
		text_put(out, text);
		text_put(out, "\"");
	}
	text_put(out, "]");
}

static void put_pid(struct text *out, const struct map_pid *pid)
{
	static const char *const uploads[] = {
		[UPLOADS_NORMAL] = "normal", [UPLOADS_AVOID] = "avoid", [UPLOADS_NEVER] = "never"
	};
	text_put(out, "  {");
	put_string(out, "pid", pid->name, true);
	put_string(out, "access", pid->access, false);
	put_string(out, "uploads", pid->uploads_said ? uploads[pid->uploads] : NULL, false);
	put_number(out, "monthly_upload_gb", pid->monthly_upload_gb);
	put_speed(out, "subscriber_up_mbps", pid->subscriber_up_kbps);
	put_speed(out, "subscriber_down_mbps", pid->subscriber_down_kbps);
	if (pid->n_prefixes > 0) {
		put_key(out, "prefixes", false);
		put_prefixes(out, pid->prefixes, pid->n_prefixes);
	}
	text_put(out, "}");
}

static void put_link(struct text *out, const struct map_link *l)
{
	text_put(out, "  {");
	put_string(out, "id", l->id, true);
	put_string(out, "a", l->a, false);
	put_string(out, "b", l->b, false);
	put_number(out, "capacity_mbps", l->capacity_mbps);
	put_number(out, "weight", l->weight);
	text_put(out, "}");
}

static void put_reach(struct text *out, const struct map_interconnect *x)
{
	put_key(out, "reach", false);
	if (x->reach != REACH_LIST) {
		text_put(out, x->reach == REACH_ANY ? "\"any\"" : "\"neighbor\"");
		return;
	}
	text_put(out, "{");
	if (x->n_reach_asns > 0) {
		put_key(out, "asns", true);
		put_asns(out, x->reach_asns, x->n_reach_asns);
	}
	if (x->n_reach_prefixes > 0) {
		put_key(out, "prefixes", x->n_reach_asns == 0);
		put_prefixes(out, x->reach_prefixes, x->n_reach_prefixes);
	}
	text_put(out, "}");
}

static void put_exporters(struct text *out, const struct map_interconnect *x)
{
	char address[IP_TEXT_SIZE];
	if (x->n_exporters == 0)
		return;
	put_key(out, "exporters", false);
	for (size_t i = 0; i < x->n_exporters; i++) {
		ip_print(&x->exporters[i].address, address);
		text_printf(out, "%s{\"address\": \"%s\", \"ifindex\": %" PRIu32 "}",
		            i == 0 ? "[" : ", ", address, x->exporters[i].ifindex);
	}
	text_put(out, "]");
}

static void put_interconnect(struct text *out, const struct map_interconnect *x)
{
	text_put(out, "  {");
	put_string(out, "id", x->id, true);
	put_string(out, "pid", x->pid, false);
	put_number(out, "neighbor_asn", x->neighbor_asn);
	put_string(out, "relation", map_relation_name(x->relation), false);
	put_number(out, "capacity_mbps", x->capacity_mbps);
	put_string(out, "metro", x->metro, false);
	put_reach(out, x);
	put_exporters(out, x);
	text_put(out, "}");
}

void topology_write(struct text *out, const struct map_topology *t)
{
	text_put(out, "{\"format\": \"p4p-topology/1\"");
	put_string(out, "provider", t->provider, false);
	put_key(out, "asns", false);
	put_asns(out, t->asns, t->n_asns);
	text_put(out, ",\n \"pids\": [");
	for (size_t i = 0; i < t->n_pids; i++) {
		text_put(out, i > 0 ? ",\n" : "\n");
		put_pid(out, &t->pids[i]);
	}
	text_put(out, "],\n \"links\": [");
	for (size_t i = 0; i < t->n_links; i++) {
		text_put(out, i > 0 ? ",\n" : "\n");
		put_link(out, &t->links[i]);
	}
	text_put(out, "],\n \"interconnects\": [");
	for (size_t i = 0; i < t->n_interconnects; i++) {
		text_put(out, i > 0 ? ",\n" : "\n");
		put_interconnect(out, &t->interconnects[i]);
	}
	text_put(out, "]}\n");
}

/* ---- costs ---- */

static int by_from(const void *a, const void *b)
{
	const struct map_pid_cost *x = a, *y = b;
	const int order = strcmp(x->from, y->from);
	return order != 0 ? order : strcmp(x->to, y->to);
}

static void put_pid_costs(struct text *out, struct map_pid_cost *costs, size_t n)
{
	qsort(costs, n, sizeof(*costs), by_from);
	text_put(out, ",\n \"pid_costs\": {");
	for (size_t i = 0; i < n; i++) {
		const bool first = i == 0 || strcmp(costs[i - 1].from, costs[i].from) != 0;
		if (first) {
			text_put(out, i == 0 ? "\n  " : "},\n  ");
			text_json_string(out, costs[i].from);
			text_put(out, ": {");
		}
		text_put(out, first ? "" : ", ");
		text_json_string(out, costs[i].to);
		text_printf(out, ": %" PRIu32, costs[i].cost);
	}
	text_put(out, "}}");
}

void costs_write(struct text *out, const struct map_costs *c)
{
	text_put(out, "{\"format\": \"p4p-costs/1\"");
	put_string(out, "provider", c->provider, false);
	if (c->n_pid_costs > 0)
		put_pid_costs(out, c->pid_costs, c->n_pid_costs);
	for (size_t i = 0; i < c->n_interconnect_costs; i++) {
		const struct map_interconnect_cost *x = &c->interconnect_costs[i];
		text_put(out, i == 0 ? ",\n \"interconnect_costs\": {\n  " : ",\n  ");
		text_json_string(out, x->id);
		text_printf(out, ": {\"out\": %" PRIu32 ", \"in\": %" PRIu32 "}", x->out, x->in);
	}
	text_put(out, c->n_interconnect_costs > 0 ? "}}\n" : "}\n");
}
