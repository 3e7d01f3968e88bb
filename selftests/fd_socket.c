// SPDX-License-Identifier: GPL-2.0
/*
 * VNIC_IOC_SOCKET: a queue as a socket. (What is the same on both, packets and
 * headers and waiting, the other programs ask of it with VNIC_FACE=socket;
 * vhost-net is in fd_vhost.c.)
 *
 *   file ----+
 *            +-- queue -- device
 *   socket --+
 */
#include "fd_bpf.h"
#include "fd_uring.h"

FD_FIXTURE(socket)

#define ONLY_HERE	"has no socket that one can have"
#define SIZE		100

static int socket_of(int fd, int flags)
{
	return do_ioctl(fd, VNIC_IOC_SOCKET, flags);
}

/* Attached and up, O_NONBLOCK as its socket */
static int start(struct nic *nic, int *sock, int mode)
{
	int result = nic_start(nic, mode);

	if (result)
		return result;
	*sock = socket_of(nic->fd, O_CLOEXEC | O_NONBLOCK);
	return *sock < 0 ? *sock : 0;
}

static int option(int sock, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return neg(getsockopt(sock, SOL_SOCKET, name, &value, &len)) ?: value;
}

/* Bytes on the account of the socket, in both directions */
static int charged(int sock)
{
	__u32 info[9] = {};
	socklen_t len = sizeof(info);
	int result = neg(getsockopt(sock, SOL_SOCKET, SO_MEMINFO, info, &len));

	/* SK_MEMINFO_RMEM_ALLOC, SK_MEMINFO_WMEM_ALLOC of <linux/sock_diag.h> */
	return result ?: (int)(info[0] + info[2]);
}

static bool same(const void *data, int mode, int seed)
{
	unsigned char want[SIZE];

	packet_fill(want, mode, SIZE, seed);
	return !memcmp(data, want, SIZE);
}

FD_TEST(socket, is_a_raw_packet_socket)
{
	int sock;

	OURS_ALONE(ONLY_HERE);
	ASSERT_EQ(0, start(&self->nic, &sock, variant->mode));
	EXPECT_EQ(AF_PACKET, option(sock, SO_DOMAIN));
	EXPECT_EQ(SOCK_RAW, option(sock, SO_TYPE));
	EXPECT_EQ(FD_CLOEXEC, fcntl(sock, F_GETFD));
	EXPECT_EQ(O_NONBLOCK, fcntl(sock, F_GETFL) & O_NONBLOCK);
	close(sock);
	sock = socket_of(self->nic.fd, 0);
	ASSERT_LE(0, sock);
	EXPECT_EQ(0, fcntl(sock, F_GETFD));
	EXPECT_EQ(0, fcntl(sock, F_GETFL) & O_NONBLOCK);
	close(sock);
}

FD_TEST(socket, refused)
{
	struct vnic_ring_setup rings = { .recv_size = VNIC_RING_MIN };
	struct nic other;
	int sock, fd;

	OURS_ALONE(ONLY_HERE);
	fd = device_open(0);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EBADFD, socket_of(fd, 0));
	close(fd);
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	EXPECT_EQ(-EINVAL, socket_of(self->nic.fd, O_APPEND));
	EXPECT_EQ(-EINVAL, socket_of(self->nic.fd, -1));
	sock = socket_of(self->nic.fd, 0);
	ASSERT_LE(0, sock);
	/* One at a time, and a socket has none. */
	EXPECT_EQ(-EBUSY, socket_of(self->nic.fd, 0));
	EXPECT_EQ(-ENOTTY, socket_of(sock, 0));
	/* Shared memory for what comes from the stack, or a socket */
	EXPECT_EQ(-EBUSY, do_ioctl(self->nic.fd, VNIC_IOC_RING_SETUP, &rings));
	EXPECT_EQ(-EBUSY, do_ioctl(sock, VNIC_IOC_RING_SETUP, &rings));
	ASSERT_EQ(0, nic_start(&other, variant->mode));
	ASSERT_EQ(0, do_ioctl(other.fd, VNIC_IOC_RING_SETUP, &rings));
	EXPECT_EQ(-EBUSY, socket_of(other.fd, 0));
	nic_close(&other);
	close(sock);
}

