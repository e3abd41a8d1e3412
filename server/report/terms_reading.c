/* SPDX-License-Identifier: Apache-2.0 */
#include "server/report/terms_reading.h"

#include <ctype.h>
#include <stdio.h>

enum { MBPS_MAX = 1000000000 };

size_t terms_words(const char *const *words)
{
	size_t n = 0;
	while (words[n] != NULL)
		n++;
	return n;
}

void terms_read_word(struct reading *r, const struct value *v, const char *const *words,
                     unsigned *out)
{
	if (v->json != NULL)
		read_word(r, v, words, terms_words(words), out);
}

void terms_read_money(struct reading *r, const struct value *v, struct decimal *out)
{
	const char *s = value_string(v);
	if (v->json == NULL || (s != NULL && decimal_parse(s, strlen(s), out)))
		return;
	if (s == NULL)
		reading_fault(r, v, ERR_MALFORMED, "type",
		              "must be a decimal in a string such as \"0.80\": numbers of JSON are "
		              "not exact");
	else
		reading_fault(
			r, v, ERR_MALFORMED, "money",
			"must be a decimal such as \"0.80\", with at most %d digits and %d of "
			"them after the point, not \"%.32s\"",
			DECIMAL_DIGITS, DECIMAL_PLACES, s);
}

void terms_read_mbps(struct reading *r, const struct value *v, uint64_t *out_bps)
{
	uint64_t mbps = *out_bps / CONTRACT_MBPS;
	read_whole(r, v, 0, MBPS_MAX, &mbps);
	*out_bps = mbps * CONTRACT_MBPS;
}

static bool has_name(const struct terms_names *all, const char *name)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->name[i] != NULL && strcmp(all->name[i], name) == 0)
			return true;
	return false;
}

void terms_read_names(struct reading *r, struct value *v, struct terms_names *out)
{
	const size_t n = read_array(r, v, TERMS_NAMES_MAX);
	for (size_t i = 0; v->json != NULL && i < n; i++) {
		const struct value item = value_item(v, i);
		const char *name = NULL;
		read_name(r, &item, &name);
		if (name != NULL && has_name(out, name))
			reading_fault(r, &item, ERR_EXISTS, "duplicate",
			              "\"%s\" is in this list twice", name);
		else if (name != NULL)
			out->name[out->n++] = name;
	}
}

void terms_read_text(struct reading *r, const struct value *v, size_t max, const char **out)
{
	const char *s = value_string(v);
	if (v->json == NULL)
		return;
	bool good = s != NULL && *s != '\0' && strlen(s) <= max;
	for (const char *p = s; good && *p != '\0'; p++)
		good = !iscntrl((unsigned char)*p);
	if (!good) {
		reading_fault(r, v, ERR_MALFORMED, s == NULL ? "type" : "text",
		              "must be a text of 1 to %zu bytes without control characters", max);
		return;
	}
	char *copy = reading_take(r, strlen(s) + 1, 1);
	if (copy != NULL)
		*out = memcpy(copy, s, strlen(s) + 1);
}

struct json_t *terms_load(const char *json, size_t size, struct faults *faults, enum err *err)
{
	struct json_t *top = NULL;
	if (size > TERMS_BYTES_MAX)
		*err = faults_add(faults, ERR_MALFORMED, "size", "",
		                  "the document must not have more than %d bytes, not %zu",
		                  TERMS_BYTES_MAX, size);
	else
		*err = reading_load(json, size, faults, &top);
	return top;
}
