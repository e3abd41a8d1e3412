/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "tools/p4pctl/verdict.h"

#include <string.h>

#define INFO    "4:infod6:lengthi5e4:name1:a12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaa"
#define OPEN    INFO "e"
#define PRIVATE INFO "7:privatei1ee"
#define OURS    "8:announce24:udp://t.example:6969/ann"
#define NODES   "5:nodesll1:xi1eee"

/* All words of a verdict, each before a blank. */
static enum effect judge(const char *torrent, const struct ours *ours, char words[static 200])
{
	struct torrent t;
	struct fault fault = { 0 };
	size_t byte;
	if (torrent_read(torrent, strlen(torrent), &t, &fault, &byte) != ERR_OK)
		fail_msg("%s: %s %s (%zu)", torrent, fault.where, fault.text, byte);
	const struct verdict v = verdict_of(&t, ours);
	words[0] = '\0';
	for (size_t i = 0; i < v.n; i++)
		(void)snprintf(words + strlen(words), 200 - strlen(words), "%s ", v.list[i].kind);
	torrent_done(&t);
	return v.worst;
}

static void says_what_steering_can_do(void **state)
{
	(void)state;
	static const struct {
		const char *torrent, *words;
		enum effect worst;
	} rows[] = {
		{ "d" OURS PRIVATE "e", "", EFFECT_NOTE },
		{ "d" OURS OPEN "e", "not-private ", EFFECT_NONE },
		{ "d" OURS INFO "7:privatei0eee", "not-private ", EFFECT_NONE },
		{ "d" OURS INFO "7:privatei2eee", "not-private private-odd ", EFFECT_NONE },
		{ "d" OURS INFO "7:private1:1ee", "not-private private-odd ", EFFECT_NONE },
		{ "d" OURS OPEN "7:privatei1ee", "not-private private-outside-info ", EFFECT_NONE },
		{ "d" PRIVATE "e", "no-tracker-of-ours ", EFFECT_NONE },
		{ "d8:announce18:udp://u.example:69" PRIVATE "e",
		  "no-tracker-of-ours foreign-tracker ", EFFECT_NONE },
		{ "d8:announce20:udp://t.example:6970" PRIVATE "e",
		  "no-tracker-of-ours foreign-tracker ", EFFECT_NONE },
		{ "d" OURS "13:announce-listll24:udp://t.example:6969/annel10:http://u/aee" PRIVATE
		  "e",
		  "foreign-tracker ", EFFECT_PART },
		{ "d" OURS "13:announce-listll20:http://t.example:696ee" PRIVATE "e",
		  "no-tracker-of-ours foreign-tracker announce-overruled ", EFFECT_NONE },
		{ "d" OURS "13:announce-listll22:http://t.example:6969/ee" PRIVATE "e",
		  "announce-overruled ", EFFECT_NOTE },
		{ "d" OURS PRIVATE "8:url-list8:http://we", "web-seed ", EFFECT_PART },
		{ "d" OURS "9:httpseedsl8:http://we" PRIVATE "e", "web-seed ", EFFECT_PART },
		{ "d" OURS PRIVATE NODES "e", "private-with-nodes ", EFFECT_NOTE },
		{ "d" OURS OPEN NODES "e", "not-private ", EFFECT_NONE },
		{ "d8:announce20:wss://t.example:6969" OPEN "e", "browsers-only web-tracker ",
		  EFFECT_PART },
		{ "d8:announce20:wss://t.example:6969" PRIVATE "e", "web-tracker ", EFFECT_NOTE },
		{ "d" OURS
		  "13:announce-listll24:udp://t.example:6969/annel20:wss://t.example:6969ee" OPEN
		  "e",
		  "not-private web-tracker ", EFFECT_NONE },
		{ "d8:announce20:ftp://t.example:6969" PRIVATE "e",
		  "no-tracker-of-ours unknown-scheme ", EFFECT_NONE },
	};
	struct tracker_url url;
	assert_true(tracker_url_parse("http://t.example:6969/announce", 30, &url));
	const struct ours ours = { .list = &url, .n = 1 };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char words[200];
		const enum effect worst = judge(rows[i].torrent, &ours, words);
		assert_string_equal(words, rows[i].words);
		assert_int_equal(worst, rows[i].worst);
	}
}

static void a_host_may_be_all_that_is_known(void **state)
{
	(void)state;
	struct tracker_url url;
	char words[200];
	assert_true(tracker_url_parse("http://t.example:8080", 21, &url));
	struct ours ours = { .list = &url, .n = 1, .any_port = true };
	assert_int_equal(judge("d" OURS PRIVATE "e", &ours, words), EFFECT_NOTE);
	ours.any_port = false;
	assert_int_equal(judge("d" OURS PRIVATE "e", &ours, words), EFFECT_NONE);
	ours.n = 0;
	assert_int_equal(judge("d" OURS PRIVATE "e", &ours, words), EFFECT_NONE);
}

static void has_words_for_the_whole(void **state)
{
	(void)state;
	assert_string_equal(verdict_word(EFFECT_NOTE), "binds");
	assert_string_equal(verdict_word(EFFECT_PART), "binds in part");
	assert_string_equal(verdict_word(EFFECT_NONE), "does not bind");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(says_what_steering_can_do),
	cmocka_unit_test(a_host_may_be_all_that_is_known),
	cmocka_unit_test(has_words_for_the_whole),
};

RUN_TESTS(tests)
