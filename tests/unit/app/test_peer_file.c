/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/peer_file.h"

#include "common/ip/addr.h"
#include "tests/unit/test.h"

#include <fcntl.h>
#include <unistd.h>

enum { NOW = 1000000, LATER = 10 };

static char path[] = "/tmp/p4pd-peer-file-XXXXXX";

static int begin(void **state)
{
	(void)state;
	const int fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int finish(void **state)
{
	(void)state;
	return unlink(path);
}

/* In place, as of `when`, so that only its bytes tell it from the one before. */
static void write_file(int64_t made, time_t when)
{
	const struct timespec times[] = { { .tv_sec = when }, { .tv_sec = when } };
	struct text t = { 0 };
	struct peer_set *s = peer_set_new(10, 7);
	const struct ip_addr a = ip_v4(0x0a000001);
	assert_non_null(s);
	peer_set_add(s, &a, 6881);
	peer_set_export(s, made, &t);
	peer_set_free(s);
	const int fd = open(path, O_WRONLY | O_TRUNC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, t.bytes, t.size), t.size);
	assert_int_equal(futimens(fd, times), 0);
	assert_int_equal(close(fd), 0);
	text_done(&t);
}

/* What a look says: 0 nothing new, 1 nobody is known, 2 somebody. */
static int look(struct peer_file *f, int64_t now)
{
	struct peer_set *s;
	if (!peer_file_look(f, now, &s))
		return 0;
	const int said = s != NULL ? 2 : 1;
	peer_set_free(s);
	return said;
}

static void a_file_is_read_when_it_has_changed(void **state)
{
	(void)state;
	struct peer_file f = { .path = path };
	write_file(NOW, 100);
	assert_int_equal(look(&f, NOW), 2);
	assert_int_equal(look(&f, NOW + LATER), 0);
	write_file(NOW + LATER, 101);
	assert_int_equal(look(&f, NOW + LATER + 1), 0); /* it looks every five seconds */
	assert_int_equal(look(&f, NOW + 2 * LATER), 2);
}

static void an_old_file_says_nothing_and_is_read_once(void **state)
{
	(void)state;
	struct peer_file f = { .path = path };
	write_file(NOW, 100);
	assert_int_equal(look(&f, NOW), 2);
	assert_int_equal(look(&f, NOW + PEER_FILE_OLD), 0);
	assert_int_equal(look(&f, NOW + PEER_FILE_OLD + LATER), 1);
	write_file(NOW + PEER_FILE_OLD + LATER, 100); /* who read it again would see this */
	assert_int_equal(look(&f, NOW + PEER_FILE_OLD + 2 * LATER), 0);
	write_file(NOW + PEER_FILE_OLD + LATER, 102);
	assert_int_equal(look(&f, NOW + PEER_FILE_OLD + 3 * LATER), 2);
}

static void a_file_of_tomorrow_is_believed_tomorrow(void **state)
{
	(void)state;
	struct peer_file f = { .path = path };
	write_file(NOW + 86400, 100);
	assert_int_equal(look(&f, NOW), 1);
	assert_int_equal(look(&f, NOW + LATER), 0);
	assert_int_equal(look(&f, NOW + 86400), 2);
}

static void what_is_no_such_file_is_read_once_and_a_missing_one_looked_for(void **state)
{
	(void)state;
	struct peer_file f = { .path = path };
	write_file(NOW, 100);
	assert_int_equal(truncate(path, 20), 0);
	assert_int_equal(look(&f, NOW), 1);
	assert_int_equal(look(&f, NOW + LATER), 0);
	f.path = "/nonexistent/peers";
	assert_int_equal(look(&f, NOW + 2 * LATER), 1);
	assert_int_equal(look(&f, NOW + 3 * LATER), 1);
	f.path = path;
	write_file(NOW, 100);
	assert_int_equal(look(&f, NOW + 4 * LATER), 2);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_file_is_read_when_it_has_changed),
	cmocka_unit_test(an_old_file_says_nothing_and_is_read_once),
	cmocka_unit_test(a_file_of_tomorrow_is_believed_tomorrow),
	cmocka_unit_test(what_is_no_such_file_is_read_once_and_a_missing_one_looked_for),
};

int main(void)
{
	return cmocka_run_group_tests(tests, begin, finish);
}
