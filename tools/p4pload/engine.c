/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4pload/engine.h"

#include "common/base/random.h"
#include "tools/p4pload/process.h"
#include "tools/p4pload/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* However wide the window: the default receive buffer of a socket holds some 270 small packets. */
enum { FILL_WINDOW = 128 };
enum { SLOT_BITS = 16, PASSES = 5, TRIES = 8 };

static const uint64_t second = 1000000000;
static const uint64_t connection_life = 60000000000; /* BEP 15: a minute */

struct slot {
	struct request request;
	uint64_t due;
	bool used;
};

/* The clients whose number is the same modulo the wire's classes. */
struct class
{
	uint32_t next;   /* to be visited when the tracker is filled */
	uint32_t *ready; /* to be visited before: connected now, or what was sent never left */
	uint32_t n_ready;
};

struct engine {
	struct population *people;
	const struct options *options;
	struct wire *wire;
	struct class *classes;
	bool measuring;
	uint32_t goal;       /* announces each client shall have made when filled */
	uint64_t start, now; /* of this phase; nanoseconds of a steady clock */
	uint64_t planned;    /* requests that have been due in this phase */
	uint64_t last_sweep;
	uint64_t seed;
	struct tally *tally;
	struct slot *slots;
	uint32_t *free_slots;
	uint32_t n_slots, n_free;
	uint16_t generation;
};

