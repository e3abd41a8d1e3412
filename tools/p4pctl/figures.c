/* SPDX-License-Identifier: Apache-2.0 */
/* balance, quality, steering, matrix, top, interconnects, links, samples */
#include "tools/p4pctl/columns.h"
#include "tools/p4pctl/ctl.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* ---- balance ---- */

static void add_link(struct columns *t, const json_t *link)
{
	columns_add(t, "%s", ctl_string(link, "provider"));
	columns_add(t, "%s", ctl_string(link, "interconnect"));
	columns_add(t, "AS%.0f", ctl_number(link, "neighbor_asn"));
	columns_add(t, "%s", ctl_string(link, "relation"));
}

static void add_figures(struct columns *t, const char *source, const json_t *f)
{
	char cell[UNITS_SIZE];
	/* An estimate says so wherever it stands. */
	columns_add(t, "%s%s", source, strcmp(source, "announce") == 0 ? " (estimate)" : "");
	columns_add(t, "%s", units_print(ctl_number(f, "out_bytes"), "B", cell));
	columns_add(t, "%s", units_print(ctl_number(f, "in_bytes"), "B", cell));
	columns_add(t, "%s", ratio_cell(ctl_number(f, "ratio"), cell));
	columns_add(t, "%s", units_print(ctl_number(f, "p95_out_bps"), "bit/s", cell));
	columns_add(t, "%s", units_print(ctl_number(f, "p95_in_bps"), "bit/s", cell));
	columns_add(t, "%.0f/%.0f", ctl_number(f, "bins_known"), ctl_number(f, "bins_expected"));
}

static void add_interconnect(struct columns *t, const json_t *link)
{
	json_t *sources = json_object_get(link, "sources"), *figures;
	const char *source;
	json_object_foreach(sources, source, figures)
	{
		add_link(t, link);
		add_figures(t, source, figures);
		columns_add(t, "%s", ctl_string(link, "verdict"));
	}
	if (json_object_size(sources) > 0)
		return;
	add_link(t, link);
	for (unsigned i = 0; i < 7; i++)
		columns_add(t, "-");
	columns_add(t, "%s", ctl_string(link, "verdict"));
}

/* What is above is of this window alone. */
static void print_policies(const json_t *link)
{
	size_t i;
	json_t *id;
	json_array_foreach(json_object_get(link, "policies"), i, id) printf(
		"%s: policy %s judges it by its own window and metric: p4pctl policies %s %s\n",
		ctl_string(link, "interconnect"), json_string_value(id),
		ctl_string(link, "provider"), json_string_value(id));
}

static void print_balance(const json_t *report)
{
	static const char *const heads[] = { "PROVIDER",  "INTERCONNECT", "NEIGHBOUR", "RELATION",
		                             "SOURCE",    ">OUT",         ">IN",       ">OUT:IN",
		                             ">95TH OUT", ">95TH IN",     ">BINS",     "VERDICT",
		                             NULL };
	struct columns t;
	size_t i;
	json_t *link;
	printf("%s to %s, in bins of %.0f s; out leaves the provider\n", ctl_string(report, "from"),
	       ctl_string(report, "to"), ctl_number(report, "bin_seconds"));
	columns_begin(&t, heads);
	json_array_foreach(json_object_get(report, "interconnects"), i, link)
		add_interconnect(&t, link);
	(void)columns_print(&t, stdout);
	if (json_array_size(json_object_get(report, "interconnects")) == 0)
		printf("no interconnect of that name, or none that this token may see\n");
	json_array_foreach(json_object_get(report, "interconnects"), i, link) print_policies(link);
}

