/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/daemon.h"

#include "common/base/log.h"
#include "common/map/document.h"
#include "server/alarms/alarms.h"
#include "server/api/api.h"
#include "server/app/access.h"
#include "server/app/api_listeners.h"
#include "server/app/census.h"
#include "server/app/claiming.h"
#include "server/app/clock.h"
#include "server/app/collecting.h"
#include "server/app/explain.h"
#include "server/app/feeder.h"
#include "server/app/floods.h"
#include "server/app/gauges.h"
#include "server/app/huge_pages.h"
#include "server/app/listeners.h"
#include "server/app/live_peers.h"
#include "server/app/passkeys.h"
#include "server/app/peer_rounds.h"
#include "server/app/settings.h"
#include "server/app/snapshot_files.h"
#include "server/app/state.h"
#include "server/app/swarm_list.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

enum {
	SHARDS = 256,
	EXPIRY_SECONDS = 60, /* one round over all shards */
	STORE_CONNECTIONS = 6,
	STORE_TIMEOUT = 10, /* seconds */
	FEEDER_RETRY_MS = 1000,
	API_LAST_SECONDS = 5,
	FEEDER_LAST_SECONDS = 5
};

struct daemon {
	const struct args *args;
	struct config config;
	struct settings_roles roles;
	bool serving; /* it has started whole */
	char node[CONFIG_TEXT_SIZE];
	char life[17]; /* of the state folder */
	uint8_t secret[32];

	struct metrics *metrics;
	struct geo *geo;
	struct swarm_store *swarms;
	struct census census;
	struct live_peers live;
	struct bridge_store *bridges;
	struct map_office *office;
	struct store *store;
	struct claims *claims;
	struct maps *maps;
	struct accounting *accounting;
	struct auth *auth;
	struct tracker *tracker;
	struct listeners listeners;
	struct collecting *collecting; /* NULL: no collector; the same of the other roles */
	struct peer_rounds peer_rounds;
	struct api *api;
	struct api_listeners api_listeners;
	struct pricing *pricing;
	struct feeder *feeder;
	struct alarms *alarms;
	struct gauges gauges;
	struct huge_pages huge_pages;

	pthread_mutex_t access_lock; /* one load_access() at a time */
	struct swarm_sweep sweep;    /* of expired peers */
	uint32_t last_snapshot;      /* steady */
};

/* ---- clocks ---- */

static int64_t unix_now(void)
{
	return (int64_t)time(NULL);
}

static uint32_t steady_now(void) /* the swarm store's clock, the one of net_udp_handle */
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint32_t)t.tv_sec;
}

/* ---- threads and their slots: UDP workers, HTTP threads, clock, feeder, alarms, API threads ---- */

static unsigned tracker_workers(const struct config *c)
{
	return listeners_threads(c);
}

static unsigned clock_slot(const struct config *c) /* accounting's tick counts in it too */
{
	return tracker_workers(c);
}

static unsigned feeder_slot(const struct config *c)
{
	return clock_slot(c) + 1;
}

static unsigned watch_slot(const struct config *c)
{
	return feeder_slot(c) + 1;
}

static unsigned courier_slot(const struct config *c)
{
	return watch_slot(c) + 1;
}

static unsigned api_slot(const struct config *c)
{
	return courier_slot(c) + 1;
}

/* ---- building ---- */

static enum err no_memory(struct fault *fault)
{
	return fault_set(fault, ERR_NOMEM, "start", "out of memory");
}

static uint64_t secret_number(const struct daemon *d, const char *purpose)
{
	uint64_t out;
	(void)crypto_generichash((unsigned char *)&out, sizeof(out), (const unsigned char *)purpose,
	                         strlen(purpose), d->secret, sizeof(d->secret));
	return out;
}

static enum err build_state(struct daemon *d, struct fault *fault)
{
	enum err e = settings_roles(d->config.roles, &d->roles, fault);
	if (e == ERR_OK)
		e = state_open(d->config.state_dir, fault);
	if (e == ERR_OK)
		e = state_secret(d->config.state_dir, d->secret, fault);
	if (d->config.node[0] != '\0')
		memcpy(d->node, d->config.node, sizeof(d->node));
	else if (gethostname(d->node, sizeof(d->node) - 1) != 0)
		(void)snprintf(d->node, sizeof(d->node), "p4pd");
	d->node[64] = '\0';
	(void)snprintf(d->life, sizeof(d->life), "%016" PRIx64, secret_number(d, "life"));
	return e;
}