FD_TEST(socket, calls_that_a_packet_has_no_use_for)
{
	struct sockaddr_ll sll = { .sll_family = AF_PACKET };
	struct sock_filter accept_all = { 0x06, 0, 0, 0xffff };
	struct sock_fprog program = { 1, &accept_all };
	unsigned char data[SIZE];
	int sock;

	OURS_ALONE(ONLY_HERE);
	ASSERT_EQ(0, start(&self->nic, &sock, variant->mode));
	EXPECT_EQ(-EOPNOTSUPP, neg(bind(sock, (void *)&sll, sizeof(sll))));
	EXPECT_EQ(-EOPNOTSUPP, neg(connect(sock, (void *)&sll, sizeof(sll))));
	EXPECT_EQ(-EOPNOTSUPP, neg(listen(sock, 1)));
	EXPECT_EQ(-EOPNOTSUPP, neg(accept(sock, NULL, NULL)));
	EXPECT_EQ(-EOPNOTSUPP, neg(shutdown(sock, SHUT_RDWR)));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_SHARED, sock, 0));
	EXPECT_EQ(-EPERM, neg(setsockopt(sock, SOL_SOCKET, SO_ATTACH_FILTER,
					 &program, sizeof(program))));
	EXPECT_EQ(-EINVAL, neg(recv(sock, data, SIZE, MSG_PEEK)));
	EXPECT_EQ(-EINVAL, neg(recv(sock, data, SIZE, MSG_ERRQUEUE)));
	close(sock);
}

/* Neither of what makes vhost send pointers into the kernel. */
FD_TEST(socket, never_as_tun)
{
	int most = INT32_MAX, one = 1, sock;

	OURS_ALONE(ONLY_HERE);
	ASSERT_EQ(0, start(&self->nic, &sock, variant->mode));
	EXPECT_NE(INT32_MAX, option(sock, SO_SNDBUF));
	/* The send buffer of the queue is another thing. */
	EXPECT_EQ(INT32_MAX, get_number(sock, TUNGETSNDBUF));
	ASSERT_EQ(0, set_number(sock, TUNSETSNDBUF, INT32_MAX));
	EXPECT_NE(INT32_MAX, option(sock, SO_SNDBUF));
	ASSERT_EQ(0, setsockopt(sock, SOL_SOCKET, SO_SNDBUFFORCE, &most,
				sizeof(most)));
	EXPECT_NE(INT32_MAX, option(sock, SO_SNDBUF));
	EXPECT_GT(0, setsockopt(sock, SOL_SOCKET, SO_ZEROCOPY, &one,
				sizeof(one)));
	close(sock);
}

FD_TEST(socket, both_are_one_queue)
{
	unsigned char data[200];
	struct nic *nic = &self->nic;
	int sock, stack, i;

	OURS_ALONE(ONLY_HERE);
	ASSERT_EQ(0, start(nic, &sock, variant->mode));
	stack = packet_socket(nic->index);
	ASSERT_LE(0, stack);
	ASSERT_EQ(0, send_packets(stack, variant->mode, SIZE, 0, 20));
	for (i = 0; i < 20; i++) {
		EXPECT_TRUE(poll_now(i % 2 ? sock : nic->fd, POLLIN) & POLLIN);
		ASSERT_EQ(SIZE, neg(read(i % 2 ? nic->fd : sock, data, 200)));
		EXPECT_TRUE(same(data, variant->mode, i)) TH_LOG("%d", i);
	}
	EXPECT_EQ(0, poll_now(sock, POLLIN));
	EXPECT_EQ(0, poll_now(nic->fd, POLLIN));
	for (i = 0; i < 20; i++) {
		packet_fill(data, variant->mode, SIZE, i);
		ASSERT_EQ(SIZE, neg(i % 2 ? send(sock, data, SIZE, 0) :
					    write(nic->fd, data, SIZE)));
		ASSERT_EQ(SIZE, receive(stack, data, 200, NULL));
		EXPECT_TRUE(same(data, variant->mode, i)) TH_LOG("%d", i);
	}
	EXPECT_EQ(20, link_of(nic).stats.tx_packets);
	EXPECT_EQ(20, link_of(nic).stats.rx_packets);
	/* Of what is sent or waits nothing is on the account of the socket. */
	ASSERT_EQ(0, send_packets(stack, variant->mode, SIZE, 0, 3));
	EXPECT_EQ(0, charged(sock));
	close(stack);
	close(sock);
}

