/* SPDX-License-Identifier: Apache-2.0 */

/*
 * BEP 15. Who shows no connection id of ours gets silence: an answer to a forged sender would reach
 * somebody who never asked. For the same reason an error is never longer than its request.
 */
#include "common/codec/udp_tracker.h"

#include "server/tracker/gate.h"
#include "server/tracker/worker.h"

#include <string.h>

enum { HEAD_SIZE = 20 };

static size_t put_error(const struct net_datagram *d, uint32_t transaction, const char *text)
{
	return udp_error_reply(d->out, d->in_size, transaction, text);
}

/* An announce that has been let in and waits for its answer. */
struct waiting {
	struct net_datagram *datagram;
	uint32_t transaction;
	struct announce announce;
};

static size_t announce(struct tracker_worker *w, const struct waiting *request)
{
	const struct net_datagram *d = request->datagram;
	const size_t each = d->from.family == IP_V4 ? COMPACT_V4 : COMPACT_V6;
	struct ask ask = { .announce = &request->announce,
		           .from = d->from,
		           .compact = { d->out + HEAD_SIZE, d->out + HEAD_SIZE }, /* one of them */
		           .room = (UDP_REPLY_MAX - HEAD_SIZE) / each };
	char url[256]; /* clients cut it to 255 characters */
	if (d->in_size > UDP_ANNOUNCE_SIZE && gate_wants_passkey(w) &&
	    udp_announce_url(d->in, d->in_size, url, sizeof(url)) > 0)
		gate_find_passkey(url, url + strcspn(url, "?"), &ask);
	struct answer answer;
	tracker_announce(w, &ask, &answer);
	if (answer.refusal != NULL) {
		metrics_add(w->metrics, METRIC_UDP_ANNOUNCE_REFUSED, 1);
		return put_error(d, request->transaction, answer.refusal);
	}
	metrics_add(w->metrics, METRIC_UDP_ANNOUNCE_NATIVE + (unsigned)answer.policy, 1);
	const struct udp_announce_answer head = { .transaction = request->transaction,
		                                  .interval = answer.interval,
		                                  .leechers = answer.counts.incomplete,
		                                  .seeders = answer.counts.complete };
	must(w->n_peers <= ask.room);
	return udp_announce_reply(d->out, HEAD_SIZE, &head) + w->n_peers * each;
}

static size_t scrape(struct tracker_worker *w, const struct net_datagram *d, uint32_t transaction)
{
	struct udp_scrape_row rows[SCRAPE_MAX];
	const uint8_t *hashes;
	size_t n;
	if (udp_scrape_parse(d->in, d->in_size, &hashes, &n) == ERR_TRUNCATED) {
		metrics_add(w->metrics, METRIC_UDP_MALFORMED, 1);
		return put_error(d, transaction, "scrape without an info_hash");
	}
	/* No options, so no passkey (BEP 41 has them for announces); nor is there room for more words. */
	if (gate_scrape_refusal(w, "", "") != NULL)
		return put_error(d, transaction, "scrape by HTTP, with passkey");
	for (size_t i = 0; i < n; i++) {
		const struct swarm_counts c = tracker_counts(w, hashes + i * INFO_HASH_SIZE);
		rows[i] = (struct udp_scrape_row){ .seeders = c.complete,
			                           .completed = c.downloaded,
			                           .leechers = c.incomplete };
	}
	metrics_add(w->metrics, METRIC_UDP_SCRAPES, 1);
	return udp_scrape_reply(d->out, UDP_REPLY_MAX, transaction, rows, n);
}

static size_t connect(struct tracker_worker *w, const struct net_datagram *d, uint32_t transaction)
{
	if (!gate_pace(w, LIMITS_CONNECTS, &d->from))
		return 0;
	metrics_add(w->metrics, METRIC_UDP_CONNECTS, 1);
	return udp_connect_reply(d->out, UDP_REPLY_MAX, transaction,
	                         connection_id(w->tracker->connection_key, &d->from, w->now));
}

/* True: an announce to be answered, now in *out; else *d is answered, or shall have no answer. */
static bool admit(struct tracker_worker *w, struct net_datagram *d, struct waiting *out)
{
	struct udp_head head;
	d->out_size = 0;
	if (udp_head_parse(d->in, d->in_size, &head) != ERR_OK || head.action > UDP_SCRAPE ||
	    d->from_port == 0) {
		metrics_add(w->metrics, METRIC_UDP_MALFORMED, 1);
		return false;
	}
	if (head.action == UDP_CONNECT) {
		d->out_size = connect(w, d, head.transaction);
		return false;
	}
	if (!connection_check(w->tracker->connection_key, &d->from, w->now,
	                      w->rules.book->settings.connection_seconds, head.connection)) {
		metrics_add(w->metrics, METRIC_UDP_BAD_CONNECTION, 1);
		return false;
	}
	if (head.action == UDP_SCRAPE) {
		d->out_size = scrape(w, d, head.transaction);
		return false;
	}
	if (!gate_pace(w, LIMITS_ANNOUNCES, &d->from))
		return false; /* an answer is what a flood wants */
	if (udp_announce_parse(d->in, d->in_size, &out->announce) != ERR_OK) {
		metrics_add(w->metrics, METRIC_UDP_ANNOUNCE_MALFORMED, 1);
		d->out_size = put_error(d, head.transaction, "announce too short");
		return false;
	}
	out->datagram = d;
	out->transaction = head.transaction;
	return true;
}

/*
 * In passes over the batch, so that the cache misses of its announces overlap: each pass asks for the
 * memory that the next one reads.
 */
void tracker_udp(void *ctx, unsigned worker, uint64_t now_ms, struct net_datagram *batch, size_t n)
{
	struct tracker *t = ctx;
	must(worker < t->options.udp_workers && n <= NET_BATCH_MAX);
	struct tracker_worker *w = &t->workers[worker];
	struct waiting waiting[NET_BATCH_MAX];
	size_t waits = 0;

	worker_begin(w, now_ms);
	for (size_t i = 0; i < n; i++)
		gate_prefetch(w,
		              batch[i].in_size == UDP_CONNECT_SIZE ? LIMITS_CONNECTS
		                                                   : LIMITS_ANNOUNCES,
		              &batch[i].from);
	for (size_t i = 0; i < n; i++)
		waits += admit(w, &batch[i], &waiting[waits]);
	for (size_t i = 0; i < waits; i++)
		snapshot_prefetch(w->map.map, &waiting[i].datagram->from);
	for (unsigned stage = 0; stage < SWARM_PREFETCH_STAGES; stage++)
		for (size_t i = 0; i < waits; i++)
			swarm_prefetch(t->options.swarms, waiting[i].announce.info_hash, stage);
	for (size_t i = 0; i < waits; i++)
		waiting[i].datagram->out_size = announce(w, &waiting[i]);
	worker_end(w);
}
