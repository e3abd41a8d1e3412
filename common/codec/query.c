/* SPDX-License-Identifier: Apache-2.0 */
#include "common/codec/query.h"

#include "common/base/random.h"
#include "common/base/text.h"

#include <string.h>

enum { VALUE_MAX = 128 };

/* A decoded value. Of a longer one the first bytes are kept; `size` is always its true length. */
struct value {
	const char *bytes; /* in the query, or in `room` */
	size_t size, kept;
	bool spoilt; /* has a '%' without two hex digits, which stands for itself */
	char room[VALUE_MAX];
};

/*
 * '?' separates too: passkey sites and clients glue two queries together ("?passkey=x?info_hash="),
 * and no client leaves a '?' of its own unescaped.
 */
enum { SEPARATES = 1, ASSIGNS = 2, ESCAPES = 4 };
static const uint8_t marks[256] = {
	['&'] = SEPARATES, [';'] = SEPARATES, ['?'] = SEPARATES, ['='] = ASSIGNS, ['%'] = ESCAPES,
};

/* The digit's value and 16; 0: no digit. */
static const uint8_t digits[256] = {
	['0'] = 16, ['1'] = 17, ['2'] = 18, ['3'] = 19, ['4'] = 20, ['5'] = 21,
	['6'] = 22, ['7'] = 23, ['8'] = 24, ['9'] = 25, ['a'] = 26, ['b'] = 27,
	['c'] = 28, ['d'] = 29, ['e'] = 30, ['f'] = 31, ['A'] = 26, ['B'] = 27,
	['C'] = 28, ['D'] = 29, ['E'] = 30, ['F'] = 31,
};

/* ---- steps through a query ---- */

static uint8_t mark(char c)
{
	return marks[(uint8_t)c];
}

static unsigned nibble(char digit)
{
	return digits[(uint8_t)digit] & 15U;
}

/* Where the next parameter begins; `end` behind the last. */
static const char *next_param(const char *p, const char *end)
{
	while (p < end && mark(*p) == SEPARATES)
		p++;
	return p;
}

static const char *value_end(const char *p, const char *end)
{
	while (p < end && mark(*p) != SEPARATES)
		p++;
	return p;
}

/* Where the value begins, if the parameter at `p` has this name; else NULL. */
static const char *value_of(const char *p, const char *end, const char *name, size_t size)
{
	const size_t left = (size_t)(end - p);
	if (left < size || (left > size && (mark(p[size]) & (SEPARATES | ASSIGNS)) == 0) ||
	    memcmp(p, name, size) != 0)
		return NULL;
	return left > size && p[size] == '=' ? p + size + 1 : p + size;
}

static bool is_escape(const char *p, const char *end)
{
	return end - p >= 2 && (digits[(uint8_t)p[0]] & digits[(uint8_t)p[1]]) != 0;
}

/* From its first '%' on; what stands before it is in the room. */
static void unescape(const char **at, const char *end, struct value *out)
{
	const char *p = *at;
	size_t size = out->size;
	for (; p < end && mark(*p) != SEPARATES; size++) {
		char c = *p++;
		if (c == '%' && is_escape(p, end)) {
			c = (char)(nibble(p[0]) << 4 | nibble(p[1]));
			p += 2;
		} else if (c == '%') {
			out->spoilt = true;
		}
		if (size < VALUE_MAX)
			out->room[size] = c;
	}
	*at = p;
	out->size = size;
}

/* Percent-decoding (RFC 3986, section 2.1) up to the value's end. '+' is a plus: this is no HTML form. */
static void read_value(const char **at, const char *end, struct value *out)
{
	const char *p = *at;
	while (p < end && (mark(*p) & (SEPARATES | ESCAPES)) == 0)
		p++;
	out->bytes = *at;
	out->size = (size_t)(p - *at);
	out->kept = out->size < VALUE_MAX ? out->size : VALUE_MAX;
	out->spoilt = false;
	*at = p;
	if (p == end || *p != '%')
		return;
	memcpy(out->room, out->bytes, out->kept);
	unescape(at, end, out);
	out->bytes = out->room;
	out->kept = out->size < VALUE_MAX ? out->size : VALUE_MAX;
}

