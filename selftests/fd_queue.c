// SPDX-License-Identifier: GPL-2.0
/*
 * Many files at one device: who is let in, where packets go, and what happens
 * to them when a queue comes or goes.
 *
 *   fd 0 --- queue 0 ---\
 *   fd 1 --- queue 1 ----+--- interface --- stack (LOCAL)
 *   fd 2 --- queue 2 ---/         \
 *                            a flow: PORT at LOCAL, another at REMOTE
 */
#include "fd_bpf.h"
#include "fd_flow.h"

FD_FIXTURE(queue)

#define MOST		256		/* queues of one device */
#define FLOWS		32

static int open_queue(const char *name, int flags)
{
	struct nic nic;
	int result = nic_open(&nic, name, flags | IFF_MULTI_QUEUE | IFF_NO_PI,
			      O_NONBLOCK);

	return result ?: nic.fd;
}

/* A device with @count queues, up, LOCAL; its first fd is that of @nic. */
static int start(struct nic *nic, int *fds, int count, int mode)
{
	int i, result;

	result = nic_open(nic, "mq0", mode | IFF_MULTI_QUEUE | IFF_NO_PI,
			  O_NONBLOCK);
	if (result)
		return result;
	fds[0] = nic->fd;
	for (i = 1; i < count; i++) {
		fds[i] = open_queue("mq0", mode);
		if (fds[i] < 0)
			return fds[i];
	}
	return if_up("mq0") ?: stack_start(nic, mode);
}

/* Reads the next packet, from whichever fd; which one it was, or -errno */
static int arrives(const int *fds, int count, void *data, int size)
{
	struct pollfd polls[16];
	int i, found = -ETIMEDOUT;

	for (i = 0; i < count; i++)
		polls[i] = (struct pollfd) { .fd = fds[i], .events = POLLIN };
	if (poll(polls, count, FD_PATIENCE) < 0)
		return -errno;
	for (i = 0; i < count; i++) {
		if (!(polls[i].revents & POLLIN))
			continue;
		if (found >= 0)
			return -EMLINK;
		if (read(fds[i], data, size) < 0)
			return -errno;
		found = i;
	}
	return found;
}

/* The stack sends to @port of REMOTE: at which queue does it come out? */
static int queue_of(int sock, const int *fds, int count, int port)
{
	unsigned char data[256];
	int result = stack_send(sock, "answer", 6, port);

	return result < 0 ? result : arrives(fds, count, data, sizeof(data));
}

/* The program sends from @port of REMOTE by this fd. */
static int flow_write(const struct nic *nic, int fd, int mode, int port)
{
	struct flow flow = {
		.mode = mode, .proto = IPPROTO_UDP, .from = port,
	};
	unsigned char data[256];
	int len;

	if (mode == IFF_TAP)
		nic_mac(nic, flow.mac);
	len = flow_build(&flow, data, 10, port);
	return neg(write(fd, data, len)) == len ? 0 : -EIO;
}

FD_TEST(queue, no_more_than_256)
{
	int fds[MOST], i, extra;
	struct link link;

	ASSERT_EQ(0, see_sysfs());
	for (i = 0; i < MOST; i++) {
		fds[i] = open_queue("mq0", variant->mode);
		ASSERT_LE(0, fds[i]) TH_LOG("queue %d", i);
	}
	self->nic.index = if_index("mq0");
	link = link_of(&self->nic);
	EXPECT_EQ(MOST, link.data[VNIC_TUN_NUM_QUEUES]);
	EXPECT_EQ(0, link.data[VNIC_TUN_NUM_DISABLED_QUEUES]);
	EXPECT_EQ(0, access("/sys/class/net/mq0/queues/tx-255", F_OK));
	EXPECT_EQ(-E2BIG, open_queue("mq0", variant->mode));

	/* A detached one holds its place, a closed one does not. */
	ASSERT_EQ(0, set_queue(fds[7], IFF_DETACH_QUEUE));
	EXPECT_EQ(-E2BIG, open_queue("mq0", variant->mode));
	link = link_of(&self->nic);
	EXPECT_EQ(MOST - 1, link.data[VNIC_TUN_NUM_QUEUES]);
	EXPECT_EQ(1, link.data[VNIC_TUN_NUM_DISABLED_QUEUES]);
	close(fds[7]);
	extra = open_queue("mq0", variant->mode);
	EXPECT_LE(0, extra);
	EXPECT_EQ(-E2BIG, open_queue("mq0", variant->mode));
	/* All go at once with their device: one by one takes long. */
	EXPECT_EQ(0, link_delete(self->nic.index));
	EXPECT_EQ(-EBADFD, get_iff(extra, NULL));
	EXPECT_EQ(-EBADFD, get_iff(fds[0], NULL));
}

