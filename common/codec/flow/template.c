/* SPDX-License-Identifier: Apache-2.0 */
#include "common/codec/flow/template.h"

#include <stdlib.h>
#include <string.h>

enum { VARIABLE = 65535, ENTERPRISE_BIT = 0x8000 };

/* A definition's head: what comes before its fields. */
struct head {
	uint16_t id, fields, scopes;
};

static struct head read_head(struct reader *r, bool ipfix, bool options)
{
	struct head h = { .id = reader_u16(r), .fields = 0 };
	if (options && !ipfix) { /* v9 has bytes of each, of four a field (RFC 3954, 6.1) */
		h.scopes = reader_u16(r) / 4;
		h.fields = (uint16_t)(h.scopes + reader_u16(r) / 4);
	} else {
		h.fields = reader_u16(r);
		/* A withdrawal ends here (RFC 7011, 8.1). */
		h.scopes = options && h.fields > 0 ? reader_u16(r) : 0;
	}
	return h;
}

static struct flow_spec read_spec(struct reader *r, bool ipfix, bool scope)
{
	struct flow_spec s = { .id = reader_u16(r), .scope = scope };
	s.length = reader_u16(r);
	if (ipfix && (s.id & ENTERPRISE_BIT)) { /* v9 has no such bit, and types above it */
		s.id &= ~ENTERPRISE_BIT & 0xffff;
		s.enterprise = reader_u32(r);
	}
	return s;
}

static bool of_interface(uint16_t element)
{
	return element == 10 || element == 14 || element == 252 || element == 253;
}

/* Exporter, metering or exporting process, line card, domain. */
static bool of_domain(uint16_t element)
{
	return element == 130 || element == 131 || element == 141 || element == 143 ||
	       element == 144 || element == 149;
}

static enum flow_scope scope_of(const struct flow_spec *s, bool ipfix)
{
	if (!ipfix) /* 1 system, 3 line card, 4 cache; 5 is a template */
		return s->id == 2   ? FLOW_SCOPE_INTERFACE
		       : s->id <= 4 ? FLOW_SCOPE_DOMAIN
		                    : FLOW_SCOPE_OTHER;
	if (s->enterprise != 0)
		return FLOW_SCOPE_OTHER;
	return of_interface(s->id) ? FLOW_SCOPE_INTERFACE
	       : of_domain(s->id)  ? FLOW_SCOPE_DOMAIN
	                           : FLOW_SCOPE_OTHER;
}

static bool fits(uint8_t value, uint16_t length)
{
	switch (value) {
	case FLOW_FROM4:
	case FLOW_TO4:
		return length == 4;
	case FLOW_FROM6:
	case FLOW_TO6:
		return length == 16;
	default:
		return length >= 1 && length <= 8; /* reduced-size encoding (RFC 7011, 6.2) */
	}
}

/* The best claims so far. */
struct draft {
	struct claim {
		struct flow_op op;
		uint16_t field;
		uint8_t rank;
	} claims[FLOW_VALUES];
};

/* Makes a value field number `field`'s, unless a better one has it. */
static void claim(struct flow_template *t, struct draft *d, const struct flow_spec *s,
                  uint16_t field, uint32_t offset, bool ipfix)
{
	const struct flow_element e = flow_element_of(s, ipfix);
	if (e.value == FLOW_VALUES || !fits(e.value, s->length))
		return;
	struct claim *c = &d->claims[e.value];
	if ((t->has & flow_bit(e.value)) && c->rank <= e.rank)
		return;
	t->has |= flow_bit(e.value);
	t->unit[e.value] = e.unit;
	t->link = e.value == FLOW_BYTES ? e.link : t->link;
	t->back_link = e.value == FLOW_BACK_BYTES ? e.link : t->back_link;
	c->field = field;
	c->rank = e.rank;
	c->op = (struct flow_op){ .value = e.value,
		                  .size = (uint8_t)s->length,
		                  .end = (uint16_t)(offset + s->length),
		                  .mask = s->length >= 8 ? UINT64_MAX
		                                         : (UINT64_C(1) << 8 * s->length) - 1 };
}

