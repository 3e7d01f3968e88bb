// SPDX-License-Identifier: GPL-2.0
/*
 * io_uring on the file: a read that finds nothing waits by poll, and is never
 * handed to a kernel thread that would sleep in its place.
 *
 *   submission queue --> read(fd): EAGAIN --> poll --> read --> completion
 *                               \-- iou-wrk thread: must not come to be
 */
#include "fd_uring.h"

#include <dirent.h>

FD_FIXTURE(uring)

#define SIZE		100

/* Kernel threads that io_uring has made to sleep for us */
static int workers(void)
{
	DIR *dir = opendir("/proc/self/task");
	char path[300], name[32];
	struct dirent *entry;
	int fd, len, count = 0;

	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/self/task/%s/comm",
			 entry->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		len = fd < 0 ? 0 : read(fd, name, sizeof(name) - 1);
		close(fd);
		name[len > 0 ? len : 0] = '\0';
		count += !strncmp(name, "iou-wrk", 7);
	}
	closedir(dir);
	return count;
}

/* Attached, up, and without O_NONBLOCK */
static int start(struct nic *nic, struct ring *ring, int mode)
{
	return nic_open(nic, "ur0", mode | IFF_NO_PI, 0) ?: if_up("ur0") ?:
	       ring_open(ring, ENTRIES, 0);
}

/* Of a file that cannot promise not to sleep io_uring lets a thread sleep. */
static bool lets_threads_sleep(int fd)
{
	struct iovec iov = { &fd, sizeof(fd) };

	return neg(preadv2(fd, &iov, 1, -1, RWF_NOWAIT)) == -EOPNOTSUPP;
}

#define START(ring) do {						\
	int result_ = start(&self->nic, ring, variant->mode);		\
									\
	if (result_ == -EOPNOTSUPP)					\
		SKIP(return, "no io_uring in this kernel");		\
	ASSERT_EQ(0, result_);						\
	if (in_tree() && lets_threads_sleep(self->nic.fd))		\
		SKIP(return, "in-tree tun of this kernel lets threads sleep"); \
} while (0)

FD_TEST(uring, read_waits_without_a_thread)
{
	unsigned char data[4][200], want[SIZE];
	struct ring ring;
	int sock, i;
	__u64 which;

	START(&ring);
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(1, ring_submit(&ring, IORING_OP_READ, self->nic.fd,
					 data[i], 200, i));
	}
	EXPECT_FALSE(ring_ready(&ring));
	EXPECT_EQ(0, workers());
	/* Whoever is first gets it; each gets one. */
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, i, i + 1));
		ASSERT_EQ(SIZE, ring_complete(&ring, &which));
		ASSERT_GT(4, which);
		packet_fill(want, variant->mode, SIZE, i);
		EXPECT_EQ(0, memcmp(want, data[which], SIZE));
	}
	EXPECT_EQ(0, workers());
	/* One that finds a packet is done at once. */
	ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, 9, 10));
	ASSERT_EQ(1, ring_submit(&ring, IORING_OP_READ, self->nic.fd, data[0],
				 200, 7));
	EXPECT_TRUE(ring_ready(&ring));
	EXPECT_EQ(SIZE, ring_complete(&ring, NULL));
	EXPECT_EQ(0, workers());
	close(sock);
	ring_close(&ring);
}

FD_TEST(uring, vectors)
{
	unsigned char data[200], want[SIZE];
	struct iovec iov[] = { { data, 30 }, { data + 30, 170 } };
	struct ring ring;
	int sock;

	START(&ring);
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(1, ring_submit(&ring, IORING_OP_READV, self->nic.fd, iov, 2,
				 0));
	ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, 1, 2));
	ASSERT_EQ(SIZE, ring_complete(&ring, NULL));
	packet_fill(want, variant->mode, SIZE, 1);
	EXPECT_EQ(0, memcmp(want, data, SIZE));
	iov[1].iov_len = SIZE - 30;
	ASSERT_EQ(1, ring_submit(&ring, IORING_OP_WRITEV, self->nic.fd, iov, 2,
				 0));
	ASSERT_EQ(SIZE, ring_complete(&ring, NULL));
	EXPECT_EQ(SIZE, receive(sock, data, 200, NULL));
	EXPECT_EQ(0, memcmp(want, data, SIZE));
	EXPECT_EQ(0, workers());
	close(sock);
	ring_close(&ring);
}

