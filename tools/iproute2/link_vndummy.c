// SPDX-License-Identifier: GPL-2.0
/*
 * ip link add ... type vndummy: there is nothing to set, and this says so.
 */
#include <string.h>

#include "link_util.h"

static void vndummy_help(struct link_util *kind, int argc, char **argv,
			 FILE *out)
{
	(void)kind;
	(void)argc;
	(void)argv;
	fprintf(out, "Usage: ip link add [ NAME ] ... type vndummy\n"
		"A vndummy has no options of its own.\n");
}

static int vndummy_parse(struct link_util *kind, int argc, char **argv,
			 struct nlmsghdr *message)
{
	(void)message;
	if (strcmp(argv[0], "help"))
		fprintf(stderr, "vndummy has no option \"%s\"\n", argv[0]);
	vndummy_help(kind, argc, argv, stderr);
	return -1;
}

struct link_util vndummy_link_util = {
	.id = "vndummy",
	.parse_opt = vndummy_parse,
	.print_help = vndummy_help,
};