/* What has waited in the file's ring is the first that comes by the socket. */
FD_TEST(socket, takes_what_waits)
{
	unsigned char data[200];
	int sock, stack, i;

	OURS_ALONE(ONLY_HERE);
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	stack = packet_socket(self->nic.index);
	ASSERT_LE(0, stack);
	ASSERT_EQ(0, send_packets(stack, variant->mode, SIZE, 0, 10));
	sock = socket_of(self->nic.fd, O_NONBLOCK);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, send_packets(stack, variant->mode, SIZE, 10, 15));
	for (i = 0; i < 15; i++) {
		ASSERT_EQ(SIZE, neg(recv(sock, data, 200, 0)));
		EXPECT_TRUE(same(data, variant->mode, i)) TH_LOG("%d", i);
	}
	EXPECT_EQ(-EAGAIN, neg(recv(sock, data, 200, 0)));
	/* And when it is closed, the file's. */
	ASSERT_EQ(0, send_packets(stack, variant->mode, SIZE, 15, 20));
	close(sock);
	ASSERT_EQ(0, send_packets(stack, variant->mode, SIZE, 20, 25));
	EXPECT_EQ(10, read_in_order(self->nic.fd, variant->mode, SIZE, 15));
	EXPECT_EQ(0, link_of(&self->nic).stats.tx_dropped);
	/* Another socket of the same queue */
	sock = socket_of(self->nic.fd, O_NONBLOCK);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, send_packets(stack, variant->mode, SIZE, 3, 4));
	ASSERT_EQ(SIZE, neg(recv(sock, data, 200, 0)));
	EXPECT_TRUE(same(data, variant->mode, 3));
	close(sock);
	close(stack);
}

/* Frames that XDP has put there, too, and a stack that waits for room goes on. */
FD_TEST(socket, takes_what_xdp_has_sent)
{
	unsigned char data[200];
	int sock, stack, prog;

	OURS_ALONE(ONLY_HERE);
	if (variant->mode == IFF_TUN)
		SKIP(return, "for frames; generic XDP is the core's");
	ASSERT_EQ(0, nic_open(&self->nic, "", IFF_TAP | IFF_NO_PI |
			      IFF_BACKPRESSURE, O_NONBLOCK));
	ASSERT_EQ(0, if_set(self->nic.name, SIOCSIFTXQLEN, 1));
	ASSERT_EQ(0, if_up(self->nic.name));
	prog = BPF(BPF_PROG_TYPE_XDP, MOVE_IMM(BPF_REG_0, XDP_TX), EXIT());
	ASSERT_LE(0, prog);
	ASSERT_EQ(0, xdp_attach(self->nic.index, prog, XDP_FLAGS_DRV_MODE));
	close(prog);
	stack = packet_socket(self->nic.index);
	ASSERT_LE(0, stack);
	packet_fill(data, IFF_TAP, SIZE, 1);
	ASSERT_EQ(SIZE, neg(write(self->nic.fd, data, SIZE)));
	/* One finds it full, the other waits. */
	ASSERT_EQ(0, send_packets(stack, IFF_TAP, SIZE, 2, 4));
	EXPECT_EQ(1, ethtool_counter(self->nic.name, "tx_drop_full"));
	sock = socket_of(self->nic.fd, O_NONBLOCK);
	ASSERT_LE(0, sock);
	ASSERT_EQ(SIZE, neg(recv(sock, data, 200, 0)));
	EXPECT_TRUE(same(data, IFF_TAP, 1));
	ASSERT_TRUE(poll_wait(sock, POLLIN) & POLLIN);
	ASSERT_EQ(SIZE, neg(recv(sock, data, 200, 0)));
	EXPECT_TRUE(same(data, IFF_TAP, 3));
	EXPECT_EQ(1, link_of(&self->nic).stats.tx_dropped);
	close(stack);
	close(sock);
}

