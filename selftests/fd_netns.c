// SPDX-License-Identifier: GPL-2.0
/*
 * Devices that move between namespaces with a program attached, and the two
 * namespaces that a file has to do with: that of open(2) and that of its device.
 *
 *   home: open(2), TUNSETIFF              away: the interface, its sockets
 *           fd ====================================== |
 */
#include "fd_bpf.h"

FD_FIXTURE(netns)

/* A second namespace; the process is in the first one again. */
static int away_new(int *home)
{
	int away;

	*home = namespace_fd();
	if (*home < 0 || namespace_new())
		return -errno;
	away = namespace_fd();
	if (setns(*home, CLONE_NEWNET))
		return -errno;
	return away;
}

/* A socket of the namespace @ns; the process stays in @home. */
static int socket_in(int ns, int home, int index)
{
	int sock;

	if (setns(ns, CLONE_NEWNET))
		return -errno;
	sock = packet_socket(index);
	setns(home, CLONE_NEWNET);
	return sock;
}

static int index_in(int ns, int home, const char *name)
{
	int index;

	if (setns(ns, CLONE_NEWNET))
		return -errno;
	index = if_index(name);
	setns(home, CLONE_NEWNET);
	return index;
}

static int up_in(int ns, int home, const char *name)
{
	int result;

	if (setns(ns, CLONE_NEWNET))
		return -errno;
	result = if_up(name);
	setns(home, CLONE_NEWNET);
	return result;
}

/* Does a packet get through both ways, with a socket of the device's side? */
static bool carries(int fd, int sock, int mode)
{
	unsigned char data[100], got[128];

	packet_fill(data, mode, 100, 1);
	return send(sock, data, 100, 0) == 100 &&
	       read_packet(fd, got, 128) == 100 && !memcmp(data, got, 100) &&
	       write(fd, data, 100) == 100 &&
	       receive(sock, got, 128, NULL) == 100 && !memcmp(data, got, 100);
}

static ino_t device_namespace(int fd)
{
	int ns = neg(ioctl(fd, TUNGETDEVNETNS));
	ino_t inode = inode_of(ns);

	close(ns);
	return inode;
}

/* There and back, all queues and settings with it */
FD_TEST(netns, moved_there_and_back)
{
	const int flags = variant->mode | IFF_NO_PI | IFF_MULTI_QUEUE;
	int home, away = away_new(&home), sock, second;
	struct nic nic;

	ASSERT_LE(0, away);
	ASSERT_EQ(0, nic_open(&self->nic, "ns0", flags, O_NONBLOCK));
	ASSERT_EQ(0, nic_open(&nic, "ns0", flags, O_NONBLOCK));
	second = nic.fd;
	ASSERT_EQ(0, set_number(self->nic.fd, TUNSETSNDBUF, 1 << 20));
	ASSERT_EQ(0, set_queue(second, IFF_DETACH_QUEUE));
	EXPECT_EQ(inode_of(home), device_namespace(second));
	ASSERT_EQ(0, link_move(self->nic.index, away));
	EXPECT_EQ(-ENODEV, if_index("ns0"));
	ASSERT_LT(0, index_in(away, home, "ns0"));
	/* It went down, as every device that moves. */
	ASSERT_EQ(0, up_in(away, home, "ns0"));
	sock = socket_in(away, home, index_in(away, home, "ns0"));
	ASSERT_LE(0, sock);
	EXPECT_TRUE(carries(self->nic.fd, sock, variant->mode));
	EXPECT_EQ(flags, get_iff(self->nic.fd, NULL));
	EXPECT_EQ(1 << 20, get_number(self->nic.fd, TUNGETSNDBUF));
	EXPECT_EQ(inode_of(away), device_namespace(self->nic.fd));
	EXPECT_EQ(inode_of(away), device_namespace(second));
	/* Queues of it are attached where it is, by those who have them. */
	ASSERT_EQ(0, set_queue(second, IFF_ATTACH_QUEUE));
	ASSERT_EQ(0, set_queue(self->nic.fd, IFF_DETACH_QUEUE));
	EXPECT_TRUE(carries(second, sock, variant->mode));
	close(sock);

	ASSERT_EQ(0, setns(away, CLONE_NEWNET));
	ASSERT_EQ(0, link_move(if_index("ns0"), home));
	ASSERT_EQ(0, setns(home, CLONE_NEWNET));
	ASSERT_EQ(0, if_up("ns0"));
	sock = packet_socket(if_index("ns0"));
	EXPECT_TRUE(carries(second, sock, variant->mode));
	EXPECT_EQ(inode_of(home), device_namespace(second));
	close(sock);
	close(second);
}

/* TUNSETIFF looks where the file was opened, wherever the device has gone. */
FD_TEST(netns, looked_for_where_the_file_was_opened)
{
	int home, away = away_new(&home), fd;
	struct nic other;

	ASSERT_LE(0, away);
	ASSERT_EQ(0, nic_open(&self->nic, "ns0", variant->mode, 0));
	ASSERT_EQ(0, link_move(self->nic.index, away));
	/* Free here: another one of that name */
	ASSERT_EQ(0, nic_open(&other, "ns0", variant->mode, 0));
	EXPECT_EQ(inode_of(home), device_namespace(other.fd));
	/* Opened there: the first one, and it is taken */
	ASSERT_EQ(0, setns(away, CLONE_NEWNET));
	fd = device_open(0);
	ASSERT_EQ(0, setns(home, CLONE_NEWNET));
	EXPECT_EQ(-EBUSY, set_iff(fd, (char [IFNAMSIZ]) { "ns0" },
				  variant->mode));
	nic_close(&self->nic);
	EXPECT_EQ(0, set_iff(fd, (char [IFNAMSIZ]) { "ns0" }, variant->mode));
	EXPECT_EQ(inode_of(away), device_namespace(fd));
	/* It cannot come home, where the name is taken. */
	ASSERT_EQ(0, setns(away, CLONE_NEWNET));
	EXPECT_EQ(-EEXIST, link_move(if_index("ns0"), home));
	close(fd);
	nic_close(&other);
}

