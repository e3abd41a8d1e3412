/* SPDX-License-Identifier: Apache-2.0 */
#include "server/net/watch.h"

#include "common/base/err.h"

#include <sys/socket.h>

static void append(struct watch *w, struct watched *c)
{
	c->after = NULL;
	c->before = w->last;
	if (w->last != NULL)
		w->last->after = c;
	else
		w->first = c;
	w->last = c;
}

static void take_out(struct watch *w, struct watched *c)
{
	if (c->before != NULL)
		c->before->after = c->after;
	else
		w->first = c->after;
	if (c->after != NULL)
		c->after->before = c->before;
	else
		w->last = c->before;
}

static void drop(struct watch *w, struct watched *c)
{
	c->on = false;
	w->count--;
	take_out(w, c);
}

void watch_end(struct watch *w, struct watched *c)
{
	if (c->on)
		drop(w, c);
	if (c->hung)
		w->hung--;
	c->hung = c->welcome = false;
}

void watch_begin(struct watch *w, struct watched *c, int64_t now)
{
	watch_end(w, c);
	c->on = true;
	c->since = now;
	c->bytes = 0;
	w->count++;
	append(w, c);
}

void watch_heard(struct watch *w, struct watched *c, size_t bytes)
{
	if (!c->on)
		return;
	c->bytes += bytes;
	take_out(w, c);
	append(w, c);
}

static void hang_up(struct watch *w, struct watched *c)
{
	drop(w, c);
	c->hung = true;
	w->hung++;
	(void)shutdown(c->fd, SHUT_RDWR); /* it may be so already */
}

static bool has_ended(int fd)
{
	char byte;
	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

size_t watch_hang_up_late(struct watch *w, int64_t now, unsigned seconds)
{
	size_t n = 0;
	for (struct watched *c = w->first, *after; c != NULL; c = after) {
		after = c->after;
		const int64_t waited = now - c->since;
		const int64_t bought = (int64_t)(c->bytes / WATCH_BYTES_A_SECOND);
		if (waited <= (int64_t)seconds + bought && (waited <= 1 || !has_ended(c->fd)))
			continue;
		hang_up(w, c);
		n++;
	}
	return n;
}

static size_t hang_up_some(struct watch *w, size_t n, bool welcome)
{
	size_t done = 0;
	for (struct watched *c = w->first, *after; c != NULL && done < n; c = after) {
		after = c->after;
		if (c->welcome != welcome)
			continue;
		hang_up(w, c);
		done++;
	}
	return done;
}

size_t watch_hang_up_silent(struct watch *w, size_t n)
{
	const size_t strangers = hang_up_some(w, n, false);
	return strangers + hang_up_some(w, n - strangers, true);
}
