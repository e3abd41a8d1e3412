/* SPDX-License-Identifier: Apache-2.0 */
#include "server/geo/geo.h"

#include "common/base/log.h"

#include <errno.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

struct geo {
	MMDB_s db;
};

struct geo *geo_open(const char *path)
{
	if (path[0] == '\0')
		return NULL;
	struct geo *g = malloc(sizeof(*g));
	const int status =
		g == NULL ? MMDB_OUT_OF_MEMORY_ERROR : MMDB_open(path, MMDB_MODE_MMAP, &g->db);
	if (status == MMDB_SUCCESS)
		return g;
	log_line(LOG_WARNING,
	         "cannot read ASNs, so strangers go without: file=%s reason=\"%s%s%s\"", path,
	         MMDB_strerror(status), status == MMDB_IO_ERROR ? ": " : "",
	         status == MMDB_IO_ERROR ? strerror(errno) : "");
	free(g);
	return NULL;
}

void geo_close(struct geo *g)
{
	if (g == NULL)
		return;
	MMDB_close(&g->db);
	free(g);
}

static MMDB_lookup_result_s look_up(const struct geo *g, const struct ip_addr *a, int *error)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} to = { 0 };

	if (a->family == IP_V4) {
		to.v4.sin_family = AF_INET;
		memcpy(&to.v4.sin_addr, a->bytes, sizeof(to.v4.sin_addr));
	} else {
		to.v6.sin6_family = AF_INET6;
		memcpy(&to.v6.sin6_addr, a->bytes, sizeof(to.v6.sin6_addr));
	}
	return MMDB_lookup_sockaddr(&g->db, &to.any, error);
}

/* A damaged record is no ASN: packets bring us here, and packets never log. */
uint32_t geo_asn(const struct geo *g, const struct ip_addr *a)
{
	static const char *const path[] = { "autonomous_system_number", NULL };
	MMDB_entry_data_s data;
	int error = MMDB_SUCCESS;

	if (g == NULL || a->family == IP_NONE)
		return 0;
	MMDB_lookup_result_s found = look_up(g, a, &error);
	if (error != MMDB_SUCCESS || !found.found_entry ||
	    MMDB_aget_value(&found.entry, &data, path) != MMDB_SUCCESS || !data.has_data ||
	    data.type != MMDB_DATA_TYPE_UINT32)
		return 0;
	return data.uint32;
}
