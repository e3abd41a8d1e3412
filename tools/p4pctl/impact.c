/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4pctl/impact.h"

#include "tools/p4pctl/columns.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GREEN  "\033[32m"
#define RED    "\033[31m"
#define YELLOW "\033[33m"
#define PLAIN  "\033[0m"

struct printing {
	FILE *out;
	bool colour;
};

/* ---- pieces ---- */

static double number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	return json_is_number(value) ? json_number_value(value) : -1;
}

/* NULL when it is none. */
static const char *word(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static const char *named(const json_t *object, const char *key)
{
	const char *s = word(object, key);
	return s != NULL ? s : "?";
}

static void begin(const struct printing *p, const char *colour)
{
	if (p->colour)
		(void)fputs(colour, p->out);
}

static void end(const struct printing *p)
{
	if (p->colour)
		(void)fputs(PLAIN, p->out);
}

/* 1234567 as "1,234,567". */
static const char *grouped(double n, char out[static 32])
{
	char digits[32];
	size_t k = 0;
	const size_t size = (size_t)snprintf(digits, sizeof(digits), "%.0f", n);
	for (size_t i = 0; i < size && k < 30; i++) {
		if (i > 0 && (size - i) % 3 == 0)
			out[k++] = ',';
		out[k++] = digits[i];
	}
	out[k] = '\0';
	return out;
}

/* "256 of IPv4 and 65,536 /64s"; nothing when there are none of either. */
static void print_addresses(const struct printing *p, const json_t *row)
{
	const double v4 = number(row, "ipv4_addresses"), v6 = number(row, "ipv6_networks");
	char text[32];
	if (v4 > 0)
		(void)fprintf(p->out, "%s of IPv4", grouped(v4, text));
	if (v6 > 0)
		(void)fprintf(p->out, "%s%s /64s", v4 > 0 ? " and " : "", grouped(v6, text));
}

static void print_more(const struct printing *p, const json_t *list, const char *indent)
{
	const double more = number(list, "more");
	char text[32];
	if (more > 0)
		(void)fprintf(p->out, "%sand %s more\n", indent, grouped(more, text));
}

/* ---- what moves and what changes ---- */

static void print_move(const struct printing *p, const json_t *row)
{
	const char *from = word(row, "from"), *to = word(row, "to");
	const json_t *examples = json_object_get(row, "examples");
	const size_t shown = json_array_size(examples);
	const double rest = number(row, "prefixes") - (double)shown;
	char text[32];
	begin(p, to == NULL ? RED : from == NULL ? GREEN : YELLOW);
	(void)fprintf(p->out, "    %s -> %s: ", from != NULL ? from : "no PID",
	              to != NULL ? to : "no PID");
	end(p);
	print_addresses(p, row);
	for (size_t i = 0; i < shown; i++)
		(void)fprintf(p->out, "%s%s", i == 0 ? " (" : ", ",
		              json_string_value(json_array_get(examples, i)));
	if (rest > 0 && shown > 0)
		(void)fprintf(p->out, " and %s more", grouped(rest, text));
	(void)fprintf(p->out, "%s\n", shown > 0 ? ")" : "");
}

static void print_moves(const struct printing *p, const json_t *moves)
{
	size_t i;
	const json_t *row, *rows = json_object_get(moves, "rows");
	if (json_array_size(rows) == 0 && number(moves, "more") <= 0)
		return;
	(void)fprintf(p->out, "addresses that change their PID: ");
	print_addresses(p, moves);
	(void)fputc('\n', p->out);
	json_array_foreach(rows, i, row) print_move(p, row);
	print_more(p, moves, "    ");
}

static void print_value(const struct printing *p, const json_t *value)
{
	if (value == NULL || json_is_null(value)) {
		(void)fputs("not said", p->out);
	} else if (json_is_string(value)) {
		(void)fputs(json_string_value(value), p->out);
	} else {
		char *text =
			json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(10));
		(void)fputs(text != NULL ? text : "?", p->out);
		free(text);
	}
}

