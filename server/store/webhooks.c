/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/alarms.h"
#include "server/store/query.h"

#include <stdlib.h>

enum err store_webhook_put(struct store *s, const struct store_webhook *h, const char *author,
                           bool *created)
{
	const bool keeps = h->secret[0] == '\0';
	struct work w = work_begin(s, "set a webhook");
	const bool there = work_run(&w, "SELECT 1 FROM webhooks WHERE name = $1 FOR UPDATE",
	                            ARGS(arg_text(h->name))) == 1;
	if (keeps && !there)
		work_fail(&w, ERR_NOT_FOUND);
	if (there)
		(void)work_run(&w,
		               "UPDATE webhooks SET url = $2, secret = coalesce($3, secret), "
		               " provider = $4, min_severity = $5, failures = 0, not_before = 0, "
		               " last_error = '' WHERE name = $1",
		               ARGS(arg_text(h->name), arg_text(h->url),
		                    arg_text(keeps ? NULL : h->secret), arg_text(h->provider),
		                    arg_u64(h->min_severity)));
	else
		(void)work_run(&w,
		               "INSERT INTO webhooks (name, url, secret, provider, min_severity) "
		               "VALUES ($1, $2, $3, $4, $5)",
		               ARGS(arg_text(h->name), arg_text(h->url), arg_text(h->secret),
		                    arg_text(h->provider), arg_u64(h->min_severity)));
	work_audit(&w, author, "webhook-put", h->name);
	const enum err e = work_end(&w);
	if (e == ERR_OK)
		*created = !there;
	return e;
}

enum err store_webhook_remove(struct store *s, const char *name, const char *author)
{
	struct work w = work_begin(s, "remove a webhook");
	if (work_run(&w, "DELETE FROM webhooks WHERE name = $1 RETURNING 1",
	             ARGS(arg_text(name))) != 1)
		work_fail(&w, ERR_NOT_FOUND);
	work_audit(&w, author, "webhook-remove", name);
	return work_end(&w);
}

static void webhook_row(const struct work *w, size_t row, void *out)
{
	struct store_webhook *h = out;
	work_text(w, row, 0, h->name, sizeof(h->name));
	work_text(w, row, 1, h->url, sizeof(h->url));
	work_text(w, row, 2, h->secret, sizeof(h->secret));
	work_text(w, row, 3, h->provider, sizeof(h->provider));
	h->min_severity = (unsigned)work_u64(w, row, 4);
	h->waiting = work_u64(w, row, 5);
	h->failures = work_u64(w, row, 6);
	h->delivered = work_i64(w, row, 7);
	work_text(w, row, 8, h->last_error, sizeof(h->last_error));
}

enum err store_webhooks(struct store *s, struct store_webhook **out, size_t *count)
{
	struct work w = work_begin(s, "list webhooks");
	(void)work_run(&w,
	               "SELECT name, url, secret, provider, min_severity, "
	               " (SELECT count(*) FROM alarm_outbox o WHERE o.webhook = h.name), "
	               " failures, delivered, last_error FROM webhooks h ORDER BY name",
	               NULL);
	size_t n = 0;
	struct store_webhook *list = work_list(&w, sizeof(*list), webhook_row, &n);
	const enum err e = work_end(&w);
	if (e != ERR_OK) {
		free(list);
		return e;
	}
	*out = list;
	*count = n;
	return ERR_OK;
}

enum err store_webhook_test(struct store *s, const char *name,
                            const struct store_alarm_event *event)
{
	struct work w = work_begin(s, "test a webhook");
	if (work_run(&w,
	             "UPDATE webhooks SET failures = 0, not_before = 0, last_error = '' "
	             "WHERE name = $1 RETURNING 1",
	             ARGS(arg_text(name))) != 1)
		work_fail(&w, ERR_NOT_FOUND);
	(void)work_run(&w,
	               "INSERT INTO alarm_events (id, alarm, provider, what, at, severity, author, "
	               " body) VALUES ($1::text::uuid, '', $2, $3, $4, $5, $6, $7)",
	               ARGS(arg_text(event->id), arg_text(event->provider), arg_text(event->what),
	                    arg_i64(event->at), arg_u64(event->severity), arg_text(event->author),
	                    arg_text(event->body)));
	(void)work_run(&w, "INSERT INTO alarm_outbox (event, webhook) VALUES ($1::text::uuid, $2)",
	               ARGS(arg_text(event->id), arg_text(name)));
	return work_end(&w);
}

/* ---- deliveries ---- */

enum err store_delivery_take(struct store *s, int64_t now, int64_t lease,
                             struct store_delivery *out)
{
	struct work w = work_begin(s, "take a delivery");
	struct store_delivery d = { .body = NULL };
	size_t size;
	if (work_run(&w,
	             "WITH due AS (SELECT o.number, h.name FROM alarm_outbox o "
	             "  JOIN webhooks h ON h.name = o.webhook WHERE h.not_before <= $1 "
	             "  ORDER BY o.number LIMIT 1 FOR UPDATE OF h SKIP LOCKED), "
	             " leased AS (UPDATE webhooks h SET not_before = $2 FROM due "
	             "  WHERE h.name = due.name RETURNING h.url, h.secret) "
	             "SELECT o.number, o.tries, o.event, o.webhook, leased.url, leased.secret, "
	             " e.body FROM due JOIN alarm_outbox o ON o.number = due.number "
	             "JOIN alarm_events e ON e.id = o.event CROSS JOIN leased",
	             ARGS(arg_i64(now), arg_i64(lease))) == 1) {
		d.number = work_u64(&w, 0, 0);
		d.tries = work_u64(&w, 0, 1);
		work_text(&w, 0, 2, d.event, sizeof(d.event));
		work_text(&w, 0, 3, d.webhook, sizeof(d.webhook));
		work_text(&w, 0, 4, d.url, sizeof(d.url));
		work_text(&w, 0, 5, d.secret, sizeof(d.secret));
		d.body = work_blob(&w, 0, 6, &size);
	} else {
		work_fail(&w, ERR_NOT_FOUND);
	}
	const enum err e = work_end(&w);
	if (e == ERR_OK)
		*out = d;
	else
		free(d.body);
	return e;
}

static void drop(struct work *w, const struct store_delivery *d)
{
	(void)work_run(w, "DELETE FROM alarm_outbox WHERE number = $1", ARGS(arg_u64(d->number)));
}

enum err store_delivery_done(struct store *s, const struct store_delivery *d, int64_t now)
{
	struct work w = work_begin(s, "note a delivery");
	drop(&w, d);
	(void)work_run(&w,
	               "UPDATE webhooks SET failures = 0, not_before = 0, delivered = $2, "
	               " last_error = '' WHERE name = $1",
	               ARGS(arg_text(d->webhook), arg_i64(now)));
	return work_end(&w);
}

enum err store_delivery_failed(struct store *s, const struct store_delivery *d, int64_t not_before,
                               const char *why, bool give_up)
{
	struct work w = work_begin(s, "note a failed delivery");
	if (give_up)
		drop(&w, d);
	else
		(void)work_run(&w, "UPDATE alarm_outbox SET tries = tries + 1 WHERE number = $1",
		               ARGS(arg_u64(d->number)));
	(void)work_run(&w,
	               "UPDATE webhooks SET failures = failures + 1, not_before = $2, "
	               " last_error = $3 WHERE name = $1",
	               ARGS(arg_text(d->webhook), arg_i64(not_before), arg_text(why)));
	return work_end(&w);
}
