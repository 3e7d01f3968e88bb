// SPDX-License-Identifier: GPL-2.0
/*
 * Devices made, changed and shown by rtnetlink; the sentences of what it
 * refuses are in extack.sh.
 *
 *   RTM_NEWLINK, IFLA_INFO_DATA = VNIC_TUN_* --> interface <-- TUNSETIFF
 */
#include "fd.h"

#include <sys/prctl.h>

FD_FIXTURE(netlink)

#define NOT_MADE	"not made by netlink"

static int make(const char *kind, __u32 queues, const struct attr *attrs)
{
	return link_make(kind, "nl0", queues, attrs);
}

static struct link nl0(void)
{
	struct nic nic = { .index = if_index("nl0") };

	return link_of(&nic);
}

static int drop(void)
{
	return link_delete(if_index("nl0"));
}

FD_TEST(netlink, nothing_said)
{
	struct link link;

	OURS_ALONE(NOT_MADE);
	ASSERT_EQ(0, make(variant->kind, 0, NO_ATTRS));
	link = nl0();
	EXPECT_EQ(-1, link.data[VNIC_TUN_OWNER]);
	EXPECT_EQ(-1, link.data[VNIC_TUN_GROUP]);
	EXPECT_EQ(variant->mode, link.data[VNIC_TUN_TYPE]);
	EXPECT_EQ(0, link.data[VNIC_TUN_PI]);
	EXPECT_EQ(0, link.data[VNIC_TUN_VNET_HDR]);
	EXPECT_EQ(1, link.data[VNIC_TUN_PERSIST]);
	EXPECT_EQ(0, link.data[VNIC_TUN_MULTI_QUEUE]);
	EXPECT_EQ(-1, link.data[VNIC_TUN_NUM_QUEUES]);
	EXPECT_EQ(-1, link.data[VNIC_TUN_NUM_DISABLED_QUEUES]);
	EXPECT_EQ(0, link.data[VNIC_TUN_BACKPRESSURE]);
	EXPECT_EQ(0, link.carrier);
	EXPECT_EQ(1, link.tx_queues);
	EXPECT_EQ(-EEXIST, make(variant->kind, 0, NO_ATTRS));
}

FD_TEST(netlink, everything_said)
{
	static const struct attr all[] = {
		{ VNIC_TUN_OWNER, 4, USER }, { VNIC_TUN_GROUP, 4, OTHER },
		{ VNIC_TUN_PI, 1, 1 }, { VNIC_TUN_VNET_HDR, 1, 1 },
		{ VNIC_TUN_PERSIST, 1, 0 }, { VNIC_TUN_MULTI_QUEUE, 1, 1 },
		{ VNIC_TUN_BACKPRESSURE, 1, 1 }, { },
	};
	struct link link;

	OURS_ALONE(NOT_MADE);
	ASSERT_EQ(0, make(variant->kind, 4, all));
	link = nl0();
	EXPECT_EQ(USER, link.data[VNIC_TUN_OWNER]);
	EXPECT_EQ(OTHER, link.data[VNIC_TUN_GROUP]);
	EXPECT_EQ(variant->mode, link.data[VNIC_TUN_TYPE]);
	EXPECT_EQ(1, link.data[VNIC_TUN_PI]);
	EXPECT_EQ(1, link.data[VNIC_TUN_VNET_HDR]);
	EXPECT_EQ(0, link.data[VNIC_TUN_PERSIST]);
	EXPECT_EQ(1, link.data[VNIC_TUN_MULTI_QUEUE]);
	EXPECT_EQ(0, link.data[VNIC_TUN_NUM_QUEUES]);
	EXPECT_EQ(0, link.data[VNIC_TUN_NUM_DISABLED_QUEUES]);
	EXPECT_EQ(1, link.data[VNIC_TUN_BACKPRESSURE]);
	EXPECT_EQ(4, link.tx_queues);
	/* It waits for a first program, and goes with the last. */
	ASSERT_EQ(0, nic_open(&self->nic, "nl0", variant->mode |
			      IFF_MULTI_QUEUE | IFF_VNET_HDR, 0));
	EXPECT_EQ(variant->mode | IFF_MULTI_QUEUE | IFF_VNET_HDR |
		  IFF_NOFILTER | IFF_BACKPRESSURE, get_iff(self->nic.fd, NULL));
	nic_close(&self->nic);
	EXPECT_EQ(-ENODEV, if_index("nl0"));
}