static enum err build_memory(struct daemon *d, struct fault *fault)
{
	const struct swarm_options swarms = { .shards = SHARDS,
		                              .max_swarms = d->config.limit_swarms,
		                              .max_peers = d->config.limit_peers,
		                              .max_per_address =
		                                      (uint32_t)d->config.limit_peers_per_address,
		                              .max_per_prefix =
		                                      (uint32_t)d->config.limit_peers_per_prefix,
		                              .secret = secret_number(d, "swarms") };
	const struct store_options store = { .conninfo = d->config.database,
		                             .connections = STORE_CONNECTIONS,
		                             .timeout_seconds = STORE_TIMEOUT };
	d->metrics = metrics_new(api_slot(&d->config) + api_listeners_threads(&d->config));
	d->geo = geo_open(d->config.geo_asn_file);
	d->swarms = swarm_store_new(&swarms);
	d->bridges = bridge_store_new(SHARDS, (size_t)d->config.limit_bridge_mib << 20);
	d->office = map_office_new(snapshot_free);
	d->store = store_new(&store);
	if (d->metrics == NULL || d->swarms == NULL || d->bridges == NULL || d->office == NULL ||
	    d->store == NULL)
		return no_memory(fault);
	return ERR_OK;
}

static struct snapshot_files files_of(const struct daemon *d)
{
	return (struct snapshot_files){ .dir = d->config.state_dir,
		                        .swarms = d->swarms,
		                        .bridges = d->bridges,
		                        .shards = SHARDS };
}

static enum err load_swarms(struct daemon *d, struct fault *fault)
{
	if (!d->roles.tracker)
		return ERR_OK;
	const struct snapshot_files files = files_of(d);
	const enum err e = snapshot_files_load(&files, steady_now(), unix_now(), fault);
	if (e == ERR_MALFORMED || e == ERR_SYSTEM) /* peers will announce again */
		log_line(LOG_WARNING, "The swarm snapshot cannot be used. file=%s why=%s",
		         fault->where, fault->text);
	d->last_snapshot = steady_now();
	return ERR_OK;
}

static enum err build_claims(struct daemon *d, struct fault *fault)
{
	const struct claims_settings settings = claiming_settings(&d->config);
	d->claims = claims_start(&settings, d->store);
	return d->claims != NULL ? ERR_OK : no_memory(fault);
}

static void claims_changed(void *ctx)
{
	struct daemon *d = ctx;
	claiming_look(d->claims, d->maps);
}

static enum err watch_claims(struct daemon *d, struct fault *fault)
{
	(void)fault;
	claims_watch(d->claims, claims_changed, d);
	return ERR_OK;
}

static enum err build_maps(struct daemon *d, struct fault *fault)
{
	const struct maps_options o = { .state_dir = d->config.state_dir,
		                        .lab = d->config.lab != 0,
		                        .store = d->store,
		                        .office = d->office,
		                        .claims = d->claims,
		                        .census = d->roles.tracker ? census_take : NULL,
		                        .census_ctx = &d->census,
		                        .count_peers = d->roles.tracker ? live_peers_count : NULL,
		                        .ctx = &d->live };
	d->live = (struct live_peers){ d->swarms, d->office, SHARDS };
	d->census = (struct census){ .swarms = d->swarms, .shards = SHARDS, .geo = d->geo };
	const enum err e = maps_new(&o, &d->maps, fault);
	return e == ERR_OK ? maps_load(d->maps, fault) : e;
}

static enum err build_accounting(struct daemon *d, struct fault *fault)
{
	if (!d->roles.tracker)
		return ERR_OK;
	const struct accounting_options o = { .slots = tracker_workers(&d->config),
		                              .bin_seconds = (uint32_t)d->config.bin_seconds,
		                              .max_peer_mbps = (uint32_t)d->config.max_peer_mbps,
		                              .no_lines = d->config.lab != 0,
		                              .state_dir = d->config.state_dir,
		                              .ledger_max = d->config.limit_peers,
		                              .office = d->office,
		                              .metrics = d->metrics,
		                              .now = unix_now() };
	fault->where[0] = '\0';
	const enum err e = accounting_new(&o, &d->accounting, fault);
	if (e == ERR_OK && fault->where[0] != '\0')
		log_line(LOG_WARNING, "Accounting left a file out. file=%s why=%s", fault->where,
		         fault->text);
	return e;
}

