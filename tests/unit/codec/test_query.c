/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/text.h"
#include "common/codec/query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 00 01 .. 13, written the long way, and a peer id of plain letters. */
#define HASH  "info_hash=%00%01%02%03%04%05%06%07%08%09%0a%0b%0c%0d%0e%0f%10%11%12%13"
#define OTHER "info_hash=ABCDEFGHIJKLMNOPQRST"
#define ID    "peer_id=-XX0001-abcdefghijkl"
#define BASE  HASH "&" ID "&port=6881"

static const uint8_t counting[20] = { 0,  1,  2,  3,  4,  5,  6,  7,  8,  9,
	                              10, 11, 12, 13, 14, 15, 16, 17, 18, 19 };

/* An exact copy without a NUL, so that a sanitizer sees a read past the end. */
static enum err parse(const char *query, struct announce *out, struct fault *fault)
{
	const size_t size = strlen(query);
	char *copy = malloc(size > 0 ? size : 1);
	assert_non_null(copy);
	memcpy(copy, query, size);
	const enum err e = query_announce_parse(copy, size, out, fault);
	free(copy);
	return e;
}

static struct announce good(const char *query)
{
	struct announce a;
	struct fault fault = { 0 };
	if (parse(query, &a, &fault) != ERR_OK)
		fail_msg("\"%s\": %s", query, fault.text);
	assert_string_equal(fault.where, "");
	return a;
}

/* A good announce with "&name=value" behind it. */
static struct announce with(const char *name, const char *value)
{
	char query[500];
	(void)snprintf(query, sizeof(query), "%s&%s=%s", BASE, name, value);
	return good(query);
}

