/* SPDX-License-Identifier: Apache-2.0 */
#include "server/net/tls.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <microhttpd.h>
#include <stdint.h>
#include <string.h>

const char tls_priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

/* NOLINTBEGIN(readability-function-size, readability-non-const-parameter): libmicrohttpd's signature */
static enum MHD_Result no_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **state)
{
	(void)cls, (void)connection, (void)url, (void)method;
	(void)version, (void)data, (void)size, (void)state;
	return MHD_NO;
}
/* NOLINTEND(readability-function-size, readability-non-const-parameter) */

/* libmicrohttpd takes a list without a certificate for one. */
static bool is_list(const char *authorities)
{
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): its bytes are not const, and it writes none */
	const gnutls_datum_t pem = { (unsigned char *)(uintptr_t)authorities,
		                     (unsigned)strlen(authorities) };
	gnutls_x509_crt_t *list;
	unsigned n = 0;
	if (gnutls_x509_crt_list_import2(&list, &n, &pem, GNUTLS_X509_FMT_PEM, 0) < 0)
		return false;
	for (unsigned i = 0; i < n; i++)
		gnutls_x509_crt_deinit(list[i]);
	gnutls_free(list);
	return n > 0;
}

enum err tls_try(const char *certificate, const char *key, const char *client_ca,
                 struct fault *fault)
{
	if (certificate == NULL)
		return ERR_OK;
	struct MHD_Daemon *trial = MHD_start_daemon(
		MHD_USE_TLS | MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL, no_request, NULL,
		MHD_OPTION_HTTPS_MEM_CERT, certificate, MHD_OPTION_HTTPS_MEM_KEY, key,
		MHD_OPTION_HTTPS_PRIORITIES, tls_priorities, MHD_OPTION_END);
	if (trial == NULL)
		return fault_set(fault, ERR_MALFORMED, "tls_certificate",
		                 "the certificate and the key must be PEM, without a password, and "
		                 "belong together");
	MHD_stop_daemon(trial);
	if (client_ca != NULL && !is_list(client_ca))
		return fault_set(fault, ERR_MALFORMED, "client_ca",
		                 "must hold one certificate of an authority or more, as PEM");
	return ERR_OK;
}

int64_t tls_end(const char *certificate)
{
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): its bytes are not const, and it writes none */
	const gnutls_datum_t pem = { (unsigned char *)(uintptr_t)certificate,
		                     (unsigned)strlen(certificate) };
	gnutls_x509_crt_t first;
	int64_t end = INT64_MAX;
	if (gnutls_x509_crt_init(&first) < 0)
		return end;
	if (gnutls_x509_crt_import(first, &pem, GNUTLS_X509_FMT_PEM) == 0)
		end = gnutls_x509_crt_get_expiration_time(first);
	gnutls_x509_crt_deinit(first);
	return end;
}

bool tls_client_is_known(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	static char purpose[] = GNUTLS_KP_TLS_WWW_CLIENT;
	gnutls_typed_vdata_st for_clients = { .type = GNUTLS_DT_KEY_PURPOSE_OID,
		                              .data = (unsigned char *)purpose };
	unsigned wrong = 1;
	if (info == NULL || info->tls_session == NULL)
		return false;
	gnutls_session_t session = info->tls_session;
	return gnutls_certificate_verify_peers(session, &for_clients, 1, &wrong) == 0 && wrong == 0;
}
