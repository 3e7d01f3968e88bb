/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the plugins share: options of one word and its value, by a table, and
 * values shown as text or as JSON.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "link_util.h"

/* ip exports functions of many names, which must not come before ours. */
#pragma GCC visibility push(hidden)

/**
 * struct option - one option of a kind
 * @word: as it is typed; NULL ends a table
 * @help: the values; NULL for another name of an option, which no help shows
 * @attr: the attribute, below 64
 * @put: read one value and put the attribute into the message
 * @take_rest: instead of @put, for an option that takes all the words to the
 *	end of the line, itself the first; returns as parse_opt() does
 */
struct option {
	const char	*word, *help;
	int		attr;
	void	(*put)(struct nlmsghdr *message, int attr, const char *value);
	int	(*take_rest)(struct link_util *kind, int argc, char **argv,
			     struct nlmsghdr *message);
};

/* The whole of parse_opt(): a word that is in no table gets the kind's help. */
int parse_options(struct link_util *kind, const struct option *options,
		  int argc, char **argv, struct nlmsghdr *message);

/* How the kind is added and set; @before is what belongs before "type". */
void help_options(const struct link_util *kind, const struct option *options,
		  const char *before, FILE *out);

/* The value of an option that is "on" or "off". */
void put_switch(struct nlmsghdr *message, int attr, const char *value);

/* A value that is shorter than it should be reads as 0. */
__u32 value_of(const struct rtattr *attr);

void show_string(FILE *out, const char *key, const char *value);
void show_number(FILE *out, const char *key, __u32 value);
void show_switch(FILE *out, const char *key, bool value);

/* The same of an attribute; nothing if the kernel has not sent it. */
void show_switch_attr(FILE *out, const char *key, const struct rtattr *attr);

#pragma GCC visibility pop

#endif
