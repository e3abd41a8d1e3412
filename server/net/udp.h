/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * UDP in batches: bytes and addresses, not BitTorrent.
 *
 * Each worker is a thread with its own SO_REUSEPORT socket and one loop: recvmmsg, hand the batch
 * over, sendmmsg. One clock read, and no allocation, per batch. A worker that waits does so in
 * recvmmsg: there is no poll before it, and no libevent, which adds 8 %.
 *
 * What was weighed, in CPU time per datagram against a bare recvmmsg/sendmmsg loop (tests/bench/echo.c):
 * - One dual-stack socket hears both families at the price of an IPv4 socket (1.00). Two sockets, one
 *   for each family, would save nothing and need a poll before each receive.
 * - Replies leave from the address that was asked (IP_PKTINFO): 1.04. A socket bound to one address
 *   does that by itself and pays nothing.
 * - Replies are never fragmented and no forged ICMP message can make them be (IP_PMTUDISC_PROBE): 0.96,
 *   as the kernel then needs no identification. So a path must carry them whole; keep them within
 *   1200 bytes, which is what QUIC asks of a path (RFC 9000, section 14).
 * - Batches of 16, 32 and 64 cost the same; 8 costs 1.02.
 * - io_uring (multishot recvmsg, registered file): 1.08.
 * - A classic BPF program that sends each info-hash to a worker of its own (SO_ATTACH_REUSEPORT_CBPF)
 *   saves nothing when two workers drain a thousand swarms (1.01; shard locks are too many to meet on),
 *   and leaves a swarm that all ask for to one worker: 1.6 times the time of two that share its lock.
 *   So the kernel's hash of addresses and ports spreads the load.
 *
 * Under more load than the workers can take, a socket's receive buffer fills and the kernel drops what
 * comes next; `dropped` counts it. A full send buffer holds a worker up for 5 ms at most in a batch,
 * then the rest of the batch's replies is dropped and counted in `send_failed`.
 *
 * Ownership: net_udp_stop() joins the threads and frees. Threading: `handle` runs on the worker's
 * thread; start and stop from one thread; stats from any.
 */

#include "common/base/err.h"
#include "common/ip/addr.h"

struct net_datagram {
	const uint8_t *in;
	size_t in_size;
	struct ip_addr from; /* IPv4-mapped ones as IPv4 */
	uint16_t from_port;
	uint8_t *out;    /* room for NET_DATAGRAM_MAX bytes; a handler leaves the pointers alone */
	size_t out_size; /* what to send back; 0: nothing */
};

enum { NET_DATAGRAM_MAX = 1500, NET_BATCH_MAX = 32 };

/* `worker` counts from 0; `now_ms` is CLOCK_MONOTONIC, read once for the batch. */
typedef void net_udp_handle(void *ctx, unsigned worker, uint64_t now_ms, struct net_datagram *batch,
                            size_t n);

struct net_udp_options {
	const char *listen; /* "[::]:6969", "127.0.0.1:0" */
	unsigned workers;
	unsigned receive_buffer; /* bytes asked of the kernel for each socket */
	net_udp_handle *handle;
	void *ctx;
};

struct net_udp;

/*
 * "[::]:port" hears both families; where the machine has no IPv6 it falls back to 0.0.0.0 and logs.
 * ERR_SYSTEM with a fault that names the address and the reason.
 */
enum err net_udp_start(const struct net_udp_options *options, struct net_udp **out,
                       struct fault *fault) must_check;
void net_udp_stop(struct net_udp *u); /* NULL is fine; answers what was received, then ends */
uint16_t net_udp_port(const struct net_udp *u);

struct net_udp_stats {
	uint64_t received, sent, send_failed, dropped; /* dropped: by the kernel, unreceived */
};
struct net_udp_stats net_udp_stats(struct net_udp *u);