/* A report as the options ask for it; `print`: for people. */
static enum ctl_exit show_report(const struct ctl *c, const char *route,
                                 void (*print)(const json_t *report))
{
	enum ctl_exit code;
	struct text path = { 0 }, answer = { 0 };
	text_put(&path, route);
	ctl_parameter(&path, "from", c->option[CTL_FROM]);
	ctl_parameter(&path, "to", c->option[CTL_TO]);
	ctl_parameter(&path, "provider", c->option[CTL_PROVIDER]);
	ctl_parameter(&path, "interconnect", c->option[CTL_INTERCONNECT]);
	ctl_parameter(&path, "level", c->option[CTL_LEVEL]);
	ctl_parameter(&path, "by", c->option[CTL_BY]);
	ctl_parameter(&path, "order", c->option[CTL_ORDER]);
	ctl_parameter(&path, "limit", c->option[CTL_LIMIT]);
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

enum ctl_exit ctl_balance(const struct ctl *c)
{
	return show_report(c, "/v1/reports/balance", print_balance);
}

/* ---- quality ---- */

static void print_quality(const json_t *report)
{
	static const char *const heads[] = {
		"PROVIDER", "INTERCONNECT", "SOURCE",       ">EXPECTED", ">KNOWN",
		">MISSING", ">PARTIAL",     ">ESTIMATED",   ">RESETS",   ">SAMPLED",
		">LATE",    ">LOST",        ">LONGEST GAP", NULL
	};
	static const char *const keys[] = { "expected", "known",     "missing",
		                            "partial",  "estimated", "discontinuity",
		                            "sampled",  "late",      "gaps" };
	struct columns t;
	size_t i;
	json_t *row;
	printf("%s to %s, in bins of %.0f s\n", ctl_string(report, "from"),
	       ctl_string(report, "to"), ctl_number(report, "bin_seconds"));
	columns_begin(&t, heads);
	json_array_foreach(json_object_get(report, "rows"), i, row)
	{
		const char *source = json_string_value(json_object_get(row, "source"));
		columns_add(&t, "%s", ctl_string(row, "provider"));
		columns_add(&t, "%s", ctl_string(row, "interconnect"));
		columns_add(&t, "%s", source != NULL ? source : "-");
		for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
			columns_add(&t, "%.0f", ctl_number(row, keys[k]));
		columns_add(&t, "%.0f s", ctl_number(row, "longest_gap_seconds"));
	}
	(void)columns_print(&t, stdout);
}

enum ctl_exit ctl_quality(const struct ctl *c)
{
	return show_report(c, "/v1/reports/quality", print_quality);
}

/* ---- steering ---- */

static void add_share(struct columns *t, const json_t *figure, const char *key)
{
	const json_t *share = json_object_get(figure, key);
	if (json_is_number(share))
		columns_add(t, "%.1f %%", 100 * json_number_value(share));
	else
		columns_add(t, "-");
}

/* The estimate, and between what it lies: savings whose interval has a 0 in it may be none. */
static void add_saved(struct columns *t, const json_t *c)
{
	const json_t *saved = json_object_get(c, "saved_outside_bytes");
	char low[UNITS_SIZE], high[UNITS_SIZE];
	if (!json_is_object(saved)) {
		columns_add(t, "%s",
		            strcmp(ctl_string(c, "torrents"), "open") == 0 ? "not steerable" : "-");
		columns_add(t, "-");
		return;
	}
	columns_add(t, "%s", units_print(ctl_number(saved, "estimate"), "B", low));
	columns_add(t, "%s to %s", units_print(ctl_number(saved, "low"), "B", low),
	            units_print(ctl_number(saved, "high"), "B", high));
}

static void add_comparison(struct columns *t, const json_t *c)
{
	char cell[UNITS_SIZE];
	const json_t *outside = json_object_get(json_object_get(c, "shares"), "outside");
	columns_add(t, "%s", ctl_string(c, "provider"));
	columns_add(t, "%s", ctl_string(c, "policy"));
	columns_add(t, "%s", ctl_string(c, "torrents"));
	columns_add(t, "%s",
	            units_print(ctl_number(json_object_get(c, "treated"), "bytes"), "B", cell));
	columns_add(t, "%s",
	            units_print(ctl_number(json_object_get(c, "control"), "bytes"), "B", cell));
	add_share(t, outside, "treated");
	add_share(t, outside, "control");
	if (json_is_number(json_object_get(outside, "low")))
		columns_add(t, "%+.1f to %+.1f", 100 * ctl_number(outside, "low"),
		            100 * ctl_number(outside, "high"));
	else
		columns_add(t, "too few");
	add_saved(t, c);
}

static void add_number(struct columns *t, const json_t *figure, const char *key)
{
	const json_t *number = json_object_get(figure, key);
	if (json_is_number(number))
		columns_add(t, "%.2f", json_number_value(number));
	else
		columns_add(t, "-");
}

/* How long: of both arms, and the 95 % interval of the ratio. */
static void add_time(struct columns *t, const json_t *time)
{
	static const char *const arms[] = { "treated", "control" };
	for (unsigned i = 0; i < 2; i++) {
		if (json_is_number(json_object_get(time, arms[i])))
			columns_add(t, "%.0f s", ctl_number(time, arms[i]));
		else
			columns_add(t, "-");
	}
	if (json_is_number(json_object_get(time, "low")))
		columns_add(t, "%.2f to %.2f", ctl_number(time, "low"), ctl_number(time, "high"));
	else
		columns_add(t, "too few");
}

static void add_outcome(struct columns *t, const json_t *c)
{
	const json_t *copies = json_object_get(c, "imported_per_copy");
	const json_t *times = json_object_get(c, "seconds_to_complete");
	columns_add(t, "%s", ctl_string(c, "provider"));
	columns_add(t, "%s", ctl_string(c, "policy"));
	columns_add(t, "%s", ctl_string(c, "torrents"));
	add_number(t, copies, "treated");
	add_number(t, copies, "control");
	columns_add(t, "%.0f", ctl_number(json_object_get(c, "treated"), "completed"));
	columns_add(t, "%.0f", ctl_number(json_object_get(c, "control"), "completed"));
	add_time(t, json_object_get(times, "median"));
	add_time(t, json_object_get(times, "p95"));
}

static void print_outcomes(const json_t *report)
{
	static const char *const heads[] = { "PROVIDER",       "POLICY",    "TORRENTS",
		                             ">IMPORTED",      ">CONTROL",  ">COMPLETED",
		                             ">CONTROL",       ">MEDIAN",   ">CONTROL",
		                             ">95 % OF RATIO", ">95TH PCT", ">CONTROL",
		                             ">95 % OF RATIO", NULL };
	struct columns t;
	size_t i;
	json_t *c;
	printf("\nCopies of the content that came from outside, of each copy downloaded; downloads "
	       "completed, and how\nlong they took from the first announce to the one that says so\n");
	columns_begin(&t, heads);
	json_array_foreach(json_object_get(report, "comparisons"), i, c) add_outcome(&t, c);
	(void)columns_print(&t, stdout);
}

static void print_steering(const json_t *report)
{
	static const char *const heads[] = {
		"PROVIDER", "POLICY",          "TORRENTS", ">TREATED",    ">CONTROL", ">OUTSIDE",
		">CONTROL", ">95 % OF CHANGE", ">SAVED",   ">95 % OF IT", NULL
	};
	struct columns t;
	size_t i;
	json_t *c;
	printf("%s to %s, estimates from announces: bytes downloaded by a provider's clients, the "
	       "share of them\nfrom outside it, and the change in percentage points against the "
	       "control group\n",
	       ctl_string(report, "from"), ctl_string(report, "to"));
	if (json_array_size(json_object_get(report, "comparisons")) == 0) {
		printf("nothing to compare: no client of a mapped provider told of bytes in a closed bin\n");
		return;
	}
	columns_begin(&t, heads);
	json_array_foreach(json_object_get(report, "comparisons"), i, c) add_comparison(&t, c);
	(void)columns_print(&t, stdout);
	print_outcomes(report);
	printf("\ntoo few: one of the arms has too few groups of swarms for an interval. open: without "
	       "the private flag\nclients also meet by DHT and PEX; what steering saved there is not "
	       "known\n");
}

enum ctl_exit ctl_steering(const struct ctl *c)
{
	return show_report(c, "/v1/reports/steering", print_steering);
}

/* ---- matrix, top ---- */

static void print_head(const json_t *report)
{
	printf("%s to %s, %.0f of %.0f bins; estimates from announces, in each provider's book. +- is a "
	       "nominal\n90 %% interval; \"?\" behind it: clients may have met elsewhere (PEX, DHT), "
	       "and nothing bounds the error\n",
	       ctl_string(report, "from"), ctl_string(report, "to"),
	       ctl_number(report, "bins_known"), ctl_number(report, "bins_expected"));
}

static void print_tail(const json_t *report)
{
	char cell[UNITS_SIZE];
	const json_t *total = json_object_get(report, "total");
	printf("%.0f of %.0f rows, of %s; cost is in cost units, not money\n",
	       ctl_number(total, "shown"), ctl_number(total, "rows"),
	       units_print(ctl_number(total, "bytes"), "B", cell));
}

static void add_interval(struct columns *t, const json_t *row)
{
	char cell[UNITS_SIZE];
	const double half = (ctl_number(row, "high") - ctl_number(row, "low")) / 2;
	columns_add(t, "%s", units_print(ctl_number(row, "bytes"), "B", cell));
	columns_add(t, "%s%s", units_print(half, "B", cell),
	            json_is_true(json_object_get(row, "bounded")) ? "" : " ?");
	columns_add(t, "%.3f", ctl_number(row, "cost"));
}

static void print_matrix(const json_t *report)
{
	static const char *const places[] = { "PROVIDER", "DIRECTION", "FROM",  "TO",
		                              ">BYTES",   ">+-",       ">COST", NULL };
	static const char *const links[] = { "PROVIDER", "DIRECTION", "INTERCONNECT", "TIER",
		                             ">BYTES",   ">+-",       ">COST",        NULL };
	const bool by_link = strcmp(ctl_string(report, "level"), "interconnect") == 0;
	struct columns t;
	size_t i;
	json_t *row;
	print_head(report);
	columns_begin(&t, by_link ? links : places);
	json_array_foreach(json_object_get(report, "rows"), i, row)
	{
		columns_add(&t, "%s", ctl_string(row, "provider"));
		columns_add(&t, "%s", ctl_string(row, "direction"));
		columns_add(&t, "%s", ctl_string(row, by_link ? "interconnect" : "from"));
		columns_add(&t, "%s", ctl_string(row, by_link ? "tier" : "to"));
		add_interval(&t, row);
	}
	(void)columns_print(&t, stdout);
	print_tail(report);
}

enum ctl_exit ctl_matrix(const struct ctl *c)
{
	return show_report(c, "/v1/reports/matrix", print_matrix);
}

static void print_places(const json_t *report)
{
	static const char *const heads[] = { "PROVIDER", "PLACE", ">INSIDE", ">OUT", ">IN",
		                             ">BYTES",   ">+-",   ">COST",   NULL };
	char cell[UNITS_SIZE];
	struct columns t;
	size_t i;
	json_t *row;
	columns_begin(&t, heads);
	json_array_foreach(json_object_get(report, "rows"), i, row)
	{
		columns_add(&t, "%s", ctl_string(row, "provider"));
		columns_add(&t, "%s", ctl_string(row, "place"));
		columns_add(&t, "%s", units_print(ctl_number(row, "inside_bytes"), "B", cell));
		columns_add(&t, "%s", units_print(ctl_number(row, "out_bytes"), "B", cell));
		columns_add(&t, "%s", units_print(ctl_number(row, "in_bytes"), "B", cell));
		add_interval(&t, row);
	}
	(void)columns_print(&t, stdout);
}

static void print_largest_swarms(const json_t *report)
{
	static const char *const heads[] = { "PROVIDER", "SWARM", "TORRENTS", ">CLIENTS", ">BYTES",
		                             ">OUT",     ">IN",   ">COST",    "REPORTS",  NULL };
	char cell[UNITS_SIZE];
	struct columns t;
	size_t i;
	json_t *row;
	columns_begin(&t, heads);
	json_array_foreach(json_object_get(report, "rows"), i, row)
	{
		const json_t *clients = json_object_get(row, "clients_at_least");
		columns_add(&t, "%s", ctl_string(row, "provider"));
		if (json_is_null(clients)) {
			columns_add(&t, "%.0f others", ctl_number(row, "swarms"));
			columns_add(&t, "%s", ctl_string(row, "torrents"));
			columns_add(&t, "-");
		} else {
			columns_add(&t, "%s", ctl_string(row, "swarm"));
			columns_add(&t, "%s", ctl_string(row, "torrents"));
			columns_add(&t, "%.0f+", json_number_value(clients));
		}
		columns_add(&t, "%s", units_print(ctl_number(row, "bytes"), "B", cell));
		columns_add(&t, "%s", units_print(ctl_number(row, "out_bytes"), "B", cell));
		columns_add(&t, "%s", units_print(ctl_number(row, "in_bytes"), "B", cell));
		columns_add(&t, "%.3f", ctl_number(row, "cost"));
		columns_add(&t, "%s",
		            json_is_true(json_object_get(row, "lopsided")) ? "lopsided" : "-");
	}
	(void)columns_print(&t, stdout);
}

static void print_top(const json_t *report)
{
	print_head(report);
	if (strcmp(ctl_string(report, "by"), "swarm") == 0)
		print_largest_swarms(report);
	else
		print_places(report);
	print_tail(report);
}

enum ctl_exit ctl_top(const struct ctl *c)
{
	return show_report(c, "/v1/reports/top", print_top);
}

/* ---- interconnects ---- */

static void add_price(struct columns *t, const json_t *price, const char *direction)
{
	if (json_is_object(price))
		columns_add(t, "%.0f", ctl_number(price, direction));
	else
		columns_add(t, "-");
}

static void print_interconnects(const json_t *json)
{
	static const char *const heads[] = {
		"PROVIDER", "INTERCONNECT", "PID", "NEIGHBOUR", "RELATION", ">CAPACITY",
		">LIMIT",   ">OUT",         ">IN", "",          NULL
	};
	struct columns t;
	char cell[UNITS_SIZE];
	size_t i;
	json_t *link;
	columns_begin(&t, heads);
	json_array_foreach(json_object_get(json, "interconnects"), i, link)
	{
		columns_add(&t, "%s", ctl_string(link, "provider"));
		columns_add(&t, "%s", ctl_string(link, "interconnect"));
		columns_add(&t, "%s", ctl_string(link, "pid"));
		columns_add(&t, "AS%.0f", ctl_number(link, "neighbor_asn"));
		columns_add(&t, "%s", ctl_string(link, "relation"));
		columns_add(&t, "%s",
		            units_print(ctl_number(link, "capacity_mbps") * 1e6, "bit/s", cell));
		columns_add(&t, "%s", ratio_cell(ctl_number(link, "ratio_limit"), cell));
		add_price(&t, json_object_get(link, "price"), "out");
		add_price(&t, json_object_get(link, "price"), "in");
		columns_add(&t, "%s",
		            json_is_true(json_object_get(link, "in_force")) ? "" : "not in force");
	}
	(void)columns_print(&t, stdout);
}

enum ctl_exit ctl_interconnects(const struct ctl *c)
{
	enum ctl_exit code;
	struct text path = { 0 };
	text_put(&path, "/v1/interconnects");
	ctl_parameter(&path, "provider", c->option[CTL_PROVIDER]);
	ctl_parameter(&path, "all", c->option[CTL_ALL]);
	json_t *json = ctl_get(c, path, &code);
	if (json != NULL && !c->json)
		print_interconnects(json);
	json_decref(json);
	return code;
}

enum ctl_exit ctl_interconnect_set(const struct ctl *c)
{
	const char *limit = c->option[CTL_RATIO_LIMIT];
	if (limit == NULL)
		return ctl_fail(CTL_USAGE, "say what to set: --ratio-limit R");
	if (strcmp(limit, "none") != 0 && limit[strspn(limit, "0123456789.")] != '\0')
		return ctl_fail(CTL_USAGE, "--ratio-limit: \"%s\" is neither a number nor none",
		                limit);
	struct text body = { 0 }, answer = { 0 };
	text_printf(&body, "{\"ratio_limit\":%s}", strcmp(limit, "none") == 0 ? "null" : limit);
	struct ctl_request r = { .method = "PUT",
		                 .body = &body,
		                 .content_type = "application/json" };
	text_put(&r.path, "/v1/interconnects");
	ctl_segment(&r.path, c->args[0]);
	ctl_segment(&r.path, c->args[1]);
	const enum ctl_exit code = ctl_ask(c, &r, &answer);
	if (code == CTL_OK && !c->json)
		printf("%s/%s: ratio limit %s\n", c->args[0], c->args[1], limit);
	text_done(&answer);
	text_done(&body);
	return code;
}

/* ---- links ---- */

static void add_load(struct columns *t, const json_t *link, const char *direction)
{
	const json_t *load = json_object_get(link, "load_bps");
	const double capacity = ctl_number(link, "capacity_mbps") * 1e6;
	const double bps = ctl_number(load, direction);
	char cell[UNITS_SIZE];
	if (!json_is_object(load))
		columns_add(t, "-");
	else if (capacity > 0)
		columns_add(t, "%s (%.0f %%)", units_print(bps, "bit/s", cell),
		            100 * bps / capacity);
	else
		columns_add(t, "%s", units_print(bps, "bit/s", cell));
}

static void print_links(const json_t *json)
{
	static const char *const heads[] = { "PROVIDER",  "LINK",      "A",          "B",
		                             ">CAPACITY", ">WEIGHT",   ">PRICE A-B", ">PRICE B-A",
		                             ">LOAD A-B", ">LOAD B-A", NULL };
	const double bin = ctl_number(json, "bin_seconds");
	const double observed = ctl_number(json, "observed_seconds");
	struct columns t;
	char cell[UNITS_SIZE];
	size_t i;
	json_t *link;
	columns_begin(&t, heads);
	json_array_foreach(json_object_get(json, "links"), i, link)
	{
		const double mbps = ctl_number(link, "capacity_mbps");
		columns_add(&t, "%s", ctl_string(link, "provider"));
		columns_add(&t, "%s", ctl_string(link, "link"));
		columns_add(&t, "%s", ctl_string(link, "a"));
		columns_add(&t, "%s", ctl_string(link, "b"));
		columns_add(&t, "%s", mbps > 0 ? units_print(mbps * 1e6, "bit/s", cell) : "-");
		columns_add(&t, "%.0f", ctl_number(link, "weight"));
		add_price(&t, json_object_get(link, "price"), "out");
		add_price(&t, json_object_get(link, "price"), "in");
		add_load(&t, link, "out");
		add_load(&t, link, "in");
	}
	(void)columns_print(&t, stdout);
	if (2 * observed < bin)
		printf("No loads: the bin from %s was watched for %.0f of its %.0f seconds.\n",
		       ctl_string(json, "from"), observed, bin);
	else
		printf("Loads are estimates: bytes of clients by their announces, from %s to %s.\n",
		       ctl_string(json, "from"), ctl_string(json, "to"));
}

enum ctl_exit ctl_links(const struct ctl *c)
{
	enum ctl_exit code;
	struct text path = { 0 };
	text_put(&path, "/v1/links");
	ctl_parameter(&path, "provider", c->option[CTL_PROVIDER]);
	json_t *json = ctl_get(c, path, &code);
	if (json != NULL && !c->json)
		print_links(json);
	json_decref(json);
	return code;
}

/* ---- samples ---- */

/* What became of readings and periods, and which of them came to nothing. */
static void print_readings(const struct ctl *c, const json_t *readings)
{
	size_t i;
	json_t *warning;
	if (readings == NULL)
		return;
	printf("%.0f readings stored, %.0f bins made of them\n", ctl_number(readings, "stored"),
	       ctl_number(readings, "bins"));
	json_array_foreach(json_object_get(readings, "warnings"), i, warning)
		ctl_fault(c->args[0], NULL, ctl_string(warning, "where"),
	                  ctl_string(warning, "text"), ctl_string(warning, "kind"));
}

enum ctl_exit ctl_samples_put(const struct ctl *c)
{
	struct text body = { 0 }, answer = { 0 };
	enum ctl_exit code = CTL_USAGE;
	if (ctl_read_file(c->args[0], CTL_DOCUMENT_MAX, &body)) {
		const size_t blank = strspn(body.bytes, " \t\r\n");
		const bool json = body.bytes[blank] == '{' || body.bytes[blank] == '[';
		struct ctl_request r = { .method = "POST",
			                 .body = &body,
			                 .content_type = json ? "application/json" : "text/csv",
			                 .file = c->args[0] };
		text_put(&r.path, "/v1/samples");
		code = ctl_ask(c, &r, &answer);
	}
	if (code == CTL_OK && !c->json) {
		json_t *stored = json_loadb(answer.bytes, answer.size, 0, NULL);
		printf("%.0f samples stored\n", ctl_number(stored, "stored"));
		print_readings(c, json_object_get(stored, "readings"));
		json_decref(stored);
	}
	text_done(&answer);
	text_done(&body);
	return code;
}
