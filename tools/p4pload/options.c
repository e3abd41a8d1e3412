/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4pload/options.h"

#include "common/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OFFSET(member) offsetof(struct options, member)
#define COUNT(table)   (sizeof(table) / sizeof((table)[0]))

enum { CLIENTS_OF_ADDRESS = 60000, CONNECTIONS_MAX = 8192 };

/* Options whose value is a number. */
static const struct {
	const char *name;
	size_t at; /* of a uint64_t */
	uint64_t min, max;
	const char *help;
} numbers[] = {
	{ "seconds", OFFSET(seconds), 0, 86400, "how long to measure (5); 0: only fill" },
	{ "warm", OFFSET(warm), 1, 100, "announces of every client before the clock starts (1)" },
	{ "peers", OFFSET(peers), 1, 4000000, "distinct clients, each in one swarm (10000)" },
	{ "hashes", OFFSET(hashes), 1, 4000000, "swarms (1000)" },
	{ "want", OFFSET(want), 0, 1000, "peers asked for (the tracker's default)" },
	{ "seeders", OFFSET(seeders), 0, 100, "percent of the clients that are seeds (50)" },
	{ "stops", OFFSET(stops), 0, 100,
	  "percent of the announces that leave; the next one starts anew (0)" },
	{ "completes", OFFSET(completes), 0, 100,
	  "percent of the leechers' announces that complete (0)" },
	{ "addresses", OFFSET(addresses), 1, 4000000, "distinct source addresses (1)" },
	{ "sockets", OFFSET(sockets), 1, 64, "UDP sockets, each with its own source port (4)" },
	{ "window", OFFSET(window), 1, 65536, "requests in flight, or connections (128)" },
	{ "rate", OFFSET(rate), 1, 10000000, "requests a second; absent: as the window allows" },
	{ "timeout", OFFSET(timeout), 1, 60, "seconds until an unanswered request is lost (2)" },
	{ "pid", OFFSET(pid), 1, INT32_MAX, "the tracker's process: measure its CPU and memory" },
	{ "seed", OFFSET(seed), 0, UINT64_MAX, "of all chance (1); the same seed, the same run" },
};

static const struct {
	const char *name;
	size_t at; /* of a bool */
	const char *help;
} flags[] = {
	{ "forwarded", OFFSET(forwarded), "name the client in X-Forwarded-For, as a proxy does" },
	{ "bytes", OFFSET(bytes), "announce a MiB up and down more each time, instead of none" },
	{ "no-keys", OFFSET(no_keys), "announce without a key" },
	{ "verify", OFFSET(verify),
	  "check lists and counts of a tracker that has only these peers; a wrong one fails the run" },
	{ "progress", OFFSET(progress), "say on standard error when the clock starts" },
	{ "series", OFFSET(series), "add every second's figures to the JSON" },
	{ "json", OFFSET(json), "print the result as one line of JSON" },
	{ "print-hashes", OFFSET(print_hashes), "print the info-hashes, one a line, and end" },
	{ "help", OFFSET(help), "print this and end" },
};

static enum err parse_target(const char *value, struct options *o, struct fault *fault);
static enum err parse_http(const char *value, struct options *o, struct fault *fault);
static enum err parse_path(const char *value, struct options *o, struct fault *fault);
static enum err parse_mix(const char *value, struct options *o, struct fault *fault);
static enum err parse_zipf(const char *value, struct options *o, struct fault *fault);
static enum err parse_from(const char *value, struct options *o, struct fault *fault);
static enum err parse_hash_file(const char *value, struct options *o, struct fault *fault);

