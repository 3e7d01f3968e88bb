// SPDX-License-Identifier: GPL-2.0
/*
 * newlink - send one RTM_NEWLINK with any attributes, well formed or not,
 * and print what the kernel answered: errno, attribute, sentence.
 *
 * ip(8) sends private attributes only for kinds that it knows, and hides
 * both errno and the attribute that an extended acknowledgment points at.
 *
 *   newlink [-n NETNS] add KIND [ATTR...] [info TYPE HEX]... [peer [ATTR...]]
 *   newlink [-n NETNS] set NAME [kind KIND] [ATTR...] [info TYPE HEX]...
 *   newlink [-n NETNS] info NAME
 *
 * The last one prints what is in IFLA_INFO_DATA: "TYPE=HEX TYPE=HEX ...".
 *
 * ATTR, each with one value:
 *   name TEXT, address HEX, mtu N, txqlen N, txqueues N, rxqueues N,
 *   parentdev TEXT, gso-max N, netns NAME, netns-pid PID, netns-fd FD,
 *   link-netnsid N, index N and up 1 (of the header), raw:TYPE HEX,
 *   xdp drv|skb (attaches a program that passes each packet)
 * `info` is an attribute of IFLA_INFO_DATA; what follows `peer` goes into a
 * VETH_INFO_PEER nest there. HEX may have colons, and may be empty: "".
 *
 * Prints "ok", or "ERRNO ATTRIBUTE: sentence", where the attribute is the
 * word given above, "peer.WORD" within the peer, or "-".
 * Exit: 0 ok, 1 refused, 2 usage.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

/* Newer than the uapi headers of some distributions. */
#define PARENT_DEV_NAME		56

#define MAX_LABELS		64
#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

static union {
	struct nlmsghdr header;
	unsigned char bytes[8192];
} message;

/* Where in the message each attribute begins: names the offset in an ack. */
static struct {
	unsigned int offset;
	char text[32];
} labels[MAX_LABELS];
static unsigned int nr_labels;
static const char *prefix = "";

static void unclear(const char *word)
{
	fprintf(stderr,
		"newlink: %s? the comment in its source has the words\n",
		word);
	exit(2);
}

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static void *put(const void *data, size_t len)
{
	unsigned int at = NLMSG_ALIGN(message.header.nlmsg_len);

	if (at + len > sizeof(message))
		unclear("too many attributes");
	memcpy(message.bytes + at, data, len);
	message.header.nlmsg_len = at + len;
	return message.bytes + at;
}

static struct nlattr *put_attr(const char *label, int type, const void *data,
			       size_t len)
{
	struct nlattr attr = { .nla_len = NLA_HDRLEN + len, .nla_type = type };
	struct nlattr *at = put(&attr, sizeof(attr));

	if (nr_labels < MAX_LABELS) {
		labels[nr_labels].offset = (unsigned char *)at - message.bytes;
		snprintf(labels[nr_labels].text, sizeof(labels[0].text),
			 "%s%s", prefix, label);
		nr_labels++;
	}
	if (len)
		put(data, len);
	return at;
}

static void end_nest(struct nlattr *nest)
{
	nest->nla_len = message.bytes + message.header.nlmsg_len -
			(unsigned char *)nest;
}

static size_t from_hex(const char *text, unsigned char *out, size_t size)
{
	size_t n = 0;

	while (*text) {
		unsigned int byte;

		if (*text == ':') {
			text++;
			continue;
		}
		if (n == size || sscanf(text, "%2x", &byte) != 1 || !text[1])
			unclear("hexadecimal value");
		out[n++] = byte;
		text += 2;
	}
	return n;
}

static int netns_fd(const char *name)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die(path);
	return fd;
}

static int xdp_pass(void)
{
	struct bpf_insn program[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_XDP;
	attr.insns = (uintptr_t)program;
	attr.insn_cnt = 2;
	attr.license = (uintptr_t)"GPL";
	fd = syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd < 0)
		die("bpf");
	return fd;
}

static void put_xdp(const char *mode)
{
	__u32 flags = strcmp(mode, "drv") ? XDP_FLAGS_SKB_MODE :
					    XDP_FLAGS_DRV_MODE;
	struct nlattr *nest = put_attr("xdp", IFLA_XDP | NLA_F_NESTED, NULL, 0);
	int fd = xdp_pass();

	put_attr("xdp.fd", IFLA_XDP_FD, &fd, sizeof(fd));
	put_attr("xdp.flags", IFLA_XDP_FLAGS, &flags, sizeof(flags));
	end_nest(nest);
}

