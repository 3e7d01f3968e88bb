// SPDX-License-Identifier: GPL-2.0
/*
 * ip link add ... type vnskel OPTION...
 *
 * The attributes are those of enum vnic_skel_attr.
 */
#include <linux/vnic.h>

#include "options.h"

static const struct option options[] = {
	{ "reflect", "on|off", VNIC_SKEL_REFLECT, put_switch, NULL },
	{ NULL, NULL, 0, NULL, NULL },
};

static void vnskel_help(struct link_util *kind, int argc, char **argv,
			FILE *out)
{
	(void)argc;
	(void)argv;
	help_options(kind, options, "", out);
}

static int vnskel_parse(struct link_util *kind, int argc, char **argv,
			struct nlmsghdr *message)
{
	return parse_options(kind, options, argc, argv, message);
}

static void vnskel_print(struct link_util *kind, FILE *out,
			 struct rtattr *attr[])
{
	(void)kind;
	if (attr)
		show_switch_attr(out, "reflect", attr[VNIC_SKEL_REFLECT]);
}

struct link_util vnskel_link_util = {
	.id = "vnskel",
	.maxattr = VNIC_SKEL_REFLECT,
	.parse_opt = vnskel_parse,
	.print_opt = vnskel_print,
	.print_help = vnskel_help,
};
