/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What other tools wrote about interface counters -> readings by port.
 *
 * librenms    LibreNMS's table bill_data, as CSV or as mysql --batch prints it (tabs): bill_id,
 *             timestamp, period, in_delta, out_delta. Its poll-billing.php writes NOW(), when the poll
 *             began, as `timestamp` (a DATETIME, so in the server's zone; UNIX_TIMESTAMP(timestamp)
 *             leaves no doubt), and the seconds since the row before as `period`, 0 in the first. The
 *             port is "bill N". Two deltas in a row that are the same in both directions and not 0 are
 *             its repetition of the last delta (issue 3571): they are left out. `in` is into the
 *             interface, so into the provider.
 * kentik      rates of 5 minutes with a header row, at their start. Kentik does not publish what its
 *             exports call their columns; so the header must tell: a column for the time ("time",
 *             "timestamp", "date", ...), one that says "in", "inbound" or "ingress" and one that says
 *             "out", "outbound" or "egress", both with a unit of bits in a second ("bits/s", "bps",
 *             "Mbits/s", "Mbps", ...). Columns "device" and "interface" name the port.
 * prometheus  answers of Prometheus's HTTP API (/api/v1/query with a range selector, query_range;
 *             "resultType": "matrix"), one or more behind each other, of snmp_exporter's counters
 *             ifHCInOctets and ifHCOutOctets, and of sysUpTime where it is there. The port is
 *             "INSTANCE/ifName", or "INSTANCE/ifIndex" without a name. snmp_exporter lets counters
 *             wrap at 2^53 (its README, "Large counter value handling"). Or pages of text as it and
 *             /federate answer them; where lines have no time, "# scraped TIME INSTANCE" before them.
 * csv         the columns of POST /v1/samples without whose they are: port, at, out_octets, in_octets,
 *             counter_bits, sys_uptime, speed_bps; or port, start or end, seconds, out_bytes, in_bytes.
 *
 * Ownership: import_done() frees. Threading: one thread.
 */

#include "common/balance/counter.h"
#include "common/base/arena.h"
#include "common/base/table.h"
#include "common/base/text.h"

enum import_format {
	IMPORT_LIBRENMS,
	IMPORT_KENTIK,
	IMPORT_PROMETHEUS,
	IMPORT_CSV,
	IMPORT_FORMATS
};

/* false: there is none of that name. */
bool import_format_of(const char *name, enum import_format *out);

struct import_row {
	uint32_t port; /* of import_file.ports */
	uint32_t line; /* 0: of a format without lines */
	struct counter_reading reading;
};

struct import_file {
	struct import_row *rows; /* by port, then time */
	size_t n, room;
	const char **ports;
	size_t n_ports, ports_room;
	struct text notes; /* a line each: what was left out, and why */
	struct table *port_numbers;
	struct arena *arena;
};

/*
 * `text` has a NUL behind its `size` bytes and is changed. ERR_MALFORMED: see `faults` (line, or JSON
 * pointer); ERR_NOMEM. *out is set either way.
 */
enum err import_read(enum import_format format, char *text, size_t size, struct import_file *out,
                     struct faults *faults) must_check;
void import_done(struct import_file *f);

/* For the readers of formats. */
enum err import_add(struct import_file *f, const char *port, uint32_t line,
                    const struct counter_reading *r) must_check;
enum err import_prometheus(const char *text, size_t size, struct import_file *f,
                           struct faults *faults) must_check;
enum err import_rows(enum import_format format, char *text, size_t size, struct import_file *f,
                     struct faults *faults) must_check;
