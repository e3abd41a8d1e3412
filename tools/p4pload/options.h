/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a run of p4pload shall do: one table of options makes the parser, the checks and --help.
 */

#include "common/ip/addr.h"

enum { FROM_MAX = 64 };

enum protocol {
	PROTOCOL_UDP,
	PROTOCOL_HTTP_KEPT,  /* connections are kept open between requests */
	PROTOCOL_HTTP_CLOSED /* a connection for each request */
};

struct options {
	struct ip_addr target; /* of this machine */
	uint64_t port;
	enum protocol protocol;
	uint64_t seconds;   /* to measure; 0: only let every client in */
	uint64_t warm;      /* announces of every client before the clock starts */
	uint64_t peers;     /* distinct clients; each is in one swarm */
	uint64_t hashes;    /* swarms */
	uint64_t want;      /* num_want; UINT64_MAX: the tracker's default */
	uint64_t seeders;   /* percent of the clients */
	uint64_t stops;     /* percent of the measured announces that leave */
	uint64_t completes; /* percent of the leechers' measured announces that complete */
	double mix[3];      /* weights of connects, announces and scrapes; their sum is 1 */
	double zipf;        /* exponent of the swarms' popularity; 0: all are of one size */
	uint64_t addresses; /* distinct source addresses */
	uint64_t sockets;
	uint64_t window;  /* requests in flight, or connections, at the most */
	uint64_t rate;    /* requests each second; 0: as many as the window lets through */
	uint64_t timeout; /* seconds after which an unanswered request is lost */
	uint64_t pid;     /* of the tracker; 0: do not measure its CPU and memory */
	uint64_t seed;
	struct ip_prefix from[FROM_MAX]; /* all of the target's family */
	size_t n_from;
	const char *hash_file, *path; /* borrowed from argv; path of HTTP announces */
	bool forwarded, bytes, no_keys, verify, progress, series, json, print_hashes, help;
};

/* ERR_MALFORMED or ERR_RANGE with a fault that names the option. *out is untouched on failure. */
enum err options_parse(int argc, char *const *argv, struct options *out,
                       struct fault *fault) must_check;

void options_help(void); /* to stdout */