FD_TEST(uring, writes)
{
	unsigned char data[SIZE], got[200];
	struct ring ring;
	int sock, i;

	START(&ring);
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	for (i = 0; i < 20; i++) {
		packet_fill(data, variant->mode, SIZE, i);
		ASSERT_EQ(1, ring_submit(&ring, IORING_OP_WRITE, self->nic.fd,
					 data, SIZE, i));
		ASSERT_EQ(SIZE, ring_complete(&ring, NULL));
		ASSERT_EQ(SIZE, receive(sock, got, 200, NULL));
		EXPECT_EQ(0, memcmp(data, got, SIZE));
	}
	EXPECT_EQ(0, workers());
	/* Errors come back as they do from write(). */
	ASSERT_EQ(1, ring_submit(&ring, IORING_OP_WRITE, self->nic.fd, data, 0,
				 0));
	EXPECT_EQ(-EINVAL, ring_complete(&ring, NULL));
	ASSERT_EQ(1, ring_submit(&ring, IORING_OP_WRITE, self->nic.fd,
				 (void *)-4096L, 100, 0));
	EXPECT_EQ(-EFAULT, ring_complete(&ring, NULL));
	close(sock);
	ring_close(&ring);
}

/* A full send buffer is waited for in the same way. */
FD_TEST(uring, write_waits_without_a_thread)
{
	unsigned char data[SIZE], got[200];
	int i, result, pending = 0, arrived = 0;
	struct nic held;
	struct ring ring;

	OURS_ALONE("does not wake a writer");
	START(&ring);
	result = held_open(&held, "ur0", variant->mode);
	if (result == -EOPNOTSUPP)
		SKIP(return, "no tc, or a kernel without matchall, mirred");
	ASSERT_EQ(0, result);
	ASSERT_EQ(0, set_number(self->nic.fd, TUNSETSNDBUF, 4096));
	packet_fill(data, variant->mode, SIZE, 1);
	for (i = 0; i < 40 && !pending; i++) {
		ASSERT_EQ(1, ring_submit(&ring, IORING_OP_WRITE, self->nic.fd,
					 data, SIZE, i));
		if (ring_ready(&ring)) {
			ASSERT_EQ(SIZE, ring_complete(&ring, NULL));
		} else {
			pending = 1;
		}
	}
	ASSERT_EQ(1, pending);
	EXPECT_EQ(0, workers());
	while (!ring_ready(&ring) && poll_wait(held.fd, POLLIN) & POLLIN)
		arrived += read(held.fd, got, 200) == SIZE;
	EXPECT_EQ(SIZE, ring_complete(&ring, NULL));
	EXPECT_EQ(0, workers());
	while (arrived < i && poll_wait(held.fd, POLLIN) & POLLIN)
		arrived += read(held.fd, got, 200) == SIZE;
	EXPECT_EQ(i, arrived);
	nic_close(&held);
	ring_close(&ring);
}

/* The device goes while reads wait: they end. */
FD_TEST(uring, deleted_under_a_read)
{
	unsigned char data[200];
	struct ring ring;
	int result;

	START(&ring);
	ASSERT_EQ(1, ring_submit(&ring, IORING_OP_READ, self->nic.fd, data,
				 200, 0));
	ASSERT_EQ(0, link_delete(self->nic.index));
	result = ring_complete(&ring, NULL);
	EXPECT_TRUE(result == -EBADFD || result == -EFAULT)
		TH_LOG("ended with %d", result);
	ring_close(&ring);
}

/* The same by preadv2(RWF_NOWAIT), where a program does not sleep just once */
FD_TEST(uring, nowait)
{
	unsigned char data[200];
	struct iovec iov = { data, 200 };
	int sock;

	ASSERT_EQ(0, nic_open(&self->nic, "ur0", variant->mode | IFF_NO_PI, 0));
	ASSERT_EQ(0, if_up("ur0"));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	if (in_tree() && lets_threads_sleep(self->nic.fd))
		SKIP(return, "in-tree tun of this kernel has none of it");
	EXPECT_EQ(-EAGAIN,
		  neg(preadv2(self->nic.fd, &iov, 1, -1, RWF_NOWAIT)));
	ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, 1, 2));
	EXPECT_EQ(SIZE, neg(preadv2(self->nic.fd, &iov, 1, -1, RWF_NOWAIT)));
	iov.iov_len = SIZE;
	EXPECT_EQ(SIZE, neg(pwritev2(self->nic.fd, &iov, 1, -1, RWF_NOWAIT)));
	EXPECT_EQ(SIZE, receive(sock, data, 200, NULL));
	close(sock);
}

TEST_HARNESS_MAIN
