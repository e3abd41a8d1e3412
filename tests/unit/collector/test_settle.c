/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/balance/quality.h"
#include "server/collector/book_bin.h"

#include <stdlib.h>
#include <string.h>

/*
 * A router with the ports 17 (x) and 18 (y), and interfaces 1 and 2 inside; a second one, at x too, with port
 * 5. What a bin holds of them, and what it comes to.
 */

enum { X = 1, Y = 2, ROUTER = 1, OTHER = 2 };

struct said {
	uint32_t exporter, in_if, out_if, out, in, egress, flags;
	uint64_t bytes;
};

struct sums {
	uint64_t x_out, x_in, y_out, y_in;
};

static struct names *edges;

static int name_edges(void **state)
{
	(void)state;
	uint32_t x, y;
	edges = names_new();
	must(names_put(edges, "isp-a/x", &x) == ERR_OK && x == X);
	must(names_put(edges, "isp-a/y", &y) == ERR_OK && y == Y);
	return 0;
}

static int forget_edges(void **state)
{
	(void)state;
	names_free(edges);
	return 0;
}

static void say(struct flow_bin *b, const struct said *s)
{
	const struct cell_key key = { .exporter = s->exporter,
		                      .in_if = s->in_if,
		                      .out_if = s->out_if,
		                      .out = s->out,
		                      .in = s->in,
		                      .egress = s->egress };
	struct cell *c = flow_bin_cell(b, &key);
	assert_non_null(c);
	c->bytes += s->bytes;
	c->packets += s->bytes / 100;
	c->p2p_bytes += s->bytes / 2;
	c->flags |= s->flags;
}

static void settle(const struct flow_bin *b, const struct book_port *ports, size_t n,
                   struct accounting_bin *out)
{
	const struct book_ports list = { .list = ports, .n = n };
	const struct settle_with with = { .edges = edges, .ports = &list, .measures_p2p = true };
	assert_int_equal(flow_bin_settle(b, &with, out), ERR_OK);
}

static const struct accounting_row *row(const struct accounting_bin *b, const char *interconnect)
{
	for (size_t i = 0; i < b->n_rows; i++)
		if (strcmp(b->rows[i].interconnect, interconnect) == 0)
			return &b->rows[i];
	return NULL;
}

static struct accounting_row must_have(const struct accounting_bin *b, const char *interconnect)
{
	const struct accounting_row none = { 0 }, *r = row(b, interconnect);
	assert_non_null(r);
	return r != NULL ? *r : none;
}

static struct sums come_to(const struct said *said, size_t n)
{
	struct flow_bin *b = flow_bin_new(300, 300);
	struct accounting_bin made;
	struct sums sums = { 0 };
	for (size_t i = 0; i < n; i++)
		say(b, &said[i]);
	settle(b, NULL, 0, &made);
	const struct accounting_row *x = row(&made, "x"), *y = row(&made, "y");
	if (x != NULL) {
		sums.x_out = x->out_bytes;
		sums.x_in = x->in_bytes;
		assert_int_equal(x->out_packets, x->out_bytes / 100);
		assert_int_equal(x->in_p2p_bytes, x->in_bytes / 2);
	}
	if (y != NULL) {
		sums.y_out = y->out_bytes;
		sums.y_in = y->in_bytes;
	}
	accounting_bin_done(&made);
	flow_bin_free(b);
	return sums;
}

static void each_crossing_counts_once(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		struct said said[6];
		struct sums sums;
	} rows[] = {
		{ "metered on entering only",
		  { { ROUTER, 17, 1, 0, X, 0, 0, 1000 }, { ROUTER, 1, 17, X, 0, 0, 0, 2000 } },
		  { .x_in = 1000, .x_out = 2000 } },
		{ "on leaving only",
		  { { ROUTER, 17, 1, 0, X, 1, 0, 1000 }, { ROUTER, 1, 17, X, 0, 1, 0, 2000 } },
		  { .x_in = 1000, .x_out = 2000 } },
		{ "on every interface, both ways",
		  { { ROUTER, 17, 1, 0, X, 0, 0, 1000 },
		    { ROUTER, 17, 1, 0, X, 1, 0, 990 },
		    { ROUTER, 1, 17, X, 0, 0, 0, 2000 },
		    { ROUTER, 1, 17, X, 0, 1, 0, 2010 } },
		  { .x_in = 1000, .x_out = 2000 } },
		{ "both ways, but on the border's interfaces only: from y to x is seen twice, and what "
		  "comes from inside on leaving only",
		  { { ROUTER, 18, 17, X, Y, 0, 0, 300 },
		    { ROUTER, 18, 17, X, Y, 1, 0, 300 },
		    { ROUTER, 1, 17, X, 0, 1, 0, 5000 },
		    { ROUTER, 17, 1, 0, X, 0, 0, 700 } },
		  { .x_out = 5300, .x_in = 700, .y_in = 300 } },
		{ "through both crosses both, once each",
		  { { ROUTER, 17, 18, Y, X, 0, 0, 400 } },
		  { .x_in = 400, .y_out = 400 } },
		{ "in and out of the same",
		  { { ROUTER, 17, 17, X, X, 0, 0, 400 } },
		  { .x_in = 400, .x_out = 400 } },
		{ "where it came from is not known, and nothing was metered on entering",
		  { { ROUTER, 0, 17, X, 0, 1, 0, 800 } },
		  { .x_out = 800 } },
		{ "where it came from is not known, and some was",
		  { { ROUTER, 0, 17, X, 0, 1, 0, 800 }, { ROUTER, 1, 17, X, 0, 0, 0, 900 } },
		  { .x_out = 900 } },
		{ "but of another direction",
		  { { ROUTER, 0, 17, X, 0, 1, 0, 800 }, { ROUTER, 17, 1, 0, X, 0, 0, 900 } },
		  { .x_out = 800, .x_in = 900 } },
		{ "a probe on a wire calls the answers leaving, whoever began",
		  { { ROUTER, 17, 17, X, 0, 0, 0, 800 },
		    { ROUTER, 17, 17, 0, X, 1, 0, 700 },
		    { ROUTER, 17, 17, 0, X, 0, 0, 60 },
		    { ROUTER, 17, 17, X, 0, 1, 0, 50 } },
		  { .x_out = 850, .x_in = 760 } },
		{ "another exporter's metering changes nothing",
		  { { ROUTER, 1, 17, X, 0, 1, 0, 800 }, { OTHER, 1, 17, X, 0, 0, 0, 900 } },
		  { .x_out = 1700 } },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t n = 0;
		while (n < 6 && rows[i].said[n].exporter != 0)
			n++;
		const struct sums sums = come_to(rows[i].said, n);
		if (memcmp(&sums, &rows[i].sums, sizeof(sums)) != 0)
			fail_msg("%s: x %llu out %llu in, y %llu out %llu in", rows[i].what,
			         (unsigned long long)sums.x_out, (unsigned long long)sums.x_in,
			         (unsigned long long)sums.y_out, (unsigned long long)sums.y_in);
	}
}

