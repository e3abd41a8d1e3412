/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/text.h"
#include "common/rights/json_stream.h"
#include "common/rights/vrp_making.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_ROOM = 32, WORD_ROOM = 96 };

struct reading {
	struct json_stream s;
	struct vrp_making making;
	struct faults *faults;
	int64_t now;
	size_t index;  /* of the VRP being read */
	bool has_roas; /* seen */
	enum err err;
};

/* One VRP as it is read. */
struct said {
	struct vrp vrp;
	int64_t max_length; /* -1: not said */
	int64_t expires;    /* 0: not said */
	bool has_asn, has_prefix;
	bool bad; /* a fault was told */
};

/* `value`, when there is one, is what stands there instead. */
static void complain(struct reading *r, struct said *v, const char *member, const char *right,
                     const char *value)
{
	char where[96];
	(void)snprintf(where, sizeof(where), "/roas/%zu%s%s (line %zu)", r->index,
	               member[0] != '\0' ? "/" : "", member, r->s.line);
	(void)faults_add(r->faults, ERR_MALFORMED, "vrp", where,
	                 value != NULL ? "%s, not \"%s\"" : "%s", right, value);
	v->bad = true;
}

/* ---- members of a VRP ---- */

static void read_asn(struct reading *r, struct said *v)
{
	char word[WORD_ROOM] = "";
	int64_t number = -1;
	uint64_t digits;
	if (json_peek(&r->s) == '"') {
		if (!json_string(&r->s, word, sizeof(word)))
			return;
		const char *at = strncmp(word, "AS", 2) == 0 ? word + 2 : word;
		if (text_u64(at, strlen(at), &digits) && digits <= UINT32_MAX)
			number = (int64_t)digits;
	} else {
		(void)json_number(&r->s, &number);
	}
	v->has_asn = true;
	if (r->s.bad == NULL && (number < 0 || number > UINT32_MAX))
		complain(r, v, "asn", "must be an AS number, as 64500 or \"AS64500\"", NULL);
	v->vrp.asn = (uint32_t)number;
}

static void read_prefix(struct reading *r, struct said *v)
{
	char word[WORD_ROOM] = "";
	if (!json_string(&r->s, word, sizeof(word)))
		return;
	v->has_prefix = true;
	if (ip_prefix_parse(word, &v->vrp.prefix) != ERR_OK)
		complain(r, v, "prefix", "must be a prefix such as 192.0.2.0/24", word);
}

static void read_max_length(struct reading *r, struct said *v)
{
	if (json_peek(&r->s) == 'n') /* null */
		json_skip(&r->s);
	else if (!json_number(&r->s, &v->max_length) || v->max_length < 0 || v->max_length > 128)
		complain(r, v, "maxLength", "must be a length of prefixes", NULL);
}

static void read_expires(struct reading *r, struct said *v)
{
	if (json_peek(&r->s) == 'n')
		json_skip(&r->s);
	else if (!json_number(&r->s, &v->expires))
		complain(r, v, "expires", "must be a time in unix seconds", NULL);
}

/* "chainValidity": {"notBefore": TIME, "notAfter": TIME}; of several sources, the last to end. */
static void read_validity(struct reading *r, struct said *v)
{
	char key[KEY_ROOM], word[WORD_ROOM];
	struct json_in in;
	int64_t until;
	if (!json_enter(&r->s, '{', &in))
		return;
	while (json_member(&r->s, &in, key, sizeof(key))) {
		if (strcmp(key, "notAfter") != 0)
			json_skip(&r->s);
		else if (!json_string(&r->s, word, sizeof(word)))
			return;
		else if (!text_time(word, &until))
			complain(r, v, "source", "must end at a time", word);
		else if (until > v->expires)
			v->expires = until;
	}
}

/* "source": [{"type": "roa", "tal": "ripe", "chainValidity": ...}], or "exception" by the operator. */
static void read_source(struct reading *r, struct said *v)
{
	char key[KEY_ROOM], type[VRP_TA_SIZE] = "";
	struct json_in list, in;
	if (json_peek(&r->s) != '[') {
		json_skip(&r->s);
		return;
	}
	if (!json_enter(&r->s, '[', &list))
		return;
	while (json_element(&r->s, &list) && json_enter(&r->s, '{', &in))
		while (json_member(&r->s, &in, key, sizeof(key)))
			if (strcmp(key, "tal") == 0 && json_peek(&r->s) == '"')
				(void)json_string(&r->s, v->vrp.ta, sizeof(v->vrp.ta));
			else if (strcmp(key, "type") == 0 && json_peek(&r->s) == '"')
				(void)json_string(&r->s, type, sizeof(type));
			else if (strcmp(key, "chainValidity") == 0 && json_peek(&r->s) == '{')
				read_validity(r, v);
			else
				json_skip(&r->s);
	if (v->vrp.ta[0] == '\0')
		memcpy(v->vrp.ta, type, sizeof(type));
}

static void read_member(struct reading *r, struct said *v, const char *key)
{
	if (strcmp(key, "asn") == 0)
		read_asn(r, v);
	else if (strcmp(key, "prefix") == 0)
		read_prefix(r, v);
	else if (strcmp(key, "maxLength") == 0)
		read_max_length(r, v);
	else if (strcmp(key, "ta") == 0 && json_peek(&r->s) == '"')
		(void)json_string(&r->s, v->vrp.ta, sizeof(v->vrp.ta));
	else if (strcmp(key, "expires") == 0)
		read_expires(r, v);
	else if (strcmp(key, "source") == 0)
		read_source(r, v);
	else
		json_skip(&r->s);
}