static void put_word(struct ifinfomsg *ifi, const char *word, const char *value)
{
	static const struct {
		const char *word;
		int type;
		char form;		/* text, number, bytes */
	} known[] = {
		{ "name", IFLA_IFNAME, 't' },
		{ "address", IFLA_ADDRESS, 'b' },
		{ "mtu", IFLA_MTU, 'n' },
		{ "txqlen", IFLA_TXQLEN, 'n' },
		{ "txqueues", IFLA_NUM_TX_QUEUES, 'n' },
		{ "rxqueues", IFLA_NUM_RX_QUEUES, 'n' },
		{ "parentdev", PARENT_DEV_NAME, 't' },
		{ "gso-max", IFLA_GSO_MAX_SIZE, 'n' },
		{ "netns-pid", IFLA_NET_NS_PID, 'n' },
		{ "netns-fd", IFLA_NET_NS_FD, 'n' },
		{ "link-netnsid", IFLA_LINK_NETNSID, 'n' },
	};
	__u32 number = strtoul(value, NULL, 0);
	unsigned char bytes[512];
	unsigned int i;

	if (!strcmp(word, "index")) {
		ifi->ifi_index = number;
		return;
	}
	if (!strcmp(word, "up")) {
		ifi->ifi_flags = number ? IFF_UP : 0;
		ifi->ifi_change = IFF_UP;
		return;
	}
	if (!strcmp(word, "netns")) {
		number = netns_fd(value);
		put_attr(word, IFLA_NET_NS_FD, &number, sizeof(number));
		return;
	}
	if (!strcmp(word, "xdp")) {
		put_xdp(value);
		return;
	}
	if (!strncmp(word, "raw:", 4)) {
		put_attr("raw", strtoul(word + 4, NULL, 0), bytes,
			 from_hex(value, bytes, sizeof(bytes)));
		return;
	}
	for (i = 0; i < ARRAY_SIZE(known); i++) {
		if (strcmp(word, known[i].word))
			continue;
		if (known[i].form == 't')
			put_attr(word, known[i].type, value, strlen(value) + 1);
		else if (known[i].form == 'n')
			put_attr(word, known[i].type, &number, sizeof(number));
		else
			put_attr(word, known[i].type, bytes,
				 from_hex(value, bytes, sizeof(bytes)));
		return;
	}
	unclear(word);
}

static void put_info(char **word, char **end, const char *kind)
{
	struct nlattr *info, *data, *peer;
	struct ifinfomsg ifi = { 0 }, *in_message;
	unsigned char bytes[512];

	info = put_attr("linkinfo", IFLA_LINKINFO | NLA_F_NESTED, NULL, 0);
	put_attr("kind", IFLA_INFO_KIND, kind, strlen(kind) + 1);
	if (word < end) {
		data = put_attr("data", IFLA_INFO_DATA | NLA_F_NESTED, NULL, 0);
		while (word < end && !strcmp(*word, "info")) {
			if (end - word < 3)
				unclear("info TYPE HEX");
			put_attr("info", strtoul(word[1], NULL, 0), bytes,
				 from_hex(word[2], bytes, sizeof(bytes)));
			word += 3;
		}
		if (word < end) {
			if (strcmp(*word++, "peer"))
				unclear(word[-1]);
			peer = put_attr("peer", VETH_INFO_PEER | NLA_F_NESTED,
					NULL, 0);
			in_message = put(&ifi, sizeof(ifi));
			prefix = "peer.";
			for (; word + 1 < end; word += 2)
				put_word(in_message, word[0], word[1]);
			prefix = "";
			end_nest(peer);
		}
		end_nest(data);
	}
	if (word != end)
		unclear(*word);
	end_nest(info);
}