static void an_info_hash_may_hold_any_byte_in_any_spelling(void **state)
{
	(void)state;
	static const struct {
		const char *escaped, *hex;
	} rows[] = {
		{ "%00%01%02%03%04%05%06%07%08%09%0a%0b%0c%0d%0e%0f%10%11%12%13",
		  "000102030405060708090a0b0c0d0e0f10111213" },
		{ "%00%00%00%00%00%00%00%00%00%00%00%00%00%00%00%00%00%00%00%00",
		  "0000000000000000000000000000000000000000" },
		{ "%FF%fF%Ff%ff%aB%Cd%eF%12%34%56%78%9A%bc%de%f1%23%45%67%89%ab",
		  "ffffffffabcdef123456789abcdef123456789ab" },
		{ "++++++++++++++++++++", "2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b" },
		{ "%2b+%20 %26%3b%3B%3d=%3f%25%23!*'()~-_",
		  "2b2b2020263b3b3d3d3f2523212a2728297e2d5f" },
		{ "\x80\xff~%7e%7EABCDEFGHIJKLMNO", "80ff7e7e7e4142434445464748494a4b4c4d4e4f" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char query[256], hex[41];
		(void)snprintf(query, sizeof(query), "info_hash=%s&" ID "&port=1", rows[i].escaped);
		const struct announce a = good(query);
		text_hex(a.info_hash, 20, hex);
		assert_string_equal(hex, rows[i].hex);
		assert_memory_equal(a.peer_id, "-XX0001-abcdefghijkl", 20);
	}
}

static void a_v2_hash_is_its_first_20_bytes(void **state)
{
	(void)state;
	struct scrape scraped = { 0 };
	struct fault fault = { 0 };
	const char *const v2 = HASH "abcdefghijk%00"; /* 32 bytes */
	char query[256];
	(void)snprintf(query, sizeof(query), "%s&%s&port=1", v2, ID);
	const struct announce a = good(query);
	assert_memory_equal(a.info_hash, counting, 20);
	assert_int_equal(query_scrape_parse(v2, strlen(v2), &scraped, &fault), ERR_OK);
	assert_memory_equal(scraped.hashes[0], counting, 20);
	for (int more = 1; more < 14; more++) { /* only 12 more make a v2 hash */
		struct announce none;
		(void)snprintf(query, sizeof(query), "%s%.*s&%s&port=1", HASH, more,
		               "xxxxxxxxxxxxxx", ID);
		assert_int_equal(parse(query, &none, &fault), more == 12 ? ERR_OK : ERR_MALFORMED);
	}
	assert_int_equal(parse(HASH "&peer_id=01234567890123456789012345678901&port=1",
	                       &(struct announce){ 0 }, &fault),
	                 ERR_MALFORMED);
}

static void separators_of_every_kind_divide_parameters(void **state)
{
	(void)state;
	static const char *const rows[] = {
		BASE,
		"&" BASE,
		"?" BASE,
		BASE "&",
		BASE "&&;",
		HASH ";" ID ";port=6881",
		HASH "&;&" ID "&&port=6881",
		"pk=abc%20d&" BASE,
		"pk=%zz&" BASE, /* an escape of a parameter that is not ours */
		"passkey=x?" BASE,
		"port=6881&" ID "&" HASH,
		BASE "&corrupt=0&redundant=0&supportcrypto=1&requirecrypto=1&trackerid=%00&=&x",
		BASE "&info_hashes=1&info_has=2&INFO_HASH=3&xinfo_hash=4",
		BASE "&natmapped=1&localip=192.168.0.100&port_type=lan",
		"port=1&" BASE, /* the last one counts */
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct announce a = good(rows[i]);
		assert_memory_equal(a.info_hash, counting, 20);
		assert_int_equal(a.port, 6881);
	}
}

static void what_is_absent_has_its_default(void **state)
{
	(void)state;
	const struct announce a = good(BASE);
	assert_true(a.left == UINT64_MAX);
	assert_int_equal(a.uploaded, 0);
	assert_int_equal(a.downloaded, 0);
	assert_int_equal(a.want, WANT_DEFAULT);
	assert_int_equal(a.key, 0);
	assert_int_equal(a.event, EVENT_NONE);
	assert_int_equal(a.claimed.family, IP_NONE);
	assert_false(a.has_ipv4);
	assert_false(a.has_ipv6);
	assert_true(a.compact);
	assert_false(a.no_peer_id);
}

static void names_what_is_missing_or_wrong(void **state)
{
	(void)state;
	static const struct {
		const char *query, *where, *text;
		enum err code;
	} rows[] = {
		{ "", "info_hash", "info_hash is missing", ERR_NOT_FOUND },
		{ "x=1", "info_hash", "info_hash is missing", ERR_NOT_FOUND },
		{ ID "&port=1", "info_hash", "info_hash is missing", ERR_NOT_FOUND },
		{ HASH "&port=1", "peer_id", "peer_id is missing", ERR_NOT_FOUND },
		{ HASH "&" ID, "port", "port is missing", ERR_NOT_FOUND },
		{ "info_hash=%aa%bb%cc%dd&" ID "&port=1", "info_hash",
		  "info_hash has 4 bytes after unescaping, it must have 20", ERR_MALFORMED },
		{ "info_hash&" ID "&port=1", "info_hash",
		  "info_hash has 0 bytes after unescaping, it must have 20", ERR_MALFORMED },
		{ "info_hash=%2516%25CBed%252B%25E8%25E1%2509%2583%2523%25604g%25C4Y%25A1%2587Rwg",
		  "info_hash", "info_hash has 44 bytes after unescaping, it must have 20",
		  ERR_MALFORMED }, /* escaped twice */
		{ "info_hash=000102030405060708090a0b0c0d0e0f10111213", "info_hash",
		  "info_hash has 40 bytes after unescaping, it must have 20", ERR_MALFORMED },
		{ BASE "&" OTHER, "info_hash",
		  "info_hash is given twice, an announce is about one torrent", ERR_MALFORMED },
		{ BASE "&" HASH, "info_hash",
		  "info_hash is given twice, an announce is about one torrent", ERR_MALFORMED },
		{ HASH "&peer_id=short&port=1", "peer_id",
		  "peer_id has 5 bytes after unescaping, it must have 20", ERR_MALFORMED },
		{ "info_hash=%0", "info_hash", "info_hash has a '%' without two hex digits",
		  ERR_MALFORMED },
		{ "info_hash=%", "info_hash", "info_hash has a '%' without two hex digits",
		  ERR_MALFORMED },
		{ "info_hash=%zz", "info_hash", "info_hash has a '%' without two hex digits",
		  ERR_MALFORMED },
		{ "info_hash=%0g", "info_hash", "info_hash has a '%' without two hex digits",
		  ERR_MALFORMED },
		{ "info_hash=%0&1", "info_hash", "info_hash has a '%' without two hex digits",
		  ERR_MALFORMED },
		{ "info_hash=abcdefghijabcdefghijabcdefghij%z",
		  "info_hash", /* as long as a v2 one */
		  "info_hash has a '%' without two hex digits", ERR_MALFORMED },
		{ HASH "&peer_id=abcdefghijabcdefgh%z&port=1", "peer_id",
		  "peer_id has a '%' without two hex digits", ERR_MALFORMED },
		{ HASH "&" ID "&port=%1", "port", "port must be a number from 0 to 65535",
		  ERR_MALFORMED },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct announce a = { .port = 7 };
		struct fault fault = { 0 };
		assert_int_equal(parse(rows[i].query, &a, &fault), rows[i].code);
		assert_int_equal(parse(rows[i].query, &a, NULL), rows[i].code);
		assert_int_equal(a.port, 7);
		assert_string_equal(fault.where, rows[i].where);
		assert_string_equal(fault.text, rows[i].text);
	}
}

static void a_port_is_a_number_and_may_be_zero(void **state)
{
	(void)state;
	static const char *const bad[] = { "",    "-1",    "65536", "0x1f",
		                           "1.5", "6881 ", "+1",    "18446744073709551617" };
	char query[200];
	assert_int_equal(good(HASH "&" ID "&port=0").port, 0);
	assert_int_equal(good(HASH "&" ID "&port=65535").port, 65535);
	assert_int_equal(good(HASH "&" ID "&port=%36881").port, 6881);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct announce a;
		struct fault fault = { 0 };
		(void)snprintf(query, sizeof(query), "%s&%s&port=%s", HASH, ID, bad[i]);
		assert_int_equal(parse(query, &a, &fault), ERR_MALFORMED);
		assert_string_equal(fault.text, "port must be a number from 0 to 65535");
	}
}

