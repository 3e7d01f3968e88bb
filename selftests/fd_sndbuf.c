// SPDX-License-Identifier: GPL-2.0
/*
 * The send buffer: a writer sleeps while the stack has too much of it.
 *
 *   write(fd) --> nic --- tc redirect ---> d0, whose qdisc lets go slowly
 */
#include "fd.h"

FD_FIXTURE(sndbuf)

#define FRAME		4000
#define SNDBUF		20000
#define NO_TC		"no tc, or a kernel without tbf, matchall, mirred"

/* A writer in a thread of its own */
struct writer {
	pthread_t thread;
	int fd;
	int frames;			/* to write */
	int written;
	int tid;
	int result;			/* of the last write */
	bool done;
};

static void *writer_body(void *arg)
{
	struct writer *writer = arg;
	unsigned char frame[FRAME];

	packet_fill(frame, IFF_TUN, sizeof(frame), 0);
	__atomic_store_n(&writer->tid, gettid(), __ATOMIC_RELEASE);
	while (writer->written < writer->frames) {
		writer->result = neg(write(writer->fd, frame, sizeof(frame)));
		if (writer->result < 0)
			break;
		writer->written++;
	}
	__atomic_store_n(&writer->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static bool writer_sleeps(struct writer *writer)
{
	return __atomic_load_n(&writer->tid, __ATOMIC_ACQUIRE) &&
	       sleeps(getpid(), writer->tid);
}

static bool writer_done(struct writer *writer)
{
	return __atomic_load_n(&writer->done, __ATOMIC_ACQUIRE);
}

/* Attaches, with a send buffer, and sends what it writes to a slow d0. */
static int slow(struct nic *nic, int mode, const char *rate)
{
	int sndbuf = SNDBUF, result;

	result = nic_open(nic, "", mode | IFF_NO_PI, 0);
	if (result)
		return result;
	result = do_ioctl(nic->fd, TUNSETSNDBUF, &sndbuf);
	if (result)
		return result;
	result = link_add(in_tree() ? "dummy" : "vndummy", "d0");
	if (result)
		return result;
	if (shell("tc qdisc add dev d0 root tbf rate %s burst 5000 latency 100s",
		  rate) ||
	    shell("tc qdisc add dev %s clsact", nic->name) ||
	    shell("tc filter add dev %s ingress matchall action mirred egress redirect dev d0",
		  nic->name))
		return -ENOPKG;
	return if_up("d0") ?: if_up(nic->name);
}

/* Writes to a slow d0, and returns once it sleeps for room. */
static int writer_start(struct writer *writer, struct nic *nic, int mode,
			const char *rate)
{
	int result = slow(nic, mode, rate);

	if (result)
		return result;
	writer->fd = nic->fd;
	if (pthread_create(&writer->thread, NULL, writer_body, writer))
		return -EAGAIN;
	return WAIT_FOR(writer_sleeps(writer)) ? 0 : -ETIMEDOUT;
}

FD_TEST(sndbuf, writer_wakes_when_there_is_room)
{
	struct writer writer = { .frames = 30 };
	int result;

	if (in_tree())
		SKIP(return, "tun does not wake a writer that sleeps");
	result = writer_start(&writer, &self->nic, variant->mode, "512kbit");
	if (result == -ENOPKG)
		SKIP(return, NO_TC);
	ASSERT_EQ(0, result);
	/* It does fill up, far below what is to be written. */
	EXPECT_GT(writer.frames, writer.written);
	ASSERT_TRUE(WAIT_FOR(writer_done(&writer)))
		TH_LOG("stuck after %d frames", writer.written);
	pthread_join(writer.thread, NULL);
	EXPECT_EQ(FRAME, writer.result);
	EXPECT_EQ(writer.frames, link_of(&self->nic).stats.rx_packets);
}

FD_TEST(sndbuf, no_room_and_no_sleep)
{
	unsigned char frame[FRAME];
	int result, n;

	result = slow(&self->nic, variant->mode, "8kbit");
	if (result == -ENOPKG)
		SKIP(return, NO_TC);
	ASSERT_EQ(0, result);
	fcntl(self->nic.fd, F_SETFL, O_NONBLOCK);
	packet_fill(frame, IFF_TUN, sizeof(frame), 0);
	result = FRAME;
	for (n = 0; n < 30 && result == FRAME; n++)
		result = neg(write(self->nic.fd, frame, sizeof(frame)));
	EXPECT_EQ(-EAGAIN, result);
	EXPECT_EQ(0, poll_now(self->nic.fd, POLLOUT));
	/* Nothing was lost: it was not taken. */
	EXPECT_EQ(0, link_of(&self->nic).stats.rx_dropped);
	EXPECT_EQ(n - 1, link_of(&self->nic).stats.rx_packets);
}

FD_TEST(sndbuf, device_deleted_under_a_writer)
{
	struct writer writer = { .frames = 30 };
	int result;

	if (in_tree())
		SKIP(return, "a device of tun's waits for the writer");
	result = writer_start(&writer, &self->nic, variant->mode, "8kbit");
	if (result == -ENOPKG)
		SKIP(return, NO_TC);
	ASSERT_EQ(0, result);
	ASSERT_EQ(0, link_delete(self->nic.index));
	ASSERT_TRUE(WAIT_FOR(writer_done(&writer)));
	pthread_join(writer.thread, NULL);
	EXPECT_EQ(-EBADFD, writer.result);
}

TEST_HARNESS_MAIN