/* Numbers first, as the enum has them. */
static void line_up(struct flow_template *t, const struct draft *d)
{
	for (unsigned v = 0; v < FLOW_VALUES; v++) {
		if (!(t->has & flow_bit(v)))
			continue;
		if (t->fields > 0)
			t->layout[d->claims[v].field].op = t->ops;
		t->op[t->ops++] = d->claims[v].op;
		if (v < FLOW_NUMBERS)
			t->numbers = t->ops;
	}
}

static enum flow_scope widened(enum flow_scope all, enum flow_scope one)
{
	return all == FLOW_SCOPE_INTERFACE || one == FLOW_SCOPE_NONE    ? all
	       : one == FLOW_SCOPE_INTERFACE || all != FLOW_SCOPE_OTHER ? one
	                                                                : all;
}

static void compile(struct flow_template *t, struct reader r, const struct head *h, bool ipfix)
{
	struct draft d = { 0 };
	uint32_t offset = 0;
	for (uint16_t i = 0; i < h->fields; i++) {
		const struct flow_spec s = read_spec(&r, ipfix, i < h->scopes);
		if (s.scope)
			t->scope = (uint8_t)widened(t->scope, scope_of(&s, ipfix));
		if (t->fields > 0)
			t->layout[i] = (struct flow_field){ .length = s.length, .op = FLOW_VALUES };
		claim(t, &d, &s, i, offset, ipfix);
		offset += s.length;
	}
	line_up(t, &d);
}

/* What a first walk over the fields tells. */
struct extent {
	uint32_t least;
	bool varies;
};

static struct extent measure(struct reader *r, const struct head *h, bool ipfix)
{
	struct extent x = { .least = 0 };
	for (uint16_t i = 0; i < h->fields && !r->bad; i++) {
		const struct flow_spec s = read_spec(r, ipfix, false);
		const bool varies = s.length == VARIABLE;
		x.varies |= varies;
		x.least += varies ? 1 : s.length; /* its shortest form is a length of 0 */
	}
	return x;
}

static struct flow_template *make(const struct head *h, struct extent x, struct reader from,
                                  size_t size)
{
	const size_t layout = x.varies ? h->fields * sizeof(struct flow_field) : 0;
	struct flow_template *t = calloc(1, sizeof(*t) + layout + size);
	if (t == NULL)
		return NULL;
	t->layout = (struct flow_field *)(t + 1);
	t->definition = (uint8_t *)(t + 1) + layout;
	memcpy(t->definition, from.at, size);
	t->definition_size = (uint16_t)size;
	t->id = h->id;
	t->least = x.least;
	t->fields = x.varies ? h->fields : 0;
	return t;
}

enum err flow_template_read(struct reader *r, bool ipfix, bool options, uint32_t fields_max,
                            uint16_t *id, struct flow_template **out)
{
	/* A set is the longest there is for a definition as for a record. */
	enum { SET_MAX = 65535 - 4 };
	const struct reader start = *r;
	const struct head h = read_head(r, ipfix, options);
	const struct reader specs = *r;
	const struct extent x = measure(r, &h, ipfix);
	*id = h.id;
	if (r->bad)
		return ERR_TRUNCATED;
	const size_t size = (size_t)(r->at - start.at);
	if (h.id < 256 || h.fields > fields_max || h.scopes > h.fields || x.least == 0 ||
	    x.least > SET_MAX || size > SET_MAX)
		return ERR_RANGE;
	struct flow_template *t = make(&h, x, start, size);
	if (t == NULL)
		return ERR_NOMEM;
	t->scope = options ? FLOW_SCOPE_DOMAIN : FLOW_SCOPE_NONE;
	compile(t, specs, &h, ipfix);
	*out = t;
	return ERR_OK;
}

void flow_template_free(struct flow_template *t)
{
	free(t); /* with its layout and definition */
}
