/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "server/auth/auth.h"
#include "tests/support/db.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64], path[80];
static struct auth_refusal refusal;
static const struct ip_addr from = { .family = IP_V4, .bytes = { 192, 0, 2, 1 } };

static int make_folder(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/p4pd-auth-XXXXXX");
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/admin.token", dir);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(dir);
}

static void write_token(const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static struct store *no_database(void)
{
	const struct store_options options = { .conninfo = "",
		                               .connections = 1,
		                               .timeout_seconds = 1 };
	struct store *s = store_new(&options);
	assert_non_null(s);
	return s;
}

static void the_admin_gets_in_without_a_database(void **state)
{
	(void)state;
	struct store *s = no_database();
	struct auth *a;
	struct fault fault;
	struct stat st;
	char header[128] = "Bearer ";
	assert_int_equal(auth_new(s, path, &a, &fault), ERR_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);

	FILE *f = fopen(path, "r");
	assert_non_null(f);
	assert_non_null(fgets(header + 7, 100, f));
	(void)fclose(f);
	header[strcspn(header, "\n")] = '\0';
	assert_int_equal(strlen(header), 7 + 5 + 64);

	struct auth_who who;
	assert_int_equal(auth_who(a, header, &from, &who, &refusal), ERR_OK);
	assert_string_equal(who.name, "admin");
	assert_string_equal(who.provider, "");
	assert_int_equal(who.role, STORE_ADMIN);
	memcpy(header, "bEARER", 6);
	assert_int_equal(auth_who(a, header, &from, &who, &refusal), ERR_OK);
	auth_free(a);

	/* The next start reads the same file. */
	assert_int_equal(auth_new(s, path, &a, &fault), ERR_OK);
	assert_int_equal(auth_who(a, header, &from, &who, &refusal), ERR_OK);

	/* One digit off could be another's token: only the database knows. */
	char *last = &header[strlen(header) - 1];
	*last = *last == '0' ? '1' : '0';
	assert_int_equal(auth_who(a, header, &from, &who, &refusal), ERR_AWAY);
	auth_free(a);
	store_free(s);
}

static void what_is_no_token_is_denied_without_asking(void **state)
{
	(void)state;
	static const char *const headers[] = {
		NULL,
		"",
		"Bearer",
		"Bearer ",
		"Bearer guess",
		"Basic YWRtaW46YWRtaW4=",
		"operators-own-admin-token",
		"Bearer operators-own-admin-tokeN",
		"Bearer operators-own-admin-token ",
		"Bearer p4pd_",
		"Bearer p4pd_xx11111111111111111111111111111111111111111111111111111111111111",
	};
	struct store *s = no_database();
	struct auth *a;
	struct fault fault;
	struct auth_who who = { .name = "untouched" };
	write_token("operators-own-admin-token\n", 0640);
	assert_int_equal(auth_new(s, path, &a, &fault), ERR_OK);
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		assert_int_equal(auth_who(a, headers[i], &from, &who, &refusal), ERR_DENIED);
	/* The tenth guess was the last of this minute; what is right works all the same. */
	assert_int_equal(auth_who(a, headers[4], &from, &who, &refusal), ERR_BUSY);
	assert_in_range(refusal.failures.wait_seconds, 1, 60);
	assert_int_equal(auth_who(a, NULL, &from, &who, &refusal), ERR_DENIED); /* no guess */
	assert_string_equal(who.name, "untouched");
	assert_int_equal(auth_who(a, "Bearer operators-own-admin-token", &from, &who, &refusal),
	                 ERR_OK);
	auth_free(a);
	store_free(s);
}

static void refuses_a_token_file_that_is_no_secret(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		mode_t mode;
		enum err err;
	} rows[] = {
		{ "operators-own-admin-token", 0644, ERR_DENIED },
		{ "operators-own-admin-token", 0620, ERR_DENIED },
		{ "", 0600, ERR_MALFORMED },
		{ "short\n", 0600, ERR_MALFORMED },
		{ "operators-own-admin-token and more\n", 0600, ERR_MALFORMED },
	};
	struct store *s = no_database();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct auth *a = NULL;
		struct fault fault;
		write_token(rows[i].text, rows[i].mode);
		assert_int_equal(auth_new(s, path, &a, &fault), rows[i].err);
		assert_string_equal(fault.where, path);
		assert_null(a);
	}
	struct auth *a = NULL;
	struct fault fault;
	assert_int_equal(auth_new(s, "/nowhere/admin.token", &a, &fault), ERR_SYSTEM);
	assert_int_equal(auth_new(s, dir, &a, &fault), ERR_SYSTEM); /* a folder */
	assert_int_equal(auth_new(s, "x/", &a, &fault), ERR_RANGE);
	store_free(s);
	auth_free(NULL);
}

