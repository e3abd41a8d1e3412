/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Announce and scrape: codec -> swarm -> steer -> reply, over UDP and HTTP.
 *
 * Both protocols meet in tracker_announce(). A reply is made without allocation, log line or
 * database; the map lease is renewed once per batch.
 *
 * Swarm times are seconds of CLOCK_MONOTONIC. A reply's order of peers means nothing.
 *
 * Threading: a `tracker_worker` belongs to one thread (a UDP worker or an HTTP thread); settings
 * and access list may be replaced from any thread at any time.
 */

#include "common/bridge/bridge.h"
#include "common/map/publish.h"
#include "common/steer/steer.h"
#include "common/swarm/swarm.h"
#include "server/accounting/accounting.h"
#include "server/geo/geo.h"
#include "server/metrics/metrics.h"
#include "server/net/http.h"
#include "server/net/udp.h"
#include "server/tracker/floods.h"

#include <stdatomic.h>

enum tracker_passkeys {
	TRACKER_PASSKEYS_OFF,
	TRACKER_PASSKEYS_OPTIONAL,
	TRACKER_PASSKEYS_REQUIRED
};

/* What SIGHUP may change. The tracker copies it, the proxies too. */
struct tracker_settings {
	struct steer_rules rules;
	unsigned control_percent; /* of the swarms stay native (common/steer/arms.h) */
	unsigned max_peers;       /* in one reply, whatever the client asks */
	unsigned default_peers;   /* when it asks for none in particular */
	uint32_t interval, min_interval, peer_timeout; /* seconds */
	uint32_t connection_seconds;                   /* that a connection id holds */
	bool lab;                                      /* private and loopback peers are fine */
	struct ip_prefix *proxies; /* believed about whom they speak for; never handed out */
	size_t n_proxies;
	bool forwarded; /* they say it in Forwarded (RFC 7239), not in X-Forwarded-For */
	struct limits_rates announces, connects; /* of an address and its prefix */
	enum tracker_passkeys passkeys;
};

struct tracker_options {
	unsigned workers; /* UDP workers + HTTP threads */
	unsigned udp_workers;
	struct swarm_store *swarms;
	struct bridge_store
		*bridges; /* as many shards as `swarms`; NULL: who met is not remembered */
	struct map_office *office;
	struct geo *geo;               /* NULL: strangers have no ASN */
	struct accounting *accounting; /* NULL: nothing is accounted */
	struct metrics *metrics;       /* slot i belongs to worker i: UDP workers, then HTTP */
	uint8_t secret[32]; /* keys of connection ids and identities; not shared with anybody */
};

struct tracker;

enum err tracker_new(const struct tracker_options *options, const struct tracker_settings *settings,
                     struct tracker **out) must_check;
void tracker_free(struct tracker *t); /* NULL is fine; its listeners must have stopped */

enum err tracker_reload(struct tracker *t, const struct tracker_settings *settings) must_check;

/* How a client's peer id begins: "-XL00". */
struct client_prefix {
	uint8_t bytes[PEER_ID_SIZE];
	uint8_t size; /* 1 to 20 */
};

/* What accounting knows a swarm by: a keyed hash of its info-hash. */
uint64_t tracker_swarm(const struct tracker *t, const uint8_t info_hash[static INFO_HASH_SIZE]);

/* Which torrents and clients are served; lists in any order. At first all are. */
struct tracker_access {
	bool open;           /* every torrent that is not denied; else those in `allowed` */
	const void *allowed; /* info-hashes one after the other */
	size_t n_allowed;
	const void *privates; /* known to carry the private flag, whether all are allowed or not */
	size_t n_privates;
	const void *denied;
	size_t n_denied;
	const struct client_prefix *clients; /* denied */
	size_t n_clients;
};

/* Copies. ERR_NOMEM: the old lists stay in force. */
enum err tracker_access(struct tracker *t, const struct tracker_access *access) must_check;

enum { PASSKEY_HASH_SIZE = 32 };