/* Of what is new or gone one side says all. */
static void print_member(const struct printing *p, const json_t *m, const char *change)
{
	(void)fprintf(p->out, "    %s: ", named(m, "member"));
	if (strcmp(change, "added") != 0)
		print_value(p, json_object_get(m, "old"));
	if (strcmp(change, "changed") == 0)
		(void)fputs(" -> ", p->out);
	if (strcmp(change, "removed") != 0)
		print_value(p, json_object_get(m, "new"));
	(void)fputc('\n', p->out);
}

static void print_name(const struct printing *p, const json_t *row, const char *what)
{
	const char *from = word(row, "from"), *to = word(row, "to");
	if (from == NULL)
		(void)fprintf(p->out, "%s %s", what, named(row, what));
	else if (to != NULL && to[0] == '/')
		(void)fprintf(p->out, "cost of %s, %s", from, to + 1);
	else
		(void)fprintf(p->out, "cost from %s to %s", from, to != NULL ? to : "?");
}

static void print_row(const struct printing *p, const json_t *row, const char *what)
{
	const char *change = word(row, "change") != NULL ? word(row, "change") : "changed";
	const bool added = strcmp(change, "added") == 0, removed = strcmp(change, "removed") == 0;
	size_t i;
	const json_t *m;
	begin(p, added ? GREEN : removed ? RED : YELLOW);
	(void)fprintf(p->out, "%s ", added ? "+" : removed ? "-" : "~");
	print_name(p, row, what);
	end(p);
	(void)fputc('\n', p->out);
	json_array_foreach(json_object_get(row, "members"), i, m) print_member(p, m, change);
}

static void print_changes(const struct printing *p, const json_t *impact)
{
	static const struct {
		const char *list, *what;
	} kinds[] = { { "pids", "pid" },
		      { "links", "link" },
		      { "interconnects", "interconnect" },
		      { "costs", "cost" } };
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		const json_t *list = json_object_get(impact, kinds[k].list), *row;
		size_t i;
		json_array_foreach(json_object_get(list, "rows"), i, row)
			print_row(p, row, kinds[k].what);
		print_more(p, list, "  ");
	}
}

/* ---- who and what is affected ---- */

static void print_live(const struct printing *p, const json_t *impact)
{
	const json_t *live = json_object_get(impact, "live");
	const char *missing = word(impact, "live_missing");
	char moved[32], all[32];
	if (!json_is_object(live)) {
		(void)fprintf(p->out, "live peers: not known; %s\n",
		              missing != NULL ? missing : "the server does not say why");
		return;
	}
	(void)fprintf(
		p->out,
		"live peers: %s of %s change their PID (%.1f %%); in no PID %.1f %% -> %.1f %%\n",
		grouped(number(live, "moved"), moved), grouped(number(live, "peers"), all),
		number(live, "moved_percent"), number(live, "default_before_percent"),
		number(live, "default_after_percent"));
}

static void add_bytes(struct columns *t, const json_t *side, const char *key)
{
	char text[UNITS_SIZE];
	const double n = number(side, key);
	columns_add(t, "%s", n < 0 ? "-" : units_print(n, "B", text));
}

static void add_ratio(struct columns *t, const json_t *side)
{
	char text[UNITS_SIZE];
	columns_add(t, "%s", ratio_cell(number(side, "ratio"), text));
}

static void add_share(struct columns *t, const json_t *side)
{
	const double share = number(side, "local_share");
	if (share < 0)
		columns_add(t, "-");
	else
		columns_add(t, "%.1f %%", 100 * share);
}

