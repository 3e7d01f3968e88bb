// SPDX-License-Identifier: GPL-2.0
/*
 * IFF_NAPI and IFF_NAPI_FRAGS: what is written goes through a NAPI context of
 * the queue, where segments of one flow are put together (GRO); with FRAGS each
 * part of a writev() is a fragment of its own.
 *
 *   write(fd) --> NAPI --> GRO --> stack: AF_PACKET sees what became of it
 */
#include "fd_flow.h"

#include <limits.h>

FD_FIXTURE(napi)

#define BIG		70000
#define SEGMENT		500

static unsigned char packet[BIG], got[BIG];

static int start(struct nic *nic, int flags)
{
	return nic_open(nic, "na0", flags | IFF_NAPI | IFF_NO_PI, O_NONBLOCK) ?:
	       if_up("na0");
}

/* The fragments that a packet may have, which the kernel's builder chooses */
static int most_fragments(void)
{
	int fd = open("/proc/sys/net/core/max_skb_frags", O_RDONLY), n = 17;
	char text[16] = "";

	if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0)
		n = atoi(text);
	close(fd);
	return n;
}

FD_TEST(napi, every_packet_in_order)
{
	int sock, i;

	ASSERT_EQ(0, start(&self->nic, variant->mode));
	EXPECT_EQ(variant->mode | IFF_NAPI | IFF_NO_PI,
		  get_iff(self->nic.fd, NULL));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	for (i = 0; i < 200; i++) {
		packet_fill(packet, variant->mode, 100 + i, i);
		ASSERT_EQ(100 + i, neg(write(self->nic.fd, packet, 100 + i)));
		ASSERT_EQ(100 + i, receive(sock, got, BIG, NULL));
		ASSERT_EQ(0, memcmp(packet, got, 100 + i));
	}
	EXPECT_EQ(200, link_of(&self->nic).stats.rx_packets);
	/* The other direction has no part in it. */
	ASSERT_EQ(0, send_packets(sock, variant->mode, 60, 0, 5));
	EXPECT_EQ(5, read_in_order(self->nic.fd, variant->mode, 60, 0));
	ASSERT_EQ(0, if_down("na0"));
	EXPECT_EQ(-ENETDOWN, receive(sock, got, BIG, NULL));
	EXPECT_EQ(-EIO, neg(write(self->nic.fd, packet, 100)));
	ASSERT_EQ(0, if_up("na0"));
	EXPECT_EQ(100, neg(write(self->nic.fd, packet, 100)));
	EXPECT_EQ(100, receive(sock, got, BIG, NULL));
	close(sock);
}

/* Writes some segments of one TCP flow; the last one tells GRO to hurry. */
static int write_segments(const struct nic *nic, int mode, int count)
{
	struct flow flow = { .mode = mode, .proto = IPPROTO_TCP };
	int i, len;

	if (mode == IFF_TAP)
		nic_mac(nic, flow.mac);
	for (i = 0; i < count; i++) {
		flow.seq = i * SEGMENT;
		flow.push = i == count - 1;
		len = flow_build(&flow, packet, SEGMENT, i);
		if (write(nic->fd, packet, len) != len)
			return -errno;
	}
	return 0;
}

/*
 * GRO holds a segment back for the next one if it may wait at all, and no
 * longer than to the next tick of the clock: the writer has to be that quick,
 * which it is at one of some times.
 */
