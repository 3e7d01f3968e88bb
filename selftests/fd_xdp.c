// SPDX-License-Identifier: GPL-2.0
/*
 * XDP on a vntap: a program looks at each frame that is written, before there
 * is a packet buffer for it.
 *
 *   write(fd) --> XDP --pass--> stack (AF_PACKET)
 *                  |\--drop, aborted--> counted
 *                  |\--tx--> ring --> read(fd)
 *                   \--redirect--> another device --> read(its fd)
 */
#include "fd_bpf.h"
#include "fd_flow.h"

FD_FIXTURE(xdp)

#define NO_LAYER_2	"for frames; generic XDP is the core's"
#define BIG		20000

static unsigned char frame[BIG], got[BIG];

/* A program that says the same of every frame */
static int always(int verdict)
{
	return BPF(BPF_PROG_TYPE_XDP, MOVE_IMM(BPF_REG_0, verdict), EXIT());
}

/* One that sends every frame to another device */
static int redirect(int index)
{
	return BPF(BPF_PROG_TYPE_XDP,
		   MOVE_IMM(BPF_REG_1, index), MOVE_IMM(BPF_REG_2, 0),
		   CALL(BPF_FUNC_redirect), EXIT());
}

/* One that moves the beginning of the frame, and writes to it if it grew */
static int move_head(int delta)
{
	return BPF(BPF_PROG_TYPE_XDP,
		   MOVE(BPF_REG_6, BPF_REG_1),
		   MOVE_IMM(BPF_REG_2, delta),
		   CALL(BPF_FUNC_xdp_adjust_head),
		   LOAD(BPF_W, BPF_REG_2, BPF_REG_6,
			offsetof(struct xdp_md, data)),
		   LOAD(BPF_W, BPF_REG_3, BPF_REG_6,
			offsetof(struct xdp_md, data_end)),
		   MOVE(BPF_REG_4, BPF_REG_2),
		   ADD_IMM(BPF_REG_4, 4),
		   JUMP(BPF_JGT, BPF_REG_4, BPF_REG_3, 1),
		   STORE_IMM(BPF_W, BPF_REG_2, 0, -1),
		   MOVE_IMM(BPF_REG_0, XDP_PASS),
		   EXIT());
}

static int cut_tail(int delta)
{
	return BPF(BPF_PROG_TYPE_XDP,
		   MOVE_IMM(BPF_REG_2, delta),
		   CALL(BPF_FUNC_xdp_adjust_tail),
		   MOVE_IMM(BPF_REG_0, XDP_PASS),
		   EXIT());
}

/* Puts a program in front of a device; the program's fd is used up. */
static int xdp_set(const struct nic *nic, int prog)
{
	int result = prog < 0 ? prog : xdp_attach(nic->index, prog,
						  XDP_FLAGS_DRV_MODE);

	if (prog >= 0)
		close(prog);
	return result;
}

static int frame_write(int fd, int len, int seed)
{
	packet_fill(frame, IFF_TAP, len, seed);
	return neg(write(fd, frame, len));
}

/* Is the frame that was written last what the socket gets next? */
static bool stack_has(int sock, int len)
{
	return receive(sock, got, BIG, NULL) == len &&
	       !memcmp(frame, got, len);
}

static bool program_has(int fd, int len)
{
	return read_packet(fd, got, BIG) == len && !memcmp(frame, got, len);
}

static int mtu(const struct nic *nic, int mtu)
{
	return if_set(nic->name, SIOCSIFMTU, mtu);
}

FD_TEST(xdp, not_on_layer_3)
{
	if (variant->mode == IFF_TAP)
		SKIP(return, "this is layer 2");
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	EXPECT_EQ(-EOPNOTSUPP, xdp_set(&self->nic, always(XDP_PASS)));
	ASSERT_EQ(0, xdp_attach(self->nic.index, always(XDP_DROP),
				XDP_FLAGS_SKB_MODE));
	packet_fill(frame, IFF_TUN, 100, 1);
	EXPECT_EQ(100, neg(write(self->nic.fd, frame, 100)));
	EXPECT_EQ(0, xdp_attach(self->nic.index, -1, XDP_FLAGS_SKB_MODE));
}

