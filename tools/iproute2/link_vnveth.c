// SPDX-License-Identifier: GPL-2.0
/*
 * ip link add ... type vnveth peer ...
 *
 * The attribute is that of veth, in number and layout, and so are the words:
 * ip's own code for veth reads them. All of the options of "ip link add" that
 * this version of ip knows can therefore be given for the peer.
 */
#include <string.h>

#include "link_util.h"

/* In ip itself; weak, so that an ip without it still opens this plugin. */
extern struct link_util veth_link_util;
#pragma weak veth_link_util

static const char help[] =
	"Usage: ip link add [ NAME ] ... type vnveth [ peer [ NAME ] OPTION... ]\n"
	"OPTION is what \"ip link add\" takes before \"type\": name, netns, mtu ...\n"
	"Without peer: parentdev NAME names it, link-netns NETNS places it.\n";

static void vnveth_help(struct link_util *kind, int argc, char **argv,
			FILE *out)
{
	(void)kind;
	(void)argc;
	(void)argv;
	fputs(help, out);
}

static int vnveth_parse(struct link_util *kind, int argc, char **argv,
			struct nlmsghdr *message)
{
	if (strcmp(argv[0], "peer")) {
		if (strcmp(argv[0], "help"))
			fprintf(stderr, "vnveth has no option \"%s\"\n",
				argv[0]);
		vnveth_help(kind, argc, argv, stderr);
		return -1;
	}
	if (!&veth_link_util || !veth_link_util.parse_opt) {
		fprintf(stderr, "This ip cannot read \"peer\"\n%s", help);
		return -1;
	}
	return veth_link_util.parse_opt(kind, argc, argv, message);
}

struct link_util vnveth_link_util = {
	.id = "vnveth",
	.parse_opt = vnveth_parse,
	.print_help = vnveth_help,
};
