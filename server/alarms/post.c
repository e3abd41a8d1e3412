/* SPDX-License-Identifier: Apache-2.0 */
#include "server/alarms/post.h"

#include "server/alarms/event.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { CONNECT_SECONDS = 5, ALL_SECONDS = 15, PAUSE_MAX = 3600 };

enum err post_start(void)
{
	return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? ERR_OK : ERR_SYSTEM;
}

void post_end(void)
{
	curl_global_cleanup();
}

bool post_is_url(const char *url)
{
	CURLU *u = curl_url();
	char *scheme = NULL, *host = NULL;
	const bool good = u != NULL && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
	                  curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	                  curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
	                  (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
	curl_free(scheme);
	curl_free(host);
	curl_url_cleanup(u);
	return good;
}

uint32_t post_pause(uint64_t failures)
{
	return failures > 12 ? PAUSE_MAX : UINT32_C(1) << (failures - 1);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): curl's type */
static size_t discard(char *bytes, size_t one, size_t n, void *ctx)
{
	(void)bytes;
	(void)ctx;
	return one * n;
}

static int stopped(void *ctx, curl_off_t all, curl_off_t now, curl_off_t up_all, curl_off_t up)
{
	const atomic_bool *stop = ctx;
	(void)all;
	(void)now;
	(void)up_all;
	(void)up;
	return atomic_load(stop);
}

/* false: out of memory; what there is of the list stays valid. */
static bool header(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);
	if (longer != NULL)
		*list = longer;
	return longer != NULL;
}

static bool headers(struct curl_slist **list, const struct post *p)
{
	char signature[EVENT_SIGNATURE], signed_by[96], at[64], event[96];
	event_sign(p->secret, p->now, p->body, signature);
	(void)snprintf(signed_by, sizeof(signed_by), "X-P4pd-Signature: sha256=%s", signature);
	(void)snprintf(at, sizeof(at), "X-P4pd-Timestamp: %" PRId64, p->now);
	(void)snprintf(event, sizeof(event), "X-P4pd-Event: %s", p->event);
	return header(list, "Content-Type: application/json") && header(list, signed_by) &&
	       header(list, at) && header(list, event) &&
	       header(list, "Expect:"); /* do not wait for a 100 */
}

static void prepare(CURL *curl, const struct post *p, const struct curl_slist *list, char *why)
{
	(void)curl_easy_setopt(curl, CURLOPT_URL, p->url);
	(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, p->body);
	(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)strlen(p->body));
	(void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
	(void)curl_easy_setopt(curl, CURLOPT_USERAGENT, "p4pd");
	(void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
	(void)curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)ALL_SECONDS);
	(void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, discard);
	(void)curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	(void)curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, stopped);
	(void)curl_easy_setopt(curl, CURLOPT_XFERINFODATA, p->stop);
	(void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
}

static enum err judge(CURL *curl, CURLcode code, const char *words, char why[static POST_WHY])
{
	long status = 0;
	(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (code != CURLE_OK)
		(void)snprintf(why, POST_WHY, "%s",
		               words[0] != '\0' ? words : curl_easy_strerror(code));
	else if (status >= 300 && status < 400)
		(void)snprintf(why, POST_WHY, "it answered %ld: redirects are not followed",
		               status);
	else
		(void)snprintf(why, POST_WHY, "it answered %ld", status);
	return code == CURLE_OK && status >= 200 && status < 300 ? ERR_OK : ERR_AWAY;
}

enum err post_send(const struct post *p, char why[static POST_WHY])
{
	char words[CURL_ERROR_SIZE] = "";
	struct curl_slist *list = NULL;
	enum err e = ERR_NOMEM;
	CURL *curl = curl_easy_init();
	(void)snprintf(why, POST_WHY, "out of memory");
	if (curl != NULL && headers(&list, p)) {
		prepare(curl, p, list, words);
		e = judge(curl, curl_easy_perform(curl), words, why);
	}
	curl_slist_free_all(list);
	curl_easy_cleanup(curl);
	return e;
}
