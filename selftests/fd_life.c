// SPDX-License-Identifier: GPL-2.0
/*
 * Lives of files, devices and namespaces, which end in any order.
 */
#include "fd.h"

FD_FIXTURE(life)

/* Does a packet get through, both ways? 0 or -errno */
static int carries(int fd, int index, int mode)
{
	unsigned char data[100], want[100];
	int sock = packet_socket(index), result = 0;

	if (sock < 0)
		return sock;
	packet_fill(want, mode, 100, 1);
	if (send(sock, want, 100, 0) != 100)
		result = -errno;
	else if (read_packet(fd, data, 100) != 100 || memcmp(data, want, 100))
		result = -EIO;
	else if (write(fd, want, 100) != 100)
		result = -errno;
	else if (receive(sock, data, 100, NULL) != 100 ||
		 memcmp(data, want, 100))
		result = -EILSEQ;
	close(sock);
	return result;
}

FD_TEST(life, dup_holds_the_device)
{
	int second;

	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	second = dup(self->nic.fd);
	ASSERT_LE(0, second);
	nic_close(&self->nic);
	EXPECT_EQ(0, carries(second, self->nic.index, variant->mode));
	close(second);
	EXPECT_EQ(-ENODEV, if_index(self->nic.name));
}

FD_TEST(life, child_holds_the_device)
{
	int status, pipes[2];
	pid_t pid;

	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	ASSERT_EQ(0, pipe(pipes));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		char byte;

		/* Once the parent has closed both of its own */
		close(pipes[1]);
		if (read(pipes[0], &byte, 1) != 0)
			_exit(1);
		_exit(-carries(self->nic.fd, self->nic.index, variant->mode));
	}
	nic_close(&self->nic);
	EXPECT_LT(0, if_index(self->nic.name));
	close(pipes[0]);
	close(pipes[1]);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0, WEXITSTATUS(status));
	EXPECT_EQ(-ENODEV, if_index(self->nic.name));
}

FD_TEST(life, killed_program_leaves_nothing)
{
	int status;
	pid_t pid;

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		unsigned char data[100];

		nic_open(&self->nic, "fd0", variant->mode, 0);
		/* For good */
		while (read(self->nic.fd, data, sizeof(data)) > 0)
			;
		_exit(1);
	}
	ASSERT_TRUE(WAIT_FOR(if_index("fd0") > 0 && sleeps(pid, pid)));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(-ENODEV, if_index("fd0"));
}

/* An fd goes through a socket to a process without any privilege. */
static int receive_fd(void *arg)
{
	char room[CMSG_SPACE(sizeof(int))] = {}, byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = room, .msg_controllen = sizeof(room),
	};
	unsigned char data[100];
	int *args = arg, fd, result;

	result = become(USER, USER);
	if (result)
		return result;
	if (recvmsg(args[0], &msg, 0) != 1 || !CMSG_FIRSTHDR(&msg))
		return -errno;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	packet_fill(data, args[1], 100, 4);
	return neg(write(fd, data, 100));
}

FD_TEST(life, passed_to_another_process)
{
	char room[CMSG_SPACE(sizeof(int))] = {};
	struct iovec iov = { "x", 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = room, .msg_controllen = sizeof(room),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	unsigned char data[100], want[100];
	int pair[2], args[2], sock;

	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &self->nic.fd, sizeof(int));
	ASSERT_EQ(1, neg(sendmsg(pair[1], &msg, 0)));
	/* From here on the message alone holds it. */
	nic_close(&self->nic);
	EXPECT_LT(0, if_index(self->nic.name));
	args[0] = pair[0];
	args[1] = variant->mode;
	ASSERT_EQ(100, in_child(receive_fd, args));
	/* The child has ended, the message is read: nobody is left. */
	EXPECT_EQ(-ENODEV, if_index(self->nic.name));
	/* The socket tells of that before it gives the packet from before. */
	EXPECT_EQ(-ENETDOWN, receive(sock, data, 100, NULL));
	ASSERT_EQ(100, receive(sock, data, 100, NULL));
	packet_fill(want, variant->mode, 100, 4);
	EXPECT_EQ(0, memcmp(data, want, 100));
	close(pair[0]);
	close(pair[1]);
	close(sock);
}

