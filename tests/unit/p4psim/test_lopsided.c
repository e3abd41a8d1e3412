/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/p4psim/studies.h"

#include <glpk.h>
#include <math.h>

/*
 * How even a lopsided interconnect could be, whoever chose who gives to whom: a linear program finds the
 * least ratio of bytes A to B to bytes B to A in tests/sim/lopsided, where
 *
 *   content   in each swarm every peer that completed with native lists gets it whole, nobody more
 *   uplinks   a provider gives in each swarm no more than the uplinks of those who are there: until they
 *             left under native lists, and a twentieth of their download longer. Nobody is slower
 *   sources   where there is no seed at first, what is given at home came in before, at least once
 *   transit   carries no more than with p4p's lists
 *
 * It forgets who has which piece, downlinks, and when in their stay peers give. So it is a bound: what it
 * excludes nobody can do; what it allows perhaps somebody could.
 */

enum { NATIVE, P4P, ARMS = 4 };
enum { A, B, C, PROVIDERS, PAIRS = PROVIDERS * PROVIDERS };
enum { ROOM = 256 };
#define GB    1e9
#define LATER 1.05

struct swarm {
	double gives[PROVIDERS]; /* GB, at most */
	double needs[PROVIDERS]; /* at least */
	double takes[PROVIDERS]; /* at most */
};

struct bound {
	struct swarm *swarms;
	uint32_t n;
	double content, transit; /* GB */
};

/* ---- what there is ---- */

static void count_seeds(struct bound *b, const struct study *s, double end)
{
	for (size_t i = 0; i < s->population.n; i++) {
		const struct person *p = &s->population.people[i];
		const uint32_t at = s->network.sites[p->site].provider;
		if (p->seed)
			b->swarms[p->swarm].gives[at] += p->up_bps / 8 * (end - p->arrives) / GB;
	}
}

static void count_leechers(struct bound *b, const struct study *s, const struct outcome *o)
{
	for (size_t i = 0; i < o->n_peers; i++) {
		const struct outcome_peer *peer = &o->peers[i];
		const struct person *p = &s->population.people[peer->person];
		const uint32_t at = s->network.sites[p->site].provider;
		struct swarm *w = &b->swarms[p->swarm];
		const bool done = peer->seconds >= 0;
		double until = o->seconds;
		if (done && p->arrives + LATER * peer->seconds + p->stays < until)
			until = p->arrives + LATER * peer->seconds + p->stays;
		w->gives[at] += p->up_bps / 8 * (until - p->arrives) / GB;
		w->needs[at] += done ? b->content : 0;
		w->takes[at] += b->content;
	}
}

static struct bound bound_of(const struct study *s)
{
	double tiers[TIER_COUNT_];
	outcome_tiers(&s->outcomes[P4P], &s->network, tiers);
	struct bound b = { .n = s->scenario.swarms,
		           .content = (double)s->scenario.content_bytes / GB,
		           .transit = tiers[TIER_TRANSIT] / GB };
	b.swarms = calloc(b.n, sizeof(*b.swarms));
	assert_non_null(b.swarms);
	count_seeds(&b, s, s->outcomes[NATIVE].seconds);
	count_leechers(&b, s, &s->outcomes[NATIVE]);
	return b;
}

/* ---- the program ---- */

/*
 * A fraction, made linear as Charnes and Cooper do: all bytes are divided by those from B to A, which then
 * are 1, and so are all limits: by how much is the last column.
 */
static int column_of(uint32_t swarm, int from, int to)
{
	return 1 + (int)swarm * PAIRS + from * PROVIDERS + to;
}

/* The sum of `columns` is at least, or at most, `limit`. */
struct row {
	int n, columns[ROOM];
};

static void add_row(glp_prob *lp, struct row *r, double limit, bool at_least)
{
	double by[ROOM];
	const int row = glp_add_rows(lp, 1);
	assert_true(r->n + 2 <= ROOM);
	for (int i = 1; i <= r->n; i++)
		by[i] = 1;
	r->columns[++r->n] = glp_get_num_cols(lp);
	by[r->n] = -limit;
	glp_set_mat_row(lp, row, r->n, r->columns, by);
	glp_set_row_bnds(lp, row, at_least ? GLP_LO : GLP_UP, 0, 0);
}

static void bound_swarm(glp_prob *lp, const struct bound *b, uint32_t swarm)
{
	const struct swarm *w = &b->swarms[swarm];
	for (int p = 0; p < PROVIDERS; p++) {
		struct row gives = { 0 }, needs = { 0 }, imports = { 0 };
		for (int q = 0; q < PROVIDERS; q++) {
			gives.columns[++gives.n] = column_of(swarm, p, q);
			needs.columns[++needs.n] = column_of(swarm, q, p);
			if (q != p)
				imports.columns[++imports.n] = column_of(swarm, q, p);
		}
		struct row takes = needs;
		add_row(lp, &gives, w->gives[p], false);
		add_row(lp, &needs, w->needs[p], true);
		add_row(lp, &takes, w->takes[p], false);
		if (p != A && w->needs[p] > 0)
			add_row(lp, &imports, b->content, true);
	}
}

