/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "server/claims/claims.h"
#include "tests/support/db.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static char path[] = "/tmp/p4pd-claims-XXXXXX";
static struct store *store;

/* A file by which AS `asn` holds 20.0.0.0/8. */
static void write_file(unsigned asn)
{
	char beside[sizeof(path) + 4];
	(void)snprintf(beside, sizeof(beside), "%s.new", path);
	FILE *f = fopen(beside, "w");
	assert_non_null(f);
	if (asn > 0)
		assert_true(fprintf(f, "{\"roas\":[{\"asn\":%u,\"prefix\":\"20.0.0.0/8\"}]}", asn) >
		            0);
	else
		assert_true(fputs("{\"roas\":[{", f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(rename(beside, path), 0);
}

static int begin(void **state)
{
	(void)state;
	const int fd = mkstemp(path);
	store = db_store(NULL);
	return fd < 0 ? -1 : close(fd);
}

static int finish(void **state)
{
	(void)state;
	store_free(store);
	return unlink(path);
}

static struct claims *start(enum claims_unknown unknown)
{
	const struct claims_settings s = { .file = path, .unknown = unknown };
	struct claims *c = claims_start(&s, store);
	assert_non_null(c);
	return c;
}

/* "kind" of the first fault, or of the first warning, or "". */
static const char *judge(struct claims *c, enum claims_basis basis, const char *prefix)
{
	static char out[64];
	struct ip_prefix p;
	uint32_t asns[] = { 64500 };
	struct map_pid pid = { .name = "p", .prefixes = &p, .n_prefixes = 1 };
	const struct map_topology t = {
		.provider = "isp-a", .asns = asns, .n_asns = 1, .pids = &pid, .n_pids = 1
	};
	struct faults *faults = faults_new(), *warnings = faults_new();
	assert_int_equal(ip_prefix_parse(prefix, &p), ERR_OK);
	const enum err e = claims_judge(c, "isp-a", &t, basis, faults, warnings);
	assert_int_equal(e, faults->count > 0 ? ERR_MALFORMED : ERR_OK);
	(void)snprintf(out, sizeof(out), "%s",
	               faults->count > 0     ? faults->list[0].kind
	               : warnings->count > 0 ? warnings->list[0].kind
	                                     : "");
	faults_free(faults);
	faults_free(warnings);
	return out;
}

static void wait_for_read(struct claims *c, uint64_t read, uint64_t refused)
{
	for (int i = 0; i < 1000; i++) {
		const struct claims_stats s = claims_stats(c);
		if (s.read == read && s.refused == refused)
			return;
		(void)usleep(20000);
	}
	fail_msg("no such reading");
}

static void what_admins_say_holds_at_once(void **state)
{
	(void)state;
	static const uint32_t mine[] = { 64500 }, other[] = { 64501 };
	write_file(64500);
	struct claims *c = start(CLAIMS_DELEGATED);
	assert_string_equal(judge(c, CLAIMS_NOW, "20.1.0.0/16"), "unbound");
	assert_int_equal(store_asns_set(store, "isp-b", mine, 1, "root"), ERR_OK);
	assert_string_equal(judge(c, CLAIMS_NOW, "20.1.0.0/16"), "not-bound");
	assert_int_equal(store_asns_set(store, "isp-a", mine, 1, "root"), ERR_OK);
	assert_string_equal(judge(c, CLAIMS_NOW, "20.1.0.0/16"), "");
	assert_int_equal(store_asns_set(store, "isp-a", other, 1, "root"), ERR_OK);
	assert_string_equal(judge(c, CLAIMS_KNOWN, "20.1.0.0/16"), "");
	assert_string_equal(judge(c, CLAIMS_NOW, "20.1.0.0/16"), "not-bound");
	assert_string_equal(judge(c, CLAIMS_KNOWN, "20.1.0.0/16"), "not-bound");
	assert_int_equal(store_asns_set(store, "isp-a", mine, 1, "root"), ERR_OK);

	assert_string_equal(judge(c, CLAIMS_NOW, "50.1.0.0/16"), "rpki-unknown");
	assert_int_equal(store_delegation_add(store, "isp-a", "50.0.0.0/8", "root"), ERR_OK);
	assert_string_equal(judge(c, CLAIMS_NOW, "50.1.0.0/16"), "");
	assert_int_equal(store_delegation_add(store, "isp-b", "50.1.0.0/16", "root"), ERR_OK);
	assert_string_equal(judge(c, CLAIMS_NOW, "50.1.0.0/16"), "delegated");
	assert_int_equal(store_delegation_remove(store, "isp-b", "50.1.0.0/16", "root"), ERR_OK);
	claims_stop(c);
}

static atomic_int told;

static void note(void *ctx)
{
	(void)judge(*(struct claims **)ctx, CLAIMS_KNOWN, "20.1.0.0/16");
	atomic_fetch_add(&told, 1);
}

static void a_bad_file_keeps_the_old_vrps(void **state)
{
	(void)state;
	write_file(64500);
	struct claims *c = start(CLAIMS_WARN);
	const struct claims_settings same = { .file = path };
	claims_watch(c, note, &c);
	write_file(0); /* cut short */
	claims_reload(c, &same);
	wait_for_read(c, 1, 1);
	assert_string_equal(judge(c, CLAIMS_NOW, "20.1.0.0/16"), "");
	assert_int_equal(claims_stats(c).vrps, 1);
	write_file(64501);
	claims_reload(c, &same);
	wait_for_read(c, 2, 1);
	assert_string_equal(judge(c, CLAIMS_NOW, "20.1.0.0/16"), "rpki-invalid");
	for (int i = 0; i < 100 && atomic_load(&told) < 2; i++)
		(void)usleep(20000);
	assert_true(atomic_load(&told) >= 2);

	const struct claims_settings none = { .file = "" };
	claims_reload(c, &none);
	for (int i = 0; i < 100 && claims_stats(c).vrps > 0; i++)
		(void)usleep(20000);
	assert_string_equal(judge(c, CLAIMS_NOW, "20.1.0.0/16"), "");
	claims_stop(c);
}

static void a_changed_file_is_read_without_being_told(void **state)
{
	(void)state;
	write_file(0);
	struct claims *c = start(CLAIMS_WARN);
	assert_string_equal(judge(c, CLAIMS_NOW, "20.1.0.0/16"), "rpki-unchecked");
	assert_int_equal(claims_stats(c).made, 0);
	write_file(64501);
	wait_for_read(c, 1, 1);
	assert_string_equal(judge(c, CLAIMS_NOW, "20.1.0.0/16"), "rpki-invalid");
	claims_stop(c);
}

static void write_expiring(int64_t seconds)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fprintf(f,
	                    "{\"roas\":[{\"asn\":64500,\"prefix\":\"20.0.0.0/8\",\"expires\":%lld},"
	                    "{\"asn\":64501,\"prefix\":\"30.0.0.0/8\"}]}",
	                    (long long)time(NULL) + seconds) > 0);
	assert_int_equal(fclose(f), 0);
}

