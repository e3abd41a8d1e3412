/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tracker/house.h"

#include <sodium.h>

/*
 * Doubles of server/net: what came as the header that proxies set, with a '\n' between two of them,
 * and a reply without a socket.
 */
static const char *forwarded_as = "X-Forwarded-For";
static const char *forwarded;

size_t http_each_header(const struct http_request *r, const char *name, http_see_header *see,
                        void *ctx)
{
	size_t n = 0;
	(void)r;
	assert_string_equal(name, forwarded_as);
	for (const char *p = forwarded; p != NULL; n++) {
		char line[128];
		const size_t size = strcspn(p, "\n");
		(void)snprintf(line, sizeof(line), "%.*s", (int)size, p);
		see(ctx, line);
		p = p[size] == '\n' ? p + size + 1 : NULL;
	}
	return n;
}

void http_reply_header(struct http_reply *reply, const char *name, const char *value)
{
	reply->headers[reply->n_headers].name = name;
	(void)snprintf(reply->headers[reply->n_headers++].value, 128, "%s", value);
}

/* The body; the status must be `status`. The caller frees it. */
static struct text get(struct house *h, const char *from, const char *target, unsigned status)
{
	char path[128];
	const char *query = strchr(target, '?');
	(void)snprintf(path, sizeof(path), "%.*s",
	               (int)(query != NULL ? query - target : (long)strlen(target)), target);
	const struct http_request request = { .method = "GET",
		                              .path = path,
		                              .query = query != NULL ? query + 1 : "",
		                              .from = address(from),
		                              .from_port = 5555,
		                              .body = "" };
	struct http_reply reply = { 0 };
	tracker_http(h->tracker, &request, &reply);
	assert_int_equal(reply.status == 0 ? 200 : reply.status, status);
	assert_false(reply.body.bad);
	return reply.body;
}

#define HASH "aaaaaaaaaaaaaaaaaaaa"
#define ID   "bbbbbbbbbbbbbbbbbbbb"
#define ASK  "/announce?info_hash=" HASH "&peer_id=" ID

static void expect(const struct text *t, const void *bytes, size_t size)
{
	if (t->size != size || memcmp(t->bytes, bytes, size) != 0) {
		print_message("heard: %.*s\n", (int)t->size, t->bytes);
		print_message("not:   %.*s\n", (int)size, (const char *)bytes);
		fail();
	}
}

#define EXPECT(text, literal) expect(text, literal, sizeof(literal) - 1)

static void hear(struct house *h, const char *from, const char *target, const char *body,
                 size_t size)
{
	struct text t = get(h, from, target, 200);
	expect(&t, body, size);
	text_done(&t);
}

#define HEAR(h, from, target, literal) hear(h, from, target, literal, sizeof(literal) - 1)

static void peers_is_there_even_when_empty(void **state)
{
	(void)state;
	struct house *h = house_new(&usual);
	HEAR(h, "192.0.2.1", ASK "&port=1&left=9",
	     "d8:completei0e10:downloadedi0e11:external ip4:\xc0\x00\x02\x01"
	     "10:incompletei1e8:intervali200e12:min intervali60e5:peers0:e");
	HEAR(h, "2001:db8::1", ASK "&port=1&left=9&key=x",
	     "d8:completei0e10:downloadedi0e"
	     "11:external ip16:\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
	     "10:incompletei2e8:intervali200e12:min intervali60e5:peers0:6:peers60:e");
	assert_int_equal(counted(h, METRIC_HTTP_ANNOUNCE_NATIVE), 2);
	house_free(h);
}