/* ---- what the values say ---- */

/* Only a value that was kept whole can equal a word or be a number. */
static bool is_word(const struct value *v, const char *word)
{
	return v->size == strlen(word) && v->size == v->kept &&
	       memcmp(v->bytes, word, v->size) == 0;
}

static uint64_t number_or(const struct value *v, uint64_t otherwise)
{
	uint64_t n = otherwise;
	if (v->size == v->kept)
		(void)text_u64(v->bytes, v->size, &n);
	return n;
}

/* Twenty raw bytes, of an info-hash or a peer id. Nothing else is refused for an escape that is none. */
static enum err take_id(const struct value *v, const char *name, uint8_t out[static 20],
                        struct fault *fault)
{
	if (v->spoilt)
		return fault_set(fault, ERR_MALFORMED, name, "%s has a '%%' without two hex digits",
		                 name);
	if (v->size != 20)
		return fault_set(fault, ERR_MALFORMED, name,
		                 "%s has %zu bytes after unescaping, it must have 20", name,
		                 v->size);
	memcpy(out, v->bytes, 20);
	return ERR_OK;
}

/* A v2 info-hash has 32 bytes; its swarm is that of the first 20 (BEP 52). */
static enum err take_hash(const struct value *v, uint8_t out[static INFO_HASH_SIZE],
                          struct fault *fault)
{
	enum { V2_SIZE = 32 };
	if (v->size != V2_SIZE || v->spoilt)
		return take_id(v, "info_hash", out, fault);
	memcpy(out, v->bytes, INFO_HASH_SIZE);
	return ERR_OK;
}

/* What an announce has said so far. */
struct draft {
	struct announce a;
	bool has_info_hash, has_peer_id, has_port;
	struct fault *fault;
};

static enum err take_info_hash(struct draft *d, const struct value *v)
{
	if (d->has_info_hash)
		return fault_set(d->fault, ERR_MALFORMED, "info_hash",
		                 "info_hash is given twice, an announce is about one torrent");
	d->has_info_hash = true;
	return take_hash(v, d->a.info_hash, d->fault);
}

static enum err take_peer_id(struct draft *d, const struct value *v)
{
	d->has_peer_id = true;
	return take_id(v, "peer_id", d->a.peer_id, d->fault);
}

static enum err take_port(struct draft *d, const struct value *v)
{
	const uint64_t port = number_or(v, UINT64_MAX);
	if (port > UINT16_MAX)
		return fault_set(d->fault, ERR_MALFORMED, "port",
		                 "port must be a number from 0 to 65535");
	d->has_port = true;
	d->a.port = (uint16_t)port;
	return ERR_OK;
}

/* Counters that are no number are counted as nothing: a client's bug must not cost it its peers. */
static enum err take_uploaded(struct draft *d, const struct value *v)
{
	d->a.uploaded = number_or(v, 0);
	return ERR_OK;
}

static enum err take_downloaded(struct draft *d, const struct value *v)
{
	d->a.downloaded = number_or(v, 0);
	return ERR_OK;
}

static enum err take_redundant(struct draft *d, const struct value *v)
{
	d->a.redundant = number_or(v, 0);
	return ERR_OK;
}

static enum err take_left(struct draft *d, const struct value *v)
{
	d->a.left = number_or(v, UINT64_MAX);
	return ERR_OK;
}

static enum err take_event(struct draft *d, const struct value *v)
{
	static const struct {
		const char *word;
		enum peer_event event;
	} words[] = {
		{ "started", EVENT_STARTED },
		{ "stopped", EVENT_STOPPED },
		{ "completed", EVENT_COMPLETED },
		{ "paused", EVENT_PAUSED },
	};
	d->a.event = EVENT_NONE;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (is_word(v, words[i].word))
			d->a.event = words[i].event;
	return ERR_OK;
}

