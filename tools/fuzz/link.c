// SPDX-License-Identifier: GPL-2.0
/*
 * link - operations on links: rtnetlink, ethtool, packets from the stack
 */
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>

#define ARRAY_SIZE COUNT_OF	/* what the header below calls it */
#include "fuzz.h"
#include "../../selftests/bpf.h"

static const char *const kinds[] = {
	VNIC_KIND_DUMMY, VNIC_KIND_VETH, VNIC_KIND_TUN, VNIC_KIND_TAP,
};

/* Not of XDP and of XDP; the first four are for sockets. */
int fuzz_programs[10];
const unsigned int fuzz_program_count = COUNT_OF(fuzz_programs);

/**
 * xdp_load() - load the programs that are attached later
 */
void xdp_load(void)
{
	const int socket_type = BPF_PROG_TYPE_SOCKET_FILTER;
	const int xdp = BPF_PROG_TYPE_XDP;
	int *at = fuzz_programs, i;

	*at++ = BPF(socket_type, MOVE_IMM(0, -1), EXIT());
	*at++ = BPF(socket_type, MOVE_IMM(0, 1), EXIT());
	*at++ = BPF(socket_type, MOVE_IMM(0, 60), EXIT());
	*at++ = BPF(socket_type, LOAD(BPF_W, 0, 1, 0), EXIT());
	for (i = XDP_ABORTED; i <= XDP_TX; i++)
		*at++ = BPF(xdp, MOVE_IMM(0, i), EXIT());
	/* The head is moved, the tail is cut, and the packet is sent back. */
	*at++ = BPF(xdp, MOVE(6, 1), MOVE_IMM(2, -14),
		    CALL(BPF_FUNC_xdp_adjust_head), MOVE(1, 6),
		    MOVE_IMM(2, -9), CALL(BPF_FUNC_xdp_adjust_tail),
		    MOVE_IMM(0, XDP_TX), EXIT());
	*at++ = BPF(xdp, MOVE_IMM(1, 1), MOVE_IMM(2, 0),
		    CALL(BPF_FUNC_redirect), EXIT());
}

void message_begin(struct message *m, int type, int flags, const char *name)
{
	memset(&m->head, 0, sizeof(m->head) + sizeof(m->link));
	m->head.nlmsg_len = NLMSG_LENGTH(sizeof(m->link));
	m->head.nlmsg_type = type;
	m->head.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	if (name)
		message_put(m, IFLA_IFNAME, name, strlen(name) + 1);
}

/* Returns where it is, or NULL if there is no room. */
struct rtattr *message_put(struct message *m, int type, const void *data,
			   size_t size)
{
	struct rtattr *at = (void *)((char *)m + m->head.nlmsg_len);

	if (m->head.nlmsg_len + RTA_SPACE(size) > MESSAGE_ROOM)
		return NULL;
	at->rta_type = type;
	at->rta_len = RTA_LENGTH(size);
	memset(RTA_DATA(at), 0, RTA_SPACE(size) - RTA_LENGTH(0));
	memcpy(RTA_DATA(at), data, size);
	m->head.nlmsg_len += RTA_SPACE(size);
	return at;
}

void message_nest_end(struct message *m, struct rtattr *nest)
{
	if (nest)
		nest->rta_len = (char *)m + m->head.nlmsg_len - (char *)nest;
}

/* Returns 0 or -errno, what the kernel has said, or could not say. */
int message_send(struct message *m)
{
	int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	char answer[8192];
	struct nlmsghdr *head = (void *)answer;
	int result;

	if (sock < 0)
		return -errno;
	result = send(sock, m, m->head.nlmsg_len, 0);
	if (result >= 0)
		result = recv(sock, answer, sizeof(answer), MSG_DONTWAIT);
	if (result < 0)
		result = -errno;
	else if (head->nlmsg_type == NLMSG_ERROR)
		result = ((struct nlmsgerr *)NLMSG_DATA(head))->error;
	close(sock);
	return result;
}

static void put_u32(struct message *m, int type, __u32 value)
{
	message_put(m, type, &value, sizeof(value));
}

/* A device with that many queues; returns as message_send() */
int link_make(const char *kind, const char *name, __u32 queues)
{
	struct rtattr *info;
	struct message m;

	message_begin(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, name);
	put_u32(&m, IFLA_NUM_TX_QUEUES, queues);
	info = message_put(&m, IFLA_LINKINFO, NULL, 0);
	message_put(&m, IFLA_INFO_KIND, kind, strlen(kind) + 1);
	message_nest_end(&m, info);
	return message_send(&m);
}