static void a_made_token_opens_until_it_is_revoked(void **state)
{
	(void)state;
	struct store *s = db_store(NULL);
	struct auth *a;
	struct fault fault;
	assert_int_equal(auth_new(s, path, &a, &fault), ERR_OK);

	const struct store_token about = { .name = "ana",
		                           .role = STORE_ANALYST,
		                           .provider = "isp-a" };
	char text[AUTH_TOKEN_SIZE], again[AUTH_TOKEN_SIZE] = "untouched", header[128];
	uint64_t id = 0;
	assert_int_equal(auth_token_new(a, &about, "admin", text, &id), ERR_OK);
	assert_true(id > 0);
	assert_int_equal(auth_token_new(a, &about, "admin", again, &id), ERR_EXISTS);
	assert_string_equal(again, "untouched");

	struct auth_who who;
	(void)snprintf(header, sizeof(header), "Bearer %s", text);
	assert_int_equal(auth_who(a, header, &from, &who, &refusal), ERR_OK);
	assert_string_equal(who.name, "ana");
	assert_string_equal(who.provider, "isp-a");
	assert_int_equal(who.role, STORE_ANALYST);

	char found[8];
	db_ask("SELECT count(*) FROM tokens WHERE encode(hash, 'escape') LIKE '%p4pd%'", found,
	       sizeof(found));
	assert_string_equal(found, "0"); /* never the token itself */

	assert_int_equal(store_token_remove(s, "ana", "admin"), ERR_OK);
	assert_int_equal(auth_who(a, header, &from, &who, &refusal), ERR_DENIED);
	assert_string_equal(refusal.why, "this token was revoked");
	auth_free(a);
	store_free(s);
}

static const char *as_header(const char *token)
{
	static char header[128];
	(void)snprintf(header, sizeof(header), "Bearer %s", token);
	return header;
}

static void an_expired_or_rotated_token_says_so(void **state)
{
	(void)state;
	struct store *s = db_store(NULL);
	struct auth *a;
	struct fault fault;
	struct auth_who who;
	struct store_token t = { .name = "ana", .role = STORE_ANALYST, .provider = "isp-a" };
	char old[AUTH_TOKEN_SIZE], text[AUTH_TOKEN_SIZE];
	uint64_t id;
	assert_int_equal(auth_new(s, path, &a, &fault), ERR_OK);
	assert_int_equal(auth_token_new(a, &t, "admin", old, &id), ERR_OK);

	assert_int_equal(auth_token_rotate(a, "ana", 60, -1, "admin", text, &t), ERR_OK);
	assert_string_not_equal(old, text);
	assert_int_equal(auth_who(a, as_header(old), &from, &who, &refusal), ERR_OK);
	assert_true(who.rotated);
	assert_int_equal(auth_who(a, as_header(text), &from, &who, &refusal), ERR_OK);
	assert_false(who.rotated);
	assert_string_equal(db_state_of("UPDATE tokens SET previous_until = now()"), "");
	assert_int_equal(auth_who(a, as_header(old), &from, &who, &refusal), ERR_DENIED);
	assert_non_null(strstr(refusal.why, "rotated"));
	assert_int_equal(auth_who(a, as_header(text), &from, &who, &refusal), ERR_OK);

	assert_string_equal(db_state_of("UPDATE tokens SET expires = '2026-01-02T03:04:05Z'"), "");
	assert_int_equal(auth_who(a, as_header(text), &from, &who, &refusal), ERR_DENIED);
	assert_non_null(strstr(refusal.why, "expired at 2026-01-02T03:04:05Z"));
	assert_int_equal(auth_token_rotate(a, "ana", 0, -1, "admin", text, &t), ERR_RANGE);
	assert_int_equal(auth_token_rotate(a, "ana", 0, 4000000000, "admin", text, &t), ERR_OK);
	assert_int_equal(auth_who(a, as_header(text), &from, &who, &refusal), ERR_OK);
	assert_int_equal(auth_token_rotate(a, "bob", 0, -1, "admin", text, &t), ERR_NOT_FOUND);
	auth_free(a);
	store_free(s);
}

