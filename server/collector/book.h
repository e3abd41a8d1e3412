/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The bins of flows that may still change.
 *
 * A bin is open while its time runs and for `grace` seconds more, in which exporters send what has ended
 * in it; then it is closed: its rows go to the spool. What comes later changes it again for `late`
 * seconds, and `grace` seconds after such a change it is closed once more, under the same key, with
 * BIN_LATE; the database replaces. After that it is forgotten.
 *
 * Booked once. In a bin a *crossing* is an exporter and a pair (in_if, out_if), and what was metered
 * where it enters the exporter is kept apart from what was metered where it leaves. When the bin is
 * closed, a crossing of which both are there counts by the first alone. It is decided for each bin anew,
 * so nothing has to be remembered: when an exporter begins or ends to meter in the midst of a bin, this
 * one bin counts by what was metered where it entered. By crossing, not by interconnect, because a
 * router that meters both ways on its border interfaces only sees most of what leaves on the way out,
 * and on the way in just what comes from other borders. Where the other interface is unknown (0), the
 * crossing cannot be told: then what was metered on leaving counts for a direction of an interconnect
 * only if that exporter metered nothing on entering for it.
 *
 * A probe on a wire names one interface for both, and sees each packet once, whichever direction it says
 * (softflowd: leaving, for what answers): all of it counts.
 *
 * Watched: an exporter that sent a datagram is taken to have watched since its last one, unless that was
 * more than `silence` seconds ago. An interconnect has been observed as long as the one of its exporters
 * that was heard in the bin and watched least. BIN_PARTIAL: less than the bin, or one of them was not
 * heard at all. Of an interconnect none of whose exporters was heard, and that nothing was booked on,
 * there is no row.
 *
 * A flow is booked where its time was, by the exporter's clock: pro rata over the bins it covers. What
 * would be in the future (by more than `skew`) counts now; what is too old is dropped.
 *
 * A bin that was forgotten is never made again, whatever the clock or a raised `late` says: its rows are
 * stored, and those of a second bin of its key would take their place. The floor is the end of the latest
 * that was forgotten. What is of before it and finds no bin is too old; but while the clock itself is
 * before the floor, for it leapt ahead and came back, all of that counts in the first bin above it.
 * Otherwise the clock is followed, back as well as ahead: bins of a time that turned out to be wrong stay
 * open until the time comes.
 *
 * Names: interconnects and exporters are numbers that outlive the map (server/accounting/names.h).
 *
 * Threading: one thread at a time.
 */

#include "server/accounting/accounting.h"
#include "server/accounting/names.h"

struct book;

struct book_options {
	uint32_t bin_seconds, late_seconds, grace_seconds;
	bool measures_p2p;       /* else no bin says how much was p2p */
	struct names *edges;     /* "provider/interconnect"; number 0 is none */
	struct names *exporters; /* addresses as text; number 0 is none */
};

enum {
	BOOK_SILENCE = 120,
	BOOK_SKEW = 10 /* seconds */,
	BOOK_CELLS_MAX = 1 << 16,
	BOOK_BINS_MAX = 8192
};

struct book *book_new(const struct book_options *options); /* NULL: no memory */
void book_free(struct book *b);                            /* NULL is fine */

struct booking {
	uint32_t exporter; /* names */
	uint32_t out, in;  /* names of interconnects; 0: none */
	uint32_t in_if, out_if;
	bool egress;  /* metered where it left */
	bool sampled; /* by one packet of many */
	enum { BOOKING_P2P_UNKNOWN, BOOKING_P2P_NOT, BOOKING_P2P } p2p;
	uint64_t bytes, packets; /* packets 0: not known */
	int64_t first_ms, last_ms;
};

/* What became of it, in bytes; they add up to its own. */
struct book_result {
	uint64_t booked, too_old, full; /* full: BOOK_CELLS_MAX, or no memory */
	bool future;                    /* it was put into now */
};

struct book_result book_add(struct book *b, const struct booking *f, int64_t now_ms);

/* A datagram came: at `now`, in seconds. */
void book_heard(struct book *b, uint32_t exporter, int64_t now);
/* And told that exports before it were lost. */
void book_gap(struct book *b, uint32_t exporter, int64_t now);

/* ---- closing ---- */

struct book_gone {
	int64_t start;
	bool lost; /* with what was booked since it was closed last */
};

/* A port of the map in force: an exporter and the interconnect behind it (names). */
struct book_port {
	uint32_t exporter, edge;
};

struct book_ports {
	const struct book_port *list; /* by exporter, then edge, each pair once */
	size_t n;
};

/* One bin's rows, and how often it had changed by then. */
struct book_page {
	struct accounting_bin bin;
	uint64_t changes;
};

/*
 * The rows of the oldest bin that starts at `from` or later and is due at `now`; ERR_NOT_FOUND: none.
 * `all`: due or not, if it has changed (shutdown). accounting_bin_done() page->bin. ERR_NOMEM.
 */
enum err book_due(const struct book *b, int64_t from, int64_t now, bool all,
                  const struct book_ports *ports, struct book_page *page) must_check;

/* It is on disk. Until it is said, the bin stays due. */
void book_closed(struct book *b, const struct book_page *page, int64_t now);

/*
 * Forgets one bin that can change no more and is closed; false: there is none. Beyond BOOK_BINS_MAX the
 * oldest goes even if no disk would take it.
 */
bool book_forget(struct book *b, int64_t now, struct book_gone *gone);

size_t book_count(const struct book *b);

/* Unix seconds; never falls. Raised by book_forget(), and by who knows of bins before. */
int64_t book_floor(const struct book *b);
void book_raise_floor(struct book *b, int64_t floor);

/* ---- checkpoints ---- */

/*
 * Adds to `out` the bytes of the first bin from `from` on that has changed since this was last called for
 * it; false: none. book_unsaved() takes that back, when they did not reach the disk.
 */
bool book_save(struct book *b, int64_t from, struct text *out, int64_t *start);
void book_unsaved(struct book *b, int64_t start);

/*
 * Such a bin again. ERR_MALFORMED, ERR_TRUNCATED, ERR_NOMEM; ERR_EXISTS: the bin is there already. Then
 * nothing has changed but for names that may be new.
 */
enum err book_load(struct book *b, const void *bytes, size_t size) must_check;
