/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "server/collector/socket.h"

#include <netinet/in.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* An exporter that sends again whenever something was taken: there is always more. */
static struct {
	int fd;
	struct sockaddr_in to;
	atomic_uint taken;
} wheel;

static void send_one(void)
{
	assert_int_equal(
		sendto(wheel.fd, "x", 1, 0, (const struct sockaddr *)&wheel.to, sizeof(wheel.to)),
		1);
}

static void take(void *ctx, const struct collector_datagram *batch, size_t n, int64_t now_ms,
                 uint64_t dropped)
{
	(void)ctx;
	(void)batch;
	(void)dropped;
	assert_true(now_ms > 0);
	atomic_fetch_add(&wheel.taken, (unsigned)n);
	for (size_t i = 0; i < n; i++)
		send_one();
}

static void stops_while_exporters_go_on(void **state)
{
	(void)state;
	const struct flow_socket_options options = { .listen = "127.0.0.1:0",
		                                     .receive_buffer = 1 << 16,
		                                     .take = take };
	struct flow_socket *s;
	struct fault fault;
	assert_int_equal(flow_socket_start(&options, &s, &fault), ERR_OK);
	wheel.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	wheel.to = (struct sockaddr_in){ .sin_family = AF_INET,
		                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		                         .sin_port = htons(flow_socket_port(s)) };
	for (unsigned i = 0; i < 10; i++)
		send_one();
	while (atomic_load(&wheel.taken) < 100)
		(void)nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	(void)alarm(60); /* it never came back once */
	flow_socket_stop(s);
	(void)alarm(0);
	(void)close(wheel.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(stops_while_exporters_go_on) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
