/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A snapshot in the making: what the steps of compile.c share. Nobody else includes this header.
 *
 * Each step returns ERR_NOMEM, or ERR_RANGE with a fault; map_compile() frees what there is.
 */

#include "common/map/compiled.h"

struct compiler {
	const struct map_source *sources;
	size_t n;
	struct map_snapshot *s;
	struct fault *fault;
};

/* Zeroed, from the snapshot's arena. NULL when out of memory. */
void *compiling_take(struct compiler *c, size_t n, size_t size);

/* A text of its own, in there. NULL when out of memory. */
const char *compiling_copy(struct compiler *c, const char *text);

/* *local is the index of PID `name` in the provider. False: it has none of that name. */
bool compiling_pid(const struct map_snapshot *s, const struct provider *p, const char *name,
                   uint32_t *local);

/* compile_places.c: ASNs, zones, and which place an address is in. */
enum err compile_places(struct compiler *c) must_check;

/* compile_ports.c: whose exporter an address is, and which interconnect a port of it. */
enum err compile_ports(struct compiler *c) must_check;

/* compile_routes.c: distances, egress and costs. */
enum err compile_routes(struct compiler *c) must_check;
