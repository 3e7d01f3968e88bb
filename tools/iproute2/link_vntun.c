// SPDX-License-Identifier: GPL-2.0
/*
 * ip link add ... type vntun OPTION..., and the same for vntap, which is this
 * plugin under another name.
 *
 * Each option is one attribute of enum vnic_tun_attr. Which of them may be
 * changed, and which go together, is for the kernel to say: it answers with a
 * sentence that ip prints.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include <linux/vnic.h>

#include "options.h"

/* No user, and no group, has this number. */
#define NOBODY	4294967295U

static bool read_number(const char *word, __u32 *number)
{
	unsigned long long value;
	char *end;

	if (word[0] < '0' || word[0] > '9')
		return false;
	errno = 0;
	value = strtoull(word, &end, 10);
	if (errno || *end || value >= NOBODY)
		return false;
	*number = value;
	return true;
}

static void put_user(struct nlmsghdr *message, int attr, const char *value)
{
	const struct passwd *entry;
	__u32 number = NOBODY;

	if (!read_number(value, &number)) {
		entry = getpwnam(value);
		if (entry)
			number = entry->pw_uid;
		else if (strcmp(value, "none"))
			invarg("no such user", value);
	}
	addattr32(message, LINK_ROOM, attr, number);
}

static void put_group(struct nlmsghdr *message, int attr, const char *value)
{
	const struct group *entry;
	__u32 number = NOBODY;

	if (!read_number(value, &number)) {
		entry = getgrnam(value);
		if (entry)
			number = entry->gr_gid;
		else if (strcmp(value, "none"))
			invarg("no such group", value);
	}
	addattr32(message, LINK_ROOM, attr, number);
}

/* In the order in which they are shown. */
static const struct option options[] = {
	{ "pi", "on|off", VNIC_TUN_PI, put_switch, NULL },
	{ "vnet_hdr", "on|off", VNIC_TUN_VNET_HDR, put_switch, NULL },
	{ "multi_queue", "on|off", VNIC_TUN_MULTI_QUEUE, put_switch, NULL },
	{ "persist", "on|off", VNIC_TUN_PERSIST, put_switch, NULL },
	{ "user", "UID|NAME|none", VNIC_TUN_OWNER, put_user, NULL },
	{ "owner", NULL, VNIC_TUN_OWNER, put_user, NULL },
	{ "group", "GID|NAME|none", VNIC_TUN_GROUP, put_group, NULL },
	{ "backpressure", "on|off", VNIC_TUN_BACKPRESSURE, put_switch, NULL },
	{ NULL, NULL, 0, NULL, NULL },
};

static void vntun_help(struct link_util *kind, int argc, char **argv,
		       FILE *out)
{
	(void)argc;
	(void)argv;
	help_options(kind, options, "[ numtxqueues N ] ", out);
	fprintf(out, "owner is another word for user.\n");
}

static int vntun_parse(struct link_util *kind, int argc, char **argv,
		       struct nlmsghdr *message)
{
	return parse_options(kind, options, argc, argv, message);
}

static void show_user(FILE *out, __u32 number)
{
	const struct passwd *entry = getpwuid(number);

	if (entry)
		show_string(out, "user", entry->pw_name);
	else
		show_number(out, "user", number);
}

static void show_group(FILE *out, __u32 number)
{
	const struct group *entry = getgrgid(number);

	if (entry)
		show_string(out, "group", entry->gr_name);
	else
		show_number(out, "group", number);
}

/* As ip shows a device of the in-tree driver, with what is ours at the end. */
static void vntun_print(struct link_util *kind, FILE *out,
			struct rtattr *attr[])
{
	bool many;

	(void)kind;
	if (!attr)
		return;
	if (attr[VNIC_TUN_TYPE])
		show_string(out, "type",
			    value_of(attr[VNIC_TUN_TYPE]) == IFF_TUN ?
			    "tun" : "tap");
	show_switch_attr(out, "pi", attr[VNIC_TUN_PI]);
	show_switch_attr(out, "vnet_hdr", attr[VNIC_TUN_VNET_HDR]);
	many = attr[VNIC_TUN_MULTI_QUEUE] &&
		value_of(attr[VNIC_TUN_MULTI_QUEUE]);
	if (is_json_context())
		jsonw_bool_field(get_json_writer(), "multi_queue", many);
	else if (many)
		fprintf(out, "multi_queue ");
	if (attr[VNIC_TUN_NUM_QUEUES])
		show_number(out, "numqueues",
			    value_of(attr[VNIC_TUN_NUM_QUEUES]));
	if (attr[VNIC_TUN_NUM_DISABLED_QUEUES])
		show_number(out, "numdisabled",
			    value_of(attr[VNIC_TUN_NUM_DISABLED_QUEUES]));
	show_switch_attr(out, "persist", attr[VNIC_TUN_PERSIST]);
	if (attr[VNIC_TUN_OWNER] && value_of(attr[VNIC_TUN_OWNER]) != NOBODY)
		show_user(out, value_of(attr[VNIC_TUN_OWNER]));
	if (attr[VNIC_TUN_GROUP] && value_of(attr[VNIC_TUN_GROUP]) != NOBODY)
		show_group(out, value_of(attr[VNIC_TUN_GROUP]));
	show_switch_attr(out, "backpressure", attr[VNIC_TUN_BACKPRESSURE]);
}

struct link_util vntun_link_util = {
	.id = "vntun",
	.maxattr = VNIC_TUN_BACKPRESSURE,
	.parse_opt = vntun_parse,
	.print_opt = vntun_print,
	.print_help = vntun_help,
};

struct link_util vntap_link_util = {
	.id = "vntap",
	.maxattr = VNIC_TUN_BACKPRESSURE,
	.parse_opt = vntun_parse,
	.print_opt = vntun_print,
	.print_help = vntun_help,
};
