/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A provider with three interconnects, and agreements about them: for tests of the reports on those. */

#include "tests/unit/test.h"

#include "server/report/agreements.h"
#include "server/report/contracts.h"
#include "tests/support/db.h"

#include <string.h>

enum { BIN = 300, DAY = 86400 };
static const int64_t NOVEMBER = 1793491200; /* 2026-11-01T00:00:00Z */
static const struct report_options options = { .bin_seconds = BIN, .software = "p4pd test" };
static struct store *s;

static inline int open_store(void **state)
{
	(void)state;
	static const struct store_interconnect interconnects[] = {
		{ .id = "a-1",
		  .pid = "c",
		  .relation = "settlement-free",
		  .neighbor_asn = 64501,
		  .capacity_mbps = 10000,
		  .metro = "fra" },
		{ .id = "a-2",
		  .pid = "c",
		  .relation = "settlement-free",
		  .neighbor_asn = 64501,
		  .capacity_mbps = 10000,
		  .metro = "ams" },
		{ .id = "a-t", .pid = "c", .relation = "transit", .neighbor_asn = 64510 },
	};
	char done[8];
	s = db_store(NULL);
	db_map(s, interconnects, 3);
	/* Where the tests' bins go; store_bins() would make them one by one. */
	db_ask("SELECT count(bins_make_partition(m)) FROM "
	       "generate_series(1769904000, 1806537600, 86400 * 27) m",
	       done, sizeof(done));
	return 0;
}

static inline int close_store(void **state)
{
	(void)state;
	store_free(s);
	return 0;
}

/* Bins of SQL: `out` and `in` are expressions of n, the bin's number from 0. */
static inline void fill(const char *interconnect, const char *source, int64_t from, unsigned n_bins,
                        const char *out, const char *in)
{
	char sql[512], done[8];
	(void)snprintf(
		sql, sizeof(sql),
		"WITH put AS (INSERT INTO bins (interconnect, source, start, node, seconds, "
		"observed_seconds, out_bytes, in_bytes) SELECT i.number, '%s', %lld + n * %d, 'n1', "
		"%d, %d, %s, %s FROM interconnects i, generate_series(0, %u) n WHERE i.id = '%s' "
		"RETURNING 1) SELECT count(*) > 0 FROM put",
		source, (long long)from, BIN, BIN, BIN, out, in, n_bins - 1, interconnect);
	db_ask(sql, done, sizeof(done));
	assert_string_equal(done, "t");
}

static inline void agree(enum store_agreement_kind kind, const char *id, const char *members)
{
	char body[2048];
	struct faults *faults = faults_new();
	struct agreement_change change;
	(void)snprintf(body, sizeof(body),
	               "{\"format\":\"p4p-%s/1\",\"provider\":\"isp-a\",\"id\":\"%s\",%s}",
	               store_agreement_word(kind), id, members);
	const struct agreement_upload u = { .kind = kind,
		                            .provider = "isp-a",
		                            .id = id,
		                            .body = body,
		                            .size = strlen(body),
		                            .author = "alice" };
	if (agreement_put(s, &u, &change, faults) != ERR_OK)
		fail_msg("%s: %s: %s", id, faults->list[0].where, faults->list[0].text);
	faults_free(faults);
}

static inline void expect(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("no %s in %s", part, text);
}

/* Kentik's example tariff. */
#define TARIFF                                                              \
	"\"model\":\"commit_blended\",\"commit_mbps\":5000,\"unit_price\":" \
	"\"0.80\",\"tiers\":[{\"from_mbps\":10000,\"price\":\"0.70\"},"     \
	"{\"from_mbps\":12000,\"price\":\"0.60\"}],\"currency\":\"USD\""
#define MBPS "37500000::bigint" /* bytes of a bin */