FD_TEST(queue, flags_must_agree)
{
	const int other = variant->mode == IFF_TUN ? IFF_TAP : IFF_TUN;
	struct nic nic;
	int second;

	self->nic.fd = open_queue("mq0", variant->mode);
	ASSERT_LE(0, self->nic.fd);
	EXPECT_EQ(-EINVAL, nic_open(&nic, "mq0", variant->mode, 0));
	EXPECT_EQ(-EINVAL, open_queue("mq0", other));
	EXPECT_EQ(-EBUSY, open_queue("mq0", variant->mode | IFF_TUN_EXCL));
	second = open_queue("mq0", variant->mode);
	EXPECT_LE(0, second);
	EXPECT_EQ(variant->mode | IFF_MULTI_QUEUE | IFF_NO_PI,
		  get_iff(second, NULL));

	ASSERT_EQ(0, nic_open(&nic, "one0", variant->mode, 0));
	EXPECT_EQ(-EINVAL, open_queue("one0", variant->mode));
	EXPECT_EQ(-EBUSY, nic_open(&nic, "one0", variant->mode, 0));
}

FD_TEST(queue, set_queue_in_every_state)
{
	const int flags = variant->mode | IFF_MULTI_QUEUE | IFF_NO_PI;
	struct nic again;
	int fd = device_open(0), second;

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EINVAL, set_queue(fd, IFF_ATTACH_QUEUE));
	EXPECT_EQ(-EINVAL, set_queue(fd, IFF_DETACH_QUEUE));
	EXPECT_EQ(-EFAULT, do_ioctl(fd, TUNSETQUEUE, NULL));

	ASSERT_EQ(0, nic_attach(&self->nic, fd, "mq0", flags));
	second = open_queue("mq0", variant->mode);
	EXPECT_EQ(-EINVAL, set_queue(fd, IFF_ATTACH_QUEUE));
	EXPECT_EQ(-EINVAL, set_queue(fd, 0));
	EXPECT_EQ(-EINVAL, set_queue(fd, flags));
	EXPECT_EQ(-EINVAL, set_queue(fd, IFF_ATTACH_QUEUE | IFF_DETACH_QUEUE));
	EXPECT_EQ(flags, get_iff(fd, NULL));

	ASSERT_EQ(0, set_queue(fd, IFF_DETACH_QUEUE));
	EXPECT_EQ(flags | IFF_DETACH_QUEUE, get_iff(fd, NULL));
	EXPECT_EQ(flags, get_iff(second, NULL));
	EXPECT_EQ(-EINVAL, set_queue(fd, IFF_DETACH_QUEUE));
	EXPECT_EQ(-EINVAL, set_queue(fd, 0));
	EXPECT_EQ(-EEXIST, nic_attach(&again, fd, "mq0", flags));

	/* Whoever has the file may, whatever its privileges. */
	ASSERT_EQ(0, set_queue(fd, IFF_ATTACH_QUEUE | IFF_DETACH_QUEUE));
	EXPECT_EQ(flags, get_iff(fd, NULL));

	ASSERT_EQ(0, set_queue(fd, IFF_DETACH_QUEUE));
	ASSERT_EQ(0, link_delete(self->nic.index));
	EXPECT_EQ(-EINVAL, set_queue(fd, IFF_ATTACH_QUEUE));
	EXPECT_EQ(-EINVAL, set_queue(fd, IFF_DETACH_QUEUE));
	EXPECT_EQ(-EINVAL, set_queue(second, IFF_ATTACH_QUEUE));
	EXPECT_EQ(-EINVAL, set_queue(second, IFF_DETACH_QUEUE));
}

