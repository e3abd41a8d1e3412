/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a statement is made of, as bytes: the canonical form that is hashed, kept and read again.
 *
 * Lines of UTF-8, each ended by one LF; words are separated by one blank; numbers are decimal digits
 * without idle zeros; times are unix seconds. In this order:
 *
 *	p4p-statement-inputs/3
 *	provider isp-a
 *	contract c-17 3 SHA256             id, version, hash of the document below
 *	period 1793491200 1796083200 300   from, to, seconds of a bin
 *	source counter                     or flow, or none
 *	interconnect ic-fra-1 0 375000000000   one line each, in the contract's order: its set, and
 *	                                   the bytes that a bin can hold (0: not known)
 *	bin 0 1793491200 412500000000 206250000000 - - 300 0
 *	                                   one line for each bin that is known, by interconnect (its line's
 *	                                   number from 0), then by start: out and in bytes; out and in
 *	                                   bytes of known peers, or "-" twice; seconds it was watched;
 *	                                   quality (common/balance/quality.h)
 *	document 612                       bytes of the contract's document, which follows, as uploaded
 *
 * Nothing comes behind the document. SHA-256 of all of it is the statement's hash.
 *
 * The number in the first line is that of the format, which is also of what figures are made of it: it goes
 * up when a statement of yesterday would have other figures today.
 *
 * Pure.
 */

#include "server/report/contracts.h"

/* The period of `c`, which has ended, and the contract it was read from. ERR_NOMEM. */
enum err inputs_write(const struct contract_case *c, const struct store_agreement *about,
                      struct text *out) must_check;

#define INPUTS_FORMAT "3"
enum { INPUTS_FORMAT_SIZE = 12 };

/* Are these inputs of a statement that another version made, by another format? Its number. */
bool inputs_of_other_format(const char *bytes, size_t size, char number[static INPUTS_FORMAT_SIZE]);

/*
 * Back again: contract_case_done() what it was. `version` and `sha256` are the contract's. ERR_MALFORMED:
 * these are no such bytes, the fault names the line.
 */
enum err inputs_read(const char *bytes, size_t size, struct contract_case *out, uint64_t *version,
                     char sha256[static 65], struct fault *fault) must_check;