static int explain(struct nlmsghdr *answer)
{
	struct nlmsgerr *err = NLMSG_DATA(answer);
	const char *sentence = "", *at = "-";
	unsigned int i, len, step, offset;
	struct nlattr *attr;

	if (!err->error) {
		puts("ok");
		return 0;
	}
	attr = (void *)(err + 1);
	len = answer->nlmsg_len - NLMSG_LENGTH(sizeof(*err));
	if (!(answer->nlmsg_flags & NLM_F_ACK_TLVS))
		len = 0;
	while (len >= sizeof(*attr) && attr->nla_len <= len) {
		if (attr->nla_type == NLMSGERR_ATTR_MSG)
			sentence = (char *)(attr + 1);
		if (attr->nla_type == NLMSGERR_ATTR_OFFS) {
			memcpy(&offset, attr + 1, sizeof(offset));
			at = "?";
			for (i = 0; i < nr_labels; i++)
				if (labels[i].offset == offset)
					at = labels[i].text;
		}
		step = NLA_ALIGN(attr->nla_len);
		if (step < sizeof(*attr) || step > len)
			break;
		len -= step;
		attr = (void *)attr + step;
	}
	printf("%s %s: %s\n", strerrorname_np(-err->error), at, sentence);
	return 1;
}

/* The first attribute of this type among those that fill LEN bytes, or NULL */
static struct nlattr *find(struct nlattr *attr, int len, int type)
{
	for (; len >= NLA_HDRLEN; attr = (void *)attr + NLA_ALIGN(attr->nla_len)) {
		if ((attr->nla_type & NLA_TYPE_MASK) == type)
			return attr;
		len -= NLA_ALIGN(attr->nla_len);
	}
	return NULL;
}

static int print_info(struct nlmsghdr *answer)
{
	struct nlattr *attr = NLMSG_DATA(answer) + sizeof(struct ifinfomsg);
	int len = answer->nlmsg_len - NLMSG_LENGTH(sizeof(struct ifinfomsg));
	int i;

	if (answer->nlmsg_type == NLMSG_ERROR)
		return explain(answer);
	attr = find(attr, len, IFLA_LINKINFO);
	if (attr)
		attr = find(attr + 1, attr->nla_len - NLA_HDRLEN,
			    IFLA_INFO_DATA);
	len = attr ? attr->nla_len - NLA_HDRLEN : 0;
	for (attr++; len >= NLA_HDRLEN; ) {
		printf("%d=", attr->nla_type & NLA_TYPE_MASK);
		for (i = 0; i < attr->nla_len - NLA_HDRLEN; i++)
			printf("%02x", ((unsigned char *)(attr + 1))[i]);
		len -= NLA_ALIGN(attr->nla_len);
		attr = (void *)attr + NLA_ALIGN(attr->nla_len);
		fputs(len >= NLA_HDRLEN ? " " : "", stdout);
	}
	putchar('\n');
	return 0;
}

int main(int argc, char **argv)
{
	struct ifinfomsg ifi = { 0 }, *in_message;
	char **word = argv + 1, **end = argv + argc;
	const char *kind = NULL;
	char answer[8192];
	int fd, one = 1;

	if (end - word > 2 && !strcmp(*word, "-n")) {
		if (setns(netns_fd(word[1]), CLONE_NEWNET))
			die("setns");
		word += 2;
	}
	if (end - word < 2)
		unclear("add KIND or set NAME");

	message.header.nlmsg_len = NLMSG_HDRLEN;
	message.header.nlmsg_type = RTM_NEWLINK;
	message.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	in_message = put(&ifi, sizeof(ifi));
	if (!strcmp(*word, "add")) {
		message.header.nlmsg_flags |= NLM_F_CREATE | NLM_F_EXCL;
		kind = word[1];
	} else if (!strcmp(*word, "set")) {
		put_word(in_message, "name", word[1]);
		if (end - word > 3 && !strcmp(word[2], "kind")) {
			kind = word[3];
			word += 2;
		}
	} else if (!strcmp(*word, "info")) {
		message.header.nlmsg_type = RTM_GETLINK;
		message.header.nlmsg_flags = NLM_F_REQUEST;
		put_word(in_message, "name", word[1]);
	} else {
		unclear(*word);
	}
	for (word += 2; word < end; word += 2) {
		if (!strcmp(*word, "info") || !strcmp(*word, "peer"))
			break;
		if (word + 1 == end)
			unclear(*word);
		put_word(in_message, word[0], word[1]);
	}
	if (kind)
		put_info(word, end, kind);
	else if (word != end)
		unclear(*word);

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	if (send(fd, &message, message.header.nlmsg_len, 0) < 0)
		die("send");
	if (recv(fd, answer, sizeof(answer), 0) < (int)NLMSG_LENGTH(sizeof(int)))
		die("recv");
	if (message.header.nlmsg_type == RTM_GETLINK)
		return print_info((void *)answer);
	return explain((void *)answer);
}
