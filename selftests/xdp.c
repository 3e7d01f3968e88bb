// SPDX-License-Identifier: GPL-2.0
/*
 * xdp - put an XDP program of a few instructions in front of an interface.
 *
 *   xdp [-n NETNS] [-f] [-g] DEV PROGRAM [ARGUMENT]...
 *   xdp [-n NETNS] DEV counted
 *   xdp filter VALUE PATH
 *
 * -f: it takes packets in several pieces; -g: generic XDP, by the core. The
 * program stays when this one ends. PROGRAM is
 *
 *   none                    removes what is there
 *   verdict V               says V of each packet, V being any number
 *   kind IFINDEX            what byte 14 of the packet says; XDP_REDIRECT to
 *                           IFINDEX
 *   tx                      back, with the MAC addresses swapped
 *   reflect                 back, IPv4 with the addresses swapped, MAC and IP;
 *                           passes what is not IPv4
 *   redirect IFINDEX        to another interface; map: by way of a device map
 *   redirect-ip IFINDEX     the same with what is IPv4, which gets broadcast
 *                           as its MAC address; passes what is not IPv4
 *   cpu N                   by way of a map to another processor
 *   head N V, tail N V      moves the beginning or the end (frames.c has the
 *                           signs), then says V; aborts if it could not
 *   meta VALUE V            puts 4 bytes before the packet, then says V
 *   copy OFFSET V           writes the byte at OFFSET to 14, then says V
 *   count V                 counts, then says V
 *
 * `counted` prints what count has counted, "packets N bytes N longest N".
 * `filter` pins a program for tc that drops what has no such metadata.
 *
 * Prints "ok", or "ERRNO: sentence" if the kernel refused. Exit: 0, 1 refused,
 * 2 usage.
 */
#include "helper.h"
#include "bpf.h"

#include <stddef.h>

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#define R0 BPF_REG_0
#define R1 BPF_REG_1
#define R2 BPF_REG_2
#define R3 BPF_REG_3
#define R4 BPF_REG_4
#define R5 BPF_REG_5
#define R6 BPF_REG_6
#define R7 BPF_REG_7
#define R8 BPF_REG_8
#define FP BPF_REG_10

struct counted {
	__u64 packets, bytes, longest;
};

static struct bpf_insn insns[64];
static int count;

#define EMIT(...) do {							\
	const struct bpf_insn more_[] = { __VA_ARGS__ };		\
									\
	memcpy(insns + count, more_, sizeof(more_));			\
	count += ARRAY_SIZE(more_);					\
} while (0)

static void usage(const char *word)
{
	fprintf(stderr, "xdp: %s? the comment in its source has the words\n",
		word);
	exit(2);
}

static int refusal(int error, const char *sentence)
{
	printf("%s: %s\n", strerrorname_np(-error), sentence);
	return 1;
}

static int result_of(const char *what, int result)
{
	if (result < 0)
		exit(refusal(result, what));
	return result;
}

/* R2 is the packet, of which SIZE bytes can be had; aborts if not. */
static void emit_packet(int ctx, int size)
{
	EMIT(LOAD(BPF_W, R2, ctx, offsetof(struct xdp_md, data)),
	     LOAD(BPF_W, R3, ctx, offsetof(struct xdp_md, data_end)),
	     MOVE(R4, R2),
	     ADD_IMM(R4, size),
	     JUMP(BPF_JLE, R4, R3, 2),
	     MOVE_IMM(R0, XDP_ABORTED),
	     EXIT());
}

/* The helper that was called has succeeded; aborts if not. */
static void emit_check(void)
{
	EMIT(JUMP_IMM(BPF_JEQ, R0, 0, 2),
	     MOVE_IMM(R0, XDP_ABORTED),
	     EXIT());
}

static void emit_verdict(int verdict)
{
	EMIT(MOVE_IMM(R0, verdict),
	     EXIT());
}

/* R2 is the packet: the end of it if it is no IPv4. */
static void emit_only_ip(void)
{
	EMIT(LOAD(BPF_H, R4, R2, 12),
	     JUMP_IMM(BPF_JEQ, R4, htons(ETH_P_IP), 2),
	     MOVE_IMM(R0, XDP_PASS),
	     EXIT());
}

static void emit_swap(int size, int one, int other)
{
	EMIT(LOAD(size, R4, R2, one),
	     LOAD(size, R5, R2, other),
	     STORE(size, R2, one, R5),
	     STORE(size, R2, other, R4));
}

static void emit_swap_mac(void)
{
	emit_swap(BPF_W, 0, 6);
	emit_swap(BPF_H, 4, 10);
}

