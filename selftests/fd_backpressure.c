// SPDX-License-Identifier: GPL-2.0
/*
 * IFF_BACKPRESSURE: a full ring stops the transmit queue, so that packets wait
 * in the qdisc, where somebody may sort, mark or slow them, and none is lost.
 *
 *   socket --> qdisc --> ring --> read(fd)
 *                 ^--stop--|
 *                 '--wake-- when half of it is read
 */
#include "fd_bpf.h"

#include <linux/pkt_sched.h>

FD_FIXTURE(backpressure)

#define RING		16

static __u64 dropped(const struct nic *nic)
{
	return link_of(nic).stats.tx_dropped;
}

/* tc qdisc replace dev INDEX parent PARENT handle HANDLE KIND [limit 1000] */
static int qdisc(int index, __u32 parent, __u32 handle, const char *kind)
{
	struct {
		struct nlmsghdr head;
		struct tcmsg tc;
		struct rtattr kind_head;
		char kind[8];
		struct rtattr options;
		struct tc_fifo_qopt fifo;
	} message = {
		.head = {
			.nlmsg_len = sizeof(message),
			.nlmsg_type = RTM_NEWQDISC,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK |
				       NLM_F_CREATE | NLM_F_REPLACE,
		},
		.tc = {
			.tcm_ifindex = index, .tcm_parent = parent,
			.tcm_handle = handle,
		},
		.kind_head = { RTA_LENGTH(8), TCA_KIND },
		.options = { RTA_LENGTH(sizeof(message.fifo)), TCA_OPTIONS },
		.fifo.limit = 1000,
	};
	char reply[1024];

	snprintf(message.kind, sizeof(message.kind), "%s", kind);
	if (strcmp(kind, "pfifo"))
		message.head.nlmsg_len = offsetof(typeof(message), options);
	return message_send(&message.head, reply, sizeof(reply));
}

/* A ring of RING packets, above it a qdisc of a thousand */
static int start(struct nic *nic, int flags)
{
	int result = nic_open(nic, "bp0", flags | IFF_NO_PI, O_NONBLOCK);

	if (!result)
		result = if_set("bp0", SIOCSIFTXQLEN, RING);
	if (!result && qdisc(nic->index, TC_H_ROOT, 0, "pfifo"))
		result = -ENOPKG;
	return result ?: if_up("bp0");
}

#define START(flags) do {						\
	int result_ = start(&self->nic, flags);				\
									\
	if (result_ == -ENOPKG)						\
		SKIP(return, "no qdiscs in this kernel");	\
	ASSERT_EQ(0, result_);						\
	if (in_tree() && !(get_iff(self->nic.fd, NULL) & IFF_BACKPRESSURE)) \
		SKIP(return, "in-tree tun of this kernel has none");	\
} while (0)

/* Reads all of @count packets, which begin at @seed, in order. */
static int read_all(int fd, int mode, int seed, int count)
{
	int done = 0, result;

	while (done < count) {
		if (!(poll_wait(fd, POLLIN) & POLLIN))
			return done;
		result = read_in_order(fd, mode, 100, seed + done);
		if (result < 0)
			return result;
		done += result;
	}
	return done;
}

FD_TEST(backpressure, stops_instead_of_dropping)
{
	int sock;

	START(variant->mode | IFF_BACKPRESSURE);
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 10 * RING));
	EXPECT_EQ(0, dropped(&self->nic));
	EXPECT_EQ(10 * RING, read_all(self->nic.fd, variant->mode, 0,
				      10 * RING));
	EXPECT_EQ(0, dropped(&self->nic));
	EXPECT_EQ(10 * RING, link_of(&self->nic).stats.tx_packets);
	EXPECT_EQ(-EAGAIN, neg(read(self->nic.fd, (char [8]) {}, 8)));
	if (!in_tree()) {
		EXPECT_LT(0, ethtool_counter("bp0", "tx_stop"));
		EXPECT_LE(ethtool_counter("bp0", "tx_stop"),
			  ethtool_counter("bp0", "tx_wake"));
	}
	/* And once more, from a state that it has been in */
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 3 * RING));
	EXPECT_EQ(3 * RING, read_all(self->nic.fd, variant->mode, 0, 3 * RING));
	EXPECT_EQ(0, dropped(&self->nic));
	close(sock);
}