FD_TEST(socket, as_long_as_the_ring)
{
	unsigned char data[200];
	int sock, stack, i;

	OURS_ALONE(ONLY_HERE);
	ASSERT_EQ(0, start(&self->nic, &sock, variant->mode));
	ASSERT_EQ(0, if_set(self->nic.name, SIOCSIFTXQLEN, 16));
	stack = packet_socket(self->nic.index);
	ASSERT_LE(0, stack);
	ASSERT_EQ(0, send_packets(stack, variant->mode, SIZE, 0, 100));
	EXPECT_EQ(84, ethtool_counter(self->nic.name, "tx_drop_full"));
	EXPECT_EQ(84, link_of(&self->nic).stats.tx_dropped);
	/* Shorter: the newest go, and no more come than there is room for. */
	ASSERT_EQ(0, if_set(self->nic.name, SIOCSIFTXQLEN, 4));
	EXPECT_EQ(12, ethtool_counter(self->nic.name, "tx_drop_purged"));
	ASSERT_EQ(0, send_packets(stack, variant->mode, SIZE, 0, 1));
	EXPECT_EQ(97, link_of(&self->nic).stats.tx_dropped);
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(SIZE, neg(recv(sock, data, 200, 0)));
		EXPECT_TRUE(same(data, variant->mode, i)) TH_LOG("%d", i);
	}
	EXPECT_EQ(-EAGAIN, neg(recv(sock, data, 200, 0)));
	close(stack);
	close(sock);
}

FD_TEST(socket, recv_and_its_flags)
{
	unsigned char data[3][200];
	struct iovec iov[3] = {
		{ data[0], 200 }, { data[1], 40 }, { data[2], 200 },
	};
	struct mmsghdr msgs[3] = {};
	int sock, stack, i;

	OURS_ALONE(ONLY_HERE);
	ASSERT_EQ(0, start(&self->nic, &sock, variant->mode));
	stack = packet_socket(self->nic.index);
	ASSERT_LE(0, stack);
	ASSERT_EQ(0, send_packets(stack, variant->mode, SIZE, 0, 6));
	/* Too long: the rest is lost, and said so. */
	EXPECT_EQ(30, neg(recv(sock, data[0], 30, 0)));
	EXPECT_EQ(SIZE, neg(recv(sock, data[0], 30, MSG_TRUNC)));
	EXPECT_EQ(SIZE, neg(recv(sock, data[0], 200, MSG_DONTWAIT)));
	EXPECT_TRUE(same(data[0], variant->mode, 2));
	for (i = 0; i < 3; i++) {
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	ASSERT_EQ(3, neg(recvmmsg(sock, msgs, 3, 0, NULL)));
	EXPECT_EQ(SIZE, msgs[0].msg_len);
	EXPECT_EQ(0, msgs[0].msg_hdr.msg_flags);
	EXPECT_EQ(40, msgs[1].msg_len);
	EXPECT_EQ(MSG_TRUNC, msgs[1].msg_hdr.msg_flags);
	EXPECT_EQ(SIZE, msgs[2].msg_len);
	EXPECT_TRUE(same(data[0], variant->mode, 3));
	EXPECT_TRUE(same(data[2], variant->mode, 5));
	EXPECT_EQ(-EAGAIN, neg(recv(sock, data[0], 200, 0)));
	/* And the other way, for each packet a call's worth */
	for (i = 0; i < 3; i++) {
		packet_fill(data[i], variant->mode, SIZE, i);
		iov[i].iov_len = SIZE;
	}
	ASSERT_EQ(3, neg(sendmmsg(sock, msgs, 3, 0)));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(SIZE, receive(stack, data[0], 200, NULL));
		EXPECT_TRUE(same(data[0], variant->mode, i));
	}
	/* What is wrong with a packet is said as by write(). */
	EXPECT_EQ(-EINVAL, neg(send(sock, data[0], 0, 0)));
	EXPECT_EQ(-EFAULT, neg(send(sock, (void *)8, SIZE, 0)));
	ASSERT_EQ(0, if_down(self->nic.name));
	EXPECT_EQ(-EIO, neg(send(sock, data[1], SIZE, 0)));
	close(stack);
	close(sock);
}