/* What TUNSETIFF has made is shown the same way, by in-tree tun too. */
FD_TEST(netlink, shown_of_one_that_a_program_made)
{
	struct link link;

	ASSERT_EQ(0, nic_open(&self->nic, "nl0", variant->mode |
			      IFF_MULTI_QUEUE | IFF_VNET_HDR, 0));
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETOWNER, USER));
	link = nl0();
	EXPECT_EQ(USER, link.data[VNIC_TUN_OWNER]);
	EXPECT_EQ(-1, link.data[VNIC_TUN_GROUP]);
	EXPECT_EQ(variant->mode, link.data[VNIC_TUN_TYPE]);
	EXPECT_EQ(1, link.data[VNIC_TUN_PI]);
	EXPECT_EQ(1, link.data[VNIC_TUN_VNET_HDR]);
	EXPECT_EQ(0, link.data[VNIC_TUN_PERSIST]);
	EXPECT_EQ(1, link.data[VNIC_TUN_MULTI_QUEUE]);
	EXPECT_EQ(1, link.data[VNIC_TUN_NUM_QUEUES]);
	EXPECT_EQ(0, link.data[VNIC_TUN_NUM_DISABLED_QUEUES]);
}

/* Those that may be changed, one at a time, and others together */
FD_TEST(netlink, changed)
{
	static const int yes_no[] = {
		VNIC_TUN_PI, VNIC_TUN_VNET_HDR, VNIC_TUN_PERSIST,
		VNIC_TUN_BACKPRESSURE,
	};
	static const struct attr both[] = {
		{ VNIC_TUN_OWNER, 4, 1 }, { VNIC_TUN_GROUP, 4, 2 }, { },
	}, nobody[] = {
		{ VNIC_TUN_OWNER, 4, -1 }, { VNIC_TUN_GROUP, 4, -1 }, { },
	}, one_bad[] = {
		{ VNIC_TUN_OWNER, 4, 7 }, { VNIC_TUN_MULTI_QUEUE, 1, 1 }, { },
	};
	const char *kind = variant->kind;
	unsigned int i, value;
	int index;

	OURS_ALONE(NOT_MADE);
	ASSERT_EQ(0, make(kind, 0, NO_ATTRS));
	index = if_index("nl0");
	for (i = 0; i < ARRAY_SIZE(yes_no); i++) {
		for (value = 2; value-- > 0; ) {
			struct attr attrs[] = { { yes_no[i], 1, value }, { } };

			ASSERT_EQ(0, link_change(index, kind, attrs));
			EXPECT_EQ(value, nl0().data[yes_no[i]])
				TH_LOG("attribute %d", yes_no[i]);
		}
	}
	ASSERT_EQ(0, link_change(index, kind, both));
	EXPECT_EQ(1, nl0().data[VNIC_TUN_OWNER]);
	EXPECT_EQ(2, nl0().data[VNIC_TUN_GROUP]);
	/* "Nobody" is a value, too. */
	ASSERT_EQ(0, link_change(index, kind, nobody));
	EXPECT_EQ(-1, nl0().data[VNIC_TUN_OWNER]);
	EXPECT_EQ(-1, nl0().data[VNIC_TUN_GROUP]);
	/* The number of queues is not to be changed, but may be repeated. */
	EXPECT_EQ(0, link_change(index, kind,
				 ATTRS({ VNIC_TUN_MULTI_QUEUE, 1, 0 })));
	EXPECT_EQ(-EINVAL, link_change(index, kind,
				       ATTRS({ VNIC_TUN_MULTI_QUEUE, 1, 1 })));
	/* Of two of which one is refused neither is done. */
	EXPECT_EQ(-EINVAL, link_change(index, kind, one_bad));
	EXPECT_EQ(-1, nl0().data[VNIC_TUN_OWNER]);
	EXPECT_EQ(0, link_change(index, kind, NO_ATTRS));
}

