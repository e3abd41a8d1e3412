/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The formats that sketches are made of, each a reader with a name. A new one is a file with its reader,
 * a line in format.c and one in the commands of p4pctl.
 *
 * Readers take untrusted text; each has its turn in tests/fuzz/fuzz_sketch.c.
 */

#include "tools/sketch/sketch.h"

/* What the operator asked for, as p4pctl's options; NULL or 0: not given. Readers name the option in
 * faults. The provider's ASNs are sketch.asns. */
struct sketch_ask {
	const char *by;            /* --by */
	const char *pid;           /* --pid */
	const uint32_t *neighbors; /* --neighbor */
	size_t n_neighbors;
	const char *net;            /* --net */
	const char *capacity_mbps;  /* --capacity-mbps */
	const char *const *transit; /* --transit */
	size_t n_transit;
	bool lab; /* --lab */
};

/* Adds what `sources` (those of the sketch, writable) say. */
typedef void sketch_read(struct sketch *s, struct sketch_source *sources, size_t n,
                         const struct sketch_ask *ask);

/* NULL: there is none of that name. */
sketch_read *sketch_format(const char *name);

/* RFC 8805: PIDs by city (the default), region or country; --by says which. */
sketch_read sketch_geofeed;

/*
 * Sheets of CSV (RFC 4180; or with ';' or tabs between), told apart by the names of their columns, in
 * any order. A cell that is empty says nothing.
 *
 *   pid, prefixes, access, uploads, monthly_upload_gb, subscriber_up_mbps, subscriber_down_mbps
 *           prefixes with blanks between; a PID may have more rows, which add prefixes
 *   id, a, b, capacity_mbps, weight
 *           links; without an id "A-B"
 *   id, pid, neighbor_asn, relation, capacity_mbps, reach, metro, exporters
 *           interconnects; without an id "asN". reach is "neighbor", "any", or ASNs and prefixes with
 *           blanks between; exporters are ADDRESS#IFINDEX with blanks between
 *   from, to, cost
 *           costs of pairs of PIDs
 *   interconnect, out, in
 *           costs of interconnects
 */
sketch_read sketch_csv;

/*
 * AS relations of CAIDA (serial-1, serial-2) and TopoScope: "A|B|R" a line, R -1 when A sells to B, 0 when
 * they peer, 1 or 2 when they are siblings. Corrects the relations of interconnects that are there, and adds
 * those of other neighbours at --pid; at "core" where there is no topology to add to.
 */
sketch_read sketch_asrel;

/*
 * A RIB as bgpdump -m prints it, a route a line -> `reach` of the interconnects that are there, but of
 * transit: the prefixes, or with --by asn the ASNs that originate them, of all routes by way of the
 * neighbour. Where the provider's ASN stands in the paths, the RIB is a collector's, and the neighbour
 * comes next to it; else it is the provider's own, and the neighbour comes first.
 */
sketch_read sketch_mrt;

/*
 * Origins of prefixes: pyasn's tables ("PREFIX ASN"), CAIDA's pfx2as ("ADDRESS LENGTH ASN", with "A_B"
 * for several origins and "A,B" for sets). What the provider's ASNs originate becomes PID "asN", or
 * --pid, but where a PID of the topology to add to has it already.
 */
sketch_read sketch_pfx2as;

/*
 * PeeringDB's tables as JSON (net, ix, ixlan, netixlan, fac, netfac; of its API, its dumps, Django's
 * fixtures): an interconnect with each neighbour at an exchange where the provider is, at the PID of the
 * city; with --neighbor only those, and with these in common facilities, too. All are taken for
 * settlement-free.
 */
sketch_read sketch_peeringdb;

/* ALTO (RFC 7285): network maps, and cost maps for --costs. */
sketch_read sketch_alto;

/*
 * Graphs, one file each: nodes become PIDs, edges links; see graph.h. --net gives each PID a prefix of
 * that, --capacity-mbps every link a capacity, --transit a PID an interconnect to --neighbor.
 *
 * sndlib   SNDlib's native XML
 * graphml  GraphML, with the Topology Zoo's labels, coordinates and speeds
 * ietf     RFC 8345 and RFC 8346 in JSON
 */
sketch_read sketch_sndlib, sketch_graphml, sketch_ietf;

/* ---- what readers of lines share ---- */

/* The text of a source without its byte order mark; NULL, and a fault, when it is none. */
char *sketch_text(struct sketch *s, const struct sketch_source *source, uint32_t number);

/*
 * Cuts off the next line (its end, LF or CRLF, goes) and returns it, NULL after the last. *at begins as
 * the text, *line as 0.
 */
char *sketch_next_line(char **at, const char *end, uint32_t *line);

/* Cuts `line` at every `separator`, a blank meaning any run of blanks and tabs. Returns how many fields there
 * are; no more than `max` are noted. */
size_t sketch_split(char *line, char separator, char **fields, size_t max);

/* false: a fault has been told. */
bool sketch_read_prefix(struct sketch *s, struct sketch_origin at, const char *text,
                        struct ip_prefix *out);
bool sketch_read_asn(struct sketch *s, struct sketch_origin at, const char *text, uint32_t *out);