static int toggle(void *arg)
{
	int fd = *(int *)arg;

	return become(USER, USER) ?: set_queue(fd, IFF_DETACH_QUEUE) ?:
	       set_queue(fd, IFF_ATTACH_QUEUE);
}

/* The file is the permission: QEMU gives up its privileges before. */
FD_TEST(queue, set_queue_needs_no_privilege)
{
	int second;

	self->nic.fd = open_queue("mq0", variant->mode);
	second = open_queue("mq0", variant->mode);
	ASSERT_LE(0, second);
	EXPECT_EQ(0, in_child(toggle, &second));
}

/* What a detached queue still is: a file of this device, without packets */
FD_TEST(queue, detached)
{
	unsigned char data[256];
	struct link link;
	int fds[2], sock;

	ASSERT_EQ(0, start(&self->nic, fds, 2, variant->mode));
	ASSERT_EQ(0, set_queue(fds[1], IFF_DETACH_QUEUE));
	EXPECT_EQ(-EAGAIN, neg(read(fds[1], data, sizeof(data))));
	EXPECT_EQ(POLLOUT, poll_now(fds[1], POLLIN | POLLOUT));
	EXPECT_LE(0, get_number(fds[1], TUNGETSNDBUF));
	EXPECT_EQ(0, do_ioctl(fds[1], TUNSETPERSIST, 0));

	/* It may send, but is sent nothing. */
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	packet_fill(data, variant->mode, 60, 1);
	EXPECT_EQ(60, neg(write(fds[1], data, 60)));
	EXPECT_EQ(60, receive(sock, data, sizeof(data), NULL));
	ASSERT_EQ(0, send_packets(sock, variant->mode, 60, 0, 20));
	EXPECT_EQ(20, read_in_order(fds[0], variant->mode, 60, 0));
	EXPECT_EQ(-EAGAIN, neg(read(fds[1], data, sizeof(data))));

	/* With nobody attached packets are lost, and counted. */
	ASSERT_EQ(0, set_queue(fds[0], IFF_DETACH_QUEUE));
	ASSERT_EQ(0, send_packets(sock, variant->mode, 60, 0, 5));
	link = link_of(&self->nic);
	EXPECT_EQ(5, link.stats.tx_dropped);
	EXPECT_EQ(1, link.carrier);
	EXPECT_EQ(0, link.data[VNIC_TUN_NUM_QUEUES]);
	EXPECT_EQ(2, link.data[VNIC_TUN_NUM_DISABLED_QUEUES]);

	ASSERT_EQ(0, set_queue(fds[1], IFF_ATTACH_QUEUE));
	ASSERT_EQ(0, send_packets(sock, variant->mode, 60, 0, 3));
	EXPECT_EQ(3, read_in_order(fds[1], variant->mode, 60, 0));

	/* The device is there until the last of its files is closed. */
	close(fds[1]);
	EXPECT_EQ(1, link_of(&self->nic).carrier);
	nic_close(&self->nic);
	EXPECT_EQ(-ENODEV, if_index("mq0"));
}

