/* SPDX-License-Identifier: Apache-2.0 */
#include "server/accounting/slot.h"

#include "common/balance/histogram.h"
#include "common/base/random.h"

#include <math.h>

/*
 * A contact carries what is still wanted when it is made. A client that is done can only serve, and
 * those it is given are most of them nearly done too: the least share is what thirty real clients,
 * steered and not, had such contacts carry.
 */
static const float LEAST_NEED = 0.1F;

double contact_decay(double seconds)
{
	return exp2(-seconds / CONTACT_HALF_LIFE);
}

/* What is left of contacts as old as the last visit. */
static float fade(const struct accounting_slot *s)
{
	return exp2f(-(float)s->elapsed / CONTACT_HALF_LIFE);
}

enum err slot_init(struct accounting_slot *s)
{
	const struct tally_size room = { SLOT_ROWS, SLOT_CELLS, SLOT_TIMES };
	const struct tally_size max = { SLOT_ROWS_MAX, SLOT_CELLS, SLOT_TIMES_MAX };
	pthread_mutex_init(&s->lock, NULL);
	s->weight = fade(s); /* libm's pages, too, are there from now on */
	for (size_t i = 0; i < SLOT_TALLIES; i++) {
		if (tally_init(&s->tallies[i].tally, room, max) != ERR_OK)
			return ERR_NOMEM; /* slot_done() frees the rest */
		tally_touch(&s->tallies[i].tally);
	}
	return ERR_OK;
}

void slot_done(struct accounting_slot *s)
{
	for (size_t i = 0; i < SLOT_TALLIES; i++) {
		map_end(&s->tallies[i].lease);
		tally_done(&s->tallies[i].tally);
	}
	pthread_mutex_destroy(&s->lock);
}

/* ---- by the worker ---- */

/* A free tally for `lease`; what was filled until now waits for the drain. */
static void start_tally(struct accounting_slot *s, const struct map_lease *lease)
{
	if (s->filling != NULL)
		s->filling->state = TALLY_SEALED;
	s->filling = NULL;
	for (size_t i = 0; i < SLOT_TALLIES && s->filling == NULL; i++)
		if (s->tallies[i].state == TALLY_FREE)
			s->filling = &s->tallies[i];
	if (s->filling == NULL)
		return;
	s->filling->state = TALLY_FILLING;
	map_share(lease, &s->filling->lease);
}

static void start_second(struct accounting_slot *s)
{
	s->share = 0;
	while (s->offered >> s->share > SLOT_CELLS_EACH && s->share < SLOT_SHARE_MAX)
		s->share++;
	s->offered = 0;
	s->noted = 0;
	s->drained = false;
}

void accounting_enter(struct accounting_slot *s, const struct map_lease *lease)
{
	pthread_mutex_lock(&s->lock);
	if (s->filling == NULL || s->filling->lease.number != lease->number)
		start_tally(s, lease);
	if (s->drained)
		start_second(s);
}

void accounting_leave(struct accounting_slot *s)
{
	pthread_mutex_unlock(&s->lock);
}

/* Half more than its line is said to carry still passes: lines are sold slower than they are. */
static uint64_t rate_limit(const struct accounting_slot *s, uint32_t kbps)
{
	const uint64_t line = s->no_lines ? 0 : (uint64_t)kbps * 1000 / 8 * 3 / 2;
	return line > 0 && (s->max_bytes == 0 || line < s->max_bytes) ? line : s->max_bytes;
}

static void count_verdict(struct accounting_slot *s, const struct ledger_delta *d)
{
	if (d->verdict == LEDGER_RESTARTED)
		metrics_add(s->metrics, METRIC_DELTAS_RESTARTED, 1);
	if (d->verdict == LEDGER_WAS_TWIN)
		metrics_add(s->metrics, METRIC_DELTAS_TWIN, 1);
	if (d->cut)
		metrics_add(s->metrics, METRIC_DELTAS_ABSURD, 1);
}

