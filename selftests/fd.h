/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of the character device share: a namespace for each test,
 * an attached fd, packets, and the other end in the stack.
 *
 *   the test, as a program          |  the stack of a new network namespace
 *                                   |
 *     read(fd)  <---------- ring ---+--- transmit <-- AF_PACKET, UDP, ...
 *     write(fd) --------------------+--- receive  --> AF_PACKET, UDP, ...
 *
 * VNIC_DEV names the device (default /dev/vnic). VNIC_DEV=/dev/net/tun runs
 * the same tests against the in-tree driver, the one whose ABI this is; a test
 * that asks for more than that driver offers is skipped there with a reason.
 *
 * Calls come back as a value or as -errno, so that a failed test prints which.
 */
#ifndef FD_H
#define FD_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>

#include "kselftest_harness.h"

#include "../include/uapi/linux/vnic.h"

/* Newer than the headers of some distributions */
#ifndef IFF_BACKPRESSURE
#define IFF_BACKPRESSURE	0x0080
#endif
#ifndef TUN_F_USO4
#define TUN_F_USO4		0x20
#define TUN_F_USO6		0x40
#endif
#ifndef TUN_F_UDP_TUNNEL_GSO
#define TUN_F_UDP_TUNNEL_GSO	0x080
#define TUN_F_UDP_TUNNEL_GSO_CSUM 0x100
#endif

/* How many times longer than usual things take: with a kernel that checks itself */
#ifndef VNIC_PATIENCE
#define VNIC_PATIENCE	1
#endif

/* Seconds that a test may take, and that one wait may take (milliseconds). */
#define FD_TIMEOUT	(30 * VNIC_PATIENCE)
#define FD_PATIENCE	(10000 * VNIC_PATIENCE)

/* An unprivileged user and two groups, none of which has to exist. */
#define USER	65533
#define OTHER	65532

/* A type that no protocol handles: what is sent with it comes to nobody else */
#define ETH_P_TEST	0x88b5

/* The calls that tests are about: failnth.h does something around them. */
#ifndef SYSCALL
#define SYSCALL(call)	(call)
#endif

#define FD_TEST(fixture, name)	TEST_F_TIMEOUT(fixture, name, FD_TIMEOUT)

struct nic {
	int fd;
	int index;
	char name[IFNAMSIZ];
};

/*
 * Every program here has one fixture with two variants, so that
 * "PROGRAM -v tun" and "PROGRAM -v tap" are the tests of one kind.
 */
#define FD_FIXTURE(fixture)						\
FIXTURE(fixture) {							\
	struct nic nic;							\
};									\
FIXTURE_VARIANT(fixture) {						\
	short mode;			/* IFF_TUN or IFF_TAP */	\
	int header;			/* link layer header */		\
	const char *kind, *in_tree_kind, *stem;				\
};									\
FIXTURE_VARIANT_ADD(fixture, tun) {					\
	.mode = IFF_TUN, .header = 0,					\
	.kind = "vntun", .in_tree_kind = "tun", .stem = "tun",		\
};									\
FIXTURE_VARIANT_ADD(fixture, tap) {					\
	.mode = IFF_TAP, .header = ETH_HLEN,				\
	.kind = "vntap", .in_tree_kind = "tun", .stem = "tap",		\
};									\
FIXTURE_SETUP(fixture)							\
{									\
	int fd;								\
									\
	self->nic.fd = -1;						\
	if (geteuid())							\
		SKIP(return, "run as root");				\
	fd = device_open(0);						\
	if (fd == -ENOENT || fd == -ENODEV || fd == -ENXIO)		\
		SKIP(return, "no %s: insmod vnic.ko", device_path());	\
	ASSERT_LE(0, fd);						\
	close(fd);							\
	ASSERT_EQ(0, namespace_new());					\
}									\
FIXTURE_TEARDOWN(fixture)						\
{									\
	if (self->nic.fd >= 0)						\
		close(self->nic.fd);					\
}

