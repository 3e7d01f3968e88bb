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

#include "link_util.h"

/* No user, and no group, has this number. */
#define NOBODY	4294967295U

enum value { SWITCH, USER, GROUP };

/* In the order in which they are shown. */
static const struct option {
	const char *word, *help;
	enum value value;
	int attr;
} options[] = {
	{ "pi", "on|off", SWITCH, VNIC_TUN_PI },
	{ "vnet_hdr", "on|off", SWITCH, VNIC_TUN_VNET_HDR },
	{ "multi_queue", "on|off", SWITCH, VNIC_TUN_MULTI_QUEUE },
	{ "persist", "on|off", SWITCH, VNIC_TUN_PERSIST },
	{ "user", "UID|NAME|none", USER, VNIC_TUN_OWNER },
	{ "owner", NULL, USER, VNIC_TUN_OWNER },
	{ "group", "GID|NAME|none", GROUP, VNIC_TUN_GROUP },
	{ "backpressure", "on|off", SWITCH, VNIC_TUN_BACKPRESSURE },
	{ NULL, NULL, SWITCH, 0 },
};

static void vntun_help(struct link_util *kind, int argc, char **argv,
		       FILE *out)
{
	const struct option *option;

	(void)argc;
	(void)argv;
	fprintf(out, "Usage: ip link add [ NAME ] [ numtxqueues N ] ... type %s\n",
		kind->id);
	for (option = options; option->word; option++) {
		if (option->help)
			fprintf(out, "\t\t[ %s %s ]\n", option->word,
				option->help);
	}
	fprintf(out, "       ip link set NAME type %s OPTION...\n"
		"owner is another word for user.\n", kind->id);
}

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

static __u32 read_user(const char *word)
{
	const struct passwd *entry;
	__u32 number;

	if (read_number(word, &number))
		return number;
	entry = getpwnam(word);
	if (entry)
		return entry->pw_uid;
	if (strcmp(word, "none"))
		invarg("no such user", word);
	return NOBODY;
}

static __u32 read_group(const char *word)
{
	const struct group *entry;
	__u32 number;

	if (read_number(word, &number))
		return number;
	entry = getgrnam(word);
	if (entry)
		return entry->gr_gid;
	if (strcmp(word, "none"))
		invarg("no such group", word);
	return NOBODY;
}

static bool read_switch(const char *word)
{
	if (!strcmp(word, "on"))
		return true;
	if (strcmp(word, "off"))
		invarg("give on or off", word);
	return false;
}

static void parse_value(const struct option *option, const char *word,
			struct nlmsghdr *message)
{
	switch (option->value) {
	case SWITCH:
		addattr8(message, LINK_ROOM, option->attr, read_switch(word));
		break;
	case USER:
		addattr32(message, LINK_ROOM, option->attr, read_user(word));
		break;
	case GROUP:
		addattr32(message, LINK_ROOM, option->attr, read_group(word));
		break;
	}
}

static int vntun_parse(struct link_util *kind, int argc, char **argv,
		       struct nlmsghdr *message)
{
	const struct option *option;
	__u64 seen = 0;

	for (; argc > 0; argc -= 2, argv += 2) {
		for (option = options; option->word; option++) {
			if (!strcmp(option->word, argv[0]))
				break;
		}
		if (!option->word) {
			if (strcmp(argv[0], "help"))
				fprintf(stderr, "%s has no option \"%s\"\n",
					kind->id, argv[0]);
			vntun_help(kind, argc, argv, stderr);
			return -1;
		}
		if (argc < 2)
			incomplete_command();
		if (seen & (1ULL << option->attr))
			duparg(argv[0], argv[1]);
		seen |= 1ULL << option->attr;
		parse_value(option, argv[1], message);
	}
	return 0;
}

static void show_string(FILE *out, const char *key, const char *value)
{
	if (is_json_context())
		jsonw_string_field(get_json_writer(), key, value);
	else
		fprintf(out, "%s %s ", key, value);
}

static void show_number(FILE *out, const char *key, __u32 value)
{
	if (is_json_context())
		jsonw_uint_field(get_json_writer(), key, value);
	else
		fprintf(out, "%s %u ", key, value);
}

static void show_switch(FILE *out, const char *key, bool value)
{
	if (is_json_context())
		jsonw_bool_field(get_json_writer(), key, value);
	else
		fprintf(out, "%s %s ", key, value ? "on" : "off");
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

/* A value that is shorter than it should be reads as 0. */
static __u32 value_of(const struct rtattr *attr)
{
	__u32 value = 0;

	if (RTA_PAYLOAD(attr) >= sizeof(value))
		memcpy(&value, RTA_DATA(attr), sizeof(value));
	else if (RTA_PAYLOAD(attr) >= 1)
		value = *(__u8 *)RTA_DATA(attr);
	return value;
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
	if (attr[VNIC_TUN_PI])
		show_switch(out, "pi", value_of(attr[VNIC_TUN_PI]));
	if (attr[VNIC_TUN_VNET_HDR])
		show_switch(out, "vnet_hdr",
			    value_of(attr[VNIC_TUN_VNET_HDR]));
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
	if (attr[VNIC_TUN_PERSIST])
		show_switch(out, "persist", value_of(attr[VNIC_TUN_PERSIST]));
	if (attr[VNIC_TUN_OWNER] && value_of(attr[VNIC_TUN_OWNER]) != NOBODY)
		show_user(out, value_of(attr[VNIC_TUN_OWNER]));
	if (attr[VNIC_TUN_GROUP] && value_of(attr[VNIC_TUN_GROUP]) != NOBODY)
		show_group(out, value_of(attr[VNIC_TUN_GROUP]));
	if (attr[VNIC_TUN_BACKPRESSURE])
		show_switch(out, "backpressure",
			    value_of(attr[VNIC_TUN_BACKPRESSURE]));
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