static void take_peers(void *ctx, struct peer_set *peers)
{
	const struct daemon *d = ctx;
	if (d->collecting != NULL)
		collecting_peers(d->collecting, peers);
	else
		peer_set_free(peers);
}

static enum err build_collecting(struct daemon *d, struct fault *fault)
{
	d->peer_rounds = (struct peer_rounds){ .swarms = d->swarms,
		                               .shards = SHARDS,
		                               .secret = secret_number(d, "flow peers"),
		                               .file = d->config.peers_file,
		                               .take = take_peers,
		                               .ctx = d };
	const struct collecting_options o = { .config = &d->config,
		                              .office = d->office,
		                              .geo = d->geo,
		                              .tracker = d->roles.tracker,
		                              .now = unix_now() };
	if (!d->roles.collector || d->config.listen_flow[0] == '\0')
		return ERR_OK;
	return collecting_new(&o, &d->collecting, fault);
}

static enum err build_auth(struct daemon *d, struct fault *fault)
{
	return d->roles.api ? state_auth(d->config.state_dir, d->store, &d->auth, fault) : ERR_OK;
}

/* How the arms of the experiment are told apart. */
static void tell_accounting(struct daemon *d, const struct config *c,
                            const struct tracker_settings *settings)
{
	char policy[ACCOUNTING_POLICY_MAX];
	settings_policy(c, policy);
	accounting_trial(d->accounting, settings->control_percent, policy);
}

/* Lists and passkeys. ERR_AWAY: from copies, for which `store` may be NULL. */
static enum err load_access(struct daemon *d, struct store *store, struct fault *fault)
{
	if (d->tracker == NULL)
		return ERR_OK;
	const enum err e = access_load(&d->config, store, d->tracker, fault);
	if (e != ERR_OK && e != ERR_AWAY)
		return e;
	const enum err keys = passkeys_load(&d->config, store, d->tracker, fault);
	return keys != ERR_OK ? keys : e;
}

static enum err build_tracker(struct daemon *d, struct fault *fault)
{
	struct tracker_settings settings;
	struct tracker_options o = { .workers = tracker_workers(&d->config),
		                     .udp_workers = (unsigned)d->config.udp_workers,
		                     .swarms = d->swarms,
		                     .bridges = d->bridges,
		                     .office = d->office,
		                     .geo = d->geo,
		                     .accounting = d->accounting,
		                     .metrics = d->metrics };
	if (!d->roles.tracker)
		return ERR_OK;
	memcpy(o.secret, d->secret, sizeof(o.secret));
	enum err e = settings_make(&d->config, &settings, fault);
	if (e != ERR_OK)
		return e;
	e = tracker_new(&o, &settings, &d->tracker);
	tell_accounting(d, &d->config, &settings);
	settings_done(&settings);
	if (e != ERR_OK)
		return no_memory(fault);
	e = load_access(d, NULL, fault);   /* the database may still lack its tables */
	return e == ERR_AWAY ? ERR_OK : e; /* the feeder asks it */
}

static enum err listen_tracker(struct daemon *d, struct fault *fault)
{
	if (!d->roles.tracker)
		return ERR_OK;
	return listeners_start(&d->listeners, &d->config, d->tracker, fault);
}

static enum err listen_flows(struct daemon *d, struct fault *fault)
{
	const enum err e = d->collecting != NULL ? collecting_listen(d->collecting, fault) : ERR_OK;
	/* The port is a well-known one, and another collector may have it: no reason not to track. */
	if (e != ERR_SYSTEM || !(d->roles.tracker || d->roles.api))
		return e;
	log_line(
		LOG_ERROR,
		"Flows are not collected yet; it is tried again every few seconds. where=%s why=%s",
		fault->where, fault->text);
	collecting_listen_later(d->collecting);
	return ERR_OK;
}

