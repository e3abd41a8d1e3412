/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One event to one receiver over HTTP (libcurl, which nothing else of the daemon uses).
 *
 * Only an answer of 2xx is a success. Redirects are not followed: what was signed is for the one host that
 * the operator named. Bounded: seconds to connect and in all, and what a receiver answers is thrown away.
 *
 * Threading: post_start() before other threads; then one thread per post.
 */

#include "common/base/err.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { POST_WHY = 200 };

struct post {
	const char *url, *secret, *event, *body;
	int64_t now;             /* unix seconds; part of what is signed */
	const atomic_bool *stop; /* true: give up at once */
};

enum err post_start(void) must_check; /* ERR_SYSTEM */
void post_end(void);

/* ERR_AWAY: not reached, or not taken; `why` is a sentence for whoever runs the receiver. ERR_NOMEM. */
enum err post_send(const struct post *p, char why[static POST_WHY]) must_check;

/* Is it an absolute http or https URL with a host? */
bool post_is_url(const char *url);

/* Seconds to wait after that many failures in a row (1 or more): doubles up to an hour. */
enum { POST_TRIES_MAX = 24 }; /* half a day of them */
uint32_t post_pause(uint64_t failures);
