/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/rights/vrps.h"

#include "common/rights/vrp_making.h"

#define ROAS(list) "{\"roas\": [" list "]}"

static const char rpki_client[] =
	"{\n\t\"metadata\": {\n\t\t\"buildmachine\": \"x\", \"buildtime\": \"2023-11-14T22:00:00Z\",\n"
	"\t\t\"talfiles\": [\"a\", {\"b\": [1.5e3, true, null]}], \"vrps\": 3 },\n\n"
	"\t\"roas\": [\n"
	"\t\t{ \"asn\": 64500, \"prefix\": \"192.0.2.0/24\", \"maxLength\": 26, \"ta\": \"ripe\","
	" \"expires\": 1700003600 },\n"
	"\t\t{ \"asn\": 64501, \"prefix\": \"192.0.2.0/25\", \"maxLength\": 25, \"ta\": \"ripe\","
	" \"expires\": 1699999999 },\n"
	"\t\t{ \"asn\": 4294967295, \"prefix\": \"2001:db8::/32\", \"maxLength\": 48, \"ta\": \"apnic\","
	" \"expires\": 1700003600 }\n\t],\n\n"
	"\t\"bgpsec_keys\": [], \"aspas\": [{\"customer_asid\": 1, \"providers\": [2, 3]}]\n}\n";

/* "192.0.2.0/24-26 AS64500 ripe; ..." */
static const char *list(const struct vrp_table *t)
{
	static char out[1024];
	struct vrp v;
	size_t n = 0;
	out[0] = '\0';
	for (uint32_t i = 0; vrp_at(t, i, &v); i++) {
		char prefix[IP_PREFIX_TEXT_SIZE];
		ip_prefix_print(&v.prefix, prefix);
		n += (size_t)snprintf(out + n, sizeof(out) - n, "%s-%u AS%u %s; ", prefix,
		                      (unsigned)v.max_length, (unsigned)v.asn, v.ta);
	}
	return out;
}

static const char *one(const char *json)
{
	struct faults *faults = faults_new();
	struct vrp_table *t = read_vrps(json, 1000, faults);
	const char *out = t != NULL ? list(t) : faults->list[0].text;
	static char text[1024];
	(void)snprintf(text, sizeof(text), "%s%s%s", t != NULL ? "" : faults->list[0].where,
	               t != NULL ? "" : ": ", out);
	vrp_table_free(t);
	faults_free(faults);
	return text;
}

static void rpki_client_is_read_in_pieces_of_any_size(void **state)
{
	(void)state;
	for (size_t each = 1; each < 40; each += 3) {
		struct faults *faults = faults_new();
		struct vrp_table *t = read_vrps(rpki_client, each, faults);
		assert_non_null(t);
		assert_string_equal(
			list(t),
			"192.0.2.0/24-26 AS64500 ripe; 2001:db8::/32-48 AS4294967295 apnic; ");
		const struct vrp_about about = vrp_table_about(t);
		assert_int_equal(about.count, 2);
		assert_int_equal(about.expired, 1);
		assert_int_equal(about.made, 1699999200);
		assert_int_equal(about.valid, 0);
		vrp_table_free(t);
		faults_free(faults);
	}
}

static void routinator_names_its_sources(void **state)
{
	(void)state;
	assert_string_equal(
		one("{\"metadata\":{\"generated\":5,\"generatedTime\":\"1970-01-01T00:00:05Z\"},"
	            "\"roas\":[{\"asn\":\"AS1234\",\"prefix\":\"12.34.56.0/24\",\"maxLength\":24,"
	            "\"source\":[{\"type\":\"exception\",\"path\":null}]},"
	            "{\"asn\":\"AS5\",\"prefix\":\"1.0.0.0/8\",\"maxLength\":9,\"source\":[{\"type\":"
	            "\"roa\",\"uri\":\"rsync://x\",\"tal\":\"arin\",\"validity\":{\"notBefore\":\"x\"},"
	            "\"chainValidity\":{\"notBefore\":\"2023-01-01T00:00:00Z\",\"notAfter\":"
	            "\"2023-12-01T00:00:00Z\"}}]},{\"asn\":\"AS6\",\"prefix\":\"1.0.0.0/8\","
	            "\"maxLength\":8,\"source\":[{\"type\":\"roa\",\"tal\":\"arin\",\"chainValidity\":"
	            "{\"notAfter\":\"2023-11-01T00:00:00Z\"}}]}],\"routerKeys\":[]}"),
		"1.0.0.0/8-9 AS5 arin; 12.34.56.0/24-24 AS1234 exception; ");
}

