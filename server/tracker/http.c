/* SPDX-License-Identifier: Apache-2.0 */

/*
 * BEP 3 and its heirs. Clients take any status but 200 for a dead tracker, so what they can
 * understand is said in the body: `failure reason`, and the interval beside it, because most read
 * that first and some come back at once without it. `peers` is always there, even when empty.
 */
#include "common/codec/bencode.h"
#include "common/codec/forwarded.h"
#include "common/codec/query.h"
#include "server/tracker/gate.h"
#include "server/tracker/worker.h"

#include <stdlib.h>
#include <string.h>

static void fail(const struct tracker_worker *w, const char *reason, uint32_t interval,
                 struct text *body)
{
	struct bencode b = { .out = body };
	bencode_dict(&b);
	bencode_key(&b, "failure reason");
	bencode_string(&b, reason);
	bencode_key(&b, "interval");
	bencode_int(&b, interval);
	bencode_key(&b, "min interval");
	bencode_int(&b, w->rules.book->settings.min_interval);
	bencode_key(&b, "retry in"); /* minutes (BEP 31) */
	bencode_int(&b, interval / 60 + 1);
	bencode_end(&b);
}

static void add_list(void *hops, const char *line)
{
	hops_add_list(hops, line);
}

static void add_forwarded(void *hops, const char *line)
{
	hops_add_forwarded(hops, line);
}

/* Whose ip= may be true: a proxy of ours, or a neighbour that no address of its own leads to. */
static bool is_trusted(const struct rules_book *rules, const struct ip_addr *from)
{
	const enum ip_kind kind = ip_kind(from);
	return kind == IP_PRIVATE || kind == IP_LOOPBACK || rules_is_proxy(rules, from);
}

/*
 * Puts into the ask where the client is; returns who sent it, which is what its rate is held against: a
 * neighbour could write any `ip=`, and have another one taken for a flood. `ip=` counts only where no proxy
 * tells better: behind one, any client could write it. The header gives away a proxy that nobody listed, too.
 */
static struct ip_addr believe(const struct tracker_worker *w, const struct http_request *r,
                              struct ask *ask)
{
	const struct rules_book *rules = w->rules.book;
	ask->from = r->from;
	if (!is_trusted(rules, &r->from))
		return r->from;
	struct hops hops = { .n = 0 };
	const bool forwarded = rules->settings.forwarded;
	if (http_each_header(r, forwarded ? "Forwarded" : "X-Forwarded-For",
	                     forwarded ? add_forwarded : add_list, &hops) > 0) {
		ask->from = hops_client(&hops, r->from, rules->settings.proxies,
		                        rules->settings.n_proxies);
		return ask->from;
	}
	if (ask->announce->claimed.family != IP_NONE)
		ask->from = ask->announce->claimed;
	return r->from;
}

/* compact=0: a list of dictionaries, both families in one. */
static void put_dictionaries(const struct tracker_worker *w, bool with_id, struct bencode *b)
{
	char address[IP_TEXT_SIZE];
	bencode_list(b);
	for (size_t i = 0; i < w->n_peers; i++) {
		const struct swarm_endpoint *p = &w->peers[i];
		ip_print(&p->addr, address);
		bencode_dict(b);
		bencode_key(b, "ip");
		bencode_string(b, address);
		if (with_id && p->has_peer_id) { /* those who came over UDP have none */
			bencode_key(b, "peer id");
			bencode_bytes(b, p->peer_id, sizeof(p->peer_id));
		}
		bencode_key(b, "port");
		bencode_int(b, p->port);
		bencode_end(b);
	}
	bencode_end(b);
}