static void see(struct flow_bin *b, uint32_t exporter, uint32_t seconds, bool gaps)
{
	struct watch *w = flow_bin_watch(b, exporter);
	assert_non_null(w);
	w->observed = seconds;
	w->gaps = gaps;
}

static void rows_say_how_good_they_are(void **state)
{
	(void)state;
	static const struct book_port ports[] = {
		{ .exporter = ROUTER, .edge = X },
		{ .exporter = ROUTER, .edge = Y },
		{ .exporter = OTHER, .edge = X },
	};
	static const struct said sampled = { ROUTER, 1, 17, X, 0, 0, CELL_SAMPLED, 1000 };
	static const struct said bare = {
		OTHER, 1, 5, X, 0, 0, CELL_NO_PACKETS | CELL_NO_P2P, 1000
	};
	struct flow_bin *b = flow_bin_new(300, 300);
	struct accounting_bin made;
	settle(b, ports, 3, &made);
	assert_int_equal(made.n_rows, 0); /* nobody was heard: a gap */
	accounting_bin_done(&made);

	see(b, ROUTER, 300, false);
	settle(b, ports, 3, &made);
	assert_int_equal(made.n_rows, 2);
	assert_int_equal(must_have(&made, "y").quality, 0);
	assert_int_equal(must_have(&made, "y").observed_seconds, 300);
	assert_true(must_have(&made, "y").measured_packets && must_have(&made, "y").measured_p2p);
	assert_int_equal(must_have(&made, "x").quality,
	                 BIN_PARTIAL); /* the other router was not heard */
	accounting_bin_done(&made);

	see(b, OTHER, 200, true);
	say(b, &sampled);
	b->late = true;
	settle(b, ports, 3, &made);
	assert_int_equal(must_have(&made, "x").quality,
	                 BIN_PARTIAL | BIN_SAMPLED | BIN_GAPS | BIN_LATE);
	assert_int_equal(must_have(&made, "x").observed_seconds, 200);
	assert_int_equal(must_have(&made, "y").quality, BIN_LATE);
	assert_int_equal(made.observed_seconds, 300);
	assert_true(must_have(&made, "x").measured_packets && must_have(&made, "x").measured_p2p);
	accounting_bin_done(&made);

	say(b, &bare);
	settle(b, ports, 3, &made);
	assert_false(must_have(&made, "x").measured_packets || must_have(&made, "x").measured_p2p);
	assert_int_equal(must_have(&made, "x").out_bytes, 2000);
	accounting_bin_done(&made);
	flow_bin_free(b);
}

static void sums_stop_at_the_largest_number(void **state)
{
	(void)state;
	static const struct said said[] = {
		{ ROUTER, 1, 17, X, 0, 0, 0, UINT64_MAX - 5 },
		{ OTHER, 1, 17, X, 0, 0, 0, 10 },
	};
	struct flow_bin *b = flow_bin_new(300, 300);
	struct accounting_bin made;
	say(b, &said[0]);
	say(b, &said[1]);
	settle(b, NULL, 0, &made);
	assert_int_equal(must_have(&made, "x").out_bytes, UINT64_MAX);
	accounting_bin_done(&made);
	flow_bin_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_crossing_counts_once),
		cmocka_unit_test(rows_say_how_good_they_are),
		cmocka_unit_test(sums_stop_at_the_largest_number),
	};
	return cmocka_run_group_tests(tests, name_edges, forget_edges);
}
