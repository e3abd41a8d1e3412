/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/random.h"

#include "tests/unit/flow/sets.h"

static const struct spec bytes_first[] = { { 1, 4, 0 }, { 2, 4, 0 } };
static const struct spec packets_first[] = { { 2, 4, 0 }, { 1, 4, 0 } };

static void put_record(struct bench *b, unsigned id)
{
	const size_t at = set_begin(b, id);
	u32(b, 1000);
	u32(b, 10);
	set_end(b, at);
}

static void learn(struct bench *b, uint32_t domain, unsigned id, const struct spec *specs)
{
	ipfix_header(b, 0);
	b->bytes[15] = (uint8_t)domain;
	put_template(b, 2, id, specs, 2);
	assert_ok(b, send_ipfix(b));
}

/* Whether a record of that template is understood. */
static bool knows(struct bench *b, uint32_t domain, unsigned id)
{
	ipfix_header(b, 0);
	b->bytes[15] = (uint8_t)domain;
	put_record(b, id);
	assert_ok(b, send_ipfix(b));
	return b->count == 1;
}

static void come_again_or_change(void **state)
{
	struct bench b;
	(void)state;
	begin(&b, NULL);
	assert_false(knows(&b, 1, 256));
	for (unsigned i = 0; i < 3; i++)
		learn(&b, 1, 256, bytes_first);
	assert_int_equal(flow_decoder_stats(b.d).learnt, 1);
	assert_true(knows(&b, 1, 256));
	assert_int_equal(b.records[0].bytes, 1000);
	learn(&b, 1, 256, packets_first);
	assert_true(knows(&b, 1, 256));
	assert_int_equal(b.records[0].bytes, 10);
	assert_int_equal(flow_decoder_stats(b.d).learnt, 2);
	assert_int_equal(flow_decoder_stats(b.d).templates, 1);
	assert_false(knows(&b, 2, 256)); /* another domain */
	b.exporter = ip_v4(1);
	assert_false(knows(&b, 1, 256)); /* another exporter */
	assert_int_equal(flow_decoder_stats(b.d).before_template, 3);
	end(&b);
}

static void are_refused_when_useless(void **state)
{
	struct bench b;
	(void)state;
	begin(&b, &(struct flow_limits){ .fields = 3 });
	learn(&b, 1, 256, bytes_first);
	ipfix_header(&b, 0); /* too many fields: the old one is gone, the next one is read */
	b.bytes[15] = 1;
	const size_t at = set_begin(&b, 2);
	u32(&b, 256 << 16 | 4);
	for (unsigned i = 0; i < 4; i++)
		put_spec(&b, bytes_first[0]);
	u32(&b, 257 << 16 | 2);
	put_spec(&b, bytes_first[0]);
	put_spec(&b, bytes_first[1]);
	u32(&b, 258 << 16 | 1); /* a record of no length */
	put_spec(&b, (struct spec){ 1, 0, 0 });
	u32(&b, 255 << 16 | 1); /* no number of a template */
	put_spec(&b, bytes_first[0]);
	u32(&b, 259 << 16 | 2); /* longer than a set can be */
	put_spec(&b, (struct spec){ 1, 65534, 0 });
	put_spec(&b, (struct spec){ 2, 65534, 0 });
	set_end(&b, at);
	assert_ok(&b, send_ipfix(&b));
	assert_int_equal(flow_decoder_stats(b.d).refused, 4);
	assert_false(knows(&b, 1, 256));
	assert_true(knows(&b, 1, 257));
	end(&b);
}