/* Ends a test of what in-tree tun does not have or does otherwise. */
#define OURS_ALONE(reason) do {						\
	if (in_tree())							\
		SKIP(return, "in-tree tun: " reason);			\
} while (0)

/* Polls a condition until it holds; false when patience is at its end. */
#define WAIT_FOR(condition) ({						\
	bool holds_ = false;						\
	int tries_;							\
									\
	for (tries_ = 0; tries_ < FD_PATIENCE; tries_++) {		\
		holds_ = (condition);					\
		if (holds_)						\
			break;						\
		poll(NULL, 0, 1);					\
	}								\
	holds_;								\
})

static inline long neg(long result)
{
	return result < 0 ? -errno : result;
}

#define do_ioctl(...)	neg(SYSCALL(ioctl(__VA_ARGS__)))

static inline const char *device_path(void)
{
	return getenv("VNIC_DEV") ?: "/dev/vnic";
}

static inline bool in_tree(void)
{
	return strstr(device_path(), "net/tun");
}

static inline int device_open(int flags)
{
	return neg(SYSCALL(open(device_path(), O_RDWR | O_CLOEXEC | flags)));
}

static inline int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int result;

	if (fd < 0)
		return -errno;
	result = neg(write(fd, text, strlen(text)));
	close(fd);
	return result < 0 ? result : 0;
}

/*
 * A namespace of its own for this process. Without IPv6, whose solicitations
 * would come out of the fd between the packets of a test.
 */
static inline int namespace_new(void)
{
	static const char off[] = "/proc/sys/net/ipv6/conf/default/disable_ipv6";
	int result;

	if (unshare(CLONE_NEWNET))
		return -errno;
	result = write_file(off, "1");
	return result == -ENOENT ? 0 : result;
}

static inline int namespace_fd(void)
{
	return neg(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
}

static inline ino_t inode_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? 0 : st.st_ino;
}

/* SIOC* on any socket of the present namespace */
static inline int if_ioctl(unsigned long request, void *arg)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int result;

	if (sock < 0)
		return -errno;
	result = do_ioctl(sock, request, arg);
	close(sock);
	return result;
}

static inline int if_flags(const char *name, int set, int clear)
{
	struct ifreq ifr = {};
	int result;

	snprintf(ifr.ifr_name, IFNAMSIZ, "%s", name);
	result = if_ioctl(SIOCGIFFLAGS, &ifr);
	if (result < 0)
		return result;
	ifr.ifr_flags = (ifr.ifr_flags & ~clear) | set;
	return if_ioctl(SIOCSIFFLAGS, &ifr);
}

static inline int if_up(const char *name)
{
	return if_flags(name, IFF_UP, 0);
}

static inline int if_down(const char *name)
{
	return if_flags(name, 0, IFF_UP);
}

static inline int if_set(const char *name, unsigned long request, int value)
{
	struct ifreq ifr = {};

	snprintf(ifr.ifr_name, IFNAMSIZ, "%s", name);
	ifr.ifr_mtu = value;		/* one union with ifr_qlen */
	return if_ioctl(request, &ifr);
}

static inline int if_rename(const char *name, const char *to)
{
	struct ifreq ifr = {};

	snprintf(ifr.ifr_name, IFNAMSIZ, "%s", name);
	snprintf(ifr.ifr_newname, IFNAMSIZ, "%s", to);
	return if_ioctl(SIOCSIFNAME, &ifr);
}

static inline int if_address(const char *name, const char *address)
{
	struct ifreq ifr = {};
	struct sockaddr_in *sin = (struct sockaddr_in *)&ifr.ifr_addr;
	int result;

	snprintf(ifr.ifr_name, IFNAMSIZ, "%s", name);
	sin->sin_family = AF_INET;
	inet_pton(AF_INET, address, &sin->sin_addr);
	result = if_ioctl(SIOCSIFADDR, &ifr);
	if (result < 0)
		return result;
	inet_pton(AF_INET, "255.255.255.0", &sin->sin_addr);
	return if_ioctl(SIOCSIFNETMASK, &ifr);
}

