/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/pem.h"

#include "common/base/log.h"
#include "common/base/text.h"
#include "server/disk/disk.h"
#include "server/net/http.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DAY = 86400 };

static enum err read_one(const struct pem_file *file, char **out, size_t *size, struct fault *fault)
{
	const bool absolute = file->path[0] == '/';
	const enum err e = disk_read(absolute ? "" : ".", file->path + absolute, out, size, fault);
	return e == ERR_NOT_FOUND
	               ? fault_set(fault, e, file->option, "there is no file '%s'", file->path)
	               : e;
}

void pem_forget(struct pem *pem)
{
	if (pem->key != NULL)
		sodium_memzero(pem->key, pem->key_size);
	free(pem->key);
	free(pem->certificate);
	free(pem->client_ca);
	*pem = (struct pem){ 0 };
}

static void hash(struct pem *pem)
{
	crypto_generichash_state h;
	(void)crypto_generichash_init(&h, NULL, 0, sizeof(pem->hash));
	(void)crypto_generichash_update(&h, (const uint8_t *)pem->certificate,
	                                pem->certificate_size + 1); /* and its NUL */
	(void)crypto_generichash_update(&h, (const uint8_t *)pem->key, pem->key_size + 1);
	if (pem->client_ca != NULL)
		(void)crypto_generichash_update(&h, (const uint8_t *)pem->client_ca,
		                                pem->client_ca_size + 1);
	(void)crypto_generichash_final(&h, pem->hash, sizeof(pem->hash));
}

/* Clients refuse it then, and nothing else tells why. Certificates of a few days are renewed days before. */
static void warn(const char *certificate, const char *path)
{
	char end[24];
	const int64_t ends = http_certificate_end(certificate), now = time(NULL);
	if (ends >= now + DAY)
		return;
	text_time_print(ends, end);
	log_line(LOG_WARNING, "The certificate %s. file=%s end=%s",
	         ends <= now ? "has ended, clients refuse it" : "ends within a day", path, end);
}

enum err pem_read(struct pem *pem, const struct pem_file *certificate, const struct pem_file *key,
                  const struct pem_file *client_ca, struct fault *fault)
{
	*pem = (struct pem){ 0 };
	enum err e = read_one(certificate, &pem->certificate, &pem->certificate_size, fault);
	if (e == ERR_OK)
		e = read_one(key, &pem->key, &pem->key_size, fault);
	if (e == ERR_OK && client_ca->path[0] != '\0')
		e = read_one(client_ca, &pem->client_ca, &pem->client_ca_size, fault);
	if (e != ERR_OK) {
		pem_forget(pem);
		return e;
	}
	hash(pem);
	warn(pem->certificate, certificate->path);
	return ERR_OK;
}