/* Negative or no number: the default. More digits than any type holds are still "a lot". */
static enum err take_numwant(struct draft *d, const struct value *v)
{
	size_t n = 0;
	while (n < v->kept && v->bytes[n] >= '0' && v->bytes[n] <= '9')
		n++;
	if (v->size == 0 || n < v->kept) {
		d->a.want = WANT_DEFAULT;
		return ERR_OK;
	}
	const uint64_t want = number_or(v, UINT64_MAX);
	d->a.want = want < INT32_MAX ? (int32_t)want : INT32_MAX;
	return ERR_OK;
}

/*
 * Eight hex digits are the 32 bits that the same client sends over UDP, so that it stays one client
 * when it uses both. Anything else (aria2: raw bytes, ctorrent: letters) is hashed.
 */
static uint64_t key_of(const struct value *v)
{
	uint32_t number = 0;
	size_t hex = 0;
	for (; v->size == 8 && hex < 8 && digits[(uint8_t)v->bytes[hex]] != 0; hex++)
		number = number << 4 | nibble(v->bytes[hex]);
	if (hex == 8 && number != 0)
		return number;

	uint64_t h = v->size;
	for (size_t i = 0; i < v->kept; i++)
		h = random_mix(h ^ (uint8_t)v->bytes[i]) + i;
	return h != 0 ? h : 1;
}

static enum err take_key(struct draft *d, const struct value *v)
{
	d->a.key = v->size > 0 ? key_of(v) : 0;
	return ERR_OK;
}

/* "192.0.2.1", "192.0.2.1:6881", "2001:db8::1" or "[2001:db8::1]:6881" (BEP 7); else IP_NONE. */
static struct ip_addr address_of(const struct value *v)
{
	struct ip_addr a = { .family = IP_NONE };
	char text[VALUE_MAX + 1];
	if (v->size > v->kept || memchr(v->bytes, '\0', v->size) != NULL)
		return a;
	memcpy(text, v->bytes, v->size);
	text[v->size] = '\0';

	char *start = text;
	char *colon = strchr(text, ':');
	if (text[0] == '[') {
		start++;
		text[strcspn(text, "]")] = '\0';
	} else if (colon != NULL && strchr(colon + 1, ':') == NULL) {
		*colon = '\0';
	}
	if (ip_parse(start, &a) != ERR_OK)
		a.family = IP_NONE;
	return a;
}

static enum err take_ip(struct draft *d, const struct value *v)
{
	d->a.claimed = address_of(v);
	return ERR_OK;
}

/* A link-local address, say, does not show that the client can use the family. */
static bool is_usable(const struct value *v, enum ip_family family)
{
	const struct ip_addr a = address_of(v);
	return a.family == family && ip_kind(&a) != IP_BOGON;
}

static enum err take_ipv4(struct draft *d, const struct value *v)
{
	d->a.has_ipv4 = d->a.has_ipv4 || is_usable(v, IP_V4);
	return ERR_OK;
}

static enum err take_ipv6(struct draft *d, const struct value *v)
{
	d->a.has_ipv6 = d->a.has_ipv6 || is_usable(v, IP_V6);
	return ERR_OK;
}

static enum err take_compact(struct draft *d, const struct value *v)
{
	d->a.compact = !is_word(v, "0");
	return ERR_OK;
}

static enum err take_no_peer_id(struct draft *d, const struct value *v)
{
	d->a.no_peer_id = is_word(v, "1");
	return ERR_OK;
}

/* Roughly in the order clients send them. */
#define KNOWN(name)                                   \
	{                                             \
#name, sizeof(#name) - 1, take_##name \
	}
