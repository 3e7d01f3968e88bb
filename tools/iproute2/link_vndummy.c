// SPDX-License-Identifier: GPL-2.0
/*
 * ip link add ... type vndummy OPTION...: attributes of enum vnic_dummy_attr.
 */
#include <linux/vnic.h>

#include "options.h"

static const struct option options[] = {
	{ "loopback", "on|off", VNIC_DUMMY_LOOPBACK, put_switch, NULL },
	{ NULL, NULL, 0, NULL, NULL },
};

static void vndummy_help(struct link_util *kind, int argc, char **argv,
			 FILE *out)
{
	(void)argc;
	(void)argv;
	help_options(kind, options, "", out);
}

static int vndummy_parse(struct link_util *kind, int argc, char **argv,
			 struct nlmsghdr *message)
{
	return parse_options(kind, options, argc, argv, message);
}

static void vndummy_print(struct link_util *kind, FILE *out,
			  struct rtattr *attr[])
{
	(void)kind;
	if (attr)
		show_switch_attr(out, "loopback", attr[VNIC_DUMMY_LOOPBACK]);
}

struct link_util vndummy_link_util = {
	.id = "vndummy",
	.maxattr = VNIC_DUMMY_LOOPBACK,
	.parse_opt = vndummy_parse,
	.print_opt = vndummy_print,
	.print_help = vndummy_help,
};
