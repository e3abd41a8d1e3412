/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4pload/http.h"
#include "tools/p4pload/wire.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/*
 * Non-blocking connections under one epoll, each with one request on its way. On loopback a connection
 * is there when connect() returns, so the request is written at once; only when that does not work do we
 * wait for it to become writable.
 *
 * Kept connections without --forwarded speak for one address each, that of their class. When the tracker
 * closes one before a request on it got any answer, the request goes out again on a new one, once: the
 * tracker may have closed it before it saw the request (RFC 9112, 9.3.1).
 */

enum { EVENTS = 256 };

enum state {
	LINK_CLOSED, /* no socket */
	LINK_IDLE,
	LINK_WRITING, /* waits to be writable: connecting, or its buffer is full */
	LINK_READING
};

struct link {
	int fd;
	enum state state;
	uint32_t class, slot;
	bool armed;   /* the epoll tells when it is writable */
	bool retried; /* this request was sent on another connection before */
	bool used;    /* a request was answered on this connection */
	size_t out_at, out_size, in_size;
	char out[HTTP_REQUEST_MAX];
	char in[HTTP_RESPONSE_MAX];
};

struct wire_http {
	struct wire wire;
	struct engine *engine;
	struct population *people;
	const struct options *options;
	struct socket_address target;
	int epoll;
	struct link *links;
	uint32_t n_links;
	uint32_t *idle; /* a ring of links that wait for a request */
	uint32_t idle_at, n_idle;
	uint32_t *link_of; /* by slot */
	struct epoll_event events[EVENTS];
};

static struct wire_http *http_of(struct wire *w)
{
	return (struct wire_http *)w;
}

static bool kept(const struct wire_http *h)
{
	return h->options->protocol == PROTOCOL_HTTP_KEPT;
}

static void make_idle(struct wire_http *h, struct link *l)
{
	h->idle[(h->idle_at + h->n_idle++) % h->n_links] = (uint32_t)(l - h->links);
}

static void hang_up(struct link *l)
{
	if (l->state != LINK_CLOSED)
		(void)close(l->fd); /* leaves the epoll by itself */
	l->state = LINK_CLOSED;
	l->used = false;
}

/* ---- sending ---- */

static bool wait_for(struct wire_http *h, struct link *l, int operation, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.u32 = (uint32_t)(l - h->links) };
	return epoll_ctl(h->epoll, operation, l->fd, &e) == 0;
}