/* Each size in turn: in one page, not in one page, and sleeping or not */
FD_TEST(xdp, pass)
{
	static const int sizes[] = { 14, 15, 60, 1514, 3000, 3600, 4096, 9000 };
	struct link link;
	int sock, bytes = 0, n = 0;
	unsigned int i;
	bool blocking;

	if (variant->mode == IFF_TUN)
		SKIP(return, NO_LAYER_2);
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	ASSERT_EQ(0, mtu(&self->nic, 9000));
	ASSERT_EQ(0, xdp_set(&self->nic, always(XDP_PASS)));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	for (blocking = false; ; blocking = true) {
		if (blocking) {
			ASSERT_EQ(0, fcntl(self->nic.fd, F_SETFL, O_RDWR));
		}
		for (i = 0; i < ARRAY_SIZE(sizes); i++, n++) {
			bytes += sizes[i];
			ASSERT_EQ(sizes[i], frame_write(self->nic.fd, sizes[i],
							i));
			EXPECT_TRUE(stack_has(sock, sizes[i]))
				TH_LOG("%d bytes", sizes[i]);
		}
		if (blocking)
			break;
	}
	link = link_of(&self->nic);
	EXPECT_EQ(n, link.stats.rx_packets);
	EXPECT_EQ(bytes, link.stats.rx_bytes);
	EXPECT_EQ(0, link.stats.rx_dropped);
	close(sock);
}

FD_TEST(xdp, drop_and_abort)
{
	static const int verdicts[] = { XDP_DROP, XDP_ABORTED };
	static const int sizes[] = { 60, 1514, 9000 };
	unsigned int i, j;
	int sock, n = 0;

	if (variant->mode == IFF_TUN)
		SKIP(return, NO_LAYER_2);
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	ASSERT_EQ(0, mtu(&self->nic, 9000));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	for (i = 0; i < ARRAY_SIZE(verdicts); i++) {
		ASSERT_EQ(0, xdp_set(&self->nic, always(verdicts[i])));
		for (j = 0; j < ARRAY_SIZE(sizes); j++, n++) {
			/* It was taken: the writer need not know. */
			EXPECT_EQ(sizes[j], frame_write(self->nic.fd, sizes[j],
							1));
		}
	}
	ASSERT_EQ(0, xdp_set(&self->nic, always(XDP_PASS)));
	ASSERT_EQ(60, frame_write(self->nic.fd, 60, 7));
	EXPECT_TRUE(stack_has(sock, 60));
	if (!in_tree()) {
		struct link link = link_of(&self->nic);

		/* What the core drops for us is another figure. */
		n -= ethtool_counter(self->nic.name, "rx_xdp_generic");
		EXPECT_EQ(n, link.stats.rx_dropped);
		EXPECT_EQ(7, link.stats.rx_packets + link.stats.rx_dropped);
		EXPECT_EQ(2, ethtool_counter(self->nic.name, "rx_drop_xdp"));
		EXPECT_EQ(2, ethtool_counter(self->nic.name,
					     "rx_drop_xdp_error"));
		EXPECT_EQ(2, ethtool_counter(self->nic.name, "rx_xdp_generic"));
	}
	close(sock);
}

FD_TEST(xdp, back_to_the_program)
{
	static const int sizes[] = { 60, 1514, 9000 };
	struct link link;
	unsigned int i;
	int bytes = 0;

	if (variant->mode == IFF_TUN)
		SKIP(return, NO_LAYER_2);
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	ASSERT_EQ(0, mtu(&self->nic, 9000));
	ASSERT_EQ(0, xdp_set(&self->nic, always(XDP_TX)));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		bytes += sizes[i];
		ASSERT_EQ(sizes[i], frame_write(self->nic.fd, sizes[i], i));
		EXPECT_TRUE(program_has(self->nic.fd, sizes[i]))
			TH_LOG("%d bytes", sizes[i]);
	}
	link = link_of(&self->nic);
	EXPECT_EQ(i, link.stats.tx_packets);
	EXPECT_EQ(bytes, link.stats.tx_bytes);
	/* A reader's short buffer cuts these as any others. */
	ASSERT_EQ(60, frame_write(self->nic.fd, 60, i));
	EXPECT_EQ(20, read_packet(self->nic.fd, got, 20));
	EXPECT_EQ(0, memcmp(frame, got, 20));
	EXPECT_EQ(-EAGAIN, neg(read(self->nic.fd, got, BIG)));
	if (!in_tree()) {
		EXPECT_EQ(4, link_of(&self->nic).stats.rx_packets);
		EXPECT_EQ(0, link_of(&self->nic).stats.rx_dropped);
		EXPECT_LE(3, ethtool_counter(self->nic.name, "rx_xdp_tx"));
	}
}