static void are_forgotten_when_idle(void **state)
{
	struct bench b;
	(void)state;
	begin(&b, NULL);
	learn(&b, 1, 256, bytes_first);
	learn(&b, 1, 257, bytes_first);
	for (unsigned i = 0; i < 4; i++) { /* use keeps one */
		b.now_ms += 10 * 60000;
		assert_true(knows(&b, 1, 256));
	}
	assert_false(knows(&b, 1, 257));
	assert_int_equal(flow_decoder_stats(b.d).expired, 1);
	b.now_ms += 30 * 60000 + 60001; /* all are silent; somebody else speaks */
	b.exporter = ip_v4(1);
	assert_false(knows(&b, 1, 256));
	const struct flow_stats s = flow_decoder_stats(b.d);
	assert_int_equal(s.expired, 2);
	assert_int_equal(s.templates, 0);
	assert_int_equal(s.exporters, 1);
	end(&b);
}

static void make_room_by_use(void **state)
{
	struct bench b;
	(void)state;
	begin(&b, &(struct flow_limits){ .templates = 3 });
	for (unsigned id = 256; id < 259; id++) {
		learn(&b, id & 1, id, bytes_first); /* the quota is the exporter's, over domains */
		b.now_ms++;
	}
	assert_true(knows(&b, 0, 256));
	b.now_ms++;
	learn(&b, 5, 300, bytes_first);
	assert_int_equal(flow_decoder_stats(b.d).templates, 3);
	assert_int_equal(flow_decoder_stats(b.d).evicted, 1);
	assert_false(knows(&b, 1, 257));
	assert_true(knows(&b, 0, 256));
	assert_true(knows(&b, 0, 258));
	assert_true(knows(&b, 5, 300));
	end(&b);
}

static void exporters_and_domains_make_room(void **state)
{
	struct bench b;
	(void)state;
	begin(&b, &(struct flow_limits){ .exporters = 4, .domains = 3 });
	for (uint32_t i = 0; i < 20; i++) {
		b.exporter = ip_v4(0x0a000000 + i);
		learn(&b, 1, 256, bytes_first);
		b.now_ms++;
	}
	assert_int_equal(flow_decoder_stats(b.d).exporters, 4);
	assert_true(knows(&b, 1, 256));
	for (uint32_t i = 2; i < 20; i++)
		learn(&b, i, 256, bytes_first);
	const struct flow_stats s = flow_decoder_stats(b.d);
	assert_int_equal(s.domains, 3 + 3);
	assert_int_equal(s.templates, 3 + 3);
	assert_int_equal(s.exporters_evicted, 16 + 16);
	assert_true(knows(&b, 19, 256));
	assert_false(knows(&b, 1, 256));
	end(&b);
}

/* Random learning, using and withdrawing against an array. */
static void agree_with_a_model(void **state)
{
	enum { IDS = 40 };
	struct bench b;
	uint64_t seed = 11;
	int model[IDS] = { 0 }; /* 0 none, 1 bytes first, 2 packets first */
	(void)state;
	begin(&b, NULL);
	for (unsigned i = 0; i < 5000; i++) {
		const uint32_t k = random_below(&seed, IDS), what = random_below(&seed, 4);
		if (what < 2) {
			learn(&b, 1, 256 + k, what == 0 ? bytes_first : packets_first);
			model[k] = (int)what + 1;
		} else if (what == 2) {
			ipfix_header(&b, 0);
			b.bytes[15] = 1;
			put_template(&b, 2, 256 + k, NULL, 0);
			assert_ok(&b, send_ipfix(&b));
			model[k] = 0;
		} else if (knows(&b, 1, 256 + k)) {
			assert_int_equal(b.records[0].bytes, model[k] == 1 ? 1000 : 10);
		} else {
			assert_int_equal(model[k], 0);
		}
		uint32_t count = 0;
		for (unsigned j = 0; j < IDS; j++)
			count += model[j] != 0;
		assert_int_equal(flow_decoder_stats(b.d).templates, count);
	}
	end(&b);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(come_again_or_change),
	cmocka_unit_test(are_refused_when_useless),
	cmocka_unit_test(are_forgotten_when_idle),
	cmocka_unit_test(make_room_by_use),
	cmocka_unit_test(exporters_and_domains_make_room),
	cmocka_unit_test(agree_with_a_model),
};

RUN_TESTS(tests)