/* A netlink message under construction; attributes are appended to it. */
struct request {
	struct nlmsghdr head;
	struct ifinfomsg link;
	char attributes[512];
};

static inline struct request request_new(int type, int flags, int index)
{
	struct request r = {
		.head.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
		.head.nlmsg_type = type,
		.head.nlmsg_flags = NLM_F_REQUEST | flags,
		.link.ifi_index = index,
	};

	return r;
}

static inline struct rtattr *request_put(struct request *r, int type,
					 const void *data, int len)
{
	struct rtattr *rta = (void *)((char *)r + r->head.nlmsg_len);

	rta->rta_type = type;
	rta->rta_len = RTA_LENGTH(len);
	if (len)
		memcpy(RTA_DATA(rta), data, len);
	r->head.nlmsg_len += RTA_SPACE(len);
	return rta;
}

static inline void request_end(struct request *r, struct rtattr *nest)
{
	nest->rta_len = (char *)r + r->head.nlmsg_len - (char *)nest;
}

/* Sends a message; the length of the answer in @reply, or -errno */
static inline int message_send(const struct nlmsghdr *message, void *reply,
			       size_t size)
{
	int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct nlmsghdr *head = reply;
	int len;

	if (sock < 0)
		return -errno;
	len = neg(SYSCALL(send(sock, message, message->nlmsg_len, 0)));
	if (len >= 0)
		len = neg(recv(sock, reply, size, 0));
	close(sock);
	/* There was no memory for the answer, which may have been good. */
	if (len == -ENOBUFS)
		return -ENODATA;
	if (len >= 0 && head->nlmsg_type == NLMSG_ERROR)
		return ((struct nlmsgerr *)NLMSG_DATA(head))->error;
	return len;
}

/*
 * By netlink: the ioctl would look for a module of that name first, which takes
 * long, and most of those who ask want to see that there is none.
 */
static inline int if_index(const char *name)
{
	struct request r = request_new(RTM_GETLINK, 0, 0);
	union {
		struct nlmsghdr head;
		char bytes[16384];
	} reply;
	int len;

	request_put(&r, IFLA_IFNAME, name, strlen(name) + 1);
	len = message_send(&r.head, &reply, sizeof(reply));
	if (len < 0)
		return len;
	return ((struct ifinfomsg *)NLMSG_DATA(&reply.head))->ifi_index;
}

static inline int request_do(struct request *r)
{
	char reply[4096];

	r->head.nlmsg_flags |= NLM_F_ACK;
	return message_send(&r->head, reply, sizeof(reply));
}

