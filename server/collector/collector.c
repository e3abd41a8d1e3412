/* SPDX-License-Identifier: Apache-2.0 */
#include "server/collector/collector.h"

#include "server/collector/classify.h"
#include "server/collector/inside.h"
#include "server/disk/disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Routers send what has ended within a minute (active time-outs); a short bin waits for a part of it. */
enum { GRACE_MAX = 60, GRACE_PART = 5 };

/* Of sFlow's counters so many go to the database, for each port. */
enum { READINGS_IN_A_BIN = 5 };

/* ---- what the map has, by names ---- */

static void forget_map(struct collector *c)
{
	free(c->edges);
	free(c->ports);
	c->edges = NULL;
	c->ports = NULL;
	c->n_edges = c->n_ports = 0;
	c->map_number = 0;
}

/* 0: no memory for it, or NO_INTERCONNECT. */
static uint32_t edge_name(struct collector *c, uint32_t interconnect)
{
	char key[2 * sizeof(((struct accounting_row *)NULL)->provider)];
	if (interconnect == NO_INTERCONNECT)
		return 0;
	must(interconnect < c->n_edges);
	if (c->edges[interconnect] != 0)
		return c->edges[interconnect];
	const struct map_interconnect_info i = snapshot_interconnect(c->lease.map, interconnect);
	const int n = snprintf(key, sizeof(key), "%s/%s", i.provider, i.id);
	must(n > 0 && (size_t)n < sizeof(key));
	if (names_put(c->edge_names, key, &c->edges[interconnect]) != ERR_OK)
		return 0;
	return c->edges[interconnect];
}

static enum err name_ports(struct collector *c)
{
	const struct map_snapshot *map = c->lease.map;
	const size_t exporters = snapshot_counts(map).exporters;
	char text[IP_TEXT_SIZE];
	size_t n = 0;
	for (uint32_t i = 0; i < exporters; i++)
		n += snapshot_exporter_info(map, i).n;
	c->ports = calloc(n + 1, sizeof(*c->ports));
	if (c->ports == NULL)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < exporters; i++) {
		const struct map_exporter_info e = snapshot_exporter_info(map, i);
		uint32_t name;
		ip_print(&e.address, text);
		const enum err err = names_put(c->exporter_names, text, &name);
		if (err != ERR_OK)
			return err;
		for (size_t k = 0; k < e.n; k++)
			c->ports[c->n_ports++] =
				(struct book_port){ .exporter = name,
				                    .edge = edge_name(c, e.ports[k].interconnect) };
	}
	return ERR_OK;
}

enum err collector_renew_map(struct collector *c)
{
	const struct map_snapshot *map = map_renew(c->options.office, &c->lease);
	if (map == NULL || c->map_number == c->lease.number)
		return ERR_OK;
	forget_map(c);
	c->n_edges = snapshot_counts(map).interconnects;
	c->edges = calloc(c->n_edges + 1, sizeof(*c->edges));
	const enum err e = c->edges != NULL ? name_ports(c) : ERR_NOMEM;
	if (e != ERR_OK)
		forget_map(c);
	else
		c->map_number = c->lease.number;
	return e;
}

/* ---- making ---- */

static enum err make(struct collector *c, struct fault *fault)
{
	const struct collector_options *o = &c->options;
	const uint32_t part = o->bin_seconds / GRACE_PART;
	c->edge_names = names_new();
	c->exporter_names = names_new();
	c->exporters = exporters_new();
	c->readings = readings_new(o->bin_seconds * (1000 / READINGS_IN_A_BIN));
	c->decoder = flow_decoder_new(
		&(struct flow_limits){ .exporters = EXPORTERS_MAX + EXPORTERS_STRANGERS });
	if (c->edge_names == NULL || c->exporter_names == NULL || c->exporters == NULL ||
	    c->readings == NULL || c->decoder == NULL)
		return ERR_NOMEM;
	c->book = book_new(&(struct book_options){ .bin_seconds = o->bin_seconds,
	                                           .late_seconds = o->late_seconds,
	                                           .grace_seconds = part < 1           ? 1
	                                                            : part < GRACE_MAX ? part
	                                                                               : GRACE_MAX,
	                                           .measures_p2p = o->measures_p2p,
	                                           .edges = c->edge_names,
	                                           .exporters = c->exporter_names });
	if (c->book == NULL)
		return ERR_NOMEM;
	enum err e = disk_folder(c->dir, 0700, fault);
	if (e == ERR_OK)
		e = spool_init(&c->spool, c->dir, fault);
	return e == ERR_OK ? collector_load(c, fault) : e;
}

