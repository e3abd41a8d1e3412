/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API on the real modules below it, without the tracker: api_server STATE_DIR. The database is
 * P4PD_TEST_DB, the port any free one; its URL is the one line on standard output.
 */
#include "server/api/api.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static bool ready(void *ctx, char why[static 128])
{
	struct store *store = ctx;
	(void)snprintf(why, 128, "the database does not answer");
	return store_is_up(store);
}

static void access_changed(void *ctx)
{
	(void)ctx;
}

static void check(enum err e, const struct fault *f)
{
	if (e == ERR_OK)
		return;
	(void)fprintf(stderr, "api_server: %s: %s: %s\n", err_name(e), f->where, f->text);
	exit(EXIT_FAILURE);
}

int main(int argc, char **argv)
{
	must(argc == 2);
	const char *db = getenv("P4PD_TEST_DB");
	const struct store_options store_options = { .conninfo = db != NULL ? db : "",
		                                     .connections = 4,
		                                     .timeout_seconds = 5 };
	char token_file[4096];
	struct fault fault = { 0 };
	sigset_t ends;
	int which;
	(void)sigemptyset(&ends);
	(void)sigaddset(&ends, SIGTERM);
	(void)sigaddset(&ends, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &ends, NULL);
	(void)snprintf(token_file, sizeof(token_file), "%s/admin.token", argv[1]);

	struct api_options o = { .store = store_new(&store_options),
		                 .metrics = metrics_new(2),
		                 .report = { .bin_seconds = 300, .ratio_limit_milli = 2000 },
		                 .ready = ready,
		                 .access_changed = access_changed };
	o.ctx = o.store;
	struct map_office *office = map_office_new(snapshot_free);
	const struct maps_options maps_options = {
		.state_dir = argv[1], .lab = true, .store = o.store, .office = office
	};
	check(store_migrate(o.store, &fault), &fault);
	check(auth_new(o.store, token_file, &o.auth, &fault), &fault);
	check(maps_new(&maps_options, &o.maps, &fault), &fault);

	struct api *api = api_new(&o);
	const struct http_options http_options = { .listen = "127.0.0.1:0",
		                                   .threads = 2,
		                                   .body_max = 4 << 20,
		                                   .memory_each = 32768,
		                                   .connections_max = 64,
		                                   .idle_seconds = 10,
		                                   .keep_alive = true,
		                                   .handle = api_http,
		                                   .ctx = api };
	struct http_server *http;
	check(http_start(&http_options, &http, &fault), &fault);
	printf("http://127.0.0.1:%u\n", http_port(http));
	(void)fflush(stdout);

	(void)sigwait(&ends, &which);
	http_stop(http);
	api_free(api);
	maps_free(o.maps);
	map_office_free(office);
	auth_free(o.auth);
	metrics_free(o.metrics);
	store_free(o.store);
	return EXIT_SUCCESS;
}