/* ip link add NAME type KIND; no name: the kind's default */
static inline int link_add(const char *kind, const char *name)
{
	struct request r = request_new(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
	struct rtattr *info;

	if (name)
		request_put(&r, IFLA_IFNAME, name, strlen(name) + 1);
	info = request_put(&r, IFLA_LINKINFO, NULL, 0);
	request_put(&r, IFLA_INFO_KIND, kind, strlen(kind) + 1);
	request_end(&r, info);
	return request_do(&r);
}

/* An attribute of a kind; a list of them ends with one of type 0. */
struct attr {
	int type;
	int size;			/* in bytes */
	__u32 value;
};

#define ATTRS(...)	((const struct attr []) { __VA_ARGS__, { } })
#define NO_ATTRS	((const struct attr []) { { } })

static inline void request_put_info(struct request *r, const char *kind,
				    const struct attr *attrs)
{
	struct rtattr *info, *data;

	info = request_put(r, IFLA_LINKINFO, NULL, 0);
	request_put(r, IFLA_INFO_KIND, kind, strlen(kind) + 1);
	data = request_put(r, IFLA_INFO_DATA | NLA_F_NESTED, NULL, 0);
	for (; attrs->type; attrs++)
		request_put(r, attrs->type, &attrs->value, attrs->size);
	request_end(r, data);
	request_end(r, info);
}

/* ip link add NAME numtxqueues QUEUES type KIND ATTRS; 0 queues: not said */
static inline int link_make(const char *kind, const char *name, __u32 queues,
			    const struct attr *attrs)
{
	struct request r = request_new(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);

	request_put(&r, IFLA_IFNAME, name, strlen(name) + 1);
	if (queues) {
		request_put(&r, IFLA_NUM_TX_QUEUES, &queues, sizeof(queues));
		request_put(&r, IFLA_NUM_RX_QUEUES, &queues, sizeof(queues));
	}
	request_put_info(&r, kind, attrs);
	return request_do(&r);
}

/* ip link set INDEX type KIND ATTRS */
static inline int link_change(int index, const char *kind,
			      const struct attr *attrs)
{
	struct request r = request_new(RTM_NEWLINK, 0, index);

	request_put_info(&r, kind, attrs);
	return request_do(&r);
}

static inline int vlan_add(int below, const char *name, __u16 id)
{
	struct request r = request_new(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
	struct rtattr *info, *data;

	request_put(&r, IFLA_IFNAME, name, strlen(name) + 1);
	request_put(&r, IFLA_LINK, &below, sizeof(below));
	info = request_put(&r, IFLA_LINKINFO, NULL, 0);
	request_put(&r, IFLA_INFO_KIND, "vlan", 5);
	data = request_put(&r, IFLA_INFO_DATA, NULL, 0);
	request_put(&r, IFLA_VLAN_ID, &id, sizeof(id));
	request_end(&r, data);
	request_end(&r, info);
	return request_do(&r);
}

static inline int link_delete(int index)
{
	struct request r = request_new(RTM_DELLINK, 0, index);

	return request_do(&r);
}

static inline int link_move(int index, int namespace)
{
	struct request r = request_new(RTM_NEWLINK, 0, index);

	request_put(&r, IFLA_NET_NS_FD, &namespace, sizeof(namespace));
	return request_do(&r);
}

static inline int link_carrier(int index, __u8 carrier)
{
	struct request r = request_new(RTM_NEWLINK, 0, index);

	request_put(&r, IFLA_CARRIER, &carrier, sizeof(carrier));
	return request_do(&r);
}

static inline int link_master(int index, int master)
{
	struct request r = request_new(RTM_NEWLINK, 0, index);

	request_put(&r, IFLA_MASTER, &master, sizeof(master));
	return request_do(&r);
}

/* What rtnetlink tells of a link */
struct link {
	unsigned int flags, type, mtu, qlen, carrier, tx_queues;
	int address;			/* its length */
	char kind[16];
	long long data[VNIC_TUN_BACKPRESSURE + 1];	/* -1: not there */
	struct rtnl_link_stats64 stats;
};

static inline void link_get_data(struct link *link, struct rtattr *data)
{
	int len = RTA_PAYLOAD(data);
	struct rtattr *a;

	for (a = RTA_DATA(data); RTA_OK(a, len); a = RTA_NEXT(a, len)) {
		if (a->rta_type >= ARRAY_SIZE(link->data))
			continue;
		if (RTA_PAYLOAD(a) == 1)
			link->data[a->rta_type] = *(__u8 *)RTA_DATA(a);
		else if (RTA_PAYLOAD(a) == 4)
			link->data[a->rta_type] = *(__u32 *)RTA_DATA(a);
	}
}

/* Reads an RTM_NEWLINK. */
static inline void link_parse(struct nlmsghdr *head, struct link *link)
{
	struct ifinfomsg *info = NLMSG_DATA(head);
	int len = IFLA_PAYLOAD(head), inner;
	struct rtattr *a, *b;

	memset(link, 0, sizeof(*link));
	memset(link->data, -1, sizeof(link->data));
	link->flags = info->ifi_flags;
	link->type = info->ifi_type;
	for (a = IFLA_RTA(info); RTA_OK(a, len); a = RTA_NEXT(a, len)) {
		switch (a->rta_type) {
		case IFLA_MTU:
			link->mtu = *(__u32 *)RTA_DATA(a);
			break;
		case IFLA_TXQLEN:
			link->qlen = *(__u32 *)RTA_DATA(a);
			break;
		case IFLA_NUM_TX_QUEUES:
			link->tx_queues = *(__u32 *)RTA_DATA(a);
			break;
		case IFLA_CARRIER:
			link->carrier = *(__u8 *)RTA_DATA(a);
			break;
		case IFLA_ADDRESS:
			link->address = RTA_PAYLOAD(a);
			break;
		case IFLA_STATS64:
			memcpy(&link->stats, RTA_DATA(a),
			       offsetof(struct rtnl_link_stats64, rx_nohandler));
			break;
		case IFLA_LINKINFO:
			inner = RTA_PAYLOAD(a);
			for (b = RTA_DATA(a); RTA_OK(b, inner);
			     b = RTA_NEXT(b, inner)) {
				if (b->rta_type == IFLA_INFO_KIND)
					snprintf(link->kind,
						 sizeof(link->kind), "%s",
						 (char *)RTA_DATA(b));
				if (b->rta_type == IFLA_INFO_DATA)
					link_get_data(link, b);
			}
			break;
		}
	}
}

static inline int link_get(int index, struct link *link)
{
	struct request r = request_new(RTM_GETLINK, 0, index);
	union {
		struct nlmsghdr head;
		char bytes[16384];
	} reply;
	int len = message_send(&r.head, &reply, sizeof(reply));

	memset(link, 0, sizeof(*link));
	if (len < 0)
		return len;
	link_parse(&reply.head, link);
	return 0;
}

static inline struct link link_of(const struct nic *nic)
{
	struct link link;

	link_get(nic->index, &link);
	return link;
}

/* TUNSETIFF; the name that the kernel chose comes back in @name */
static inline int set_iff(int fd, char *name, int flags)
{
	struct ifreq ifr = { .ifr_flags = flags };
	int result;

	memcpy(ifr.ifr_name, name, IFNAMSIZ);
	result = do_ioctl(fd, TUNSETIFF, &ifr);
	if (!result)
		memcpy(name, ifr.ifr_name, IFNAMSIZ);
	return result;
}

/* VNIC_IOC_SOCKET in the place of the file, under its number */
static inline int become_socket(int fd)
{
	int flags = fcntl(fd, F_GETFL) & O_NONBLOCK;
	int sock = neg(ioctl(fd, VNIC_IOC_SOCKET, flags | O_CLOEXEC));
	int result;

	if (sock < 0)
		return sock;
	result = neg(dup3(sock, fd, O_CLOEXEC));
	close(sock);
	return result < 0 ? result : 0;
}

/*
 * Attaches @fd to @name ("" for a new one); fills @nic. With VNIC_FACE=socket
 * what was the file is its socket afterwards.
 */
static inline int nic_attach(struct nic *nic, int fd, const char *name,
			     int flags)
{
	char asked[IFNAMSIZ] = {};	/* @name may be that of @nic */
	int result;

	snprintf(asked, IFNAMSIZ, "%s", name);
	result = set_iff(fd, asked, flags);
	if (!result && getenv("VNIC_FACE"))
		result = become_socket(fd);
	if (result)
		return result;
	memcpy(nic->name, asked, IFNAMSIZ);
	nic->fd = fd;
	nic->index = if_index(nic->name);
	return nic->index < 0 ? nic->index : 0;
}

static inline int nic_open(struct nic *nic, const char *name, int flags,
			   int open_flags)
{
	int fd = device_open(open_flags);
	int result;

	if (fd < 0)
		return fd;
	result = nic_attach(nic, fd, name, flags);
	if (result)
		close(fd);
	return result;
}

/* Attached, up, O_NONBLOCK and without packet information: the usual state */
static inline int nic_start(struct nic *nic, int mode)
{
	int result = nic_open(nic, "", mode | IFF_NO_PI, O_NONBLOCK);

	return result ?: if_up(nic->name);
}

static inline void nic_close(struct nic *nic)
{
	close(nic->fd);
	nic->fd = -1;
}

/* The flags that TUNGETIFF reports, or -errno */
static inline int get_iff(int fd, char *name)
{
	struct ifreq ifr = {};
	int result = neg(ioctl(fd, TUNGETIFF, &ifr));

	if (name)
		memcpy(name, ifr.ifr_name, IFNAMSIZ);
	return result < 0 ? result : (unsigned short)ifr.ifr_flags;
}

/* TUNSETQUEUE */
static inline int set_queue(int fd, int flags)
{
	struct ifreq ifr = { .ifr_flags = flags };

	return do_ioctl(fd, TUNSETQUEUE, &ifr);
}

/* An ioctl that takes a pointer to a number */
static inline int set_number(int fd, unsigned long request, int value)
{
	return do_ioctl(fd, request, &value);
}

/* One that writes a number, which is never negative where it is used */
static inline int get_number(int fd, unsigned long request)
{
	int value = -1;

	return do_ioctl(fd, request, &value) ?: value;
}

static inline int ethtool(const char *name, void *command)
{
	struct ifreq ifr = { .ifr_data = command };

	snprintf(ifr.ifr_name, IFNAMSIZ, "%s", name);
	return if_ioctl(SIOCETHTOOL, &ifr);
}

/*
 * The sum of what ethtool -S says behind names that begin with the @len
 * characters of @name, or -errno; -ENOENT: no such line
 */
static inline long long ethtool_sum(const char *dev, const char *name, int len)
{
	struct {
		struct ethtool_sset_info info;
		__u32 count;
	} sets = { { .cmd = ETHTOOL_GSSET_INFO, .sset_mask = 1 << ETH_SS_STATS } };
	struct ethtool_gstrings *strings;
	struct ethtool_stats *stats;
	long long result;
	unsigned int i;

	result = ethtool(dev, &sets);
	if (result)
		return result;
	strings = calloc(1, sizeof(*strings) + sets.count * ETH_GSTRING_LEN);
	stats = calloc(1, sizeof(*stats) + sets.count * sizeof(__u64));
	strings->cmd = ETHTOOL_GSTRINGS;
	strings->string_set = ETH_SS_STATS;
	strings->len = sets.count;
	stats->cmd = ETHTOOL_GSTATS;
	stats->n_stats = sets.count;
	result = ethtool(dev, strings) ?: ethtool(dev, stats) ?: -ENOENT;
	for (i = 0; (result == -ENOENT || result >= 0) && i < sets.count; i++)
		if (!strncmp(name, (char *)strings->data + i * ETH_GSTRING_LEN,
			     len))
			result = (result < 0 ? 0 : result) + stats->data[i];
	free(strings);
	free(stats);
	return result;
}

/* What ethtool -S says behind @name, likewise */
static inline long long ethtool_counter(const char *dev, const char *name)
{
	/* With the end of the name, or the whole of the field */
	int len = strnlen(name, ETH_GSTRING_LEN - 1) + 1;

	return ethtool_sum(dev, name, len);
}

/*
 * Lets this process, and no other, see /sys/class/net of its own namespace.
 */
static inline int see_sysfs(void)
{
	if (unshare(CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("sysfs", "/sys", "sysfs", 0, NULL))
		return -errno;
	return 0;
}

/* The number in an attribute of a device in sysfs, or -errno */
static inline long sysfs_number(const char *dev, const char *attribute)
{
	char path[128], text[64] = "";
	int fd, len;

	snprintf(path, sizeof(path), "/sys/class/net/%s/%s", dev, attribute);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = neg(read(fd, text, sizeof(text) - 1));
	close(fd);
	return len < 0 ? len : strtol(text, NULL, 0);
}

static inline int sysfs_set(const char *dev, const char *attribute,
			    const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/class/net/%s/%s", dev, attribute);
	return write_file(path, text);
}

/* Runs a command line, of which %s is the device's name. */
static inline int shell(const char *format, const char *name)
{
	char command[256];

	snprintf(command, sizeof(command), format, name);
	return system(command);
}

static inline int poll_now(int fd, int events)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, 0) < 0 ? -errno : p.revents;
}

static inline int poll_wait(int fd, int events)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, FD_PATIENCE) < 0 ? -errno : p.revents;
}