FD_TEST(napi, segments_become_one)
{
	struct flow flow = { .mode = variant->mode, .proto = IPPROTO_TCP };
	int header = flow_headers(&flow), sock, tries, len, most = 0, seen;
	struct vnic_vnet vnet, *of = (void *)got;

	ASSERT_EQ(0, see_sysfs());
	ASSERT_EQ(0, start(&self->nic, variant->mode));
	ASSERT_EQ(0, sysfs_set("na0", "gro_flush_timeout", "200000000"));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, packet_vnet(sock));
	for (tries = 0; tries < 100 && most < 3 * SEGMENT; tries++) {
		ASSERT_EQ(0, write_segments(&self->nic, variant->mode, 6));
		/* However they are put together, nothing is missing. */
		for (seen = 0; seen < 6 * SEGMENT; seen += len) {
			len = receive(sock, got, BIG, NULL) - 10 - header;
			ASSERT_LE(SEGMENT, len);
			if (len <= most)
				continue;
			most = len;
			memcpy(&vnet, of, 10);
		}
		ASSERT_EQ(6 * SEGMENT, seen);
	}
	EXPECT_LE(3 * SEGMENT, most);
	EXPECT_EQ(VIRTIO_NET_HDR_GSO_TCPV4, vnet.gso_type);
	EXPECT_EQ(SEGMENT, vnet.gso_size);
	/* The device has seen each of them. */
	EXPECT_EQ(6 * tries, link_of(&self->nic).stats.rx_packets);
	close(sock);
}

/* A queue that is detached has no NAPI to give packets to. */
FD_TEST(napi, detached)
{
	struct nic second;
	int sock;

	ASSERT_EQ(0, start(&self->nic, variant->mode | IFF_MULTI_QUEUE));
	ASSERT_EQ(0, nic_open(&second, "na0", variant->mode | IFF_NO_PI |
			      IFF_NAPI | IFF_MULTI_QUEUE, O_NONBLOCK));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	packet_fill(packet, variant->mode, 100, 1);
	ASSERT_EQ(0, set_queue(second.fd, IFF_DETACH_QUEUE));
	EXPECT_EQ(-EBUSY, neg(write(second.fd, packet, 100)));
	EXPECT_EQ(100, neg(write(self->nic.fd, packet, 100)));
	EXPECT_EQ(100, receive(sock, got, BIG, NULL));
	EXPECT_EQ(1, link_of(&self->nic).stats.rx_packets);
	if (!in_tree()) {
		EXPECT_EQ(1, link_of(&self->nic).stats.rx_dropped);
	}

	ASSERT_EQ(0, set_queue(second.fd, IFF_ATTACH_QUEUE));
	EXPECT_EQ(variant->mode | IFF_NO_PI | IFF_NAPI | IFF_MULTI_QUEUE,
		  get_iff(second.fd, NULL));
	EXPECT_EQ(100, neg(write(second.fd, packet, 100)));
	EXPECT_EQ(100, receive(sock, got, BIG, NULL));
	/* One closed while detached, one while attached */
	ASSERT_EQ(0, set_queue(self->nic.fd, IFF_DETACH_QUEUE));
	nic_close(&self->nic);
	EXPECT_EQ(100, neg(write(second.fd, packet, 100)));
	EXPECT_EQ(100, receive(sock, got, BIG, NULL));
	close(sock);
	self->nic = second;
}

/* One file of a device with, one without: each as it has asked. */
FD_TEST(napi, each_file_as_it_asked)
{
	const int flags = variant->mode | IFF_MULTI_QUEUE | IFF_NO_PI;
	struct nic second;
	int sock, i;

	ASSERT_EQ(0, start(&self->nic, variant->mode | IFF_MULTI_QUEUE));
	ASSERT_EQ(0, nic_open(&second, "na0", flags, O_NONBLOCK));
	if (!in_tree()) {
		EXPECT_EQ(flags, get_iff(second.fd, NULL));
	}
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	for (i = 0; i < 10; i++) {
		packet_fill(packet, variant->mode, 100, i);
		ASSERT_EQ(100, neg(write(i % 2 ? second.fd : self->nic.fd,
					 packet, 100)));
		ASSERT_EQ(100, receive(sock, got, BIG, NULL));
		EXPECT_EQ(0, memcmp(packet, got, 100));
	}
	close(sock);
	nic_close(&second);
}

static int attach_as_owner(void *arg)
{
	struct nic nic;
	int fd = *(int *)arg;

	return become(USER, USER) ?:
	       nic_attach(&nic, fd, "na0", IFF_TAP | IFF_NAPI | IFF_NAPI_FRAGS);
}

