/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/random.h"
#include "common/ip/cover.h"

#include <string.h>

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix p;
	assert_int_equal(ip_prefix_parse(text, &p), ERR_OK);
	return p;
}

static struct cover *build(const char *const *texts, size_t n)
{
	struct cover *c;
	struct lpm_entry *entries = calloc(n + 1, sizeof(*entries));
	assert_non_null(entries);
	for (size_t i = 0; i < n; i++)
		entries[i] = (struct lpm_entry){ prefix(texts[i]), (uint32_t)i };
	assert_int_equal(cover_build(entries, n, &c), ERR_OK);
	return c;
}

/* Values of all that cover `text`, nearest first: "3 1 ". */
static const char *around(const struct cover *c, const char *text)
{
	static char out[256];
	const struct ip_prefix p = prefix(text);
	size_t n = 0;
	out[0] = '\0';
	for (uint32_t i = cover_find(c, &p); i != COVER_NONE; i = cover_around(c, i))
		n += (size_t)snprintf(out + n, sizeof(out) - n, "%u ", cover_at(c, i)->value);
	return out;
}

static void all_that_cover_a_prefix_are_found_nearest_first(void **state)
{
	(void)state;
	static const char *const set[] = { "10.0.0.0/8",    "0.0.0.0/0",         "10.1.0.0/16",
		                           "10.1.0.0/16",   "10.1.2.0/24",       "2001:db8::/32",
		                           "2001:db8::/96", "2001:db8:0:1::/64", "10.2.0.0/16" };
	struct cover *c = build(set, sizeof(set) / sizeof(set[0]));
	assert_string_equal(around(c, "10.1.2.0/24"), "4 3 2 0 1 ");
	assert_string_equal(around(c, "10.1.2.128/25"), "4 3 2 0 1 ");
	assert_string_equal(around(c, "10.1.0.0/17"), "3 2 0 1 ");
	assert_string_equal(around(c, "10.0.0.0/7"), "1 ");
	assert_string_equal(around(c, "10.3.0.0/16"), "0 1 ");
	assert_string_equal(around(c, "2001:db8::1/128"), "6 5 ");
	assert_string_equal(around(c, "2001:db8::/64"), "5 ");
	assert_string_equal(around(c, "2001:db8:0:1:8000::/65"), "7 5 ");
	assert_string_equal(around(c, "2001:db9::/32"), "");
	cover_free(c);
}

static void an_empty_set_covers_nothing(void **state)
{
	(void)state;
	struct cover *c = build(NULL, 0);
	assert_string_equal(around(c, "10.0.0.0/8"), "");
	assert_string_equal(around(c, "::/0"), "");
	cover_free(c);
}

static struct ip_prefix random_prefix(uint64_t *seed)
{
	static const char *const bases[] = { "10.0.0.0/8", "2001:db8::/32" };
	struct ip_prefix p = prefix(bases[random_next(seed) % 2]);
	const unsigned whole = p.addr.family == IP_V4 ? 32 : 128;
	p.length = (uint8_t)(random_next(seed) % (whole + 1));
	/* Few bits differ, so that much nests. */
	for (unsigned k = 0; k < 4; k++) {
		const unsigned bit = (unsigned)(random_next(seed) % whole);
		p.addr.bytes[bit / 8] ^= (uint8_t)(0x80U >> bit % 8);
	}
	for (unsigned bit = p.length; bit < whole; bit++)
		p.addr.bytes[bit / 8] &= (uint8_t) ~(0x80U >> bit % 8);
	return p;
}

static void random_sets_answer_as_a_list_does(void **state)
{
	(void)state;
	enum { ENTRIES = 300, QUESTIONS = 2000 };
	uint64_t seed = 7;
	struct cover *c;
	struct lpm_entry model[ENTRIES], *entries = calloc(ENTRIES, sizeof(*entries));
	assert_non_null(entries);
	for (uint32_t i = 0; i < ENTRIES; i++)
		model[i] = entries[i] = (struct lpm_entry){ random_prefix(&seed), i };
	assert_int_equal(cover_build(entries, ENTRIES, &c), ERR_OK);
	for (size_t q = 0; q < QUESTIONS; q++) {
		const struct ip_prefix p = q < ENTRIES ? model[q].prefix : random_prefix(&seed);
		size_t covering = 0, inside = 0, found = 0;
		for (size_t i = 0; i < ENTRIES; i++) {
			covering += ip_prefix_covers(&model[i].prefix, &p);
			inside += ip_prefix_covers(&p, &model[i].prefix) &&
			          model[i].prefix.length > p.length;
		}
		unsigned length = 128;
		for (uint32_t i = cover_find(c, &p); i != COVER_NONE; i = cover_around(c, i)) {
			assert_true(ip_prefix_covers(&cover_at(c, i)->prefix, &p));
			assert_true(cover_at(c, i)->prefix.length <= length);
			length = cover_at(c, i)->prefix.length;
			found++;
		}
		assert_int_equal(found, covering);
		found = 0;
		for (uint32_t i = cover_behind(c, &p);
		     i < cover_count(c) && ip_prefix_covers(&p, &cover_at(c, i)->prefix); i++)
			found++;
		assert_int_equal(found, inside);
	}
	cover_free(c);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(all_that_cover_a_prefix_are_found_nearest_first),
	cmocka_unit_test(an_empty_set_covers_nothing),
	cmocka_unit_test(random_sets_answer_as_a_list_does),
};
RUN_TESTS(tests)
