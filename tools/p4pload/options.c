/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4pload/options.h"

#include "common/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OFFSET(member) offsetof(struct options, member)

/* Options whose value is a number. */
static const struct {
	const char *name;
	size_t at; /* of a uint64_t */
	uint64_t min, max;
	const char *help;
} numbers[] = {
	{ "seconds", OFFSET(seconds), 0, 86400,
	  "how long to measure (5); 0: only fill the tracker" },
	{ "warm", OFFSET(warm), 1, 100, "announces of every client before the clock starts (1)" },
	{ "peers", OFFSET(peers), 1, 4000000, "distinct clients, each in one swarm (10000)" },
	{ "hashes", OFFSET(hashes), 1, 4000000, "swarms (1000)" },
	{ "want", OFFSET(want), 0, 1000, "peers asked for (the tracker's default)" },
	{ "seeders", OFFSET(seeders), 0, 100, "percent of the clients that are seeds (50)" },
	{ "addresses", OFFSET(addresses), 1, 65536, "distinct source addresses (1)" },
	{ "sockets", OFFSET(sockets), 1, 64, "sockets, each with its own source port (4)" },
	{ "window", OFFSET(window), 1, 65536, "requests in flight at the most (128)" },
	{ "rate", OFFSET(rate), 1, 10000000, "requests a second; absent: as the window allows" },
	{ "pid", OFFSET(pid), 1, INT32_MAX,
	  "the tracker's process, to measure its CPU time and memory" },
	{ "seed", OFFSET(seed), 0, UINT64_MAX, "of all chance (1); the same seed, the same run" },
};

static const struct {
	const char *name;
	size_t at; /* of a bool */
	const char *help;
} flags[] = {
	{ "bytes", OFFSET(bytes), "announce a MiB up and down more each time, instead of none" },
	{ "verify", OFFSET(verify), "check every list of peers; a wrong one makes the run fail" },
	{ "json", OFFSET(json), "print the result as one line of JSON" },
	{ "print-hashes", OFFSET(print_hashes), "print the info-hashes, one a line, and end" },
	{ "help", OFFSET(help), "print this and end" },
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

void options_help(void)
{
	puts("Usage: p4pload --target ADDRESS:PORT [OPTION]...\n"
	     "Load a UDP tracker on this machine with announces and say what it cost.\n");
	printf("  --%-22s %s\n", "target ADDRESS:PORT", "the tracker; an IPv4 loopback address");
	for (size_t i = 0; i < COUNT(numbers); i++)
		printf("  --%-12s %-9s %s\n", numbers[i].name, "N", numbers[i].help);
	printf("  --%-22s %s\n", "from PREFIX",
	       "source addresses, inside 127.0.0.0/8; repeatable (127.0.0.0/16)");
	printf("  --%-22s %s\n", "hash-file FILE", "info-hashes as hex lines, instead of --hashes");
	printf("  --%-22s %s\n", "mix C:A:S", "weights of connects, announces, scrapes (0:1:0)");
	printf("  --%-22s %s\n", "zipf EXPONENT",
	       "swarm n has a share of 1/n^EXPONENT; absent: all swarms are of one size");
	for (size_t i = 0; i < COUNT(flags); i++)
		printf("  --%-22s %s\n", flags[i].name, flags[i].help);
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
	struct ip_addr a;
	uint64_t port;
	const size_t n = colon == NULL ? 0 : (size_t)(colon - value);
	if (n == 0 || n >= sizeof(address) || !text_u64(colon + 1, strlen(colon + 1), &port) ||
	    port == 0 || port > UINT16_MAX)
		return fault_set(fault, ERR_MALFORMED, "--target",
		                 "\"%s\" is no ADDRESS:PORT, such as 127.0.0.1:6969", value);
	memcpy(address, value, n);
	address[n] = '\0';
	if (ip_parse(address, &a) != ERR_OK || a.family != IP_V4 || ip_kind(&a) != IP_LOOPBACK)
		return fault_set(
			fault, ERR_RANGE, "--target",
			"%s is no IPv4 loopback address; p4pload never loads other machines",
			address);
	o->target = a;
	o->port = port;
	return ERR_OK;
}

static enum err parse_from(const char *value, struct options *o, struct fault *fault)
{
	struct ip_prefix p;
	const enum err e = ip_prefix_parse(value, &p);
	if (e == ERR_MALFORMED)
		return fault_set(fault, e, "--from", "\"%s\" is no prefix, such as 127.10.0.0/16",
		                 value);
	if (e != ERR_OK || p.addr.family != IP_V4 || p.length < 8 ||
	    ip_kind(&p.addr) != IP_LOOPBACK)
		return fault_set(fault, ERR_RANGE, "--from",
		                 "%s must lie inside 127.0.0.0/8 and have no host bits set", value);
	if (o->n_from == FROM_MAX)
		return fault_set(fault, ERR_RANGE, "--from", "at most %d prefixes", FROM_MAX);
	o->from[o->n_from++] = p;
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

static enum err parse_value(const char *name, const char *value, struct options *o,
                            struct fault *fault)
{
	if (strcmp(name, "target") == 0)
		return parse_target(value, o, fault);
	if (strcmp(name, "from") == 0)
		return parse_from(value, o, fault);
	if (strcmp(name, "mix") == 0)
		return parse_mix(value, o, fault);
	if (strcmp(name, "zipf") == 0)
		return parse_zipf(value, o, fault);
	if (strcmp(name, "hash-file") == 0) {
		o->hash_file = value;
		return ERR_OK;
	}
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

/* What only shows when all options are known. */
static enum err check(struct options *o, struct fault *fault)
{
	if (o->help || o->print_hashes)
		return ERR_OK;
	if (o->target.family == IP_NONE)
		return fault_set(fault, ERR_MALFORMED, "--target", "is needed; see --help");
	if (o->n_from == 0)
		o->from[o->n_from++] = (struct ip_prefix){ ip_v4(0x7f000000), 16 };
	for (size_t i = 0; i < o->n_from; i++) {
		/* A prefix gives its addresses but the first and the last; a /32 gives itself. */
		const uint64_t hosts = (uint64_t)1 << (32 - o->from[i].length);
		const uint64_t needed = (o->addresses + o->n_from - 1) / o->n_from;
		if (needed > (hosts > 2 ? hosts - 2 : 1))
			return fault_set(fault, ERR_RANGE, "--from",
			                 "prefix %zu is too small for its %llu of the addresses",
			                 i + 1, (unsigned long long)needed);
	}
	if (o->peers > o->addresses * 60000)
		return fault_set(fault, ERR_RANGE, "--peers",
		                 "an address has 60000 clients at the most; use more --addresses");
	return ERR_OK;
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