static void print_books(const struct printing *p, const json_t *before, const json_t *after)
{
	static const char *const heads[] = { "", ">BEFORE", ">AFTER", NULL };
	static const struct {
		const char *label, *key;
		bool only_if_any;
	} rows[] = { { "inside the provider", "local_bytes", false },
		     { "out", "out_bytes", false },
		     { "in", "in_bytes", false },
		     { "out, across no interconnect", "unknown_out_bytes", true },
		     { "in, across no interconnect", "unknown_in_bytes", true },
		     { "no more in this book", "left_bytes", true } };
	struct columns t;
	columns_begin(&t, heads);
	columns_add(&t, "    local share");
	add_share(&t, before);
	add_share(&t, after);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].only_if_any && number(before, rows[i].key) <= 0 &&
		    number(after, rows[i].key) <= 0)
			continue;
		columns_add(&t, "    %s", rows[i].label);
		add_bytes(&t, before, rows[i].key);
		add_bytes(&t, after, rows[i].key);
	}
	columns_add(&t, "    out:in");
	add_ratio(&t, before);
	add_ratio(&t, after);
	columns_add(&t, "    cost, in units");
	columns_add(&t, "%.3f", number(before, "cost"));
	columns_add(&t, "%.3f", number(after, "cost"));
	(void)columns_print(&t, p->out);
}

static void print_interconnects(const struct printing *p, const json_t *bytes)
{
	static const char *const heads[] = { "    INTERCONNECT", "RELATION",     ">OUT",
		                             ">OUT AFTER",       ">IN",          ">IN AFTER",
		                             ">RATIO",           ">RATIO AFTER", NULL };
	const json_t *rows = json_object_get(bytes, "interconnects"), *row;
	struct columns t;
	size_t i;
	if (json_array_size(rows) == 0)
		return;
	columns_begin(&t, heads);
	json_array_foreach(rows, i, row)
	{
		const json_t *before = json_object_get(row, "before");
		const json_t *after = json_object_get(row, "after");
		columns_add(&t, "    %s", named(row, "interconnect"));
		columns_add(&t, "%s", named(row, "relation"));
		add_bytes(&t, before, "out_bytes");
		add_bytes(&t, after, "out_bytes");
		add_bytes(&t, before, "in_bytes");
		add_bytes(&t, after, "in_bytes");
		add_ratio(&t, before);
		add_ratio(&t, after);
	}
	(void)columns_print(&t, p->out);
	print_more(p, bytes, "    ");
}

static void print_bytes(const struct printing *p, const json_t *impact)
{
	const json_t *bytes = json_object_get(impact, "bytes");
	const char *missing = word(impact, "bytes_missing");
	char all[UNITS_SIZE], changed[UNITS_SIZE], unplaced[UNITS_SIZE];
	if (!json_is_object(bytes)) {
		(void)fprintf(p->out, "the last 24 hours under it: not known; %s\n",
		              missing != NULL ? missing : "the server does not say why");
		return;
	}
	(void)fprintf(p->out,
	              "the last 24 hours under it (announces, an estimate): %s, of which %s "
	              "(%.1f %%) would change a PID or the way",
	              units_print(number(bytes, "all"), "B", all),
	              units_print(number(bytes, "changed"), "B", changed),
	              number(bytes, "changed_percent"));
	if (number(bytes, "unplaced") > 0)
		(void)fprintf(p->out, "; of %s only the crossing is known",
		              units_print(number(bytes, "unplaced"), "B", unplaced));
	(void)fputc('\n', p->out);
	print_books(p, json_object_get(bytes, "before"), json_object_get(bytes, "after"));
	print_interconnects(p, bytes);
}

void impact_print(const struct json_t *impact, bool colour, FILE *out)
{
	const struct printing p = { .out = out, .colour = colour };
	if (impact == NULL)
		return;
	print_moves(&p, json_object_get(impact, "moves"));
	print_changes(&p, impact);
	print_live(&p, impact);
	print_bytes(&p, impact);
}

const char *impact_of_changes(struct json_t *changes)
{
	const char *key;
	const json_t *count;
	json_object_foreach(changes, key, count) if (json_number_value(count) > 0) return ":";
	return " no PID, link, prefix, interconnect or cost";
}

bool impact_wants_colour(FILE *out)
{
	const char *no = getenv("NO_COLOR"), *terminal = getenv("TERM");
	return isatty(fileno(out)) && (no == NULL || no[0] == '\0') &&
	       (terminal == NULL || strcmp(terminal, "dumb") != 0);
}