static void peers_are_compact_unless_refused(void **state)
{
	(void)state;
	struct house *h = house_new(&usual);
	struct text t = get(h, "192.0.2.1", ASK "&port=258&left=9&key=1", 200);
	text_done(&t);
#define HEAD                                                     \
	"d8:completei0e10:downloadedi0e11:external ip4:\xc0\0\2" \
	"\x02"                                                   \
	"10:incompletei2e8:intervali200e12:min intervali60e5:peers"
	HEAR(h, "192.0.2.2", ASK "&port=2&left=9&key=2", HEAD "6:\xc0\0\2\1\1\2e");
	HEAR(h, "192.0.2.2", ASK "&port=2&left=9&key=2&compact=1", HEAD "6:\xc0\0\2\1\1\2e");
	HEAR(h, "192.0.2.2", ASK "&port=2&left=9&key=2&compact=0",
	     HEAD "ld2:ip9:192.0.2.17:peer id20:" ID "4:porti258eeee");
	HEAR(h, "192.0.2.2", ASK "&port=2&left=9&key=2&compact=0&no_peer_id=1",
	     HEAD "ld2:ip9:192.0.2.14:porti258eeee");
	HEAR(h, "192.0.2.2", ASK "&port=2&left=9&key=2&numwant=0", HEAD "0:e");
	house_free(h);
}

static void both_families_on_request(void **state)
{
	(void)state;
	struct house *h = house_new(&usual);
	struct text t = get(h, "192.0.2.1", ASK "&port=1&left=9&key=1", 200);
	text_done(&t);
	t = get(h, "2001:db8::1", ASK "&port=2&left=9&key=2", 200);
	text_done(&t);
#undef HEAD
#define HEAD                                                     \
	"d8:completei0e10:downloadedi0e11:external ip4:\xc0\0\2" \
	"\x09"                                                   \
	"10:incompletei3e8:intervali200e12:min intervali60e5:peers"
	HEAR(h, "192.0.2.9", ASK "&port=9&left=9&key=9", HEAD "6:\xc0\0\2\1\0\1e");
	HEAR(h, "192.0.2.9", ASK "&port=9&left=9&key=9&ipv6=2001:db8::9",
	     HEAD "6:\xc0\0\2\1\0\1"
	          "6:peers618:\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\0\2e");
	HEAR(h, "192.0.2.9", ASK "&port=9&left=9&key=9&ipv6=2001:db8::9&compact=0&no_peer_id=1",
	     HEAD "ld2:ip11:2001:db8::14:porti2eed2:ip9:192.0.2.14:porti1eeee");
	house_free(h);
}

static void nobody_meets_itself_in_the_other_family(void **state)
{
	(void)state;
	struct house *h = house_new(&usual);
	struct text t = get(h, "2001:db8::1", ASK "&port=1&left=9&key=1", 200);
	text_done(&t);
	HEAR(h, "192.0.2.9", ASK "&port=1&left=9&key=1&ipv6=2001:db8::1",
	     "d8:completei0e10:downloadedi0e11:external ip4:\xc0\0\2\x09"
	     "10:incompletei2e8:intervali200e12:min intervali60e5:peers0:6:peers60:e");
	house_free(h);
}

static void takes_a_hash_with_a_nul(void **state)
{
	(void)state;
	struct house *h = house_new(&usual);
	struct text t = get(
		h, "192.0.2.1",
		"/announce?info_hash=%00%01234567890123456789&peer_id=" ID "&port=1&left=0", 200);
	text_done(&t);
	HEAR(h, "192.0.2.1", "/scrape?info_hash=%00%01234567890123456789",
	     "d5:filesd20:\0\x01"
	     "234567890123456789"
	     "d8:completei1e10:downloadedi0e11:downloadersi0e10:incompletei0eee"
	     "5:flagsd20:min_request_intervali60eee");
	house_free(h);
}

static void failures_are_200_and_say_when_to_come_back(void **state)
{
	(void)state;
	static const uint8_t listed[1][INFO_HASH_SIZE] = { "cccccccccccccccccccc" };
	static const char *const bad[] = {
		"/announce",
		"/announce?info_hash=" HASH,
		"/announce?info_hash=short&peer_id=" ID "&port=1",
		ASK "&port=x",
		ASK "&port=1&info_hash=" HASH,
		"/scrape",
		"/scrape?info_hash=short",
		ASK "&port=1&left=1", /* not listed */
	};
	struct house *h = house_new(&usual);
	house_list(h, listed, 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct text t = get(h, "192.0.2.1", bad[i], 200);
		static const char tail[] = "8:intervali200e12:min intervali60e8:retry ini4ee";
		if (strncmp(t.bytes, "d14:failure reason", 18) != 0 ||
		    strcmp(t.bytes + t.size - strlen(tail), tail) != 0)
			fail_msg("%s: %s", bad[i], t.bytes);
		text_done(&t);
	}
	assert_int_equal(counted(h, METRIC_HTTP_ANNOUNCE_MALFORMED), 5);
	assert_int_equal(counted(h, METRIC_HTTP_ANNOUNCE_REFUSED), 1);
	house_free(h);
}

