/* SPDX-License-Identifier: Apache-2.0 */

/*
 * libmicrohttpd's own ceiling: one constant body to whatever is asked, with one response object for
 * all requests. What a tracker needs on top of this is its own cost.
 *
 *     mhd_ceiling BODY_BYTES [memory=4096] [turbo] [no-date] [no-arguments] [defer]
 *
 * Listens on 127.0.0.1, prints its port, and serves until standard input ends. The words after the
 * size try other recipes: the pool of a connection, MHD_USE_TURBO, replies without Date, a query that
 * libmicrohttpd does not take to pieces, and TCP_DEFER_ACCEPT.
 */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct recipe {
	unsigned flags;
	size_t memory;
	bool no_arguments, defer;
};

static void *on_target(void *cls, const char *target, struct MHD_Connection *connection)
{
	(void)connection;
	const struct recipe *r = cls;
	char *question = strchr(target, '?');
	if (r->no_arguments && question != NULL)
		question[1] = '\0';
	return NULL;
}

/* NOLINTNEXTLINE(readability-function-size): libmicrohttpd wants eight parameters */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **state)
{
	static int begun;
	(void)url;
	(void)method;
	(void)version;
	(void)data;
	(void)size;
	if (*state == NULL) { /* a reply queued in the first call would close the connection */
		*state = &begun;
		return MHD_YES;
	}
	return MHD_queue_response(connection, MHD_HTTP_OK, cls);
}

static bool read_words(int argc, char **argv, struct recipe *r)
{
	for (int i = 2; i < argc; i++) {
		if (strncmp(argv[i], "memory=", 7) == 0)
			r->memory = strtoul(argv[i] + 7, NULL, 10);
		else if (strcmp(argv[i], "turbo") == 0)
			r->flags |= MHD_USE_TURBO;
		else if (strcmp(argv[i], "no-date") == 0)
			r->flags |= MHD_USE_SUPPRESS_DATE_NO_CLOCK;
		else if (strcmp(argv[i], "no-arguments") == 0)
			r->no_arguments = true;
		else if (strcmp(argv[i], "defer") == 0)
			r->defer = true;
		else
			return false;
	}
	return argc >= 2;
}

static struct MHD_Daemon *start(struct recipe *r, struct MHD_Response *response)
{
	const struct sockaddr_in at = { .sin_family = AF_INET,
		                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int seconds = 5, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof(at)) != 0 ||
	    (r->defer &&
	     setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof(seconds)) != 0) ||
	    listen(fd, 1024) != 0)
		return NULL;
	return MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | r->flags, 0, NULL, NULL, on_request,
	                        response, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_URI_LOG_CALLBACK,
	                        on_target, r, MHD_OPTION_CONNECTION_MEMORY_LIMIT, r->memory,
	                        MHD_OPTION_CONNECTION_LIMIT, 4096U, MHD_OPTION_CONNECTION_TIMEOUT,
	                        15U, MHD_OPTION_END);
}

int main(int argc, char **argv)
{
	static char body[65536];
	char c;
	struct recipe recipe = { .memory = 4096 };
	const size_t size = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	if (!read_words(argc, argv, &recipe) || size > sizeof(body)) {
		(void)fprintf(stderr,
		              "usage: %s BODY_BYTES [memory=4096] [turbo] [no-date] "
		              "[no-arguments] [defer]\n",
		              argv[0]);
		return 2;
	}
	memset(body, 'x', size);
	struct MHD_Response *response =
		MHD_create_response_from_buffer(size, body, MHD_RESPMEM_PERSISTENT);
	struct MHD_Daemon *daemon = start(&recipe, response);
	if (response == NULL || daemon == NULL) {
		(void)fprintf(stderr, "%s: libmicrohttpd does not start\n", argv[0]);
		return 1;
	}
	(void)printf("%u\n", MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
	(void)fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	MHD_stop_daemon(daemon);
	MHD_destroy_response(response);
	return 0;
}