static const struct {
	char name[15];
	uint8_t size;
	enum err (*take)(struct draft *d, const struct value *v);
} known[] = {
	KNOWN(info_hash),  KNOWN(peer_id),   KNOWN(port),  KNOWN(uploaded), KNOWN(downloaded),
	KNOWN(left),       KNOWN(key),       KNOWN(event), KNOWN(numwant),  KNOWN(compact),
	KNOWN(no_peer_id), KNOWN(redundant), KNOWN(ip),    KNOWN(ipv4),     KNOWN(ipv6),
};
#undef KNOWN

/* `next`: which is looked for first, the one behind the last that was there. */
static enum err take_param(struct draft *d, const char **at, const char *end, size_t *next)
{
	enum { ALL = sizeof(known) / sizeof(known[0]) };
	struct value v;
	for (size_t n = 0, i = *next; n < ALL; n++, i = i + 1 < ALL ? i + 1 : 0) {
		if (**at != known[i].name[0])
			continue;
		const char *value = value_of(*at, end, known[i].name, known[i].size);
		if (value == NULL)
			continue;
		*next = i + 1 < ALL ? i + 1 : 0;
		*at = value;
		read_value(at, end, &v);
		return known[i].take(d, &v);
	}
	*at = value_end(*at, end);
	return ERR_OK; /* corrupt=, supportcrypto=, whatever comes next */
}

static enum err missing(struct fault *fault, const char *name)
{
	return fault_set(fault, ERR_NOT_FOUND, name, "%s is missing", name);
}

enum err query_announce_parse(const char *query, size_t size, struct announce *out,
                              struct fault *fault)
{
	struct draft d = { .a = { .left = UINT64_MAX, .want = WANT_DEFAULT, .compact = true },
		           .fault = fault };
	const char *at = query, *end = query + size;
	size_t next = 0;
	while ((at = next_param(at, end)) < end) {
		const enum err e = take_param(&d, &at, end, &next);
		if (e != ERR_OK)
			return e;
	}
	if (!d.has_info_hash)
		return missing(fault, "info_hash");
	if (!d.has_peer_id)
		return missing(fault, "peer_id");
	if (!d.has_port)
		return missing(fault, "port");
	*out = d.a;
	return ERR_OK;
}

static const char *hash_at(const char *p, const char *end)
{
	return value_of(p, end, "info_hash", sizeof("info_hash") - 1);
}

bool query_info_hash(const char *query, size_t size, uint8_t out[static INFO_HASH_SIZE])
{
	const char *end = query + size;
	struct fault untold;
	struct value v;
	for (const char *at = query; (at = next_param(at, end)) < end; at = value_end(at, end)) {
		const char *hash = hash_at(at, end);
		if (hash == NULL)
			continue;
		read_value(&hash, end, &v);
		return take_hash(&v, out, &untold) == ERR_OK;
	}
	return false;
}

enum err query_scrape_parse(const char *query, size_t size, struct scrape *out, struct fault *fault)
{
	struct scrape s = { .count = 0 };
	struct value v;
	const char *end = query + size;
	for (const char *at = query; s.count < SCRAPE_MAX && (at = next_param(at, end)) < end;
	     at = value_end(at, end)) {
		const char *hash = hash_at(at, end);
		if (hash == NULL)
			continue;
		read_value(&hash, end, &v);
		const enum err e = take_hash(&v, s.hashes[s.count], fault);
		if (e != ERR_OK)
			return e;
		s.count++;
	}
	if (s.count == 0)
		return missing(fault, "info_hash");
	*out = s;
	return ERR_OK;
}

bool query_find(const char *query, size_t size, const char *name, const char **value,
                size_t *value_size)
{
	const char *end = query + size;
	const size_t name_size = strlen(name);
	for (const char *at = query; (at = next_param(at, end)) < end; at = value_end(at, end)) {
		const char *found = value_of(at, end, name, name_size);
		if (found == NULL || found == value_end(found, end))
			continue;
		*value = found;
		*value_size = (size_t)(value_end(found, end) - found);
		return true;
	}
	return false;
}
