/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sketch/xml.h"

#include <expat.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 32, TEXT_MAX = 65536 };

struct walk {
	struct xml_reading *r;
	XML_Parser parser;
	const char *root;
	struct text path, text;
	size_t ends[DEPTH_MAX]; /* of `path`, before each element */
	size_t depth;
	bool stopped; /* a fault was told */
};

static struct sketch_origin here(const struct walk *w)
{
#if XML_MAJOR_VERSION > 2 || XML_MINOR_VERSION >= 9 /* which warns of the old name */
	const uint64_t line = XML_GetCurrentLineNumber64(w->parser);
#else
	const uint64_t line = XML_GetCurrentLineNumber(w->parser);
#endif
	return (struct sketch_origin){ w->r->at.source, (uint32_t)line };
}

static void stop(struct walk *w, const char *kind, const char *why)
{
	if (!w->stopped)
		sketch_fault(w->r->s, here(w), kind, "%s", why);
	w->stopped = true;
	(void)XML_StopParser(w->parser, XML_FALSE);
}

static void forget(struct text *t, size_t size)
{
	if (t->bytes != NULL && !t->bad) {
		t->size = size;
		t->bytes[size] = '\0';
	}
}

static void XMLCALL on_begin(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
	struct walk *w = ctx;
	const char *local = strrchr(name, '|');
	local = local != NULL ? local + 1 : name;
	if (w->depth == 0 && strcmp(local, w->root) != 0) {
		stop(w, "format", "this is XML of another kind");
		return;
	}
	if (w->depth == DEPTH_MAX) {
		stop(w, "depth", "must not nest so deep");
		return;
	}
	w->ends[w->depth++] = w->path.size;
	text_put(&w->path, w->path.size > 0 ? "/" : "");
	text_put(&w->path, local);
	forget(&w->text, 0);
	w->r->at = here(w);
	if (w->path.bad)
		w->r->s->full = true;
	else
		w->r->begin(w->r, w->path.bytes, attributes);
}

static const char *trimmed(struct text *t)
{
	static const char blanks[] = " \t\r\n";
	if (t->bytes == NULL || t->bad)
		return "";
	while (t->size > 0 && strchr(blanks, t->bytes[t->size - 1]) != NULL)
		forget(t, t->size - 1);
	return t->bytes + strspn(t->bytes, blanks);
}

static void XMLCALL on_end(void *ctx, const XML_Char *name)
{
	struct walk *w = ctx;
	(void)name;
	if (w->stopped || w->depth == 0)
		return;
	w->r->at = here(w);
	w->r->s->full |= w->text.bad || w->path.bad;
	if (!w->r->s->full)
		w->r->end(w->r, w->path.bytes, trimmed(&w->text));
	forget(&w->text, 0);
	forget(&w->path, w->ends[--w->depth]);
}

static void XMLCALL on_text(void *ctx, const XML_Char *bytes, int size)
{
	struct walk *w = ctx;
	if (w->text.size + (size_t)size > TEXT_MAX)
		stop(w, "size", "must not hold so long a text");
	else
		text_add(&w->text, bytes, (size_t)size);
}

static void XMLCALL on_doctype(void *ctx, const XML_Char *name, const XML_Char *system_id,
                               const XML_Char *public_id, int internal)
{
	(void)name, (void)system_id, (void)public_id, (void)internal;
	stop(ctx, "doctype", "must have no document type: its entities are not expanded");
}

void xml_read(struct xml_reading *r, const struct sketch_source *source, uint32_t number,
              const char *root)
{
	struct walk w = { .r = r, .root = root, .parser = XML_ParserCreateNS(NULL, '|') };
	r->at = (struct sketch_origin){ number, 0 };
	r->s->full |= w.parser == NULL;
	if (w.parser == NULL)
		return;
	XML_SetUserData(w.parser, &w);
	XML_SetElementHandler(w.parser, on_begin, on_end);
	XML_SetCharacterDataHandler(w.parser, on_text);
	XML_SetStartDoctypeDeclHandler(w.parser, on_doctype);
	if (source->size > INT_MAX)
		stop(&w, "size", "must be smaller than 2 GB");
	else if (XML_Parse(w.parser, source->text, (int)source->size, 1) != XML_STATUS_OK &&
	         !w.stopped)
		stop(&w, "syntax", XML_ErrorString(XML_GetErrorCode(w.parser)));
	XML_ParserFree(w.parser);
	text_done(&w.path);
	text_done(&w.text);
}

const char *xml_attribute(const char **attributes, const char *name)
{
	for (size_t i = 0; attributes[i] != NULL; i += 2)
		if (strcmp(attributes[i], name) == 0)
			return attributes[i + 1];
	return NULL;
}

bool xml_number(struct xml_reading *r, const char *text, double *out)
{
	char *end;
	const double value = strtod(text, &end);
	if (*text == '\0')
		return false;
	if (*end == '\0' && isfinite(value)) {
		*out = value;
		return true;
	}
	sketch_fault(r->s, r->at, "type", "must be a number, not \"%.40s\"", text);
	return false;
}
