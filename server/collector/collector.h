/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * From flow exports to bins: what routers say crossed which interconnect.
 *
 * Datagrams of exporters that are allowed are decoded (common/codec/flow), each record is put on the
 * interconnects it crossed (classify.h) and booked in the bins it covers (book.h). By ticks what has
 * changed goes to disk: closed bins to a spool of their own ("flow/spool"), from which the feeder carries
 * them into the database with the source `flow`; the other bins to a checkpoint file each ("flow/"),
 * replaced whole. A start reads those back. So kill -9 costs what came since the last tick, and because
 * a checkpoint is the bin and no journal of it, nothing can count twice. Templates die with the process;
 * what needs them waits until the exporter sends them again.
 *
 * While the disk takes nothing, bins wait in memory (book.h says how many), and every tick it is tried
 * again. Before the first map is in force no bin is closed.
 *
 * Who is allowed: the addresses in `allowed`; when that is empty, the exporters that topologies name and,
 * while `lab` is on, loopback.
 *
 * Who books what: classify.h. An exporter that topologies name counts what went through the interfaces
 * they name; any other goes by the two addresses, and books only on interconnects that no topology names
 * an exporter of, for the provider that its own address is of, or for both when it is of none.
 *
 * Bytes are IP bytes. Where an exporter counts the link layer only, `overhead_bytes` of each packet are
 * taken off.
 *
 * The clock is followed when it is put right, ahead or back (book.h); less than BOOK_SKEW back is waited
 * for. An exporter whose own clock is off by more than the bins stay open, or ahead by more than
 * BOOK_SKEW, is dated by ours: a flow is then as old as it was when it was sent. So is every exporter
 * while it is our clock that is wrong. Nothing is lost by that, only booked at a time that is no better
 * than the clock.
 *
 * Threading: collector_take() is one thread's, tick and flush another's; a lock is between them, which is
 * never held while the disk is waited for. The rest: any thread.
 */

#include "common/balance/counter.h"
#include "common/codec/flow/flow.h"
#include "common/map/publish.h"
#include "server/accounting/spool.h"
#include "server/collector/peer_set.h"
#include "server/geo/geo.h"

struct collector;

struct collector_options {
	const char *state_dir; /* is there */
	uint32_t bin_seconds, late_seconds, overhead_bytes;
	const struct ip_prefix *allowed; /* copied */
	size_t n_allowed;
	bool lab;
	bool measures_p2p; /* collector_peers() will be called */
	struct map_office *office;
	const struct geo *geo; /* NULL: none */
	int64_t now;           /* unix seconds */
};

/*
 * Makes the state folder's missing parts and reads the checkpoints. ERR_OK with a fault set (its code is
 * not ERR_OK): one is damaged and was set aside; log it.
 */
enum err collector_new(const struct collector_options *options, struct collector **out,
                       struct fault *fault) must_check;
void collector_free(struct collector *c); /* NULL is fine */

struct collector_datagram {
	const void *bytes;
	size_t size;
	struct ip_addr from;
};

/* A batch that came at `now_ms`, unix. `dropped`: so many the kernel has dropped until now. */
void collector_take(struct collector *c, const struct collector_datagram *batch, size_t n,
                    int64_t now_ms, uint64_t dropped);

/* The live peers from now on; takes the set, and returns the one before for peer_set_free(). */
struct peer_set *collector_peers(struct collector *c, struct peer_set *peers);

/*
 * Writes closed bins and checkpoints; call at least once a second. After a failure (disk full) everything
 * is tried again by the next.
 */
enum err collector_tick(struct collector *c, int64_t now, struct fault *fault) must_check;

/*
 * The last call, when nothing comes any more: ticks, and writes the open bins as they are to the spool.
 * The checkpoints stay, so that a restart goes on and replaces them.
 */
enum err collector_flush(struct collector *c, int64_t now, struct fault *fault) must_check;

struct spool *collector_spool(struct collector *c);

/*
 * What sFlow agents say that the interfaces named by topologies have counted: for the source `counter`
 * (readings.h). The oldest, until collector_readings_done() says that they are stored. A port is
 * called "sflow 192.0.2.1/17".
 */
#define COLLECTOR_PORT "sflow "
enum { COLLECTOR_READINGS = 128 };
struct collector_reading {
	char provider[65], interconnect[65], port[65];
	struct counter_reading reading;
};
size_t collector_readings(struct collector *c,
                          struct collector_reading out[static COLLECTOR_READINGS], uint64_t *upto);
void collector_readings_done(struct collector *c, uint64_t upto);

struct collector_stats {
	struct flow_stats decoder;
	uint64_t datagrams; /* received, of refused exporters too */
	uint64_t refused;   /* exporters that are not allowed, or too many */
	uint64_t dropped;   /* by the kernel, unreceived */
	uint64_t records_future, records_old;
	uint64_t records_askew;   /* dated by our clock, as said above */
	uint64_t clock_backwards; /* times that our clock was put back */
	/* Bytes of records, each byte in one of them: classify.h, and book_result of book.h. */
	uint64_t booked_bytes, inside_bytes, elsewhere_bytes, unknown_bytes, old_bytes, full_bytes;
	uint64_t bins_lost;
	size_t open_bins, spooled, exporters, peers;
	size_t readings;        /* that wait for the database */
	uint64_t readings_lost; /* the oldest, when too many did */
};
struct collector_stats collector_stats(struct collector *c);

/* One exporter, as said above. */
struct collector_exporter {
	struct ip_addr address;
	char provider[65];    /* "": no topology names it */
	const char *protocol; /* of its last datagram; "" when none was understood */
	int64_t last_seen;
	uint64_t datagrams, malformed, records, lost;
	uint32_t sampling; /* of its last record; 0: none came */
};
/* free() the list. ERR_NOMEM. */
enum err collector_exporters(struct collector *c, struct collector_exporter **out,
                             size_t *n) must_check;
