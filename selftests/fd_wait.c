// SPDX-License-Identifier: GPL-2.0
/*
 * Waiting for packets: blocking reads, poll, epoll, SIGIO; and what ends a
 * wait when there is none to come.
 */
#include "fd.h"

FD_FIXTURE(wait)

#define SIGNAL	(SIGRTMIN + 1)

/* Attached and up, read() blocks */
static int start_blocking(struct nic *nic, int mode)
{
	return nic_open(nic, "fd0", mode | IFF_NO_PI, 0) ?: if_up("fd0");
}

static int epoll_on(int fd, int events)
{
	struct epoll_event event = { .events = events };
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (epoll < 0)
		return -errno;
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event)) {
		close(epoll);
		return -errno;
	}
	return epoll;
}

static int epoll_next(int epoll, int patience)
{
	struct epoll_event event;
	int result = epoll_wait(epoll, &event, 1, patience);

	if (result < 0)
		return -errno;
	return result ? (int)event.events : 0;
}

static void nothing(int signal)
{
}

FD_TEST(wait, read_wakes_on_a_packet)
{
	unsigned char want[100];
	struct call call;
	int sock;

	ASSERT_EQ(0, start_blocking(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, call_start(&call, self->nic.fd, 0));
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 1, 2));
	ASSERT_EQ(100, call_end(&call));
	packet_fill(want, variant->mode, 100, 1);
	EXPECT_EQ(0, memcmp(want, call.data, 100));
	close(sock);
}

/* The bit of the file decides, and at once. */
FD_TEST(wait, not_when_nonblocking)
{
	unsigned char data[100];

	ASSERT_EQ(0, start_blocking(&self->nic, variant->mode));
	ASSERT_EQ(0, fcntl(self->nic.fd, F_SETFL, O_RDWR | O_NONBLOCK));
	EXPECT_EQ(-EAGAIN, neg(read(self->nic.fd, data, sizeof(data))));
}

FD_TEST(wait, poll_before_setiff)
{
	self->nic.fd = device_open(0);
	ASSERT_LE(0, self->nic.fd);
	EXPECT_EQ(POLLERR, poll_now(self->nic.fd, POLLIN | POLLOUT));
}

FD_TEST(wait, poll_is_level_triggered)
{
	int sock, fd;

	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	fd = self->nic.fd;
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	EXPECT_EQ(POLLOUT, poll_now(fd, POLLIN | POLLOUT));
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 2));
	ASSERT_EQ(POLLIN, poll_wait(fd, POLLIN));
	EXPECT_EQ(POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM,
		  poll_now(fd, POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM));
	/* Unread, partly read: it still says so; then no longer. */
	EXPECT_EQ(POLLIN, poll_now(fd, POLLIN));
	EXPECT_EQ(2, read_in_order(fd, variant->mode, 100, 0));
	EXPECT_EQ(0, poll_now(fd, POLLIN));
	close(sock);
}

FD_TEST(wait, poll_wakes_on_a_packet)
{
	struct call call;
	int sock;

	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, call_start(&call, self->nic.fd, POLLIN));
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 1));
	EXPECT_EQ(POLLIN, call_end(&call));
	close(sock);
}

FD_TEST(wait, poll_when_down)
{
	struct call call;

	ASSERT_EQ(0, nic_open(&self->nic, "fd0", variant->mode, O_NONBLOCK));
	EXPECT_EQ(0, poll_now(self->nic.fd, POLLIN | POLLOUT));
	/* A writer who was told EIO waits here until it makes sense again. */
	ASSERT_EQ(0, call_start(&call, self->nic.fd, POLLOUT));
	ASSERT_EQ(0, if_up("fd0"));
	EXPECT_EQ(POLLOUT, call_end(&call));
	ASSERT_EQ(0, if_down("fd0"));
	EXPECT_EQ(0, poll_now(self->nic.fd, POLLIN | POLLOUT));
}

FD_TEST(wait, epoll_level)
{
	int sock, epoll;

	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	epoll = epoll_on(self->nic.fd, EPOLLIN);
	ASSERT_LE(0, epoll);
	EXPECT_EQ(0, epoll_next(epoll, 0));
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 1));
	EXPECT_EQ(EPOLLIN, epoll_next(epoll, FD_PATIENCE));
	EXPECT_EQ(EPOLLIN, epoll_next(epoll, 0));
	EXPECT_EQ(1, read_in_order(self->nic.fd, variant->mode, 100, 0));
	EXPECT_EQ(0, epoll_next(epoll, 0));
	close(epoll);
	close(sock);
}

FD_TEST(wait, epoll_edge)
{
	int sock, epoll;

	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	epoll = epoll_on(self->nic.fd, EPOLLIN | EPOLLET);
	ASSERT_LE(0, epoll);
	EXPECT_EQ(0, epoll_next(epoll, 0));
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 1));
	EXPECT_EQ(EPOLLIN, epoll_next(epoll, FD_PATIENCE));
	EXPECT_EQ(0, epoll_next(epoll, 0));
	/* Another one behind an unread one is news. */
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 1, 2));
	EXPECT_EQ(EPOLLIN, epoll_next(epoll, FD_PATIENCE));
	EXPECT_EQ(2, read_in_order(self->nic.fd, variant->mode, 100, 0));
	EXPECT_EQ(0, epoll_next(epoll, 0));
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 1));
	EXPECT_EQ(EPOLLIN, epoll_next(epoll, FD_PATIENCE));
	close(epoll);
	close(sock);
}