static void emit_redirect(int index)
{
	EMIT(MOVE_IMM(R1, index),
	     MOVE_IMM(R2, 0),
	     CALL(BPF_FUNC_redirect),
	     EXIT());
}

static void emit_redirect_map(int type, __u32 value)
{
	int map = result_of("map", bpf_map(type, sizeof(value), 1));

	result_of("map", bpf_map_set(map, 0, &value));
	EMIT(LOAD_MAP(R1, map),
	     LOAD_MAP_END(),
	     MOVE_IMM(R2, 0),
	     MOVE_IMM(R3, 0),
	     CALL(BPF_FUNC_redirect_map),
	     EXIT());
}

static void emit_redirect_cpu(int cpu)
{
	int map = result_of("map", bpf_map(BPF_MAP_TYPE_CPUMAP, 4, cpu + 1));
	__u32 room = 512;

	result_of("map", bpf_map_set(map, cpu, &room));
	EMIT(LOAD_MAP(R1, map),
	     LOAD_MAP_END(),
	     MOVE_IMM(R2, cpu),
	     MOVE_IMM(R3, 0),
	     CALL(BPF_FUNC_redirect_map),
	     EXIT());
}

static void emit_count(void)
{
	int map = result_of("map", bpf_map(BPF_MAP_TYPE_ARRAY,
					   sizeof(struct counted), 1));

	EMIT(CALL(BPF_FUNC_xdp_get_buff_len),
	     MOVE(R7, R0),
	     STORE_IMM(BPF_W, FP, -4, 0),
	     LOAD_MAP(R1, map),
	     LOAD_MAP_END(),
	     MOVE(R2, FP),
	     ADD_IMM(R2, -4),
	     CALL(BPF_FUNC_map_lookup_elem),
	     JUMP_IMM(BPF_JNE, R0, 0, 1),
	     EXIT(),
	     MOVE_IMM(R1, 1),
	     ATOMIC_ADD(R0, offsetof(struct counted, packets), R1),
	     ATOMIC_ADD(R0, offsetof(struct counted, bytes), R7),
	     LOAD(BPF_DW, R1, R0, offsetof(struct counted, longest)),
	     JUMP(BPF_JGE, R1, R7, 1),
	     STORE(BPF_DW, R0, offsetof(struct counted, longest), R7));
}

