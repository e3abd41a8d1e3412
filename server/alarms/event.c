/* SPDX-License-Identifier: Apache-2.0 */
#include "server/alarms/event.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

void event_alarm_id(const char *rule, const char *provider, const char *subject,
                    char out[static STORE_ALARM_ID])
{
	uint8_t hash[crypto_generichash_BYTES_MIN];
	crypto_generichash_state state;
	const char *const parts[] = { rule, provider, subject };
	(void)crypto_generichash_init(&state, NULL, 0, sizeof(hash));
	for (size_t i = 0; i < 3; i++) /* with the NUL, so that none runs into the next */
		(void)crypto_generichash_update(&state, (const unsigned char *)parts[i],
		                                strlen(parts[i]) + 1);
	(void)crypto_generichash_final(&state, hash, sizeof(hash));
	text_hex(hash, (STORE_ALARM_ID - 1) / 2, out);
}

void event_new_id(char out[static STORE_EVENT_ID])
{
	uint8_t b[16];
	char hex[33];
	randombytes_buf(b, sizeof(b));
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	text_hex(b, sizeof(b), hex);
	(void)snprintf(out, STORE_EVENT_ID, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12,
	               hex + 16, hex + 20);
}

static void member(struct text *t, const char *key, const char *value)
{
	text_printf(t, ",\"%s\":", key);
	text_json_string(t, value);
}

static void time_member(struct text *t, const char *key, int64_t at)
{
	char printed[24];
	text_time_print(at, printed);
	member(t, key, printed);
}

static void head(struct text *t, const struct store_alarm_event *e)
{
	text_put(t, "{\"format\":\"p4p-alarm/1\"");
	member(t, "event", e->id);
	member(t, "what", e->what);
	time_member(t, "at", e->at);
}

static enum err finish(struct text *t, struct store_alarm_event *e, struct store_alarm_event *out)
{
	text_put(t, "}\n");
	if (t->bad) {
		text_done(t);
		return ERR_NOMEM;
	}
	e->body = t->bytes;
	*out = *e;
	return ERR_OK;
}

static const char *word(enum alarm_news news)
{
	return news == ALARM_FIRES ? "firing" : "resolved";
}

enum err event_make(const struct store_alarm *alarm, enum alarm_news news, int64_t now,
                    struct store_alarm_event *out)
{
	struct store_alarm_event e = { .at = now };
	struct text t = { 0 };
	enum rule_id id;
	must(rule_find(alarm->rule, &id));
	event_new_id(e.id);
	memcpy(e.alarm, alarm->id, sizeof(e.alarm));
	memcpy(e.provider, alarm->provider, sizeof(e.provider));
	(void)snprintf(e.what, sizeof(e.what), "%s", word(news));
	e.severity = rule_of(id)->severity;

	head(&t, &e);
	text_printf(&t, ",\"alarm\":{\"value\":%.15g,\"threshold\":%.15g", alarm->life.value,
	            alarm->threshold);
	member(&t, "unit", rule_of(id)->unit);
	member(&t, "id", alarm->id);
	member(&t, "rule", alarm->rule);
	member(&t, "severity", severity_name(rule_of(id)->severity));
	member(&t, "provider", alarm->provider);
	member(&t, "subject", alarm->subject);
	member(&t, "state", alarm_state_name(alarm->life.state));
	time_member(&t, "since", alarm->life.since);
	member(&t, "text", alarm->text);
	text_put(&t, "}");
	return finish(&t, &e, out);
}

enum err event_test(const char *author, int64_t now, struct store_alarm_event *out)
{
	struct store_alarm_event e = { .what = "test", .at = now };
	struct text t = { 0 };
	event_new_id(e.id);
	(void)snprintf(e.author, sizeof(e.author), "%s", author);
	head(&t, &e);
	text_put(&t, ",\"alarm\":null");
	return finish(&t, &e, out);
}

void event_line(const struct store_alarm *a, enum alarm_news news, struct text *out)
{
	enum rule_id id;
	char since[24];
	must(rule_find(a->rule, &id));
	text_time_print(a->life.since, since);
	text_printf(
		out,
		"alarm=%s what=%s rule=%s severity=%s provider=\"%s\" subject=\"%s\" value=%.6g "
		"threshold=%.6g unit=\"%s\" since=%s text=\"",
		a->id, word(news), a->rule, severity_name(rule_of(id)->severity), a->provider,
		a->subject, a->life.value, a->threshold, rule_of(id)->unit, since);
	text_clean(out, a->text, strlen(a->text));
	text_put(out, "\"");
}

void event_sign(const char *secret, int64_t timestamp, const char *body,
                char out[static EVENT_SIGNATURE])
{
	uint8_t mac[crypto_auth_hmacsha256_BYTES];
	crypto_auth_hmacsha256_state state;
	char head_of[32];
	(void)snprintf(head_of, sizeof(head_of), "%" PRId64 ".", timestamp);
	(void)crypto_auth_hmacsha256_init(&state, (const unsigned char *)secret, strlen(secret));
	(void)crypto_auth_hmacsha256_update(&state, (const unsigned char *)head_of,
	                                    strlen(head_of));
	(void)crypto_auth_hmacsha256_update(&state, (const unsigned char *)body, strlen(body));
	(void)crypto_auth_hmacsha256_final(&state, mac);
	text_hex(mac, sizeof(mac), out);
}
