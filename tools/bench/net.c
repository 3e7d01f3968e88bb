// SPDX-License-Identifier: GPL-2.0
/*
 * Links, addresses, frames, and sinks that count what they get. Nothing here is
 * measured.
 *
 * The in-tree side has the network 10.1.0.0/24, ours 10.2.0.0/24. Host 1 is
 * this end, host 2 the other one.
 */
#include "bench.h"

#include <stdarg.h>
#include <sys/ioctl.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

#define HEADERS		(ETH_HLEN + 20 + 8)

void enter_ns(int ns)
{
	if (setns(ns, CLONE_NEWNET))
		die("setns");
}

void shell(const char *format, ...)
{
	char command[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	if (system(command))
		give_up("this has failed: %s", command);
}

unsigned int index_of(const char *dev)
{
	unsigned int index = if_nametoindex(dev);

	if (!index)
		die(dev);
	return index;
}

void mac_of(const char *dev, unsigned char *mac)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = {};

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", dev);
	if (sock < 0 || ioctl(sock, SIOCGIFHWADDR, &ifr))
		die(dev);
	memcpy(mac, ifr.ifr_hwaddr.sa_data, ETH_ALEN);
	close(sock);
}

static uint32_t sum(const unsigned char *data, unsigned int len, uint32_t start)
{
	unsigned int i;

	for (i = 0; i < len; i++)
		start += i % 2 ? data[i] : data[i] << 8;
	return start;
}

static void put16(unsigned char *at, unsigned int value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static void put_sum(unsigned char *at, uint32_t value)
{
	while (value >> 16)
		value = (value & 0xffff) + (value >> 16);
	/* 0 would say that there is no checksum. */
	put16(at, value == 0xffff ? 0xffff : ~value);
}

/*
 * A UDP datagram from a host to another one, with good checksums, or the same
 * with the type of no protocol.
 */
void make_frame(struct run *run, const unsigned char *to,
		const unsigned char *from, int from_host, int to_host)
{
	unsigned char addresses[] = {
		10, 1 + run->side, 0, from_host, 10, 1 + run->side, 0, to_host,
	};
	unsigned int i, size = run->work->size;
	unsigned char *frame = allocate(size), *ip = frame + ETH_HLEN;
	unsigned char *udp = ip + 20;

	memcpy(frame, to, ETH_ALEN);
	memcpy(frame + ETH_ALEN, from, ETH_ALEN);
	put16(frame + 12, run->work->sink == SINK_DROP ? ETH_P_802_EX1 :
							  ETH_P_IP);
	ip[0] = 0x45;
	put16(ip + 2, size - ETH_HLEN);
	ip[8] = 64;
	ip[9] = IPPROTO_UDP;
	memcpy(ip + 12, addresses, 8);
	put_sum(ip + 10, sum(ip, 20, 0));
	put16(udp, PORT);
	put16(udp + 2, PORT);
	put16(udp + 4, size - ETH_HLEN - 20);
	for (i = HEADERS; i < size; i++)
		frame[i] = i;
	put_sum(udp + 6, sum(udp, size - ETH_HLEN - 20,
			     sum(addresses, 8, IPPROTO_UDP + size - ETH_HLEN -
				 20)));
	run->frame = frame;
	run->len = size;
}

static struct sockaddr_in address(struct run *run, int host)
{
	return (struct sockaddr_in) {
		.sin_family = AF_INET,
		.sin_port = htons(PORT),
		.sin_addr.s_addr = htonl(10 << 24 | (1 + run->side) << 16 |
					 host),
	};
}

/* A socket that is this host's, with room for all that a round sends */
int udp_socket(struct run *run, int host)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in at = address(run, host);
	int size = 16 << 20;

	if (fd < 0 || bind(fd, (void *)&at, sizeof(at)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		die("socket");
	return fd;
}

void udp_connect(struct run *run, int sock, int host)
{
	struct sockaddr_in to = address(run, host);

	if (connect(sock, (void *)&to, sizeof(to)))
		die("connect");
}

/* Empties a socket; how many there were */
unsigned int drain(int sock)
{
	unsigned int count = 0;
	char buffer[2048];

	while (recv(sock, buffer, sizeof(buffer), MSG_DONTWAIT) >= 0)
		count++;
	if (errno != EAGAIN)
		die("recv");
	return count;
}

/* A message for rtnetlink, under construction */
static union {
	struct nlmsghdr head;
	unsigned char bytes[1024];
} message;

static void put_end(struct nlattr *nest)
{
	nest->nla_len = message.bytes + message.head.nlmsg_len -
			(unsigned char *)nest;
}

static void begin(int type, int flags, unsigned int index)
{
	struct ifinfomsg *link = NLMSG_DATA(&message.head);

	memset(&message, 0, sizeof(message));
	message.head.nlmsg_type = type;
	message.head.nlmsg_flags = NLM_F_REQUEST | flags;
	message.head.nlmsg_len = NLMSG_LENGTH(sizeof(*link));
	link->ifi_index = index;
}

/* Sends the message; the answer, of which an acknowledgment has to be good */
static struct nlmsghdr *ask(const char *what)
{
	static union {
		struct nlmsghdr head;
		char bytes[16384];
	} answer;
	struct nlmsgerr *err = NLMSG_DATA(&answer.head);
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0 || send(fd, &message, message.head.nlmsg_len, 0) < 0 ||
	    recv(fd, &answer, sizeof(answer), 0) < 0)
		die(what);
	close(fd);
	if (answer.head.nlmsg_type == NLMSG_ERROR && err->error) {
		errno = -err->error;
		die(what);
	}
	return &answer.head;
}

struct rtnl_link_stats64 stats_of(int ns, unsigned int index)
{
	struct rtnl_link_stats64 stats = {};
	struct nlmsghdr *answer;
	struct rtattr *attr;
	int len;

	enter_ns(ns);
	begin(RTM_GETLINK, 0, index);
	answer = ask("RTM_GETLINK");
	enter_ns(near_ns);
	len = IFLA_PAYLOAD(answer);
	for (attr = IFLA_RTA(NLMSG_DATA(answer)); RTA_OK(attr, len);
	     attr = RTA_NEXT(attr, len)) {
		if (attr->rta_type != IFLA_STATS64)
			continue;
		len = RTA_PAYLOAD(attr);
		if (len > (int)sizeof(stats))
			len = sizeof(stats);
		memcpy(&stats, RTA_DATA(attr), len);
		return stats;
	}
	give_up("interface %u has no IFLA_STATS64", index);
}

/* A peer comes into the other namespace. */
void link_new(const char *kind, const char *name, const char *peer)
{
	struct nlattr *info, *data, *nest;
	struct ifinfomsg head = {};

	begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, 0);
	attr_put(&message.head, IFLA_IFNAME, name, strlen(name) + 1);
	info = attr_put(&message.head, IFLA_LINKINFO | NLA_F_NESTED, NULL, 0);
	attr_put(&message.head, IFLA_INFO_KIND, kind, strlen(kind) + 1);
	if (peer) {
		data = attr_put(&message.head, IFLA_INFO_DATA | NLA_F_NESTED,
				NULL, 0);
		nest = attr_put(&message.head, VETH_INFO_PEER | NLA_F_NESTED,
				NULL, 0);
		memcpy(message.bytes + message.head.nlmsg_len, &head,
		       sizeof(head));
		message.head.nlmsg_len += sizeof(head);
		attr_put(&message.head, IFLA_IFNAME, peer, strlen(peer) + 1);
		attr_put(&message.head, IFLA_NET_NS_FD, &far_ns, sizeof(far_ns));
		put_end(nest);
		put_end(data);
	}
	put_end(info);
	ask(kind);
}