FD_TEST(life, deleted_under_the_fd)
{
	unsigned char data[100];

	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	packet_fill(data, variant->mode, 100, 0);
	ASSERT_EQ(0, link_delete(self->nic.index));
	EXPECT_EQ(-EBADFD, neg(read(self->nic.fd, data, 100)));
	EXPECT_EQ(-EBADFD, neg(write(self->nic.fd, data, 100)));
	EXPECT_EQ(-EBADFD, get_iff(self->nic.fd, NULL));
	EXPECT_EQ(-EBADFD, neg(ioctl(self->nic.fd, TUNSETPERSIST, 1)));
	EXPECT_EQ(POLLERR, poll_now(self->nic.fd, POLLIN | POLLOUT));

	/* A file without a device may ask for one. */
	ASSERT_EQ(0, nic_attach(&self->nic, self->nic.fd, "fd1",
				variant->mode | IFF_NO_PI));
	ASSERT_EQ(0, if_up("fd1"));
	EXPECT_EQ(0, carries(self->nic.fd, self->nic.index, variant->mode));
}

FD_TEST(life, deleted_with_packets_in_it)
{
	unsigned char data[100];
	int sock;

	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 20));
	ASSERT_EQ(POLLIN, poll_wait(self->nic.fd, POLLIN));
	ASSERT_EQ(0, link_delete(self->nic.index));
	EXPECT_EQ(-EBADFD, neg(read(self->nic.fd, data, 100)));
	/* Those of the old device are not for the new one. */
	ASSERT_EQ(0, nic_attach(&self->nic, self->nic.fd, "fd1",
				variant->mode | IFF_NO_PI));
	EXPECT_EQ(-EAGAIN, neg(read(self->nic.fd, data, 100)));
	close(sock);
}

FD_TEST(life, persistent_one_is_deleted)
{
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETPERSIST, 1));
	ASSERT_EQ(0, link_delete(self->nic.index));
	EXPECT_EQ(-EBADFD, get_iff(self->nic.fd, NULL));
	nic_close(&self->nic);
	EXPECT_EQ(-ENODEV, if_index(self->nic.name));
}

FD_TEST(life, moved_to_another_namespace)
{
	int home = namespace_fd(), away, index;

	ASSERT_LE(0, home);
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	ASSERT_EQ(0, namespace_new());
	away = namespace_fd();
	ASSERT_LE(0, away);
	ASSERT_EQ(0, setns(home, CLONE_NEWNET));
	ASSERT_EQ(0, link_move(self->nic.index, away));
	EXPECT_EQ(-ENODEV, if_index(self->nic.name));

	ASSERT_EQ(0, setns(away, CLONE_NEWNET));
	index = if_index(self->nic.name);
	ASSERT_LT(0, index);
	ASSERT_EQ(0, if_up(self->nic.name));
	EXPECT_EQ(0, carries(self->nic.fd, index, variant->mode));
	/* Where it is now, it goes with its fd as ever. */
	nic_close(&self->nic);
	EXPECT_EQ(-ENODEV, if_index(self->nic.name));
}

FD_TEST(life, namespace_ends_under_the_fd)
{
	int home = namespace_fd(), away;
	unsigned char data[100];

	ASSERT_LE(0, home);
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	ASSERT_EQ(0, namespace_new());
	away = namespace_fd();
	ASSERT_LE(0, away);
	ASSERT_EQ(0, setns(home, CLONE_NEWNET));
	ASSERT_EQ(0, link_move(self->nic.index, away));
	close(away);
	ASSERT_TRUE(WAIT_FOR(get_iff(self->nic.fd, NULL) == -EBADFD));
	EXPECT_EQ(-EBADFD, neg(read(self->nic.fd, data, 100)));
	EXPECT_EQ(POLLERR, poll_now(self->nic.fd, POLLIN | POLLOUT));
	ASSERT_EQ(0, nic_attach(&self->nic, self->nic.fd, "fd1",
				variant->mode | IFF_NO_PI));
	ASSERT_EQ(0, if_up("fd1"));
	EXPECT_EQ(0, carries(self->nic.fd, self->nic.index, variant->mode));
}