FD_TEST(socket, waits)
{
	struct call call;
	int sock, stack;

	OURS_ALONE(ONLY_HERE);
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	sock = socket_of(self->nic.fd, 0);
	ASSERT_LE(0, sock);
	stack = packet_socket(self->nic.index);
	ASSERT_LE(0, stack);
	ASSERT_EQ(0, call_start(&call, sock, 0));
	ASSERT_EQ(0, send_packets(stack, variant->mode, SIZE, 1, 2));
	EXPECT_EQ(SIZE, call_end(&call));
	EXPECT_TRUE(same(call.data, variant->mode, 1));
	ASSERT_EQ(0, call_start(&call, sock, POLLIN));
	ASSERT_EQ(0, send_packets(stack, variant->mode, SIZE, 2, 3));
	EXPECT_EQ(POLLIN, call_end(&call) & POLLIN);
	ASSERT_EQ(SIZE, neg(read(sock, call.data, sizeof(call.data))));
	/* The device goes. */
	ASSERT_EQ(0, call_start(&call, sock, 0));
	ASSERT_EQ(0, link_delete(self->nic.index));
	EXPECT_EQ(-EFAULT, call_end(&call));
	EXPECT_EQ(-EBADFD, neg(read(sock, call.data, SIZE)));
	EXPECT_EQ(-EBADFD, neg(send(sock, call.data, SIZE, 0)));
	EXPECT_EQ(POLLERR, poll_now(sock, POLLIN | POLLOUT));
	/* Another one, by the socket */
	ASSERT_EQ(0, set_iff(sock, (char [IFNAMSIZ]) { "again" },
			     variant->mode | IFF_NO_PI));
	ASSERT_EQ(0, if_up("again"));
	close(stack);
	stack = packet_socket(if_index("again"));
	ASSERT_LE(0, stack);
	ASSERT_EQ(0, send_packets(stack, variant->mode, SIZE, 7, 8));
	ASSERT_EQ(SIZE, neg(read(self->nic.fd, call.data, SIZE)));
	EXPECT_TRUE(same(call.data, variant->mode, 7));
	close(stack);
	close(sock);
}

/* A reader that sleeps in front of the ring finds what comes afterwards. */
FD_TEST(socket, made_under_a_reader)
{
	struct call call;
	int sock, stack;

	OURS_ALONE(ONLY_HERE);
	ASSERT_EQ(0, nic_open(&self->nic, "", variant->mode | IFF_NO_PI, 0));
	ASSERT_EQ(0, if_up(self->nic.name));
	stack = packet_socket(self->nic.index);
	ASSERT_LE(0, stack);
	ASSERT_EQ(0, call_start(&call, self->nic.fd, 0));
	sock = socket_of(self->nic.fd, 0);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, send_packets(stack, variant->mode, SIZE, 1, 2));
	EXPECT_EQ(SIZE, call_end(&call));
	EXPECT_TRUE(same(call.data, variant->mode, 1));
	close(stack);
	close(sock);
}

/*
 * One that was woken for a packet in the ring comes to look while that one is on
 * its way to the socket.
 */
FD_TEST(socket, made_over_a_reader_that_was_woken)
{
	struct sched_param first = { .sched_priority = 2 },
			   second = { .sched_priority = 1 };
	struct call call;
	cpu_set_t one;
	int sock, stack;

	OURS_ALONE(ONLY_HERE);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(one), &one));
	ASSERT_EQ(0, nic_open(&self->nic, "", variant->mode | IFF_NO_PI, 0));
	ASSERT_EQ(0, if_up(self->nic.name));
	stack = packet_socket(self->nic.index);
	ASSERT_LE(0, stack);
	ASSERT_EQ(0, call_start(&call, self->nic.fd, 0));
	/* It runs as soon as this thread sleeps, which waits for RCU then. */
	ASSERT_EQ(0, sched_setscheduler(0, SCHED_FIFO, &first));
	ASSERT_EQ(0, sched_setscheduler(call.tid, SCHED_FIFO, &second));
	ASSERT_EQ(0, send_packets(stack, variant->mode, SIZE, 1, 2));
	sock = socket_of(self->nic.fd, 0);
	ASSERT_LE(0, sock);
	EXPECT_EQ(SIZE, call_end(&call));
	EXPECT_TRUE(same(call.data, variant->mode, 1));
	close(stack);
	close(sock);
}

static volatile sig_atomic_t signals;

static void on_signal(int signal)
{
	(void)signal;
	signals++;
}