FD_TEST(wait, epoll_edge_tells_when_it_comes_up)
{
	int epoll;

	ASSERT_EQ(0, nic_open(&self->nic, "fd0", variant->mode, O_NONBLOCK));
	epoll = epoll_on(self->nic.fd, EPOLLOUT | EPOLLET);
	ASSERT_LE(0, epoll);
	EXPECT_EQ(0, epoll_next(epoll, 0));
	ASSERT_EQ(0, if_up("fd0"));
	EXPECT_EQ(EPOLLOUT, epoll_next(epoll, FD_PATIENCE));
	EXPECT_EQ(0, epoll_next(epoll, 0));
	close(epoll);
}

FD_TEST(wait, sigio)
{
	struct timespec patience = { .tv_sec = FD_PATIENCE / 1000 };
	siginfo_t info = {};
	sigset_t set;
	int sock, fd;

	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	fd = self->nic.fd;
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	sigemptyset(&set);
	sigaddset(&set, SIGNAL);
	sigaddset(&set, SIGIO);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &set, NULL));

	/* With no more than the bit, to the one who has set it; a socket asks. */
	if (getenv("VNIC_FACE"))
		ASSERT_EQ(0, fcntl(fd, F_SETOWN, getpid()));
	ASSERT_EQ(0, fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK | O_ASYNC));
	EXPECT_EQ(getpid(), fcntl(fd, F_GETOWN));
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 1));
	EXPECT_EQ(SIGIO, sigtimedwait(&set, &info, &patience));

	ASSERT_EQ(0, fcntl(fd, F_SETOWN, getpid()));
	ASSERT_EQ(0, fcntl(fd, F_SETSIG, SIGNAL));
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 1, 2));
	ASSERT_EQ(SIGNAL, sigtimedwait(&set, &info, &patience));
	EXPECT_EQ(POLL_IN, info.si_code);
	EXPECT_EQ(fd, info.si_fd);

	ASSERT_EQ(0, fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK));
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 2, 3));
	ASSERT_EQ(POLLIN, poll_wait(fd, POLLIN));
	patience.tv_sec = 0;
	EXPECT_EQ(-EAGAIN, neg(sigtimedwait(&set, &info, &patience)));
	EXPECT_EQ(3, read_in_order(fd, variant->mode, 100, 0));
	close(sock);
}

FD_TEST(wait, signal_ends_a_read)
{
	struct sigaction action = { .sa_handler = nothing };
	struct call call;

	ASSERT_EQ(0, start_blocking(&self->nic, variant->mode));
	ASSERT_EQ(0, sigaction(SIGNAL, &action, NULL));
	ASSERT_EQ(0, call_start(&call, self->nic.fd, 0));
	ASSERT_EQ(0, pthread_kill(call.thread, SIGNAL));
	EXPECT_EQ(-EINTR, call_end(&call));
}

static int handled;

static void handle(int signal)
{
	__atomic_store_n(&handled, 1, __ATOMIC_RELEASE);
}

FD_TEST(wait, read_is_restarted_after_a_signal)
{
	struct sigaction action = { .sa_handler = handle,
				    .sa_flags = SA_RESTART };
	struct call call;
	int sock;

	ASSERT_EQ(0, start_blocking(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, sigaction(SIGNAL, &action, NULL));
	ASSERT_EQ(0, call_start(&call, self->nic.fd, 0));
	ASSERT_EQ(0, pthread_kill(call.thread, SIGNAL));
	ASSERT_TRUE(WAIT_FOR(__atomic_load_n(&handled, __ATOMIC_ACQUIRE)));
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 1));
	EXPECT_EQ(100, call_end(&call));
	close(sock);
}

FD_TEST(wait, deleted_under_a_read)
{
	struct call call;

	ASSERT_EQ(0, start_blocking(&self->nic, variant->mode));
	ASSERT_EQ(0, call_start(&call, self->nic.fd, 0));
	ASSERT_EQ(0, link_delete(self->nic.index));
	EXPECT_EQ(-EFAULT, call_end(&call));
	EXPECT_EQ(-EBADFD, neg(read(self->nic.fd, call.data, 100)));
}

FD_TEST(wait, deleted_under_a_poll)
{
	struct call call;

	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	ASSERT_EQ(0, call_start(&call, self->nic.fd, POLLIN));
	ASSERT_EQ(0, link_delete(self->nic.index));
	EXPECT_EQ(POLLERR, call_end(&call));
}