/* Feeding fragments to the stack is for those who could harm it anyway. */
FD_TEST(napi, fragments_are_not_for_everybody)
{
	const int frags = variant->mode | IFF_NAPI | IFF_NAPI_FRAGS;
	int fd;

	EXPECT_EQ(-EINVAL, nic_open(&self->nic, "na0",
				    variant->mode | IFF_NAPI_FRAGS, 0));
	if (variant->mode == IFF_TUN) {
		EXPECT_EQ(-EINVAL, nic_open(&self->nic, "na0", frags, 0));
		self->nic.fd = -1;
		return;
	}
	/* Even the owner of the device, who may attach otherwise */
	ASSERT_EQ(0, nic_open(&self->nic, "na0", variant->mode, 0));
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETPERSIST, 1));
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETOWNER, USER));
	nic_close(&self->nic);
	fd = device_open(0);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EPERM, in_child(attach_as_owner, &fd));
	ASSERT_EQ(0, nic_attach(&self->nic, fd, "na0", frags));
	EXPECT_EQ(frags, get_iff(fd, NULL) & frags);
	ASSERT_EQ(0, do_ioctl(fd, TUNSETPERSIST, 0));
}

/* Cuts the packet into @count parts, the first one of @first bytes. */
static int write_parts(int fd, void *data, int len, int first, int count)
{
	struct iovec iov[64] = { { data, first } };
	int i, part = count > 1 ? (len - first) / (count - 1) : 0;

	for (i = 1; i < count; i++) {
		iov[i].iov_base = data + first + (i - 1) * part;
		iov[i].iov_len = i < count - 1 ? part :
				 len - first - (i - 1) * part;
	}
	return neg(writev(fd, iov, count));
}

FD_TEST(napi, fragments)
{
	/* length of the frame, of its first part, number of parts */
	static const int layouts[][3] = {
		{ 100, 100, 1 }, { 100, 14, 2 }, { 100, 14, 5 }, { 60, 54, 7 },
		{ 1500, 54, 2 }, { 1500, 700, 8 }, { 9000, 54, 4 },
		{ 9000, 4000, 17 }, { 20000, 20000, 1 },
	};
	int sock, len, most = most_fragments();
	unsigned int i;

	if (variant->mode == IFF_TUN)
		SKIP(return, "fragments are for frames");
	ASSERT_EQ(0, start(&self->nic, IFF_TAP | IFF_NAPI_FRAGS));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	for (i = 0; i < ARRAY_SIZE(layouts); i++) {
		len = layouts[i][0];
		packet_fill(packet, IFF_TAP, len, i);
		ASSERT_EQ(len, write_parts(self->nic.fd, packet, len,
					   layouts[i][1], layouts[i][2]))
			TH_LOG("layout %u", i);
		ASSERT_EQ(len, receive(sock, got, BIG, NULL))
			TH_LOG("layout %u", i);
		EXPECT_EQ(0, memcmp(packet, got, len)) TH_LOG("layout %u", i);
	}
	/* As many as a packet can have, each of a page */
	len = 14 + (most < 15 ? most : 15) * 4096;
	packet_fill(packet, IFF_TAP, len, 1);
	ASSERT_EQ(len, write_parts(self->nic.fd, packet, len, 14,
				   1 + (most < 15 ? most : 15)));
	ASSERT_EQ(len, receive(sock, got, BIG, NULL));
	EXPECT_EQ(0, memcmp(packet, got, len));
	len = 14 + most;
	ASSERT_EQ(len, write_parts(self->nic.fd, packet, len, 14, 1 + most));
	ASSERT_EQ(len, receive(sock, got, BIG, NULL));
	EXPECT_EQ(i + 2, link_of(&self->nic).stats.rx_packets);
	EXPECT_EQ(0, link_of(&self->nic).stats.rx_dropped);
	close(sock);
}

