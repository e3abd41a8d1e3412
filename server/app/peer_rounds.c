/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/peer_rounds.h"

#include "common/base/log.h"
#include "server/disk/disk.h"

#include <stdio.h>
#include <string.h>

enum { ROUND_SECONDS = 60, PEERS_SLACK = 1024, FEW_PEERS = 50000 };
enum { WRITE_SECONDS = 60, WRITE_SECONDS_FEW = 5, FILE_MODE = 0640 };

static void add_peer(void *ctx, const struct ip_addr *addr, uint16_t port)
{
	if (port != 0) /* who hides its port is not to be found by it */
		peer_set_add(ctx, addr, port);
}

static void begin_round(struct peer_rounds *r)
{
	const struct swarm_totals t = swarm_totals(r->swarms);
	const size_t peers = t.peers_v4 + t.peers_v6;
	r->few = peers < FEW_PEERS;
	r->peers = peer_set_new(peers + peers / 8 + PEERS_SLACK, r->secret);
	r->walk = (struct swarm_sweep){ 0 };
}

bool peer_rounds_split(const char *path, struct peer_rounds_path *out)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	const size_t dir = slash != NULL ? (size_t)(slash - path) : 0;
	if (name[0] == '\0' || strlen(name) >= sizeof(out->name) || dir >= sizeof(out->dir))
		return false;
	(void)snprintf(out->name, sizeof(out->name), "%s", name);
	(void)snprintf(out->dir, sizeof(out->dir), "%.*s", (int)dir, path);
	if (dir == 0)
		(void)snprintf(out->dir, sizeof(out->dir), "%s", slash != NULL ? "/" : ".");
	return true;
}

static enum err write_file(const struct peer_rounds *r, int64_t now, struct fault *fault)
{
	struct peer_rounds_path path;
	struct text t = { 0 };
	if (!peer_rounds_split(r->file, &path))
		return fault_set(fault, ERR_RANGE, r->file, "names no file");
	peer_set_export(r->peers, now, &t);
	const enum err e =
		t.bad ? fault_set(fault, ERR_NOMEM, r->file, "out of memory")
		      : disk_replace(path.dir, path.name, FILE_MODE, t.bytes, t.size, fault);
	text_done(&t);
	return e;
}

static void tell_others(struct peer_rounds *r, int64_t now)
{
	struct fault fault = { 0 };
	if (r->file[0] == '\0' || (now < r->write_at && r->write_at - now <= WRITE_SECONDS))
		return;
	r->write_at = now + (r->few ? WRITE_SECONDS_FEW : WRITE_SECONDS);
	const bool failing = write_file(r, now, &fault) != ERR_OK;
	if (failing && !r->failing)
		log_line(LOG_ERROR,
		         "The peers could not be written for the collector, and it is tried again. "
		         "file=%s why=%s",
		         fault.where, fault.text);
	r->failing = failing;
}

void peer_rounds_tick(struct peer_rounds *r, int64_t now)
{
	if (r->peers == NULL)
		begin_round(r);
	const uint64_t part = r->few ? r->shards : r->shards / ROUND_SECONDS + 1;
	const uint64_t end = r->walk.shards + part;
	while (r->peers != NULL && r->walk.shards < end && r->walk.shards < r->shards)
		swarm_peers(r->swarms, &r->walk, add_peer, r->peers);
	if (r->peers == NULL || r->walk.shards < r->shards)
		return;
	tell_others(r, now);
	r->take(r->ctx, r->peers);
	r->peers = NULL;
}

void peer_rounds_done(struct peer_rounds *r)
{
	peer_set_free(r->peers);
	r->peers = NULL;
}
