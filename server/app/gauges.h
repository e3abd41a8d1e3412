/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The daemon's gauges on /metrics: what the modules hold right now.
 */

#include "server/accounting/accounting.h"
#include "server/alarms/alarms.h"
#include "server/app/collecting.h"
#include "server/app/feeder.h"
#include "server/app/listeners.h"
#include "server/maps/maps.h"

#include "common/bridge/bridge.h"
#include "common/swarm/swarm.h"

struct gauges {
	struct swarm_store *swarms;
	struct bridge_store *bridges;
	struct accounting *accounting; /* NULL: no tracker here */
	struct collecting *collecting; /* NULL: no collector */
	struct maps *maps;
	struct claims *claims;
	struct map_office *office;
	const struct listeners *listeners;
	const struct feeder *feeder; /* NULL: no database */
	const struct alarms *alarms; /* the same */
};

/* A metrics_gauges function; `ctx` is a struct gauges. */
void gauges_write(void *ctx, struct text *page);