/* What came in over the links: bytes received twice crossed them twice. */
static uint64_t received(const struct announce *a)
{
	return a->redundant < UINT64_MAX - a->downloaded ? a->downloaded + a->redundant
	                                                 : a->downloaded;
}

static struct tally_row *row_for(struct accounting_slot *s)
{
	return s->filling != NULL ? tally_row(&s->filling->tally, s->swarm, s->place) : NULL;
}

static bool another_is_free(const struct accounting_slot *s)
{
	for (size_t i = 0; i < SLOT_TALLIES; i++)
		if (s->tallies[i].state == TALLY_FREE)
			return true;
	return false;
}

/* What its client lacked when its session began: of one that had nothing, the size of the content. */
static float size_of(const struct announce *a)
{
	return (float)a->left + (float)a->downloaded;
}

static void note_bytes(struct accounting_slot *s, const struct ledger_delta *d,
                       const struct announce *a)
{
	struct tally_row *r = row_for(s);
	if (r == NULL && s->filling != NULL && another_is_free(s)) {
		start_tally(s, &s->filling->lease);
		r = row_for(s);
	}
	if (r == NULL) {
		metrics_add(s->metrics, METRIC_ACCOUNTING_FULL, 1);
		return;
	}
	r->up += d->up;
	r->down += d->down;
	r->clients |= s->client;
	r->size = fmaxf(r->size, size_of(a));
	metrics_add(s->metrics, METRIC_BYTES_REPORTED_UP, d->up);
	metrics_add(s->metrics, METRIC_BYTES_REPORTED_DOWN, d->down);
}

void accounting_prefetch(const struct accounting_slot *s, uint64_t client, uint64_t swarm)
{
	ledger_prefetch(s->ledger, client, swarm);
}

static void note_time(struct accounting_slot *s, uint32_t seconds)
{
	const struct tally_time time = { .swarm = s->swarm,
		                         .place = s->place,
		                         .bucket = histogram_bucket(seconds) };
	if (s->filling == NULL || !tally_time(&s->filling->tally, &time))
		metrics_add(s->metrics, METRIC_ACCOUNTING_FULL, 1);
}

/*
 * A download begins when a client with nothing comes, and ends when the swarm store sees it complete. One
 * that goes on with what it got in another session is not timed.
 */
static void time_download(struct accounting_slot *s, const struct accounting_announce *a)
{
	const struct announce *an = a->announce;
	const bool comes = an->event == EVENT_STARTED || (an->event == EVENT_NONE && !a->known);
	uint32_t seconds;
	if (a->completed) {
		if (firsts_take(s->firsts, a->client, a->swarm, a->now, &seconds))
			note_time(s, seconds);
	} else if (comes && an->left > 0 && an->downloaded > 0) {
		(void)firsts_take(s->firsts, a->client, a->swarm, a->now, &seconds);
	} else if (comes && an->left > 0) {
		if (!firsts_put(s->firsts, a->client, a->swarm, a->now))
			metrics_add(s->metrics, METRIC_FIRSTS_DROPPED, 1);
	}
}

struct accounting_progress accounting_note(struct accounting_slot *s,
                                           const struct accounting_announce *a)
{
	s->swarm = a->swarm;
	s->place = a->place;
	s->client = UINT64_C(1) << (random_mix(a->client ^ a->swarm) >> 58);
	const struct ledger_note note = { .client = a->client,
		                          .swarm = a->swarm,
		                          .known = a->known,
		                          .silent = a->silent,
		                          .up = a->announce->uploaded,
		                          .down = received(a->announce),
		                          .event = a->announce->event,
		                          .left = a->announce->left,
		                          .up_max = rate_limit(s, a->up_kbps),
		                          .down_max = rate_limit(s, a->down_kbps),
		                          .now = a->now };
	const struct ledger_delta d = ledger_update(s->ledger, &note);
	s->visits = d.visits;
	s->elapsed = d.elapsed;
	s->weight = fmaxf(d.need, LEAST_NEED);
	count_verdict(s, &d);
	time_download(s, a);
	if (d.up != 0 || d.down != 0)
		note_bytes(s, &d, a->announce);
	return (struct accounting_progress){ .received = d.down,
		                             .seconds =
		                                     d.verdict == LEDGER_COUNTED ? d.elapsed : 0 };
}