static void put_peer(struct message *m, const struct op *op)
{
	int space = world_spaces[op->b % FUZZ_SPACES];
	struct ifinfomsg info = { .ifi_flags = IFF_UP };
	struct rtattr *peer;
	char name[IFNAMSIZ];

	info.ifi_change = op->a & 0x70 ? IFF_UP : 0;
	peer = message_put(m, VNIC_VETH_PEER, &info, sizeof(info));
	snprintf(name, sizeof(name), "f%u", op->b >> 2 & 7);
	message_put(m, IFLA_IFNAME, name, strlen(name) + 1);
	if (op->b & 0x40)
		message_put(m, IFLA_NET_NS_FD, &space, sizeof(space));
	message_nest_end(m, peer);
}

/* What the kind knows, one or two of them. */
static void put_data(struct message *m, struct rng *rng, const struct op *op,
		     unsigned int kind)
{
	static const __u8 types[][8] = {
		{ 32, 32, 32, 32, 32, 32, 32, 32 },
		{ 32, 33, 34, 35, 33, 34, 35, 34 },
		{ 1, 2, 4, 5, 6, 7, 32, 32 },
		{ 1, 2, 4, 5, 6, 7, 32, 32 },
	};
	unsigned int n = rng_below(rng, 3), type;
	struct rtattr *info, *data;
	__u32 value;

	info = message_put(m, IFLA_LINKINFO, NULL, 0);
	message_put(m, IFLA_INFO_KIND, kinds[kind], strlen(kinds[kind]) + 1);
	data = message_put(m, IFLA_INFO_DATA | NLA_F_NESTED, NULL, 0);
	while (n--) {
		type = types[kind][rng_below(rng, 8)];
		value = rng_one_in(rng, 8) ? interesting(rng) :
					     rng_below(rng, 2);
		message_put(m, type, &value, kind > 1 && type < 3 ? 4 : 1);
	}
	if (kind == 1 && !rng_one_in(rng, 3))
		put_peer(m, op);
	message_nest_end(m, data);
	message_nest_end(m, info);
}

/* Returns as message_send() */
int link_delete(const char *name)
{
	struct message m;

	message_begin(&m, RTM_DELLINK, 0, name);
	return message_send(&m);
}

static long op_newlink(struct worker *worker, const struct op *op)
{
	struct rng *rng = &worker->rng;
	char name[IFNAMSIZ];
	struct message m;
	int result;

	enter_space(worker, op->x);
	message_begin(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
		      op_name(op, name));
	if (op->a & 0x1c) {
		m.link.ifi_flags = IFF_UP;
		m.link.ifi_change = IFF_UP;
	}
	if (rng_one_in(rng, 3))
		put_u32(&m, IFLA_NUM_TX_QUEUES, 1 + rng_below(rng, 8));
	if (rng_one_in(rng, 4))
		put_u32(&m, IFLA_NUM_RX_QUEUES, 1 + rng_below(rng, 8));
	/* Two of four are pairs, of which there are two ends. */
	put_data(&m, rng, op, op->a & 0x80 ? 1 : op->a % COUNT_OF(kinds));
	result = message_send(&m);
	/* What is in the way goes, mostly. */
	if (result == -EEXIST && op->b & 0x30) {
		link_delete(name);
		result = message_send(&m);
	}
	return result;
}

static long op_tree(struct worker *worker, const struct op *op)
{
	char name[IFNAMSIZ];
	struct message m;

	enter_space(worker, op->x);
	message_begin(&m, RTM_NEWLINK, op->a & 1 ? NLM_F_CREATE | NLM_F_EXCL :
		      op->a & 2 ? NLM_F_CREATE : 0,
		      op->a & 4 ? op_name(op, name) : NULL);
	if (op->b & 1) {
		m.link.ifi_flags = IFF_UP;
		m.link.ifi_change = IFF_UP;
	}
	if (op->b & 2)
		m.link.ifi_index = 1 + op->b % 8;
	tree_make(&m, &worker->rng);
	return message_send(&m);
}

static void put_change(struct message *m, struct rng *rng,
		       const struct op *op)
{
	char name[IFNAMSIZ] = { 'f', '0' + rng_below(rng, FUZZ_LINKS) };
	struct rtattr *nest;
	int program = fuzz_programs[4 + rng_below(rng, 6)];
	__u32 flags = rng_below(rng, 2) * 4;

	switch (op->a % 12) {
	case 0: case 1:
		m->link.ifi_change = IFF_UP | IFF_PROMISC;
		m->link.ifi_flags = op->b | (op->y & 3 ? IFF_UP : 0);
		break;
	case 2:
		put_u32(m, IFLA_MTU, interesting(rng));
		break;
	case 3:
		put_u32(m, IFLA_TXQLEN, rng_below(rng, 2000));
		break;
	case 4:
		put_u32(m, IFLA_NET_NS_FD,
			world_spaces[rng_below(rng, FUZZ_SPACES)]);
		break;
	case 5:
		message_put(m, IFLA_ADDRESS, "\2\1\2\3\4\5", 6);
		break;
	case 6:
		message_put(m, IFLA_CARRIER, &op->b, 1);
		break;
	case 7:
		message_put(m, IFLA_IFALIAS, name, 2);
		put_u32(m, IFLA_GSO_MAX_SIZE, interesting(rng));
		break;
	case 8: case 9:
		if (op->b & 1)
			program = -1;
		nest = message_put(m, IFLA_XDP, NULL, 0);
		put_u32(m, IFLA_XDP_FD, program);
		put_u32(m, IFLA_XDP_FLAGS, flags);
		message_nest_end(m, nest);
		break;
	default:
		put_data(m, rng, op, op->b & 0x80 ? 1 : op->b % COUNT_OF(kinds));
		break;
	}
}