/* A full ring has no room for these either; the packet is counted lost. */
FD_TEST(xdp, back_to_a_full_ring)
{
	struct link link;
	int i;

	if (variant->mode == IFF_TUN)
		SKIP(return, NO_LAYER_2);
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	ASSERT_EQ(0, if_set(self->nic.name, SIOCSIFTXQLEN, 4));
	ASSERT_EQ(0, xdp_set(&self->nic, always(XDP_TX)));
	for (i = 0; i < 7; i++) {
		ASSERT_EQ(60, frame_write(self->nic.fd, 60, i));
	}
	EXPECT_EQ(4, read_in_order(self->nic.fd, IFF_TAP, 60, 0));
	link = link_of(&self->nic);
	EXPECT_EQ(3, link.stats.rx_dropped + link.stats.tx_dropped);
	/* Shorter with some in the ring, then gone with some in the ring */
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(60, frame_write(self->nic.fd, 60, i));
	}
	ASSERT_EQ(0, if_set(self->nic.name, SIOCSIFTXQLEN, 2));
	EXPECT_EQ(2, read_in_order(self->nic.fd, IFF_TAP, 60, 0));
	ASSERT_EQ(60, frame_write(self->nic.fd, 60, 1));
	ASSERT_EQ(0, link_delete(self->nic.index));
}

/* Frames that never were packets, read with headers in front */
FD_TEST(xdp, back_with_headers)
{
	struct tun_pi *pi = (void *)got;
	static const unsigned char zeros[12];

	if (variant->mode == IFF_TUN)
		SKIP(return, NO_LAYER_2);
	OURS_ALONE("forgets the packet information of these");
	ASSERT_EQ(0, nic_open(&self->nic, "xd0", IFF_TAP | IFF_VNET_HDR,
			      O_NONBLOCK));
	ASSERT_EQ(0, set_number(self->nic.fd, TUNSETVNETHDRSZ, 12));
	ASSERT_EQ(0, if_up("xd0"));
	ASSERT_EQ(0, xdp_set(&self->nic, always(XDP_TX)));
	memset(frame, 0, 16);
	packet_fill(frame + 16, IFF_TAP, 100, 1);
	ASSERT_EQ(116, neg(write(self->nic.fd, frame, 116)));
	memset(got, 0xee, 200);
	ASSERT_EQ(116, read_packet(self->nic.fd, got, BIG));
	EXPECT_EQ(0, pi->flags);
	EXPECT_EQ(ETH_P_TEST, ntohs(pi->proto));
	EXPECT_EQ(0, memcmp(zeros, got + 4, 12));
	EXPECT_EQ(0, memcmp(frame + 16, got + 16, 100));
	ASSERT_EQ(116, neg(write(self->nic.fd, frame, 116)));
	ASSERT_EQ(50, read_packet(self->nic.fd, got, 50));
	EXPECT_EQ(TUN_PKT_STRIP, pi->flags);
	ASSERT_EQ(116, neg(write(self->nic.fd, frame, 116)));
	EXPECT_EQ(-EINVAL, read_packet(self->nic.fd, got, 15));
}