static bool ready(void *ctx, char why[static 128])
{
	const struct daemon *d = ctx;
	if (feeder_connected(d->feeder) || maps_stats(d->maps).loaded ||
	    d->config.database[0] == '\0')
		return true;
	(void)snprintf(why, 128, "PostgreSQL has not answered yet, and no maps are kept here");
	return false;
}

static enum err reload_access(void *ctx)
{
	struct daemon *d = ctx;
	struct fault fault = { 0 };
	pthread_mutex_lock(&d->access_lock);
	const enum err e = load_access(d, d->store, &fault);
	pthread_mutex_unlock(&d->access_lock);
	if (e != ERR_OK && e != ERR_AWAY)
		log_line(LOG_ERROR,
		         "Access lists or passkeys were not loaded; the old ones stay. where=%s "
		         "why=%s",
		         fault.where, fault.text);
	return e == ERR_AWAY ? e : ERR_OK; /* what is wrong with a file does not pass by itself */
}

static void name_swarms(void *ctx, struct swarm_name *names, size_t n)
{
	const struct daemon *d = ctx;
	if (d->tracker != NULL) /* bins of a time when there was one may wait in the spool */
		swarm_names_find(d->swarms, d->tracker, names, n);
}

static void access_changed(void *ctx) /* called by the API, whose threads may wait */
{
	(void)reload_access(ctx);
}

static bool passkey_use(void *ctx, const uint8_t hash[static 32], struct api_passkey_use *out)
{
	const struct daemon *d = ctx;
	struct tracker_passkey_use use;
	if (d->tracker == NULL || tracker_passkey_use(d->tracker, hash, &use) != ERR_OK)
		return false;
	*out = (struct api_passkey_use){ use.peers, use.announces, use.refused };
	return true;
}

static enum err list_swarms(void *ctx, enum api_swarms format, struct http_reply *reply)
{
	const struct daemon *d = ctx;
	return swarm_list_start(d->swarms, format, &reply->stream);
}

static enum err explain(void *ctx, const struct api_question *q, struct text *out)
{
	const struct daemon *d = ctx;
	return d->tracker == NULL ? ERR_NOT_FOUND
	                          : explain_put(d->tracker, q, steady_now() * UINT64_C(1000), out);
}

static enum err list_exporters(void *ctx, const char *provider, struct text *out)
{
	const struct daemon *d = ctx;
	return d->collecting != NULL ? collecting_list(d->collecting, provider, out)
	                             : ERR_NOT_FOUND;
}

static struct report_options report_options(const struct daemon *d)
{
	return (struct report_options){ .bin_seconds = (uint32_t)d->config.bin_seconds,
		                        .overhead_bytes = (uint32_t)d->config.flow_overhead_bytes,
		                        .ratio_limit_milli = d->config.ratio_limit,
		                        .least_clients = (unsigned)d->config.swarm_rows_min_peers,
		                        .software = "p4pd " P4PD_VERSION };
}

static enum err listen_api(struct daemon *d, struct fault *fault)
{
	const struct api_options o = {
		.store = d->store,
		.maps = d->maps,
		.office = d->office,
		.auth = d->auth,
		.metrics = d->metrics,
		.first_slot = api_slot(&d->config),
		.report = report_options(d),
		.upload_max = (size_t)d->config.api_upload_mib << 20,
		.late_seconds = (uint32_t)d->config.late_reading_seconds,
		.ready = ready,
		.access_changed = access_changed,
		.passkey_use = passkey_use,
		.list_swarms = list_swarms,
		.explain = explain,
		.list_exporters = list_exporters,
		.ctx = d,
	};
	if (!d->roles.api)
		return ERR_OK;
	d->api = api_new(&o);
	if (d->api == NULL)
		return no_memory(fault);
	return api_listeners_start(&d->api_listeners, &d->config, d->api, fault);
}

static enum err build_pricing(struct daemon *d, struct fault *fault)
{
	const struct pricing_options o = { .store = d->store,
		                           .office = d->office,
		                           .metrics = metrics_slot(d->metrics,
		                                                   feeder_slot(&d->config)),
		                           .bin_seconds = (uint32_t)d->config.bin_seconds,
		                           .ratio_limit_milli = d->config.ratio_limit };
	if (strcmp(d->config.prices, "live") != 0 || !d->roles.tracker)
		return ERR_OK;
	d->pricing = pricing_new(&o);
	return d->pricing != NULL ? ERR_OK : no_memory(fault);
}