FD_TEST(backpressure, drops_without_it)
{
	int sock, result = start(&self->nic, variant->mode);

	if (result == -ENOPKG)
		SKIP(return, "no qdiscs in this kernel");
	ASSERT_EQ(0, result);
	EXPECT_EQ(0, get_iff(self->nic.fd, NULL) & IFF_BACKPRESSURE);
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 3 * RING));
	EXPECT_EQ(2 * RING, dropped(&self->nic));
	EXPECT_EQ(RING, read_in_order(self->nic.fd, variant->mode, 100, 0));
	close(sock);
}

/* With nothing above that could hold them it can but drop. */
FD_TEST(backpressure, drops_without_a_qdisc)
{
	int sock;

	START(variant->mode | IFF_BACKPRESSURE);
	ASSERT_EQ(0, qdisc(self->nic.index, TC_H_ROOT, 0, "noqueue"));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 3 * RING));
	EXPECT_EQ(2 * RING, dropped(&self->nic));
	EXPECT_EQ(RING, read_in_order(self->nic.fd, variant->mode, 100, 0));
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 3));
	EXPECT_EQ(3, read_in_order(self->nic.fd, variant->mode, 100, 0));
	close(sock);
}

/* Sends as fast as it may, which the socket's own buffer limits. */
static void *flood_body(void *arg)
{
	int *args = arg, small = 4096, i;
	unsigned char data[100];

	setsockopt(args[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	for (i = 0; i < args[2]; i++) {
		packet_fill(data, args[1], 100, i);
		if (send(args[0], data, 100, 0) != 100)
			return (void *)(long)errno;
	}
	return NULL;
}

/* Reads all that somebody sends meanwhile; returns how many, or an error. */
static int read_flood(const struct nic *nic, int mode, int count)
{
	int result, args[3] = { packet_socket(nic->index), mode, count };
	pthread_t thread;
	void *failed;

	if (args[0] < 0 || pthread_create(&thread, NULL, flood_body, args))
		return -EPIPE;
	result = read_all(nic->fd, mode, 0, count);
	pthread_join(thread, &failed);
	close(args[0]);
	return failed ? -(long)failed : result;
}

/* The sender waits for the reader, however long that takes. */
FD_TEST(backpressure, sender_is_slowed_down)
{
	START(variant->mode | IFF_BACKPRESSURE);
	EXPECT_EQ(2000, read_flood(&self->nic, variant->mode, 2000));
	EXPECT_EQ(0, dropped(&self->nic));
}

/* The shorter the ring, the more often both of them are at its ends at once. */
FD_TEST(backpressure, through_a_short_ring)
{
	if (in_tree())
		SKIP(return, "no promise of the in-tree driver's");
	START(variant->mode | IFF_BACKPRESSURE);
	ASSERT_EQ(0, if_set("bp0", SIOCSIFTXQLEN, 1));
	EXPECT_EQ(10000, read_flood(&self->nic, variant->mode, 10000));
	EXPECT_EQ(0, dropped(&self->nic));
}

FD_TEST(backpressure, down_and_up_while_stopped)
{
	int sock, left;

	START(variant->mode | IFF_BACKPRESSURE);
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 2 * RING));
	ASSERT_EQ(0, if_down("bp0"));
	/* Down, reading does not start what is stopped for good. */
	left = read_in_order(self->nic.fd, variant->mode, 100, 0);
	EXPECT_EQ(RING, left);
	ASSERT_EQ(0, if_up("bp0"));
	close(sock);
	sock = packet_socket(self->nic.index);
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 50, 50 + 4 * RING));
	EXPECT_EQ(4 * RING, read_all(self->nic.fd, variant->mode, 50, 4 * RING));
	EXPECT_EQ(0, dropped(&self->nic));

	/* The same with a ring that stays full */
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 2 * RING));
	ASSERT_EQ(0, if_down("bp0"));
	ASSERT_EQ(0, if_up("bp0"));
	EXPECT_EQ(RING, read_all(self->nic.fd, variant->mode, 0, RING));
	close(sock);
	sock = packet_socket(self->nic.index);
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 3 * RING));
	EXPECT_EQ(3 * RING, read_all(self->nic.fd, variant->mode, 0, 3 * RING));
	close(sock);
}