/* PERSIST taken away: of one that nobody has, it stays until somebody had it */
FD_TEST(netlink, persistence_taken_away)
{
	const struct attr *no = ATTRS({ VNIC_TUN_PERSIST, 1, 0 });
	const struct attr *yes = ATTRS({ VNIC_TUN_PERSIST, 1, 1 });

	OURS_ALONE(NOT_MADE);
	ASSERT_EQ(0, make(variant->kind, 0, NO_ATTRS));
	ASSERT_EQ(0, nic_open(&self->nic, "nl0", variant->mode, 0));
	ASSERT_EQ(0, link_change(self->nic.index, variant->kind, no));
	EXPECT_EQ(0, get_iff(self->nic.fd, NULL) & IFF_PERSIST);
	ASSERT_EQ(0, link_change(self->nic.index, variant->kind, yes));
	EXPECT_EQ(IFF_PERSIST, get_iff(self->nic.fd, NULL) & IFF_PERSIST);
	nic_close(&self->nic);
	EXPECT_LT(0, if_index("nl0"));
	ASSERT_EQ(0, link_change(self->nic.index, variant->kind, no));
	EXPECT_LT(0, if_index("nl0"));
	ASSERT_EQ(0, nic_open(&self->nic, "nl0", variant->mode, 0));
	nic_close(&self->nic);
	EXPECT_EQ(-ENODEV, if_index("nl0"));
}

/* Every attribute with every size but its own, and values outside */
FD_TEST(netlink, wrong_sizes_and_values)
{
	static const struct {
		int type, size;
	} known[] = {
		{ VNIC_TUN_OWNER, 4 }, { VNIC_TUN_GROUP, 4 },
		{ VNIC_TUN_PI, 1 }, { VNIC_TUN_VNET_HDR, 1 },
		{ VNIC_TUN_PERSIST, 1 }, { VNIC_TUN_MULTI_QUEUE, 1 },
		{ VNIC_TUN_BACKPRESSURE, 1 },
	};
	const char *kind = variant->kind;
	int size, value, result;
	unsigned int i;

	OURS_ALONE(NOT_MADE);
	ASSERT_EQ(0, make(kind, 0, NO_ATTRS));
	self->nic.index = if_index("nl0");
	for (i = 0; i < ARRAY_SIZE(known); i++) {
		for (size = 0; size <= 4; size++) {
			struct attr attrs[] = { { known[i].type, size, 0 }, { } };

			if (size == known[i].size)
				continue;
			result = link_change(self->nic.index, kind, attrs);
			EXPECT_TRUE(result == -EINVAL || result == -ERANGE)
				TH_LOG("attribute %d, %d bytes: %d",
				       known[i].type, size, result);
			result = link_make(kind, "nl1", 0, attrs);
			EXPECT_TRUE(result == -EINVAL || result == -ERANGE)
				TH_LOG("attribute %d, %d bytes: %d",
				       known[i].type, size, result);
		}
		for (value = 2; known[i].size == 1 && value < 256;
		     value += value < 4 ? 1 : 84) {
			struct attr attrs[] = { { known[i].type, 1, value },
						{ } };

			EXPECT_EQ(-ERANGE,
				  link_change(self->nic.index, kind, attrs))
				TH_LOG("attribute %d = %d", known[i].type,
				       value);
			EXPECT_EQ(-ERANGE, link_make(kind, "nl1", 0, attrs))
				TH_LOG("attribute %d = %d", known[i].type,
				       value);
		}
	}
	EXPECT_EQ(-ENODEV, if_index("nl1"));
}

/* Those that are only shown, and numbers that nobody has given a meaning */
FD_TEST(netlink, read_only_and_unknown)
{
	static const struct attr refused[] = {
		{ VNIC_TUN_TYPE, 1, 1 }, { VNIC_TUN_NUM_QUEUES, 4, 1 },
		{ VNIC_TUN_NUM_DISABLED_QUEUES, 4, 0 },
		{ 10, 1, 0 }, { 31, 1, 0 }, { 33, 1, 0 }, { 50, 4, 0 },
		{ 1000, 1, 0 },
	};
	const char *kind = variant->kind;
	unsigned int i;

	OURS_ALONE(NOT_MADE);
	ASSERT_EQ(0, make(kind, 0, NO_ATTRS));
	self->nic.index = if_index("nl0");
	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		struct attr attrs[] = { refused[i], { } };

		EXPECT_EQ(-EINVAL, link_change(self->nic.index, kind, attrs))
			TH_LOG("attribute %d", refused[i].type);
		EXPECT_EQ(-EINVAL, link_make(kind, "nl1", 0, attrs))
			TH_LOG("attribute %d", refused[i].type);
	}
	EXPECT_EQ(-ENODEV, if_index("nl1"));
}

