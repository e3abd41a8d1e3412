/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/random.h"
#include "server/geo/geo.h"
#include "tests/unit/address.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How many lines geo_open() logs, and what it returns. */
static struct geo *open_counting(const char *path, size_t *lines)
{
	char log[4096];
	int ends[2];
	const int stderr_was = dup(STDERR_FILENO);
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	(void)fflush(stderr);
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	struct geo *g = geo_open(path);
	(void)fflush(stderr);
	assert_true(dup2(stderr_was, STDERR_FILENO) >= 0);
	const ssize_t size = read(ends[0], log, sizeof(log));
	*lines = 0;
	for (ssize_t i = 0; i < size; i++)
		*lines += log[i] == '\n';
	close(ends[0]);
	close(ends[1]);
	close(stderr_was);
	return g;
}

static void without_a_file_nobody_has_an_asn(void **state)
{
	(void)state;
	const struct ip_addr a = address("1.128.0.1");
	size_t lines;
	assert_null(open_counting("", &lines));
	assert_int_equal(lines, 0);
	assert_int_equal(geo_asn(NULL, &a), 0);
	geo_close(NULL);
}

static void a_file_it_cannot_use_is_one_warning(void **state)
{
	(void)state;
	static const char *const paths[] = { "/nonexistent/asn.mmdb", "/", "/proc/self/exe" };
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		size_t lines;
		assert_null(open_counting(paths[i], &lines));
		assert_int_equal(lines, 1);
	}
}

/* The path of a recorded file or folder; NULL, with a message, when it is not there. */
static const char *recorded(const char *name)
{
	static char path[PATH_MAX];
	FILE *f = open_recorded(name);
	if (f == NULL)
		return NULL;
	(void)fclose(f);
	(void)snprintf(path, sizeof(path), "%s/%s", getenv("P4P_TEST_DATA"), name);
	return path;
}

/* The published test file beside the source it was made from: '"1.0.0.0/24": {' and so on. */
static void finds_every_asn_of_the_source(void **state)
{
	(void)state;
	char line[256], prefix_text[64];
	struct ip_prefix prefix = { 0 };
	size_t checked = 0;
	unsigned asn;

	FILE *source = open_recorded("mmdb/source-data/GeoLite2-ASN-Test.json");
	const char *path = recorded("mmdb/test-data/GeoLite2-ASN-Test.mmdb");
	if (source == NULL || path == NULL)
		return;
	struct geo *g = geo_open(path);
	assert_non_null(g);
	while (fgets(line, sizeof(line), source) != NULL) {
		if (strstr(line, "\": {") != NULL && sscanf(line, " \"%63[^\"]", prefix_text) == 1)
			assert_int_equal(ip_prefix_parse(prefix_text, &prefix), ERR_OK);
		else if (sscanf(line, " \"autonomous_system_number\": %u", &asn) == 1) {
			assert_int_equal(geo_asn(g, &prefix.addr), asn);
			checked++;
		}
	}
	(void)fclose(source);
	assert_true(checked > 500);

	static const char *const strangers[] = { "10.0.0.1", "255.255.255.255", "::1", "fc00::1" };
	for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
		const struct ip_addr a = address(strangers[i]);
		assert_int_equal(geo_asn(g, &a), 0);
	}
	assert_int_equal(geo_asn(g, &(struct ip_addr){ .family = IP_NONE }), 0);
	geo_close(g);
}

static void files_of_another_kind_have_no_asn(void **state)
{
	(void)state;
	static const char *const names[] = {
		"mmdb/test-data/GeoLite2-Country-Test.mmdb",           /* maps, no such key */
		"mmdb/test-data/MaxMind-DB-string-value-entries.mmdb", /* no maps */
		"mmdb/test-data/MaxMind-DB-test-ipv4-24.mmdb",         /* no IPv6 */
	};
	const struct ip_addr a = address("1.1.1.1"), b = address("2001:db8::1");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *path = recorded(names[i]);
		if (path == NULL)
			return;
		struct geo *g = geo_open(path);
		assert_non_null(g);
		assert_int_equal(geo_asn(g, &a), 0);
		assert_int_equal(geo_asn(g, &b), 0);
		geo_close(g);
	}
}

static void ask_around(const struct geo *g)
{
	uint64_t seed = 1;
	for (size_t i = 0; i < 2000; i++) {
		uint8_t bytes[16];
		for (size_t k = 0; k < sizeof(bytes); k++)
			bytes[k] = (uint8_t)random_next(&seed);
		bytes[0] = i % 2 == 0 ? 0x20 : 0;
		const struct ip_addr v4 = ip_from_bytes(bytes + 4, 4);
		const struct ip_addr v6 = ip_from_bytes(bytes, 16);
		(void)geo_asn(g, &v4);
		(void)geo_asn(g, &v6);
	}
}

/* Whole, broken on purpose, and damaged at random: some open, none may hurt. */
static void survives_every_file(void **state)
{
	(void)state;
	char path[PATH_MAX], damaged[] = "/tmp/test-geo-XXXXXX";
	static unsigned char bytes[1 << 20];
	size_t files = 0;
	uint64_t seed = 7;

	const char *folder = recorded("mmdb/test-data");
	if (folder == NULL)
		return;
	DIR *dir = opendir(folder);
	assert_non_null(dir);
	const int fd = mkstemp(damaged);
	assert_true(fd >= 0);
	for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		if (strstr(entry->d_name, ".mmdb") == NULL)
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		size_t lines;
		struct geo *g = open_counting(path, &lines);
		assert_int_equal(lines, g == NULL);
		ask_around(g);
		geo_close(g);
		files++;

		FILE *f = fopen(path, "rb");
		assert_non_null(f);
		const size_t size = fread(bytes, 1, sizeof(bytes), f);
		(void)fclose(f);
		for (size_t round = 0; round < 10; round++) {
			bytes[random_below(&seed, (uint32_t)size)] = (uint8_t)random_next(&seed);
			assert_int_equal(ftruncate(fd, 0), 0);
			assert_int_equal(pwrite(fd, bytes, size, 0), size);
			g = open_counting(damaged, &lines);
			ask_around(g);
			geo_close(g);
		}
	}
	closedir(dir);
	close(fd);
	unlink(damaged);
	assert_true(files > 10);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(without_a_file_nobody_has_an_asn),
	cmocka_unit_test(a_file_it_cannot_use_is_one_warning),
	cmocka_unit_test(finds_every_asn_of_the_source),
	cmocka_unit_test(files_of_another_kind_have_no_asn),
	cmocka_unit_test(survives_every_file),
};

RUN_TESTS(tests)