/*
 * Not by txqueuelen, where there is another way: old kernels empty the qdisc
 * when that changes.
 */
static int ring_length(const struct nic *nic, int length)
{
	struct ethtool_ringparam ring = { .cmd = ETHTOOL_GRINGPARAM };

	if (in_tree())
		return if_set(nic->name, SIOCSIFTXQLEN, length);
	ethtool(nic->name, &ring);
	ring.cmd = ETHTOOL_SRINGPARAM;
	ring.tx_pending = length;
	return ethtool(nic->name, &ring);
}

FD_TEST(backpressure, resized_while_stopped)
{
	int sock;

	START(variant->mode | IFF_BACKPRESSURE);
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 6 * RING));
	/* More room: some more come down at once, and nothing hangs. */
	ASSERT_EQ(0, ring_length(&self->nic, 2 * RING));
	EXPECT_EQ(6 * RING, read_all(self->nic.fd, variant->mode, 0, 6 * RING));
	EXPECT_EQ(0, dropped(&self->nic));
	/* Less room than there are packets: the newest are lost, and counted. */
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 2 * RING));
	ASSERT_EQ(0, ring_length(&self->nic, RING / 2));
	if (!in_tree()) {
		EXPECT_EQ(2 * RING - RING / 2, dropped(&self->nic));
	}
	EXPECT_EQ(RING / 2, read_in_order(self->nic.fd, variant->mode, 100, 0));
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 6 * RING));
	EXPECT_EQ(6 * RING, read_all(self->nic.fd, variant->mode, 0, 6 * RING));
	close(sock);
}

/* One of two queues, full, is taken away: the other one gets its packets. */
FD_TEST(backpressure, detached_while_stopped)
{
	const int flags = variant->mode | IFF_MULTI_QUEUE | IFF_BACKPRESSURE;
	struct nic second;
	int sock, prog;

	ASSERT_EQ(0, nic_open(&self->nic, "bp0", flags | IFF_NO_PI,
			      O_NONBLOCK));
	if (in_tree() && !(get_iff(self->nic.fd, NULL) & IFF_BACKPRESSURE))
		SKIP(return, "in-tree tun of this kernel has none");
	ASSERT_EQ(0, nic_open(&second, "bp0", flags | IFF_NO_PI, O_NONBLOCK));
	ASSERT_EQ(0, if_set("bp0", SIOCSIFTXQLEN, RING));
	ASSERT_EQ(0, if_up("bp0"));
	/* All to the second of two */
	prog = BPF(BPF_PROG_TYPE_SOCKET_FILTER, MOVE_IMM(BPF_REG_0, 1), EXIT());
	ASSERT_EQ(0, set_number(self->nic.fd, TUNSETSTEERINGEBPF, prog));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, RING));
	EXPECT_EQ(0, dropped(&self->nic));
	ASSERT_EQ(0, set_queue(second.fd, IFF_DETACH_QUEUE));
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, RING));
	EXPECT_EQ(RING, read_all(self->nic.fd, variant->mode, 0, RING));
	ASSERT_EQ(0, set_queue(second.fd, IFF_ATTACH_QUEUE));
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, RING));
	EXPECT_EQ(RING, read_all(second.fd, variant->mode, 0, RING));
	/* The first one goes: the second, full, takes its place. */
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, RING));
	nic_close(&self->nic);
	EXPECT_EQ(RING, read_all(second.fd, variant->mode, 0, RING));
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, RING));
	EXPECT_EQ(RING, read_all(second.fd, variant->mode, 0, RING));
	close(sock);
	nic_close(&second);
}