static float power(float x, unsigned n)
{
	float y = 1;
	while (n > 0) {
		if (n & 1)
			y *= x;
		n >>= 1;
		x *= x;
	}
	return y;
}

/*
 * A client that has been given `count` of `n` peers v times, drawn anew each time, has met
 * met(v) = n (1 - (1 - count/n)^v) different ones. Since its last visit the sum in the bin has
 * faded to `kept`; topping it up makes the sum what the client knows now. Where the same ones come each
 * time, those are all that it knows.
 */
static float new_contacts(const struct accounting_slot *s, const struct accounting_handed *h,
                          float kept)
{
	const uint32_t there = !h->same && h->candidates > h->count ? h->candidates : h->count;
	const float n = (float)there, left = 1 - (float)h->count / n;
	const float before = power(left, s->visits), now = before * left;
	return n * (1 - now) - n * (1 - before) * kept;
}

static void note_handed(struct accounting_slot *s, const struct accounting_handed *h, float kept)
{
	struct tally_cell *c =
		s->filling != NULL ? tally_cell(&s->filling->tally, s->swarm, s->place, h->place)
				   : NULL;
	if (c == NULL) {
		metrics_add(s->metrics, METRIC_ACCOUNTING_FULL, 1);
		return;
	}
	const float each = (float)(1U << s->share);
	const float met = s->visits == 0 ? (float)h->count : s->weight * new_contacts(s, h, kept);
	if (s->visits == 0)
		c->first += each * met;
	else
		c->later += each * met;
	c->noted += met;
	c->candidates = h->candidates > h->count ? h->candidates : h->count;
}

static bool sampled_out(struct accounting_slot *s)
{
	if (s->share == 0 || random_next(&s->seed) >> (64 - s->share) == 0)
		return false;
	metrics_add(s->metrics, METRIC_ACCOUNTING_SAMPLED_OUT, 1);
	return true;
}

bool accounting_wants_handed(struct accounting_slot *s)
{
	s->wanted = !sampled_out(s);
	if (!s->wanted)
		s->offered += s->usual;
	return s->wanted;
}

void accounting_handed(struct accounting_slot *s, const struct accounting_handed *list, size_t n)
{
	const bool wanted = s->wanted;
	s->wanted = false;
	if (n == 0)
		return;
	s->offered += n;
	if (!wanted && sampled_out(s))
		return;
	s->usual = (uint32_t)n;
	const float kept = fade(s);
	for (size_t i = 0; i < n; i++)
		note_handed(s, &list[i], kept);
	s->noted += (uint32_t)n;
	if (s->noted > SLOT_CELLS_EACH + s->share * SLOT_CELLS_STEP && s->share < SLOT_SHARE_MAX)
		s->share++;
}

/* ---- by the drain ---- */

size_t slot_seal(struct accounting_slot *s, struct slot_tally *out[static SLOT_TALLIES])
{
	size_t n = 0;
	pthread_mutex_lock(&s->lock);
	struct slot_tally *last = s->filling;
	s->filling = NULL;
	for (size_t i = 0; i < SLOT_TALLIES; i++)
		if (s->tallies[i].state == TALLY_SEALED)
			out[n++] = &s->tallies[i];
	s->drained = true;
	if (last != NULL) {
		last->state = TALLY_SEALED;
		out[n++] = last;
	}
	pthread_mutex_unlock(&s->lock);
	return n;
}

void slot_release(struct accounting_slot *s, struct slot_tally *t)
{
	tally_clear(&t->tally);
	map_end(&t->lease);
	pthread_mutex_lock(&s->lock);
	t->state = TALLY_FREE;
	pthread_mutex_unlock(&s->lock);
}