/* The next packet for the program, waited for: its length or -errno */
static inline int read_packet(int fd, void *data, size_t size)
{
	int events = poll_wait(fd, POLLIN);

	if (!(events & POLLIN))
		return -ETIMEDOUT;
	return neg(read(fd, data, size));
}

/* The stack's side of the device: sends and receives whole packets */
static inline int packet_socket(int index)
{
	struct sockaddr_ll sll = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = index,
	};
	struct timeval patience = { .tv_sec = FD_PATIENCE / 1000 };
	int sock = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
	int big = 1 << 20;

	if (sock < 0)
		return -errno;
	setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(sock, SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof(big));
	setsockopt(sock, SOL_SOCKET, SO_SNDBUFFORCE, &big, sizeof(big));
	if (bind(sock, (void *)&sll, sizeof(sll))) {
		close(sock);
		return -errno;
	}
	return sock;
}

/* The next packet that the stack got; those that it sent are passed over. */
static inline int receive(int sock, void *data, size_t size,
			  struct sockaddr_ll *from)
{
	struct sockaddr_ll sll;
	socklen_t len;
	int got;

	do {
		len = sizeof(sll);
		got = recvfrom(sock, data, size, MSG_TRUNC, (void *)&sll, &len);
		if (got < 0)
			return -errno;
	} while (sll.sll_pkttype == PACKET_OUTGOING);
	if (from)
		*from = sll;
	return got;
}