/* The program goes while its queue is stopped: the next one finds it open. */
FD_TEST(backpressure, closed_while_stopped)
{
	int sock;

	START(variant->mode | IFF_BACKPRESSURE);
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETPERSIST, 1));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 2 * RING));
	nic_close(&self->nic);
	ASSERT_EQ(0, nic_open(&self->nic, "bp0", variant->mode | IFF_NO_PI |
			      IFF_BACKPRESSURE, O_NONBLOCK));
	ASSERT_TRUE(WAIT_FOR(link_of(&self->nic).flags & IFF_RUNNING));
	while (read(self->nic.fd, (char [128]) {}, 128) > 0)
		;
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 3 * RING));
	EXPECT_EQ(3 * RING, read_all(self->nic.fd, variant->mode, 0, 3 * RING));
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETPERSIST, 0));
	close(sock);
}

/* The whole device is deleted while its queue is stopped. */
FD_TEST(backpressure, deleted_while_stopped)
{
	int sock;

	START(variant->mode | IFF_BACKPRESSURE);
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 2 * RING));
	ASSERT_EQ(0, link_delete(self->nic.index));
	EXPECT_EQ(-EBADFD, neg(read(self->nic.fd, (char [128]) {}, 128)));
	close(sock);
}

/* Reads what is there; how many packets it has been since the beginning */
static __u64 drain(const struct nic *nic)
{
	unsigned char data[128];

	while (read(nic->fd, data, sizeof(data)) > 0)
		;
	return link_of(nic).stats.tx_packets;
}

/* By netlink it is the device's, for programs that do not know of it. */
FD_TEST(backpressure, of_the_device)
{
	const struct attr *on = ATTRS({ VNIC_TUN_BACKPRESSURE, 1, 1 });
	const struct attr *off = ATTRS({ VNIC_TUN_BACKPRESSURE, 1, 0 });
	int sock;

	OURS_ALONE("not made by netlink");
	ASSERT_EQ(0, link_make(variant->kind, "bp0", 0, on));
	START(variant->mode);
	EXPECT_EQ(IFF_BACKPRESSURE, get_iff(self->nic.fd, NULL) &
		  IFF_BACKPRESSURE);
	EXPECT_EQ(1, link_of(&self->nic).data[VNIC_TUN_BACKPRESSURE]);
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 3 * RING));
	EXPECT_EQ(0, dropped(&self->nic));

	/* Turned off while packets wait: they come down and find no room. */
	ASSERT_EQ(0, link_change(self->nic.index, variant->kind, off));
	EXPECT_EQ(0, link_of(&self->nic).data[VNIC_TUN_BACKPRESSURE]);
	EXPECT_EQ(0, get_iff(self->nic.fd, NULL) & IFF_BACKPRESSURE);
	ASSERT_TRUE(WAIT_FOR(drain(&self->nic) + dropped(&self->nic) ==
			     3 * RING));
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, RING));
	EXPECT_EQ(RING, read_in_order(self->nic.fd, variant->mode, 100, 0));

	ASSERT_EQ(0, link_change(self->nic.index, variant->kind, on));
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 3 * RING));
	EXPECT_EQ(3 * RING, read_all(self->nic.fd, variant->mode, 0, 3 * RING));
	close(sock);
}

/* A device that has always dropped has no qdisc; it gets one, up as it is. */
FD_TEST(backpressure, turned_on_later)
{
	const struct attr *on = ATTRS({ VNIC_TUN_BACKPRESSURE, 1, 1 });
	const struct attr *off = ATTRS({ VNIC_TUN_BACKPRESSURE, 1, 0 });
	const int flags = variant->mode | IFF_MULTI_QUEUE | IFF_NO_PI;
	int sock;

	OURS_ALONE("always has a qdisc");
	ASSERT_EQ(0, nic_open(&self->nic, "bp0", flags, O_NONBLOCK));
	ASSERT_EQ(0, if_set("bp0", SIOCSIFTXQLEN, RING));
	ASSERT_EQ(0, if_up("bp0"));
	EXPECT_EQ(0, shell("ip link show %s | grep -q 'qdisc noqueue'", "bp0"));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 2 * RING));
	EXPECT_EQ(RING, dropped(&self->nic));
	EXPECT_EQ(RING, read_in_order(self->nic.fd, variant->mode, 100, 0));

	ASSERT_EQ(0, link_change(self->nic.index, variant->kind, on));
	EXPECT_NE(0, shell("ip link show %s | grep -q 'qdisc noqueue'", "bp0"));
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 2 * RING));
	EXPECT_EQ(RING, dropped(&self->nic));
	/* Not in order, perhaps: the default qdisc may tell flows apart. */
	EXPECT_TRUE(WAIT_FOR(drain(&self->nic) == 3 * RING));

	/* It stays when it is no longer needed, and is not made twice. */
	ASSERT_EQ(0, link_change(self->nic.index, variant->kind, off));
	ASSERT_EQ(0, link_change(self->nic.index, variant->kind, on));
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 2 * RING));
	EXPECT_TRUE(WAIT_FOR(drain(&self->nic) == 5 * RING));
	close(sock);
}

