// SPDX-License-Identifier: GPL-2.0
/*
 * A table of options read and explained, values shown: a part of each plugin.
 */
#include <string.h>

#include "options.h"

int parse_options(struct link_util *kind, const struct option *options,
		  int argc, char **argv, struct nlmsghdr *message)
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
			kind->print_help(kind, argc, argv, stderr);
			return -1;
		}
		if (option->take_rest)
			return option->take_rest(kind, argc, argv, message);
		if (argc < 2)
			incomplete_command();
		if (seen & (1ULL << option->attr))
			duparg(argv[0], argv[1]);
		seen |= 1ULL << option->attr;
		option->put(message, option->attr, argv[1]);
	}
	return 0;
}

void help_options(const struct link_util *kind, const struct option *options,
		  const char *before, FILE *out)
{
	const struct option *option;

	fprintf(out, "Usage: ip link add [ NAME ] %s... type %s\n", before,
		kind->id);
	for (option = options; option->word; option++) {
		if (option->help)
			fprintf(out, "\t\t[ %s %s ]\n", option->word,
				option->help);
	}
	fprintf(out, "       ip link set NAME type %s OPTION...\n", kind->id);
}

static bool read_switch(const char *value)
{
	if (!strcmp(value, "on"))
		return true;
	if (strcmp(value, "off"))
		invarg("give on or off", value);
	return false;
}

void put_switch(struct nlmsghdr *message, int attr, const char *value)
{
	addattr8(message, LINK_ROOM, attr, read_switch(value));
}

__u32 value_of(const struct rtattr *attr)
{
	__u32 value = 0;

	if (RTA_PAYLOAD(attr) >= sizeof(value))
		memcpy(&value, RTA_DATA(attr), sizeof(value));
	else if (RTA_PAYLOAD(attr) >= 1)
		value = *(__u8 *)RTA_DATA(attr);
	return value;
}

void show_string(FILE *out, const char *key, const char *value)
{
	if (is_json_context())
		jsonw_string_field(get_json_writer(), key, value);
	else
		fprintf(out, "%s %s ", key, value);
}

void show_number(FILE *out, const char *key, __u32 value)
{
	if (is_json_context())
		jsonw_uint_field(get_json_writer(), key, value);
	else
		fprintf(out, "%s %u ", key, value);
}

void show_switch(FILE *out, const char *key, bool value)
{
	if (is_json_context())
		jsonw_bool_field(get_json_writer(), key, value);
	else
		fprintf(out, "%s %s ", key, value ? "on" : "off");
}

void show_switch_attr(FILE *out, const char *key, const struct rtattr *attr)
{
	if (attr)
		show_switch(out, key, value_of(attr));
}
