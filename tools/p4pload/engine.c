/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4pload/engine.h"

#include "common/base/random.h"
#include "tools/p4pload/process.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, SLOT_BITS = 16, REPLY_ROOM = 2048, PASSES = 5 };

static const uint64_t second = 1000000000;
static const uint64_t patience = 1000000000;         /* then a request is lost */
static const uint64_t connection_life = 60000000000; /* BEP 15: a minute */

struct slot {
	struct request request;
	uint64_t due, sent; /* `sent` is 0 while the slot is free */
};

/* Buffers of one batch, in or out; allocated once. */
struct batch {
	struct mmsghdr messages[BATCH];
	struct iovec pieces[BATCH];
	struct sockaddr_in names[BATCH];
	_Alignas(struct cmsghdr) char control[BATCH][CMSG_SPACE(sizeof(struct in_pktinfo))];
	uint8_t *source[BATCH]; /* the struct in_pktinfo in `control`, maybe unaligned */
	uint8_t bytes[BATCH][REPLY_ROOM];
	uint32_t slots[BATCH];
};

enum phase { PHASE_CONNECT, PHASE_ANNOUNCE, PHASE_MEASURE };

struct engine {
	struct population *people;
	const struct options *options;
	enum phase phase;
	uint32_t next;       /* client of the first two phases */
	uint32_t goal;       /* announces each client shall have made after the second */
	uint64_t start, now; /* of this phase; nanoseconds of a steady clock */
	uint64_t planned;    /* requests that have been due in this phase */
	uint64_t last_sweep;
	uint64_t seed;
	struct tally *tally;
	struct slot *slots;
	uint32_t *free_slots;
	uint32_t n_slots, n_free;
	uint16_t generation;
	size_t turn; /* which socket sends next */
	struct pollfd *sockets;
	size_t n_sockets;
	struct batch in, out;
};

