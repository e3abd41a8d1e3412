/* SPDX-License-Identifier: Apache-2.0 */
#include "server/net/watch.h"

#include "tests/unit/test.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PAIRS = 4 };

struct world {
	struct watch watch;
	struct watched of[PAIRS];
	int far[PAIRS];
};

/* All begin at second 100. */
static void connect_all(struct world *w)
{
	memset(w, 0, sizeof(*w));
	for (size_t i = 0; i < PAIRS; i++) {
		int pair[2];
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
		w->of[i].fd = pair[0];
		w->far[i] = pair[1];
		watch_begin(&w->watch, &w->of[i], 100);
	}
}

static void close_all(struct world *w)
{
	for (size_t i = 0; i < PAIRS; i++) {
		watch_end(&w->watch, &w->of[i]);
		(void)close(w->of[i].fd);
		(void)close(w->far[i]);
	}
	assert_int_equal(w->watch.count, 0);
	assert_int_equal(w->watch.hung, 0);
	assert_null(w->watch.first);
	assert_null(w->watch.last);
}

static bool is_open(const struct world *w, size_t i)
{
	char byte;
	return recv(w->far[i], &byte, 1, MSG_DONTWAIT) != 0;
}

static void hangs_up_on_the_longest_silent_first(void **state)
{
	(void)state;
	struct world w;
	connect_all(&w);
	watch_heard(&w.watch, &w.of[0], 1); /* so 1 is the longest silent */
	assert_int_equal(watch_hang_up_silent(&w.watch, 2), 2);
	assert_true(is_open(&w, 0) && !is_open(&w, 1) && !is_open(&w, 2) && is_open(&w, 3));
	assert_int_equal(w.watch.count, 2);
	assert_int_equal(w.watch.hung, 2);
	watch_end(&w.watch, &w.of[1]);
	assert_int_equal(w.watch.hung, 1);
	assert_int_equal(watch_hang_up_silent(&w.watch, 9), 2);
	close_all(&w);
}

static void strangers_go_before_who_is_welcome(void **state)
{
	(void)state;
	struct world w;
	connect_all(&w);
	w.of[0].welcome = w.of[2].welcome = true;
	assert_int_equal(watch_hang_up_silent(&w.watch, 1), 1);
	assert_true(is_open(&w, 0) && !is_open(&w, 1) && is_open(&w, 2) && is_open(&w, 3));
	watch_begin(&w.watch, &w.of[2], 101); /* its next request has to ask again */
	assert_int_equal(watch_hang_up_silent(&w.watch, 2), 2);
	assert_true(is_open(&w, 0) && !is_open(&w, 2) && !is_open(&w, 3));
	assert_int_equal(watch_hang_up_silent(&w.watch, 2), 1); /* there are no others */
	close_all(&w);
}

static void a_byte_now_and_then_does_not_make_a_request_last(void **state)
{
	(void)state;
	struct world w;
	connect_all(&w);
	for (int64_t now = 101; now <= 160; now++) {
		watch_heard(&w.watch, &w.of[0], 1);
		watch_heard(&w.watch, &w.of[1], WATCH_BYTES_A_SECOND);
		assert_int_equal(watch_hang_up_late(&w.watch, now, 60), 0);
	}
	watch_end(&w.watch, &w.of[2]); /* whole: nobody waits for it */
	watch_begin(&w.watch, &w.of[3], 160);
	assert_int_equal(watch_hang_up_late(&w.watch, 161, 60), 1);
	assert_true(!is_open(&w, 0) && is_open(&w, 1) && is_open(&w, 2) && is_open(&w, 3));
	assert_int_equal(watch_hang_up_late(&w.watch, 220, 60), 0);
	assert_int_equal(watch_hang_up_late(&w.watch, 221, 60), 2);
	assert_true(is_open(&w, 2));
	close_all(&w);
}

static void hangs_up_on_who_has_ended_but_not_on_who_still_has_to_be_read(void **state)
{
	(void)state;
	struct world w;
	connect_all(&w);
	assert_int_equal(shutdown(w.far[0], SHUT_WR), 0);
	assert_int_equal(send(w.far[1], "x", 1, 0), 1);
	assert_int_equal(shutdown(w.far[1], SHUT_WR), 0);
	assert_int_equal(watch_hang_up_late(&w.watch, 101, 60),
	                 0); /* it may not have been read yet */
	assert_int_equal(watch_hang_up_late(&w.watch, 102, 60), 1);
	assert_true(!is_open(&w, 0) && is_open(&w, 1) && is_open(&w, 2) && is_open(&w, 3));
	close_all(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hangs_up_on_the_longest_silent_first),
		cmocka_unit_test(strangers_go_before_who_is_welcome),
		cmocka_unit_test(a_byte_now_and_then_does_not_make_a_request_last),
		cmocka_unit_test(hangs_up_on_who_has_ended_but_not_on_who_still_has_to_be_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