static const struct {
	const char *name;
	enum err (*parse)(const char *value, struct options *o, struct fault *fault);
	const char *value, *help;
} others[] = {
	{ "target", parse_target, "ADDRESS:PORT",
	  "the tracker, on this machine: 127.0.0.1:6969 or [::1]:6969" },
	{ "http", parse_http, "MODE", "\"keep-alive\" or \"close\" (after each request), not UDP" },
	{ "path", parse_path, "PATH", "of HTTP announces (/announce)" },
	{ "mix", parse_mix, "C:A:S", "weights of connects, announces, scrapes (0:1:0)" },
	{ "zipf", parse_zipf, "EXPONENT",
	  "swarm n has a share of 1/n^EXPONENT; absent: all are of one size" },
	{ "from", parse_from, "PREFIX",
	  "source addresses, of this machine; repeatable (127.0.0.0/16, ::1/128)" },
	{ "hash-file", parse_hash_file, "FILE", "info-hashes as hex lines, instead of --hashes" },
};

static void help_line(const char *name, const char *value, const char *help)
{
	printf("  --%s %-*s %s\n", name, (int)(21 - strlen(name)), value, help);
}

void options_help(void)
{
	puts("Usage: p4pload --target ADDRESS:PORT [OPTION]...\n"
	     "Load a tracker on this machine with announces and say what it cost.\n");
	for (size_t i = 0; i < COUNT(others); i++)
		help_line(others[i].name, others[i].value, others[i].help);
	for (size_t i = 0; i < COUNT(numbers); i++)
		help_line(numbers[i].name, "N", numbers[i].help);
	for (size_t i = 0; i < COUNT(flags); i++)
		help_line(flags[i].name, "", flags[i].help);
	puts("\nEvery client connects and announces (--warm) before the clock starts. Without --rate the\n"
	     "loop is closed: a new request leaves when an answer comes. With --rate it is open, and\n"
	     "latency counts from the moment a request was due, so that a stall is not overlooked.\n"
	     "\n"
	     "Exit status: 0 fine; 1 answers were missing (more than 10 %) or, with --verify, wrong;\n"
	     "2 wrong usage.");
}

static enum err parse_target(const char *value, struct options *o, struct fault *fault)
{
	char address[IP_TEXT_SIZE];
	const char *colon = strrchr(value, ':');
	const bool bracket = value[0] == '[';
	const size_t n = colon == NULL ? 0 : (size_t)(colon - value);
	uint64_t port;
	struct ip_addr a;
	if (n == 0 || n >= sizeof(address) || !text_u64(colon + 1, strlen(colon + 1), &port) ||
	    port == 0 || port > UINT16_MAX || (bracket && (n < 3 || value[n - 1] != ']')))
		return fault_set(fault, ERR_MALFORMED, "--target",
		                 "\"%s\" is no ADDRESS:PORT, such as 127.0.0.1:6969 or [::1]:6969",
		                 value);
	const size_t size = bracket ? n - 2 : n;
	memcpy(address, value + bracket, size);
	address[size] = '\0';
	if (ip_parse(address, &a) != ERR_OK || (a.family == IP_V6) != bracket)
		return fault_set(fault, ERR_MALFORMED, "--target",
		                 "\"%s\" is no address; an IPv6 address stands in brackets",
		                 address);
	o->target = a;
	o->port = port;
	return ERR_OK;
}

static enum err parse_http(const char *value, struct options *o, struct fault *fault)
{
	const bool kept = strcmp(value, "keep-alive") == 0;
	if (!kept && strcmp(value, "close") != 0)
		return fault_set(fault, ERR_MALFORMED, "--http",
		                 "\"%s\" must be \"keep-alive\" or \"close\"", value);
	o->protocol = kept ? PROTOCOL_HTTP_KEPT : PROTOCOL_HTTP_CLOSED;
	return ERR_OK;
}

/* BEP 48 makes the path of a scrape from that of an announce. */
static enum err parse_path(const char *value, struct options *o, struct fault *fault)
{
	const char *last = strrchr(value, '/');
	if (value[0] != '/' || last == NULL || strncmp(last, "/announce", 9) != 0 ||
	    strlen(value) > 100 ||
	    strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                  "0123456789/._~-") != strlen(value))
		return fault_set(fault, ERR_MALFORMED, "--path",
		                 "\"%s\" is no path such as /announce or /PASSKEY/announce", value);
	o->path = value;
	return ERR_OK;
}

