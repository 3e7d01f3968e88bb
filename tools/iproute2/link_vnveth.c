// SPDX-License-Identifier: GPL-2.0
/*
 * ip link add ... type vnveth OPTION... peer ...
 *
 * The options of ours are attributes of enum vnic_veth_attr. The peer's is
 * that of veth, in number and layout, and so are the words behind it: ip's own
 * code for veth reads them, to the end of the line. All of the options of "ip
 * link add" that this version of ip knows can therefore be given for the peer.
 */
#include <string.h>

#include <linux/vnic.h>

#include "options.h"

/* In ip itself; weak, so that an ip without it still opens this plugin. */
extern struct link_util veth_link_util;
#pragma weak veth_link_util

static void put_mode(struct nlmsghdr *message, int attr, const char *value)
{
	__u8 mode = VNIC_VETH_L2;

	if (!strcmp(value, "l3"))
		mode = VNIC_VETH_L3;
	else if (strcmp(value, "l2"))
		invarg("give l2 or l3", value);
	addattr8(message, LINK_ROOM, attr, mode);
}

static int take_peer(struct link_util *kind, int argc, char **argv,
		     struct nlmsghdr *message)
{
	if (!&veth_link_util || !veth_link_util.parse_opt) {
		fprintf(stderr, "This ip cannot read \"peer\"\n");
		return -1;
	}
	return veth_link_util.parse_opt(kind, argc, argv, message);
}

/* In the order in which they are shown. */
static const struct option options[] = {
	{ "mode", "l2|l3", VNIC_VETH_MODE, put_mode, NULL },
	{ "scrub", "on|off", VNIC_VETH_SCRUB, put_switch, NULL },
	{ "backpressure", "on|off", VNIC_VETH_BACKPRESSURE, put_switch, NULL },
	{ "bql", "on|off", VNIC_VETH_BQL, put_switch, NULL },
	{ "peer", "[ NAME ] LINK-OPTION...", VNIC_VETH_PEER, NULL, take_peer },
	{ NULL, NULL, 0, NULL, NULL },
};

static void vnveth_help(struct link_util *kind, int argc, char **argv,
			FILE *out)
{
	(void)argc;
	(void)argv;
	help_options(kind, options, "[ numtxqueues N ] [ numrxqueues N ] ",
		     out);
	fprintf(out,
		"mode and peer are for \"add\" alone; peer comes last: its options are those that\n"
		"\"ip link add\" takes before \"type\": name, netns, mtu ...\n"
		"Without peer: parentdev NAME names it, link-netns NETNS places it.\n");
}

static int vnveth_parse(struct link_util *kind, int argc, char **argv,
			struct nlmsghdr *message)
{
	return parse_options(kind, options, argc, argv, message);
}

static void show_mode(FILE *out, __u32 mode)
{
	if (mode == VNIC_VETH_L2)
		show_string(out, "mode", "l2");
	else if (mode == VNIC_VETH_L3)
		show_string(out, "mode", "l3");
	else
		show_number(out, "mode", mode);
}

static void vnveth_print(struct link_util *kind, FILE *out,
			 struct rtattr *attr[])
{
	(void)kind;
	if (!attr)
		return;
	if (attr[VNIC_VETH_MODE])
		show_mode(out, value_of(attr[VNIC_VETH_MODE]));
	show_switch_attr(out, "scrub", attr[VNIC_VETH_SCRUB]);
	show_switch_attr(out, "backpressure", attr[VNIC_VETH_BACKPRESSURE]);
	show_switch_attr(out, "bql", attr[VNIC_VETH_BQL]);
}

struct link_util vnveth_link_util = {
	.id = "vnveth",
	.maxattr = VNIC_VETH_BQL,
	.parse_opt = vnveth_parse,
	.print_opt = vnveth_print,
	.print_help = vnveth_help,
};
