// SPDX-License-Identifier: GPL-2.0
/*
 * libvnic with rings in shared memory: the two calls of a program stay what they
 * were, vnic_send() and vnic_recv(), and so do their answers.
 */
#include "fd.h"

#include "libvnic.h"

FD_FIXTURE(libvnic)

#define ONLY_HERE	"is without libvnic"
#define SIZE		100
#define SHORT		30
#define MOST		1000
#define BUFFER		2048
#define RING		VNIC_RING_MIN

static struct vnic_packet *packets;

/* A file of the library's, attached and up, with rings unless they are 0 */
static int start(struct nic *nic, int mode, int flags, __u32 recv_size,
		 __u32 send_size)
{
	char name[VNIC_NAME_SIZE] = "lv%d";
	int result;

	packets = vnic_packets_new(MOST, BUFFER);
	nic->fd = vnic_open(NULL, flags);
	if (nic->fd < 0 || !packets)
		return -ENODEV;
	result = vnic_attach(nic->fd, name, mode);
	if (!result)
		result = vnic_up(nic->fd);
	if (!result && (recv_size || send_size))
		result = vnic_rings(nic->fd, recv_size, send_size);
	memcpy(nic->name, name, sizeof(name));
	nic->index = if_index(name);
	return result;
}

#define START(flags, sock) do {						\
	OURS_ALONE(ONLY_HERE);						\
	ASSERT_EQ(0, start(&self->nic, variant->mode, flags, RING, RING)); \
	*(sock) = packet_socket(self->nic.index);			\
	ASSERT_LE(0, *(sock));						\
} while (0)

/* Closed here, since the fixture knows nothing of the library */
#define STOP(sock) do {							\
	close(sock);							\
	EXPECT_EQ(0, vnic_close(self->nic.fd));				\
	self->nic.fd = -1;						\
	vnic_packets_free(packets);					\
} while (0)

static void fill(int mode, int from, int to)
{
	int i;

	for (i = from; i < to; i++) {
		vnic_packet_set(&packets[i - from],
				vnic_packet_data(&packets[i - from]), SIZE);
		packet_fill(vnic_packet_data(&packets[i - from]), mode, SIZE, i);
	}
}

static bool is_packet(int i, int mode, int seed)
{
	unsigned char want[SIZE];

	packet_fill(want, mode, SIZE, seed);
	return packets[i].len == SIZE && !packets[i].result &&
	       !packets[i].flags &&
	       packets[i].proto == (mode == IFF_TUN ? htons(ETH_P_IP) : 0) &&
	       !memcmp(vnic_packet_data(&packets[i]), want, SIZE);
}

/* More than a ring holds, there and back, and round its end many times */
FD_TEST(libvnic, there_and_back)
{
	unsigned char got[BUFFER], want[SIZE];
	int sock, round, i, n;

	START(O_NONBLOCK, &sock);
	for (round = 0; round < 8; round++) {
		fill(variant->mode, 0, MOST);
		ASSERT_EQ(MOST, vnic_send(self->nic.fd, packets, MOST, 0));
		for (i = 0; i < MOST; i++) {
			ASSERT_EQ(SIZE, receive(sock, got, BUFFER, NULL));
			packet_fill(want, variant->mode, SIZE, i);
			ASSERT_EQ(0, memcmp(got, want, SIZE)) TH_LOG("%d", i);
		}
		ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, 0, MOST));
		for (i = 0; i < MOST; i += n) {
			vnic_packets_reset(packets, 300, BUFFER);
			n = vnic_recv(self->nic.fd, packets, 300, 0);
			ASSERT_LT(0, n);
			ASSERT_TRUE(is_packet(0, variant->mode, i));
			ASSERT_TRUE(is_packet(n - 1, variant->mode, i + n - 1));
		}
		ASSERT_EQ(MOST, i);
	}
	EXPECT_EQ(0, link_of(&self->nic).stats.tx_dropped);
	STOP(sock);
}