/*
 * A packet of @len bytes, all of them different from those of another @seed:
 * Ethernet of a type that nobody handles, or what looks like IPv4.
 */
static inline void packet_fill(void *data, int mode, int len, unsigned int seed)
{
	unsigned char *p = data;
	int i;

	for (i = 0; i < len; i++)
		p[i] = i * 7 + seed * 31 + (i >> 8) + (seed >> 3);
	if (mode == IFF_TUN && len > 0)
		p[0] = 0x45;
	if (mode == IFF_TAP && len >= ETH_HLEN) {
		memset(p, 0xff, ETH_ALEN);
		p[ETH_ALEN] = 0x02;
		p[12] = ETH_P_TEST >> 8;
		p[13] = ETH_P_TEST & 0xff;
	}
}

/* Sends packets of @len bytes with the seeds @from to @to - 1 */
static inline int send_packets(int sock, int mode, int len, int from, int to)
{
	unsigned char data[2048];
	int seed;

	for (seed = from; seed < to; seed++) {
		packet_fill(data, mode, len, seed);
		/* A full ring may be told as ENOBUFS: that packet is sent too */
		if (send(sock, data, len, 0) != len && errno != ENOBUFS)
			return -errno;
	}
	return 0;
}

/* Reads all that is there; returns how many began at @seed and in order. */
static inline int read_in_order(int fd, int mode, int len, int seed)
{
	unsigned char data[2048], want[2048];
	int count = 0;

	while (read(fd, data, sizeof(data)) == len) {
		packet_fill(want, mode, len, seed + count);
		if (memcmp(data, want, len))
			return -EILSEQ;
		count++;
	}
	return errno == EAGAIN ? count : -errno;
}