static double least_ratio(const struct bound *b)
{
	glp_prob *lp = glp_create_prob();
	glp_smcp quiet;
	struct row transit = { 0 }, back = { 0 };
	glp_init_smcp(&quiet);
	quiet.msg_lev = GLP_MSG_OFF;
	glp_set_obj_dir(lp, GLP_MIN);
	glp_add_cols(lp, (int)b->n * PAIRS + 1);
	for (int i = 1; i <= glp_get_num_cols(lp); i++)
		glp_set_col_bnds(lp, i, GLP_LO, 0, 0);
	for (uint32_t i = 0; i < b->n; i++) {
		bound_swarm(lp, b, i);
		for (int p = A; p <= B; p++) {
			transit.columns[++transit.n] = column_of(i, p, C);
			transit.columns[++transit.n] = column_of(i, C, p);
		}
		back.columns[++back.n] = column_of(i, B, A);
		glp_set_obj_coef(lp, column_of(i, A, B), 1);
	}
	add_row(lp, &transit, b->transit, false);
	add_row(lp, &back, 0, true);
	glp_set_row_bnds(lp, glp_get_num_rows(lp), GLP_FX, 1, 1);
	assert_int_equal(glp_simplex(lp, &quiet), 0);
	assert_int_equal(glp_get_status(lp), GLP_OPT);
	const double least = glp_get_obj_val(lp);
	glp_delete_prob(lp);
	return least;
}

/* ---- against what was reached ---- */

static void half_of_the_peers(struct study *s)
{
	struct population *p = &s->population;
	size_t n = 0;
	for (size_t i = 0; i < p->n; i++)
		if (p->people[i].seed || p->people[i].number % 2 == 0)
			p->people[n++] = p->people[i];
	p->n = n;
}

static void seeds_ten_times_as_fast(struct study *s)
{
	for (size_t i = 0; i < s->population.n; i++)
		if (s->population.people[i].seed)
			s->population.people[i].up_bps *= 10;
}

static double ratio_of(const struct study *s, size_t arm)
{
	const struct outcome *o = &s->outcomes[arm];
	const struct network *n = &s->network;
	double ab = 0, ba = 0;
	for (size_t i = 0; i < n->n_sites; i++)
		for (size_t k = 0; k < n->n_sites; k++) {
			const uint32_t p = n->sites[i].provider, q = n->sites[k].provider;
			ab += p == A && q == B ? o->pairs[i * n->n_sites + k] : 0;
			ba += p == B && q == A ? o->pairs[i * n->n_sites + k] : 0;
		}
	return ab / ba;
}

/* ---- tests ---- */

/* One swarm, whose content is 1: what can be seen without a program. */
static void the_program_is_right_where_the_answer_is_plain(void **state)
{
	(void)state;
	static const struct {
		struct swarm swarm;
		double transit, least;
	} rows[] = {
		/* B gives A all it has, and has all it needs from there. */
		{ { { 10, 2, 0 }, { 2, 6, 0 }, { 4, 6, 0 } }, 0, 3 },
		/* A takes no more than 1: the other 1 stays in B. */
		{ { { 10, 2, 0 }, { 1, 6, 0 }, { 1, 6, 0 } }, 0, 5 },
		/* C has 5, of which transit carries 2. */
		{ { { 10, 2, 5 }, { 2, 6, 0 }, { 4, 6, 0 } }, 2, 2 },
		/* B could serve itself, but for the first copy. */
		{ { { 10, 99, 0 }, { 2, 6, 0 }, { 4, 6, 0 } }, 0, .25 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct swarm swarm = rows[i].swarm;
		const struct bound b = { &swarm, 1, 1, rows[i].transit };
		assert_true(fabs(least_ratio(&b) - rows[i].least) < 1e-6);
	}
}

/* The bound for the people of the scenario, changed. */
static double bounded(void (*change)(struct study *))
{
	static struct study s;
	load_file(&s, "lopsided/lopsided.json", NULL);
	assert_int_equal(s.scenario.n_arms, ARMS);
	s.scenario.n_arms = P4P + 1;
	if (change != NULL)
		change(&s);
	assert_int_equal(study_run(&s), ERR_OK);
	struct bound b = bound_of(&s);
	const double least = least_ratio(&b), native = ratio_of(&s, NATIVE);
	print_message("# at least %.2f; native %.2f, p4p %.2f\n", least, native, ratio_of(&s, P4P));
	assert_true(least <= native);
	free(b.swarms);
	study_done(&s);
	return least;
}

/* What p4psim(1) says of limits: one is out of reach, of two that were missed this is not shown. */
static void which_limits_nobody_can_keep(void **state)
{
	(void)state;
	static const struct {
		void (*change)(struct study *);
		double limit, least;
		bool excluded;
	} rows[] = {
		{ NULL, 1.25, .44, false },
		{ half_of_the_peers, 2, 1.14, false },
		{ seeds_ten_times_as_fast, 2, 2.84, true },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const double least = bounded(rows[i].change);
		assert_true(fabs(least - rows[i].least) < .1);
		assert_int_equal(least > rows[i].limit, rows[i].excluded);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(the_program_is_right_where_the_answer_is_plain),
	cmocka_unit_test(which_limits_nobody_can_keep),
};

RUN_TESTS(tests)