static void what_may_be_left_out_may(void **state)
{
	(void)state;
	assert_string_equal(one(ROAS("{\"asn\":\"1\",\"prefix\":\"1.0.0.0/8\"}")),
	                    "1.0.0.0/8-8 AS1 ; ");
	assert_string_equal(one(ROAS("{\"prefix\":\"::/0\",\"asn\":0,\"maxLength\":null,"
	                             "\"expires\":null,\"ta\":7}")),
	                    "::/0-0 AS0 ; ");
}

static void every_bad_vrp_is_named_with_its_line(void **state)
{
	(void)state;
	struct faults *faults = faults_new();
	(void)read_vrps(ROAS("\n{\"asn\":-1,\"prefix\":\"1.0.0.0/8\"},"
	                     "\n{\"asn\":1,\"prefix\":\"1.0.0.1/8\"},"
	                     "\n{\"asn\":1,\"prefix\":\"1.0.0.0/8\",\"maxLength\":7},"
	                     "\n{\"asn\":1,\"prefix\":\"1.0.0.0/8\",\"maxLength\":33},"
	                     "\n{\"asn\":\"AS1x\",\"prefix\":\"1.0.0.0/8\"},"
	                     "\n{\"prefix\":\"1.0.0.0/8\"},"
	                     "\n{\"asn\":1},"
	                     "\n{\"asn\":4294967296,\"prefix\":\"1.0.0.0/8\"},"
	                     "\n{\"asn\":1.5,\"prefix\":\"1.0.0.0/8\",\"expires\":1}"),
	                7, faults);
	static const char *const where[] = {
		"/roas/0/asn (line 2)",       "/roas/1/prefix (line 3)",
		"/roas/2/maxLength (line 4)", "/roas/3/maxLength (line 5)",
		"/roas/4/asn (line 6)",       "/roas/5 (line 7)",
		"/roas/6 (line 8)",           "/roas/7/asn (line 9)",
		"/roas/8/asn (line 10)",
	};
	assert_int_equal(faults->count, sizeof(where) / sizeof(where[0]));
	for (size_t i = 0; i < faults->count; i++)
		assert_string_equal(faults->list[i].where, where[i]);
	faults_free(faults);
}