static void refuses_tokens_nobody_should_have(void **state)
{
	(void)state;
	struct store *s = no_database();
	struct auth *a;
	struct fault fault;
	uint64_t id;
	char text[AUTH_TOKEN_SIZE];
	assert_int_equal(auth_new(s, path, &a, &fault), ERR_OK);
	static const struct {
		struct store_token about;
		enum err err;
	} rows[] = {
		{ { .name = "", .role = STORE_ADMIN }, ERR_RANGE },
		{ { .name = "x", .role = STORE_ADMIN, .provider = "isp-a" }, ERR_RANGE },
		{ { .name = "x", .role = STORE_OPERATOR }, ERR_RANGE },
		{ { .name = "admin", .role = STORE_ADMIN }, ERR_EXISTS },
		{ { .name = "x", .role = STORE_ADMIN }, ERR_AWAY },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(auth_token_new(a, &rows[i].about, "admin", text, &id),
		                 rows[i].err);
	auth_free(a);
	store_free(s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)
static void a_passkey_is_shown_once_and_kept_as_its_hash(void **state)
{
	(void)state;
	struct store *s = db_store(NULL);
	struct auth *a;
	struct fault fault;
	char one[AUTH_PASSKEY_SIZE], two[AUTH_PASSKEY_SIZE], own[AUTH_PASSKEY_SIZE];
	struct store_passkey bob = { .name = "bob" }, eve = { .name = "eve" },
			     none = { .name = "" };
	struct store_passkey mine = { .name = "mine" }, *list;
	uint8_t hash[32];
	size_t n;
	assert_int_equal(auth_new(s, path, &a, &fault), ERR_OK);
	assert_int_equal(auth_passkey_new(a, &bob, NULL, "admin", one), ERR_OK);
	assert_int_equal(auth_passkey_new(a, &bob, NULL, "admin", two), ERR_EXISTS);
	assert_int_equal(auth_passkey_new(a, &eve, NULL, "admin", two), ERR_OK);
	assert_int_equal(strspn(one, "0123456789abcdef"), 32);
	assert_int_equal(strlen(one), 32);
	assert_string_not_equal(one, two);
	assert_int_equal(auth_passkey_new(a, &none, NULL, "admin", own), ERR_RANGE);
	static const char long_key[] = "0123456789abcdef0123456789abcdef"
				       "0123456789abcdef0123456789abcdef0";
	static const char *const bad[] = { "", "0123456789abcde", "0123456789 bcdef", long_key };
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(auth_passkey_new(a, &mine, bad[i], "admin", own), ERR_RANGE);
	assert_int_equal(auth_passkey_new(a, &mine, "0123456789ABC-_f", "admin", own), ERR_OK);
	assert_string_equal(own, "0123456789ABC-_f");

	assert_int_equal(store_passkeys(s, &list, &n), ERR_OK);
	assert_int_equal(n, 3);
	(void)crypto_generichash(hash, sizeof(hash), (const uint8_t *)one, 32, NULL, 0);
	assert_memory_equal(list[0].hash, hash, sizeof(hash)); /* what the tracker makes of it */
	free(list);
	auth_free(a);
	store_free(s);
}

static const struct CMUnitTest tests[] = {
	TEST(the_admin_gets_in_without_a_database),
	TEST(what_is_no_token_is_denied_without_asking),
	TEST(refuses_a_token_file_that_is_no_secret),
	TEST(a_made_token_opens_until_it_is_revoked),
	TEST(an_expired_or_rotated_token_says_so),
	TEST(refuses_tokens_nobody_should_have),
	TEST(a_passkey_is_shown_once_and_kept_as_its_hash),
};

RUN_TESTS(tests)