/* The file keeps the namespace in which it was opened. */
FD_TEST(life, namespace_lives_with_the_fd)
{
	int got;

	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	/* Nothing else refers to the one that was left. */
	ASSERT_EQ(0, namespace_new());
	EXPECT_EQ(-ENODEV, if_index(self->nic.name));
	got = neg(ioctl(self->nic.fd, TUNGETDEVNETNS));
	ASSERT_LE(0, got);
	ASSERT_EQ(0, setns(got, CLONE_NEWNET));
	close(got);
	EXPECT_EQ(0, carries(self->nic.fd, self->nic.index, variant->mode));
}

FD_TEST(life, opened_and_closed)
{
	int i, fd;

	for (i = 0; i < 100; i++) {
		fd = device_open(0);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, close(fd));
	}
}

/* A thread that does everything there is to do with an fd, until told */
struct meddler {
	pthread_t thread;
	int fd, mode;
	bool stop;
	unsigned long rounds;
};

static void *meddle(void *arg)
{
	struct meddler *m = arg;
	unsigned char data[100];
	char name[IFNAMSIZ];
	int value;

	while (!__atomic_load_n(&m->stop, __ATOMIC_ACQUIRE)) {
		packet_fill(data, m->mode, 100, 1);
		/* What they return depends on the moment. */
		if (write(m->fd, data, 100) < 0 && errno == EFAULT)
			break;
		if (read(m->fd, data, 100) < 0 && errno == EFAULT)
			break;
		poll_now(m->fd, POLLIN | POLLOUT);
		get_iff(m->fd, name);
		ioctl(m->fd, TUNGETSNDBUF, &value);
		__atomic_add_fetch(&m->rounds, 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

FD_TEST(life, attached_and_deleted_under_use)
{
	struct meddler m = { .mode = variant->mode };
	char name[IFNAMSIZ];
	unsigned long seen;
	int i;

	m.fd = device_open(O_NONBLOCK);
	ASSERT_LE(0, m.fd);
	ASSERT_EQ(0, pthread_create(&m.thread, NULL, meddle, &m));
	for (i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "fd%d", i);
		ASSERT_EQ(0, nic_attach(&self->nic, m.fd, name,
					variant->mode | IFF_NO_PI));
		ASSERT_EQ(0, if_up(name));
		seen = __atomic_load_n(&m.rounds, __ATOMIC_ACQUIRE);
		ASSERT_TRUE(WAIT_FOR(__atomic_load_n(&m.rounds,
						     __ATOMIC_ACQUIRE) >
				     seen + 3));
		ASSERT_EQ(0, link_delete(self->nic.index));
	}
	__atomic_store_n(&m.stop, true, __ATOMIC_RELEASE);
	pthread_join(m.thread, NULL);
	self->nic.fd = m.fd;
	EXPECT_EQ(-EBADFD, get_iff(m.fd, NULL));
}

FD_TEST(life, taken_by_turns)
{
	struct nic second;
	int i;

	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETPERSIST, 1));
	for (i = 0; i < 10; i++) {
		second = self->nic;
		nic_close(&self->nic);
		ASSERT_EQ(0, nic_open(&self->nic, second.name,
				      variant->mode | IFF_NO_PI, O_NONBLOCK));
		EXPECT_EQ(second.index, self->nic.index);
	}
	ASSERT_TRUE(WAIT_FOR(link_of(&self->nic).flags & IFF_RUNNING));
	EXPECT_EQ(0, carries(self->nic.fd, self->nic.index, variant->mode));
}

TEST_HARNESS_MAIN
