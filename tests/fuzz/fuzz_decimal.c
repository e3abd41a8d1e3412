/* SPDX-License-Identifier: Apache-2.0 */
/* Two decimals with a line end between them: what is read prints, and arithmetic is undone or bad. */
#include "common/balance/decimal.h"

#include "common/base/err.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct decimal again(struct decimal d)
{
	char text[DECIMAL_TEXT_SIZE];
	struct decimal e;
	must(decimal_print(d, text) && decimal_parse(text, strlen(text), &e));
	must(e.places == d.places && decimal_compare(d, e) == 0);
	return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
	const size_t first = end != NULL ? (size_t)(end - data) : size;
	struct decimal a, b;
	if (!decimal_parse((const char *)data, first, &a))
		return 0;
	(void)again(a);
	if (end == NULL || !decimal_parse((const char *)end + 1, size - first - 1, &b))
		return 0;
	(void)again(b);
	const struct decimal sum = decimal_add(a, b);
	if (!sum.bad)
		must(decimal_compare(decimal_subtract(sum, b), a) == 0);
	const struct decimal product = decimal_multiply(a, b);
	if (!product.bad && b.units != 0)
		must(product.units % b.units == 0 || product.places < a.places + b.places);
	const struct decimal quotient = decimal_divide(a, b, 2, DECIMAL_HALF_EVEN);
	must(b.units != 0 || quotient.bad);
	must(decimal_compare(a, b) == -decimal_compare(b, a));
	return 0;
}
