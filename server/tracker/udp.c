/* SPDX-License-Identifier: Apache-2.0 */

/*
 * BEP 15. Who shows no connection id of ours gets silence: an answer to a forged sender would reach
 * somebody who never asked. For the same reason an error is never longer than its request.
 */
#include "common/codec/udp_tracker.h"

#include "server/tracker/gate.h"
#include "server/tracker/worker.h"

enum { HEAD_SIZE = 20 };

static size_t put_error(const struct net_datagram *d, uint32_t transaction, const char *text)
{
	return udp_error_reply(d->out, d->in_size, transaction, text);
}

static size_t announce(struct tracker_worker *w, const struct net_datagram *d, uint32_t transaction)
{
	struct announce a;
	if (!gate_pace(w, LIMITS_ANNOUNCES, &d->from))
		return 0; /* an answer is what a flood wants */
	if (udp_announce_parse(d->in, d->in_size, &a) != ERR_OK) {
		metrics_add(w->metrics, METRIC_UDP_ANNOUNCE_MALFORMED, 1);
		return put_error(d, transaction, "announce too short");
	}
	const size_t each = d->from.family == IP_V4 ? COMPACT_V4 : COMPACT_V6;
	struct ask ask = { .announce = &a,
		           .from = d->from,
		           .room = (UDP_REPLY_MAX - HEAD_SIZE) / each };
	char url[256]; /* clients cut it to 255 characters */
	if (d->in_size > UDP_ANNOUNCE_SIZE && gate_wants_passkey(w) &&
	    udp_announce_url(d->in, d->in_size, url, sizeof(url)) > 0)
		gate_find_passkey(url, &ask);
	struct answer answer;
	tracker_announce(w, &ask, &answer);
	if (answer.refusal != NULL) {
		metrics_add(w->metrics, METRIC_UDP_ANNOUNCE_REFUSED, 1);
		return put_error(d, transaction, answer.refusal);
	}
	metrics_add(w->metrics,
	            answer.steered ? METRIC_UDP_ANNOUNCE_P4P : METRIC_UDP_ANNOUNCE_NATIVE, 1);
	const struct udp_announce_answer head = { .transaction = transaction,
		                                  .interval = answer.interval,
		                                  .leechers = answer.counts.incomplete,
		                                  .seeders = answer.counts.complete };
	uint8_t *end = d->out + udp_announce_reply(d->out, UDP_REPLY_MAX, &head);
	must(w->n_peers <= ask.room);
	for (size_t i = 0; i < w->n_peers; i++)
		end = compact_write(end, &w->peers[i]);
	return (size_t)(end - d->out);
}

static size_t scrape(struct tracker_worker *w, const struct net_datagram *d, uint32_t transaction)
{
	struct udp_scrape_row rows[UDP_SCRAPE_MAX];
	const uint8_t *hashes;
	size_t n;
	if (udp_scrape_parse(d->in, d->in_size, &hashes, &n) == ERR_TRUNCATED) {
		metrics_add(w->metrics, METRIC_UDP_MALFORMED, 1);
		return put_error(d, transaction, "scrape without an info_hash");
	}
	const char *refusal = gate_scrape_refusal(w, NULL);
	if (refusal != NULL)
		return put_error(d, transaction, refusal);
	for (size_t i = 0; i < n; i++) {
		const struct swarm_counts c = tracker_counts(w, hashes + i * INFO_HASH_SIZE);
		rows[i] = (struct udp_scrape_row){ .seeders = c.complete,
			                           .completed = c.downloaded,
			                           .leechers = c.incomplete };
	}
	metrics_add(w->metrics, METRIC_UDP_SCRAPES, 1);
	return udp_scrape_reply(d->out, UDP_REPLY_MAX, transaction, rows, n);
}

static size_t answer(struct tracker_worker *w, const struct net_datagram *d)
{
	const uint8_t *key = w->tracker->connection_key;
	struct udp_head head;
	if (udp_head_parse(d->in, d->in_size, &head) != ERR_OK || head.action > UDP_SCRAPE ||
	    d->from_port == 0) {
		metrics_add(w->metrics, METRIC_UDP_MALFORMED, 1);
		return 0;
	}
	if (head.action == UDP_CONNECT) {
		if (!gate_pace(w, LIMITS_CONNECTS, &d->from))
			return 0;
		metrics_add(w->metrics, METRIC_UDP_CONNECTS, 1);
		return udp_connect_reply(d->out, UDP_REPLY_MAX, head.transaction,
		                         connection_id(key, &d->from, w->now));
	}
	if (!connection_check(key, &d->from, w->now, head.connection)) {
		metrics_add(w->metrics, METRIC_UDP_BAD_CONNECTION, 1);
		return 0;
	}
	return head.action == UDP_ANNOUNCE ? announce(w, d, head.transaction)
	                                   : scrape(w, d, head.transaction);
}

void tracker_udp(void *ctx, unsigned worker, uint64_t now_ms, struct net_datagram *batch, size_t n)
{
	struct tracker *t = ctx;
	must(worker < t->options.udp_workers);
	struct tracker_worker *w = &t->workers[worker];

	worker_begin(w, now_ms);
	for (size_t i = 0; i < n; i++)
		batch[i].out_size = answer(w, &batch[i]);
	worker_end(w);
}