static enum err start_feeder(struct daemon *d, struct fault *fault)
{
	const struct feeder_options o = {
		.store = d->store,
		.maps = d->maps,
		.spools = { d->accounting != NULL ? accounting_spool(d->accounting) : NULL,
		            d->collecting != NULL
		                    ? collector_spool(collecting_collector(d->collecting))
		                    : NULL },
		.pricing = d->pricing,
		.metrics = metrics_slot(d->metrics, feeder_slot(&d->config)),
		.tracked = d->roles.tracker ? d->metrics : NULL,
		.keep = { (uint32_t)d->config.bins_keep_days, (uint32_t)d->config.rollups_keep_days,
		          (uint32_t)d->config.readings_keep_days },
		.node = d->node,
		.life = d->life,
		.state_dir = d->config.state_dir,
		.collector = d->collecting != NULL ? collecting_collector(d->collecting) : NULL,
		.bin_seconds = (uint32_t)d->config.bin_seconds,
		.late_reading_seconds = (uint32_t)d->config.late_reading_seconds,
		.report = report_options(d),
		.retry_ms = FEEDER_RETRY_MS,
		.access_changed = reload_access,
		.ctx = d,
		.swarm_names = { name_swarms, d },
		.matrix_days = (unsigned)d->config.matrix_days,
	};
	if (d->config.database[0] == '\0')
		return ERR_OK;
	d->feeder = feeder_start(&o);
	return d->feeder != NULL ? ERR_OK : no_memory(fault);
}

static bool has_tables(void *ctx)
{
	const struct daemon *d = ctx;
	return feeder_connected(d->feeder);
}

static void know_thyself(void *ctx, struct alarms_self *out)
{
	const struct daemon *d = ctx;
	out->spooled = 0;
	if (d->accounting != NULL)
		out->spooled += accounting_stats(d->accounting).spooled;
	if (d->collecting != NULL)
		out->spooled += collector_stats(collecting_collector(d->collecting)).spooled;
	out->refused = metrics_sum(d->metrics, METRIC_BINS_REFUSED) +
	               metrics_sum(d->metrics, METRIC_BINS_DAMAGED);
	claiming_tell(d->claims, out);
}

static enum err start_alarms(struct daemon *d, struct fault *fault)
{
	const struct alarms_options o = {
		.store = d->store,
		.watch = metrics_slot(d->metrics, watch_slot(&d->config)),
		.courier = metrics_slot(d->metrics, courier_slot(&d->config)),
		.node = d->node,
		.bin_seconds = (uint32_t)d->config.bin_seconds,
		.ratio_limit_milli = d->config.ratio_limit,
		.syslog = d->config.alarm_syslog != 0,
		.ready = has_tables,
		.self = know_thyself,
		.ctx = d,
	};
	if (d->config.database[0] == '\0')
		return ERR_OK;
	d->alarms = alarms_start(&o);
	return d->alarms != NULL ? ERR_OK : no_memory(fault);
}

/* Before the API's threads start, which read them. */
static enum err build_gauges(struct daemon *d, struct fault *fault)
{
	(void)fault;
	d->gauges = (struct gauges){ .swarms = d->swarms,
		                     .bridges = d->bridges,
		                     .accounting = d->accounting,
		                     .collecting = d->collecting,
		                     .maps = d->maps,
		                     .claims = d->claims,
		                     .office = d->office,
		                     .listeners = &d->listeners,
		                     .feeder = d->feeder,
		                     .alarms = d->alarms };
	metrics_register(d->metrics, gauges_write, &d->gauges);
	return ERR_OK;
}

