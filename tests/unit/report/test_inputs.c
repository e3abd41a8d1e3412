/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "server/report/inputs.h"

#include <string.h>

static const char document[] =
	"{\"format\":\"p4p-contract/1\",\"provider\":\"isp-a\",\"id\":\"c-17\",\"interconnects\":"
	"[\"a-1\",\"a-2\"],\"model\":\"flat\",\"commit_mbps\":1,\"unit_price\":\"1\",\"currency\":"
	"\"EUR\"}\n";

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HEAD                                                            \
	"p4p-statement-inputs/3\nprovider isp-a\ncontract c-17 3 " HASH \
	"\nperiod 300 1200 300\nsource flow\n"
#define LINES "interconnect a-1 0 375\ninterconnect a-2 0 0\n"
#define BINS                          \
	"bin 0 300 10 20 - - 300 0\n" \
	"bin 0 900 11 21 1 2 290 1\n" \
	"bin 1 600 18446744073709551615 22 - - 300 16\n"

static void write_all(const char *middle, struct text *out)
{
	text_printf(out, "%sdocument %zu\n%s", middle, sizeof(document) - 1, document);
}

static void comes_back_byte_for_byte(void **state)
{
	(void)state;
	struct text in = { 0 }, out = { 0 };
	struct contract_case c;
	struct fault fault = { 0 };
	struct store_agreement about = { .document = (char[sizeof(document)]){ 0 },
		                         .size = sizeof(document) - 1 };
	uint64_t version;
	char sha256[65];
	memcpy(about.document, document, sizeof(document));
	write_all(HEAD LINES BINS, &in);
	assert_int_equal(inputs_read(in.bytes, in.size, &c, &version, sha256, &fault), ERR_OK);
	assert_int_equal(version, 3);
	assert_string_equal(sha256, HASH);
	const struct metering *m = &c.metering;
	assert_true(m->bins == 3 && m->closed == 3 && m->n == 2 && m->n_rows == 3);
	assert_true(m->has_source && m->source == STORE_FLOW);
	assert_true(m->series[0].bins[0].known && !m->series[0].bins[1].known);
	assert_int_equal(m->series[0].bins[2].out_bytes, 11);
	assert_int_equal(m->series[0].capacity_bytes, 375);
	assert_true(m->series[1].bins[1].out_bytes == UINT64_MAX);
	assert_true(m->quality.expected == 6 && m->quality.known == 3 && m->quality.late == 1);
	about.version = version;
	memcpy(about.sha256, sha256, sizeof(sha256));
	assert_int_equal(inputs_write(&c, &about, &out), ERR_OK);
	assert_string_equal(out.bytes, in.bytes);
	contract_case_done(&c);
	text_done(&out);
	text_done(&in);
}

static void refuses_what_is_not_canonical(void **state)
{
	(void)state;
	static const struct {
		const char *middle, *where;
	} rows[] = {
		{ "", "line 1" },
		{ "p4p-statement-inputs/4\n", "line 1" },
		{ HEAD, "line 6" },
		{ HEAD LINES "bin 0 300 10 20 - - 300\n", "line 8" },
		{ HEAD LINES "bin 2 300 10 20 - - 300 0\n", "line 8" },
		{ HEAD LINES "bin 0 300 -1 20 - - 300 0\n", "line 8" },
		{ HEAD LINES "bin 0 300 10 20 - 5 300 0\n", "line 8" },
		{ HEAD LINES "bin 0 300 10 20 - - 300 0 \n", "line 8" },
		{ HEAD LINES "bin  0 300 10 20 - - 300 0\n", "line 8" },
		{ HEAD LINES "bin 0 301 10 20 - - 300 0\n", "line 9" }, /* no bin's beginning */
		{ HEAD LINES "bin 0 1200 10 20 - - 300 0\n", "line 9" },
		{ HEAD "interconnect a-1 0 375\n", "line 7" }, /* the document has two */
		{ HEAD LINES BINS "more\n", "line 11" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text in = { 0 };
		struct contract_case c;
		struct fault fault = { 0 };
		uint64_t version;
		char sha256[65];
		write_all(rows[i].middle, &in);
		const enum err e = inputs_read(in.bytes, in.size, &c, &version, sha256, &fault);
		if (e != ERR_MALFORMED || strcmp(fault.where, rows[i].where) != 0)
			fail_msg("row %zu: %s at %s: %s", i, err_name(e), fault.where, fault.text);
		text_done(&in);
	}
}

/* Cut anywhere, it is refused; nothing is read beyond its end. */
static void refuses_what_was_cut(void **state)
{
	(void)state;
	struct text in = { 0 };
	write_all(HEAD LINES BINS, &in);
	for (size_t size = 0; size < in.size; size++) {
		struct contract_case c;
		struct fault fault = { 0 };
		uint64_t version;
		char sha256[65], *part = malloc(size + 1);
		assert_non_null(part);
		memcpy(part, in.bytes, size);
		assert_int_equal(inputs_read(part, size, &c, &version, sha256, &fault),
		                 ERR_MALFORMED);
		free(part);
	}
	text_done(&in);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(comes_back_byte_for_byte),
	cmocka_unit_test(refuses_what_is_not_canonical),
	cmocka_unit_test(refuses_what_was_cut),
};

RUN_TESTS(tests)