static void a_counter_that_is_no_number_costs_nobody_its_peers(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint64_t counter, left;
	} rows[] = {
		{ "0", 0, 0 },
		{ "16384", 16384, 16384 },
		{ "00", 0, 0 },
		{ "9007199254740993", 9007199254740993, 9007199254740993 },
		{ "18446744073709551615", UINT64_MAX, UINT64_MAX },
		{ "18446744073709551616", 0, UINT64_MAX },
		{ "-1", 0, UINT64_MAX },
		{ "-9223372036854775808", 0, UINT64_MAX },
		{ "", 0, UINT64_MAX },
		{ "NaN", 0, UINT64_MAX },
		{ "1e6", 0, UINT64_MAX },
		{ "0 ", 0, UINT64_MAX },
		{ "0%00", 0, UINT64_MAX }, /* no C string: the NUL does not end it */
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(with("uploaded", rows[i].text).uploaded == rows[i].counter);
		assert_true(with("downloaded", rows[i].text).downloaded == rows[i].counter);
		assert_true(with("left", rows[i].text).left == rows[i].left);
	}
}

static void counters_do_not_change_places(void **state)
{
	(void)state;
	const struct announce a =
		good(BASE "&uploaded=1&downloaded=2&left=3&corrupt=4&redundant=5");
	assert_int_equal(a.uploaded, 1);
	assert_int_equal(a.downloaded, 2);
	assert_int_equal(a.left, 3);
	assert_int_equal(a.redundant, 5);
}

static void numwant_is_the_default_zero_or_a_cap(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int32_t want;
	} rows[] = {
		{ "0", 0 },
		{ "1", 1 },
		{ "200", 200 },
		{ "2147483647", INT32_MAX },
		{ "2147483648", INT32_MAX },
		{ "4294967295", INT32_MAX },
		{ "99999999999999999999999999", INT32_MAX },
		{ "-1", WANT_DEFAULT },
		{ "-99999999999999999999", WANT_DEFAULT },
		{ "", WANT_DEFAULT },
		{ "all", WANT_DEFAULT },
		{ "5x", WANT_DEFAULT },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(with("numwant", rows[i].text).want, rows[i].want);
	}
}