static enum err copy_options(struct collector *c)
{
	const struct collector_options *o = &c->options;
	if (asprintf(&c->dir, "%s/flow", o->state_dir) < 0) {
		c->dir = NULL;
		return ERR_NOMEM;
	}
	c->allowed = calloc(o->n_allowed + 1, sizeof(*c->allowed));
	if (c->allowed == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < o->n_allowed; i++)
		c->allowed[i] = o->allowed[i];
	return ERR_OK;
}

enum err collector_new(const struct collector_options *options, struct collector **out,
                       struct fault *fault)
{
	must(options->bin_seconds > 0 && options->now >= 0);
	struct collector *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return ERR_NOMEM;
	fault->code = ERR_OK;
	c->options = *options;
	c->now_ms = options->now * 1000;
	pthread_mutex_init(&c->lock, NULL);
	enum err e = copy_options(c);
	if (e == ERR_OK)
		e = make(c, fault);
	if (e != ERR_OK) {
		collector_free(c);
		return e == ERR_NOMEM ? fault_set(fault, e, "", "no memory is left") : e;
	}
	*out = c;
	return ERR_OK;
}

void collector_free(struct collector *c)
{
	if (c == NULL)
		return;
	map_end(&c->lease);
	forget_map(c);
	book_free(c->book);
	flow_decoder_free(c->decoder);
	exporters_free(c->exporters);
	readings_free(c->readings);
	names_free(c->edge_names);
	names_free(c->exporter_names);
	peer_set_free(c->peers);
	spool_done(&c->spool);
	pthread_mutex_destroy(&c->lock);
	free(c->allowed);
	free(c->dir);
	free(c);
}

struct spool *collector_spool(struct collector *c)
{
	return &c->spool;
}

struct peer_set *collector_peers(struct collector *c, struct peer_set *peers)
{
	pthread_mutex_lock(&c->lock);
	struct peer_set *before = c->peers;
	c->peers = peers;
	pthread_mutex_unlock(&c->lock);
	return before;
}

void collector_read_clock(struct collector *c, int64_t now_ms)
{
	if (now_ms < c->now_ms && c->now_ms - now_ms <= BOOK_SKEW * 1000)
		return; /* two threads read it, or it is being slowed down */
	c->stats.clock_backwards += now_ms < c->now_ms;
	c->now_ms = now_ms;
}

/* ---- who is allowed ---- */

static bool is_allowed(const struct collector *c, const struct ip_addr *address, bool named)
{
	for (size_t i = 0; i < c->options.n_allowed; i++)
		if (ip_prefix_has(&c->allowed[i], address))
			return true;
	if (c->options.n_allowed > 0)
		return false;
	return named || (c->options.lab && ip_kind(address) == IP_LOOPBACK);
}

/* NULL: not allowed, or one too many. */
static struct exporter *sender(struct collector *c, const struct ip_addr *address)
{
	struct exporter *e = exporters_find(c->exporters, address);
	const uint64_t edition = c->map_number + 1;
	if (e != NULL && e->edition == edition)
		return e->allowed ? e : NULL;
	const uint32_t number =
		c->map_number == 0 ? NO_EXPORTER : snapshot_exporter(c->lease.map, address);
	const bool allowed = is_allowed(c, address, number != NO_EXPORTER);
	if (e == NULL && allowed)
		e = exporters_add(c->exporters, c->exporter_names, address, number != NO_EXPORTER);
	if (e == NULL)
		return NULL;
	e->edition = edition;
	e->number = number;
	e->place = c->map_number == 0 ? PLACE_UNKNOWN : snapshot_locate(c->lease.map, address);
	e->allowed = allowed;
	return allowed ? e : NULL;
}

/* ---- a record ---- */

/* What the calls of one datagram share. */
struct taking {
	struct collector *c;
	struct exporter *from;
};

static uint32_t place_of(const struct collector *c, const struct ip_addr *a, uint32_t asn)
{
	const struct map_snapshot *map = c->lease.map;
	uint32_t place = snapshot_locate(map, a);
	if (place == PLACE_UNKNOWN && asn != 0)
		place = snapshot_place_of_asn(map, asn);
	if (place == PLACE_UNKNOWN)
		place = snapshot_place_of_asn(map, geo_asn(c->options.geo, a));
	return place;
}

/* Of a probe or a router that a topology names, when it names one interface for both, or none. */
static struct crossing crossing_of_named(const struct map_snapshot *map, uint32_t exporter,
                                         uint32_t ifindex, uint32_t from, uint32_t to)
{
	const uint32_t port = snapshot_port(map, exporter, ifindex);
	if (ifindex == 0)
		return crossing_of_own(map, exporter, from, to);
	return port != NO_INTERCONNECT ? crossing_of_wire(map, port, from, to)
	                               : crossing_of_ports(map, exporter, ifindex, ifindex);
}