static void announce_start(const struct daemon *d)
{
	if (d->roles.tracker)
		log_line(LOG_NOTE, "p4pd %s serves. tracker=%s port=%u policy=%s", P4PD_VERSION,
		         d->config.listen_tracker, net_udp_port(d->listeners.udp),
		         d->config.policy);
	if (d->roles.api)
		log_line(LOG_NOTE, "p4pd %s serves. api=%s port=%u", P4PD_VERSION,
		         d->config.listen_api, http_port(d->api_listeners.http));
	if (collecting_port(d->collecting) != 0)
		log_line(LOG_NOTE, "p4pd %s collects. flow=%s port=%u", P4PD_VERSION,
		         d->config.listen_flow, collecting_port(d->collecting));
#ifdef HAVE_SYSTEMD
	(void)sd_notify(0, "READY=1");
#endif
}

typedef enum err build_fn(struct daemon *d, struct fault *fault);

enum err daemon_start(const struct args *args, const struct config *config, struct daemon **out,
                      struct fault *fault)
{
	static build_fn *const steps[] = {
		build_state,      build_memory,     build_claims,   build_maps,    load_swarms,
		build_accounting, build_collecting, build_auth,     build_tracker, build_pricing,
		start_feeder,     start_alarms,     listen_tracker, listen_flows,  build_gauges,
		listen_api,       watch_claims,
	};
	struct daemon *d = calloc(1, sizeof(*d));
	if (d == NULL || sodium_init() < 0) {
		free(d);
		return no_memory(fault);
	}
	d->args = args;
	d->config = *config;
	pthread_mutex_init(&d->access_lock, NULL);
	clock_hold_signals();
	(void)signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		const enum err e = steps[i](d, fault);
		if (e != ERR_OK) {
			daemon_stop(d);
			return e;
		}
	}
	d->serving = true;
	announce_start(d);
	*out = d;
	return ERR_OK;
}

/* ---- serving ---- */

static void save_swarms(struct daemon *d)
{
	struct fault fault;
	const struct snapshot_files files = files_of(d);
	d->last_snapshot = steady_now();
	if (snapshot_files_save(&files, steady_now(), unix_now(), &fault) != ERR_OK)
		log_line(LOG_WARNING, "The swarm snapshot was not written. file=%s why=%s",
		         fault.where, fault.text);
}

/*
 * Some shards, slice by slice. A pause inside a shard lets those in who wait for its lock: it is not a
 * fair one, and who gives it back and asks at once would mostly have it again.
 */
static void expire(struct daemon *d)
{
	static const struct timespec pause = { .tv_nsec = 50000 };
	const uint64_t end = d->sweep.shards + SHARDS / EXPIRY_SECONDS + 1;
	size_t gone = 0;
	while (d->sweep.shards < end) {
		const uint64_t shard = d->sweep.shards;
		gone += swarm_sweep(d->swarms, &d->sweep, steady_now());
		if (d->sweep.shards == shard)
			(void)nanosleep(&pause, NULL);
	}
	metrics_add(metrics_slot(d->metrics, clock_slot(&d->config)), METRIC_PEERS_EXPIRED, gone);
}

static void tick(void *ctx)
{
	struct daemon *d = ctx;
	struct fault fault = { 0 };
	if (d->collecting != NULL)
		collecting_tick(d->collecting, unix_now());
	if (!d->roles.tracker)
		return;
	if (d->collecting != NULL || d->config.peers_file[0] != '\0')
		peer_rounds_tick(&d->peer_rounds, unix_now());
	if (accounting_tick(d->accounting, unix_now(), &fault) != ERR_OK)
		log_line(LOG_ERROR, "Accounting could not write. file=%s why=%s", fault.where,
		         fault.text);
	expire(d);
	huge_pages_tick(&d->huge_pages);
	floods_log(d->tracker, steady_now());
	if (steady_now() - d->last_snapshot >= d->config.snapshot_seconds)
		save_swarms(d);
}

