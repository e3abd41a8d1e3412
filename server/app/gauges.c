/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/gauges.h"

#include <inttypes.h>
#include <string.h>
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

static void rpki(const struct gauges *g, struct text *page)
{
	const struct claims_stats s = claims_stats(g->claims);
	if (!s.rpki)
		return;
	metrics_gauge(page, "p4pd_rpki_vrps", "Validated ROA payloads in use; 0: there are none",
	              s.vrps);
	metrics_gauge(page, "p4pd_rpki_age_seconds",
	              "Seconds since the validated ROA payloads in use were made",
	              s.made > 0 ? (uint64_t)(time(NULL) - s.made) : 0);
	metrics_counter(page, "p4pd_rpki_reads_total", "Times that rpki_file was taken", s.read);
	metrics_counter(page, "p4pd_rpki_refusals_total",
	                "Times that rpki_file was broken or too old", s.refused);
}

static void accounting(const struct gauges *g, struct text *page)
{
	const struct accounting_stats s = accounting_stats(g->accounting);
	metrics_gauge(page, "p4pd_bin_open_start",
	              "Start of the oldest bin that is not closed and on disk (unix time)",
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

static void database(const struct gauges *g, struct text *page)
{
	const bool up = feeder_connected(g->feeder) && !feeder_away(g->feeder);
	metrics_gauge(page, "p4pd_database_up", "1 while PostgreSQL answers, 0 while it is away",
	              up ? 1 : 0);
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

/* One counter with a label for each protocol. */
static void by_protocol(struct text *page, const struct flow_stats *s, const char *name,
                        const char *help, size_t member)
{
	text_printf(page, "# HELP %s %s\n# TYPE %s counter\n", name, help, name);
	for (unsigned i = 0; i < FLOW_PROTOCOLS; i++) {
		uint64_t value;
		memcpy(&value, (const char *)&s->of[i] + member, sizeof(value));
		text_printf(page, "%s{protocol=\"%s\"} %" PRIu64 "\n", name,
		            flow_protocol_name((enum flow_protocol)i), value);
	}
}

static void flow_decoder(const struct flow_stats *s, struct text *page)
{
#define BY_PROTOCOL(name, help, member) \
	by_protocol(page, s, name, help, offsetof(struct flow_protocol_stats, member))
	BY_PROTOCOL("p4pd_flow_understood_total", "Datagrams of a protocol we know", datagrams);
	BY_PROTOCOL("p4pd_flow_malformed_total", "Of them those that broke its grammar", malformed);
	BY_PROTOCOL("p4pd_flow_records_total", "Flow records decoded", records);
	BY_PROTOCOL(
		"p4pd_flow_sequence_lost_total",
		"Exports lost on the way, by their sequence numbers: flows (v5), records (IPFIX) or "
		"datagrams",
		lost);
#undef BY_PROTOCOL
	metrics_counter(page, "p4pd_flow_unknown_total", "Datagrams of no protocol we know",
	                s->unknown);
	metrics_counter(page, "p4pd_flow_before_template_total",
	                "Data sets dropped because their template had not come",
	                s->before_template);
	metrics_gauge(page, "p4pd_flow_templates", "Templates remembered", s->templates);
}

static void flow_bytes(const struct collector_stats *s, struct text *page)
{
	static const char name[] = "p4pd_flow_bytes_total";
	const struct {
		const char *outcome;
		uint64_t bytes;
	} rows[] = { { "booked", s->booked_bytes },       { "inside", s->inside_bytes },
		     { "elsewhere", s->elsewhere_bytes }, { "unknown", s->unknown_bytes },
		     { "too_late", s->old_bytes },        { "no_room", s->full_bytes } };
	text_printf(
		page,
		"# HELP %s IP bytes of flow records, by what became of them\n# TYPE %s counter\n",
		name, name);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		text_printf(page, "%s{outcome=\"%s\"} %" PRIu64 "\n", name, rows[i].outcome,
		            rows[i].bytes);
}

static void flows(const struct gauges *g, struct text *page)
{
	const struct collector_stats s = collector_stats(collecting_collector(g->collecting));
	metrics_counter(page, "p4pd_flow_datagrams_total", "Datagrams of flow exports received",
	                s.datagrams);
	metrics_counter(page, "p4pd_flow_refused_total",
	                "Datagrams of exporters that are not allowed, or one too many", s.refused);
	metrics_counter(page, "p4pd_flow_dropped_total",
	                "Datagrams the kernel dropped, the receive buffer being full", s.dropped);
	flow_decoder(&s.decoder, page);
	metrics_counter(page, "p4pd_flow_future_total",
	                "Records of the future by the exporter's clock, counted now",
	                s.records_future);
	metrics_counter(page, "p4pd_flow_late_total",
	                "Records that came after late_seconds, in whole or in part", s.records_old);
	metrics_counter(page, "p4pd_flow_askew_total",
	                "Records dated by our clock, the exporter's being too far from it",
	                s.records_askew);
	metrics_counter(page, "p4pd_flow_clock_backwards_total",
	                "Times our clock was put back under the collector", s.clock_backwards);
	flow_bytes(&s, page);
	metrics_counter(page, "p4pd_flow_bins_lost_total",
	                "Changed bins forgotten because the disk took none for too long",
	                s.bins_lost);
	metrics_gauge(page, "p4pd_flow_open_bins", "Bins of flows that may still change",
	              s.open_bins);
	metrics_gauge(page, "p4pd_flow_spool_bins", "Closed bins of flows that wait for PostgreSQL",
	              s.spooled);
	metrics_gauge(page, "p4pd_flow_readings",
	              "Interface counters of sFlow that wait for PostgreSQL", s.readings);
	metrics_counter(page, "p4pd_flow_readings_lost_total",
	                "Interface counters of sFlow that made room, PostgreSQL being away",
	                s.readings_lost);
	metrics_gauge(page, "p4pd_flow_exporters", "Exporters heard since the start", s.exporters);
	metrics_gauge(page, "p4pd_flow_peers", "Peers by which p2p is told from the rest", s.peers);
}

void gauges_write(void *ctx, struct text *page)
{
	const struct gauges *g = ctx;
	swarms(g, page);
	bridges(g, page);
	maps(g, page);
	rpki(g, page);
	if (g->accounting != NULL)
		accounting(g, page);
	if (g->collecting != NULL)
		flows(g, page);
	if (g->listeners->udp != NULL)
		udp(g, page);
	http(g, page);
	if (g->feeder != NULL)
		database(g, page);
	if (g->alarms != NULL)
		alarms(g, page);
}
