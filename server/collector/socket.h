/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The socket that flow exports come to, and its thread: recvmmsg, hand the batch over, again.
 *
 * Exporters send without asking and nobody answers, so what the receive buffer cannot hold is lost: it
 * should be large (net.core.rmem_max limits it), and the thread does nothing that waits. What the kernel
 * drops is counted (SO_RXQ_OVFL).
 *
 * Threading: start and stop from one thread; `take` runs on the socket's.
 */

#include "server/collector/collector.h"

struct flow_socket_options {
	const char *listen;      /* "127.0.0.1:2055", "[::]:2055" */
	unsigned receive_buffer; /* bytes asked of the kernel */
	/* As collector_take(). */
	void (*take)(void *ctx, const struct collector_datagram *batch, size_t n, int64_t now_ms,
	             uint64_t dropped);
	void *ctx;
};

struct flow_socket;

/* ERR_SYSTEM with a fault that names the address and the reason. */
enum err flow_socket_start(const struct flow_socket_options *options, struct flow_socket **out,
                           struct fault *fault) must_check;
void flow_socket_stop(
	struct flow_socket *s); /* NULL is fine; takes what was received, two seconds at most */
uint16_t flow_socket_port(const struct flow_socket *s);