static void scrapes_every_hash_once_in_order_with_downloaders(void **state)
{
	(void)state;
	struct house *h = house_new(&usual);
	static const char *const announces[] = { ASK "&port=1&left=0", ASK "&port=2&left=5",
		                                 ASK "&port=3&left=5&event=paused",
		                                 ASK "&port=2&left=0&event=completed",
		                                 ASK "&port=4&left=5" };
	for (size_t i = 0; i < sizeof(announces) / sizeof(announces[0]); i++) {
		struct text t = get(h, "192.0.2.1", announces[i], 200);
		text_done(&t);
	}
	HEAR(h, "192.0.2.1",
	     "/scrape?info_hash=zzzzzzzzzzzzzzzzzzzz&info_hash=" HASH
	     "&info_hash=zzzzzzzzzzzzzzzzzzzz",
	     "d5:filesd20:" HASH "d8:completei2e10:downloadedi1e11:downloadersi1e10:incompletei2ee"
	     "20:zzzzzzzzzzzzzzzzzzzz"
	     "d8:completei0e10:downloadedi0e11:downloadersi0e10:incompletei0eee"
	     "5:flagsd20:min_request_intervali60eee");
	assert_int_equal(counted(h, METRIC_HTTP_SCRAPES), 1);
	house_free(h);
}

static void finds_its_routes_in_the_shapes_that_clients_send(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		unsigned status;
	} rows[] = {
		{ "/announce", 200 },
		{ "//announce", 200 },
		{ "/announce.php", 200 },
		{ "/announce/", 200 },
		{ "/announce%20", 200 },
		{ "/0123abcd/announce", 200 },
		{ "/announce/0123", 200 },
		{ "/scrape", 200 },
		{ "/scrape.php", 200 },
		{ "/k/scrape", 200 },
		{ "///scrape", 200 },
		{ "/", 404 },
		{ "", 404 },
		{ "/announcer", 404 },
		{ "/announc", 404 },
		{ "/scraped", 404 },
		{ "/favicon.ico", 404 },
		{ "/preannounce", 404 },
	};
	struct house *h = house_new(&usual);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text t = get(h, "192.0.2.1", rows[i].path, rows[i].status);
		assert_true(t.size > 0);
		text_done(&t);
	}
	house_free(h);
}

static void a_passkey_stands_in_the_url(void **state)
{
	(void)state;
#define PASSKEY "0123456789abcdef0123456789abcdef"
#define QUERY   "?info_hash=" HASH "&peer_id=" ID "&port=1&left=1"
	static const struct {
		const char *target, *reason; /* NULL: an answer */
	} rows[] = {
		{ "/" PASSKEY "/announce" QUERY, NULL },
		{ "/announce/" PASSKEY QUERY, NULL },
		{ "/" PASSKEY "/scrape?info_hash=" HASH, NULL },
		{ "/scrape/" PASSKEY "?info_hash=" HASH, NULL },
		{ "/announce" QUERY, "39:a passkey is needed in the announce URL" },
		{ "/scrape?info_hash=" HASH, "39:a passkey is needed in the announce URL" },
		{ "/fedcba9876543210/announce" QUERY, "25:this passkey is not known" },
		{ "/fedcba9876543210/scrape?info_hash=" HASH, "25:this passkey is not known" },
		{ "/announce?passkey=" PASSKEY QUERY, NULL },
		{ "/announce" QUERY "&torrent_pass=" PASSKEY, NULL },
		{ "/scrape?passkey=" PASSKEY "&info_hash=" HASH, NULL },
		{ "/announce" QUERY "&passkey=fedcba9876543210", "25:this passkey is not known" },
		{ "/announce" QUERY "&passkey=short", "25:this passkey is not known" },
		{ "/scrape?info_hash=" HASH "&passkey=fedcba9876543210",
		  "25:this passkey is not known" },
		{ "/announce" QUERY "&passkey=" PASSKEY,
		  "36:too many announces with this passkey" },
		{ "/announce/" PASSKEY QUERY, "36:too many announces with this passkey" },
	};
	struct tracker_settings settings = usual;
	struct tracker_passkey key = { .per_minute = 4 };
	settings.passkeys = TRACKER_PASSKEYS_REQUIRED;
	(void)crypto_generichash(key.hash, sizeof(key.hash), (const uint8_t *)PASSKEY, 32, NULL, 0);
	struct house *h = house_new(&settings);
	assert_int_equal(tracker_passkeys(h->tracker, &key, 1), ERR_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text t = get(h, "192.0.2.1", rows[i].target, 200);
		static const char failure[] = "d14:failure reason";
		const bool failed = strncmp(t.bytes, failure, strlen(failure)) == 0;
		if (failed != (rows[i].reason != NULL) ||
		    (failed && strncmp(t.bytes + strlen(failure), rows[i].reason,
		                       strlen(rows[i].reason)) != 0))
			fail_msg("%s: %s", rows[i].target, t.bytes);
		text_done(&t);
	}
	house_free(h);
}