/* What waits in a queue when it is detached is lost, not left for later. */
FD_TEST(queue, detached_with_packets_in_it)
{
	int fds[1], sock;

	ASSERT_EQ(0, start(&self->nic, fds, 1, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, send_packets(sock, variant->mode, 60, 0, 6));
	ASSERT_EQ(POLLIN, poll_wait(fds[0], POLLIN));
	ASSERT_EQ(0, set_queue(fds[0], IFF_DETACH_QUEUE));
	EXPECT_EQ(0, poll_now(fds[0], POLLIN));
	/* Counted, where in-tree tun is silent */
	EXPECT_EQ(in_tree() ? 0 : 6, link_of(&self->nic).stats.tx_dropped);
	ASSERT_EQ(0, set_queue(fds[0], IFF_ATTACH_QUEUE));
	EXPECT_EQ(0, read_in_order(fds[0], variant->mode, 60, 0));
}

/* A reader that sleeps is not disturbed, and gets what comes afterwards. */
FD_TEST(queue, detached_under_a_reader)
{
	struct call call;
	int sock;

	ASSERT_EQ(0, nic_open(&self->nic, "mq0", variant->mode | IFF_NO_PI |
			      IFF_MULTI_QUEUE, 0));
	ASSERT_EQ(0, if_up("mq0"));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, call_start(&call, self->nic.fd, 0));
	ASSERT_EQ(0, set_queue(self->nic.fd, IFF_DETACH_QUEUE));
	EXPECT_FALSE(__atomic_load_n(&call.done, __ATOMIC_ACQUIRE));
	ASSERT_EQ(0, set_queue(self->nic.fd, IFF_ATTACH_QUEUE));
	ASSERT_EQ(0, send_packets(sock, variant->mode, 60, 1, 2));
	EXPECT_EQ(60, call_end(&call));
}

static int channels(const char *name, struct ethtool_channels *channels)
{
	*channels = (struct ethtool_channels) { .cmd = ETHTOOL_GCHANNELS };
	return ethtool(name, channels);
}

/* What the stack takes for the number of queues is that of those attached. */
FD_TEST(queue, as_many_as_are_attached)
{
	struct ethtool_channels got;
	int fds[3], i;

	ASSERT_EQ(0, see_sysfs());
	if (access("/sys/class/net/lo/queues/rx-0", F_OK))
		SKIP(return, "this kernel tells of no receive queues (RPS)");
	ASSERT_EQ(0, start(&self->nic, fds, 3, variant->mode));
	EXPECT_EQ(0, access("/sys/class/net/mq0/queues/tx-2", F_OK));
	EXPECT_EQ(0, access("/sys/class/net/mq0/queues/rx-2", F_OK));
	EXPECT_NE(0, access("/sys/class/net/mq0/queues/tx-3", F_OK));
	ASSERT_EQ(0, set_queue(fds[0], IFF_DETACH_QUEUE));
	EXPECT_EQ(0, access("/sys/class/net/mq0/queues/tx-1", F_OK));
	EXPECT_NE(0, access("/sys/class/net/mq0/queues/tx-2", F_OK));
	EXPECT_NE(0, access("/sys/class/net/mq0/queues/rx-2", F_OK));
	EXPECT_EQ(MOST, link_of(&self->nic).tx_queues);

	i = channels("mq0", &got);
	if (i == -EOPNOTSUPP && in_tree())
		SKIP(return, "in-tree tun of this kernel has no ethtool -l");
	ASSERT_EQ(0, i);
	EXPECT_EQ(2, got.combined_count);
	EXPECT_EQ(MOST, got.max_combined);
	EXPECT_EQ(0, got.rx_count + got.tx_count + got.other_count);
	ASSERT_EQ(0, set_queue(fds[0], IFF_ATTACH_QUEUE));
	ASSERT_EQ(0, channels("mq0", &got));
	EXPECT_EQ(3, got.combined_count);
	got.cmd = ETHTOOL_SCHANNELS;
	got.combined_count = 2;
	EXPECT_EQ(-EOPNOTSUPP, ethtool("mq0", &got));

	nic_close(&self->nic);
	ASSERT_EQ(0, channels("mq0", &got));
	EXPECT_EQ(2, got.combined_count);
	ASSERT_EQ(0, nic_open(&self->nic, "one0", variant->mode, 0));
	ASSERT_EQ(0, channels("one0", &got));
	EXPECT_EQ(1, got.combined_count);
	EXPECT_EQ(1, got.max_combined);
}