static struct crossing crossing_of(const struct taking *t, const struct flow_record *r)
{
	const struct collector *c = t->c;
	if (c->map_number == 0)
		return crossing_of_places(NULL, PLACE_UNKNOWN, PLACE_UNKNOWN, PLACE_UNKNOWN);
	if (t->from->number != NO_EXPORTER && r->in_if != r->out_if)
		return crossing_of_ports(c->lease.map, t->from->number, r->in_if, r->out_if);
	const uint32_t from = place_of(c, &r->from, r->from_asn);
	const uint32_t to = place_of(c, &r->to, r->to_asn);
	return t->from->number == NO_EXPORTER
	               ? crossing_of_places(c->lease.map, t->from->place, from, to)
	               : crossing_of_named(c->lease.map, t->from->number, r->in_if, from, to);
}

static uint64_t ip_bytes(const struct collector *c, const struct flow_record *r)
{
	const uint64_t each = c->options.overhead_bytes;
	if (!r->link_bytes)
		return r->bytes;
	return each == 0 || r->packets < r->bytes / each ? r->bytes - r->packets * each : 0;
}

/* The flow's time by our clock, where its own cannot be meant. */
static void set_right(struct collector *c, const struct flow_record *r, struct booking *b)
{
	const int64_t late = (int64_t)c->options.late_seconds * 1000, ahead = BOOK_SKEW * 1000;
	const int64_t behind = c->now_ms - r->sent_ms;
	const bool unsaid = r->first_ms == c->now_ms && r->last_ms == c->now_ms;
	if (unsaid || (behind <= late && behind >= -ahead))
		return;
	b->first_ms += behind;
	b->last_ms += behind;
	c->stats.records_askew++;
}

static void book(const struct taking *t, const struct flow_record *r, const struct crossing *x,
                 uint64_t bytes)
{
	struct collector *c = t->c;
	struct booking b = { .exporter = t->from->name,
		             .out = edge_name(c, x->out),
		             .in = edge_name(c, x->in),
		             .in_if = r->in_if,
		             .out_if = r->out_if,
		             .egress = r->egress,
		             .sampled = r->sampling > 1,
		             .bytes = bytes,
		             .packets = r->packets,
		             .first_ms = r->first_ms,
		             .last_ms = r->last_ms };
	if (c->peers != NULL)
		b.p2p = peer_set_has(c->peers, &r->to, r->to_port) ||
		                        peer_set_has(c->peers, &r->from, r->from_port)
		                ? BOOKING_P2P
		                : BOOKING_P2P_NOT;
	set_right(c, r, &b);
	const struct book_result result = book_add(c->book, &b, c->now_ms);
	c->stats.booked_bytes += result.booked;
	c->stats.old_bytes += result.too_old;
	c->stats.full_bytes += result.full;
	c->stats.records_future += result.future;
	c->stats.records_old += result.too_old > 0;
}

static void take_record(void *ctx, const struct flow_source *source, const struct flow_record *r)
{
	(void)source;
	const struct taking *t = ctx;
	const struct crossing x = crossing_of(t, r);
	const uint64_t bytes = ip_bytes(t->c, r);
	t->from->records++;
	t->from->sampling = r->sampling;
	if (x.kind == CROSSING_BOOKED)
		book(t, r, &x, bytes);
	else if (x.kind == CROSSING_INSIDE)
		t->c->stats.inside_bytes += bytes;
	else if (x.kind == CROSSING_ELSEWHERE)
		t->c->stats.elsewhere_bytes += bytes;
	else
		t->c->stats.unknown_bytes += bytes;
}

/* Of a port that a topology names; bytes out of the interface left the provider. */
static void take_counter(void *ctx, const struct flow_source *source, const struct flow_counter *n)
{
	(void)source;
	const struct taking *t = ctx;
	struct collector *c = t->c;
	if (c->map_number == 0 || t->from->number == NO_EXPORTER)
		return;
	const uint32_t edge =
		edge_name(c, snapshot_port(c->lease.map, t->from->number, n->ifindex));
	if (edge != 0)
		readings_put(c->readings, &(struct reading_said){ .exporter = t->from->name,
		                                                  .edge = edge,
		                                                  .ifindex = n->ifindex,
		                                                  .uptime_ms = n->uptime_ms,
		                                                  .at_ms = n->at_ms,
		                                                  .out_octets = n->out_bytes,
		                                                  .in_octets = n->in_bytes,
		                                                  .speed_bps = n->speed_bps });
}

static void take_gap(void *ctx, const struct flow_source *source, uint64_t lost)
{
	(void)source;
	const struct taking *t = ctx;
	t->from->lost += lost;
	book_gap(t->c->book, t->from->name, t->c->now_ms / 1000);
}

