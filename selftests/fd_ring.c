// SPDX-License-Identifier: GPL-2.0
/*
 * The ring of packets that wait for the program: as long as the transmit
 * queue, drops what is too much, and says how much that was.
 */
#include "fd.h"

FD_FIXTURE(ring)

static int queue_length(const struct nic *nic, int length)
{
	return if_set(nic->name, SIOCSIFTXQLEN, length);
}

static __u64 dropped(const struct nic *nic)
{
	return link_of(nic).stats.tx_dropped;
}

FD_TEST(ring, drops_what_is_too_much)
{
	int sock;

	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	ASSERT_EQ(0, queue_length(&self->nic, 16));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 100));
	EXPECT_EQ(84, dropped(&self->nic));
	EXPECT_EQ(16, read_in_order(self->nic.fd, variant->mode, 100, 0));
	EXPECT_EQ(16, link_of(&self->nic).stats.tx_packets);
	EXPECT_EQ(1600, link_of(&self->nic).stats.tx_bytes);
	EXPECT_EQ(84, dropped(&self->nic));

	/* And works on, with the same room as before. */
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 200, 220));
	EXPECT_EQ(16, read_in_order(self->nic.fd, variant->mode, 100, 200));
	EXPECT_EQ(88, dropped(&self->nic));
	close(sock);
}

FD_TEST(ring, every_place_is_used_again)
{
	unsigned char data[128];
	int sock, i;

	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	ASSERT_EQ(0, queue_length(&self->nic, 5));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 5));
	/* Always full, several times around */
	for (i = 0; i < 37; i++) {
		unsigned char want[100];

		packet_fill(want, variant->mode, 100, i);
		ASSERT_EQ(100, read_packet(self->nic.fd, data, sizeof(data)));
		ASSERT_EQ(0, memcmp(want, data, 100)) TH_LOG("packet %d", i);
		ASSERT_EQ(0, send_packets(sock, variant->mode, 100, i + 5,
					  i + 6));
	}
	EXPECT_EQ(5, read_in_order(self->nic.fd, variant->mode, 100, 37));
	EXPECT_EQ(0, dropped(&self->nic));
	close(sock);
}

FD_TEST(ring, default_length)
{
	int sock, length;

	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	length = link_of(&self->nic).qlen;
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, length + 10));
	EXPECT_EQ(10, dropped(&self->nic));
	EXPECT_EQ(length, read_in_order(self->nic.fd, variant->mode, 100, 0));
	close(sock);
}

FD_TEST(ring, grows_with_packets_in_it)
{
	int sock;

	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	ASSERT_EQ(0, queue_length(&self->nic, 8));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 8));
	ASSERT_EQ(0, queue_length(&self->nic, 32));
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 8, 40));
	EXPECT_EQ(8, dropped(&self->nic));
	EXPECT_EQ(32, read_in_order(self->nic.fd, variant->mode, 100, 0));
	close(sock);
}

FD_TEST(ring, shrinks_with_packets_in_it)
{
	int sock;

	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	ASSERT_EQ(0, queue_length(&self->nic, 16));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 16));
	ASSERT_EQ(0, queue_length(&self->nic, 6));
	/* The newest went; in-tree tun does not tell. */
	EXPECT_EQ(in_tree() ? 0 : 10, dropped(&self->nic));
	EXPECT_EQ(6, read_in_order(self->nic.fd, variant->mode, 100, 0));
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 50, 60));
	EXPECT_EQ(in_tree() ? 4 : 14, dropped(&self->nic));
	EXPECT_EQ(6, read_in_order(self->nic.fd, variant->mode, 100, 50));
	close(sock);
}

FD_TEST(ring, length_0_and_back)
{
	unsigned char data[128];
	int sock;

	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	ASSERT_EQ(0, queue_length(&self->nic, 0));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 3));
	EXPECT_EQ(-EAGAIN, neg(read(self->nic.fd, data, sizeof(data))));
	EXPECT_EQ(0, poll_now(self->nic.fd, POLLIN));
	ASSERT_EQ(0, queue_length(&self->nic, 4));
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 6));
	EXPECT_EQ(4, read_in_order(self->nic.fd, variant->mode, 100, 0));
	close(sock);
}

FD_TEST(ring, length_that_cannot_be_had)
{
	int sock;

	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	ASSERT_EQ(0, queue_length(&self->nic, 4));
	EXPECT_GT(0, queue_length(&self->nic, INT32_MAX));
	EXPECT_GT(0, queue_length(&self->nic, -1));
	EXPECT_EQ(4, link_of(&self->nic).qlen);
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 6));
	EXPECT_EQ(4, read_in_order(self->nic.fd, variant->mode, 100, 0));
	close(sock);
}