/* The queue that a flow was written to is the one that gets its answers. */
FD_TEST(queue, answers_come_to_the_queue_that_asked)
{
	int fds[4], sock, i;

	ASSERT_EQ(0, start(&self->nic, fds, 4, variant->mode));
	sock = stack_udp(AF_INET, PORT);
	ASSERT_LE(0, sock);
	for (i = 0; i < FLOWS; i++) {
		ASSERT_EQ(0, flow_write(&self->nic, fds[i % 4], variant->mode,
					1000 + i));
	}
	for (i = 0; i < FLOWS; i++) {
		EXPECT_EQ(i % 4, queue_of(sock, fds, 4, 1000 + i))
			TH_LOG("flow %d", i);
	}
	/* A flow follows its writer. */
	for (i = 0; i < 8; i++) {
		ASSERT_EQ(0, flow_write(&self->nic, fds[i * 3 % 4],
					variant->mode, 1000));
		EXPECT_EQ(i * 3 % 4, queue_of(sock, fds, 4, 1000));
	}
	close(sock);
}

/* Flows that no program has written to: spread, and each one in order */
FD_TEST(queue, unknown_flows_are_spread)
{
	int fds[4], sock, i, queue, seen[4] = {};

	ASSERT_EQ(0, start(&self->nic, fds, 4, variant->mode));
	sock = stack_udp(AF_INET, PORT);
	ASSERT_LE(0, sock);
	for (i = 0; i < 2 * FLOWS; i++) {
		queue = queue_of(sock, fds, 4, 2000 + i);
		ASSERT_LE(0, queue);
		EXPECT_EQ(queue, queue_of(sock, fds, 4, 2000 + i));
		seen[queue]++;
	}
	for (i = 0; i < 4; i++) {
		/* 64 flows: none of them here has odds of one in 10^8. */
		EXPECT_LT(0, seen[i]) TH_LOG("queue %d", i);
	}
	close(sock);
}

/* Its queue goes away in the middle of a flow: it goes on at another. */
FD_TEST(queue, flow_of_a_queue_that_goes)
{
	int fds[3], sock, i, round, queue;

	ASSERT_EQ(0, start(&self->nic, fds, 3, variant->mode));
	sock = stack_udp(AF_INET, PORT);
	ASSERT_LE(0, sock);
	/* The last one, one in the middle, the first; each comes back. */
	for (round = 2; round >= 0; round--) {
		for (i = 0; i < 6; i++) {
			ASSERT_EQ(0, flow_write(&self->nic, fds[i % 3],
						variant->mode, 1000 + i));
		}
		ASSERT_EQ(0, set_queue(fds[round], IFF_DETACH_QUEUE));
		for (i = 0; i < 6; i++) {
			queue = queue_of(sock, fds, 3, 1000 + i);
			EXPECT_LE(0, queue);
			EXPECT_NE(round, queue);
			EXPECT_EQ(queue, queue_of(sock, fds, 3, 1000 + i));
		}
		ASSERT_EQ(0, set_queue(fds[round], IFF_ATTACH_QUEUE));
		ASSERT_EQ(0, flow_write(&self->nic, fds[round], variant->mode,
					1000));
		EXPECT_EQ(round, queue_of(sock, fds, 3, 1000));
	}
	EXPECT_EQ(0, link_of(&self->nic).stats.tx_dropped);
	close(sock);
}

/* As above, but by closing, which cannot be taken back */
FD_TEST(queue, closed_in_the_middle)
{
	int fds[4], left[2], sock, i, queue;

	ASSERT_EQ(0, start(&self->nic, fds, 4, variant->mode));
	sock = stack_udp(AF_INET, PORT);
	ASSERT_LE(0, sock);
	for (i = 0; i < 8; i++) {
		ASSERT_EQ(0, flow_write(&self->nic, fds[i % 4], variant->mode,
					1000 + i));
	}
	left[0] = fds[1];
	left[1] = fds[3];
	close(fds[2]);
	nic_close(&self->nic);
	for (i = 0; i < 8; i++) {
		queue = queue_of(sock, left, 2, 1000 + i);
		EXPECT_LE(0, queue) TH_LOG("flow %d", i);
	}
	self->nic.fd = left[0];
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, flow_write(&self->nic, left[i % 2], variant->mode,
					1000));
		EXPECT_EQ(i % 2, queue_of(sock, left, 2, 1000));
	}
	close(sock);
}