FD_TEST(socket, sigio)
{
	int sock, stack;

	OURS_ALONE(ONLY_HERE);
	ASSERT_EQ(0, start(&self->nic, &sock, variant->mode));
	stack = packet_socket(self->nic.index);
	ASSERT_LE(0, stack);
	signal(SIGIO, on_signal);
	ASSERT_EQ(0, fcntl(sock, F_SETOWN, getpid()));
	ASSERT_EQ(0, fcntl(sock, F_SETFL, O_NONBLOCK | O_ASYNC));
	ASSERT_EQ(0, send_packets(stack, variant->mode, SIZE, 1, 2));
	EXPECT_TRUE(WAIT_FOR(signals));
	close(stack);
	close(sock);
}

/* The file may go first; the device goes with the socket then. */
FD_TEST(socket, outlives_the_file)
{
	unsigned char data[200];
	int sock, stack;

	OURS_ALONE(ONLY_HERE);
	ASSERT_EQ(0, start(&self->nic, &sock, variant->mode));
	nic_close(&self->nic);
	stack = packet_socket(self->nic.index);
	ASSERT_LE(0, stack);
	ASSERT_EQ(0, send_packets(stack, variant->mode, SIZE, 1, 2));
	ASSERT_EQ(SIZE, neg(recv(sock, data, 200, 0)));
	EXPECT_TRUE(same(data, variant->mode, 1));
	/* Of packets that wait nothing is left either. */
	ASSERT_EQ(0, send_packets(stack, variant->mode, SIZE, 1, 9));
	close(stack);
	close(sock);
	EXPECT_TRUE(WAIT_FOR(if_index(self->nic.name) == -ENODEV));
}

/* Packets that nobody has fetched are counted when their device goes. */
FD_TEST(socket, purged)
{
	int sock, stack;

	OURS_ALONE(ONLY_HERE);
	ASSERT_EQ(0, link_add(variant->kind, "so0"));
	ASSERT_EQ(0, nic_open(&self->nic, "so0", variant->mode | IFF_NO_PI,
			      O_NONBLOCK));
	ASSERT_EQ(0, if_up("so0"));
	sock = socket_of(self->nic.fd, 0);
	ASSERT_LE(0, sock);
	stack = packet_socket(self->nic.index);
	ASSERT_LE(0, stack);
	ASSERT_EQ(0, send_packets(stack, variant->mode, SIZE, 0, 9));
	close(sock);
	nic_close(&self->nic);
	EXPECT_EQ(9, ethtool_counter("so0", "tx_drop_purged"));
	EXPECT_EQ(9, link_of(&self->nic).stats.tx_dropped);
	ASSERT_EQ(0, link_delete(self->nic.index));
	close(stack);
}

/* TUNSETQUEUE, TUNSETIFF and their kind by the socket alone */
FD_TEST(socket, of_two_queues)
{
	int flags = variant->mode | IFF_NO_PI | IFF_MULTI_QUEUE;
	int sock[2], stack, i, got[2];
	unsigned char data[200];
	char name[IFNAMSIZ];
	struct nic nic[2];

	OURS_ALONE(ONLY_HERE);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, nic_open(&nic[i], "so0", flags, O_NONBLOCK));
		sock[i] = socket_of(nic[i].fd, O_NONBLOCK);
		ASSERT_LE(0, sock[i]);
		nic_close(&nic[i]);
	}
	ASSERT_EQ(0, if_up("so0"));
	EXPECT_EQ(variant->mode, get_iff(sock[1], name) & (IFF_TUN | IFF_TAP));
	EXPECT_STREQ("so0", name);
	stack = packet_socket(if_index("so0"));
	ASSERT_LE(0, stack);
	/* What is not attached gets nothing. */
	ASSERT_EQ(0, set_queue(sock[0], IFF_DETACH_QUEUE));
	EXPECT_TRUE(get_iff(sock[0], NULL) & IFF_DETACH_QUEUE);
	ASSERT_EQ(0, send_packets(stack, variant->mode, SIZE, 0, 10));
	EXPECT_EQ(-EAGAIN, neg(recv(sock[0], data, 200, 0)));
	EXPECT_EQ(10, read_in_order(sock[1], variant->mode, SIZE, 0));
	ASSERT_EQ(0, set_queue(sock[0], IFF_ATTACH_QUEUE));
	ASSERT_EQ(0, set_queue(sock[1], IFF_DETACH_QUEUE));
	ASSERT_EQ(0, send_packets(stack, variant->mode, SIZE, 0, 10));
	for (i = 0; i < 2; i++)
		got[i] = read_in_order(sock[i], variant->mode, SIZE, 0);
	EXPECT_EQ(10, got[0]);
	EXPECT_EQ(0, got[1]);
	close(stack);
	close(sock[0]);
	close(sock[1]);
}

