/* SPDX-License-Identifier: Apache-2.0 */
#include "server/api/body.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

bool body_is_name(const char *s)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				   "-_.:@";
	const size_t n = strspn(s, good);
	return n > 0 && n <= 64 && s[n] == '\0';
}

const char *body_string(const json_t *body, const char *key, struct faults *faults)
{
	const json_t *value = json_object_get(body, key);
	char where[32];
	if (value == NULL || json_is_null(value))
		return "";
	if (json_is_string(value))
		return json_string_value(value);
	(void)snprintf(where, sizeof(where), "/%s", key);
	(void)faults_add(faults, ERR_MALFORMED, "wrong-type", where, "%s is a string", key);
	return NULL;
}

void body_new_name(const json_t *body, char out[static 65], struct faults *faults)
{
	const char *name = body_string(body, "name", faults);
	if (name == NULL)
		return;
	if (!body_is_name(name))
		(void)faults_add(faults, ERR_MALFORMED, "malformed", "/name",
		                 "1 to 64 letters, digits or any of -_.:@");
	else if (strcmp(name, "admin") == 0)
		(void)faults_add(faults, ERR_EXISTS, "reserved", "/name",
		                 "is the name of the token in the state folder");
	else if (strcmp(name, "p4pd") == 0) /* else who approved what, a person or nobody? */
		(void)faults_add(faults, ERR_EXISTS, "reserved", "/name",
		                 "is the name under which p4pd itself acts, as in the audit log");
	else
		(void)snprintf(out, 65, "%s", name);
}

void body_reject_unknown(json_t *body, const char *const *keys, struct faults *faults)
{
	const char *key;
	json_t *value;
	struct text all = { 0 };
	for (size_t i = 0; keys[i] != NULL; i++)
		text_printf(&all, "%s%s", i > 0 ? ", " : "", keys[i]);
	json_object_foreach(body, key, value)
	{
		size_t i = 0;
		while (keys[i] != NULL && strcmp(key, keys[i]) != 0)
			i++;
		if (keys[i] == NULL)
			(void)faults_add(faults, ERR_MALFORMED, "unknown-key", "",
			                 "\"%.64s\" is no member; there are %s", key,
			                 all.bad ? "others" : all.bytes);
	}
	text_done(&all);
}
