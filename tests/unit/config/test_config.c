/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "server/config/config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum err load_text(const char *text, const char *const *settings, size_t n, struct config *c,
                          struct fault *f)
{
	char path[] = "/tmp/p4pd-conf-XXXXXX";
	const int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	const enum err e = config_load(path, settings, n, c, f);
	unlink(path);
	return e;
}

static void defaults_come_from_the_table(void **state)
{
	(void)state;
	struct config c;
	struct fault f;
	assert_int_equal(config_load(NULL, NULL, 0, &c, &f), ERR_OK);
	assert_string_equal(c.listen_tracker, "[::]:6969");
	assert_int_equal(c.bin_seconds, 300);
	assert_int_equal(c.ratio_limit, 2000);
	assert_int_equal(c.lab, 0);
}

static void the_command_line_wins_over_the_file(void **state)
{
	(void)state;
	const char *const settings[] = { "max_peers=9", "ratio_limit=1.85" };
	struct config c;
	struct fault f;
	assert_int_equal(load_text("# comment\nmax_peers = 7\nlab = yes\npolicy = \"native\"\n",
	                           settings, 2, &c, &f),
	                 ERR_OK);
	assert_int_equal(c.max_peers, 9);
	assert_int_equal(c.ratio_limit, 1850);
	assert_int_equal(c.lab, 1);
	assert_string_equal(c.policy, "native");
}

static void says_what_is_wrong_and_what_is_right(void **state)
{
	(void)state;
	static const struct {
		const char *setting;
		enum err expect;
		const char *where, *text;
	} rows[] = {
		{ "udp_workers=0", ERR_RANGE, "udp_workers", "must be between 1 and 64, not 0" },
		{ "udp_workers=4x", ERR_MALFORMED, "udp_workers",
		  "must be a whole number, not '4x'" },
		{ "udp_workers=-1", ERR_MALFORMED, "udp_workers",
		  "must be a whole number, not '-1'" },
		{ "lab=maybe", ERR_MALFORMED, "lab", "must be true or false, not 'maybe'" },
		{ "policy=random", ERR_RANGE, "policy",
		  "must be one of bridge|p4p|native, not 'random'" },
		{ "ratio_limit=two", ERR_MALFORMED, "ratio_limit",
		  "must be a number such as 1.8, not 'two'" },
		{ "no_such=1", ERR_NOT_FOUND, "no_such=1",
		  "there is no option 'no_such'; --print-config lists them all" },
		{ "max_peers", ERR_MALFORMED, "max_peers", "a setting is NAME=VALUE" },
		{ "state_dir=", ERR_RANGE, "state_dir", "must have 1 to 255 characters" },
		{ "bin_seconds=7", ERR_RANGE, "bin_seconds",
		  "must divide a day (86400 seconds), and 7 does not" },
		{ "peer_timeout=1800", ERR_RANGE, "peer_timeout",
		  "must be above announce_interval (1800), or peers are forgotten between two "
		  "announces" },
		{ "listen_tracker_tls=[::]:443", ERR_RANGE, "listen_tracker_tls",
		  "needs tls_certificate and tls_key" },
		{ "listen_api_tls=[::]:8443", ERR_RANGE, "listen_api_tls",
		  "needs api_tls_certificate and api_tls_key, or those of the tracker, "
		  "tls_certificate and tls_key" },
		{ "min_interval=1801", ERR_RANGE, "min_interval",
		  "must not be above announce_interval (1800)" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config c = { .max_peers = 77 };
		struct fault f;
		assert_int_equal(config_load(NULL, &rows[i].setting, 1, &c, &f), rows[i].expect);
		assert_string_equal(f.where, rows[i].where);
		assert_string_equal(f.text, rows[i].text);
		assert_int_equal(c.max_peers, 77); /* untouched */
	}
}

static void names_the_line_of_the_file(void **state)
{
	(void)state;
	struct config c;
	struct fault f;
	assert_int_equal(load_text("max_peers = 5\nmax_pears = 6\n", NULL, 0, &c, &f),
	                 ERR_MALFORMED);
	assert_non_null(strstr(f.where, "line 2"));
	assert_non_null(strstr(f.text, "max_pears"));
	assert_int_equal(config_load("/nonexistent/p4pd.conf", NULL, 0, &c, &f), ERR_SYSTEM);
	assert_string_equal(f.where, "/nonexistent/p4pd.conf");
}

static void the_example_is_the_defaults(void **state)
{
	(void)state;
	struct text example = { 0 };
	struct config all, none;
	struct fault f;
	config_print_example(&example);
	/* Uncomment every "#name = value" line: the file must load and change nothing. */
	for (char *p = example.bytes; (p = strstr(p, "\n#")) != NULL; p++)
		if (p[2] != ' ')
			p[1] = ' ';
	assert_int_equal(load_text(example.bytes, NULL, 0, &all, &f), ERR_OK);
	assert_int_equal(config_load(NULL, NULL, 0, &none, &f), ERR_OK);
	assert_memory_equal(&all, &none, sizeof(all));
	text_done(&example);
}

static void tells_what_needs_a_restart(void **state)
{
	(void)state;
	struct config a, b;
	struct fault f;
	struct text names = { 0 };
	const char *const settings[] = { "max_peers=9", "udp_workers=3", "bin_seconds=60" };
	assert_int_equal(config_load(NULL, NULL, 0, &a, &f), ERR_OK);
	assert_int_equal(config_load(NULL, settings, 3, &b, &f), ERR_OK);
	config_needs_restart(&a, &b, &names);
	assert_string_equal(names.bytes, "udp_workers bin_seconds");
	text_done(&names);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(defaults_come_from_the_table),
	cmocka_unit_test(the_command_line_wins_over_the_file),
	cmocka_unit_test(says_what_is_wrong_and_what_is_right),
	cmocka_unit_test(names_the_line_of_the_file),
	cmocka_unit_test(the_example_is_the_defaults),
	cmocka_unit_test(tells_what_needs_a_restart),
};

RUN_TESTS(tests)