static int emit(int argc, char **argv)
{
	static const struct {
		const char *word;
		int arguments;
	} known[] = {
		{ "verdict", 1 }, { "kind", 1 }, { "tx", 0 }, { "reflect", 0 },
		{ "redirect", 1 }, { "map", 1 }, { "redirect-ip", 1 },
		{ "cpu", 1 }, { "head", 2 }, { "tail", 2 }, { "meta", 2 },
		{ "copy", 2 }, { "count", 1 },
	};
	const char *word = argv[0];
	int a = argc > 1 ? strtol(argv[1], NULL, 0) : 0;
	int b = argc > 2 ? strtol(argv[2], NULL, 0) : 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (!strcmp(word, known[i].word))
			break;
	if (i == ARRAY_SIZE(known) || argc != known[i].arguments + 1)
		usage(word);

	EMIT(MOVE(R6, R1));
	if (!strcmp(word, "verdict")) {
		emit_verdict(a);
	} else if (!strcmp(word, "kind")) {
		emit_packet(R6, FRAME_KIND + 1);
		EMIT(LOAD(BPF_B, R0, R2, FRAME_KIND),
		     JUMP_IMM(BPF_JEQ, R0, XDP_REDIRECT, 1),
		     EXIT());
		emit_redirect(a);
	} else if (!strcmp(word, "tx")) {
		emit_packet(R6, ETH_HLEN);
		emit_swap_mac();
		emit_verdict(XDP_TX);
	} else if (!strcmp(word, "reflect")) {
		emit_packet(R6, ETH_HLEN + 20);
		emit_only_ip();
		emit_swap_mac();
		emit_swap(BPF_W, ETH_HLEN + 12, ETH_HLEN + 16);
		emit_verdict(XDP_TX);
	} else if (!strcmp(word, "redirect")) {
		emit_redirect(a);
	} else if (!strcmp(word, "map")) {
		emit_redirect_map(BPF_MAP_TYPE_DEVMAP, a);
	} else if (!strcmp(word, "redirect-ip")) {
		emit_packet(R6, ETH_HLEN);
		emit_only_ip();
		EMIT(STORE_IMM(BPF_W, R2, 0, -1),
		     STORE_IMM(BPF_H, R2, 4, -1));
		emit_redirect(a);
	} else if (!strcmp(word, "cpu")) {
		emit_redirect_cpu(a);
	} else if (!strcmp(word, "head")) {
		EMIT(MOVE_IMM(R2, a),
		     CALL(BPF_FUNC_xdp_adjust_head));
		emit_check();
		emit_packet(R6, ETH_HLEN);
		if (a < 0)
			EMIT(STORE_IMM(BPF_W, R2, 0, -1));
		/* What lay there might be taken for that of a VLAN. */
		if (a <= -ETH_HLEN)
			EMIT(STORE_IMM(BPF_H, R2, 12, htons(ETH_P_IP)));
		emit_verdict(b);
	} else if (!strcmp(word, "tail")) {
		EMIT(MOVE_IMM(R2, -a),
		     CALL(BPF_FUNC_xdp_adjust_tail));
		emit_check();
		emit_verdict(b);
	} else if (!strcmp(word, "meta")) {
		EMIT(MOVE_IMM(R2, -4),
		     CALL(BPF_FUNC_xdp_adjust_meta));
		emit_check();
		EMIT(LOAD(BPF_W, R2, R6, offsetof(struct xdp_md, data_meta)),
		     LOAD(BPF_W, R3, R6, offsetof(struct xdp_md, data)),
		     MOVE(R4, R2),
		     ADD_IMM(R4, 4),
		     JUMP(BPF_JGT, R4, R3, 1),
		     STORE_IMM(BPF_W, R2, 0, a));
		emit_verdict(b);
	} else if (!strcmp(word, "copy")) {
		EMIT(MOVE_IMM(R2, a),
		     MOVE(R3, FP),
		     ADD_IMM(R3, -8),
		     MOVE_IMM(R4, 1),
		     CALL(BPF_FUNC_xdp_load_bytes));
		emit_check();
		EMIT(MOVE(R1, R6),
		     MOVE_IMM(R2, FRAME_KIND),
		     MOVE(R3, FP),
		     ADD_IMM(R3, -8),
		     MOVE_IMM(R4, 1),
		     CALL(BPF_FUNC_xdp_store_bytes));
		emit_check();
		emit_verdict(b);
	} else {
		emit_count();
		emit_verdict(a);
	}
	return count;
}

/* Loads what was emitted; if that is refused, says what the verifier says. */
static int load(int type, __u32 flags)
{
	static char log[65536];
	int fd = bpf_load_for(type, insns, count, flags, 0);

	if (fd >= 0)
		return fd;
	bpf_load_log(type, insns, count, flags, 0, log, sizeof(log));
	fputs(log, stderr);
	return result_of("load", fd);
}

static union {
	struct nlmsghdr head;
	char bytes[16384];
} message, answer;

static void begin(int type, int index)
{
	struct ifinfomsg *link = NLMSG_DATA(&message.head);

	message.head.nlmsg_len = NLMSG_LENGTH(sizeof(*link));
	message.head.nlmsg_type = type;
	message.head.nlmsg_flags = NLM_F_REQUEST;
	link->ifi_index = index;
}

/* Sends the message; prints and returns a refusal. */
static int ask(void)
{
	struct nlmsgerr *err = NLMSG_DATA(&answer.head);
	int fd, one = 1, left;
	struct nlattr *attr;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	if (send(fd, &message, message.head.nlmsg_len, 0) < 0 ||
	    recv(fd, &answer, sizeof(answer), 0) < 0)
		die("netlink");
	close(fd);
	if (answer.head.nlmsg_type != NLMSG_ERROR || !err->error)
		return 0;
	left = answer.head.nlmsg_len - NLMSG_LENGTH(sizeof(*err));
	if (!(answer.head.nlmsg_flags & NLM_F_ACK_TLVS))
		left = 0;
	for (attr = (void *)(err + 1); left >= NLA_HDRLEN;
	     attr = (void *)attr + NLA_ALIGN(attr->nla_len)) {
		if (attr->nla_type == NLMSGERR_ATTR_MSG)
			return refusal(err->error, (char *)(attr + 1));
		left -= NLA_ALIGN(attr->nla_len);
	}
	return refusal(err->error, "");
}

static int attach(int index, int prog, __u32 flags)
{
	struct nlattr *xdp;

	begin(RTM_NEWLINK, index);
	message.head.nlmsg_flags |= NLM_F_ACK;
	xdp = attr_put(&message.head, IFLA_XDP | NLA_F_NESTED, NULL, 0);
	attr_put(&message.head, IFLA_XDP_FD, &prog, sizeof(prog));
	attr_put(&message.head, IFLA_XDP_FLAGS, &flags, sizeof(flags));
	xdp->nla_len = message.bytes + message.head.nlmsg_len - (char *)xdp;
	if (ask())
		return 1;
	puts("ok");
	return 0;
}

