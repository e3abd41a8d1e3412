/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "tools/p4pload/options.h"

#include <string.h>

enum { WORDS = 40 };

/* `line` is split at blanks. */
static enum err parse(const char *line, struct options *out, struct fault *fault)
{
	static char copy[512];
	char *argv[WORDS] = { copy };
	int argc = 1;
	assert_true(strlen(line) < sizeof(copy));
	strncpy(copy, line, sizeof(copy) - 1);
	char *rest = copy;
	for (char *word; (word = strsep(&rest, " ")) != NULL;)
		if (word[0] != '\0')
			argv[argc++] = word;
	return options_parse(argc, argv, out, fault);
}

static void reads_every_kind_of_option(void **state)
{
	(void)state;
	struct options o;
	struct fault fault = { 0 };
	assert_int_equal(
		parse("--target 127.0.0.1:6969 --peers 500 --want 0 --zipf 0.8 --verify --mix 50:149:1 "
	              "--from 127.10.0.0/16 --from 127.11.0.0/16 --addresses 9",
	              &o, &fault),
		ERR_OK);
	assert_int_equal(o.port, 6969);
	assert_int_equal(o.peers, 500);
	assert_int_equal(o.want, 0);
	assert_int_equal(o.n_from, 2);
	assert_int_equal(o.addresses, 9);
	assert_int_equal(o.protocol, PROTOCOL_UDP);
	assert_true(o.zipf == 0.8 && o.verify);
	assert_true(o.mix[0] == 0.25 && o.mix[1] == 0.745 && o.mix[2] == 0.005);
	assert_false(o.json || o.print_hashes || o.help);
}

static void speaks_ipv6_and_http(void **state)
{
	(void)state;
	struct options o;
	char text[IP_TEXT_SIZE];
	assert_int_equal(
		parse("--target [::1]:80 --http close --path /abc/announce --forwarded", &o, NULL),
		ERR_OK);
	ip_print(&o.target, text);
	assert_string_equal(text, "::1");
	assert_int_equal(o.port, 80);
	assert_int_equal(o.protocol, PROTOCOL_HTTP_CLOSED);
	assert_string_equal(o.path, "/abc/announce");
	assert_true(o.forwarded);
	assert_int_equal(o.n_from, 1);
	assert_int_equal(o.from[0].length, 128);
	assert_true(ip_equal(&o.from[0].addr, &o.target));

	assert_int_equal(parse("--target [fd00::1]:80 --http keep-alive --from fd00::/64 "
	                       "--addresses 100 --stops 3 --completes 4 --no-keys --series",
	                       &o, NULL),
	                 ERR_OK);
	assert_int_equal(o.protocol, PROTOCOL_HTTP_KEPT);
	assert_int_equal(o.stops, 3);
	assert_int_equal(o.completes, 4);
	assert_true(o.no_keys && o.series);
	assert_int_equal(parse("--target 10.1.2.3:80", &o, NULL), ERR_OK);
	assert_int_equal(o.from[0].length, 32); /* the target is all we know to be ours */
}

static void has_defaults(void **state)
{
	(void)state;
	struct options o;
	assert_int_equal(parse("--target 127.1.2.3:1", &o, NULL), ERR_OK);
	assert_true(o.want == UINT64_MAX);
	assert_int_equal(o.n_from, 1);
	assert_int_equal(o.rate, 0);
	assert_true(o.mix[0] == 0 && o.mix[1] == 1 && o.mix[2] == 0 && o.zipf == 0);
	assert_int_equal(parse("--help", &o, NULL), ERR_OK);
	assert_int_equal(parse("--print-hashes --hashes 3", &o, NULL), ERR_OK);
	assert_int_equal(o.hashes, 3);
}