/* Under bridge it met far peers of both; all of that is over. */
static void a_stop_ends_the_contacts_of_both_families(void **state)
{
	(void)state;
	struct tracker_settings s = usual;
	s.rules.policy = STEER_BRIDGE;
	s.rules.list_length = 20;
	s.rules.free_percent = s.rules.paid_percent = 100;
	struct house *h = house_new(&s);
	house_publish(h, true);
	struct text t = get(h, "2001:db8:9::1", ASK "&port=1&left=0", 200);
	text_done(&t);
	t = get(h, "10.3.0.1", ASK "&port=1&left=0", 200);
	text_done(&t);
	t = get(h, "10.1.0.1", ASK "&port=1&left=9&ipv6=2001:db8:1::1", 200);
	text_done(&t);
	assert_int_equal(bridge_totals(h->bridges).entries, 3); /* of one end isp-b's, too */
	t = get(h, "10.1.0.1", ASK "&port=1&left=9&ipv6=2001:db8:1::1&event=stopped", 200);
	text_done(&t);
	assert_int_equal(bridge_totals(h->bridges).entries, 0);
	house_free(h);
}

static void answers_get_only(void **state)
{
	(void)state;
	struct house *h = house_new(&usual);
	const struct http_request request = { .method = "POST", .path = "/announce", .query = "" };
	struct http_reply reply = { 0 };
	tracker_http(h->tracker, &request, &reply);
	assert_int_equal(reply.status, 405);
	assert_string_equal(reply.headers[0].name, "Allow");
	text_done(&reply.body);
	house_free(h);
}