/* The length of the packet, in the program below */
#define LENGTH(headers)	((headers) + 28)

FD_TEST(queue, steered_by_a_program)
{
	int fds[4], sock, prog, i;
	unsigned char data[256];

	ASSERT_EQ(0, start(&self->nic, fds, 4, variant->mode));
	sock = stack_udp(AF_INET, PORT);
	ASSERT_LE(0, sock);
	prog = BPF(BPF_PROG_TYPE_SOCKET_FILTER,
		   LOAD(BPF_W, BPF_REG_0, BPF_REG_1,
			offsetof(struct __sk_buff, len)),
		   EXIT());
	ASSERT_LE(0, prog);
	ASSERT_EQ(0, set_number(self->nic.fd, TUNSETSTEERINGEBPF, prog));
	/* The device keeps the program. */
	close(prog);
	for (i = 0; i < 12; i++) {
		/* What was written does not matter now. */
		if (i % 3 == 0) {
			ASSERT_EQ(0, flow_write(&self->nic, fds[0],
						variant->mode, 1000));
		}
		ASSERT_EQ(i, stack_send(sock, "a text to cut", i, 1000));
		EXPECT_EQ((LENGTH(variant->header) + i) % 4,
			  arrives(fds, 4, data, sizeof(data)));
	}
	/* Of three queues it is the remainder by three. */
	ASSERT_EQ(0, set_queue(fds[3], IFF_DETACH_QUEUE));
	for (i = 0; i < 6; i++) {
		ASSERT_EQ(i, stack_send(sock, "a text to cut", i, 1000));
		EXPECT_EQ((LENGTH(variant->header) + i) % 3,
			  arrives(fds, 3, data, sizeof(data)));
	}
	ASSERT_EQ(0, set_queue(fds[3], IFF_ATTACH_QUEUE));

	/* Another one in its place, then none: automatic again */
	prog = BPF(BPF_PROG_TYPE_SOCKET_FILTER, MOVE_IMM(BPF_REG_0, 6), EXIT());
	ASSERT_EQ(0, set_number(fds[3], TUNSETSTEERINGEBPF, prog));
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(2, queue_of(sock, fds, 4, 1000 + i));
	}
	ASSERT_EQ(0, set_number(fds[1], TUNSETSTEERINGEBPF, -1));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, flow_write(&self->nic, fds[i], variant->mode,
					1000));
		EXPECT_EQ(i, queue_of(sock, fds, 4, 1000));
	}
	close(prog);
	close(sock);
}

FD_TEST(queue, bad_steering)
{
	int xdp, fds[2], sock;

	self->nic.fd = device_open(0);
	EXPECT_EQ(-EBADFD, set_number(self->nic.fd, TUNSETSTEERINGEBPF, -1));
	nic_close(&self->nic);
	ASSERT_EQ(0, start(&self->nic, fds, 2, variant->mode));
	xdp = BPF(BPF_PROG_TYPE_XDP, MOVE_IMM(BPF_REG_0, 0), EXIT());
	ASSERT_LE(0, xdp);
	EXPECT_EQ(-EINVAL, set_number(fds[0], TUNSETSTEERINGEBPF, xdp));
	EXPECT_EQ(-EINVAL, set_number(fds[0], TUNSETSTEERINGEBPF, fds[1]));
	EXPECT_EQ(-EBADF, set_number(fds[0], TUNSETSTEERINGEBPF, -2));
	EXPECT_EQ(-EBADF, set_number(fds[0], TUNSETSTEERINGEBPF, 999));
	EXPECT_EQ(-EFAULT, do_ioctl(fds[0], TUNSETSTEERINGEBPF, NULL));
	EXPECT_EQ(0, set_number(fds[0], TUNSETSTEERINGEBPF, -1));
	sock = stack_udp(AF_INET, PORT);
	EXPECT_LE(0, queue_of(sock, fds, 2, 1000));
	close(sock);
}