static void refuses_with_the_name_of_the_option(void **state)
{
	(void)state;
	static const struct {
		const char *line, *where, *part;
	} rows[] = {
		{ "", "--target", "is needed" },
		{ "--target", "arguments", "lacks its value" },
		{ "--target localhost", "--target", "ADDRESS:PORT" },
		{ "--target localhost:80", "--target", "no address" },
		{ "--target 127.0.0.1:0", "--target", "ADDRESS:PORT" },
		{ "--target 127.0.0.1:65536", "--target", "ADDRESS:PORT" },
		{ "--target ::1:6969", "--target", "brackets" },
		{ "--target [127.0.0.1]:6969", "--target", "brackets" },
		{ "--target [::1:6969", "--target", "[::1]:6969" },
		{ "--target []:6969", "--target", "[::1]:6969" },
		{ "--target 127.0.0.1:1 --http", "arguments", "lacks its value" },
		{ "--target 127.0.0.1:1 --http on", "--http", "keep-alive" },
		{ "--target 127.0.0.1:1 --path announce --http close", "--path", "/announce" },
		{ "--target 127.0.0.1:1 --path /x --http close", "--path", "/announce" },
		{ "--target 127.0.0.1:1 --path /a%20/announce", "--path", "/announce" },
		{ "--target 127.0.0.1:1 --path /announce", "--path", "for --http" },
		{ "--target 127.0.0.1:1 --forwarded", "--forwarded", "for --http" },
		{ "--target 127.0.0.1:1 --http close --mix 1:1:0", "--mix", "no connects" },
		{ "--target 127.0.0.1:1 --http close --window 9000", "--window", "8192" },
		{ "--target 127.0.0.1:1 --http keep-alive --addresses 200", "--addresses",
		  "--forwarded" },
		{ "--target 127.0.0.1:1 --peers 0", "--peers", "from 1 to" },
		{ "--target 127.0.0.1:1 --peers -1", "--peers", "from 1 to" },
		{ "--target 127.0.0.1:1 --peers 60001", "--peers", "more --addresses" },
		{ "--target 127.0.0.1:1 --mix 1:2", "--mix", "50:50:1" },
		{ "--target 127.0.0.1:1 --mix 1:2:3:4", "--mix", "50:50:1" },
		{ "--target 127.0.0.1:1 --mix 1:-2:3", "--mix", "50:50:1" },
		{ "--target 127.0.0.1:1 --mix 1:.:3", "--mix", "50:50:1" },
		{ "--target 127.0.0.1:1 --mix 0:0:0", "--mix", "above 0" },
		{ "--target 127.0.0.1:1 --zipf 0", "--zipf", "exponent" },
		{ "--target 127.0.0.1:1 --zipf 1e1", "--zipf", "exponent" },
		{ "--target 127.0.0.1:1 --zipf 5.1", "--zipf", "exponent" },
		{ "--target 127.0.0.1:1 --from 127.0.0.1/8", "--from", "host bits" },
		{ "--target 127.0.0.1:1 --from fd00::/64", "--from", "family" },
		{ "--target [::1]:1 --from 127.0.0.0/8", "--from", "family" },
		{ "--target [::1]:1 --addresses 2", "--from", "small" },
		{ "--target 127.0.0.1:1 --from x", "--from", "no prefix" },
		{ "--target 127.0.0.1:1 --addresses 3 --from 127.9.0.0/30", "--from", "small" },
		{ "--target 127.0.0.1:1 --addresses 2 --from 127.9.0.1/32", "--from", "small" },
		{ "--target 127.0.0.1:1 --speed 9", "arguments", "no option --speed" },
		{ "--target 127.0.0.1:1 extra", "arguments", "\"extra\" is no option" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct options o = { .port = 7 };
		struct fault fault = { 0 };
		assert_int_not_equal(parse(rows[i].line, &o, &fault), ERR_OK);
		assert_string_equal(fault.where, rows[i].where);
		assert_non_null(strstr(fault.text, rows[i].part));
		assert_int_equal(o.port, 7);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(has_defaults),
	cmocka_unit_test(reads_every_kind_of_option),
	cmocka_unit_test(speaks_ipv6_and_http),
	cmocka_unit_test(refuses_with_the_name_of_the_option),
};

RUN_TESTS(tests)