static void believes_other_addresses_only_from_whom_it_trusts(void **state)
{
	(void)state;
	static const struct {
		const char *what, *from, *header, *ip, *is;
	} rows[] = {
		{ "nothing claimed", "192.0.2.1", NULL, "", "192.0.2.1" },
		{ "ip= of a stranger", "192.0.2.1", NULL, "&ip=192.0.2.7", "192.0.2.1" },
		{ "header of a stranger", "192.0.2.1", "192.0.2.7", "", "192.0.2.1" },
		{ "ip= of a proxy", "10.0.0.1", NULL, "&ip=192.0.2.7", "192.0.2.7" },
		{ "header of a proxy", "10.0.0.1", "192.0.2.7", "", "192.0.2.7" },
		{ "ip= of a private address", "192.168.1.1", NULL, "&ip=192.0.2.7", "192.0.2.7" },
		{ "ip= of a shared address", "100.64.0.1", NULL, "&ip=192.0.2.7", "192.0.2.7" },
		{ "ip= of a ULA", "fd00::1", NULL, "&ip=2001:db8::7", "2001:db8::7" },
		{ "ip= of ourselves", "127.0.0.1", NULL, "&ip=192.0.2.7", "192.0.2.7" },
		{ "ip= of ::1", "::1", NULL, "&ip=192.0.2.7", "192.0.2.7" },
		{ "ip= of a link-local address", "fe80::1", NULL, "&ip=192.0.2.7", "fe80::1" },
		{ "no valid ip=", "192.168.1.1", NULL, "&ip=example.org", "192.168.1.1" },
		{ "header of a private address", "192.168.1.1", "192.0.2.7", "", "192.168.1.1" },
		{ "both", "127.0.0.1", "192.0.2.7", "&ip=192.0.2.8", "127.0.0.1" },
		{ "header before ip=", "10.0.0.1", "192.0.2.7", "&ip=192.0.2.8", "192.0.2.7" },
		{ "the last hop", "10.0.0.1", "192.0.2.6, 192.0.2.7", "", "192.0.2.7" },
		{ "a proxy each line", "10.0.0.1", "192.0.2.7\n10.0.0.2", "", "192.0.2.7" },
		{ "a client's line first", "10.0.0.1", "192.0.2.6\n192.0.2.7", "", "192.0.2.7" },
		{ "two proxies", "10.0.0.1", "192.0.2.6,192.0.2.7 , 10.0.0.2", "", "192.0.2.7" },
		{ "proxies only", "10.0.0.1", "10.0.0.3, 10.0.0.2", "", "10.0.0.3" },
		{ "a port", "10.0.0.1", "192.0.2.7:8080", "", "192.0.2.7" },
		{ "IPv6", "10.0.0.1", "2001:db8::7", "", "2001:db8::7" },
		{ "IPv6 and a port", "10.0.0.1", "[2001:db8::7]:80", "", "2001:db8::7" },
		{ "no address", "10.0.0.1", "192.0.2.7, unknown", "", "10.0.0.1" },
		{ "empty", "10.0.0.1", "", "", "10.0.0.1" },
		{ "blanks and commas", "10.0.0.1", " , ,, ", "", "10.0.0.1" },
		{ "half a bracket", "10.0.0.1", "[", "", "10.0.0.1" },
		{ "a colon", "10.0.0.1", ":", "", "10.0.0.1" },
		{ "too long", "10.0.0.1",
		  "11111111111111111111111111111111111111111111111111111111111111", "",
		  "10.0.0.1" },
	};
	struct ip_prefix proxies;
	assert_int_equal(ip_prefix_parse("10.0.0.0/24", &proxies), ERR_OK);
	struct tracker_settings s = usual;
	s.proxies = &proxies;
	s.n_proxies = 1;
	struct house *h = house_new(&s);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char target[256], is[IP_TEXT_SIZE];
		(void)snprintf(target, sizeof(target), "%s&port=1&left=1%s", ASK, rows[i].ip);
		forwarded = rows[i].header;
		struct text t = get(h, rows[i].from, target, 200);
		text_done(&t);
		forwarded = NULL;
		ip_print(&account_book[UDP_WORKERS].from, is);
		if (strcmp(is, rows[i].is) != 0)
			fail_msg("%s: %s", rows[i].what, is);
	}
	house_free(h);
}

