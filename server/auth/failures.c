/* SPDX-License-Identifier: Apache-2.0 */
#include "server/auth/failures.h"

#include "common/base/random.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 1024, WAYS = 4 };

struct place {
	struct ip_prefix of; /* family IP_NONE: free */
	int64_t since;       /* when its minute began */
	uint32_t count;
};

struct failures {
	pthread_mutex_t lock;
	uint64_t secret;
	struct place places[ROWS][WAYS];
};

struct failures *failures_new(uint64_t secret)
{
	struct failures *f = calloc(1, sizeof(*f));
	if (f == NULL)
		return NULL;
	pthread_mutex_init(&f->lock, NULL);
	f->secret = secret;
	return f;
}

void failures_free(struct failures *f)
{
	if (f != NULL)
		pthread_mutex_destroy(&f->lock);
	free(f);
}

static struct ip_prefix group_of(const struct ip_addr *from, bool prefix)
{
	const bool v4 = from->family == IP_V4;
	struct ip_prefix p = { .addr = { .family = from->family } };
	if (prefix)
		p.length = v4 ? 24 : 48;
	else
		p.length = v4 ? 32 : 64;
	memcpy(p.addr.bytes, from->bytes, p.length / 8);
	return p;
}

/* Its place, as it was or taken from the one with the fewest. */
static struct place *find(struct failures *f, const struct ip_prefix *of, int64_t now)
{
	uint64_t bits;
	memcpy(&bits, of->addr.bytes, sizeof(bits));
	const uint64_t h = random_mix(random_mix(bits ^ f->secret) +
	                              ((uint64_t)of->addr.family << 8 | of->length));
	struct place *row = f->places[h % ROWS], *least = row;
	for (int i = 0; i < WAYS; i++) {
		struct place *p = &row[i];
		if (now - p->since >= FAILURES_WINDOW)
			p->count = 0;
		if (p->of.addr.family != IP_NONE && ip_prefix_compare(&p->of, of) == 0)
			return p;
		if (p->count < least->count)
			least = p;
	}
	*least = (struct place){ .of = *of };
	return least;
}

/* False: beyond `most`. */
static bool count(struct failures *f, const struct ip_addr *from, bool prefix, int64_t now,
                  struct failures_verdict *out)
{
	const uint32_t most = prefix ? FAILURES_PER_PREFIX : FAILURES_PER_ADDRESS;
	const struct ip_prefix of = group_of(from, prefix);
	struct place *p = find(f, &of, now);
	if (p->count == 0)
		p->since = now;
	p->count += p->count <= most;
	if (p->count <= most)
		return true;
	out->wait_seconds = (uint32_t)(p->since + FAILURES_WINDOW - now);
	out->prefix = prefix;
	out->of = of;
	return false;
}

struct failures_verdict failures_note(struct failures *f, const struct ip_addr *from, int64_t now)
{
	struct failures_verdict v = { .wait_seconds = 0 };
	pthread_mutex_lock(&f->lock);
	for (int prefix = 0; prefix <= 1 && v.wait_seconds == 0; prefix++) {
		const struct ip_prefix of = group_of(from, prefix == 1);
		const struct place *p = find(f, &of, now);
		const uint32_t most = prefix == 1 ? FAILURES_PER_PREFIX : FAILURES_PER_ADDRESS;
		const bool first = p->count == most;
		if (!count(f, from, prefix == 1, now, &v))
			v.tell = first;
	}
	pthread_mutex_unlock(&f->lock);
	if (v.wait_seconds != 0 && !v.prefix)
		v.of = (struct ip_prefix){ .addr = *from, .length = (uint8_t)(8 * ip_size(from)) };
	return v;
}