static uint64_t clock_now(void)
{
	struct timespec t;
	must(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
	return (uint64_t)t.tv_sec * second + (uint64_t)t.tv_nsec;
}

void engine_read_clock(struct engine *e)
{
	e->now = clock_now();
}

struct tally *engine_tally(struct engine *e)
{
	return e->tally;
}

/* ---- birth and death ---- */

/* The target, and the first and last address that each prefix gives. */
static enum err all_local(const struct population *p, struct fault *fault)
{
	const struct options *o = p->options;
	enum err e = wire_is_local(&o->target, "--target", fault);
	for (uint32_t i = 0; e == ERR_OK && i < o->n_from && i < o->addresses; i++) {
		const uint32_t n = (uint32_t)o->addresses, step = (uint32_t)o->n_from;
		const struct ip_addr first = population_address(p, i);
		const struct ip_addr last = population_address(p, i + (n - 1 - i) / step * step);
		e = wire_is_local(&first, "--from", fault);
		if (e == ERR_OK)
			e = wire_is_local(&last, "--from", fault);
	}
	return e;
}

static enum err no_process(uint64_t pid, struct fault *fault)
{
	return fault_set(fault, ERR_NOT_FOUND, "--pid",
	                 "there is no process %llu, or it is not ours to look into",
	                 (unsigned long long)pid);
}

/* Are its CPU time and memory ours to see? Better known before the load than after it. */
static enum err look_into(uint64_t pid, struct fault *fault)
{
	uint64_t value;
	if (process_cpu(pid, &value) != ERR_OK || process_memory(pid, &value) != ERR_OK)
		return no_process(pid, fault);
	return ERR_OK;
}

static enum err make_classes(struct engine *e)
{
	e->classes = calloc(e->wire->classes, sizeof(*e->classes));
	for (uint32_t i = 0; e->classes != NULL && i < e->wire->classes; i++) {
		e->classes[i].ready = calloc(e->n_slots, sizeof(uint32_t));
		if (e->classes[i].ready == NULL)
			return ERR_NOMEM;
	}
	return e->classes == NULL ? ERR_NOMEM : ERR_OK;
}

enum err engine_new(struct population *p, struct engine **out, struct fault *fault)
{
	const struct options *o = p->options;
	enum err err = all_local(p, fault);
	if (err == ERR_OK && o->pid != 0)
		err = look_into(o->pid, fault);
	if (err != ERR_OK)
		return err;
	struct engine *e = calloc(1, sizeof(*e));
	if (e == NULL)
		return fault_set(fault, ERR_NOMEM, "memory", "out of memory");
	*e = (struct engine){
		.people = p, .options = o, .n_slots = (uint32_t)o->window, .seed = o->seed
	};
	e->slots = calloc(e->n_slots, sizeof(*e->slots));
	e->free_slots = calloc(e->n_slots, sizeof(*e->free_slots));
	if (e->slots == NULL || e->free_slots == NULL) {
		engine_free(e);
		return fault_set(fault, ERR_NOMEM, "--window", "out of memory");
	}
	while (e->n_free < e->n_slots) {
		e->free_slots[e->n_free] = e->n_free;
		e->n_free++;
	}
	err = o->protocol == PROTOCOL_UDP ? wire_udp_new(e, p, &e->wire, fault)
	                                  : wire_http_new(e, p, &e->wire, fault);
	if (err == ERR_OK && make_classes(e) != ERR_OK)
		err = fault_set(fault, ERR_NOMEM, "--window", "out of memory");
	if (err != ERR_OK) {
		engine_free(e);
		return err;
	}
	*out = e;
	return ERR_OK;
}

void engine_free(struct engine *e)
{
	if (e == NULL)
		return;
	for (uint32_t i = 0; e->classes != NULL && i < e->wire->classes; i++)
		free(e->classes[i].ready);
	free(e->classes);
	if (e->wire != NULL)
		e->wire->free(e->wire);
	free(e->free_slots);
	free(e->slots);
	free(e);
}

/* ---- what to ask ---- */

static bool connected(const struct engine *e, const struct client *c)
{
	return e->options->protocol != PROTOCOL_UDP ||
	       (c->connected != 0 && e->now - c->connected < connection_life);
}

static uint32_t members(const struct engine *e, uint32_t class)
{
	const uint32_t n = e->people->n_clients, classes = e->wire->classes;
	return class < n ? (n - class + classes - 1) / classes : 0;
}

/* Moves `next` to a client that must still announce; false when there is none. */
static bool seek(struct engine *e, uint32_t class)
{
	const struct client *all = e->people->clients;
	struct class *c = &e->classes[class];
	while (c->next < e->people->n_clients && all[c->next].announces >= e->goal)
		c->next += e->wire->classes;
	return c->next < e->people->n_clients;
}

static bool visit(struct engine *e, uint32_t class, struct request *r)
{
	struct class *c = &e->classes[class];
	if (c->n_ready > 0) {
		r->client = c->ready[--c->n_ready];
	} else if (seek(e, class)) {
		r->client = c->next;
		c->next += e->wire->classes;
	} else {
		return false;
	}
	r->kind = connected(e, &e->people->clients[r->client]) ? UDP_ANNOUNCE : UDP_CONNECT;
	return true;
}

static double chance(struct engine *e)
{
	return (double)(random_next(&e->seed) >> 11) * 0x1p-53;
}

static bool draw(struct engine *e, uint32_t class, struct request *r)
{
	const double *mix = e->options->mix;
	const uint32_t n = members(e, class);
	const double c = chance(e);
	unsigned tries = 0;
	do {
		if (n == 0 || tries++ == TRIES)
			return false;
		r->client = class + random_below(&e->seed, n) * e->wire->classes;
	} while (e->people->clients[r->client].busy);

	if (c < mix[UDP_CONNECT] || !connected(e, &e->people->clients[r->client])) {
		r->kind = UDP_CONNECT;
	} else if (c >= mix[UDP_CONNECT] + mix[UDP_ANNOUNCE]) {
		r->kind = UDP_SCRAPE;
		r->count = 1 + random_below(&e->seed, SCRAPE_COUNT_MAX);
	} else {
		r->kind = UDP_ANNOUNCE;
	}
	return true;
}

static enum peer_event next_event(struct engine *e, const struct client *c)
{
	if (!c->present)
		return EVENT_STARTED;
	if (!e->measuring)
		return EVENT_NONE;
	if (e->options->stops > 0 && random_below(&e->seed, 100) < e->options->stops)
		return EVENT_STOPPED;
	if (e->options->completes > 0 && !c->seeder &&
	    random_below(&e->seed, 100) < e->options->completes)
		return EVENT_COMPLETED;
	return EVENT_NONE;
}

/* When the next request is due; the clock says "now" in a closed loop. */
static uint64_t due(const struct engine *e)
{
	if (e->options->rate == 0 || !e->measuring)
		return e->now;
	return e->start +
	       (uint64_t)((double)e->planned * (double)second / (double)e->options->rate);
}

static bool changes(const struct request *r)
{
	return r->kind == UDP_ANNOUNCE && r->event != EVENT_NONE;
}

enum take engine_take(struct engine *e, uint32_t class, uint32_t *slot)
{
	struct request r = { 0 };
	const uint64_t when = due(e);
	if (e->n_free == 0 || when > e->now ||
	    (!e->measuring && e->n_slots - e->n_free >= FILL_WINDOW))
		return TAKE_LATER;
	if (!(e->measuring ? draw(e, class, &r) : visit(e, class, &r)))
		return TAKE_NOBODY;

	struct client *c = &e->people->clients[r.client];
	struct swarm *s = &e->people->swarms[c->swarm];
	if (r.kind == UDP_ANNOUNCE)
		r.event = next_event(e, c);
	r.seeder = r.event == EVENT_COMPLETED ||
	           (r.event == EVENT_STARTED ? c->born_seeder : c->seeder);
	if (r.event == EVENT_STARTED)
		c->gone = 0; /* from now on the tracker may name it */
	r.sent = e->now;
	r.mark = s->answered;
	s->sent += changes(&r);
	c->busy = true;

	*slot = e->free_slots[--e->n_free];
	r.transaction = (uint32_t)++e->generation << SLOT_BITS | *slot;
	e->slots[*slot] = (struct slot){ .request = r, .due = when, .used = true };
	e->planned++;
	e->tally->sent[r.kind]++;
	return TAKE_OK;
}

const struct request *engine_request(const struct engine *e, uint32_t slot)
{
	return &e->slots[slot].request;
}

bool engine_find(const struct engine *e, uint32_t transaction, uint32_t *slot)
{
	const uint32_t n = transaction & ((1U << SLOT_BITS) - 1);
	if (n >= e->n_slots || !e->slots[n].used || e->slots[n].request.transaction != transaction)
		return false;
	*slot = n;
	return true;
}

/* ---- what comes back ---- */

static void release(struct engine *e, uint32_t slot)
{
	e->people->clients[e->slots[slot].request.client].busy = false;
	e->slots[slot].used = false;
	e->free_slots[e->n_free++] = slot;
}

/* While the tracker is filled: this client goes on at once. */
static void make_ready(struct engine *e, uint32_t client)
{
	struct class *c = &e->classes[client % e->wire->classes];
	if (!e->measuring) {
		must(c->n_ready < e->n_slots);
		c->ready[c->n_ready++] = client;
	}
}

void engine_give_back(struct engine *e, uint32_t slot)
{
	const struct request *r = &e->slots[slot].request;
	e->tally->sent[r->kind]--;
	e->planned--;
	e->people->swarms[e->people->clients[r->client].swarm].sent -= changes(r);
	make_ready(e, r->client);
	release(e, slot);
}

/* The tracker knows of the change. */
static void apply(struct engine *e, const struct request *r)
{
	struct client *c = &e->people->clients[r->client];
	struct swarm *s = &e->people->swarms[c->swarm];
	c->announces++;
	if (c->present && r->event != EVENT_NONE)
		*(c->seeder ? &s->seeders : &s->leechers) -= 1;
	c->seeder = r->seeder;
	c->present = r->event != EVENT_STOPPED;
	if (c->present && r->event != EVENT_NONE)
		*(c->seeder ? &s->seeders : &s->leechers) += 1;
	c->gone = c->present ? 0 : e->now;
	s->answered += changes(r);
}

/* Whether the tracker knows of the change is unknown. */
static void doubt(struct engine *e, const struct request *r)
{
	struct swarm *s = &e->people->swarms[e->people->clients[r->client].swarm];
	s->unsure = s->unsure || changes(r);
	s->answered += changes(r);
}

static void book(struct engine *e, const struct request *r, const struct answer *a)
{
	struct client *c = &e->people->clients[r->client];
	if (a->shape != REPLY_GOOD) {
		doubt(e, r);
		if (a->shape == REPLY_REFUSED)
			c->connected = 0;
	} else if (r->kind == UDP_CONNECT) {
		c->connection = a->connection;
		c->connected = e->now;
		make_ready(e, r->client);
	} else if (r->kind == UDP_ANNOUNCE) {
		apply(e, r);
		e->tally->announced++;
		e->tally->peers += answer_peers(a);
	}
}

void engine_answer(struct engine *e, uint32_t slot, const struct answer *a)
{
	const struct slot *s = &e->slots[slot];
	book(e, &s->request, a);
	e->tally->verdicts[check_answer(e->people, &s->request, a, e->options->verify)]++;
	tally_answered(e->tally, s->due - e->start, e->now - s->due, e->now - s->request.sent);
	release(e, slot);
}

void engine_lost(struct engine *e, uint32_t slot)
{
	doubt(e, &e->slots[slot].request);
	tally_lost(e->tally, e->slots[slot].due - e->start);
	release(e, slot);
}

/* Gives up what is unanswered for too long. */
static void sweep(struct engine *e)
{
	const uint64_t patience = e->options->timeout * second;
	if (e->now - e->last_sweep < second / 10)
		return;
	e->last_sweep = e->now;
	for (uint32_t i = 0; i < e->n_slots; i++) {
		if (!e->slots[i].used || e->now - e->slots[i].request.sent < patience)
			continue;
		e->wire->give_up(e->wire, i);
		engine_lost(e, i);
	}
}

/* ---- the run ---- */

/*
 * Sleeps until an answer comes or the next request is due, but not for the last moments: a timer
 * may be that late.
 */
static void rest(struct engine *e)
{
	const uint64_t next = due(e), timer = 100000;
	uint64_t ns = second / 10;
	if (e->n_free > 0 && next > e->now && next - e->now < ns)
		ns = next - e->now;
	if (ns > timer)
		e->wire->rest(e->wire, ns);
}

/* One turn of the loop; sends only when `sending`. False once there is nothing to wait for. */
static bool turn(struct engine *e, bool sending)
{
	engine_read_clock(e);
	const bool moved = e->wire->exchange(e->wire, sending);
	sweep(e);
	const bool waiting = e->n_free < e->n_slots;
	if (!moved && (waiting || due(e) > e->now))
		rest(e);
	return moved || waiting;
}

static void begin(struct engine *e, struct tally *tally, bool measuring)
{
	for (uint32_t i = 0; i < e->wire->classes; i++) {
		e->classes[i].next = i;
		e->classes[i].n_ready = 0;
	}
	e->tally = tally;
	e->measuring = measuring;
	e->planned = 0;
	e->start = e->now = clock_now();
}

static bool all_in(struct engine *e)
{
	for (uint32_t i = 0; i < e->wire->classes; i++) {
		e->classes[i].next = i;
		if (seek(e, i))
			return false;
	}
	return true;
}

/* Visits every client until all have announced; a lost packet costs another pass. */
static enum err visit_all(struct engine *e, struct fault *fault)
{
	static struct tally tally; /* too large for a stack */
	for (unsigned pass = 0; pass < PASSES && !all_in(e); pass++) {
		memset(&tally, 0, sizeof(tally));
		begin(e, &tally, false);
		while (turn(e, true))
			;
		if (tally.answered == 0)
			break;
	}
	if (all_in(e))
		return ERR_OK;
	return fault_set(fault, ERR_AWAY, "announce",
	                 "the tracker does not let all clients in: of the last requests it "
	                 "answered %llu, refused %llu, %llu answers were malformed, %llu lost",
	                 (unsigned long long)tally.answered,
	                 (unsigned long long)tally.verdicts[REPLY_REFUSED],
	                 (unsigned long long)tally.verdicts[REPLY_MALFORMED],
	                 (unsigned long long)tally.lost);
}

static enum err measure(struct engine *e, struct tally *out, struct fault *fault)
{
	uint64_t before = 0, after = 0, own_before = 0, own_after = 0;
	const uint64_t pid = e->options->pid, own = (uint64_t)getpid();
	if (pid != 0 && process_cpu(pid, &before) != ERR_OK)
		return no_process(pid, fault);
	if (process_cpu(own, &own_before) != ERR_OK)
		return no_process(own, fault);
	if (e->options->progress)
		(void)fputs("p4pload: all clients are in; measuring\n", stderr);
	begin(e, out, true);
	struct timespec wall;
	must(clock_gettime(CLOCK_REALTIME, &wall) == 0);
	out->started_ms = (uint64_t)wall.tv_sec * 1000 + (uint64_t)wall.tv_nsec / 1000000;
	const uint64_t end = e->start + e->options->seconds * second;
	while (e->now < end)
		(void)turn(e, true);
	out->ns = e->now - e->start;
	if (e->options->rate * e->options->seconds > e->planned)
		out->unsent = e->options->rate * e->options->seconds - e->planned;
	while (turn(e, false)) /* the last answers count, too */
		;
	tally_close(out);
	if (pid != 0 && process_cpu(pid, &after) != ERR_OK)
		return no_process(pid, fault);
	if (process_cpu(own, &own_after) != ERR_OK)
		return no_process(own, fault);
	out->cpu_ns = after - before;
	out->own_cpu_ns = own_after - own_before;
	return ERR_OK;
}

enum err engine_run(struct engine *e, struct tally *out, struct fault *fault)
{
	const struct options *o = e->options;
	enum err err = ERR_OK;
	if (tally_init(out, o->seconds, o->timeout) != ERR_OK)
		return fault_set(fault, ERR_NOMEM, "--seconds", "out of memory");
	if (o->pid != 0 && process_memory(o->pid, &out->rss_empty) != ERR_OK)
		return no_process(o->pid, fault);
	for (e->goal = 1; err == ERR_OK && e->goal <= o->warm; e->goal++)
		err = visit_all(e, fault);
	if (err == ERR_OK && o->pid != 0 && process_memory(o->pid, &out->rss_full) != ERR_OK)
		return no_process(o->pid, fault);
	if (err == ERR_OK && o->seconds > 0)
		err = measure(e, out, fault);
	if (err == ERR_OK && o->pid != 0 && process_memory(o->pid, &out->rss_end) != ERR_OK)
		return no_process(o->pid, fault);
	return err;
}
