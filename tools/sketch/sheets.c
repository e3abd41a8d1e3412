/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/csv.h"
#include "tools/sketch/format.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS " \t\n" /* between the words of a cell */

/* A row of the sheet at hand: cells by column of the sheet, "" where there is none. */
enum { COLUMNS_MAX = 8, CELLS_MAX = CSV_FIELDS_MAX };

struct sheet_reading {
	struct sketch *s;
	struct sketch_origin at;
	char *cell[COLUMNS_MAX];
	char empty; /* what a cell that is not there points to */
};

typedef void read_row(struct sheet_reading *r);

struct sheet {
	const char *what, *key; /* the column that no other sheet before it has */
	const char *columns[COLUMNS_MAX];
	unsigned required; /* a bit for each column */
	read_row *read;
};

/* ---- cells ---- */

static bool read_number(struct sheet_reading *r, const char *cell, const char *column, uint64_t min,
                        uint64_t max, uint64_t *out)
{
	uint64_t n;
	if (*cell == '\0')
		return true;
	if (text_u64(cell, strlen(cell), &n) && n >= min && n <= max) {
		*out = n;
		return true;
	}
	sketch_fault(r->s, r->at, "range",
	             "%s must be a whole number from %" PRIu64 " to %" PRIu64 ", not \"%.40s\"",
	             column, min, max, cell);
	return false;
}

/* Megabits with up to three digits behind the point, as kilobits. */
static void read_speed(struct sheet_reading *r, const char *cell, const char *column, uint32_t *out)
{
	uint64_t whole = 0, part = 0;
	const char *point = strchr(cell, '.');
	const size_t size = point != NULL ? (size_t)(point - cell) : strlen(cell);
	const size_t digits = point != NULL ? strlen(point + 1) : 0;
	if (*cell == '\0')
		return;
	bool good = text_u64(cell, size, &whole) && whole <= 1000000 && digits <= 3 &&
	            (point == NULL || text_u64(point + 1, digits, &part));
	for (size_t i = digits; i < 3; i++)
		part *= 10;
	const uint64_t kbps = whole * 1000 + part;
	good = good && kbps > 0 && (*out == 0 || *out == kbps);
	if (good)
		*out = (uint32_t)kbps;
	else
		sketch_fault(
			r->s, r->at, "range",
			"%s must be Mbit/s with up to three digits behind the point, more than 0, and the "
			"same in all rows of a PID, not \"%.40s\"",
			column, cell);
}

static bool read_word(struct sheet_reading *r, const char *cell, const char *column,
                      const char *const *words, size_t n, unsigned *out)
{
	char all[128] = "";
	size_t size = 0;
	for (unsigned i = 0; i < n; i++) {
		if (strcmp(cell, words[i]) == 0) {
			*out = i;
			return true;
		}
		size += (size_t)snprintf(all + size, sizeof(all) - size, "%s%s", i > 0 ? ", " : "",
		                         words[i]);
	}
	sketch_fault(r->s, r->at, "choice", "%s must be one of %s, not \"%.40s\"", column, all,
	             cell);
	return false;
}

/* ---- PIDs ---- */

enum { PID, PREFIXES, ACCESS, UPLOADS, MONTHLY, UP, DOWN };

static void read_prefixes(struct sheet_reading *r, uint32_t pid)
{
	struct ip_prefix prefix;
	for (char *rest, *word = strtok_r(r->cell[PREFIXES], BLANKS, &rest); word != NULL;
	     word = strtok_r(NULL, BLANKS, &rest))
		if (sketch_read_prefix(r->s, r->at, word, &prefix))
			sketch_prefix(r->s, pid, &prefix, r->at);
}

/* false: another row of the PID says something else. */
static bool is_first_or_same(struct sheet_reading *r, const char *column, bool said, bool same)
{
	if (said && !same)
		sketch_fault(r->s, r->at, "contradiction",
		             "%s must be the same in all rows of a PID", column);
	return !said || same;
}

