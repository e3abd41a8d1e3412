/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libpq-fe.h>

static char current[256];

static PGconn *connect_to(const char *conninfo)
{
	PGconn *pg = PQconnectdb(conninfo);
	if (PQstatus(pg) != CONNECTION_OK)
		fprintf(stderr, "%s", PQerrorMessage(pg));
	must(PQstatus(pg) == CONNECTION_OK);
	return pg;
}

const char *db_new(void)
{
	static unsigned number;
	const char *cluster = getenv("P4PD_TEST_DB");
	char sql[64];
	if (cluster == NULL) {
		fprintf(stderr, "skipped: run me under tests/support/with_postgres\n");
		exit(77);
	}
	(void)snprintf(sql, sizeof(sql), "CREATE DATABASE test_%ld_%u", (long)getpid(), ++number);
	PGconn *pg = connect_to(cluster);
	PGresult *result = PQexec(pg, sql);
	must(PQresultStatus(result) == PGRES_COMMAND_OK);
	PQclear(result);
	PQfinish(pg);
	/* The last of a keyword counts. */
	(void)snprintf(current, sizeof(current), "%s dbname=test_%ld_%u", cluster, (long)getpid(),
	               number);
	return current;
}

static struct store *store_on(const char *conninfo, unsigned timeout_seconds)
{
	const struct store_options options = { .conninfo = conninfo,
		                               .connections = 3,
		                               .timeout_seconds = timeout_seconds };
	struct store *s = store_new(&options);
	must(s != NULL);
	struct fault fault;
	const enum err e = store_migrate(s, &fault);
	if (e != ERR_OK)
		fprintf(stderr, "%s: %s\n", fault.where, fault.text);
	must(e == ERR_OK);
	return s;
}

struct store *db_store(const char *conninfo)
{
	return store_on(conninfo != NULL ? conninfo : db_new(), 20);
}

struct store *db_store_hasty(unsigned timeout_seconds)
{
	return store_on(db_new(), timeout_seconds);
}

void db_map(struct store *s, const struct store_interconnect *interconnects, size_t n)
{
	const struct store_upload u = {
		.provider = "isp-a",
		.kind = STORE_TOPOLOGY,
		.body = "{}",
		.size = 2,
		.sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		.author = "alice",
		.interconnects = interconnects,
		.n_interconnects = n,
	};
	uint64_t version;
	must(store_upload(s, &u, &version) == ERR_OK);
}

void db_ask(const char *sql, char *out, size_t room)
{
	PGconn *pg = connect_to(current);
	PGresult *result = PQexec(pg, sql);
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		fprintf(stderr, "%s", PQerrorMessage(pg));
	must(PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) > 0);
	(void)snprintf(out, room, "%s", PQgetvalue(result, 0, 0));
	PQclear(result);
	PQfinish(pg);
}

const char *db_state_of(const char *sql)
{
	static char state[8];
	PGconn *pg = connect_to(current);
	PGresult *result = PQexec(pg, sql);
	const char *field = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	(void)snprintf(state, sizeof(state), "%s", field != NULL ? field : "");
	PQclear(result);
	PQfinish(pg);
	return state;
}

void db_server(const char *verb)
{
	char command[512];
	(void)snprintf(command, sizeof(command), "\"$P4PD_TEST_PG\" %s", verb);
	must(system(command) == 0);
}