/* Goes with its device; on one with a single queue it has nothing to choose. */
FD_TEST(queue, steering_of_one_queue)
{
	int prog = BPF(BPF_PROG_TYPE_SOCKET_FILTER, MOVE_IMM(BPF_REG_0, 5),
		       EXIT());
	int sock;

	ASSERT_LE(0, prog);
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	ASSERT_EQ(0, set_number(self->nic.fd, TUNSETSTEERINGEBPF, prog));
	close(prog);
	sock = packet_socket(self->nic.index);
	ASSERT_EQ(0, send_packets(sock, variant->mode, 60, 0, 3));
	EXPECT_EQ(3, read_in_order(self->nic.fd, variant->mode, 60, 0));
	nic_close(&self->nic);
	EXPECT_EQ(-ENODEV, if_index(self->nic.name));
}

FD_TEST(queue, send_buffer_is_that_of_all)
{
	int fds[3], i;

	ASSERT_EQ(0, start(&self->nic, fds, 3, variant->mode));
	ASSERT_EQ(0, set_number(fds[1], TUNSETSNDBUF, 8192));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(8192, get_number(fds[i], TUNGETSNDBUF));
	}
}

FD_TEST(queue, stays_when_persistent)
{
	const int flags = variant->mode | IFF_MULTI_QUEUE | IFF_NO_PI;
	struct link link;
	int fds[2], sock;

	ASSERT_EQ(0, start(&self->nic, fds, 2, variant->mode));
	ASSERT_EQ(0, do_ioctl(fds[1], TUNSETPERSIST, 1));
	close(fds[1]);
	EXPECT_EQ(1, link_of(&self->nic).carrier);
	/* The last one leaves while detached. */
	ASSERT_EQ(0, set_queue(self->nic.fd, IFF_DETACH_QUEUE));
	nic_close(&self->nic);
	ASSERT_EQ(0, link_get(self->nic.index, &link));
	EXPECT_EQ(0, link.carrier);
	EXPECT_EQ(0, link.data[VNIC_TUN_NUM_QUEUES]);
	EXPECT_EQ(0, link.data[VNIC_TUN_NUM_DISABLED_QUEUES]);
	EXPECT_EQ(1, link.data[VNIC_TUN_MULTI_QUEUE]);
	EXPECT_EQ(-EINVAL, nic_open(&self->nic, "mq0", variant->mode, 0));

	fds[0] = open_queue("mq0", variant->mode);
	ASSERT_LE(0, fds[0]);
	EXPECT_EQ(flags | IFF_PERSIST, get_iff(fds[0], NULL));
	EXPECT_EQ(1, link_of(&self->nic).carrier);
	sock = packet_socket(self->nic.index);
	ASSERT_EQ(0, send_packets(sock, variant->mode, 60, 0, 3));
	EXPECT_EQ(3, read_in_order(fds[0], variant->mode, 60, 0));
	close(sock);
	self->nic.fd = -1;
}

/* ip link add mq0 numtxqueues 3 type KIND */
FD_TEST(queue, made_by_netlink)
{
	struct ethtool_channels got;
	struct link link;
	int fds[3], i, sock;

	OURS_ALONE("not made by netlink");
	ASSERT_EQ(0, link_make(variant->kind, "mq0", 3, NO_ATTRS));
	self->nic.index = if_index("mq0");
	link = link_of(&self->nic);
	EXPECT_EQ(1, link.data[VNIC_TUN_MULTI_QUEUE]);
	EXPECT_EQ(0, link.data[VNIC_TUN_NUM_QUEUES]);
	EXPECT_EQ(3, link.tx_queues);
	EXPECT_EQ(-EINVAL, nic_open(&self->nic, "mq0", variant->mode, 0));
	for (i = 0; i < 3; i++) {
		fds[i] = open_queue("mq0", variant->mode);
		ASSERT_LE(0, fds[i]);
	}
	EXPECT_EQ(-E2BIG, open_queue("mq0", variant->mode));
	self->nic = (struct nic) { .fd = fds[0], .index = if_index("mq0") };
	snprintf(self->nic.name, IFNAMSIZ, "mq0");
	EXPECT_EQ(3, link_of(&self->nic).data[VNIC_TUN_NUM_QUEUES]);
	ASSERT_EQ(0, channels("mq0", &got));
	EXPECT_EQ(3, got.combined_count);
	EXPECT_EQ(3, got.max_combined);
	ASSERT_EQ(0, if_up("mq0"));
	ASSERT_EQ(0, stack_start(&self->nic, variant->mode));
	sock = stack_udp(AF_INET, PORT);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, flow_write(&self->nic, fds[i], variant->mode,
					1000));
		EXPECT_EQ(i, queue_of(sock, fds, 3, 1000));
	}
	close(sock);

	/* One that is said to be one is one. */
	ASSERT_EQ(0, link_make(variant->kind, "one0", 1, NO_ATTRS));
	EXPECT_EQ(-EINVAL, open_queue("one0", variant->mode));
}