static void read_pid(struct sheet_reading *r)
{
	static const char *const words[] = {
		[UPLOADS_NORMAL] = "normal", [UPLOADS_AVOID] = "avoid", [UPLOADS_NEVER] = "never"
	};
	const uint32_t number = sketch_pid(r->s, r->cell[PID]);
	unsigned word = 0;
	uint64_t monthly = 0;
	if (number == SKETCH_NONE)
		return;
	struct map_pid *pid = &r->s->pids[number];
	if (r->s->pid_origins[number].line == 0)
		r->s->pid_origins[number] = r->at;
	read_prefixes(r, number);
	const char *access = r->cell[ACCESS];
	if (*access != '\0' &&
	    is_first_or_same(r, "access", pid->access != NULL,
	                     pid->access != NULL && strcmp(pid->access, access) == 0))
		pid->access = sketch_string(r->s, access);
	if (*r->cell[UPLOADS] != '\0' &&
	    read_word(r, r->cell[UPLOADS], "uploads", words, 3, &word) &&
	    is_first_or_same(r, "uploads", pid->uploads_said, word == (unsigned)pid->uploads)) {
		pid->uploads = (enum map_uploads)word;
		pid->uploads_said = true;
	}
	if (read_number(r, r->cell[MONTHLY], "monthly_upload_gb", 1, MAP_CAP_MAX, &monthly) &&
	    monthly > 0 &&
	    is_first_or_same(r, "monthly_upload_gb", pid->monthly_upload_gb > 0,
	                     pid->monthly_upload_gb == monthly))
		pid->monthly_upload_gb = monthly;
	read_speed(r, r->cell[UP], "subscriber_up_mbps", &pid->subscriber_up_kbps);
	read_speed(r, r->cell[DOWN], "subscriber_down_mbps", &pid->subscriber_down_kbps);
}

/* ---- links ---- */

static void read_link(struct sheet_reading *r)
{
	enum { ID, A, B, CAPACITY, WEIGHT };
	char id[2 * MAP_NAME_MAX + 4];
	uint64_t capacity = 0, weight = 1;
	(void)snprintf(id, sizeof(id), "%.*s-%.*s", MAP_NAME_MAX, r->cell[A], MAP_NAME_MAX,
	               r->cell[B]);
	(void)read_number(r, r->cell[CAPACITY], "capacity_mbps", 1, MAP_CAPACITY_MAX, &capacity);
	(void)read_number(r, r->cell[WEIGHT], "weight", 1, MAP_WEIGHT_MAX, &weight);
	struct map_link *l = sketch_link(r->s, *r->cell[ID] != '\0' ? r->cell[ID] : id, r->at);
	l->a = sketch_string(r->s, r->cell[A]);
	l->b = sketch_string(r->s, r->cell[B]);
	l->capacity_mbps = capacity;
	l->weight = (uint32_t)weight;
}

/* ---- interconnects ---- */

/* Room for as many things as the cell has words. */
static void *room_for(struct sheet_reading *r, const char *cell, size_t size)
{
	size_t n = 1;
	for (const char *s = cell; *s != '\0'; s++)
		n += strchr(BLANKS, *s) != NULL;
	void *room = arena_take(r->s->arena, n * size);
	r->s->full |= room == NULL;
	return room;
}

static void read_reach(struct sheet_reading *r, char *cell, struct map_interconnect *x)
{
	x->reach = strcmp(cell, "any") == 0 ? REACH_ANY : REACH_NEIGHBOR;
	if (*cell == '\0' || strcmp(cell, "any") == 0 || strcmp(cell, "neighbor") == 0)
		return;
	uint32_t *asns = room_for(r, cell, sizeof(*asns));
	struct ip_prefix *prefixes = room_for(r, cell, sizeof(*prefixes));
	if (asns == NULL || prefixes == NULL)
		return;
	x->reach = REACH_LIST;
	x->reach_asns = asns;
	x->reach_prefixes = prefixes;
	for (char *rest, *word = strtok_r(cell, BLANKS, &rest); word != NULL;
	     word = strtok_r(NULL, BLANKS, &rest)) {
		const bool is_prefix = strpbrk(word, "./:") != NULL;
		const char *digits = strncasecmp(word, "AS", 2) == 0 ? word + 2 : word;
		if (is_prefix)
			x->n_reach_prefixes += sketch_read_prefix(r->s, r->at, word,
			                                          &prefixes[x->n_reach_prefixes]);
		else
			x->n_reach_asns +=
				sketch_read_asn(r->s, r->at, digits, &asns[x->n_reach_asns]);
	}
}

static void read_exporters(struct sheet_reading *r, char *cell, struct map_interconnect *x)
{
	struct map_exporter *list = *cell != '\0' ? room_for(r, cell, sizeof(*list)) : NULL;
	x->exporters = list;
	if (list == NULL)
		return;
	for (char *rest, *word = strtok_r(cell, BLANKS, &rest); word != NULL;
	     word = strtok_r(NULL, BLANKS, &rest)) {
		char *mark = strchr(word, '#');
		struct map_exporter *e = &list[x->n_exporters];
		uint64_t index = 0;
		if (mark != NULL)
			*mark = '\0';
		if (mark != NULL && ip_parse(word, &e->address) == ERR_OK &&
		    text_u64(mark + 1, strlen(mark + 1), &index) && index > 0 &&
		    index <= UINT32_MAX) {
			e->ifindex = (uint32_t)index;
			x->n_exporters++;
		} else {
			sketch_fault(r->s, r->at, "exporter",
			             "exporters must be ADDRESS#IFINDEX, such as 192.0.2.1#17, not "
			             "\"%.60s\"",
			             word);
		}
	}
}