/* The number of the program in front of an interface */
static __u32 attached(int index)
{
	struct rtattr *a, *b;
	__u32 id = 0;
	int len, inner;

	begin(RTM_GETLINK, index);
	if (ask())
		exit(1);
	len = IFLA_PAYLOAD(&answer.head);
	for (a = IFLA_RTA(NLMSG_DATA(&answer.head)); RTA_OK(a, len);
	     a = RTA_NEXT(a, len)) {
		if ((a->rta_type & NLA_TYPE_MASK) != IFLA_XDP)
			continue;
		inner = RTA_PAYLOAD(a);
		for (b = RTA_DATA(a); RTA_OK(b, inner); b = RTA_NEXT(b, inner))
			if (b->rta_type == IFLA_XDP_PROG_ID)
				memcpy(&id, RTA_DATA(b), sizeof(id));
	}
	if (!id)
		usage("no program there");
	return id;
}

static int counted(int index)
{
	struct bpf_prog_info info = { 0 };
	struct counted counted;
	union bpf_attr attr;
	__u32 map = 0, key = 0;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.prog_id = attached(index);
	fd = result_of("program", bpf_do(BPF_PROG_GET_FD_BY_ID, &attr));
	info.nr_map_ids = 1;
	info.map_ids = (unsigned long)&map;
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = fd;
	attr.info.info_len = sizeof(info);
	attr.info.info = (unsigned long)&info;
	result_of("program", bpf_do(BPF_OBJ_GET_INFO_BY_FD, &attr));
	if (!info.nr_map_ids)
		usage("that program does not count");
	memset(&attr, 0, sizeof(attr));
	attr.map_id = map;
	fd = result_of("map", bpf_do(BPF_MAP_GET_FD_BY_ID, &attr));
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = fd;
	attr.key = (unsigned long)&key;
	attr.value = (unsigned long)&counted;
	result_of("map", bpf_do(BPF_MAP_LOOKUP_ELEM, &attr));
	printf("packets %llu bytes %llu longest %llu\n", counted.packets,
	       counted.bytes, counted.longest);
	return 0;
}

static int filter(__u32 value, const char *path)
{
	union bpf_attr attr;

	EMIT(LOAD(BPF_W, R2, R1, offsetof(struct __sk_buff, data_meta)),
	     LOAD(BPF_W, R3, R1, offsetof(struct __sk_buff, data)),
	     MOVE_IMM(R0, 2),			/* TC_ACT_SHOT */
	     MOVE(R4, R2),
	     ADD_IMM(R4, 4),
	     JUMP(BPF_JGT, R4, R3, 3),
	     LOAD(BPF_W, R5, R2, 0),
	     JUMP_IMM(BPF_JNE, R5, value, 1),
	     MOVE_IMM(R0, 0),			/* TC_ACT_OK */
	     EXIT());
	memset(&attr, 0, sizeof(attr));
	attr.bpf_fd = load(BPF_PROG_TYPE_SCHED_CLS, 0);
	attr.pathname = (unsigned long)path;
	result_of("pin", bpf_do(BPF_OBJ_PIN, &attr));
	return 0;
}

int main(int argc, char **argv)
{
	__u32 mode = XDP_FLAGS_DRV_MODE, flags = 0;
	int opt, index, prog;

	if (argc == 4 && !strcmp(argv[1], "filter"))
		return filter(strtoul(argv[2], NULL, 0), argv[3]);
	/* Up to the first word, not among a program's negative numbers */
	while ((opt = getopt(argc, argv, "+n:fg")) != -1) {
		switch (opt) {
		case 'n':
			enter(optarg);
			break;
		case 'f':
			flags |= BPF_F_XDP_HAS_FRAGS;
			break;
		case 'g':
			mode = XDP_FLAGS_SKB_MODE;
			break;
		default:
			usage("option");
		}
	}
	argc -= optind;
	argv += optind;
	if (argc < 2)
		usage("DEV PROGRAM");
	index = if_nametoindex(argv[0]);
	if (!index)
		die(argv[0]);
	if (!strcmp(argv[1], "counted"))
		return counted(index);
	if (!strcmp(argv[1], "none"))
		return attach(index, -1, mode);
	emit(argc - 1, argv + 1);
	prog = load(BPF_PROG_TYPE_XDP, flags);
	return attach(index, prog, mode);
}