static inline __u16 checksum(const void *data, int len, __u32 sum)
{
	const unsigned char *p = data;
	int i;

	for (i = 0; i + 1 < len; i += 2)
		sum += p[i] << 8 | p[i + 1];
	if (len & 1)
		sum += p[len - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* A blocking call in a thread of its own, and how it ended */
struct call {
	pthread_t thread;
	int fd;
	int tid;
	int events;			/* poll these; 0: read */
	unsigned long request;		/* or an ioctl without an argument */
	int result;
	bool done;
	unsigned char data[2048];
};

static inline void *call_body(void *arg)
{
	struct call *call = arg;
	struct pollfd p = { .fd = call->fd, .events = call->events };
	int result;

	__atomic_store_n(&call->tid, gettid(), __ATOMIC_RELEASE);
	/* Without a timeout: at its end poll() looks again, woken or not. */
	if (call->request)
		result = neg(ioctl(call->fd, call->request));
	else if (call->events)
		result = poll(&p, 1, -1) < 0 ? -errno : p.revents;
	else
		result = neg(read(call->fd, call->data, sizeof(call->data)));
	call->result = result;
	__atomic_store_n(&call->done, true, __ATOMIC_RELEASE);
	return NULL;
}

/* Does thread @tid of process @pid sleep in the kernel? */
static inline bool sleeps(int pid, int tid)
{
	char path[64], line[256] = "", *state;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (read(fd, line, sizeof(line) - 1) < 0)
		line[0] = '\0';
	close(fd);
	state = strrchr(line, ')');
	return state && state[1] == ' ' && state[2] == 'S';
}

/* Starts the call and returns once it is asleep in the kernel. */
static inline int call_begin(struct call *call)
{
	if (pthread_create(&call->thread, NULL, call_body, call))
		return -EAGAIN;
	if (!WAIT_FOR(__atomic_load_n(&call->tid, __ATOMIC_ACQUIRE) &&
		      sleeps(getpid(), call->tid)))
		return -ETIMEDOUT;
	return 0;
}

static inline int call_start(struct call *call, int fd, int events)
{
	memset(call, 0, sizeof(*call));
	call->fd = fd;
	call->events = events;
	return call_begin(call);
}

static inline int call_start_ioctl(struct call *call, int fd,
				   unsigned long request)
{
	memset(call, 0, sizeof(*call));
	call->fd = fd;
	call->request = request;
	return call_begin(call);
}

/* What the call returned; -ETIMEDOUT while it has not */
static inline int call_end(struct call *call)
{
	if (!WAIT_FOR(__atomic_load_n(&call->done, __ATOMIC_ACQUIRE)))
		return -ETIMEDOUT;
	pthread_join(call->thread, NULL);
	return call->result;
}

/*
 * Runs @body in a child process, where it may give up its privileges.
 * Returns what it returned, which may be -errno.
 */
static inline int in_child(int (*body)(void *), void *arg)
{
	int pipes[2], result = -EPIPE;
	pid_t pid;

	if (pipe(pipes))
		return -errno;
	pid = fork();
	if (!pid) {
		result = body(arg);
		if (write(pipes[1], &result, sizeof(result)) < 0)
			_exit(1);
		_exit(0);
	}
	close(pipes[1]);
	if (pid < 0 || read(pipes[0], &result, sizeof(result)) != sizeof(result))
		result = -EPIPE;
	close(pipes[0]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return result;
}

static inline int become(uid_t uid, gid_t gid)
{
	if (setgroups(0, NULL) || setresgid(gid, gid, gid) ||
	    setresuid(uid, uid, uid))
		return -errno;
	return 0;
}

#endif
