/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RFC 8805: "prefix,country,region,city,postal code" a line, '#' to the end of a line a comment. Of the
 * fields only the prefix must be there. An entry without any place is one whose place nobody shall
 * know (2.1.2); its addresses are the provider's all the same, so they get the PID "unplaced".
 */
#include "common/base/csv.h"
#include "common/base/text.h"
#include "tools/sketch/format.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum level { COUNTRY, REGION, CITY };
enum { PREFIX_FIELD, COUNTRY_FIELD, REGION_FIELD, CITY_FIELD, POSTAL_FIELD, FIELDS };

struct feed {
	struct sketch *s;
	struct sketch_origin at; /* the line */
	enum level level;
	size_t unplaced,
		coarse; /* entries without a place; without a city or region though asked for */
	size_t short_lines, long_lines, postal;
};

static bool level_of(const char *by, enum level *out)
{
	static const char *const names[] = { "country", "region", "city" };
	*out = CITY;
	for (unsigned i = 0; by != NULL && i < 3; i++)
		if (strcmp(by, names[i]) == 0) {
			*out = (enum level)i;
			return true;
		}
	return by == NULL;
}

static char *trim(char *s)
{
	s += strspn(s, " \t");
	size_t n = strlen(s);
	while (n > 0 && (s[n - 1] == ' ' || s[n - 1] == '\t'))
		s[--n] = '\0';
	return s;
}

static void upper(char *s)
{
	for (; *s != '\0'; s++)
		*s = (char)toupper((unsigned char)*s);
}

static bool is_country(const char *s)
{
	return strlen(s) == 2 && isalpha((unsigned char)s[0]) && isalpha((unsigned char)s[1]);
}

