/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Do the intervals hold? 150 swarms of 80 clients in four providers with five PIDs each download for one bin:
 * lists of 20, drawn uniformly (native) or mostly near (p4p's caps of 70 and 80 %); a client takes
 * from whom it met, by the other's line and by luck. The bin knows what each place sent and received and
 * how many met; the truth knows who sent what to whom. Nominal intervals of 90 % must hold the truth of 85 %
 * of the interconnects at least, in both directions, and not be so wide that they say nothing. Where clients
 * also meet elsewhere they do not hold: the test says so, because reports do.
 */
#include "tests/unit/test.h"

#include "common/balance/spread.h"
#include "common/base/random.h"
#include "server/accounting/close.h"
#include "tests/unit/accounting/world.h"

#include <math.h>
#include <string.h>

enum {
	PROVIDERS = 4,
	PIDS = 5,
	PLACES = PROVIDERS * PIDS,
	SWARMS = 150,
	CLIENTS = 80,
	LIST = 20,
	RUNS = 8
};

struct scenario {
	bool near;
	unsigned
		elsewhere; /* contacts of each client that we know nothing of, with its neighbours first */
	double luck; /* the variation of what one pair moves */
};

struct sim {
	const struct scenario *c;
	uint64_t seed;
	struct bin bin;
	uint32_t names[PLACES];
	double sent[PROVIDERS][PROVIDERS];
};

struct client {
	unsigned place;
	bool seed;
	double line;
	bool met[CLIENTS];
};

static double lot(struct sim *s)
{
	return ((double)(random_next(&s->seed) >> 11) + 0.5) * 0x1p-53;
}

/* Mean 1, with that variation: an exponential one, now and then. */
static double luck(struct sim *s)
{
	const double often = 2 / (s->c->luck + 1);
	return lot(s) < often ? -log(lot(s)) / often : 0;
}

static void note_row(struct sim *s, uint64_t swarm, unsigned place, double up, double down)
{
	const struct journal_item item = { .kind = JOURNAL_ROW,
		                           .row = { .swarm = swarm,
		                                    .place = s->names[place],
		                                    .up = (uint64_t)up,
		                                    .down = (uint64_t)down } };
	assert_int_equal(bin_add(&s->bin, &item), ERR_OK);
}

static void note_cell(struct sim *s, uint64_t swarm, unsigned from, unsigned to, unsigned there)
{
	const struct journal_item item = { .kind = JOURNAL_CELL,
		                           .cell = { .swarm = swarm,
		                                     .from = s->names[from],
		                                     .to = s->names[to],
		                                     .candidates = there,
		                                     .first = 1,
		                                     .noted = 1 } };
	assert_int_equal(bin_add(&s->bin, &item), ERR_OK);
}

/* Whom the tracker would give: 7 of 10 from the place, 8 from the provider, when it is near. */
static unsigned draw(struct sim *s, const struct client *all, unsigned a)
{
	const double u = lot(s);
	unsigned b = a;
	for (unsigned tries = 0; tries < 50; tries++) {
		b = random_below(&s->seed, CLIENTS);
		if (b == a || (all[a].seed && all[b].seed))
			continue;
		if (!s->c->near || u > 0.8 ||
		    (u > 0.7 && all[b].place / PIDS == all[a].place / PIDS) ||
		    all[b].place == all[a].place)
			return b;
	}
	return b;
}

static void meet(struct sim *s, uint64_t swarm, struct client *all, const unsigned *there,
                 unsigned a)
{
	for (unsigned k = 0; k < LIST; k++) {
		const unsigned b = draw(s, all, a);
		if (b == a || all[a].met[b])
			continue;
		all[a].met[b] = all[b].met[a] = true;
		note_cell(s, swarm, all[a].place, all[b].place, there[all[b].place]);
	}
}

static void meet_elsewhere(struct sim *s, struct client *all, unsigned a)
{
	for (unsigned k = 0; k < s->c->elsewhere; k++) {
		const unsigned b = random_below(&s->seed, CLIENTS);
		if (b != a)
			all[a].met[b] = all[b].met[a] = true;
	}
}

static void move(struct sim *s, uint64_t swarm, const struct client *all)
{
	double up[PLACES] = { 0 }, down[PLACES] = { 0 };
	for (unsigned a = 0; a < CLIENTS; a++) {
		double weight[CLIENTS] = { 0 }, sum = 0;
		const double wants = all[a].seed ? 0 : 1e8 * (0.2 + 2 * lot(s));
		for (unsigned b = 0; b < CLIENTS; b++)
			if (all[a].met[b])
				sum += weight[b] = all[b].line * luck(s);
		for (unsigned b = 0; b < CLIENTS && sum > 0; b++) {
			const double bytes = wants * weight[b] / sum;
			up[all[b].place] += bytes;
			down[all[a].place] += bytes;
			s->sent[all[b].place / PIDS][all[a].place / PIDS] += bytes;
		}
	}
	for (unsigned p = 0; p < PLACES; p++)
		if (up[p] > 0 || down[p] > 0)
			note_row(s, swarm, p, up[p], down[p]);
}

static void run_swarm(struct sim *s, uint64_t swarm)
{
	struct client all[CLIENTS] = { 0 };
	unsigned there[PLACES] = { 0 };
	const unsigned home = random_below(&s->seed, PLACES); /* where it is popular */
	for (unsigned i = 0; i < CLIENTS; i++) {
		all[i].place = lot(s) < 0.3 ? home : random_below(&s->seed, PLACES);
		all[i].seed = i % 4 == 0;
		all[i].line = 0.25 + 4 * lot(s);
		there[all[i].place]++;
	}
	for (unsigned i = 0; i < CLIENTS; i++)
		meet(s, swarm, all, there, i);
	for (unsigned i = 0; i < CLIENTS; i++)
		meet_elsewhere(s, all, i);
	move(s, swarm, all);
}

struct found {
	double error, width, covered;
};

/* Of each interconnect what was sent over it: it is the same byte at both ends. */
static void judge(struct sim *s, const struct accounting_bin *b, struct found *out)
{
	double bytes[PROVIDERS][PROVIDERS] = { 0 }, square[PROVIDERS][PROVIDERS] = { 0 };
	const double share = 1.0 / (PROVIDERS * (PROVIDERS - 1) * RUNS);
	for (size_t i = 0; i < b->n_cells; i++) {
		const struct accounting_cell *c = &b->cells[i];
		if (c->direction != ACCOUNTING_OUT)
			continue;
		const unsigned p = (unsigned)(c->provider[3] - '0');
		const unsigned q = (unsigned)(c->interconnect[6] - '0');
		bytes[p][q] += (double)c->bytes;
		square[p][q] += c->spread * c->spread;
	}
	for (unsigned p = 0; p < PROVIDERS; p++)
		for (unsigned q = 0; q < PROVIDERS; q++) {
			if (p == q)
				continue;
			const double half = spread_half(bytes[p][q], sqrt(square[p][q]));
			const double wrong = fabs(bytes[p][q] - s->sent[p][q]);
			out->error += share * wrong / s->sent[p][q];
			out->width += share * half / bytes[p][q];
			out->covered += share * (wrong <= half);
		}
}

static struct found simulate(const struct scenario *c)
{
	struct found found = { 0 };
	struct map_snapshot *map = world_new(PROVIDERS, PIDS);
	struct trial trial;
	trial_init(&trial);
	for (uint64_t run = 0; run < RUNS; run++) {
		struct sim s = { .c = c, .seed = run };
		struct accounting_bin books;
		const struct bin_room room = { .first = { 1 << 15, 1 << 17, 16 },
			                       .most = { 1 << 15, 1 << 17, 16 } };
		assert_int_equal(bin_open(&s.bin, 1800000000, 300, &room), ERR_OK);
		for (unsigned p = 0; p < PLACES; p++) {
			char key[PLACE_KEY_MAX];
			(void)snprintf(key, sizeof(key), "pid:isp%u/p%u", p / PIDS, p % PIDS);
			assert_int_equal(names_put(s.bin.names, key, &s.names[p]), ERR_OK);
		}
		for (uint64_t swarm = 1; swarm <= SWARMS; swarm++)
			run_swarm(&s, swarm);
		assert_int_equal(close_books(&s.bin, map, &trial, &books), ERR_OK);
		judge(&s, &books, &found);
		accounting_bin_done(&books);
		bin_done(&s.bin);
	}
	trial_done(&trial);
	snapshot_free(map);
	print_message(
		"# %s, %u contacts elsewhere, variation %.0f: error %.2f %%, interval +-%.2f %%, "
		"which holds %.0f %%\n",
		c->near ? "p4p" : "native", c->elsewhere, c->luck, 100 * found.error,
		100 * found.width, 100 * found.covered);
	return found;
}

static void intervals_hold_the_truth(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		const struct scenario c = { .near = i % 2, .luck = i < 2 ? 1 : 3 };
		const struct found f = simulate(&c);
		assert_true(f.covered >= 0.85);
		assert_true(f.width < 0.06);
	}
}

static void they_do_not_where_clients_meet_elsewhere(void **state)
{
	(void)state;
	const struct scenario c = { .near = true, .elsewhere = LIST / 2, .luck = 1 };
	assert_true(simulate(&c).covered < 0.85);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(intervals_hold_the_truth),
	cmocka_unit_test(they_do_not_where_clients_meet_elsewhere),
};

RUN_TESTS(tests)