static long op_change(struct worker *worker, const struct op *op)
{
	char name[IFNAMSIZ];
	struct message m;

	enter_space(worker, op->x);
	message_begin(&m, RTM_NEWLINK, 0, op_name(op, name));
	put_change(&m, &worker->rng, op);
	return message_send(&m);
}

static long op_delete(struct worker *worker, const struct op *op)
{
	char name[IFNAMSIZ];

	enter_space(worker, op->x);
	return link_delete(op_name(op, name));
}

static long op_get(struct worker *worker, const struct op *op)
{
	char name[IFNAMSIZ];
	struct message m;

	enter_space(worker, op->x);
	message_begin(&m, op->a & 1 ? RTM_GETLINK : RTM_GETSTATS, 0,
		      op_name(op, name));
	return message_send(&m);
}

static long op_ethtool(struct worker *worker, const struct op *op)
{
	static const __u8 commands[] = {
		ETHTOOL_GRINGPARAM, ETHTOOL_SRINGPARAM, ETHTOOL_SRINGPARAM,
		ETHTOOL_GCHANNELS, ETHTOOL_SCHANNELS, ETHTOOL_SCHANNELS,
		ETHTOOL_GCOALESCE, ETHTOOL_SCOALESCE, ETHTOOL_SCOALESCE,
		ETHTOOL_SGRO, ETHTOOL_SGSO, ETHTOOL_STSO, ETHTOOL_STXCSUM,
		ETHTOOL_SSG, ETHTOOL_GSTATS, ETHTOOL_GSTRINGS, ETHTOOL_GDRVINFO,
		ETHTOOL_SMSGLVL, ETHTOOL_GLINKSETTINGS, ETHTOOL_SLINKSETTINGS,
		ETHTOOL_SFEATURES, ETHTOOL_GSSET_INFO, ETHTOOL_SRXCSUM,
	};
	__u32 *words = argument(worker, op, 64);
	struct ifreq ifr = { };
	long result;
	int sock, i;

	enter_space(worker, op->x);
	if ((unsigned char *)words != worker->shared)
		words = (void *)worker->room;
	memset(words, 0, 256);
	op_name(op, ifr.ifr_name);
	ifr.ifr_data = (void *)words;
	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	words[0] = commands[op->a % COUNT_OF(commands)] - 1 + (op->b & 1);
	ioctl(sock, SIOCETHTOOL, &ifr);
	/* As it is, with one or two things changed. */
	words[0] = commands[op->a % COUNT_OF(commands)];
	for (i = 0; i < 2; i++)
		words[1 + rng_below(&worker->rng, 24)] = op->b & 2 ?
			interesting(&worker->rng) : op->y >> i * 8 & 7;
	result = ioctl(sock, SIOCETHTOOL, &ifr) ? -errno : 0;
	close(sock);
	return result;
}

/* From the stack to the device, with a virtio header that says something. */
static long op_packet(struct worker *worker, const struct op *op)
{
	struct packet packet = { .data = worker->room + 64 };
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_halen = 6 };
	int sock, one = 1, header = op->a & 2 ? 10 : 0, n = 1 + op->b % 8;
	char name[IFNAMSIZ];
	struct vnic_vnet vnet;
	long result = 0;
	struct ifreq ifr = { };

	enter_space(worker, op->x);
	sock = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	strcpy(ifr.ifr_name, op_name(op, name));
	ioctl(sock, SIOCGIFINDEX, &ifr);
	to.sll_ifindex = ifr.ifr_ifindex;
	if (header)
		setsockopt(sock, SOL_PACKET, PACKET_VNET_HDR, &one,
			   sizeof(one));
	packet_make(&worker->rng, &packet, 66000, op->a & 1);
	packet_vnet(&worker->rng, &packet, &vnet);
	memcpy(worker->room + 64 - header, &vnet, header);
	to.sll_protocol = htons(packet.v6 ? 0x86dd : 0x800);
	while (n-- && result >= 0)
		result = sendto(sock, worker->room + 64 - header,
				header + packet.len, 0, (void *)&to,
				sizeof(to));
	if (result < 0)
		result = -errno;
	close(sock);
	return result;
}

const struct op_kind link_ops[] = {
	OP(newlink), OP(change), OP(packet), OP(ethtool), OP(tree), OP(packet),
	OP(delete), OP(change), OP(get), OP(packet),
};

const unsigned int link_op_count = COUNT_OF(link_ops);
