/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The part of iproute2's ip that a plugin needs.
 *
 * "ip link" knows nothing of a kind called KIND until it has opened
 * link_KIND.so and found KIND_link_util in it. In the other direction, ip
 * exports its own functions to what it opens. Neither is a promise of
 * iproute2, which installs no header for it, but both have been the same
 * since 2018; what is declared here is all that these plugins rely on, and
 * selftests/plugins.sh tries it with the oldest and the newest ip at hand.
 */
#ifndef LINK_UTIL_H
#define LINK_UTIL_H

#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdnoreturn.h>

/* Room for attributes in the message that parse_opt() extends. */
#define LINK_ROOM	1024

/**
 * struct link_util - what ip asks of a kind
 * @next: for ip
 * @id: name of the kind
 * @maxattr: highest attribute in IFLA_INFO_DATA that print_opt() wants
 * @parse_opt: takes the words behind "type KIND" and puts attributes into the
 *	message; 0, or -1 after a message
 * @print_opt: the same in the other direction, for "ip -d link"; no
 *	attributes at all if the kernel has sent none
 * @print_xstats: not used here
 * @print_help: for "ip link help KIND"
 * @parse_ifla_xstats: not used here
 * @print_ifla_xstats: not used here
 */
struct link_util {
	struct link_util	*next;
	const char		*id;
	int			maxattr;
	int	(*parse_opt)(struct link_util *kind, int argc, char **argv,
			     struct nlmsghdr *message);
	void	(*print_opt)(struct link_util *kind, FILE *out,
			     struct rtattr *attr[]);
	void	(*print_xstats)(struct link_util *kind, FILE *out,
				struct rtattr *attr);
	void	(*print_help)(struct link_util *kind, int argc, char **argv,
			      FILE *out);
	int	(*parse_ifla_xstats)(struct link_util *kind, int argc,
				     char **argv);
	int	(*print_ifla_xstats)(struct nlmsghdr *message, void *arg);
};

/* Into the message, whose attributes may grow to @room bytes. */
int addattr8(struct nlmsghdr *message, int room, int type, __u8 value);
int addattr32(struct nlmsghdr *message, int room, int type, __u32 value);

/* With "ip -j" there is a writer of JSON, and text must not be printed. */
struct json_writer;
bool is_json_context(void);
struct json_writer *get_json_writer(void);
void jsonw_string_field(struct json_writer *json, const char *key,
			const char *value);
void jsonw_uint_field(struct json_writer *json, const char *key,
		      unsigned int value);
void jsonw_bool_field(struct json_writer *json, const char *key, bool value);

/* These print what is wrong with the command line, and exit. */
noreturn void invarg(const char *problem, const char *word);
noreturn void duparg(const char *key, const char *word);
noreturn void incomplete_command(void);

#endif