/* A weight or exponent: digits with at most one point. Untouched on failure. */
static bool decimal(const char *text, size_t size, double *out)
{
	char copy[16];
	char *end = NULL;
	if (size == 0 || size >= sizeof(copy) || strspn(text, "0123456789.") < size)
		return false;
	memcpy(copy, text, size);
	copy[size] = '\0';
	const double v = strtod(copy, &end);
	if (*end != '\0' || end == copy || v > 1e6)
		return false;
	*out = v;
	return true;
}

static enum err parse_mix(const char *value, struct options *o, struct fault *fault)
{
	double weights[3], sum = 0;
	const char *at = value;
	for (size_t i = 0; i < 3; i++) {
		const size_t size = strcspn(at, ":");
		if (!decimal(at, size, &weights[i]) || (at[size] == ':') != (i < 2))
			return fault_set(fault, ERR_MALFORMED, "--mix",
			                 "\"%s\" is no mix, such as 50:50:1", value);
		sum += weights[i];
		at += size + 1;
	}
	if (!(sum > 0))
		return fault_set(fault, ERR_RANGE, "--mix", "one weight must be above 0");
	for (size_t i = 0; i < 3; i++)
		o->mix[i] = weights[i] / sum;
	return ERR_OK;
}

static enum err parse_zipf(const char *value, struct options *o, struct fault *fault)
{
	double v;
	if (!decimal(value, strlen(value), &v) || !(v > 0) || v > 5)
		return fault_set(fault, ERR_RANGE, "--zipf",
		                 "\"%s\" is no exponent above 0 and up to 5", value);
	o->zipf = v;
	return ERR_OK;
}

static enum err parse_from(const char *value, struct options *o, struct fault *fault)
{
	struct ip_prefix p;
	const enum err e = ip_prefix_parse(value, &p);
	if (e == ERR_RANGE)
		return fault_set(fault, e, "--from", "%s has host bits set, or is too long", value);
	if (e != ERR_OK)
		return fault_set(fault, e, "--from", "\"%s\" is no prefix, such as 127.10.0.0/16",
		                 value);
	if (o->n_from == FROM_MAX)
		return fault_set(fault, ERR_RANGE, "--from", "at most %d prefixes", FROM_MAX);
	o->from[o->n_from++] = p;
	return ERR_OK;
}

static enum err parse_hash_file(const char *value, struct options *o, struct fault *fault)
{
	(void)fault;
	o->hash_file = value;
	return ERR_OK;
}

static enum err parse_number(size_t i, const char *value, struct options *o, struct fault *fault)
{
	uint64_t v;
	char where[32];
	(void)snprintf(where, sizeof(where), "--%s", numbers[i].name);
	if (!text_u64(value, strlen(value), &v) || v < numbers[i].min || v > numbers[i].max)
		return fault_set(fault, ERR_RANGE, where, "\"%s\" is no number from %llu to %llu",
		                 value, (unsigned long long)numbers[i].min,
		                 (unsigned long long)numbers[i].max);
	memcpy((char *)o + numbers[i].at, &v, sizeof(v));
	return ERR_OK;
}

static enum err parse_value(const char *name, const char *value, struct options *o,
                            struct fault *fault)
{
	for (size_t i = 0; i < COUNT(others); i++)
		if (strcmp(name, others[i].name) == 0)
			return others[i].parse(value, o, fault);
	for (size_t i = 0; i < COUNT(numbers); i++)
		if (strcmp(name, numbers[i].name) == 0)
			return parse_number(i, value, o, fault);
	return fault_set(fault, ERR_MALFORMED, "arguments", "there is no option --%s; see --help",
	                 name);
}

static bool parse_flag(const char *name, struct options *o)
{
	for (size_t i = 0; i < COUNT(flags); i++) {
		if (strcmp(name, flags[i].name) == 0) {
			*(bool *)((char *)o + flags[i].at) = true;
			return true;
		}
	}
	return false;
}