/* A socket of the client's address, connecting. */
static bool dial(struct wire_http *h, struct link *l)
{
	const struct request *r = engine_request(h->engine, l->slot);
	const struct ip_addr a = population_address(h->people, r->client);
	const struct socket_address from = socket_address(&a, 0);
	const int on = 1;
	l->fd = socket(from.at.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0)
		return false;
	l->state = LINK_WRITING;
	l->used = l->armed = false;
	wire_free_bind(l->fd, (enum ip_family)a.family);
	/* The port is chosen by connect(), among those free towards this target. */
	(void)setsockopt(l->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	(void)setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (bind(l->fd, (const struct sockaddr *)&from.at, from.size) == 0 &&
	    (connect(l->fd, (const struct sockaddr *)&h->target.at, h->target.size) == 0 ||
	     errno == EINPROGRESS) &&
	    wait_for(h, l, EPOLL_CTL_ADD, EPOLLIN))
		return true;
	hang_up(l);
	return false;
}

static bool write_some(struct wire_http *h, struct link *l)
{
	const ssize_t n = send(l->fd, l->out + l->out_at, l->out_size - l->out_at, MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN && errno != ENOTCONN)
		return false;
	l->out_at += n > 0 ? (size_t)n : 0;
	const bool whole = l->out_at == l->out_size, armed = l->armed;
	l->state = whole ? LINK_READING : LINK_WRITING;
	l->armed = !whole;
	return l->armed == armed ||
	       wait_for(h, l, EPOLL_CTL_MOD, l->armed ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void end(struct wire_http *h, struct link *l, bool close_it)
{
	if (close_it)
		hang_up(l);
	else
		l->state = LINK_IDLE;
	make_idle(h, l);
}

/* Sends the link's request from its beginning; a failure is a lost request. */
static void start(struct wire_http *h, struct link *l)
{
	l->out_at = l->in_size = 0;
	if ((l->state != LINK_CLOSED || dial(h, l)) && write_some(h, l))
		return;
	engine_lost(h->engine, l->slot);
	end(h, l, true);
}

/* False when the engine has nothing to send now, for anybody. */
static bool give_request(struct wire_http *h, struct link *l, bool *sent)
{
	switch (engine_take(h->engine, l->class, &l->slot)) {
	case TAKE_LATER:
		return false;
	case TAKE_NOBODY:
		make_idle(h, l);
		return true;
	case TAKE_OK:
		break;
	}
	const struct request *r = engine_request(h->engine, l->slot);
	h->link_of[l->slot] = (uint32_t)(l - h->links);
	l->retried = false;
	l->out_size = http_write(h->people, r, l->out);
	start(h, l);
	*sent = true;
	return true;
}

static bool send_some(struct wire_http *h)
{
	bool sent = false;
	for (uint32_t n = h->n_idle; n > 0; n--) {
		struct link *l = &h->links[h->idle[h->idle_at]];
		h->idle_at = (h->idle_at + 1) % h->n_links;
		h->n_idle--;
		if (!give_request(h, l, &sent)) {
			h->idle_at = (h->idle_at + h->n_links - 1) % h->n_links;
			h->idle[h->idle_at] = (uint32_t)(l - h->links);
			h->n_idle++;
			break;
		}
	}
	return sent;
}

/* ---- receiving ---- */

/* A broken connection: without an answer, or in the midst of one. */
static void broken(struct wire_http *h, struct link *l)
{
	const bool again = l->used && l->in_size == 0 && !l->retried;
	if (l->state == LINK_IDLE) { /* the tracker was tired of it */
		engine_tally(h->engine)->reconnects++;
		hang_up(l);
		return;
	}
	hang_up(l);
	if (again) {
		engine_tally(h->engine)->reconnects++;
		l->retried = true;
		start(h, l);
		return;
	}
	engine_lost(h->engine, l->slot);
	end(h, l, true);
}

/* True when the response is whole and booked. */
static bool digest(struct wire_http *h, struct link *l, bool ended)
{
	const struct request *r = engine_request(h->engine, l->slot);
	struct answer a = { .shape = REPLY_MALFORMED };
	struct http_head head = { .close = true };
	const enum err e = http_parse_head(l->in, l->in_size, &head);
	if (e == ERR_TRUNCATED && !ended)
		return false;
	if (e == ERR_TRUNCATED) { /* cut short */
		broken(h, l);
		return true;
	}
	if (e == ERR_OK) {
		const size_t got = l->in_size - head.body;
		if (got < head.length && !ended)
			return false;
		if (got <= head.length && (got == head.length || head.length == SIZE_MAX))
			a = http_parse_body(r, head.status, l->in + head.body, got);
	}
	engine_answer(h->engine, l->slot, &a);
	l->used = true;
	end(h, l, ended || head.close || !kept(h));
	return true;
}

static void read_some(struct wire_http *h, struct link *l)
{
	const ssize_t n = recv(l->fd, l->in + l->in_size, sizeof(l->in) - l->in_size, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0 || (n == 0 && l->in_size == 0) || l->state == LINK_IDLE) {
		broken(h, l);
		return;
	}
	l->in_size += (size_t)n;
	if (!digest(h, l, n == 0) && l->in_size == sizeof(l->in))
		broken(h, l);
}

static bool receive(struct wire_http *h, int timeout_ms)
{
	const int n = epoll_wait(h->epoll, h->events, EVENTS, timeout_ms);
	engine_read_clock(h->engine);
	for (int i = 0; i < n; i++) {
		struct link *l = &h->links[h->events[i].data.u32];
		const uint32_t what = h->events[i].events;
		if (l->state == LINK_CLOSED)
			continue;
		if (l->state == LINK_WRITING && (what & EPOLLOUT) != 0 && !write_some(h, l))
			broken(h, l);
		else if ((what & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0)
			read_some(h, l);
	}
	return n > 0;
}

/* ---- the wire ---- */

static bool exchange(struct wire *w, bool sending)
{
	struct wire_http *h = http_of(w);
	const bool moved = receive(h, 0);
	return (sending && send_some(h)) || moved;
}

static void rest(struct wire *w, uint64_t ns)
{
	struct wire_http *h = http_of(w);
	const struct timespec t = { .tv_nsec = (long)ns };
	struct epoll_event e; /* seen again by exchange() */
	(void)epoll_pwait2(h->epoll, &e, 1, &t, NULL);
}

static void give_up(struct wire *w, uint32_t slot)
{
	struct wire_http *h = http_of(w);
	end(h, &h->links[h->link_of[slot]], true);
}

static void free_http(struct wire *w)
{
	struct wire_http *h = http_of(w);
	for (uint32_t i = 0; h->links != NULL && i < h->n_links; i++)
		hang_up(&h->links[i]);
	if (h->epoll >= 0)
		(void)close(h->epoll);
	free(h->links);
	free(h->idle);
	free(h->link_of);
	free(h);
}

/* Many connections need many descriptors. */
static void raise_limit(void)
{
	struct rlimit l;
	if (getrlimit(RLIMIT_NOFILE, &l) == 0) {
		l.rlim_cur = l.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &l);
	}
}

enum err wire_http_new(struct engine *e, struct population *p, struct wire **out,
                       struct fault *fault)
{
	const struct options *o = p->options;
	struct wire_http *h = calloc(1, sizeof(*h));
	if (h == NULL)
		return fault_set(fault, ERR_NOMEM, "memory", "out of memory");
	const bool fixed = o->protocol == PROTOCOL_HTTP_KEPT && !o->forwarded;
	h->wire = (struct wire){ fixed ? (uint32_t)o->addresses : 1, exchange, rest, give_up,
		                 free_http };
	h->engine = e;
	h->people = p;
	h->options = o;
	h->target = socket_address(&o->target, (uint16_t)o->port);
	h->n_links = (uint32_t)o->window;
	raise_limit();
	h->epoll = epoll_create1(EPOLL_CLOEXEC);
	h->links = calloc(h->n_links, sizeof(*h->links));
	h->idle = calloc(h->n_links, sizeof(*h->idle));
	h->link_of = calloc(h->n_links, sizeof(*h->link_of));
	if (h->epoll < 0 || h->links == NULL || h->idle == NULL || h->link_of == NULL) {
		free_http(&h->wire);
		return fault_set(fault, ERR_SYSTEM, "--window", "out of memory or descriptors");
	}
	for (uint32_t i = 0; i < h->n_links; i++) {
		h->links[i].class = i % h->wire.classes;
		make_idle(h, &h->links[i]);
	}
	*out = &h->wire;
	return ERR_OK;
}
