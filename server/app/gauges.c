/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/gauges.h"

#include <inttypes.h>
#include <time.h>

static void swarms(const struct gauges *g, struct text *page)
{
	const struct swarm_totals t = swarm_totals(g->swarms);
	metrics_gauge(page, "p4pd_swarms", "Swarms held", t.swarms);
	metrics_gauge(page, "p4pd_seeds", "Peers that have everything", t.seeds);
	metrics_gauge(page, "p4pd_leechers", "Peers that want more", t.leechers);
	metrics_gauge(page, "p4pd_partial_seeds", "Peers that have all they want", t.partial);
	metrics_gauge(page, "p4pd_peers_ipv4", "Peers reached by IPv4", t.peers_v4);
	metrics_gauge(page, "p4pd_peers_ipv6", "Peers reached by IPv6", t.peers_v6);
	metrics_gauge(page, "p4pd_swarm_bytes", "Memory of the swarm store", t.bytes);
}

static void bridges(const struct gauges *g, struct text *page)
{
	const struct bridge_totals t = bridge_totals(g->bridges);
	metrics_gauge(page, "p4pd_bridge_books", "Providers in swarms with peers who met far ones",
	              t.books);
	metrics_gauge(page, "p4pd_bridge_entries",
	              "Ends of pairs of peers who met across providers", t.entries);
	metrics_gauge(page, "p4pd_bridge_bytes", "Memory of who met whom", t.bytes);
	metrics_counter(page, "p4pd_bridge_refused_total",
	                "Books and entries that there was no room for", t.refused);
}

static void maps(const struct gauges *g, struct text *page)
{
	const struct maps_stats s = maps_stats(g->maps);
	struct map_lease lease = { 0 };
	const struct map_snapshot *map = map_renew(g->office, &lease);
	const struct map_counts c = map != NULL ? snapshot_counts(map) : (struct map_counts){ 0 };
	map_end(&lease);

	metrics_counter(page, "p4pd_map_publications_total", "Maps put in force since the start",
	                s.publications);
	metrics_gauge(page, "p4pd_map_age_seconds", "Seconds since the map in force was published",
	              s.published_at > 0 ? (uint64_t)(time(NULL) - s.published_at) : 0);
	metrics_gauge(page, "p4pd_map_providers", "Providers in the map", c.providers);
	metrics_gauge(page, "p4pd_map_pids", "PIDs in the map", c.pids);
	metrics_gauge(page, "p4pd_map_interconnects", "Interconnects in the map", c.interconnects);
	metrics_gauge(page, "p4pd_map_prefixes", "Prefixes in the map",
	              c.prefixes_v4 + c.prefixes_v6);
	metrics_gauge(page, "p4pd_map_bytes", "Memory of the map", c.bytes);
}

static void accounting(const struct gauges *g, struct text *page)
{
	const struct accounting_stats s = accounting_stats(g->accounting);
	metrics_gauge(page, "p4pd_bin_open_start", "Start of the open bin (unix time)",
	              s.open_start);
	metrics_gauge(page, "p4pd_spool_bins", "Closed bins that wait for PostgreSQL", s.spooled);
	metrics_gauge(page, "p4pd_accounting_clients", "Clients whose counters are remembered",
	              s.ledger);
	metrics_gauge(page, "p4pd_accounting_swarms", "Swarms in the open bin", s.swarms);
}

static void udp(const struct gauges *g, struct text *page)
{
	const struct net_udp_stats s = net_udp_stats(g->listeners->udp);
	metrics_counter(page, "p4pd_udp_received_total", "Datagrams received", s.received);
	metrics_counter(page, "p4pd_udp_sent_total", "Datagrams sent", s.sent);
	metrics_counter(page, "p4pd_udp_send_failed_total", "Replies the kernel did not take",
	                s.send_failed);
	metrics_counter(page, "p4pd_udp_dropped_total",
	                "Datagrams the kernel dropped, a worker's receive buffer being full",
	                s.dropped);
}

static void http(const struct gauges *g, struct text *page)
{
	struct http_stats sum = { 0 };
	const struct http_server *servers[] = { g->listeners->http, g->listeners->tls };
	for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++) {
		if (servers[i] == NULL)
			continue;
		const struct http_stats s = http_stats(servers[i]);
		sum.refused += s.refused;
		sum.unproxied += s.unproxied;
	}
	metrics_counter(page, "p4pd_http_refused_total",
	                "HTTP connections above http_connections_per_address", sum.refused);
	metrics_counter(page, "p4pd_http_unproxied_total",
	                "Connections to listen_tracker_proxied without a listed proxy's header",
	                sum.unproxied);
}

static void alarms(const struct gauges *g, struct text *page)
{
	static const char name[] = "p4pd_alarms_firing";
	uint64_t count[SEVERITIES];
	alarms_firing(g->alarms, count);
	text_printf(page, "# HELP %s Alarms that fire, as of the last bin\n# TYPE %s gauge\n", name,
	            name);
	for (unsigned s = 0; s < SEVERITIES; s++)
		text_printf(page, "%s{severity=\"%s\"} %" PRIu64 "\n", name,
		            severity_name((enum alarm_severity)s), count[s]);
}

void gauges_write(void *ctx, struct text *page)
{
	const struct gauges *g = ctx;
	swarms(g, page);
	bridges(g, page);
	maps(g, page);
	accounting(g, page);
	if (g->listeners->udp != NULL)
		udp(g, page);
	http(g, page);
	if (g->alarms != NULL)
		alarms(g, page);
}