static void put_answer(const struct tracker_worker *w, const struct ask *ask,
                       const struct answer *answer, struct text *body)
{
	const struct announce *a = ask->announce;
	struct bencode b = { .out = body };
	const uint32_t min = w->rules.book->settings.min_interval;
	bencode_dict(&b);
	bencode_key(&b, "complete");
	bencode_int(&b, answer->counts.complete);
	bencode_key(&b, "downloaded");
	bencode_int(&b, answer->counts.downloaded);
	bencode_key(&b, "external ip"); /* BEP 24: raw bytes */
	bencode_bytes(&b, ask->from.bytes, ip_size(&ask->from));
	bencode_key(&b, "incomplete");
	bencode_int(&b, answer->counts.incomplete);
	bencode_key(&b, "interval");
	bencode_int(&b, answer->interval);
	bencode_key(&b, "min interval"); /* steering may want to hear of it sooner */
	bencode_int(&b, answer->interval < min ? answer->interval : min);
	bencode_key(&b, "peers");
	if (a->compact)
		bencode_bytes(&b, ask->compact[0], (size_t)(w->compact[0] - ask->compact[0]));
	else
		put_dictionaries(w, !a->no_peer_id, &b);
	if (a->compact && (ask->from.family == IP_V6 || ask->both_families)) {
		bencode_key(&b, "peers6"); /* BEP 7 */
		bencode_bytes(&b, ask->compact[1], (size_t)(w->compact[1] - ask->compact[1]));
	}
	bencode_end(&b);
}

static void announce(struct tracker_worker *w, const struct http_request *r, struct text *body)
{
	struct announce a;
	struct fault fault;
	const uint32_t interval = w->rules.book->settings.interval;
	if (r->head) { /* which changes nothing (RFC 9110, 9.2.1) */
		fail(w, "a HEAD announces nobody", interval, body);
		return;
	}
	if (query_announce_parse(r->query, strlen(r->query), &a, &fault) != ERR_OK) {
		metrics_add(w->metrics, METRIC_HTTP_ANNOUNCE_MALFORMED, 1);
		fail(w, fault.text, interval, body);
		return;
	}
	struct ask ask = { .announce = &a,
		           .room = PEERS_MAX,
		           .keep_id = true,
		           .with_ids = !a.compact && !a.no_peer_id };
	const struct ip_addr sender = believe(w, r, &ask);
	if (!gate_pace(w, LIMITS_ANNOUNCES, &sender)) {
		fail(w, "too many announces from your address or network, slow down", interval,
		     body);
		return;
	}
	if (gate_wants_passkey(w))
		gate_find_passkey(r->path, r->query, &ask);
	ask.both_families = ask.from.family == IP_V4 ? a.has_ipv6 : a.has_ipv4;

	uint8_t v4[PEERS_MAX * COMPACT_V4], v6[PEERS_MAX * COMPACT_V6];
	if (a.compact) {
		ask.compact[0] = v4;
		ask.compact[1] = v6;
	}
	struct answer answer;
	tracker_announce(w, &ask, &answer);
	if (answer.refusal != NULL) {
		metrics_add(w->metrics, METRIC_HTTP_ANNOUNCE_REFUSED, 1);
		fail(w, answer.refusal, answer.interval, body);
		return;
	}
	metrics_add(w->metrics, METRIC_HTTP_ANNOUNCE_NATIVE + (unsigned)answer.policy, 1);
	put_answer(w, &ask, &answer, body);
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, INFO_HASH_SIZE);
}