/* Changed while nobody is attached: the next program gets it. */
FD_TEST(ring, length_of_the_next_program)
{
	int sock;

	ASSERT_EQ(0, nic_open(&self->nic, "fd0", variant->mode | IFF_NO_PI, 0));
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETPERSIST, 1));
	nic_close(&self->nic);
	ASSERT_EQ(0, queue_length(&self->nic, 7));
	ASSERT_EQ(0, nic_open(&self->nic, "fd0", variant->mode | IFF_NO_PI,
			      O_NONBLOCK));
	ASSERT_EQ(0, if_up("fd0"));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 10));
	EXPECT_EQ(3, dropped(&self->nic));
	EXPECT_EQ(7, read_in_order(self->nic.fd, variant->mode, 100, 0));
	close(sock);
}

/* Packets that one program left behind are not for the next. */
FD_TEST(ring, emptied_when_the_program_goes)
{
	unsigned char data[128];
	int sock;

	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETPERSIST, 1));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 9));
	ASSERT_EQ(POLLIN, poll_wait(self->nic.fd, POLLIN));
	nic_close(&self->nic);
	/* Counted, where in-tree tun is silent */
	EXPECT_EQ(in_tree() ? 0 : 9, dropped(&self->nic));
	ASSERT_EQ(0, nic_open(&self->nic, self->nic.name,
			      variant->mode | IFF_NO_PI, O_NONBLOCK));
	EXPECT_EQ(-EAGAIN, neg(read(self->nic.fd, data, sizeof(data))));
	close(sock);
}

/* Taken down, it keeps what was sent while it was up. */
FD_TEST(ring, kept_when_down)
{
	int sock;

	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 3));
	ASSERT_EQ(POLLIN, poll_wait(self->nic.fd, POLLIN));
	ASSERT_EQ(0, if_down(self->nic.name));
	EXPECT_EQ(POLLIN, poll_now(self->nic.fd, POLLIN | POLLOUT));
	EXPECT_EQ(3, read_in_order(self->nic.fd, variant->mode, 100, 0));
	close(sock);
}

/* With nobody attached what is sent goes nowhere. */
FD_TEST(ring, nobody_there)
{
	int sock;

	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETPERSIST, 1));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	nic_close(&self->nic);
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 3));
	EXPECT_EQ(0, link_of(&self->nic).stats.tx_packets);
	ASSERT_EQ(0, nic_open(&self->nic, self->nic.name,
			      variant->mode | IFF_NO_PI, O_NONBLOCK));
	ASSERT_TRUE(WAIT_FOR(link_of(&self->nic).flags & IFF_RUNNING));
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 7, 9));
	ASSERT_EQ(POLLIN, poll_wait(self->nic.fd, POLLIN));
	EXPECT_EQ(2, read_in_order(self->nic.fd, variant->mode, 100, 7));
	close(sock);
}

/*
 * Senders, readers and changes of length at once: nothing is lost uncounted.
 * Returns how many packets were taken, or -1. ENOBUFS is a full ring, or the
 * core, which freezes the queue for a moment when its length changes and asks
 * no driver then; so what was refused may or may not be in the counters.
 */
static void *sender_body(void *arg)
{
	int *sock = arg;
	unsigned char data[100];
	long taken = 0;
	int i;

	packet_fill(data, *sock >> 16 ? IFF_TAP : IFF_TUN, 100, 1);
	for (i = 0; i < 300; i++) {
		if (send(*sock & 0xffff, data, 100, 0) == 100)
			taken++;
		else if (errno != ENOBUFS)
			return (void *)-1L;
	}
	return (void *)taken;
}

FD_TEST(ring, resized_under_traffic)
{
	int sock, arg, i, one = 1, read_ones = 0, taken = 0;
	unsigned char data[128];
	pthread_t senders[2];
	struct link link;
	void *sent;

	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	ASSERT_EQ(0, queue_length(&self->nic, 16));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	/* A qdisc is shut for a moment when the length changes, and tells no
	 * one of what it drops then.
	 */
	ASSERT_EQ(0, setsockopt(sock, SOL_PACKET, PACKET_QDISC_BYPASS, &one,
				sizeof(one)));
	arg = sock | (variant->mode == IFF_TAP) << 16;
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, pthread_create(&senders[i], NULL, sender_body,
					    &arg));
	}
	for (i = 0; i < 60; i++) {
		/* Every sixth time another one, of 4 to 34 */
		ASSERT_EQ(0, queue_length(&self->nic, 4 + i / 6 * 6 % 36));
		while (read(self->nic.fd, data, sizeof(data)) == 100)
			read_ones++;
	}
	for (i = 0; i < 2; i++) {
		pthread_join(senders[i], &sent);
		ASSERT_LE(0, (long)sent);
		taken += (long)sent;
	}
	while (read(self->nic.fd, data, sizeof(data)) == 100)
		read_ones++;
	link = link_of(&self->nic);
	EXPECT_EQ(read_ones, link.stats.tx_packets);
	EXPECT_GE(600, read_ones + link.stats.tx_dropped);
	/* In-tree tun does not count what a shorter ring has no room for. */
	EXPECT_LE(in_tree() ? 0 : taken, read_ones + link.stats.tx_dropped);
	close(sock);
}

TEST_HARNESS_MAIN
