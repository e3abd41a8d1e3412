/* SPDX-License-Identifier: Apache-2.0 */
#include "server/net/framing.h"

#include "common/base/text.h"

#include <microhttpd.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

/* As some take it who trim names: control characters are blanks to isspace(), or to Java's trim(). */
static bool is_blank(char c)
{
	return (unsigned char)c <= ' ';
}

/*
 * A header that says something else than what was sent. RFC 9112 (sections 2.2, 5.1, 5.2) allows blanks on
 * neither side of a name, nor that a value goes on in the next line. A lone CR, for some the end of a line,
 * libmicrohttpd 0.9.75 leaves in the value.
 */
static bool is_garbled(const char *name, size_t size, const char *value)
{
	return size == 0 || is_blank(name[0]) || is_blank(name[size - 1]) ||
	       (value != NULL && strchr(value, '\r') != NULL);
}

/*
 * Is there more between the two than the `ends` of lines? libmicrohttpd 0.9.75 shows nobody what stands in a
 * value behind a NUL, ends the headers at a line that begins with one or, but for the first, has no name
 * (": x"), and adds a folded line to the name, "Content-Length90", which it moves to have room. But it takes
 * the headers to pieces where they are, one behind the other. As ends of lines are zeros by now, a byte more
 * before an LF alone is not seen. Of other versions we do not know where headers are: those from 1.0 on
 * refuse such lines themselves.
 */
static bool has_gap(const struct framing *f, const char *to, size_t ends)
{
	return f->in_a_row && (uintptr_t)to - (uintptr_t)f->end > 2 * ends; /* CR LF, or LF alone */
}

static inline bool is_header(const char *wanted, const char *name, size_t size)
{
	return size == strlen(wanted) && strcasecmp(name, wanted) == 0;
}

static enum MHD_Result see(void *ctx, enum MHD_ValueKind kind, const char *name, const char *value)
{
	(void)kind;
	struct framing *f = ctx;
	const size_t size = strlen(name);
	const bool length = is_header(MHD_HTTP_HEADER_CONTENT_LENGTH, name, size);
	const bool coded = is_header(MHD_HTTP_HEADER_TRANSFER_ENCODING, name, size);
	/* RFC 9112, sections 6.1, 6.3. Of codings libmicrohttpd knows one; under others it reads on for ever. */
	if (((length || coded) && (f->length != NULL || f->coded)) ||
	    (coded && (f->old || value == NULL || strcasecmp(value, "chunked") != 0)) ||
	    is_garbled(name, size, value) || has_gap(f, name, 1))
		f->unsafe = true;
	if (length)
		f->length = value != NULL ? value : "";
	f->coded = f->coded || coded;
	f->awaited = f->awaited || is_header(MHD_HTTP_HEADER_EXPECT, name, size);
	f->end = value != NULL ? value + strlen(value) : name + size;
	return MHD_YES;
}

/* The method stands first of all; an empty line ends the headers. */
void framing_read(struct MHD_Connection *connection, const char *method, const char *version,
                  struct framing *out)
{
	const union MHD_ConnectionInfo *head =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	*out = (struct framing){ .end = version + strlen(version),
		                 .in_a_row = strcmp(MHD_get_version(), "0.9.75") == 0,
		                 .old = strcmp(version, MHD_HTTP_VERSION_1_0) == 0 };
	(void)MHD_get_connection_values(connection, MHD_HEADER_KIND, see, out);
	out->unsafe = out->unsafe || head == NULL || has_gap(out, method + head->header_size, 2);
}

size_t framing_declared(const struct framing *f)
{
	uint64_t n = 0;
	if (f->coded)
		return SIZE_MAX;
	return f->length == NULL || text_u64(f->length, strlen(f->length), &n) ? n : SIZE_MAX;
}