/* Every hash that was asked for, once, in the order bencode wants. */
static void scrape(struct tracker_worker *w, const struct http_request *r, struct text *body)
{
	struct scrape s;
	struct fault fault;
	if (query_scrape_parse(r->query, strlen(r->query), &s, &fault) != ERR_OK) {
		fail(w, fault.text, w->rules.book->settings.interval, body);
		return;
	}
	const char *refusal = gate_scrape_refusal(w, r->path, r->query);
	if (refusal != NULL) {
		fail(w, refusal, w->rules.book->settings.interval, body);
		return;
	}
	qsort(s.hashes, s.count, INFO_HASH_SIZE, by_bytes);

	struct bencode b = { .out = body };
	bencode_dict(&b);
	bencode_key(&b, "files");
	bencode_dict(&b);
	for (size_t i = 0; i < s.count; i++) {
		if (i > 0 && by_bytes(s.hashes[i], s.hashes[i - 1]) == 0)
			continue;
		const struct swarm_counts c = tracker_counts(w, s.hashes[i]);
		bencode_raw_key(&b, s.hashes[i], INFO_HASH_SIZE);
		bencode_dict(&b);
		bencode_key(&b, "complete");
		bencode_int(&b, c.complete);
		bencode_key(&b, "downloaded");
		bencode_int(&b, c.downloaded);
		bencode_key(&b, "downloaders"); /* BEP 21 */
		bencode_int(&b, c.downloaders);
		bencode_key(&b, "incomplete");
		bencode_int(&b, c.incomplete);
		bencode_end(&b);
	}
	bencode_end(&b);
	bencode_key(&b, "flags"); /* BEP 48 */
	bencode_dict(&b);
	bencode_key(&b, "min_request_interval");
	bencode_int(&b, w->rules.book->settings.min_interval);
	bencode_end(&b);
	bencode_end(&b);
	metrics_add(w->metrics, METRIC_HTTP_SCRAPES, 1);
}

static bool ends_word(char c)
{
	return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	         c == '_' || c == '-');
}

/* "/announce", "/announce.php", "/announce/PASSKEY", "/PASSKEY/announce", "//announce". */
static bool leads_to(const char *path, const char *word)
{
	while (path[0] == '/' && path[1] == '/')
		path++;
	const size_t path_size = strlen(path), size = strlen(word);
	if (path_size < size)
		return false;
	return (memcmp(path, word, size) == 0 && ends_word(path[size])) ||
	       memcmp(path + path_size - size, word, size) == 0;
}

static void refuse(struct http_reply *reply, unsigned status, const char *text)
{
	reply->status = status;
	text_put(&reply->body, text);
}

void tracker_http(void *ctx, const struct http_request *request, struct http_reply *reply)
{
	struct tracker *t = ctx;
	void (*route)(struct tracker_worker *, const struct http_request *, struct text *) =
		leads_to(request->path, "/announce") ? announce
		: leads_to(request->path, "/scrape") ? scrape
						     : NULL;
	if (route == NULL) {
		refuse(reply, 404, "this is a BitTorrent tracker: /announce and /scrape\n");
		return;
	}
	if (strcmp(request->method, "GET") != 0) {
		refuse(reply, 405, "only GET here\n");
		http_reply_header(reply, "Allow", "GET, HEAD");
		return;
	}
	must(t->options.udp_workers + request->thread < t->options.workers);
	struct tracker_worker *w = &t->workers[t->options.udp_workers + request->thread];
	worker_begin(w, clock_ns() / 1000000);
	/* Here a batch is one request: time every sixteenth, or the clock costs more than the rest. */
	w->timed = w->requests++ % 16 != 0;
	/* A client of the open Internet comes back after half an hour; a proxy at once. */
	reply->keep_alive = rules_is_proxy(w->rules.book, &request->from);
	route(w, request, &reply->body);
	worker_end(w);
}

/* As tracker_udp() does with a batch. Of a scrape it is the first swarm. */
void tracker_http_foresee(void *ctx, const struct http_request *const *requests, size_t n)
{
	const struct tracker *t = ctx;
	uint8_t hashes[HTTP_FORESEEN_MAX][INFO_HASH_SIZE];
	size_t known = 0;
	must(n <= HTTP_FORESEEN_MAX);
	for (size_t i = 0; i < n; i++)
		known += query_info_hash(requests[i]->query, strlen(requests[i]->query),
		                         hashes[known]);
	for (unsigned stage = 0; stage < SWARM_PREFETCH_STAGES; stage++)
		for (size_t i = 0; i < known; i++)
			swarm_prefetch(t->options.swarms, hashes[i], stage);
}