static void reload(void *ctx)
{
	struct daemon *d = ctx;
	struct config now;
	struct tracker_settings settings;
	struct fault fault = { 0 };
	struct text restart = { 0 };

	enum err e =
		config_load(d->args->file, d->args->settings, d->args->n_settings, &now, &fault);
	if (e == ERR_OK)
		e = settings_origins(now.api_cors_origins, &fault);
	if (e == ERR_OK)
		e = settings_make(&now, &settings, &fault);
	if (e != ERR_OK) {
		log_line(LOG_ERROR,
		         "The configuration was not reloaded; the old one stays. "
		         "where=%s why=%s",
		         fault.where, fault.text);
		return;
	}
	config_needs_restart(&d->config, &now, &restart);
	settings.lab = d->config.lab != 0; /* maps were checked with it */
	if (d->tracker != NULL && tracker_reload(d->tracker, &settings) != ERR_OK)
		log_line(LOG_ERROR, "The configuration was not reloaded: out of memory.");
	else if (d->tracker != NULL)
		tell_accounting(d, &now, &settings);
	settings_done(&settings);
	if (d->api != NULL && api_listeners_front(&now, d->api, &fault) != ERR_OK)
		log_line(LOG_ERROR, "The API's proxies and origins were not reloaded. why=%s",
		         fault.text);
	if (listeners_certificate(&d->listeners, &now, &fault) != ERR_OK ||
	    api_listeners_certificate(&d->api_listeners, &now, &fault) != ERR_OK)
		log_line(LOG_ERROR,
		         "The certificate was not reloaded; the old one stays. where=%s why=%s",
		         fault.where, fault.text);

	const struct claims_settings claims = claiming_settings(&now);
	claims_reload(d->claims, &claims);

	pthread_mutex_lock(&d->access_lock);
	memcpy(d->config.access, now.access, sizeof(now.access));
	memcpy(d->config.access_file, now.access_file, sizeof(now.access_file));
	memcpy(d->config.passkeys, now.passkeys, sizeof(now.passkeys));
	memcpy(d->config.deny_file, now.deny_file, sizeof(now.deny_file));
	memcpy(d->config.deny_clients_file, now.deny_clients_file, sizeof(now.deny_clients_file));
	pthread_mutex_unlock(&d->access_lock);
	if (d->feeder != NULL) /* the clock must not wait for the database */
		feeder_access(d->feeder);
	else
		(void)reload_access(d);
	if (restart.size > 0)
		log_line(LOG_WARNING, "Some changed options need a restart. options=\"%s\"",
		         restart.bytes);
	log_line(LOG_NOTE, "Configuration reloaded. policy=%s max_peers=%u", now.policy,
	         (unsigned)now.max_peers);
	text_done(&restart);
}

void daemon_serve(struct daemon *d)
{
	const struct clock_calls calls = { .tick = tick, .reload = reload, .ctx = d };
	if (clock_run(&calls) != ERR_OK)
		log_line(LOG_ERROR, "The event loop could not run. Ending.");
}

/* ---- ending ---- */

static void close_books(struct daemon *d)
{
	struct fault fault = { 0 };
	if (accounting_flush(d->accounting, unix_now(), &fault) != ERR_OK)
		log_line(LOG_ERROR, "The last bin or the ledger was not written. file=%s why=%s",
		         fault.where, fault.text);
}

void daemon_stop(struct daemon *d)
{
	const bool served = d->serving;
#ifdef HAVE_SYSTEMD
	(void)sd_notify(0, "STOPPING=1");
#endif
	if (d->store != NULL)
		store_end(d->store, API_LAST_SECONDS);
	api_listeners_stop(&d->api_listeners);
	alarms_stop(d->alarms);
	listeners_stop(&d->listeners);
	if (d->accounting != NULL) /* even if it never served: it has taken the ledger's file */
		close_books(d);
	if (d->collecting != NULL)
		collecting_end(d->collecting, unix_now());
	if (d->store != NULL)
		store_end(d->store, FEEDER_LAST_SECONDS);
	feeder_stop(d->feeder, FEEDER_LAST_SECONDS);
	claims_stop(d->claims);
	pricing_free(d->pricing);
	if (served && d->roles.tracker)
		save_swarms(d);
	api_free(d->api);
	tracker_free(d->tracker);
	auth_free(d->auth);
	accounting_free(d->accounting);
	peer_rounds_done(&d->peer_rounds);
	collecting_free(d->collecting);
	maps_free(d->maps);
	store_free(d->store);
	map_office_free(d->office);
	swarm_store_free(d->swarms);
	bridge_store_free(d->bridges);
	geo_close(d->geo);
	metrics_free(d->metrics);
	pthread_mutex_destroy(&d->access_lock);
	if (served)
		log_line(LOG_NOTE, "p4pd ended in order.");
	free(d);
}