/* ----------------------------------------------------------- forged messages */

/* struct tun_msg_ctl of <linux/if_tun.h>, as vhost fills it in for tun */
struct forged {
	unsigned short type;
	unsigned short num;
	void *ptr;
};

#define TUN_MSG_UBUF	1
#define TUN_MSG_PTR	2

/* A message that would make tun follow a pointer of the program's */
struct forgery {
	struct forged ctl;
	unsigned char data[SIZE];
	struct iovec iov;
	struct msghdr msg;
};

static void forge(struct forgery *f, int mode, int type, size_t controllen)
{
	memset(f, 0, sizeof(*f));
	f->ctl = (struct forged) { type, 4, (void *)0xffff888000100000UL };
	packet_fill(f->data, mode, SIZE, 1);
	f->iov = (struct iovec) { f->data, SIZE };
	f->msg = (struct msghdr) {
		.msg_iov = &f->iov, .msg_iovlen = 1,
		.msg_control = &f->ctl, .msg_controllen = controllen,
	};
}

/* With a length the kernel copies it, without one it only has the pointer. */
static const size_t lengths[] = { sizeof(struct forged), 0 };
static const int types[] = { TUN_MSG_UBUF, TUN_MSG_PTR, 0 };

FD_TEST(socket, forged_by_sendmsg)
{
	struct mmsghdr many = {};
	unsigned int i, j;
	struct forgery f;
	int sock;

	OURS_ALONE(ONLY_HERE);
	ASSERT_EQ(0, start(&self->nic, &sock, variant->mode));
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		for (j = 0; j < ARRAY_SIZE(types); j++) {
			forge(&f, variant->mode, types[j], lengths[i]);
			EXPECT_EQ(-EINVAL, neg(sendmsg(sock, &f.msg, 0)));
			many.msg_hdr = f.msg;
			EXPECT_EQ(-EINVAL, neg(sendmmsg(sock, &many, 1, 0)));
		}
	}
	EXPECT_EQ(0, link_of(&self->nic).stats.rx_packets);
	f.msg.msg_control = NULL;
	EXPECT_EQ(SIZE, neg(sendmsg(sock, &f.msg, 0)));
	/* A length alone is what vhost leaves there, and no message. */
	EXPECT_EQ(1, link_of(&self->nic).stats.rx_packets);
	close(sock);
}

static void forged_by_uring(struct __test_metadata *_metadata, struct nic *nic,
			    int mode, unsigned int setup,
			    unsigned char sqe_flags)
{
	struct forgery f;
	struct ring ring;
	unsigned int i, j;
	int sock, result;

	OURS_ALONE(ONLY_HERE);
	result = ring_open(&ring, ENTRIES, setup);
	if (result == -EOPNOTSUPP)
		SKIP(return, "no io_uring in this kernel");
	ASSERT_EQ(0, result);
	ring.sqe_flags = sqe_flags;
	ASSERT_EQ(0, start(nic, &sock, mode));
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		for (j = 0; j < ARRAY_SIZE(types); j++) {
			forge(&f, mode, types[j], lengths[i]);
			ASSERT_LE(0, ring_submit(&ring, IORING_OP_SENDMSG, sock,
						 &f.msg, 1, 0));
			EXPECT_EQ(-EINVAL, ring_complete(&ring, NULL));
		}
	}
	EXPECT_EQ(0, link_of(nic).stats.rx_packets);
	f.msg.msg_control = NULL;
	ASSERT_LE(0, ring_submit(&ring, IORING_OP_SENDMSG, sock, &f.msg, 1, 0));
	EXPECT_EQ(SIZE, ring_complete(&ring, NULL));
	EXPECT_EQ(1, link_of(nic).stats.rx_packets);
	close(sock);
	ring_close(&ring);
}