/* One announce a minute. A neighbour writes what it likes into ip=, and only a proxy of ours is believed. */
static void a_rate_is_held_against_who_sends(void **state)
{
	(void)state;
	static const struct {
		const char *from, *header, *ip, *flood; /* NULL: it passes */
	} rows[] = {
		{ "192.168.1.1", NULL, "&ip=198.51.100.1", NULL },
		{ "192.168.1.1", NULL, "&ip=198.51.100.2", "192.168.1.1" },
		{ "192.168.1.2", NULL, "&ip=198.51.100.2", NULL },
		{ "198.51.100.2", NULL, "", NULL },
		{ "10.0.0.1", "203.0.113.1", "", NULL },
		{ "10.0.0.1", "203.0.113.1", "", "203.0.113.1" },
		{ "10.0.0.1", NULL, "&ip=203.0.113.2", NULL }, /* a proxy that names nobody */
		{ "10.0.0.1", NULL, "&ip=203.0.113.2", NULL },
	};
	struct ip_prefix proxies;
	assert_int_equal(ip_prefix_parse("10.0.0.0/24", &proxies), ERR_OK);
	struct tracker_settings s = usual;
	s.proxies = &proxies;
	s.n_proxies = 1;
	s.lab = false; /* where private addresses are exempt */
	s.announces.address_us = limits_pace(1);
	struct house *h = house_new(&s);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char target[256], who[IP_TEXT_SIZE] = "";
		struct flood flood;
		(void)snprintf(target, sizeof(target), "%s&port=1&left=1%s", ASK, rows[i].ip);
		forwarded = rows[i].header;
		struct text t = get(h, rows[i].from, target, 200);
		forwarded = NULL;
		const bool slowed = strstr(t.bytes, "slow down") != NULL;
		if (tracker_floods(h->tracker, (uint32_t)h->now, &flood, 1) > 0)
			ip_print(&flood.of.addr, who);
		if (slowed != (rows[i].flood != NULL) ||
		    (slowed && strcmp(who, rows[i].flood) != 0))
			fail_msg("row %zu: %d \"%s\"", i, slowed, who);
		text_done(&t);
	}
	house_free(h);
}

/* The other header is the client's own, and never looked at. */
static void reads_the_one_header_that_proxies_set(void **state)
{
	(void)state;
	struct ip_prefix proxies;
	char is[IP_TEXT_SIZE];
	assert_int_equal(ip_prefix_parse("10.0.0.0/24", &proxies), ERR_OK);
	struct tracker_settings s = usual;
	s.proxies = &proxies;
	s.n_proxies = 1;
	s.forwarded = true;
	struct house *h = house_new(&s);
	forwarded_as = "Forwarded";
	forwarded = "for=192.0.2.6, for=\"[2001:db8::7]:4711\";proto=https\nfor=10.0.0.2";
	struct text t = get(h, "10.0.0.1", ASK "&port=1&left=1", 200);
	text_done(&t);
	ip_print(&account_book[UDP_WORKERS].from, is);
	assert_string_equal(is, "2001:db8::7");
	forwarded_as = "X-Forwarded-For";
	forwarded = NULL;
	house_free(h);
}

static void keeps_the_connections_of_proxies(void **state)
{
	(void)state;
	struct ip_prefix proxies;
	assert_int_equal(ip_prefix_parse("10.0.0.0/24", &proxies), ERR_OK);
	struct tracker_settings s = usual;
	s.proxies = &proxies;
	s.n_proxies = 1;
	struct house *h = house_new(&s);
	static const char *const from[] = { "192.0.2.1", "10.0.0.1" };
	for (unsigned i = 0; i < 2; i++) {
		const struct ip_addr addr = address(from[i]);
		const struct http_request request = {
			.method = "GET", .path = "/scrape", .query = "", .from = addr, .body = ""
		};
		struct http_reply reply = { 0 };
		tracker_http(h->tracker, &request, &reply);
		assert_int_equal(reply.keep_alive, i == 1);
		assert_int_equal(tracker_is_proxy(h->tracker, &addr), i == 1);
		text_done(&reply.body);
	}
	house_free(h);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(peers_is_there_even_when_empty),
	cmocka_unit_test(peers_are_compact_unless_refused),
	cmocka_unit_test(both_families_on_request),
	cmocka_unit_test(a_stop_ends_the_contacts_of_both_families),
	cmocka_unit_test(nobody_meets_itself_in_the_other_family),
	cmocka_unit_test(takes_a_hash_with_a_nul),
	cmocka_unit_test(failures_are_200_and_say_when_to_come_back),
	cmocka_unit_test(scrapes_every_hash_once_in_order_with_downloaders),
	cmocka_unit_test(finds_its_routes_in_the_shapes_that_clients_send),
	cmocka_unit_test(a_passkey_stands_in_the_url),
	cmocka_unit_test(answers_get_only),
	cmocka_unit_test(believes_other_addresses_only_from_whom_it_trusts),
	cmocka_unit_test(a_rate_is_held_against_who_sends),
	cmocka_unit_test(reads_the_one_header_that_proxies_set),
	cmocka_unit_test(keeps_the_connections_of_proxies),
};

RUN_TESTS(tests)