/* As much in one call as a ring could never hold at once */
FD_TEST(libvnic, more_than_a_ring)
{
	static unsigned char got[BUFFER], want[BUFFER];
	const int len = 1400, count = 500;
	int sock, i;

	START(O_NONBLOCK, &sock);
	ASSERT_LT(2 * RING, count * len);
	for (i = 0; i < count; i++) {
		vnic_packet_set(&packets[i], vnic_packet_data(&packets[i]), len);
		packet_fill(vnic_packet_data(&packets[i]), variant->mode, len, i);
	}
	ASSERT_EQ(count, vnic_send(self->nic.fd, packets, count, 0));
	for (i = 0; i < count; i++) {
		ASSERT_EQ(len, receive(sock, got, BUFFER, NULL));
		packet_fill(want, variant->mode, len, i);
		ASSERT_EQ(0, memcmp(got, want, len)) TH_LOG("%d", i);
	}
	STOP(sock);
}

/* Its answers are those that it has without rings. */
FD_TEST(libvnic, answers)
{
	int sock, i;

	START(O_NONBLOCK, &sock);
	vnic_packets_reset(packets, 4, BUFFER);
	EXPECT_EQ(-EAGAIN, vnic_recv(self->nic.fd, packets, 4, 0));
	EXPECT_EQ(-EAGAIN, vnic_recv(self->nic.fd, packets, 4, 2));
	EXPECT_EQ(0, vnic_recv(self->nic.fd, packets, 0, 0));
	EXPECT_EQ(-EINVAL, vnic_recv(self->nic.fd, packets, 1, 2));
	EXPECT_EQ(-EINVAL, vnic_recv(self->nic.fd, packets,
				     VNIC_BATCH_MAX + 1, 0));
	EXPECT_EQ(0, vnic_send(self->nic.fd, packets, 0, 0));
	EXPECT_EQ(-EINVAL, vnic_send(self->nic.fd, packets,
				     VNIC_BATCH_MAX + 1, 0));

	/* What is reserved ends the call before it. */
	fill(variant->mode, 0, 6);
	packets[3].reserved = 1;
	EXPECT_EQ(3, vnic_send(self->nic.fd, packets, 6, 0));
	EXPECT_EQ(-EINVAL, vnic_send(self->nic.fd, packets + 3, 3, 0));
	/* One that is too long for all is told; the others go. */
	fill(variant->mode, 0, 6);
	packets[2].len = RING;
	EXPECT_EQ(6, vnic_send(self->nic.fd, packets, 6, 0));
	for (i = 0; i < 6; i++) {
		EXPECT_EQ(i == 2 ? -EMSGSIZE : 0, packets[i].result)
			TH_LOG("%d", i);
	}
	EXPECT_EQ(8, link_of(&self->nic).stats.rx_packets);

	/* A buffer that is too short */
	ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, 0, 1));
	vnic_packets_reset(packets, 1, SIZE - 10);
	((unsigned char *)vnic_packet_data(packets))[SIZE - 10] = 0xee;
	EXPECT_EQ(1, vnic_recv(self->nic.fd, packets, 1, 0));
	EXPECT_EQ(SIZE, packets[0].len);
	EXPECT_EQ(VNIC_PACKET_TRUNC, packets[0].flags);
	EXPECT_EQ(0xee, ((unsigned char *)vnic_packet_data(packets))[SIZE - 10]);

	EXPECT_EQ(-EBUSY, vnic_rings(self->nic.fd, RING, 0));
	ASSERT_EQ(0, link_delete(self->nic.index));
	fill(variant->mode, 0, 1);
	EXPECT_EQ(-EBADFD, vnic_send(self->nic.fd, packets, 1, 0));
	STOP(sock);
}

struct waiter {
	pthread_t thread;
	int fd, tid, result;
};

static void *wait_for_five(void *arg)
{
	struct waiter *waiter = arg;

	__atomic_store_n(&waiter->tid, gettid(), __ATOMIC_RELEASE);
	waiter->result = vnic_recv(waiter->fd, packets, 10, 5);
	return NULL;
}

