/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Connections whose next request is not whole yet, the longest silent first. Private to server/net.
 *
 * libmicrohttpd hangs up on who is silent for a while. That is not enough: one byte now and then keeps
 * a connection for ever, and an end that comes together with the last bytes is not noticed before the
 * time is over (its epoll tells of both once). And when all places are taken, nobody else is served. So
 * a request must be whole in its time, and a newcomer takes the place of the longest silent stranger.
 *
 * Hanging up shuts the socket down, which libmicrohttpd then finds out and closes.
 *
 * Ownership: a watched is part of its connection, which must call watch_end() before it goes.
 * Threading: one thread. Times are seconds of a clock that does not jump.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WATCH_BYTES_A_SECOND = 4096 }; /* of a request, at least, once it has begun */

struct watched { /* all zero: not watched */
	struct watched *before, *after;
	bool on, hung; /* waited for; hung up on, and still there */
	bool welcome;  /* has leave to send what it sends, until watch_begin() or watch_end() */
	int fd;
	int64_t since;  /* it is waited for */
	uint64_t bytes; /* that came since then */
};

struct watch { /* all zero: nobody */
	struct watched *first, *last;
	size_t count; /* in the list */
	size_t hung;  /* hung up on, and not ended yet */
};

/* It is waited for from `now` on, anew if it was before. */
void watch_begin(struct watch *w, struct watched *c, int64_t now);

/* So many bytes came of it; fine when it is not watched. */
void watch_heard(struct watch *w, struct watched *c, size_t bytes);

/* Its request is whole, or it is gone; fine when it is not watched. */
void watch_end(struct watch *w, struct watched *c);

/*
 * Hangs up on those that are waited for longer than `seconds` and one more for each
 * WATCH_BYTES_A_SECOND that came, and on those that were ended by the other side more than a second
 * ago. Returns how many.
 */
size_t watch_hang_up_late(struct watch *w, int64_t now, unsigned seconds);

/*
 * Hangs up on the `n` longest silent, on welcome ones only when there are no others: else strangers, who come
 * faster than an upload goes on, would cut it off. Returns how many there were.
 */
size_t watch_hang_up_silent(struct watch *w, size_t n);