/* Out of one, into the other: both ends of a redirection are ours. */
FD_TEST(xdp, redirected_to_another)
{
	static const int sizes[] = { 60, 1514, 9000 };
	struct nic other;
	unsigned int i;

	if (variant->mode == IFF_TUN)
		SKIP(return, NO_LAYER_2);
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	ASSERT_EQ(0, nic_start(&other, variant->mode));
	ASSERT_EQ(0, mtu(&self->nic, 9000));
	ASSERT_EQ(0, mtu(&other, 9000));
	ASSERT_EQ(0, xdp_set(&self->nic, redirect(other.index)));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		ASSERT_EQ(sizes[i], frame_write(self->nic.fd, sizes[i], i));
		EXPECT_TRUE(program_has(other.fd, sizes[i]))
			TH_LOG("%d bytes", sizes[i]);
	}
	EXPECT_EQ(i, link_of(&other).stats.tx_packets);
	EXPECT_EQ(-EAGAIN, neg(read(self->nic.fd, got, BIG)));
	if (!in_tree()) {
		EXPECT_EQ(3, link_of(&self->nic).stats.rx_packets);
		EXPECT_LE(2, ethtool_counter(self->nic.name,
					     "rx_xdp_redirect"));
		EXPECT_LE(2, ethtool_counter(other.name, "tx_xdp_xmit"));
	}

	/* Nobody is there, or nothing: lost, and counted. */
	ASSERT_EQ(0, set_number(other.fd, TUNSETCARRIER, 1));
	ASSERT_EQ(0, do_ioctl(other.fd, TUNSETPERSIST, 1));
	nic_close(&other);
	EXPECT_EQ(60, frame_write(self->nic.fd, 60, 1));
	ASSERT_EQ(0, link_delete(other.index));
	EXPECT_EQ(60, frame_write(self->nic.fd, 60, 1));
	ASSERT_EQ(0, xdp_set(&self->nic, redirect(if_index("lo"))));
	EXPECT_EQ(60, frame_write(self->nic.fd, 60, 1));
	if (!in_tree()) {
		EXPECT_LE(1, link_of(&self->nic).stats.rx_dropped);
		EXPECT_EQ(6, link_of(&self->nic).stats.rx_dropped +
			     link_of(&self->nic).stats.rx_packets);
	}
}

/* From a driver that is not ours: what veth redirects comes to the program. */
FD_TEST(xdp, redirected_from_veth)
{
	struct nic veth = { .fd = -1 };
	int sock, result;

	if (variant->mode == IFF_TUN)
		SKIP(return, NO_LAYER_2);
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	result = link_add("veth", "ve1");
	if (result == -EOPNOTSUPP)
		SKIP(return, "no veth in this kernel");
	ASSERT_EQ(0, result);
	veth.index = if_index("ve1");
	ASSERT_EQ(0, if_up("ve1"));
	ASSERT_EQ(0, if_up("veth0"));
	ASSERT_EQ(0, xdp_set(&veth, redirect(self->nic.index)));
	sock = packet_socket(if_index("veth0"));
	ASSERT_LE(0, sock);
	packet_fill(frame, IFF_TAP, 300, 1);
	ASSERT_EQ(300, neg(send(sock, frame, 300, 0)));
	EXPECT_TRUE(program_has(self->nic.fd, 300));
	EXPECT_EQ(1, link_of(&self->nic).stats.tx_packets);
	EXPECT_EQ(300, link_of(&self->nic).stats.tx_bytes);
	/* Down, it takes nothing. */
	ASSERT_EQ(0, if_down(self->nic.name));
	ASSERT_EQ(300, neg(send(sock, frame, 300, 0)));
	if (!in_tree()) {
		EXPECT_EQ(-EAGAIN, neg(read(self->nic.fd, got, BIG)));
	}
	close(sock);
}