/* Its namespace ends while both queues are in use, one of them detached. */
FD_TEST(netns, ends_under_the_files)
{
	const int flags = variant->mode | IFF_NO_PI | IFF_MULTI_QUEUE;
	int home, away = away_new(&home);
	struct nic nic;

	ASSERT_LE(0, away);
	ASSERT_EQ(0, nic_open(&self->nic, "ns0", flags, O_NONBLOCK));
	ASSERT_EQ(0, nic_open(&nic, "ns0", flags, O_NONBLOCK));
	ASSERT_EQ(0, do_ioctl(nic.fd, TUNSETPERSIST, 1));
	ASSERT_EQ(0, set_queue(nic.fd, IFF_DETACH_QUEUE));
	ASSERT_EQ(0, link_move(self->nic.index, away));
	close(away);
	ASSERT_TRUE(WAIT_FOR(get_iff(self->nic.fd, NULL) == -EBADFD));
	EXPECT_EQ(-EBADFD, get_iff(nic.fd, NULL));
	EXPECT_EQ(-EINVAL, set_queue(nic.fd, IFF_ATTACH_QUEUE));
	EXPECT_EQ(-EBADFD, neg(ioctl(nic.fd, TUNGETDEVNETNS)));
	EXPECT_EQ(POLLERR, poll_now(nic.fd, POLLIN | POLLOUT));
	/* Both may have another one. */
	ASSERT_EQ(0, nic_attach(&self->nic, self->nic.fd, "ns1", flags));
	EXPECT_EQ(0, nic_attach(&nic, nic.fd, "ns1", flags));
	EXPECT_EQ(2, link_of(&nic).data[VNIC_TUN_NUM_QUEUES]);
	nic_close(&nic);
}

/* With its filters and programs */
FD_TEST(netns, moved_with_programs)
{
	int home, away = away_new(&home), sock, prog;
	unsigned char data[100], got[128];

	ASSERT_LE(0, away);
	ASSERT_EQ(0, nic_open(&self->nic, "ns0", variant->mode | IFF_NO_PI,
			      O_NONBLOCK));
	prog = BPF(BPF_PROG_TYPE_SOCKET_FILTER, MOVE_IMM(BPF_REG_0, 40),
		   EXIT());
	ASSERT_EQ(0, set_number(self->nic.fd, TUNSETFILTEREBPF, prog));
	close(prog);
	ASSERT_EQ(0, link_move(self->nic.index, away));
	ASSERT_EQ(0, up_in(away, home, "ns0"));
	sock = socket_in(away, home, index_in(away, home, "ns0"));
	ASSERT_LE(0, sock);
	packet_fill(data, variant->mode, 100, 1);
	ASSERT_EQ(100, neg(send(sock, data, 100, 0)));
	EXPECT_EQ(40, read_packet(self->nic.fd, got, 128));
	close(sock);
}

/* Moved again and again under traffic: it works in the end. */
struct pusher {
	pthread_t thread;
	int fd, mode;
	bool *stop;
};

static void *pusher_body(void *arg)
{
	struct pusher *pusher = arg;
	unsigned char data[128];

	while (!__atomic_load_n(pusher->stop, __ATOMIC_ACQUIRE)) {
		packet_fill(data, pusher->mode, 100, 1);
		/* EIO while it is down */
		if (write(pusher->fd, data, 100) < 0 && errno != EIO)
			return (void *)(long)errno;
		if (read(pusher->fd, data, 128) < 0 && errno != EAGAIN)
			return (void *)(long)errno;
	}
	return NULL;
}

FD_TEST(netns, moved_under_traffic)
{
	int home, away = away_new(&home), sock, i;
	struct pusher pusher = { .mode = variant->mode };
	bool stop = false;
	void *failed;

	ASSERT_LE(0, away);
	ASSERT_EQ(0, nic_open(&self->nic, "ns0", variant->mode | IFF_NO_PI,
			      O_NONBLOCK));
	pusher.fd = self->nic.fd;
	pusher.stop = &stop;
	ASSERT_EQ(0, pthread_create(&pusher.thread, NULL, pusher_body,
				    &pusher));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, if_up("ns0"));
		ASSERT_EQ(0, link_move(if_index("ns0"), i % 2 ? home : away));
		ASSERT_EQ(0, setns(i % 2 ? home : away, CLONE_NEWNET));
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	pthread_join(pusher.thread, &failed);
	EXPECT_EQ(NULL, failed);
	ASSERT_EQ(0, if_up("ns0"));
	sock = packet_socket(if_index("ns0"));
	while (read(self->nic.fd, (char [128]) {}, 128) > 0)
		;
	EXPECT_TRUE(carries(self->nic.fd, sock, variant->mode));
	close(sock);
}

TEST_HARNESS_MAIN
