/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench_flow.h"

#include <fixbuf/public.h>

/* The same members that a flow_record has. */
struct row {
	uint64_t start, end, octets, packets;
	uint32_t from, to, in_if, out_if;
	uint16_t from_port, to_port;
	uint8_t protocol, flow_direction;
	uint8_t padding[2];
};

struct fixbuf {
	fbInfoModel_t *model;
	fBuf_t *buf;
	uint64_t records, bytes;
};

struct fixbuf *fixbuf_new(void)
{
	static char names[][32] = { "flowStartMilliseconds", "flowEndMilliseconds",
		                    "octetDeltaCount",       "packetDeltaCount",
		                    "sourceIPv4Address",     "destinationIPv4Address",
		                    "ingressInterface",      "egressInterface",
		                    "sourceTransportPort",   "destinationTransportPort",
		                    "protocolIdentifier",    "flowDirection",
		                    "paddingOctets" };
	static const uint16_t sizes[] = { 8, 8, 8, 8, 4, 4, 4, 4, 2, 2, 1, 1, 2 };
	enum { MEMBERS = sizeof(sizes) / sizeof(sizes[0]) };
	fbInfoElementSpec_t spec[MEMBERS + 1] = { 0 };
	GError *error = NULL;
	struct fixbuf *f = calloc(1, sizeof(*f));
	must(f != NULL);
	for (unsigned i = 0; i < MEMBERS; i++) {
		spec[i].name = names[i];
		spec[i].len_override = sizes[i];
	}
	f->model = fbInfoModelAlloc();
	fbSession_t *session = fbSessionAlloc(f->model);
	fbTemplate_t *t = fbTemplateAlloc(f->model);
	must(fbTemplateAppendSpecArray(t, spec, UINT32_MAX, &error));
	const uint16_t id = fbSessionAddTemplate(session, TRUE, FB_TID_AUTO, t, &error);
	must(id != 0);
	f->buf = fBufAllocForCollection(session, NULL);
	must(fBufSetInternalTemplate(f->buf, id, &error));
	return f;
}

void fixbuf_decode(void *ctx, uint8_t *bytes, size_t size)
{
	struct fixbuf *f = ctx;
	struct row row;
	size_t length = sizeof(row);
	GError *error = NULL;
	fBufSetBuffer(f->buf, bytes, size);
	while (fBufNext(f->buf, (uint8_t *)&row, &length, &error)) {
		f->records++;
		f->bytes += row.octets;
	}
	g_clear_error(&error); /* the end of the buffer */
}

uint64_t fixbuf_records(const struct fixbuf *f)
{
	return f->records;
}

uint64_t fixbuf_bytes(const struct fixbuf *f)
{
	return f->bytes;
}

void fixbuf_free(struct fixbuf *f)
{
	if (f == NULL)
		return;
	fBufFree(f->buf);
	fbInfoModelFree(f->model);
	free(f);
}