static void what_is_no_such_file_is_refused_with_a_reason(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{ "", "line 1: ends early" },
		{ "ASN,IP Prefix,Max Length,Trust Anchor\n", "line 1: must be an object" },
		{ "{}", ": must have \"roas\", as the JSON of rpki-client and routinator" },
		{ "{\"metadata\":{}}",
		  ": must have \"roas\", as the JSON of rpki-client and routinator" },
		{ ROAS(""),
		  "/roas: must hold a VRP that is valid now, but 0 have expired and there "
		  "is no other" },
		{ ROAS("{\"asn\":1,\"prefix\":\"1.0.0.0/8\",\"expires\":1}"),
		  "/roas: must hold a VRP that is valid now, but 1 have expired and there is no other" },
		{ ROAS("{\"asn\":1,\"prefix\":\"1.0.0.0/8\"},"),
		  "line 1: must not end with a comma" },
		{ ROAS("{\"asn\":1 \"prefix\":\"1.0.0.0/8\"}"), "line 1: must go on with a comma" },
		{ ROAS("{\"asn\":1,\"prefix\"}"), "line 1: must have a colon behind its key" },
		{ ROAS("{\"asn\":1,\"prefix\":1}"), "line 1: must be a string" },
		{ ROAS("{\"asn\":01,\"prefix\":\"1.0.0.0/8\"}"), "line 1: must be a number" },
		{ ROAS("{\"asn\":1,\"x\":tru}"), "line 1: must be a value of JSON" },
		{ ROAS("{\"asn\":1,\"x\":[1}}"), "line 1: must go on with a comma" },
		{ ROAS("{\"asn\":1,\"x\":\"\\u00g0\"}"), "line 1: must be a string of JSON" },
		{ "{\"roas\":[],\"roas\":[]}", "line 1: must have \"roas\" once" },
		{ ROAS("{\"asn\":1,\"prefix\":\"1.0.0.0/8\"}") "\nx",
		  "line 2: must end behind its object" },
		{ "{\"roas\":{}}", "line 1: must be an array" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(one(rows[i][0]), rows[i][1]);
}

static void nesting_ends_somewhere(void **state)
{
	(void)state;
	char deep[3000] = "{\"x\":";
	memset(deep + 5, '[', 2000);
	assert_string_equal(one(deep), "line 1: must not nest so deep");
}

static void every_shorter_file_is_refused(void **state)
{
	(void)state;
	char cut[sizeof(rpki_client)];
	struct faults *faults = faults_new();
	const size_t whole = sizeof(rpki_client) - 2; /* without its last line's end */
	for (size_t n = 0; n < whole; n++) {
		faults->count = 0;
		memcpy(cut, rpki_client, n);
		cut[n] = '\0';
		assert_null(read_vrps(cut, 50, faults));
	}
	faults_free(faults);
}

static size_t from_file(void *ctx, void *out, size_t room)
{
	return fread(out, 1, room, ctx);
}

/* Told apart from memory that is short, for a file that is too long stays so. */
static void one_more_than_the_most_is_refused(void **state)
{
	(void)state;
	struct vrp_table t = { 0 };
	struct vrp_making m = { .t = &t, .n = VRPS_MAX, .room = VRPS_MAX };
	const struct vrp v = { .asn = 64500 };
	assert_int_equal(vrp_making_add(&m, &v), ERR_RANGE);
}

static void recorded_files_are_read(void **state)
{
	(void)state;
	static const struct {
		const char *file;
		int64_t now;
		size_t count, expired;
	} rows[] = {
		{ "rpki/stayrtr/test.rpki.json", 1690484162, 19, 0 },
		{ "rpki/stayrtr/smalltest.rpki.json", 1627568318, 1, 1 },
		{ "rpki/routinator/111.json", 0, 2, 0 },
		{ "rpki/routinator/111.jsonext", 0, 2, 0 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		FILE *f = open_recorded(rows[i].file);
		struct vrp_table *t;
		struct faults *faults = faults_new();
		if (f != NULL) {
			assert_int_equal(vrp_read(from_file, f, rows[i].now, &t, faults), ERR_OK);
			assert_int_equal(vrp_table_about(t).count, rows[i].count);
			assert_int_equal(vrp_table_about(t).expired, rows[i].expired);
			vrp_table_free(t);
			(void)fclose(f);
		}
		faults_free(faults);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(rpki_client_is_read_in_pieces_of_any_size),
	cmocka_unit_test(routinator_names_its_sources),
	cmocka_unit_test(what_may_be_left_out_may),
	cmocka_unit_test(every_bad_vrp_is_named_with_its_line),
	cmocka_unit_test(what_is_no_such_file_is_refused_with_a_reason),
	cmocka_unit_test(nesting_ends_somewhere),
	cmocka_unit_test(every_shorter_file_is_refused),
	cmocka_unit_test(one_more_than_the_most_is_refused),
	cmocka_unit_test(recorded_files_are_read),
};
RUN_TESTS(tests)