FD_TEST(xdp, headers_moved)
{
	int sock;

	if (variant->mode == IFF_TUN)
		SKIP(return, NO_LAYER_2);
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	/* Shorter in front: what is left begins four bytes later. */
	ASSERT_EQ(0, xdp_set(&self->nic, move_head(4)));
	ASSERT_EQ(100, frame_write(self->nic.fd, 100, 1));
	ASSERT_EQ(96, receive(sock, got, BIG, NULL));
	EXPECT_EQ(0, memcmp(frame + 8, got + 4, 92));
	/* Longer, by what an encapsulation may need */
	ASSERT_EQ(0, xdp_set(&self->nic, move_head(-4)));
	ASSERT_EQ(100, frame_write(self->nic.fd, 100, 2));
	ASSERT_EQ(104, receive(sock, got, BIG, NULL));
	EXPECT_EQ(0, memcmp(frame, got + 4, 100));
	EXPECT_EQ(0xff, got[0]);
	ASSERT_EQ(0, xdp_set(&self->nic, move_head(-128)));
	ASSERT_EQ(100, frame_write(self->nic.fd, 100, 3));
	ASSERT_EQ(228, receive(sock, got, BIG, NULL));
	EXPECT_EQ(0, memcmp(frame, got + 128, 100));
	/* Shorter behind */
	ASSERT_EQ(0, xdp_set(&self->nic, cut_tail(-30)));
	ASSERT_EQ(100, frame_write(self->nic.fd, 100, 4));
	ASSERT_EQ(70, receive(sock, got, BIG, NULL));
	EXPECT_EQ(0, memcmp(frame, got, 70));
	/* Shorter than a frame is: the helper refuses, nothing changes. */
	ASSERT_EQ(0, xdp_set(&self->nic, cut_tail(-90)));
	ASSERT_EQ(100, frame_write(self->nic.fd, 100, 5));
	EXPECT_TRUE(stack_has(sock, 100));
	close(sock);
}

/* A frame with work left in it is a packet first: by way of the core. */
FD_TEST(xdp, large_packets)
{
	struct flow flow = { .mode = IFF_TAP, .proto = IPPROTO_TCP,
			     .partial = true };
	struct vnic_vnet vnet = flow_vnet(&flow, 1000);
	int len = flow_build(&flow, frame, 5000, 1), sock;
	struct iovec iov[] = { { &vnet, 10 }, { frame, len } };

	if (variant->mode == IFF_TUN)
		SKIP(return, NO_LAYER_2);
	ASSERT_EQ(0, nic_open(&self->nic, "xd0", IFF_TAP | IFF_NO_PI |
			      IFF_VNET_HDR, O_NONBLOCK));
	ASSERT_EQ(0, if_up("xd0"));
	ASSERT_EQ(0, xdp_set(&self->nic, always(XDP_PASS)));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(10 + len, neg(writev(self->nic.fd, iov, 2)));
	ASSERT_EQ(len, receive(sock, got, BIG, NULL));
	EXPECT_EQ(0, memcmp(frame + 60, got + 60, len - 60));
	ASSERT_EQ(0, xdp_set(&self->nic, always(XDP_DROP)));
	ASSERT_EQ(10 + len, neg(writev(self->nic.fd, iov, 2)));
	ASSERT_EQ(0, xdp_attach(self->nic.index, -1, XDP_FLAGS_DRV_MODE));
	vnet = flow_vnet(&flow, 0);
	len = flow_build(&flow, frame, 100, 2);
	iov[1].iov_len = len;
	ASSERT_EQ(10 + len, neg(writev(self->nic.fd, iov, 2)));
	EXPECT_TRUE(stack_has(sock, len));
	if (!in_tree()) {
		EXPECT_EQ(1, ethtool_counter(self->nic.name, "rx_xdp_generic"));
	}
	close(sock);
}

/* The program is told by which queue the frame came. */
FD_TEST(xdp, one_queue_of_two)
{
	const int flags = IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE;
	struct nic second;
	int sock, prog;

	if (variant->mode == IFF_TUN)
		SKIP(return, NO_LAYER_2);
	ASSERT_EQ(0, nic_open(&self->nic, "xd0", flags, O_NONBLOCK));
	prog = BPF(BPF_PROG_TYPE_XDP,
		   LOAD(BPF_W, BPF_REG_2, BPF_REG_1,
			offsetof(struct xdp_md, rx_queue_index)),
		   MOVE_IMM(BPF_REG_0, XDP_PASS),
		   JUMP_IMM(BPF_JNE, BPF_REG_2, 1, 1),
		   MOVE_IMM(BPF_REG_0, XDP_TX),
		   EXIT());
	ASSERT_EQ(0, xdp_set(&self->nic, prog));
	/* One that comes after the program */
	ASSERT_EQ(0, nic_open(&second, "xd0", flags, O_NONBLOCK));
	ASSERT_EQ(0, if_up("xd0"));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(100, frame_write(self->nic.fd, 100, 1));
	EXPECT_TRUE(stack_has(sock, 100));
	ASSERT_EQ(100, frame_write(second.fd, 100, 2));
	EXPECT_TRUE(WAIT_FOR(poll_now(second.fd, POLLIN) ||
			     poll_now(self->nic.fd, POLLIN)));
	EXPECT_EQ(100, neg(read(poll_now(second.fd, POLLIN) ? second.fd :
				self->nic.fd, got, BIG)));
	EXPECT_EQ(0, memcmp(frame, got, 100));
	/* Numbers are taken over: the second is now the first. */
	ASSERT_EQ(0, set_queue(self->nic.fd, IFF_DETACH_QUEUE));
	ASSERT_EQ(100, frame_write(second.fd, 100, 3));
	EXPECT_TRUE(stack_has(sock, 100));
	close(sock);
	nic_close(&second);
}