FD_TEST(socket, forged_by_io_uring)
{
	forged_by_uring(_metadata, &self->nic, variant->mode, 0, 0);
}

FD_TEST(socket, forged_by_a_worker)
{
	forged_by_uring(_metadata, &self->nic, variant->mode, 0,
			IOSQE_ASYNC);
}

FD_TEST(socket, forged_by_sqpoll)
{
	forged_by_uring(_metadata, &self->nic, variant->mode,
			IORING_SETUP_SQPOLL, 0);
}

FD_TEST(socket, send_and_recv_of_io_uring)
{
	unsigned char data[200];
	struct ring ring;
	int sock, stack, result;

	OURS_ALONE(ONLY_HERE);
	result = ring_open(&ring, ENTRIES, 0);
	if (result == -EOPNOTSUPP)
		SKIP(return, "no io_uring in this kernel");
	ASSERT_EQ(0, result);
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	sock = socket_of(self->nic.fd, 0);
	ASSERT_LE(0, sock);
	stack = packet_socket(self->nic.index);
	ASSERT_LE(0, stack);
	ASSERT_EQ(1, ring_submit(&ring, IORING_OP_RECV, sock, data, 200, 0));
	EXPECT_FALSE(ring_ready(&ring));
	ASSERT_EQ(0, send_packets(stack, variant->mode, SIZE, 1, 2));
	ASSERT_EQ(SIZE, ring_complete(&ring, NULL));
	EXPECT_TRUE(same(data, variant->mode, 1));
	ASSERT_EQ(1, ring_submit(&ring, IORING_OP_SEND, sock, data, SIZE, 0));
	ASSERT_EQ(SIZE, ring_complete(&ring, NULL));
	ASSERT_EQ(SIZE, receive(stack, data, 200, NULL));
	EXPECT_TRUE(same(data, variant->mode, 1));
	close(stack);
	close(sock);
	ring_close(&ring);
}

/* One that has to wait for room in the send buffer is sent from its beginning. */
FD_TEST(socket, sendmsg_of_io_uring_that_waits)
{
	unsigned char data[SIZE], got[200], header[10] = {};
	struct iovec iov[] = { { header, 10 }, { data, SIZE } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	int sock, i, result, arrived = 0;
	bool waits = false;
	struct nic held;
	struct ring ring;

	OURS_ALONE(ONLY_HERE);
	result = ring_open(&ring, ENTRIES, 0);
	if (result == -EOPNOTSUPP)
		SKIP(return, "no io_uring in this kernel");
	ASSERT_EQ(0, result);
	ASSERT_EQ(0, nic_open(&self->nic, "so0", variant->mode | IFF_NO_PI |
			      IFF_VNET_HDR, 0));
	ASSERT_EQ(0, if_up("so0"));
	sock = socket_of(self->nic.fd, 0);
	ASSERT_LE(0, sock);
	result = held_open(&held, "so0", variant->mode);
	if (result == -EOPNOTSUPP)
		SKIP(return, "no tc, or a kernel without matchall, mirred");
	ASSERT_EQ(0, result);
	ASSERT_EQ(0, set_number(sock, TUNSETSNDBUF, 4096));
	packet_fill(data, variant->mode, SIZE, 1);
	for (i = 0; i < 40 && !waits; i++) {
		ASSERT_EQ(1, ring_submit(&ring, IORING_OP_SENDMSG, sock, &msg,
					 1, i));
		waits = !ring_ready(&ring);
		if (!waits)
			ASSERT_EQ(SIZE + 10, ring_complete(&ring, NULL));
	}
	ASSERT_TRUE(waits);
	while (arrived < i && poll_wait(held.fd, POLLIN) & POLLIN) {
		ASSERT_EQ(SIZE, neg(read(held.fd, got, 200)));
		EXPECT_TRUE(same(got, variant->mode, 1));
		arrived++;
		/* What has waited is sent by this thread. */
		ring_ready(&ring);
	}
	EXPECT_EQ(SIZE + 10, ring_complete(&ring, NULL));
	EXPECT_EQ(i, arrived);
	nic_close(&held);
	close(sock);
	ring_close(&ring);
}

TEST_HARNESS_MAIN