void link_delete(unsigned int index)
{
	begin(RTM_DELLINK, NLM_F_ACK, index);
	ask("RTM_DELLINK");
}

/* In front of a device of the present namespace; @flags: by its driver, or not */
void link_xdp(unsigned int index, int prog, __u32 flags)
{
	struct nlattr *nest;

	if (prog < 0) {
		errno = -prog;
		die("BPF_PROG_LOAD");
	}
	begin(RTM_NEWLINK, NLM_F_ACK, index);
	nest = attr_put(&message.head, IFLA_XDP | NLA_F_NESTED, NULL, 0);
	attr_put(&message.head, IFLA_XDP_FD, &prog, sizeof(prog));
	attr_put(&message.head, IFLA_XDP_FLAGS, &flags, sizeof(flags));
	put_end(nest);
	ask("IFLA_XDP");
}

struct arrivals arrivals_now(int ns, unsigned int index)
{
	return (struct arrivals) { .stats = stats_of(ns, index) };
}

static void arrived(struct run *run, const char *where, uint64_t count,
		    uint64_t sent)
{
	if (count != sent)
		give_up("%s: %llu of %llu packets %s", run->dev,
			(unsigned long long)count, (unsigned long long)sent,
			where);
}

/*
 * All that were sent since are where they had to go. A socket has been drained
 * before.
 */
void arrivals_check(struct run *run, int ns, unsigned int index, int sock,
		    struct arrivals before, unsigned int count)
{
	struct rtnl_link_stats64 *old = &before.stats;
	struct rtnl_link_stats64 stats;

	if (run->work->sink == SINK_UDP) {
		arrived(run, "came to the socket", drain(sock), count);
		return;
	}
	stats = stats_of(ns, index);
	arrived(run, "were received", stats.rx_packets - old->rx_packets,
		count);
	if (run->work->sink == SINK_DROP)
		arrived(run, "had no protocol",
			stats.rx_dropped - old->rx_dropped, count);
	else
		arrived(run, "were for somebody else",
			stats.rx_otherhost_dropped - old->rx_otherhost_dropped,
			count);
}
