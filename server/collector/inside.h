/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The collector from inside: collector.c builds it and takes datagrams, files.c writes and reads its bins.
 * Nobody else includes this header.
 */

#include "server/collector/book.h"
#include "server/collector/collector.h"
#include "server/collector/exporters.h"
#include "server/collector/readings.h"

#include <pthread.h>

struct collector {
	struct collector_options options;
	struct ip_prefix *allowed;
	char *dir; /* "flow" in the state folder */
	struct spool spool;

	pthread_mutex_t lock; /* of all below */
	struct names *edge_names, *exporter_names;
	struct book *book;
	struct exporters *exporters;
	struct readings *readings;
	struct flow_decoder *decoder;
	struct peer_set *peers; /* NULL: not known */
	struct map_lease lease;
	uint64_t map_number; /* that the next three are of */
	uint32_t *edges;     /* by interconnect: its name; 0: not asked for yet */
	struct book_port *ports;
	size_t n_edges, n_ports;
	int64_t now_ms;
	struct collector_stats stats;
};

/* Under the lock: the map in force, with names for its ports. ERR_NOMEM: there is none. */
enum err collector_renew_map(struct collector *c) must_check;

/* Under the lock: what the clock says. */
void collector_read_clock(struct collector *c, int64_t now_ms);

/* The checkpoints of a process before this one. As collector_new(). */
enum err collector_load(struct collector *c, struct fault *fault) must_check;