FD_TEST(netlink, number_of_queues)
{
	static const struct attr one[] = { { VNIC_TUN_MULTI_QUEUE, 1, 0 }, { } };
	static const struct attr many[] = { { VNIC_TUN_MULTI_QUEUE, 1, 1 }, { } };
	struct request r;
	__u32 queues;

	OURS_ALONE(NOT_MADE);
	EXPECT_EQ(-EINVAL, make(variant->kind, 0, many));
	EXPECT_EQ(-EINVAL, make(variant->kind, 1, many));
	EXPECT_EQ(-EINVAL, make(variant->kind, 2, one));
	EXPECT_EQ(-EINVAL, make(variant->kind, 257, NO_ATTRS));
	EXPECT_GT(0, make(variant->kind, 100000, NO_ATTRS));
	EXPECT_EQ(-ENODEV, if_index("nl0"));
	ASSERT_EQ(0, make(variant->kind, 1, one));
	EXPECT_EQ(0, nl0().data[VNIC_TUN_MULTI_QUEUE]);
	ASSERT_EQ(0, drop());
	ASSERT_EQ(0, make(variant->kind, 2, many));
	EXPECT_EQ(1, nl0().data[VNIC_TUN_MULTI_QUEUE]);
	ASSERT_EQ(0, drop());
	ASSERT_EQ(0, make(variant->kind, 256, NO_ATTRS));
	EXPECT_EQ(256, nl0().tx_queues);
	ASSERT_EQ(0, drop());

	/* More to receive than to send; fewer are the same as many. */
	for (queues = 1; queues <= 3; queues++) {
		__u32 tx = 2;

		r = request_new(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
		request_put(&r, IFLA_IFNAME, "nl0", 4);
		request_put(&r, IFLA_NUM_TX_QUEUES, &tx, sizeof(tx));
		request_put(&r, IFLA_NUM_RX_QUEUES, &queues, sizeof(queues));
		request_put_info(&r, variant->kind, NO_ATTRS);
		EXPECT_EQ(queues > 2 ? -EINVAL : 0, request_do(&r))
			TH_LOG("%u to receive", queues);
		if (queues <= 2)
			drop();
	}
}

/* A program has to speak the framing that was said, if one was. */
FD_TEST(netlink, framing_said)
{
	const int mode = variant->mode;
	int pi, vnet, flags, wanted, asked;

	OURS_ALONE(NOT_MADE);
	/* -1 is not said: as the program likes */
	for (pi = -1; pi <= 1; pi++) {
		for (vnet = -1; vnet <= 1; vnet++) {
			struct attr attrs[3] = { }, *a = attrs;

			if (pi >= 0)
				*a++ = (struct attr) { VNIC_TUN_PI, 1, pi };
			if (vnet >= 0)
				*a++ = (struct attr) { VNIC_TUN_VNET_HDR, 1,
						       vnet };
			ASSERT_EQ(0, make(variant->kind, 0, attrs));
			for (asked = 0; asked < 4; asked++) {
				flags = (asked & 1 ? 0 : IFF_NO_PI) |
					(asked & 2 ? IFF_VNET_HDR : 0);
				wanted = (pi >= 0 && pi != (asked & 1)) ||
					 (vnet >= 0 && vnet != asked >> 1) ?
					 -EINVAL : 0;
				EXPECT_EQ(wanted, nic_open(&self->nic, "nl0",
							   mode | flags, 0))
					TH_LOG("PI %d, VNET_HDR %d, flags %#x",
					       pi, vnet, flags);
				if (!wanted)
					nic_close(&self->nic);
			}
			ASSERT_EQ(0, drop());
		}
	}
}

/* Said later, it is for programs that attach afterwards. */
FD_TEST(netlink, framing_said_later)
{
	static const struct attr both[] = {
		{ VNIC_TUN_PI, 1, 1 }, { VNIC_TUN_VNET_HDR, 1, 1 }, { },
	};
	unsigned char data[100];

	OURS_ALONE(NOT_MADE);
	ASSERT_EQ(0, make(variant->kind, 0, NO_ATTRS));
	ASSERT_EQ(0, nic_open(&self->nic, "nl0", variant->mode | IFF_NO_PI,
			      O_NONBLOCK));
	ASSERT_EQ(0, if_up("nl0"));
	ASSERT_EQ(0, link_change(self->nic.index, variant->kind, both));
	packet_fill(data, variant->mode, 100, 1);
	EXPECT_EQ(100, neg(write(self->nic.fd, data, 100)));
	EXPECT_EQ(variant->mode | IFF_NO_PI | IFF_PERSIST,
		  get_iff(self->nic.fd, NULL));
	nic_close(&self->nic);
	EXPECT_EQ(-EINVAL, nic_open(&self->nic, "nl0",
				    variant->mode | IFF_NO_PI, 0));
	ASSERT_EQ(0, nic_open(&self->nic, "nl0", variant->mode | IFF_VNET_HDR,
			      0));
	EXPECT_EQ(1, link_of(&self->nic).data[VNIC_TUN_VNET_HDR]);
}

struct attempt {
	int fd;
	uid_t uid;
	gid_t gid;
	int mode;
};

static int attach_as(void *arg)
{
	struct attempt *a = arg;
	struct nic nic;

	return become(a->uid, a->gid) ?:
	       nic_attach(&nic, a->fd, "nl0", a->mode);
}

static int attempt(int mode, uid_t uid, gid_t gid)
{
	struct attempt a = { device_open(0), uid, gid, mode };
	int result = in_child(attach_as, &a);

	close(a.fd);
	return result;
}

FD_TEST(netlink, owner_and_group_may)
{
	const char *kind = variant->kind;
	int index;

	OURS_ALONE(NOT_MADE);
	ASSERT_EQ(0, make(kind, 0, ATTRS({ VNIC_TUN_OWNER, 4, USER })));
	index = if_index("nl0");
	EXPECT_EQ(0, attempt(variant->mode, USER, USER));
	EXPECT_EQ(-EPERM, attempt(variant->mode, OTHER, OTHER));
	ASSERT_EQ(0, link_change(index, kind,
				 ATTRS({ VNIC_TUN_GROUP, 4, OTHER })));
	EXPECT_EQ(-EPERM, attempt(variant->mode, USER, USER));
	EXPECT_EQ(0, attempt(variant->mode, USER, OTHER));
	ASSERT_EQ(0, link_change(index, kind,
				 ATTRS({ VNIC_TUN_OWNER, 4, -1 })));
	EXPECT_EQ(0, attempt(variant->mode, 4711, OTHER));
	ASSERT_EQ(0, link_change(index, kind,
				 ATTRS({ VNIC_TUN_GROUP, 4, -1 })));
	EXPECT_EQ(-EPERM, attempt(variant->mode, USER, OTHER));
}

struct order {
	const char *kind;
	const struct attr *attrs;
	int index;
};

static int order_as_user(void *arg)
{
	struct order *order = arg;

	return become(USER, USER) ?: order->index ?
	       link_change(order->index, order->kind, order->attrs) :
	       link_make(order->kind, "nl1", 0, order->attrs);
}

FD_TEST(netlink, needs_a_privilege)
{
	struct order order = { variant->kind, NO_ATTRS, 0 };

	OURS_ALONE(NOT_MADE);
	ASSERT_EQ(0, make(variant->kind, 0,
			  ATTRS({ VNIC_TUN_OWNER, 4, USER })));
	EXPECT_EQ(-EPERM, in_child(order_as_user, &order));
	/* The owner may use it, not give it away. */
	order.index = if_index("nl0");
	order.attrs = ATTRS({ VNIC_TUN_OWNER, 4, OTHER });
	EXPECT_EQ(-EPERM, in_child(order_as_user, &order));
	EXPECT_EQ(USER, nl0().data[VNIC_TUN_OWNER]);
	EXPECT_EQ(-ENODEV, if_index("nl1"));
}

/*
 * In a user namespace of its own somebody is root, and numbers are its own:
 * only 0 is known there, and it is USER outside.
 */
static int order_in_user_namespace(void *arg)
{
	struct order *order = arg;
	char map[32];
	int result;

	result = become(USER, USER);
	if (result)
		return result;
	/* A change of user makes /proc/self root's. */
	if (prctl(PR_SET_DUMPABLE, 1) || unshare(CLONE_NEWUSER))
		return -EUSERS;
	snprintf(map, sizeof(map), "0 %d 1", USER);
	result = write_file("/proc/self/uid_map", map);
	if (result || unshare(CLONE_NEWNET))
		return -EUSERS;
	return link_make(order->kind, "nl1", 0, order->attrs) ?:
	       link_change(if_index("nl1"), order->kind,
			   ATTRS({ VNIC_TUN_OWNER, 4, 0 }));
}

/* The namespace of another user's is not one to make devices in. */
static int order_from_user_namespace(void *arg)
{
	struct order *order = arg;

	if (become(USER, USER) || unshare(CLONE_NEWUSER))
		return -EUSERS;
	return link_make(order->kind, "nl1", 0, order->attrs);
}

FD_TEST(netlink, user_namespaces)
{
	struct order order = { variant->kind, NO_ATTRS };
	int result;

	OURS_ALONE(NOT_MADE);
	result = in_child(order_in_user_namespace, &order);
	if (result == -EUSERS)
		SKIP(return, "no user namespaces for users");
	EXPECT_EQ(0, result);
	order.attrs = ATTRS({ VNIC_TUN_OWNER, 4, 0 });
	EXPECT_EQ(0, in_child(order_in_user_namespace, &order));
	/* 1 is nobody that is known there. */
	order.attrs = ATTRS({ VNIC_TUN_OWNER, 4, 1 });
	EXPECT_EQ(-EINVAL, in_child(order_in_user_namespace, &order));
	order.attrs = ATTRS({ VNIC_TUN_GROUP, 4, 0 });
	EXPECT_EQ(-EINVAL, in_child(order_in_user_namespace, &order));
	order.attrs = NO_ATTRS;
	EXPECT_EQ(-EPERM, in_child(order_from_user_namespace, &order));
}

/* Is it told, sooner or later, that an attribute of a device has this value? */
static bool announced(int sock, int index, int attribute, int value)
{
	union {
		struct nlmsghdr head;
		char bytes[16384];
	} message;
	struct ifinfomsg *info = NLMSG_DATA(&message.head);
	struct link link;

	while (recv(sock, &message, sizeof(message), 0) > 0) {
		if (message.head.nlmsg_type != RTM_NEWLINK ||
		    info->ifi_index != index)
			continue;
		link_parse(&message.head, &link);
		if (link.data[attribute] == value)
			return true;
	}
	return false;
}

static int listen_to_links(void)
{
	struct timeval patience = { .tv_sec = FD_PATIENCE / 1000 };
	struct sockaddr_nl address = {
		.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK,
	};
	int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return bind(sock, (void *)&address, sizeof(address)) ? -errno : sock;
}

/* Whoever watches is told what a program has changed. */
FD_TEST(netlink, announced)
{
	struct nic second;
	int sock, index;

	ASSERT_EQ(0, nic_open(&self->nic, "nl0", variant->mode |
			      IFF_MULTI_QUEUE, 0));
	index = self->nic.index;
	/* Of what is down the core tells nobody. */
	ASSERT_EQ(0, if_up("nl0"));
	sock = listen_to_links();
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETPERSIST, 1));
	EXPECT_TRUE(announced(sock, index, VNIC_TUN_PERSIST, 1));
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETPERSIST, 0));
	EXPECT_TRUE(announced(sock, index, VNIC_TUN_PERSIST, 0));
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETOWNER, USER));
	EXPECT_TRUE(announced(sock, index, VNIC_TUN_OWNER, USER));
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETGROUP, OTHER));
	EXPECT_TRUE(announced(sock, index, VNIC_TUN_GROUP, OTHER));
	ASSERT_EQ(0, nic_open(&second, "nl0", variant->mode | IFF_MULTI_QUEUE,
			      0));
	EXPECT_TRUE(announced(sock, index, VNIC_TUN_NUM_QUEUES, 2));
	ASSERT_EQ(0, set_queue(second.fd, IFF_DETACH_QUEUE));
	EXPECT_TRUE(announced(sock, index, VNIC_TUN_NUM_DISABLED_QUEUES, 1));
	ASSERT_EQ(0, set_queue(second.fd, IFF_ATTACH_QUEUE));
	EXPECT_TRUE(announced(sock, index, VNIC_TUN_NUM_DISABLED_QUEUES, 0));
	nic_close(&second);
	EXPECT_TRUE(announced(sock, index, VNIC_TUN_NUM_QUEUES, 1));
	close(sock);
}

TEST_HARNESS_MAIN