static void take_protocol(void *ctx, const struct flow_source *source, const struct flow_record *r)
{
	struct taking *t = ctx;
	t->from->protocol = source->protocol;
	take_record(ctx, source, r);
}

static void take_one(struct collector *c, const struct collector_datagram *d)
{
	struct taking t = { .c = c, .from = sender(c, &d->from) };
	const struct flow_sink sink = {
		.ctx = &t, .record = take_protocol, .counter = take_counter, .gap = take_gap
	};
	c->stats.datagrams++;
	if (t.from == NULL) {
		c->stats.refused++;
		return;
	}
	t.from->datagrams++;
	t.from->last_seen = c->now_ms / 1000;
	if (flow_decode(c->decoder, &d->from, d->bytes, d->size, c->now_ms, &sink, NULL) == ERR_OK)
		book_heard(c->book, t.from->name, c->now_ms / 1000);
	else
		t.from->malformed++;
}

void collector_take(struct collector *c, const struct collector_datagram *batch, size_t n,
                    int64_t now_ms, uint64_t dropped)
{
	pthread_mutex_lock(&c->lock);
	collector_read_clock(c, now_ms);
	c->stats.dropped = dropped;
	(void)!collector_renew_map(c); /* then nothing is known, and the next batch tries again */
	for (size_t i = 0; i < n; i++)
		take_one(c, &batch[i]);
	pthread_mutex_unlock(&c->lock);
}

/* ---- readings ---- */

static void name_reading(const struct collector *c, const struct reading *r,
                         struct collector_reading *out)
{
	const char *edge = names_key(c->edge_names, r->edge);
	const size_t n = strcspn(edge, "/");
	(void)snprintf(out->provider, sizeof(out->provider), "%.*s", (int)n, edge);
	(void)snprintf(out->interconnect, sizeof(out->interconnect), "%s", edge + n + 1);
	(void)snprintf(out->port, sizeof(out->port), COLLECTOR_PORT "%s/%u",
	               names_key(c->exporter_names, r->exporter), r->ifindex);
	out->reading = r->reading;
}

size_t collector_readings(struct collector *c,
                          struct collector_reading out[static COLLECTOR_READINGS], uint64_t *upto)
{
	struct reading list[COLLECTOR_READINGS];
	pthread_mutex_lock(&c->lock);
	const size_t n = readings_first(c->readings, list, COLLECTOR_READINGS, upto);
	for (size_t i = 0; i < n; i++)
		name_reading(c, &list[i], &out[i]);
	pthread_mutex_unlock(&c->lock);
	return n;
}

void collector_readings_done(struct collector *c, uint64_t upto)
{
	pthread_mutex_lock(&c->lock);
	readings_done(c->readings, upto);
	pthread_mutex_unlock(&c->lock);
}

/* ---- telling ---- */

struct collector_stats collector_stats(struct collector *c)
{
	pthread_mutex_lock(&c->lock);
	struct collector_stats s = c->stats;
	s.decoder = flow_decoder_stats(c->decoder);
	s.open_bins = book_count(c->book);
	s.exporters = exporters_count(c->exporters);
	s.readings = readings_count(c->readings);
	s.readings_lost = readings_lost(c->readings);
	s.peers = c->peers != NULL ? peer_set_count(c->peers) : 0;
	pthread_mutex_unlock(&c->lock);
	s.spooled = atomic_load(&c->spool.count);
	return s;
}

static void tell(const struct collector *c, const struct exporter *e,
                 struct collector_exporter *out)
{
	*out = (struct collector_exporter){ .address = e->address,
		                            .protocol = e->records > 0
		                                                ? flow_protocol_name(e->protocol)
		                                                : "",
		                            .last_seen = e->last_seen,
		                            .datagrams = e->datagrams,
		                            .malformed = e->malformed,
		                            .records = e->records,
		                            .lost = e->lost,
		                            .sampling = e->sampling };
	if (c->map_number == 0)
		return;
	const uint32_t number = snapshot_exporter(c->lease.map, &e->address);
	if (number != NO_EXPORTER)
		(void)snprintf(out->provider, sizeof(out->provider), "%s",
		               snapshot_provider_name(
				       c->lease.map,
				       snapshot_exporter_info(c->lease.map, number).provider));
}

enum err collector_exporters(struct collector *c, struct collector_exporter **out, size_t *n)
{
	pthread_mutex_lock(&c->lock);
	const size_t count = exporters_count(c->exporters);
	struct collector_exporter *list = calloc(count + 1, sizeof(*list));
	for (size_t i = 0; list != NULL && i < count; i++)
		tell(c, exporters_at(c->exporters, i), &list[i]);
	pthread_mutex_unlock(&c->lock);
	if (list == NULL)
		return ERR_NOMEM;
	*out = list;
	*n = count;
	return ERR_OK;
}