FD_TEST(xdp, down)
{
	if (variant->mode == IFF_TUN)
		SKIP(return, NO_LAYER_2);
	OURS_ALONE("runs the program also while the device is down");
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	ASSERT_EQ(0, xdp_set(&self->nic, always(XDP_TX)));
	ASSERT_EQ(0, if_down(self->nic.name));
	EXPECT_EQ(-EIO, frame_write(self->nic.fd, 100, 1));
	EXPECT_EQ(-EINVAL, frame_write(self->nic.fd, 10, 1));
	EXPECT_EQ(-EAGAIN, neg(read(self->nic.fd, got, BIG)));
	EXPECT_EQ(2, link_of(&self->nic).stats.rx_dropped);
}

struct writer {
	pthread_t thread;
	int fd, failed;
};

static void *writer_body(void *arg)
{
	struct writer *writer = arg;
	unsigned char data[100];
	int i;

	packet_fill(data, IFF_TAP, 100, 1);
	for (i = 0; i < 1000; i++)
		writer->failed += write(writer->fd, data, 100) != 100;
	return NULL;
}

/*
 * Programs come, change and go under traffic: every frame is accounted for.
 *
 * On one CPU: with each program the core rewrites the code by which XDP
 * programs are called, and in an emulator another CPU was once seen in what had
 * been there before (7.3.4, int3 in bpf_dispatcher_xdp_func).
 */
FD_TEST(xdp, changed_under_traffic)
{
	static const int verdicts[] = { XDP_DROP, XDP_PASS, XDP_TX };
	struct writer writer = {};
	struct link link;
	cpu_set_t one;
	int i;

	if (variant->mode == IFF_TUN)
		SKIP(return, NO_LAYER_2);
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(one), &one));
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	writer.fd = self->nic.fd;
	ASSERT_EQ(0, pthread_create(&writer.thread, NULL, writer_body,
				    &writer));
	for (i = 0; i < 12; i++) {
		if (i % 4 < 3) {
			ASSERT_EQ(0, xdp_set(&self->nic,
					     always(verdicts[i % 4])));
		} else {
			ASSERT_EQ(0, xdp_attach(self->nic.index, -1,
						XDP_FLAGS_DRV_MODE));
		}
		while (read(self->nic.fd, got, BIG) == 100)
			;
	}
	pthread_join(writer.thread, NULL);
	EXPECT_EQ(0, writer.failed);
	link = link_of(&self->nic);
	/* Nobody takes ETH_P_TEST: the core counts what passes as dropped. */
	if (!in_tree()) {
		EXPECT_EQ(1000, link.stats.rx_packets +
			  ethtool_counter(self->nic.name, "rx_drop_xdp"));
	}
	EXPECT_LE(1000, link.stats.rx_packets + link.stats.rx_dropped);
	ASSERT_EQ(0, xdp_set(&self->nic, always(XDP_TX)));
	ASSERT_EQ(100, frame_write(self->nic.fd, 100, 1));
	/* It goes with a program in front and a frame in the ring. */
	nic_close(&self->nic);
	EXPECT_EQ(-ENODEV, if_index(self->nic.name));
}

TEST_HARNESS_MAIN