struct churn {
	pthread_t thread;
	int fd;
	bool *stop;
	int rounds;
	int result;
};

static void *churn_body(void *arg)
{
	struct churn *churn = arg;

	while (!__atomic_load_n(churn->stop, __ATOMIC_ACQUIRE)) {
		int result = set_queue(churn->fd, IFF_DETACH_QUEUE) ?:
			     set_queue(churn->fd, IFF_ATTACH_QUEUE);

		__atomic_store_n(&churn->result, result, __ATOMIC_RELEASE);
		if (result)
			break;
		__atomic_add_fetch(&churn->rounds, 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* Whether both have had their turn, or fail, however busy the machine is. */
static bool churned(struct churn churns[2])
{
	int i;

	for (i = 0; i < 2; i++)
		if (__atomic_load_n(&churns[i].rounds, __ATOMIC_ACQUIRE) < 3 &&
		    !__atomic_load_n(&churns[i].result, __ATOMIC_ACQUIRE))
			return false;
	return true;
}

/* Queues come and go under traffic in both directions: all is counted. */
FD_TEST(queue, come_and_go_under_traffic)
{
	int fds[4], sock, i, j, sent = 0, received = 0, written, one = 1;
	unsigned char data[256], out[100];
	struct churn churns[2] = {};
	struct flow flow = { .mode = variant->mode, .proto = IPPROTO_UDP,
			     .from_stack = true };
	bool stop = false;
	struct link link;

	ASSERT_EQ(0, start(&self->nic, fds, 4, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	/* A qdisc would lose packets of its own when queues go. */
	ASSERT_EQ(0, setsockopt(sock, SOL_PACKET, PACKET_QDISC_BYPASS, &one,
				sizeof(one)));
	for (i = 0; i < 2; i++) {
		churns[i].fd = fds[i * 2];
		churns[i].stop = &stop;
		ASSERT_EQ(0, pthread_create(&churns[i].thread, NULL,
					    churn_body, &churns[i]));
	}
	for (written = 0; written < 600 || !churned(churns); written++) {
		flow.to = 1000 + written % 16;
		if (send(sock, out, flow_build(&flow, out, 20, written), 0) > 0)
			sent++;
		for (j = 0; j < 4; j++)
			while (read(fds[j], data, sizeof(data)) > 0)
				received++;
		packet_fill(data, variant->mode, 60, written);
		ASSERT_EQ(60, neg(write(fds[written % 4], data, 60)));
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	for (i = 0; i < 2; i++) {
		pthread_join(churns[i].thread, NULL);
		EXPECT_EQ(0, churns[i].result);
		EXPECT_LT(0, churns[i].rounds);
	}
	for (j = 0; j < 4; j++)
		while (read(fds[j], data, sizeof(data)) > 0)
			received++;
	link = link_of(&self->nic);
	EXPECT_EQ(written, link.stats.rx_packets);
	EXPECT_EQ(received, link.stats.tx_packets);
	EXPECT_LT(0, received);
	EXPECT_EQ(4, link.data[VNIC_TUN_NUM_QUEUES]);
	/* In-tree tun does not count what was in a queue that went. */
	EXPECT_LE(in_tree() ? 0 : sent, received + link.stats.tx_dropped);
	EXPECT_GE(written, received + link.stats.tx_dropped);
	close(sock);
}

TEST_HARNESS_MAIN
