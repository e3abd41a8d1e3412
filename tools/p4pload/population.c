/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4pload/population.h"

#include "common/base/random.h"
#include "common/base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_PORT = 1024 };

void population_hash(uint32_t index, uint8_t out[static INFO_HASH_SIZE])
{
	uint64_t seed = random_mix((uint64_t)index + 1);
	uint64_t words[3];
	for (size_t i = 0; i < 3; i++)
		words[i] = htobe64(random_next(&seed));
	memcpy(out, words, INFO_HASH_SIZE);
}

static enum err generate(struct population *p, uint64_t n)
{
	p->hashes = calloc((size_t)n, sizeof(*p->hashes));
	if (p->hashes == NULL)
		return ERR_NOMEM;
	for (; p->n_hashes < n; p->n_hashes++)
		population_hash(p->n_hashes, p->hashes[p->n_hashes]);
	return ERR_OK;
}

static enum err add_hash(struct population *p, const char *hex, struct fault *fault)
{
	if (p->n_hashes % 1024 == 0) {
		void *more = realloc(p->hashes, (p->n_hashes + 1024) * sizeof(*p->hashes));
		if (more == NULL)
			return fault_set(fault, ERR_NOMEM, "--hash-file", "out of memory");
		p->hashes = more;
	}
	if (!text_unhex(hex, p->hashes[p->n_hashes], INFO_HASH_SIZE))
		return fault_set(fault, ERR_MALFORMED, "--hash-file",
		                 "entry %u is not 40 hex digits", p->n_hashes + 1);
	p->n_hashes++;
	return ERR_OK;
}

static enum err load(struct population *p, const char *path, struct fault *fault)
{
	char line[64];
	enum err e = ERR_OK;
	FILE *f = fopen(path, "r");
	if (f == NULL)
		return fault_set(fault, ERR_SYSTEM, "--hash-file", "cannot read %s", path);
	while (e == ERR_OK && fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, " \t\r\n")] = '\0';
		if (line[0] != '\0')
			e = add_hash(p, line, fault);
	}
	(void)fclose(f);
	if (e == ERR_OK && p->n_hashes == 0)
		e = fault_set(fault, ERR_NOT_FOUND, "--hash-file", "%s holds no info-hash", path);
	return e;
}

/* Swarm n gets a share of 1/n^exponent: `sums` holds the running sums of the shares. */
static uint32_t draw_zipf(const double *sums, uint32_t n, uint64_t *seed)
{
	const double x = (double)(random_next(seed) >> 11) * 0x1p-53 * sums[n - 1];
	uint32_t low = 0, high = n - 1;
	while (low < high) {
		const uint32_t middle = low + (high - low) / 2;
		if (sums[middle] > x)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static enum err settle_zipf(struct population *p, double exponent, uint64_t *seed)
{
	double *sums = calloc(p->n_hashes, sizeof(*sums));
	if (sums == NULL)
		return ERR_NOMEM;
	double sum = 0;
	for (uint32_t i = 0; i < p->n_hashes; i++)
		sums[i] = sum += pow(i + 1, -exponent);
	for (uint32_t i = 0; i < p->n_clients; i++)
		p->clients[i].swarm = draw_zipf(sums, p->n_hashes, seed);
	free(sums);
	return ERR_OK;
}

/* As many clients in each swarm, give or take one; shuffled, or a swarm would be one address's. */
static void settle_evenly(struct population *p, uint64_t *seed)
{
	for (uint32_t i = 0; i < p->n_clients; i++) {
		const uint32_t other = random_below(seed, i + 1);
		p->clients[i].swarm = p->clients[other].swarm;
		p->clients[other].swarm = i % p->n_hashes;
	}
}

static enum err settle(struct population *p)
{
	const struct options *o = p->options;
	uint64_t seed = o->seed;
	enum err e = ERR_OK;
	p->clients = calloc((size_t)o->peers, sizeof(*p->clients));
	p->swarms = calloc(p->n_hashes, sizeof(*p->swarms));
	if (p->clients == NULL || p->swarms == NULL)
		return ERR_NOMEM;
	p->n_clients = (uint32_t)o->peers;
	if (o->zipf > 0)
		e = settle_zipf(p, o->zipf, &seed);
	else
		settle_evenly(p, &seed);
	for (uint32_t i = 0; i < p->n_clients; i++)
		p->clients[i].born_seeder = random_below(&seed, 100) < o->seeders;
	return e;
}

enum err population_init(struct population *p, const struct options *options, struct fault *fault)
{
	*p = (struct population){ .options = options };
	enum err e = options->hash_file != NULL ? load(p, options->hash_file, fault)
	                                        : generate(p, options->hashes);
	if (e == ERR_OK)
		e = settle(p);
	if (e == ERR_NOMEM)
		(void)fault_set(fault, e, "--peers", "out of memory");
	if (e != ERR_OK)
		population_done(p);
	return e;
}

void population_done(struct population *p)
{
	free(p->hashes);
	free(p->swarms);
	free(p->clients);
	*p = (struct population){ 0 };
}

/* The first address of a prefix is its network's name, unless it is the only one or one of two. */
static uint32_t first_of(const struct ip_prefix *prefix)
{
	return prefix->length < (prefix->addr.family == IP_V4 ? 31 : 127);
}

/* Where the last four bytes of an address begin; host numbers fit in there. */
static size_t tail_of(const struct ip_addr *a)
{
	return ip_size(a) - sizeof(uint32_t);
}

/* Neighbouring clients have different addresses, and neighbouring addresses different prefixes. */
struct ip_addr population_address(const struct population *p, uint32_t client)
{
	const struct options *o = p->options;
	const uint32_t n = client % (uint32_t)o->addresses;
	const struct ip_prefix *prefix = &o->from[n % o->n_from];
	struct ip_addr a = prefix->addr;
	uint32_t tail;
	memcpy(&tail, a.bytes + tail_of(&a), sizeof(tail));
	tail = htobe32(be32toh(tail) + first_of(prefix) + n / (uint32_t)o->n_from);
	memcpy(a.bytes + tail_of(&a), &tail, sizeof(tail));
	return a;
}

uint16_t population_port(const struct population *p, uint32_t client)
{
	return (uint16_t)(FIRST_PORT + client / (uint32_t)p->options->addresses);
}

uint32_t population_find(const struct population *p, const uint8_t *address, uint16_t port)
{
	const struct options *o = p->options;
	const size_t tail = tail_of(&o->target);
	uint32_t low, base;
	if (port < FIRST_PORT)
		return STRANGER;
	memcpy(&low, address + tail, sizeof(low));
	for (uint32_t i = 0; i < o->n_from; i++) {
		if (memcmp(address, o->from[i].addr.bytes, tail) != 0)
			continue;
		memcpy(&base, o->from[i].addr.bytes + tail, sizeof(base));
		const uint64_t host =
			(uint32_t)(be32toh(low) - be32toh(base) - first_of(&o->from[i]));
		const uint64_t n = host * o->n_from + i;
		const uint64_t client = (uint64_t)(port - FIRST_PORT) * o->addresses + n;
		if (n < o->addresses && client < p->n_clients)
			return (uint32_t)client;
	}
	return STRANGER;
}