/* ---- the file ---- */

static void finish_vrp(struct reading *r, struct said *v)
{
	const struct ip_prefix *p = &v->vrp.prefix;
	if (r->s.bad != NULL || v->bad)
		return;
	if (!v->has_asn || !v->has_prefix) {
		complain(r, v, "", v->has_asn ? "must have \"prefix\"" : "must have \"asn\"", NULL);
		return;
	}
	const int64_t whole = p->addr.family == IP_V4 ? 32 : 128;
	if (v->max_length < 0)
		v->max_length = p->length;
	if (v->max_length < p->length || v->max_length > whole) {
		complain(r, v, "maxLength",
		         whole == 32 ? "must be from the prefix's length to 32"
		                     : "must be from the prefix's length to 128",
		         NULL);
		return;
	}
	v->vrp.max_length = (uint8_t)v->max_length;
	if (v->expires > 0 && v->expires <= r->now)
		r->making.t->about.expired++;
	else
		r->err = vrp_making_add(&r->making, &v->vrp);
	struct vrp_about *about = &r->making.t->about;
	if (v->expires > r->now && (about->first_expiry == 0 || v->expires < about->first_expiry))
		about->first_expiry = v->expires;
	if (r->err == ERR_RANGE)
		r->err = faults_add(r->faults, ERR_MALFORMED, "count", "/roas",
		                    "must not hold more than %d VRPs that are valid now", VRPS_MAX);
}

static void read_roas(struct reading *r)
{
	char key[KEY_ROOM];
	struct json_in list, in;
	if (r->has_roas)
		json_fail(&r->s, "must have \"roas\" once");
	r->has_roas = true;
	if (!json_enter(&r->s, '[', &list))
		return;
	for (; json_element(&r->s, &list) && r->err == ERR_OK; r->index++) {
		struct said v = { .max_length = -1 };
		if (!json_enter(&r->s, '{', &in))
			return;
		while (json_member(&r->s, &in, key, sizeof(key)))
			read_member(r, &v, key);
		finish_vrp(r, &v);
	}
}

static void read_metadata(struct reading *r)
{
	struct vrp_about *about = &r->making.t->about;
	char key[KEY_ROOM], word[WORD_ROOM];
	struct json_in in;
	if (!json_enter(&r->s, '{', &in))
		return;
	while (json_member(&r->s, &in, key, sizeof(key))) {
		const char first = json_peek(&r->s);
		const bool digit = first >= '0' && first <= '9';
		if (first == '"' &&
		    (strcmp(key, "buildtime") == 0 || strcmp(key, "generatedTime") == 0)) {
			if (json_string(&r->s, word, sizeof(word)))
				(void)text_time(word, &about->made); /* else not said */
		} else if (digit && strcmp(key, "generated") == 0) {
			(void)json_number(&r->s, &about->made);
		} else if (digit && strcmp(key, "valid") == 0) {
			(void)json_number(&r->s, &about->valid);
		} else {
			json_skip(&r->s);
		}
	}
}

static void read_file(struct reading *r)
{
	char key[KEY_ROOM];
	struct json_in in;
	if (!json_enter(&r->s, '{', &in))
		return;
	while (r->err == ERR_OK && json_member(&r->s, &in, key, sizeof(key))) {
		if (strcmp(key, "roas") == 0)
			read_roas(r);
		else if (strcmp(key, "metadata") == 0)
			read_metadata(r);
		else
			json_skip(&r->s);
	}
	if (r->err == ERR_OK)
		(void)json_end(&r->s);
}

static enum err verdict(struct reading *r)
{
	char where[32];
	(void)snprintf(where, sizeof(where), "line %zu", r->s.line);
	if (r->err != ERR_OK)
		return r->err;
	if (r->s.bad != NULL)
		return faults_add(r->faults, ERR_MALFORMED, "syntax", where, "%s", r->s.bad);
	if (!r->has_roas)
		return faults_add(r->faults, ERR_MALFORMED, "missing", "",
		                  "must have \"roas\", as the JSON of rpki-client and routinator");
	if (r->faults->count > 0)
		return ERR_MALFORMED;
	if (r->making.n == 0)
		return faults_add(r->faults, ERR_MALFORMED, "count", "/roas",
		                  "must hold a VRP that is valid now, but %zu have expired and "
		                  "there is no other",
		                  r->making.t->about.expired);
	return ERR_OK;
}

enum err vrp_read(vrp_more *more, void *ctx, int64_t now, struct vrp_table **out,
                  struct faults *faults)
{
	struct reading *r = calloc(1, sizeof(*r));
	struct vrp_table *t = calloc(1, sizeof(*t));
	enum err e = ERR_NOMEM;
	if (r != NULL && t != NULL) {
		r->faults = faults;
		r->now = now;
		r->making.t = t;
		t->n_tas = 1;
		json_begin(&r->s, more, ctx);
		read_file(r);
		e = verdict(r);
	}
	if (e == ERR_OK)
		e = cover_build(r->making.entries, r->making.n, &t->cover);
	if (e == ERR_OK) {
		t->about.count = r->making.n;
		t->about.bytes =
			sizeof(*t) + cover_bytes(t->cover) + r->making.room * sizeof(*t->said);
		*out = t;
	} else {
		free(r != NULL ? r->making.entries : NULL);
		vrp_table_free(t);
	}
	free(r);
	return e;
}
