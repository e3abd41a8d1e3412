/* SPDX-License-Identifier: Apache-2.0 */
#include "server/tracker/floods.h"

#include "common/base/random.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { PLACES = 256, WAYS = 4, PAUSE = 60 /* seconds between two lines */ };

struct place {
	struct flood flood;
	struct ip_prefix group; /* whose limit it is; family IP_NONE: an empty place */
	uint32_t noted, told;   /* seconds */
	bool was_told;
};

struct floods {
	pthread_mutex_t lock;
	struct place place[PLACES];
	unsigned next; /* to be told, so that everybody's turn comes */
};

struct floods *floods_new(void)
{
	struct floods *f = calloc(1, sizeof(*f));
	if (f != NULL)
		pthread_mutex_init(&f->lock, NULL);
	return f;
}

void floods_free(struct floods *f)
{
	if (f != NULL)
		pthread_mutex_destroy(&f->lock);
	free(f);
}

static bool is_same(const struct place *p, enum limits_what what, const struct ip_prefix *group)
{
	return p->flood.what == what && ip_prefix_compare(&p->group, group) == 0;
}

static bool is_free(const struct place *p, uint32_t now)
{
	return p->group.addr.family == IP_NONE || (p->flood.count == 0 && now - p->noted >= PAUSE);
}

/* Its place, or a free one beside it; NULL: others hold them all. */
static struct place *find(struct floods *f, enum limits_what what, const struct ip_prefix *group,
                          uint32_t now)
{
	uint64_t bits[2];
	struct place *found = NULL;
	memcpy(bits, group->addr.bytes, sizeof(bits));
	const uint64_t h = random_mix(random_mix(bits[0]) + group->length + what);
	for (unsigned i = 0; i < WAYS; i++) {
		struct place *p = &f->place[(h + i) % PLACES];
		if (is_same(p, what, group))
			return p;
		if (found == NULL && is_free(p, now))
			found = p;
	}
	return found;
}

void floods_note(struct floods *f, enum limits_what what, enum limits_verdict verdict,
                 const struct ip_addr *from, uint32_t now)
{
	const struct ip_prefix group = limits_group(from, verdict == LIMITS_PREFIX);
	if (pthread_mutex_trylock(&f->lock) != 0)
		return;
	struct place *p = find(f, what, &group, now);
	if (p != NULL && !is_same(p, what, &group)) {
		*p = (struct place){ .group = group };
		p->flood.what = what;
		p->flood.prefix = verdict == LIMITS_PREFIX;
		p->flood.of = group;
		if (!p->flood.prefix)
			p->flood.of = (struct ip_prefix){ .addr = *from,
				                          .length = (uint8_t)(8 * ip_size(from)) };
	}
	if (p != NULL) {
		p->flood.count++;
		p->noted = now;
	}
	pthread_mutex_unlock(&f->lock);
}

static bool is_due(const struct place *p, uint32_t now)
{
	return p->flood.count > 0 && (!p->was_told || now - p->told >= PAUSE);
}

size_t floods_due(struct floods *f, uint32_t now, struct flood *out, size_t max)
{
	size_t n = 0;
	pthread_mutex_lock(&f->lock);
	for (unsigned i = 0; i < PLACES && n < max; i++) {
		struct place *p = &f->place[f->next];
		f->next = (f->next + 1) % PLACES;
		if (!is_due(p, now))
			continue;
		out[n++] = p->flood;
		p->flood.count = 0;
		p->told = now;
		p->was_told = true;
	}
	pthread_mutex_unlock(&f->lock);
	return n;
}