/* Loopback's own prefix, or else the target alone. */
static struct ip_prefix default_from(const struct ip_addr *target)
{
	if (target->family == IP_V4 && ip_kind(target) == IP_LOOPBACK)
		return (struct ip_prefix){ ip_v4(0x7f000000), 16 };
	return (struct ip_prefix){ *target, target->family == IP_V4 ? 32 : 128 };
}

static enum err check_from(const struct options *o, struct fault *fault)
{
	for (size_t i = 0; i < o->n_from; i++) {
		/* A prefix gives its addresses but the first and the last; a /32 gives itself. */
		const struct ip_prefix *p = &o->from[i];
		const unsigned bits = (p->addr.family == IP_V4 ? 32U : 128U) - p->length;
		const uint64_t hosts = bits > 31 ? UINT32_MAX : (uint64_t)1 << bits;
		const uint64_t needed = (o->addresses + o->n_from - 1) / o->n_from;
		if (p->addr.family != o->target.family)
			return fault_set(fault, ERR_RANGE, "--from",
			                 "prefix %zu is not of the target's family", i + 1);
		if (needed > (hosts > 2 ? hosts - 2 : 1))
			return fault_set(fault, ERR_RANGE, "--from",
			                 "prefix %zu is too small for its %llu of the addresses",
			                 i + 1, (unsigned long long)needed);
	}
	return ERR_OK;
}

static enum err check_http(const struct options *o, struct fault *fault)
{
	if (o->protocol == PROTOCOL_UDP) {
		if (o->forwarded || o->path != NULL)
			return fault_set(fault, ERR_RANGE, o->forwarded ? "--forwarded" : "--path",
			                 "is for --http");
		return ERR_OK;
	}
	if (o->mix[0] > 0)
		return fault_set(fault, ERR_RANGE, "--mix", "HTTP has no connects; use 0:A:S");
	if (o->window > CONNECTIONS_MAX)
		return fault_set(fault, ERR_RANGE, "--window", "at most %d HTTP connections",
		                 CONNECTIONS_MAX);
	if (o->protocol == PROTOCOL_HTTP_KEPT && !o->forwarded && o->addresses > o->window)
		return fault_set(fault, ERR_RANGE, "--addresses",
		                 "a kept connection has one address: no more than --window, or "
		                 "use --forwarded");
	return ERR_OK;
}

/* What only shows when all options are known. */
static enum err check(struct options *o, struct fault *fault)
{
	if (o->help || o->print_hashes)
		return ERR_OK;
	if (o->target.family == IP_NONE)
		return fault_set(fault, ERR_MALFORMED, "--target", "is needed; see --help");
	if (o->n_from == 0)
		o->from[o->n_from++] = default_from(&o->target);
	const enum err e = check_from(o, fault);
	if (e != ERR_OK)
		return e;
	if (o->peers > o->addresses * CLIENTS_OF_ADDRESS)
		return fault_set(fault, ERR_RANGE, "--peers",
		                 "an address has %d clients at the most; use more --addresses",
		                 CLIENTS_OF_ADDRESS);
	return check_http(o, fault);
}

enum err options_parse(int argc, char *const *argv, struct options *out, struct fault *fault)
{
	struct options o = { .seconds = 5,
		             .warm = 1,
		             .peers = 10000,
		             .hashes = 1000,
		             .want = UINT64_MAX,
		             .seeders = 50,
		             .mix = { 0, 1, 0 },
		             .addresses = 1,
		             .sockets = 4,
		             .window = 128,
		             .timeout = 2,
		             .seed = 1 };
	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "--", 2) != 0)
			return fault_set(fault, ERR_MALFORMED, "arguments",
			                 "\"%s\" is no option; see --help", argv[i]);
		const char *name = argv[i] + 2;
		if (parse_flag(name, &o))
			continue;
		if (i + 1 == argc)
			return fault_set(fault, ERR_MALFORMED, "arguments",
			                 "--%s is unknown or lacks its value; see --help", name);
		const enum err e = parse_value(name, argv[++i], &o, fault);
		if (e != ERR_OK)
			return e;
	}
	const enum err e = check(&o, fault);
	if (e == ERR_OK)
		*out = o;
	return e;
}