struct tracker_passkey {
	uint8_t hash[PASSKEY_HASH_SIZE]; /* unkeyed BLAKE2b of the key's characters */
	uint32_t max_peers;              /* at a time, on all torrents; 0: no limit */
	uint32_t per_minute;             /* announces; 0: no limit */
};

/*
 * The keys from now on; those that were there already go on with what they are used for. Copies, one
 * thread at a time. ERR_NOMEM: the old ones stay in force.
 */
enum err tracker_passkeys(struct tracker *t, const struct tracker_passkey *keys,
                          size_t n) must_check;

/* What a key is used for by this daemon since it started. */
struct tracker_passkey_use {
	uint64_t peers; /* right now; counted only where they are limited */
	uint64_t announces, refused;
};
/* ERR_NOT_FOUND. Any thread. */
enum err tracker_passkey_use(struct tracker *t, const uint8_t hash[static PASSKEY_HASH_SIZE],
                             struct tracker_passkey_use *out) must_check;

/*
 * Who went over the limits, for the log: at most `max` of them, each once a minute. `now` in steady
 * seconds. Any thread.
 */
size_t tracker_floods(struct tracker *t, uint32_t now, struct flood *out, size_t max);

/* What a client would be given, and why. */
struct tracker_question {
	uint8_t info_hash[INFO_HASH_SIZE];
	struct ip_addr address;
	uint16_t port;        /* 0: that of any client at the address that is in the swarm */
	int32_t want;         /* peers; negative: as many as by default */
	bool says_left;       /* else it has what it said last; a newcomer has nothing */
	bool has_all;         /* `says_left`: left=0 */
	const char *provider; /* the asker must be one of its clients; NULL: of anybody */
	uint64_t seed;        /* chance: the same list as an announce with it */
};

enum { TRACKER_REASON_SIZE = 64 };
struct tracker_explained {
	struct ip_addr addr;
	uint16_t port;
	uint32_t place;
	bool seed;
	enum map_tier tier;            /* by which it was appraised */
	struct map_pair receive, send; /* bytes from it, and to it */
	int32_t lean;                  /* of the asker's interconnect to it: snapshot_lean() */
	char reason[TRACKER_REASON_SIZE];
};

enum { TRACKER_EXPLAINED_MAX = 200 };
struct tracker_explanation {
	struct map_lease lease; /* holds the map that the places are of, which may be NULL */
	uint16_t port;          /* 0: none was asked for, and nobody there is in the swarm */
	uint32_t place;
	uint32_t provider; /* NO_PROVIDER */
	bool known;        /* is in the swarm */
	bool seeding;
	bool control; /* its provider's control group */
	enum steer_policy policy;
	/* `bridge` only */
	struct steer_standing standing;
	/* Contacts that its provider may have in all: as usual; and where its interconnects lean most,
	 * towards bytes in its way and against them, with the gains (common/steer/lean.h), 0 where none
	 * does. */
	struct steer_contacts budget;
	struct {
		int32_t gain;
		uint32_t free;
	} welcome, unwelcome;
	unsigned list_length;
	size_t n;
	struct tracker_explained peers[TRACKER_EXPLAINED_MAX];
};

/*
 * What an announce of that client would be given now, over UDP: peers of the address's family. Changes
 * nothing. `now_ms`: milliseconds of the swarms' clock. ERR_NOT_FOUND: there is no such swarm. ERR_DENIED:
 * the asker is not the provider's. ERR_NOMEM. Any thread; the swarm is locked no longer than by an announce,
 * but for looking the address up, 512 peers of its place at a time.
 */
enum err tracker_explain(struct tracker *t, const struct tracker_question *q, uint64_t now_ms,
                         struct tracker_explanation **out) must_check;
void tracker_explanation_free(struct tracker_explanation *e); /* NULL is fine */

/* Handlers for server/net; `ctx` is the tracker. */
net_udp_handle tracker_udp;
http_handle tracker_http;
http_foresee tracker_http_foresee;

/* Whether `addr` is a listed proxy, for a listener; `ctx` is the tracker. Any thread. */
bool tracker_is_proxy(void *ctx, const struct ip_addr *addr);
