/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/app.h"

int main(int argc, char **argv)
{
	return app_run(argc, argv);
}