/* How often it has gone to sleep of its own accord */
static long sleeps_of(int tid)
{
	char path[64], line[128];
	long count = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/status", tid);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "voluntary_ctxt_switches: %ld", &count);
	if (file)
		fclose(file);
	return count;
}

/* It sleeps until there are as many as it wants, and no longer. */
FD_TEST(libvnic, waits)
{
	struct waiter waiter = { };
	int sock, i;
	long before;

	START(0, &sock);
	waiter.fd = self->nic.fd;
	vnic_packets_reset(packets, 10, BUFFER);
	ASSERT_EQ(0, pthread_create(&waiter.thread, NULL, wait_for_five,
				    &waiter));
	ASSERT_TRUE(WAIT_FOR(__atomic_load_n(&waiter.tid, __ATOMIC_ACQUIRE) &&
			     sleeps(getpid(), waiter.tid)));
	/* So short that five may be no more than what it waits for */
	before = sleeps_of(waiter.tid);
	ASSERT_LT(0, before);
	ASSERT_EQ(0, send_packets(sock, variant->mode, SHORT, 0, 4));
	EXPECT_EQ(0, poll_now(self->nic.fd, POLLIN));
	EXPECT_TRUE(sleeps(getpid(), waiter.tid));
	EXPECT_EQ(before, sleeps_of(waiter.tid));
	ASSERT_EQ(0, send_packets(sock, variant->mode, SHORT, 4, 5));
	pthread_join(waiter.thread, NULL);
	ASSERT_EQ(5, waiter.result);
	for (i = 0; i < 5; i++) {
		EXPECT_EQ(SHORT, packets[i].len) TH_LOG("%d", i);
	}
	/* After it has said that there is none, poll() tells when there is. */
	vnic_packets_reset(packets, 10, BUFFER);
	EXPECT_EQ(-EAGAIN, vnic_recv(self->nic.fd, packets, 10, 0));
	EXPECT_EQ(0, poll_now(self->nic.fd, POLLIN));
	ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, 5, 6));
	EXPECT_EQ(POLLIN, poll_wait(self->nic.fd, POLLIN));
	EXPECT_EQ(1, vnic_recv(self->nic.fd, packets, 10, 1));
	EXPECT_TRUE(is_packet(0, variant->mode, 5));
	STOP(sock);
}

/* One way by a ring, the other by calls; and a file without any */
FD_TEST(libvnic, one_way_or_none)
{
	int sock, way;

	OURS_ALONE(ONLY_HERE);
	for (way = 0; way < 3; way++) {
		ASSERT_EQ(0, start(&self->nic, variant->mode, O_NONBLOCK,
				   way == 1 ? RING : 0, way == 2 ? RING : 0));
		sock = packet_socket(self->nic.index);
		ASSERT_LE(0, sock);
		fill(variant->mode, 0, 3);
		EXPECT_EQ(3, vnic_send(self->nic.fd, packets, 3, 0));
		ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, 0, 3));
		vnic_packets_reset(packets, 10, BUFFER);
		EXPECT_EQ(3, vnic_recv(self->nic.fd, packets, 10, 1));
		EXPECT_TRUE(is_packet(2, variant->mode, 2)) TH_LOG("%d", way);
		STOP(sock);
	}
}

/* A file that was closed by other means leaves nothing to the next one. */
FD_TEST(libvnic, number_used_again)
{
	int sock, fd;

	START(O_NONBLOCK, &sock);
	close(sock);
	fd = self->nic.fd;
	close(fd);
	ASSERT_EQ(0, start(&self->nic, variant->mode, O_NONBLOCK, 0, 0));
	ASSERT_EQ(fd, self->nic.fd);
	sock = packet_socket(self->nic.index);
	ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, 0, 1));
	vnic_packets_reset(packets, 2, BUFFER);
	/* By the call: a ring of the old file would be empty. */
	EXPECT_EQ(1, vnic_recv(self->nic.fd, packets, 2, 0));
	STOP(sock);
}

TEST_HARNESS_MAIN