FD_TEST(napi, bad_fragments)
{
	struct iovec iov[3] = { { packet, 14 }, { packet + 14, 0 },
				{ packet + 14, 86 } };
	void *hole = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	int sock, most = most_fragments(), n = 0;

	if (variant->mode == IFF_TUN)
		SKIP(return, "fragments are for frames");
	ASSERT_EQ(0, start(&self->nic, IFF_TAP | IFF_NAPI_FRAGS));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	packet_fill(packet, IFF_TAP, BIG, 1);
	/* One too many */
	EXPECT_EQ(-EMSGSIZE, write_parts(self->nic.fd, packet, 100, 14,
					 2 + most));
	n++;
	/* Too long for any packet */
	EXPECT_EQ(-EMSGSIZE, write_parts(self->nic.fd, packet, 66000, 50000,
					 6));
	n++;
	/* An empty one; one larger than a page */
	EXPECT_EQ(-EINVAL, neg(writev(self->nic.fd, iov, 3)));
	n++;
	EXPECT_EQ(-EINVAL, write_parts(self->nic.fd, packet, 5000, 100, 2));
	n++;
	/* Not to be read */
	iov[1] = (struct iovec) { hole, 86 };
	EXPECT_EQ(-EFAULT, neg(writev(self->nic.fd, iov, 2)));
	n++;
	EXPECT_EQ(0, link_of(&self->nic).stats.rx_packets);
	EXPECT_EQ(n, link_of(&self->nic).stats.rx_dropped);
	/* Nothing of that is in the way of what comes next. */
	ASSERT_EQ(100, write_parts(self->nic.fd, packet, 100, 14, 3));
	ASSERT_EQ(100, receive(sock, got, BIG, NULL));
	EXPECT_EQ(0, memcmp(packet, got, 100));
	ASSERT_EQ(0, if_down("na0"));
	EXPECT_EQ(-ENETDOWN, receive(sock, got, BIG, NULL));
	EXPECT_EQ(-EIO, write_parts(self->nic.fd, packet, 100, 14, 3));
	ASSERT_EQ(0, if_up("na0"));
	ASSERT_EQ(100, write_parts(self->nic.fd, packet, 100, 14, 3));
	ASSERT_EQ(100, receive(sock, got, BIG, NULL));
	close(sock);
}

struct pusher {
	pthread_t thread;
	int fd, mode, header, taken, result;
};

static void *pusher_body(void *arg)
{
	struct pusher *pusher = arg;
	unsigned char data[100];
	int i, result;

	packet_fill(data, pusher->mode, 100, 1);
	for (i = 0; i < 300; i++) {
		result = write_parts(pusher->fd, data, 100, 50, 2);
		if (result == 100)
			pusher->taken++;
		else if (result != -EBUSY)
			pusher->result = result;
	}
	return NULL;
}

/* Two writers on one file take turns; what is taken arrives. */
FD_TEST(napi, fragments_of_two_writers)
{
	struct pusher pushers[2] = {};
	int sock, i, n = 0;

	if (variant->mode == IFF_TUN)
		SKIP(return, "fragments are for frames");
	ASSERT_EQ(0, start(&self->nic, IFF_TAP | IFF_NAPI_FRAGS));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	for (i = 0; i < 2; i++) {
		pushers[i].fd = self->nic.fd;
		pushers[i].mode = IFF_TAP;
		ASSERT_EQ(0, pthread_create(&pushers[i].thread, NULL,
					    pusher_body, &pushers[i]));
	}
	for (i = 0; i < 2; i++)
		pthread_join(pushers[i].thread, NULL);
	for (i = 0; i < pushers[0].taken + pushers[1].taken; i++)
		n += receive(sock, got, BIG, NULL) == 100;
	EXPECT_EQ(i, n);
	EXPECT_EQ(n, link_of(&self->nic).stats.rx_packets);
	EXPECT_EQ(0, pushers[0].result);
	EXPECT_EQ(0, pushers[1].result);
	close(sock);
}

TEST_HARNESS_MAIN