static void an_event_is_one_of_four_words(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum peer_event event;
	} rows[] = {
		{ "started", EVENT_STARTED }, { "stopped", EVENT_STOPPED },
		{ "paused", EVENT_PAUSED },   { "completed", EVENT_COMPLETED },
		{ "", EVENT_NONE },           { "none", EVENT_NONE },
		{ "empty", EVENT_NONE },      { "start", EVENT_NONE },
		{ "startedx", EVENT_NONE },   { "Stopped", EVENT_NONE },
		{ "stopped%00", EVENT_NONE },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(with("event", rows[i].text).event, rows[i].event);
	}
}

static uint64_t key(const char *text)
{
	return with("key", text).key;
}

static void a_key_of_eight_hex_digits_is_the_number_sent_over_udp(void **state)
{
	(void)state;
	assert_int_equal(key("E96680BC"), 0xe96680bc);
	assert_int_equal(key("e96680bc"), 0xe96680bc);
	assert_int_equal(key("0000000a"), 10);
	assert_int_equal(key("%30000000A"), 10);
	assert_true(key("00000000") != 0);
}

static void any_other_key_is_hashed_and_never_none(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"",
		"0",
		"00000000",
		"5089",
		"E96680B",
		"E96680BC0",
		"njyytouhv5fymdafkhzi",
		"q9z8y7x6",
		"%00",
		"%00%00",
		"%00%00%00%00%00%00%00%00",
		"%01%02%03%04%05%06%07%08",
		"%08%07%06%05%04%03%02%01",
		"%ff%fe%fd%fc%fb%fa%f9%f8",
		"a+b",
		"a%20b",
		"%zz", /* no escape: it stands for itself */
		"%7",
		"100%",
	};
	const size_t n = sizeof(rows) / sizeof(rows[0]);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(key(rows[i]) == 0, i == 0);
		for (size_t j = 0; j < i; j++)
			assert_true(key(rows[i]) != key(rows[j]));
	}
	/* The same bytes in another spelling are the same key. */
	assert_true(key("%71%39z8y7x6") == key("q9z8y7x6"));
}

static void compact_and_no_peer_id_are_asked_for_by_one_digit(void **state)
{
	(void)state;
	assert_true(good(BASE "&compact=1").compact);
	assert_true(good(BASE "&compact=").compact);
	assert_false(good(BASE "&compact=0").compact);
	assert_true(good(BASE "&no_peer_id=1").no_peer_id);
	assert_false(good(BASE "&no_peer_id=0").no_peer_id);
	assert_false(good(BASE "&no_peer_id").no_peer_id);
}