static void read_interconnect(struct sheet_reading *r)
{
	enum { ID, AT, NEIGHBOR, RELATION, CAPACITY, REACH, METRO, EXPORTERS };
	const char *relations[RELATION_TRANSIT + 1];
	char id[16];
	uint64_t neighbor = 0, capacity = 0;
	unsigned relation = 0;
	for (unsigned i = 0; i <= RELATION_TRANSIT; i++)
		relations[i] = map_relation_name((enum map_relation)i);
	const char *digits =
		r->cell[NEIGHBOR] + (strncasecmp(r->cell[NEIGHBOR], "AS", 2) == 0 ? 2 : 0);
	if (!read_number(r, digits, "neighbor_asn", 1, UINT32_MAX, &neighbor))
		neighbor = 1; /* it is told; the rest of the row is read all the same */
	(void)read_word(r, r->cell[RELATION], "relation", relations, RELATION_TRANSIT + 1,
	                &relation);
	(void)read_number(r, r->cell[CAPACITY], "capacity_mbps", 1, MAP_CAPACITY_MAX, &capacity);
	(void)snprintf(id, sizeof(id), "as%" PRIu64, neighbor);
	struct map_interconnect x = { .pid = sketch_string(r->s, r->cell[AT]),
		                      .neighbor_asn = (uint32_t)neighbor,
		                      .relation = (enum map_relation)relation,
		                      .capacity_mbps = capacity };
	if (*r->cell[METRO] != '\0')
		x.metro = sketch_string(r->s, r->cell[METRO]);
	read_reach(r, r->cell[REACH], &x);
	read_exporters(r, r->cell[EXPORTERS], &x);
	if (*r->cell[ID] != '\0' && sketch_has_interconnect(r->s, r->cell[ID])) {
		sketch_fault(r->s, r->at, "duplicate",
		             "id must be another one than \"%.64s\", which is taken", r->cell[ID]);
		return;
	}
	struct map_interconnect *to =
		sketch_interconnect(r->s, *r->cell[ID] != '\0' ? r->cell[ID] : id, r->at);
	x.id = to->id;
	*to = x;
}

/* ---- costs ---- */

static void read_pid_cost(struct sheet_reading *r)
{
	enum { FROM, TO, COST };
	uint64_t cost = 0;
	if (read_number(r, r->cell[COST], "cost", 0, MAP_COST_MAX, &cost))
		sketch_pid_cost(r->s, r->cell[FROM], r->cell[TO], (uint32_t)cost);
}

static void read_interconnect_cost(struct sheet_reading *r)
{
	enum { ID, OUT, IN };
	uint64_t out = 0, in = 0;
	const bool has_out = read_number(r, r->cell[OUT], "out", 0, MAP_COST_MAX, &out);
	if (read_number(r, r->cell[IN], "in", 0, MAP_COST_MAX, &in) && has_out)
		sketch_interconnect_cost(r->s, r->cell[ID], (uint32_t)out, (uint32_t)in);
}

/* ---- sheets ---- */

/* The first whose key the header has. */
static const struct sheet sheets[] = {
	{ "interconnects",
	  "neighbor_asn",
	  { "id", "pid", "neighbor_asn", "relation", "capacity_mbps", "reach", "metro",
	    "exporters" },
	  1 << 1 | 1 << 2 | 1 << 3,
	  read_interconnect },
	{ "PID costs", "cost", { "from", "to", "cost" }, 1 << 0 | 1 << 1 | 1 << 2, read_pid_cost },
	{ "interconnect costs",
	  "interconnect",
	  { "interconnect", "out", "in" },
	  1 << 0 | 1 << 1 | 1 << 2,
	  read_interconnect_cost },
	{ "links", "a", { "id", "a", "b", "capacity_mbps", "weight" }, 1 << 1 | 1 << 2, read_link },
	{ "PIDs",
	  "pid",
	  { "pid", "prefixes", "access", "uploads", "monthly_upload_gb", "subscriber_up_mbps",
	    "subscriber_down_mbps" },
	  1 << 0,
	  read_pid },
};