/* The device lives in a namespace that ends; the file is of another one. */
FD_TEST(wait, namespace_ends_under_a_read)
{
	int home = namespace_fd(), away;
	struct call call;

	ASSERT_LE(0, home);
	ASSERT_EQ(0, nic_open(&self->nic, "fd0", variant->mode, 0));
	ASSERT_EQ(0, namespace_new());
	away = namespace_fd();
	ASSERT_LE(0, away);
	ASSERT_EQ(0, setns(home, CLONE_NEWNET));
	ASSERT_EQ(0, link_move(self->nic.index, away));
	ASSERT_EQ(0, call_start(&call, self->nic.fd, 0));
	/* The last reference to that namespace */
	close(away);
	EXPECT_EQ(-EFAULT, call_end(&call));
	EXPECT_EQ(-EBADFD, get_iff(self->nic.fd, NULL));
}

FD_TEST(wait, closed_under_a_read)
{
	struct call call;
	int sock;

	ASSERT_EQ(0, start_blocking(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, call_start(&call, self->nic.fd, 0));
	nic_close(&self->nic);
	/* The call holds the file, the file holds the device. */
	EXPECT_LT(0, if_index("fd0"));
	EXPECT_FALSE(call.done);
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 1));
	EXPECT_EQ(100, call_end(&call));
	EXPECT_TRUE(WAIT_FOR(if_index("fd0") == -ENODEV));
	close(sock);
}

FD_TEST(wait, closed_under_a_poll)
{
	struct call call;
	int sock;

	ASSERT_EQ(0, nic_open(&self->nic, "fd0", variant->mode | IFF_NO_PI,
			      O_NONBLOCK));
	ASSERT_EQ(0, if_up("fd0"));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, call_start(&call, self->nic.fd, POLLIN));
	nic_close(&self->nic);
	/* The sleeper has a reference, so there still is somebody to wake. */
	EXPECT_LT(0, if_index("fd0"));
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 1));
	EXPECT_EQ(POLLNVAL, call_end(&call));
	EXPECT_TRUE(WAIT_FOR(if_index("fd0") == -ENODEV));
	close(sock);
}

/* Two readers, and which packets each of them had */
#define SHARED	400

struct reader {
	pthread_t thread;
	int fd, mode, count, result;
	bool *stop;
	unsigned char had[SHARED];
};

static void *reader_body(void *arg)
{
	struct reader *reader = arg;
	unsigned char data[128], want[100];
	unsigned int seed;
	int len;

	while (!__atomic_load_n(reader->stop, __ATOMIC_ACQUIRE)) {
		if (!(poll_now(reader->fd, POLLIN) & POLLIN)) {
			poll(NULL, 0, 1);
			continue;
		}
		len = neg(read(reader->fd, data, sizeof(data)));
		if (len == -EAGAIN)
			continue;
		if (len != 100) {
			reader->result = len;
			break;
		}
		seed = data[98] << 8 | data[99];
		packet_fill(want, reader->mode, 98, seed);
		if (seed >= SHARED || memcmp(want, data, 98)) {
			reader->result = -EILSEQ;
			break;
		}
		reader->had[seed]++;
		__atomic_add_fetch(&reader->count, 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

static int had_by_both(const struct reader *r)
{
	return __atomic_load_n(&r[0].count, __ATOMIC_ACQUIRE) +
	       __atomic_load_n(&r[1].count, __ATOMIC_ACQUIRE);
}

FD_TEST(wait, two_readers_share_each_packet_once)
{
	static struct reader r[2];
	unsigned char data[100];
	bool stop = false;
	int sock, i;

	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	for (i = 0; i < 2; i++) {
		r[i].fd = self->nic.fd;
		r[i].mode = variant->mode;
		r[i].stop = &stop;
		ASSERT_EQ(0, pthread_create(&r[i].thread, NULL, reader_body,
					    &r[i]));
	}
	/* Never more at once than the ring holds */
	for (i = 0; i < SHARED; i++) {
		packet_fill(data, variant->mode, 98, i);
		data[98] = i >> 8;
		data[99] = i;
		ASSERT_EQ(100, send(sock, data, 100, 0));
	}
	EXPECT_TRUE(WAIT_FOR(had_by_both(r) >= SHARED));
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	for (i = 0; i < 2; i++) {
		pthread_join(r[i].thread, NULL);
		EXPECT_EQ(0, r[i].result);
	}
	for (i = 0; i < SHARED && r[0].had[i] + r[1].had[i] == 1; i++)
		;
	EXPECT_EQ(SHARED, i) TH_LOG("packet %d was had otherwise", i);
	close(sock);
}

/* One packet wakes one of two sleepers, two packets both. */
FD_TEST(wait, two_blocked_readers)
{
	struct call first, second;
	int sock;

	ASSERT_EQ(0, start_blocking(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, call_start(&first, self->nic.fd, 0));
	ASSERT_EQ(0, call_start(&second, self->nic.fd, 0));
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 1, 2));
	ASSERT_TRUE(WAIT_FOR(__atomic_load_n(&first.done, __ATOMIC_ACQUIRE) ||
			     __atomic_load_n(&second.done, __ATOMIC_ACQUIRE)));
	EXPECT_NE(first.done, second.done);
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 2, 3));
	EXPECT_EQ(100, call_end(&first));
	EXPECT_EQ(100, call_end(&second));
	EXPECT_NE(0, memcmp(first.data, second.data, 100));
	close(sock);
}

TEST_HARNESS_MAIN
