/* SPDX-License-Identifier: Apache-2.0 */
/* 600,000 VRPs read, and the ownership of 1,000,000 prefixes checked: CPU seconds and memory. */
#include "common/base/random.h"
#include "common/base/text.h"
#include "common/rights/claims.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { VRPS = 600000, VRPS_V6 = 150000, CLAIMS = 1000000 };

static double cpu(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct ip_prefix random_v4(uint64_t *seed, unsigned length)
{
	const uint32_t mask = ~(uint32_t)0 << (32 - length);
	return (struct ip_prefix){ ip_v4(((uint32_t)random_next(seed) & mask)), (uint8_t)length };
}

static struct ip_prefix random_v6(uint64_t *seed)
{
	struct ip_prefix p = { { { 0x2a }, IP_V6 }, 48 };
	for (size_t i = 1; i < 6; i++)
		p.addr.bytes[i] = (uint8_t)random_next(seed);
	return p;
}

static struct text make_file(uint64_t seed)
{
	struct text t = { 0 };
	text_put(&t, "{\"metadata\":{\"buildtime\":\"2026-01-01T00:00:00Z\"},\n\"roas\":[\n");
	for (unsigned i = 0; i < VRPS; i++) {
		char prefix[IP_PREFIX_TEXT_SIZE];
		const struct ip_prefix p =
			i < VRPS - VRPS_V6 ? random_v4(&seed, 12 + i % 13) : random_v6(&seed);
		ip_prefix_print(&p, prefix);
		text_printf(&t,
		            "%s{ \"asn\": %u, \"prefix\": \"%s\", \"maxLength\": %u, \"ta\": "
		            "\"ripe\", \"expires\": 4000000000 }",
		            i > 0 ? ",\n" : "", 1 + i % 50000, prefix, (unsigned)p.length);
	}
	text_put(&t, "\n]}\n");
	must(!t.bad);
	return t;
}

static size_t from_text(void *ctx, void *out, size_t room)
{
	struct text *t = ctx; /* `room` counts what was read */
	const size_t n = t->size - t->room < room ? t->size - t->room : room;
	memcpy(out, t->bytes + t->room, n);
	t->room += n;
	return n;
}

static struct vrp_table *read_file(void)
{
	struct text file = make_file(1);
	struct vrp_table *t;
	struct faults *faults = faults_new();
	must(faults != NULL);
	file.room = 0;
	const double begin = cpu();
	must(vrp_read(from_text, &file, 1, &t, faults) == ERR_OK);
	const struct vrp_about about = vrp_table_about(t);
	printf("%zu VRPs of %.0f MB read in %.2f s CPU, %.0f MB kept\n", about.count,
	       (double)file.size / 1e6, cpu() - begin, (double)about.bytes / 1e6);
	free(file.bytes);
	faults_free(faults);
	return t;
}

/* The provider has the first `own` of the 50,000 ASNs: its prefixes are its own, or hijacks. */
static void check(const struct vrp_table *t, uint32_t own)
{
	uint64_t seed = 2;
	uint32_t asns[] = { 64500 };
	struct map_pid pid = { .name = "p", .n_prefixes = CLAIMS };
	const struct map_topology topology = {
		.provider = "isp-a", .asns = asns, .n_asns = 1, .pids = &pid, .n_pids = 1
	};
	const struct claims_rules rules = { .rpki = true, .vrps = t };
	uint32_t all[50000];
	for (uint32_t i = 0; i < own; i++)
		all[i] = i + 1;
	struct faults *faults = faults_new(), *warnings = faults_new();
	pid.prefixes = calloc(CLAIMS, sizeof(*pid.prefixes));
	must(pid.prefixes != NULL && faults != NULL && warnings != NULL);
	for (size_t i = 0; i < CLAIMS; i++)
		pid.prefixes[i] = random_v4(&seed, (unsigned)(16 + i % 9));
	const double begin = cpu();
	(void)!claims_check(&topology, &rules,
	                    &(struct claims_rights){ .asns = all, .n_asns = own }, faults,
	                    warnings);
	printf("%d prefixes in no order checked in %.2f s CPU, %zu refused\n", CLAIMS,
	       cpu() - begin, faults->count + faults->more);
	free(pid.prefixes);
	faults_free(faults);
	faults_free(warnings);
}

int main(void)
{
	struct vrp_table *t = read_file();
	check(t, 50000);
	check(t, 1);
	vrp_table_free(t);
	return 0;
}
