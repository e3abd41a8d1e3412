/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/clock.h"

#include "tests/unit/test.h"

#include <signal.h>
#include <unistd.h>

struct heard {
	unsigned reloads;
	unsigned ticks;
	int next; /* what the first tick, and who reloads, sends on */
};

static void on_reload(void *ctx)
{
	struct heard *h = ctx;
	h->reloads++;
	(void)kill(getpid(), h->next);
}

static void on_tick(void *ctx)
{
	struct heard *h = ctx;
	if (h->ticks++ == 0)
		(void)kill(getpid(), h->next);
}

static struct heard run(int before, int next)
{
	struct heard h = { .next = next };
	const struct clock_calls calls = { .tick = on_tick, .reload = on_reload, .ctx = &h };
	if (before != 0)
		assert_int_equal(kill(getpid(), before), 0);
	assert_int_equal(clock_run(&calls), ERR_OK);
	clock_hold_signals(); /* for the next test */
	return h;
}

static void an_end_asked_for_before_it_runs_is_not_forgotten(void **state)
{
	(void)state;
	assert_int_equal(run(SIGTERM, 0).ticks, 0);
	assert_int_equal(run(SIGINT, 0).ticks, 0);
}

static void a_reload_asked_for_before_it_runs_is_made_once(void **state)
{
	(void)state;
	const struct heard h = run(SIGHUP, SIGTERM);
	assert_int_equal(h.reloads, 1);
	assert_int_equal(h.ticks, 0);
}

static void signals_are_heeded_while_it_runs(void **state)
{
	(void)state;
	assert_int_equal(run(0, SIGTERM).ticks, 1);
	assert_int_equal(run(0, SIGINT).ticks, 1);
}

static void sighup_after_its_end_ends_nobody(void **state)
{
	(void)state;
	struct heard h = { .next = SIGTERM };
	const struct clock_calls calls = { .tick = on_tick, .reload = on_reload, .ctx = &h };
	assert_int_equal(clock_run(&calls), ERR_OK);
	assert_int_equal(kill(getpid(), SIGHUP), 0);
	clock_hold_signals();
	assert_int_equal(run(0, SIGTERM).reloads, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_end_asked_for_before_it_runs_is_not_forgotten),
		cmocka_unit_test(a_reload_asked_for_before_it_runs_is_made_once),
		cmocka_unit_test(signals_are_heeded_while_it_runs),
		cmocka_unit_test(sighup_after_its_end_ends_nobody),
	};
	clock_hold_signals();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