static uint64_t clock_now(void)
{
	struct timespec t;
	must(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
	return (uint64_t)t.tv_sec * second + (uint64_t)t.tv_nsec;
}

static enum err no_process(uint64_t pid, struct fault *fault)
{
	return fault_set(fault, ERR_NOT_FOUND, "--pid",
	                 "there is no process %llu, or it is not ours to look into",
	                 (unsigned long long)pid);
}

/* Sockets and buffers */

static int open_socket(void)
{
	const int size = 4 << 20;
	struct sockaddr_in any = { .sin_family = AF_INET };
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	/* A smaller buffer than asked for is fine. */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (bind(fd, (const struct sockaddr *)&any, sizeof(any)) != 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static void prepare(struct batch *b, bool sending)
{
	for (size_t i = 0; i < BATCH; i++) {
		b->pieces[i].iov_base = b->bytes[i];
		b->pieces[i].iov_len = REPLY_ROOM;
		struct msghdr *m = &b->messages[i].msg_hdr;
		*m = (struct msghdr){ .msg_name = &b->names[i],
			              .msg_namelen = sizeof(b->names[i]),
			              .msg_iov = &b->pieces[i],
			              .msg_iovlen = 1 };
		if (!sending)
			continue;
		m->msg_control = b->control[i];
		m->msg_controllen = sizeof(b->control[i]);
		struct cmsghdr *c = CMSG_FIRSTHDR(m);
		must(c != NULL);
		c->cmsg_level = IPPROTO_IP;
		c->cmsg_type = IP_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo));
		b->source[i] = CMSG_DATA(c);
	}
}

enum err engine_new(struct population *p, struct engine **out, struct fault *fault)
{
	const struct options *o = p->options;
	struct engine *e = calloc(1, sizeof(*e));
	if (e == NULL)
		return fault_set(fault, ERR_NOMEM, "memory", "out of memory");
	*e = (struct engine){ .people = p, .options = o, .n_slots = (uint32_t)o->window };
	e->seed = o->seed;
	e->slots = calloc(e->n_slots, sizeof(*e->slots));
	e->free_slots = calloc(e->n_slots, sizeof(*e->free_slots));
	e->sockets = calloc((size_t)o->sockets, sizeof(*e->sockets));
	if (e->slots == NULL || e->free_slots == NULL || e->sockets == NULL) {
		engine_free(e);
		return fault_set(fault, ERR_NOMEM, "--window", "out of memory");
	}
	while (e->n_free < e->n_slots) {
		e->free_slots[e->n_free] = e->n_free;
		e->n_free++;
	}
	for (; e->n_sockets < o->sockets; e->n_sockets++) {
		const int fd = open_socket();
		if (fd < 0) {
			engine_free(e);
			return fault_set(fault, ERR_SYSTEM, "--sockets", "cannot open a socket: %s",
			                 strerror(errno));
		}
		e->sockets[e->n_sockets] = (struct pollfd){ .fd = fd, .events = POLLIN };
	}
	prepare(&e->in, false);
	prepare(&e->out, true);
	for (size_t i = 0; i < BATCH; i++) {
		e->out.names[i].sin_family = AF_INET;
		e->out.names[i].sin_port = htons((uint16_t)o->port);
		e->out.names[i].sin_addr.s_addr = htonl(ip_v4_number(&o->target));
	}
	*out = e;
	return ERR_OK;
}

void engine_free(struct engine *e)
{
	if (e == NULL)
		return;
	for (size_t i = 0; i < e->n_sockets; i++)
		(void)close(e->sockets[i].fd);
	free(e->sockets);
	free(e->free_slots);
	free(e->slots);
	free(e);
}

/* What to send */

static bool connected(const struct engine *e, uint32_t client)
{
	const struct client *c = &e->people->clients[client];
	return c->connected != 0 && e->now - c->connected < connection_life;
}

/* Moves `next` to a client that this phase has yet to visit; false when there is none. */
static bool seek(struct engine *e)
{
	const struct client *all = e->people->clients;
	const bool connecting = e->phase == PHASE_CONNECT;
	while (e->next < e->people->n_clients &&
	       (connecting ? all[e->next].connected != 0 : all[e->next].announces >= e->goal))
		e->next++;
	return e->next < e->people->n_clients;
}

static bool visit_next(struct engine *e, struct request *r)
{
	if (!seek(e))
		return false;
	r->client = e->next++;
	r->kind =
		e->phase == PHASE_CONNECT || !connected(e, r->client) ? UDP_CONNECT : UDP_ANNOUNCE;
	return true;
}

static bool choose(struct engine *e, struct request *r)
{
	if (e->phase != PHASE_MEASURE)
		return visit_next(e, r);
	const double *mix = e->options->mix;
	const double chance = (double)(random_next(&e->seed) >> 11) * 0x1p-53;
	r->client = random_below(&e->seed, e->people->n_clients);
	if (chance < mix[UDP_CONNECT] || !connected(e, r->client)) {
		r->kind = UDP_CONNECT;
	} else if (chance >= mix[UDP_CONNECT] + mix[UDP_ANNOUNCE]) {
		r->kind = UDP_SCRAPE;
		r->count = 1 + random_below(&e->seed, SCRAPE_COUNT_MAX);
	} else {
		r->kind = UDP_ANNOUNCE;
	}
	return true;
}

/* When the next request is due; the clock says "now" in a closed loop. */
static uint64_t due(const struct engine *e)
{
	if (e->options->rate == 0 || e->phase != PHASE_MEASURE)
		return e->now;
	return e->start +
	       (uint64_t)((double)e->planned * (double)second / (double)e->options->rate);
}

/* Fills entry `i` of the outgoing batch; false when nothing may be sent now. */
static bool fill(struct engine *e, size_t i)
{
	struct request r = { 0 };
	const uint64_t when = due(e);
	if (e->n_free == 0 || when > e->now || !choose(e, &r))
		return false;

	const uint32_t number = e->free_slots[--e->n_free];
	r.transaction = (uint32_t)++e->generation << SLOT_BITS | number;
	e->slots[number] = (struct slot){ .request = r, .due = when, .sent = e->now };
	e->planned++;

	struct batch *b = &e->out;
	const struct in_pktinfo source = { .ipi_spec_dst.s_addr =
		                                   htonl(population_address(e->people, r.client)) };
	memcpy(b->source[i], &source, sizeof(source));
	b->pieces[i].iov_len = packet_write(e->people, &r, b->bytes[i]);
	b->slots[i] = number;
	return true;
}

static void release(struct engine *e, uint32_t number)
{
	e->slots[number].sent = 0;
	e->free_slots[e->n_free++] = number;
}

/* What the kernel did not take was never sent: the request will be made anew. */
static void take_back(struct engine *e, size_t i)
{
	const struct request *r = &e->slots[e->out.slots[i]].request;
	if (e->phase != PHASE_MEASURE && r->client < e->next)
		e->next = r->client;
	e->planned--;
	release(e, e->out.slots[i]);
}

static bool send_some(struct engine *e)
{
	size_t n = 0;
	while (n < BATCH && fill(e, n))
		n++;
	if (n == 0)
		return false;

	const int fd = e->sockets[e->turn++ % e->n_sockets].fd;
	const int took = sendmmsg(fd, e->out.messages, (unsigned)n, 0);
	const size_t gone = took > 0 ? (size_t)took : 0;
	for (size_t i = 0; i < gone; i++)
		e->tally->sent[e->slots[e->out.slots[i]].request.kind]++;
	for (size_t i = n; i > gone; i--)
		take_back(e, i - 1);
	return gone > 0;
}

/* What comes back */

static void book(struct engine *e, const struct slot *s, const struct reply *reply)
{
	struct client *c = &e->people->clients[s->request.client];
	e->tally->answered++;
	e->tally->verdicts[reply->verdict]++;
	e->tally->peers += reply->peers;
	histogram_add(&e->tally->latency, e->now - s->due);
	if (reply->verdict == REPLY_REFUSED) {
		c->connected = 0;
	} else if (s->request.kind == UDP_CONNECT && reply->verdict == REPLY_GOOD) {
		c->connection = reply->connection;
		c->connected = e->now;
	} else if (s->request.kind == UDP_ANNOUNCE && reply->verdict != REPLY_MALFORMED) {
		c->announces++;
	}
}

static void take_reply(struct engine *e, size_t i)
{
	const struct sockaddr_in *from = &e->in.names[i];
	const struct sockaddr_in *target = &e->out.names[0];
	const size_t size = e->in.messages[i].msg_len;
	if (from->sin_addr.s_addr != target->sin_addr.s_addr ||
	    from->sin_port != target->sin_port) {
		e->tally->foreign++;
		return;
	}
	uint32_t transaction = 0;
	if (size >= 8)
		memcpy(&transaction, e->in.bytes[i] + 4, sizeof(transaction));
	transaction = ntohl(transaction);
	const uint32_t number = transaction & ((1U << SLOT_BITS) - 1);
	if (number >= e->n_slots || e->slots[number].sent == 0 ||
	    e->slots[number].request.transaction != transaction) {
		e->tally->late++;
		return;
	}
	const struct slot *s = &e->slots[number];
	const struct reply reply =
		packet_check(e->people, &s->request, e->in.bytes[i], size, e->options->verify);
	book(e, s, &reply);
	release(e, number);
}

static bool receive_from(struct engine *e, int fd)
{
	const int got = recvmmsg(fd, e->in.messages, BATCH, MSG_DONTWAIT, NULL);
	e->now = clock_now();
	for (int i = 0; i < got; i++) {
		take_reply(e, (size_t)i);
		e->in.messages[i].msg_hdr.msg_namelen = sizeof(struct sockaddr_in);
	}
	return got > 0;
}

/* Gives up what is unanswered for too long. */
static void sweep(struct engine *e)
{
	if (e->now - e->last_sweep < patience / 10)
		return;
	e->last_sweep = e->now;
	for (uint32_t i = 0; i < e->n_slots; i++) {
		if (e->slots[i].sent == 0 || e->now - e->slots[i].sent < patience)
			continue;
		e->tally->lost++;
		release(e, i);
	}
}

/*
 * Sleeps until an answer comes or the next request is due, but not for the last moments: a timer
 * may be that late.
 */
static void rest(struct engine *e)
{
	const uint64_t next = due(e), timer = 100000;
	uint64_t ns = patience / 10;
	if (e->n_free > 0 && next > e->now && next - e->now < ns)
		ns = next - e->now;
	const struct timespec t = { .tv_nsec = (long)ns };
	if (ns > timer)
		(void)ppoll(e->sockets, e->n_sockets, &t, NULL);
}

/* One turn of the loop; sends only when `sending`. False once there is nothing to wait for. */
static bool turn(struct engine *e, bool sending)
{
	bool busy = false;
	for (size_t i = 0; i < e->n_sockets; i++)
		busy = receive_from(e, e->sockets[i].fd) || busy;
	if (sending)
		busy = send_some(e) || busy;
	sweep(e);
	const bool waiting = e->n_free < e->n_slots;
	if (!busy && (waiting || due(e) > e->now))
		rest(e);
	return busy || waiting;
}

static void begin(struct engine *e, enum phase phase)
{
	e->phase = phase;
	e->next = 0;
	e->planned = 0;
	e->start = e->now = clock_now();
}

/* Visits every client until all have been let in; a lost packet costs another pass. */
static enum err visit_all(struct engine *e, enum phase phase, struct fault *fault)
{
	struct tally tally = { 0 };
	begin(e, phase);
	for (unsigned pass = 0; pass < PASSES && seek(e); pass++) {
		memset(&tally, 0, sizeof(tally));
		e->tally = &tally;
		while (turn(e, true))
			;
		begin(e, phase);
		if (tally.answered == 0)
			break;
	}
	if (!seek(e))
		return ERR_OK;
	return fault_set(fault, ERR_AWAY, phase == PHASE_CONNECT ? "connect" : "announce",
	                 "the tracker does not let all clients in: of the last requests it "
	                 "answered %llu, refused %llu, %llu answers were malformed, %llu lost",
	                 (unsigned long long)tally.answered,
	                 (unsigned long long)tally.verdicts[REPLY_REFUSED],
	                 (unsigned long long)tally.verdicts[REPLY_MALFORMED],
	                 (unsigned long long)tally.lost);
}

static enum err measure(struct engine *e, struct tally *out, struct fault *fault)
{
	uint64_t before = 0, after = 0;
	const uint64_t pid = e->options->pid;
	if (pid != 0 && process_cpu(pid, &before) != ERR_OK)
		return no_process(pid, fault);
	e->tally = out;
	begin(e, PHASE_MEASURE);
	const uint64_t end = e->start + e->options->seconds * second;
	while (e->now < end)
		(void)turn(e, true);
	out->ns = e->now - e->start;
	while (turn(e, false)) /* the last answers count, too */
		;
	if (pid != 0 && process_cpu(pid, &after) != ERR_OK)
		return no_process(pid, fault);
	out->cpu_ns = after - before;
	return ERR_OK;
}

enum err engine_run(struct engine *e, struct tally *out, struct fault *fault)
{
	const uint64_t pid = e->options->pid;
	memset(out, 0, sizeof(*out));
	if (pid != 0 && process_memory(pid, &out->rss_empty) != ERR_OK)
		return no_process(pid, fault);
	enum err err = visit_all(e, PHASE_CONNECT, fault);
	for (e->goal = 1; err == ERR_OK && e->goal <= e->options->warm; e->goal++)
		err = visit_all(e, PHASE_ANNOUNCE, fault);
	if (err == ERR_OK && pid != 0 && process_memory(pid, &out->rss_full) != ERR_OK)
		return no_process(pid, fault);
	if (err == ERR_OK && e->options->seconds > 0)
		err = measure(e, out, fault);
	if (err == ERR_OK && pid != 0 && process_memory(pid, &out->rss_end) != ERR_OK)
		return no_process(pid, fault);
	return err;
}