/* ISO 3166-2: the country, '-' and one to three letters or digits. */
static bool is_region(const char *s)
{
	const size_t n = strlen(s);
	if (n < 4 || n > 6 || s[2] != '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (i != 2 && !isalnum((unsigned char)s[i]))
			return false;
	return isalpha((unsigned char)s[0]) && isalpha((unsigned char)s[1]);
}

/* A prefix, or an address alone. */
static bool read_prefix(struct feed *f, const char *text, struct ip_prefix *out)
{
	struct ip_prefix p = { 0 };
	if (strchr(text, '/') != NULL || ip_parse(text, &p.addr) != ERR_OK)
		return sketch_read_prefix(f->s, f->at, text, out);
	p.length = (uint8_t)(8 * ip_size(&p.addr));
	*out = p;
	return true;
}

/* Country and region in capitals; false: said what is wrong with them. */
static bool check_place(struct feed *f, char *country, char *region)
{
	bool good = true;
	upper(country);
	upper(region);
	if (*country != '\0' && !is_country(country)) {
		sketch_fault(
			f->s, f->at, "country",
			"the second field must be a country of two letters (ISO 3166-1), such as "
			"US, or empty, not \"%.40s\"",
			country);
		good = false;
	}
	if (*region != '\0' && !is_region(region)) {
		sketch_fault(
			f->s, f->at, "region",
			"the third field must be a region of ISO 3166-2, such as US-TX, or empty, "
			"not \"%.40s\"",
			region);
		good = false;
	} else if (good && *region != '\0' && *country != '\0' && memcmp(region, country, 2) != 0) {
		sketch_fault(f->s, f->at, "region", "the region %s must be one of the country %s",
		             region, country);
		good = false;
	}
	return good;
}

/* The PID of a place; capitals and accents do not tell places apart. */
static uint32_t pid_of(struct feed *f, const char *place)
{
	char name[MAP_NAME_MAX + 1];
	sketch_name(place, name);
	return sketch_pid(f->s, name);
}

static void add_entry(struct feed *f, const struct ip_prefix *prefix, const char *country,
                      const char *region, const char *city)
{
	char place[256];
	const bool has_country = *country != '\0' && strcmp(country, "ZZ") != 0;
	if (!has_country && *region == '\0' && *city == '\0') {
		f->unplaced++;
		sketch_prefix(f->s, sketch_pid(f->s, "unplaced"), prefix, f->at);
		return;
	}
	const bool by_region = f->level >= REGION && *region != '\0';
	const bool by_city = f->level == CITY && *city != '\0';
	f->coarse += (f->level == CITY && !by_city) || (f->level == REGION && !by_region);
	/* The region begins with the country. */
	if (by_region)
		(void)snprintf(place, sizeof(place), "%s,%s", region, by_city ? city : "");
	else
		(void)snprintf(place, sizeof(place), "%s,%s", has_country ? country : region,
		               by_city ? city : "");
	sketch_prefix(f->s, pid_of(f, place), prefix, f->at);
}

static void read_line(struct feed *f, char *line)
{
	struct csv row;
	struct ip_prefix prefix;
	char empty[FIELDS] = { 0 }, *field[FIELDS];
	line[strcspn(line, "#")] = '\0';
	if (*trim(line) == '\0')
		return;
	if (!text_is_utf8(line)) {
		sketch_fault(f->s, f->at, "encoding",
		             "must be UTF-8, as RFC 8805 wants; of Latin-1, iconv -f LATIN1 -t "
		             "UTF-8 makes it");
		return;
	}
	const size_t size = strlen(line);
	if (!csv_begin(&row, line, size, ',') || !csv_row(&row)) {
		sketch_fault(
			f->s, f->at, "quotes",
			"must be PREFIX,COUNTRY,REGION,CITY,POSTAL; a quotation mark does not close, "
			"or there are more than %d fields",
			CSV_FIELDS_MAX);
		return;
	}
	for (size_t i = 0; i < FIELDS; i++)
		field[i] = i < row.n ? trim(row.field[i]) : &empty[i];
	f->short_lines += row.n < FIELDS;
	f->long_lines += row.n > FIELDS;
	f->postal += *field[POSTAL_FIELD] != '\0';
	const bool has_prefix = read_prefix(f, field[PREFIX_FIELD], &prefix);
	const bool has_place = check_place(f, field[COUNTRY_FIELD], field[REGION_FIELD]);
	if (has_prefix && has_place)
		add_entry(f, &prefix, field[COUNTRY_FIELD], field[REGION_FIELD], field[CITY_FIELD]);
}

static void warn(const struct feed *f)
{
	const struct sketch_origin file = { f->at.source, 0 };
	static const char *const wanted[] = { "country", "region", "city" };
	if (f->unplaced > 0)
		sketch_warn(
			f->s, file, "unplaced",
			"%zu entries name no place, as RFC 8805 allows; they are PID \"unplaced\"",
			f->unplaced);
	if (f->coarse > 0)
		sketch_warn(f->s, file, "coarse",
		            "%zu entries name no %s; their PID is that of the region or country",
		            f->coarse, wanted[f->level]);
	if (f->short_lines > 0)
		sketch_warn(
			f->s, file, "fields",
			"%zu lines have less than the five fields of RFC 8805; those at their end "
			"count as empty",
			f->short_lines);
	if (f->long_lines > 0)
		sketch_warn(
			f->s, file, "fields",
			"%zu lines have more than the five fields of RFC 8805, which are left out",
			f->long_lines);
	if (f->postal > 0)
		sketch_warn(
			f->s, file, "postal",
			"%zu lines have a postal code, which RFC 8805 deprecates; it is left out",
			f->postal);
}

static void read_source(struct sketch *s, const struct sketch_source *source, uint32_t number,
                        enum level level)
{
	struct feed f = { .s = s, .at = { number, 0 }, .level = level };
	char *at = sketch_text(s, source, number);
	if (at == NULL)
		return;
	const char *end = source->text + source->size;
	for (char *line; (line = sketch_next_line(&at, end, &f.at.line)) != NULL;)
		read_line(&f, line);
	warn(&f);
}

void sketch_geofeed(struct sketch *s, struct sketch_source *sources, size_t n,
                    const struct sketch_ask *ask)
{
	enum level level;
	s->each_once = true; /* 2.1.3 */
	if (!level_of(ask->by, &level))
		sketch_fault(s, (struct sketch_origin){ 0 }, "choice",
		             "--by must be city, region or country, not \"%.40s\"", ask->by);
	for (size_t i = 0; i < n; i++)
		read_source(s, &sources[i], (uint32_t)(i + 1), level);
}
