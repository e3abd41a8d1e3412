/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The PEM files of a TLS listener, read whole. One whose certificate has ended, or does so within a day, is
 * read all the same, with a line in the log.
 *
 * Ownership: pem_forget() wipes and frees.
 */

#include "common/base/err.h"

#include <stddef.h>
#include <stdint.h>

struct pem_file {
	const char *option, *path; /* the option is named where something is wrong */
};

struct pem {
	char *certificate, *key, *client_ca; /* the last is NULL where none was asked for */
	size_t certificate_size, key_size, client_ca_size;
	uint8_t hash[32]; /* of all: the same again need not be put in force */
};

/* `client_ca` may have an empty path: none. */
enum err pem_read(struct pem *pem, const struct pem_file *certificate, const struct pem_file *key,
                  const struct pem_file *client_ca, struct fault *fault) must_check;
void pem_forget(struct pem *pem); /* all zero is fine */