static void reads_the_address_a_client_claims(void **state)
{
	(void)state;
	static const struct {
		const char *text, *expect;
	} rows[] = {
		{ "192.0.2.24", "192.0.2.24" },      { "192.168.3.105", "192.168.3.105" },
		{ "2001:db8::1", "2001:db8::1" },    { "2001%3Adb8%3a%3a1", "2001:db8::1" },
		{ "::ffff:192.0.2.1", "192.0.2.1" }, { "", "none" },
		{ "tracker.example", "none" },       { "192.0.2", "none" },
		{ "192.0.2.1%00", "none" },          { "1.2.3.4.5", "none" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[IP_TEXT_SIZE];
		const struct announce a = with("ip", rows[i].text);
		ip_print(&a.claimed, text);
		assert_string_equal(text, rows[i].expect);
		assert_false(a.has_ipv4 || a.has_ipv6);
	}
}

static void tells_which_families_a_client_can_use(void **state)
{
	(void)state;
	static const struct {
		const char *more;
		bool v4, v6;
	} rows[] = {
		{ "&ipv4=192.0.2.1", true, false },
		{ "&ipv4=192.0.2.1:6881", true, false },
		{ "&ipv4=10.0.0.1", true, false },
		{ "&ipv6=2001:db8::1", false, true },
		{ "&ipv6=2001%3adb8%3ac6c%3ad80%3a3881%3ae173%3a5a18%3a3a79", false, true },
		{ "&ipv6=%5b2001:db8::1%5d:6881", false, true },
		{ "&ipv6=[2001:db8::1]", false, true },
		{ "&ipv6=2002:93af:b008:b:98f1:b960:c0fd:8403", false, true },
		{ "&ipv4=192.0.2.1&ipv6=2001:db8::1", true, true },
		{ "&ipv6=2001:db8::1&ipv6=fe80::1", false, true },
		{ "&ipv6=fe80%3a%3a21c%3ab3ff%3afec5%3aa4a1", false, false },
		{ "&ipv6=::ffff:192.0.2.1", false, false },
		{ "&ipv4=2001:db8::1", false, false },
		{ "&ipv6=192.0.2.1", false, false },
		{ "&ipv4=0.0.0.0", false, false },
		{ "&ipv4=&ipv6=", false, false },
		{ "&ipv6=[", false, false },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char query[300];
		(void)snprintf(query, sizeof(query), "%s%s", BASE, rows[i].more);
		const struct announce a = good(query);
		assert_int_equal(a.has_ipv4, rows[i].v4);
		assert_int_equal(a.has_ipv6, rows[i].v6);
	}
}

static void a_scrape_repeats_info_hash(void **state)
{
	(void)state;
	static const struct {
		const char *query;
		enum err expect;
		size_t count;
	} rows[] = {
		{ HASH, ERR_OK, 1 },
		{ "pk=1&" HASH "&x=%zz", ERR_OK, 1 },
		{ "pk=1?" HASH ";" OTHER, ERR_OK, 2 },
		{ HASH "&" HASH "&" OTHER, ERR_OK, 3 },
		{ "", ERR_NOT_FOUND, 0 },
		{ "info=1", ERR_NOT_FOUND, 0 },
		{ "info_hash=", ERR_MALFORMED, 0 },
		{ "info_hash=%00", ERR_MALFORMED, 0 },
		{ HASH "&info_hash=%0", ERR_MALFORMED, 0 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scrape s = { .count = 99 };
		struct fault fault = { 0 };
		assert_int_equal(
			query_scrape_parse(rows[i].query, strlen(rows[i].query), &s, &fault),
			rows[i].expect);
		assert_int_equal(s.count, rows[i].expect == ERR_OK ? rows[i].count : 99);
		if (rows[i].expect != ERR_OK)
			assert_string_equal(fault.where, "info_hash");
		else
			assert_memory_equal(s.hashes[0], counting, 20);
		if (s.count == 3)
			assert_memory_equal(s.hashes[2], "ABCDEFGHIJKLMNOPQRST", 20);
	}
}

/* As over UDP, what is beyond it is not looked at. */
static void a_scrape_has_a_limit(void **state)
{
	(void)state;
	struct scrape s = { 0 };
	struct fault fault = { 0 };
	struct text t = { 0 };
	for (size_t n = 1; n <= SCRAPE_MAX; n++) {
		text_put(&t, OTHER "&");
		assert_int_equal(query_scrape_parse(t.bytes, t.size, &s, &fault), ERR_OK);
		assert_int_equal(s.count, n);
	}
	text_put(&t, "info_hash=abcdefghijklmnopqrst&info_hash=short");
	assert_int_equal(query_scrape_parse(t.bytes, t.size, &s, &fault), ERR_OK);
	assert_int_equal(s.count, SCRAPE_MAX);
	assert_memory_equal(s.hashes[SCRAPE_MAX - 1], s.hashes[0], INFO_HASH_SIZE);
	text_done(&t);
}

/* A recorded request: the lengths in its columns say whether it must be read. */
static void finds_the_raw_value_of_a_name(void **state)
{
	(void)state;
	static const struct {
		const char *query, *value; /* NULL: none */
	} rows[] = {
		{ "name=x", "x" },
		{ "?name=x?info_hash=1", "x" },
		{ "a=b&name=%41+;c=d", "%41+" },
		{ "name&name=&name=x&name=y", "x" },
		{ "name=x=y", "x=y" },
		{ "", NULL },
		{ "name", NULL },
		{ "name=", NULL },
		{ "nam=x&names=x&Name=x&a=name=x", NULL },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *value = NULL;
		size_t size = 0;
		const bool found =
			query_find(rows[i].query, strlen(rows[i].query), "name", &value, &size);
		if (found != (rows[i].value != NULL) ||
		    (found &&
		     (size != strlen(rows[i].value) || memcmp(value, rows[i].value, size) != 0)))
			fail_msg("%s: %.*s", rows[i].query, (int)size, found ? value : "");
	}
}

static void replay(const char *target, bool is_good)
{
	struct announce a;
	struct scrape s;
	struct fault fault = { 0 };
	const char *query = strchr(target, '?');
	assert_non_null(query);
	query++;
	const size_t size = strlen(query);
	enum err e = strstr(target, "scrape?") != NULL
	                     ? query_scrape_parse(query, size, &s, &fault)
	                     : query_announce_parse(query, size, &a, &fault);
	if ((e == ERR_OK) != is_good)
		fail_msg("%s: %s %s", target, err_name(e), fault.text);
}

static void reads_what_clients_have_sent(void **state)
{
	(void)state;
	char line[4096];
	FILE *f = open_recorded("bittorrent/announce-requests.tsv");
	if (f == NULL)
		return;
	unsigned n = 0;
	while (fgets(line, sizeof(line), f) != NULL) {
		const char *field[6] = { NULL };
		char *rest = line;
		for (size_t i = 0; i < 6 && rest != NULL; i++)
			field[i] = strsep(&rest, "\t\r\n");
		if (line[0] == '#' || field[5] == NULL)
			continue;
		replay(field[5], strcmp(field[3], "20") == 0 &&
		                         (strcmp(field[4], "20") == 0 || field[4][0] == '-'));
		n++;
	}
	(void)fclose(f);
	assert_true(n > 0);
}

static void finds_the_first_info_hash_alone(void **state)
{
	(void)state;
	static const struct {
		const char *query;
		bool found;
	} rows[] = {
		{ HASH, true },
		{ "port=x&" HASH "&" OTHER, true },
		{ "peer_id=%&" HASH, true },
		{ "info_hash=%0g&" HASH, false },
		{ "info_hash=short", false },
		{ "xinfo_hash=ABCDEFGHIJKLMNOPQRST", false },
		{ "", false },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t hash[INFO_HASH_SIZE] = { 0 };
		assert_int_equal(query_info_hash(rows[i].query, strlen(rows[i].query), hash),
		                 rows[i].found);
		if (rows[i].found)
			assert_memory_equal(hash, counting, sizeof(counting));
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_counter_that_is_no_number_costs_nobody_its_peers),
	cmocka_unit_test(a_key_of_eight_hex_digits_is_the_number_sent_over_udp),
	cmocka_unit_test(a_port_is_a_number_and_may_be_zero),
	cmocka_unit_test(a_scrape_has_a_limit),
	cmocka_unit_test(a_v2_hash_is_its_first_20_bytes),
	cmocka_unit_test(a_scrape_repeats_info_hash),
	cmocka_unit_test(an_event_is_one_of_four_words),
	cmocka_unit_test(an_info_hash_may_hold_any_byte_in_any_spelling),
	cmocka_unit_test(any_other_key_is_hashed_and_never_none),
	cmocka_unit_test(compact_and_no_peer_id_are_asked_for_by_one_digit),
	cmocka_unit_test(counters_do_not_change_places),
	cmocka_unit_test(finds_the_raw_value_of_a_name),
	cmocka_unit_test(names_what_is_missing_or_wrong),
	cmocka_unit_test(numwant_is_the_default_zero_or_a_cap),
	cmocka_unit_test(reads_the_address_a_client_claims),
	cmocka_unit_test(reads_what_clients_have_sent),
	cmocka_unit_test(separators_of_every_kind_divide_parameters),
	cmocka_unit_test(tells_which_families_a_client_can_use),
	cmocka_unit_test(what_is_absent_has_its_default),
	cmocka_unit_test(finds_the_first_info_hash_alone),
};

RUN_TESTS(tests)