/* What somebody has put there stays, none included. */
FD_TEST(backpressure, turned_on_later_without_a_qdisc)
{
	struct nic second;
	int sock;

	OURS_ALONE("the flag is the device's");
	START(variant->mode);
	ASSERT_EQ(0, qdisc(self->nic.index, TC_H_ROOT, 0, "noqueue"));
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETPERSIST, 1));
	nic_close(&self->nic);
	ASSERT_EQ(0, nic_open(&second, "bp0", variant->mode | IFF_NO_PI |
			      IFF_BACKPRESSURE, O_NONBLOCK));
	ASSERT_TRUE(WAIT_FOR(link_of(&second).flags & IFF_RUNNING));
	sock = packet_socket(second.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 2 * RING));
	EXPECT_EQ(RING, read_in_order(second.fd, variant->mode, 100, 0));
	ASSERT_EQ(0, do_ioctl(second.fd, TUNSETPERSIST, 0));
	close(sock);
	nic_close(&second);
}

/* Asked for by a program that comes later, it is that queue's alone. */
FD_TEST(backpressure, of_one_queue)
{
	const int flags = variant->mode | IFF_MULTI_QUEUE | IFF_NO_PI;
	struct nic second;
	int sock;

	OURS_ALONE("the flag is the device's");
	ASSERT_EQ(0, nic_open(&self->nic, "bp0", flags, O_NONBLOCK));
	ASSERT_EQ(0, nic_open(&second, "bp0", flags | IFF_BACKPRESSURE,
			      O_NONBLOCK));
	EXPECT_EQ(flags | IFF_BACKPRESSURE, get_iff(second.fd, NULL));
	EXPECT_EQ(flags, get_iff(self->nic.fd, NULL));
	ASSERT_EQ(0, if_set("bp0", SIOCSIFTXQLEN, RING));
	ASSERT_EQ(0, if_up("bp0"));
	if (qdisc(self->nic.index, TC_H_ROOT, 0x10000, "mq") ||
	    qdisc(self->nic.index, 0x10001, 0, "pfifo") ||
	    qdisc(self->nic.index, 0x10002, 0, "pfifo"))
		SKIP(return, "no mq or no pfifo in this kernel");
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, set_number(self->nic.fd, TUNSETSTEERINGEBPF,
				BPF(BPF_PROG_TYPE_SOCKET_FILTER,
				    MOVE_IMM(BPF_REG_0, 0), EXIT())));
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 3 * RING));
	EXPECT_EQ(2 * RING, dropped(&self->nic));
	EXPECT_EQ(RING, read_in_order(self->nic.fd, variant->mode, 100, 0));
	ASSERT_EQ(0, set_number(self->nic.fd, TUNSETSTEERINGEBPF,
				BPF(BPF_PROG_TYPE_SOCKET_FILTER,
				    MOVE_IMM(BPF_REG_0, 1), EXIT())));
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 3 * RING));
	EXPECT_EQ(2 * RING, dropped(&self->nic));
	EXPECT_EQ(3 * RING, read_all(second.fd, variant->mode, 0, 3 * RING));
	close(sock);
	nic_close(&second);
}

TEST_HARNESS_MAIN
