/* SPDX-License-Identifier: Apache-2.0 */
/* exporters */
#include "tools/p4pctl/columns.h"
#include "tools/p4pctl/ctl.h"

#include <jansson.h>

static void add_number(struct columns *t, const json_t *object, const char *key)
{
	columns_add(t, "%" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(object, key)));
}

/* What is null or not known yet is "-". */
static void add_text(struct columns *t, const json_t *object, const char *key)
{
	const char *s = ctl_string(object, key);
	columns_add(t, "%s", s[0] != '\0' ? s : "-");
}

static void print_exporters(const json_t *list)
{
	static const char *const heads[] = { "EXPORTER",   "PROVIDER",  "PROTOCOL",
		                             "LAST SEEN",  ">RECORDS",  ">LOST",
		                             ">MALFORMED", ">SAMPLING", NULL };
	struct columns t;
	json_t *e;
	size_t i;
	columns_begin(&t, heads);
	json_array_foreach(list, i, e)
	{
		add_text(&t, e, "address");
		add_text(&t, e, "provider");
		add_text(&t, e, "protocol");
		add_text(&t, e, "last_seen");
		add_number(&t, e, "records");
		add_number(&t, e, "lost");
		add_number(&t, e, "malformed");
		if (json_integer_value(json_object_get(e, "sampling")) > 0)
			columns_add(&t, "1:%" JSON_INTEGER_FORMAT,
			            json_integer_value(json_object_get(e, "sampling")));
		else
			columns_add(&t, "-");
	}
	(void)columns_print(&t, stdout);
}

enum ctl_exit ctl_exporters(const struct ctl *c)
{
	enum ctl_exit code;
	struct text path = { 0 };
	text_put(&path, "/v1/exporters");
	json_t *json = ctl_get(c, path, &code);
	if (json != NULL && !c->json)
		print_exporters(json_object_get(json, "exporters"));
	json_decref(json);
	return code;
}