static char *trim(char *s)
{
	s += strspn(s, " \t");
	size_t n = strlen(s);
	while (n > 0 && (s[n - 1] == ' ' || s[n - 1] == '\t'))
		s[--n] = '\0';
	return s;
}

/* Which column of the file each column of the sheet is, from 1; 0: none. NULL: said why. */
static const struct sheet *read_header(struct sheet_reading *r, struct csv *c,
                                       size_t column[COLUMNS_MAX])
{
	const struct sheet *sheet = NULL;
	for (size_t i = 0; i < c->n; i++)
		c->field[i] = trim(c->field[i]);
	for (size_t k = 0; k < sizeof(sheets) / sizeof(sheets[0]) && sheet == NULL; k++)
		for (size_t i = 0; i < c->n; i++)
			if (strcmp(c->field[i], sheets[k].key) == 0)
				sheet = &sheets[k];
	if (sheet == NULL) {
		sketch_fault(
			r->s, r->at, "header",
			"must begin with names of columns: pid (PIDs), a and b (links), neighbor_asn "
			"(interconnects), from, to and cost, or interconnect, out and in (costs)");
		return NULL;
	}
	memset(column, 0, COLUMNS_MAX * sizeof(*column));
	bool good = true;
	for (size_t i = 0; i < c->n; i++) {
		size_t k = 0;
		while (k < COLUMNS_MAX &&
		       (sheet->columns[k] == NULL || strcmp(sheet->columns[k], c->field[i]) != 0))
			k++;
		if (k == COLUMNS_MAX || column[k] != 0)
			sketch_fault(r->s, r->at, "column",
			             "a sheet of %s has no column \"%.40s\", or not twice",
			             sheet->what, c->field[i]);
		good = good && k < COLUMNS_MAX && column[k] == 0;
		if (k < COLUMNS_MAX)
			column[k] = i + 1;
	}
	for (size_t k = 0; k < COLUMNS_MAX; k++) {
		if ((sheet->required >> k & 1) == 0 || column[k] != 0)
			continue;
		sketch_fault(r->s, r->at, "column", "a sheet of %s must have a column \"%s\"",
		             sheet->what, sheet->columns[k]);
		good = false;
	}
	return good ? sheet : NULL;
}

static void read_cells(struct sheet_reading *r, const struct sheet *sheet, struct csv *c,
                       const size_t column[COLUMNS_MAX], size_t width)
{
	if (c->n == 1 && *trim(c->field[0]) == '\0')
		return; /* an empty line */
	if (c->n != width) {
		sketch_fault(r->s, r->at, "fields",
		             "must have %zu fields, as the first line has, not %zu", width, c->n);
		return;
	}
	for (size_t k = 0; k < COLUMNS_MAX; k++) {
		r->cell[k] = column[k] > 0 ? trim(c->field[column[k] - 1]) : &r->empty;
		if ((sheet->required >> k & 1) != 0 && *r->cell[k] == '\0') {
			sketch_fault(r->s, r->at, "missing", "%s must not be empty",
			             sheet->columns[k]);
			return;
		}
	}
	sheet->read(r);
}

/* What comes first of the separators in the first line. */
static char separator_of(const char *text)
{
	const char c = text[strcspn(text, ",;\t\r\n")];
	return (char)(c == ';' || c == '\t' ? c : ',');
}

static void read_source(struct sheet_reading *r, struct sketch_source *source, uint32_t number)
{
	size_t column[COLUMNS_MAX], width = 0;
	const struct sheet *sheet = NULL;
	struct csv c;
	r->at = (struct sketch_origin){ number, 0 };
	if (sketch_text(r->s, source, number) == NULL)
		return;
	(void)csv_begin(&c, source->text, source->size, separator_of(source->text));
	while (c.at < c.end) {
		r->at.line = (uint32_t)c.line;
		if (!csv_row(&c)) {
			sketch_fault(
				r->s, r->at, "quotes",
				"a quotation mark does not close, or there are more than %d fields",
				CSV_FIELDS_MAX);
			return;
		}
		if (sheet != NULL) {
			read_cells(r, sheet, &c, column, width);
			continue;
		}
		width = c.n;
		sheet = read_header(r, &c, column);
		if (sheet == NULL)
			return;
	}
}

void sketch_csv(struct sketch *s, struct sketch_source *sources, size_t n,
                const struct sketch_ask *ask)
{
	(void)ask; /* sheets say it all */
	struct sheet_reading r = { .s = s };
	for (uint32_t i = 0; i < n; i++)
		read_source(&r, &sources[i], i + 1);
}