static void a_vrp_that_expires_counts_no_more(void **state)
{
	(void)state;
	write_expiring(2);
	struct claims *c = start(CLAIMS_REFUSE);
	assert_int_equal(claims_stats(c).vrps, 2);
	assert_string_not_equal(judge(c, CLAIMS_NOW, "20.1.0.0/16"), "rpki-unknown");
	wait_for_read(c, 2, 0);
	assert_int_equal(claims_stats(c).vrps, 1);
	assert_int_equal(claims_stats(c).expired, 1);
	assert_string_equal(judge(c, CLAIMS_NOW, "20.1.0.0/16"), "rpki-unknown");
	claims_stop(c);
}

/* Nobody opens a file any more; returns how many could be open. */
static rlim_t open_none(void)
{
	struct rlimit l;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &l), 0);
	const rlim_t before = l.rlim_cur;
	l.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &l), 0);
	return before;
}

static void open_again(rlim_t before)
{
	struct rlimit l;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &l), 0);
	l.rlim_cur = before;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &l), 0);
}

static void a_reading_at_expiry_that_fails_is_tried_again(void **state)
{
	(void)state;
	struct claims *c;
	rlim_t before;
	for (int64_t seconds = 2;; seconds *= 2) { /* until nobody was too late */
		write_expiring(seconds);
		c = start(CLAIMS_REFUSE);
		before = open_none();
		const struct claims_stats s = claims_stats(c);
		if (s.read == 1 && s.vrps == 2)
			break;
		open_again(before);
		claims_stop(c);
	}
	wait_for_read(c, 1, 1);
	open_again(before);
	wait_for_read(c, 2, 1);
	assert_string_equal(judge(c, CLAIMS_NOW, "20.1.0.0/16"), "rpki-unknown");
	claims_stop(c);
}

static void a_changed_file_that_is_not_read_is_tried_again(void **state)
{
	(void)state;
	write_file(64500);
	struct claims *c = start(CLAIMS_WARN);
	const struct claims_settings same = { .file = path };
	write_file(64501);
	const rlim_t before = open_none();
	claims_reload(c, &same);
	for (int i = 0; i < 1000 && claims_stats(c).refused == 0; i++)
		(void)usleep(20000);
	open_again(before);
	for (int i = 0; i < 1000 && judge(c, CLAIMS_NOW, "20.1.0.0/16")[0] == '\0'; i++)
		(void)usleep(20000);
	assert_string_equal(judge(c, CLAIMS_NOW, "20.1.0.0/16"), "rpki-invalid");
	claims_stop(c);
}

static void without_the_store_what_is_known_must_do(void **state)
{
	(void)state;
	const struct store_options o = { .conninfo = "", .connections = 1, .timeout_seconds = 1 };
	struct store *nowhere = store_new(&o);
	const struct claims_settings s = { .file = "" };
	struct claims *c = claims_start(&s, nowhere);
	struct faults *faults = faults_new(), *warnings = faults_new();
	const struct map_topology t = { .provider = "isp-a" };
	assert_int_equal(claims_judge(c, "isp-a", &t, CLAIMS_NOW, faults, warnings), ERR_AWAY);
	assert_int_equal(claims_judge(c, "isp-a", &t, CLAIMS_SOON, faults, warnings), ERR_OK);
	assert_string_equal(warnings->list[0].kind, "claims-last-known");
	claims_stop(c);
	store_free(nowhere);
	faults_free(faults);
	faults_free(warnings);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(what_admins_say_holds_at_once),
	cmocka_unit_test(a_bad_file_keeps_the_old_vrps),
	cmocka_unit_test(a_changed_file_is_read_without_being_told),
	cmocka_unit_test(a_vrp_that_expires_counts_no_more),
	cmocka_unit_test(a_reading_at_expiry_that_fails_is_tried_again),
	cmocka_unit_test(a_changed_file_that_is_not_read_is_tried_again),
	cmocka_unit_test(without_the_store_what_is_known_must_do),
};

int main(void)
{
	return cmocka_run_group_tests(tests, begin, finish);
}
