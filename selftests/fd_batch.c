// SPDX-License-Identifier: GPL-2.0
/*
 * VNIC_IOC_SEND and VNIC_IOC_RECV: many packets by one call, each with a result
 * of its own.
 *
 *   struct vnic_batch --> array of struct vnic_packet --> buffers
 *                          0: addr, len --> result
 *                          1: addr, len --> result
 *                          ...
 */
#include "fd_flow.h"

#include <linux/pkt_sched.h>
#include <sys/syscall.h>

FD_FIXTURE(batch)

#define ONLY_HERE	"is without batches"
#define SIZE		100		/* of a packet, where it is not told */
#define BUFFER		2048
#define MOST		VNIC_BATCH_MAX
#define BIG		70000

static struct vnic_packet entries[MOST + 1];
static unsigned char buffers[MOST][BUFFER], big[BIG], got[BIG];

static int batch_call(int fd, unsigned long request,
		      struct vnic_packet *packets, __u32 count, __u32 min)
{
	struct vnic_batch batch = {
		.packets = (unsigned long)packets, .count = count, .min = min,
	};

	return neg(ioctl(fd, request, &batch));
}

static int batch_send(int fd, int count)
{
	return batch_call(fd, VNIC_IOC_SEND, entries, count, 0);
}

/* Fills @count entries with packets of SIZE bytes and different contents. */
static void prepare(int mode, int count)
{
	int i;

	memset(entries, 0, sizeof(entries));
	for (i = 0; i < count; i++) {
		packet_fill(buffers[i], mode, SIZE, i);
		entries[i].addr = (unsigned long)buffers[i];
		entries[i].len = SIZE;
		/* Has to be overwritten. */
		entries[i].result = 4711;
	}
}

/* Empty buffers, for VNIC_IOC_RECV */
static void make_room(int count)
{
	int i;

	memset(entries, 0, sizeof(entries));
	for (i = 0; i < count; i++) {
		memset(buffers[i], 0xee, BUFFER);
		entries[i].addr = (unsigned long)buffers[i];
		entries[i].len = BUFFER;
		/* What is in these going in is nobody's business. */
		entries[i].result = 4711;
		entries[i].flags = 0xeeee;
		entries[i].proto = 0xeeee;
		memset(&entries[i].vnet, 0xee, sizeof(entries[i].vnet));
	}
}

static int batch_recv(int fd, int count, int min)
{
	make_room(count);
	return batch_call(fd, VNIC_IOC_RECV, entries, count, min);
}

/* Is entry @i a packet as send_packets() makes it of @seed? */
static bool is_packet(int mode, int i, int seed)
{
	unsigned char want[SIZE];
	const struct vnic_packet *p = &entries[i];
	static const struct vnic_vnet none;

	packet_fill(want, mode, SIZE, seed);
	return p->result == 0 && p->len == SIZE && p->flags == 0 &&
	       p->proto == (mode == IFF_TUN ? htons(ETH_P_IP) : 0) &&
	       !memcmp(&p->vnet, &none, sizeof(none)) &&
	       !memcmp(buffers[i], want, SIZE) && buffers[i][SIZE] == 0xee;
}

/* Two pages, of which the second cannot be touched; the end of the first */
static unsigned char *edge(void)
{
	int page = sysconf(_SC_PAGESIZE);
	unsigned char *two = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mprotect(two + page, page, PROT_NONE);
	return two + page;
}

static bool stack_got(int sock, int mode, int from, int to)
{
	unsigned char want[SIZE];
	int seed;

	for (seed = from; seed < to; seed++) {
		packet_fill(want, mode, SIZE, seed);
		if (receive(sock, got, BIG, NULL) != SIZE ||
		    memcmp(want, got, SIZE))
			return false;
	}
	return true;
}

FD_TEST(batch, version)
{
	__u32 version = 0;

	OURS_ALONE(ONLY_HERE);
	self->nic.fd = device_open(0);
	ASSERT_EQ(0, do_ioctl(self->nic.fd, VNIC_IOC_VERSION, &version));
	EXPECT_EQ(VNIC_UAPI_VERSION, version);
	EXPECT_EQ(-EFAULT, do_ioctl(self->nic.fd, VNIC_IOC_VERSION, NULL));
	EXPECT_EQ(-EFAULT, do_ioctl(self->nic.fd, VNIC_IOC_VERSION, -4096L));
	/* With a device as without */
	ASSERT_EQ(0, nic_attach(&self->nic, self->nic.fd, "ba0",
				variant->mode));
	EXPECT_EQ(0, do_ioctl(self->nic.fd, VNIC_IOC_VERSION, &version));
}

FD_TEST(batch, numbers_that_are_not_there)
{
	char room[256] = {};
	static const unsigned long unknown[] = {
		_IO(VNIC_IOC_MAGIC, 0), _IO(VNIC_IOC_MAGIC, 1),
		_IO(VNIC_IOC_MAGIC, 3), _IO(VNIC_IOC_MAGIC, 255),
		_IOW(VNIC_IOC_MAGIC, 1, char[8]),
		_IOW(VNIC_IOC_MAGIC, 1, char[sizeof(struct vnic_batch) + 8]),
		_IOWR(VNIC_IOC_MAGIC, 1, struct vnic_batch),
		_IOR(VNIC_IOC_MAGIC, 2, struct vnic_batch),
		_IOR(VNIC_IOC_MAGIC, 0, __u64),
		_IOW(VNIC_IOC_MAGIC, 0, __u32),
		_IOW(VNIC_IOC_MAGIC, 3, struct vnic_batch),
	};
	unsigned int i;

	OURS_ALONE(ONLY_HERE);
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	for (i = 0; i < ARRAY_SIZE(unknown); i++) {
		EXPECT_EQ(-ENOTTY, do_ioctl(self->nic.fd, unknown[i], room))
			TH_LOG("number %#lx", unknown[i]);
	}
	/* Nobody else's: the answer stays that of tun. */
	EXPECT_EQ(-EINVAL, do_ioctl(self->nic.fd, _IO('T', 99), room));
}

FD_TEST(batch, without_a_device)
{
	OURS_ALONE(ONLY_HERE);
	self->nic.fd = device_open(0);
	prepare(variant->mode, 1);
	EXPECT_EQ(-EBADFD, batch_send(self->nic.fd, 1));
	EXPECT_EQ(-EBADFD, batch_recv(self->nic.fd, 1, 1));
	EXPECT_EQ(-EFAULT, do_ioctl(self->nic.fd, VNIC_IOC_SEND, NULL));
	ASSERT_EQ(0, nic_attach(&self->nic, self->nic.fd, "ba0",
				variant->mode | IFF_NO_PI));
	ASSERT_EQ(0, link_delete(self->nic.index));
	EXPECT_EQ(-EBADFD, batch_send(self->nic.fd, 1));
	EXPECT_EQ(-EBADFD, batch_recv(self->nic.fd, 1, 1));
}

FD_TEST(batch, sends)
{
	struct link link;
	int sock, i;

	OURS_ALONE(ONLY_HERE);
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	prepare(variant->mode, 100);
	ASSERT_EQ(100, batch_send(self->nic.fd, 100));
	for (i = 0; i < 100; i++) {
		EXPECT_EQ(0, entries[i].result) TH_LOG("entry %d", i);
	}
	EXPECT_TRUE(stack_got(sock, variant->mode, 0, 100));
	link = link_of(&self->nic);
	EXPECT_EQ(100, link.stats.rx_packets);
	EXPECT_EQ(100 * SIZE, link.stats.rx_bytes);
	close(sock);
}

FD_TEST(batch, receives)
{
	struct link link;
	int sock, i;

	OURS_ALONE(ONLY_HERE);
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	EXPECT_EQ(-EAGAIN, batch_recv(self->nic.fd, 10, 0));
	ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, 0, 100));
	ASSERT_EQ(POLLIN, poll_wait(self->nic.fd, POLLIN));
	/* Less than there are, then more than there are */
	ASSERT_EQ(70, batch_recv(self->nic.fd, 70, 0));
	for (i = 0; i < 70; i++) {
		EXPECT_TRUE(is_packet(variant->mode, i, i)) TH_LOG("%d", i);
	}
	ASSERT_EQ(30, batch_recv(self->nic.fd, 70, 0));
	for (i = 0; i < 30; i++) {
		EXPECT_TRUE(is_packet(variant->mode, i, i + 70))
			TH_LOG("%d", i);
	}
	/* Those for which there was no packet are as they were. */
	EXPECT_EQ(4711, entries[30].result);
	EXPECT_EQ(BUFFER, entries[30].len);
	EXPECT_EQ(0xee, buffers[30][0]);
	EXPECT_EQ(-EAGAIN, batch_recv(self->nic.fd, 10, 0));
	link = link_of(&self->nic);
	EXPECT_EQ(100, link.stats.tx_packets);
	EXPECT_EQ(100 * SIZE, link.stats.tx_bytes);
	EXPECT_EQ(0, link.stats.tx_dropped);
	close(sock);
}

/* Not a byte less or more, whichever way it is copied; the next is not there. */
FD_TEST(batch, every_size)
{
	int i, sock, size, first = variant->mode == IFF_TUN ? 1 : 14;
	unsigned char want[150], *end = edge();

	OURS_ALONE(ONLY_HERE);
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	for (size = first; size <= (int)sizeof(want); size++) {
		packet_fill(want, variant->mode, size, size);
		prepare(variant->mode, 2);
		for (i = 0; i < 2; i++) {
			entries[i].addr = (unsigned long)end - size;
			entries[i].len = size;
		}
		memcpy(end - size, want, size);
		ASSERT_EQ(2, batch_send(self->nic.fd, 2)) TH_LOG("%d", size);
		for (i = 0; i < 2; i++) {
			ASSERT_EQ(size, receive(sock, got, BIG, NULL));
			ASSERT_EQ(0, memcmp(got, want, size))
				TH_LOG("%d bytes", size);
		}

		ASSERT_EQ(size, neg(send(sock, want, size, 0)));
		memset(end - size - 1, 0xee, size + 1);
		ASSERT_EQ(1, batch_call(self->nic.fd, VNIC_IOC_RECV, entries, 1,
					1));
		ASSERT_EQ(size, entries[0].len);
		ASSERT_EQ(0, memcmp(end - size, want, size))
			TH_LOG("%d bytes", size);
		ASSERT_EQ(0xee, end[-size - 1]);
	}
	close(sock);
}

/* Whatever headers read() and write() have on this file */
FD_TEST(batch, whatever_the_framing)
{
	struct flow flow = { .mode = variant->mode, .proto = IPPROTO_UDP,
			     .partial = true, .from_stack = true };
	struct vnic_vnet vnet = flow_vnet(&flow, 0);
	int sock, len;

	OURS_ALONE(ONLY_HERE);
	ASSERT_EQ(0, nic_open(&self->nic, "ba0", variant->mode | IFF_VNET_HDR,
			      O_NONBLOCK));
	ASSERT_EQ(0, set_number(self->nic.fd, TUNSETVNETHDRSZ, 20));
	ASSERT_EQ(0, if_up("ba0"));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	prepare(variant->mode, 5);
	ASSERT_EQ(5, batch_send(self->nic.fd, 5));
	EXPECT_TRUE(stack_got(sock, variant->mode, 0, 5));
	ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, 0, 5));
	ASSERT_EQ(5, batch_recv(self->nic.fd, 5, 0));
	EXPECT_TRUE(is_packet(variant->mode, 4, 4));

	/* What is left to do is beside the packet, in little endian. */
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETOFFLOAD, TUN_F_CSUM));
	ASSERT_EQ(0, packet_vnet(sock));
	len = flow_build(&flow, big + 10, 100, 1);
	memcpy(big, &vnet, 10);
	ASSERT_EQ(len + 10, neg(send(sock, big, len + 10, 0)));
	ASSERT_EQ(1, batch_recv(self->nic.fd, 1, 0));
	EXPECT_EQ(len, entries[0].len);
	EXPECT_TRUE(vnet_same(&vnet, &entries[0].vnet));
	EXPECT_EQ(0, memcmp(big + 10, buffers[0], len));
	close(sock);
}

FD_TEST(batch, none_and_most)
{
	int sock, i;

	OURS_ALONE(ONLY_HERE);
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	ASSERT_EQ(0, if_set(self->nic.name, SIOCSIFTXQLEN, MOST));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	EXPECT_EQ(0, batch_call(self->nic.fd, VNIC_IOC_SEND, NULL, 0, 0));
	EXPECT_EQ(0, batch_call(self->nic.fd, VNIC_IOC_RECV, NULL, 0, 0));
	prepare(variant->mode, MOST);
	EXPECT_EQ(-EINVAL, batch_send(self->nic.fd, MOST + 1));
	EXPECT_EQ(-EINVAL, batch_send(self->nic.fd, -1));
	EXPECT_EQ(-EINVAL, batch_recv(self->nic.fd, MOST, MOST + 1));
	EXPECT_EQ(-EINVAL, batch_call(self->nic.fd, VNIC_IOC_RECV, entries, 1,
				      2));
	EXPECT_EQ(-EINVAL, batch_call(self->nic.fd, VNIC_IOC_SEND, entries, 0,
				      1));
	EXPECT_EQ(0, link_of(&self->nic).stats.rx_packets);

	prepare(variant->mode, MOST);
	ASSERT_EQ(MOST, batch_send(self->nic.fd, MOST));
	EXPECT_EQ(MOST, link_of(&self->nic).stats.rx_packets);
	ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, 0, MOST));
	ASSERT_EQ(MOST, batch_recv(self->nic.fd, MOST, 0));
	for (i = 0; i < MOST; i++) {
		EXPECT_TRUE(is_packet(variant->mode, i, i)) TH_LOG("%d", i);
	}
	close(sock);
}

/* In the middle of those that go the short way */
FD_TEST(batch, without_an_address)
{
	int sock, i;

	OURS_ALONE(ONLY_HERE);
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	prepare(variant->mode, 10);
	entries[3].addr = 0;
	ASSERT_EQ(10, batch_send(self->nic.fd, 10));
	for (i = 0; i < 10; i++) {
		EXPECT_EQ(i == 3 ? -EFAULT : 0, entries[i].result)
			TH_LOG("%d", i);
	}
	EXPECT_TRUE(stack_got(sock, variant->mode, 0, 3));
	EXPECT_TRUE(stack_got(sock, variant->mode, 4, 10));
	close(sock);
}

/* As good as single calls: the results that write() and read() have */
FD_TEST(batch, each_packet_has_its_result)
{
	struct link link;
	int sock, i;

	OURS_ALONE(ONLY_HERE);
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	prepare(variant->mode, 12);
	/* Bad ones between good ones */
	entries[1].len = 0;
	entries[3].len = variant->mode == IFF_TAP ? ETH_HLEN - 1 : 0;
	entries[5].len = 1 << 20;
	entries[5].addr = (unsigned long)buffers;
	entries[7].addr = 0;
	entries[8].vnet.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
	entries[9].vnet.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	entries[9].vnet.csum_start = SIZE;
	entries[10].addr = ~0ULL;
	ASSERT_EQ(12, batch_send(self->nic.fd, 12));
	EXPECT_EQ(-EINVAL, entries[1].result);
	EXPECT_EQ(-EINVAL, entries[3].result);
	EXPECT_EQ(-EMSGSIZE, entries[5].result);
	EXPECT_EQ(-EFAULT, entries[7].result);
	EXPECT_EQ(-EINVAL, entries[8].result);
	EXPECT_EQ(-EINVAL, entries[9].result);
	EXPECT_EQ(-EFAULT, entries[10].result);
	EXPECT_EQ(0, entries[0].result);
	EXPECT_EQ(0, entries[2].result);
	EXPECT_EQ(0, entries[4].result);
	EXPECT_EQ(0, entries[6].result);
	EXPECT_EQ(0, entries[11].result);
	for (i = 0; i < 8; i += 2) {
		EXPECT_TRUE(stack_got(sock, variant->mode, i, i + 1));
	}
	EXPECT_TRUE(stack_got(sock, variant->mode, 11, 12));
	link = link_of(&self->nic);
	EXPECT_EQ(5, link.stats.rx_packets);
	EXPECT_EQ(7, link.stats.rx_dropped);

	/* Down: each of them */
	close(sock);
	ASSERT_EQ(0, if_down(self->nic.name));
	prepare(variant->mode, 3);
	ASSERT_EQ(3, batch_send(self->nic.fd, 3));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(-EIO, entries[i].result);
	}
	EXPECT_EQ(10, link_of(&self->nic).stats.rx_dropped);
}

/* Layer 3: the entry tells what it carries, else the packet does */
FD_TEST(batch, protocols)
{
	struct sockaddr_ll from = {};
	int sock, i;

	OURS_ALONE(ONLY_HERE);
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	prepare(variant->mode, 4);
	if (variant->mode == IFF_TAP) {
		/* The frame says it; nobody looks at the field. */
		entries[0].proto = htons(ETH_P_IP);
		ASSERT_EQ(1, batch_send(self->nic.fd, 1));
		ASSERT_EQ(SIZE, receive(sock, got, BIG, &from));
		EXPECT_EQ(ETH_P_TEST, ntohs(from.sll_protocol));
		close(sock);
		return;
	}
	entries[1].proto = htons(ETH_P_MPLS_UC);
	buffers[2][0] = 0x60;
	buffers[3][0] = 0x10;
	/* Of one list the stack may take those of a protocol together. */
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(1, batch_call(self->nic.fd, VNIC_IOC_SEND,
					&entries[i], 1, 0));
		EXPECT_EQ(i < 3 ? 0 : -EINVAL, entries[i].result);
	}
	ASSERT_EQ(SIZE, receive(sock, got, BIG, &from));
	EXPECT_EQ(ETH_P_IP, ntohs(from.sll_protocol));
	ASSERT_EQ(SIZE, receive(sock, got, BIG, &from));
	EXPECT_EQ(ETH_P_MPLS_UC, ntohs(from.sll_protocol));
	ASSERT_EQ(SIZE, receive(sock, got, BIG, &from));
	EXPECT_EQ(ETH_P_IPV6, ntohs(from.sll_protocol));

	packet_fill(buffers[0], IFF_TUN, SIZE, 0);
	buffers[0][0] = 0x60;
	ASSERT_EQ(SIZE, neg(send(sock, buffers[0], SIZE, 0)));
	ASSERT_EQ(1, batch_recv(self->nic.fd, 1, 0));
	EXPECT_EQ(ETH_P_IPV6, ntohs(entries[0].proto));
	close(sock);
}

/* Fields that mean nothing yet have to be 0: of the call, of an entry */
FD_TEST(batch, reserved_fields)
{
	struct vnic_batch batch, good = {
		.packets = (unsigned long)entries, .count = 3,
	};
	int i, sock;

#define BATCH_REFUSED(field, value) do {				\
	batch = good;							\
	batch.field = (value);						\
	EXPECT_EQ(-EINVAL, do_ioctl(self->nic.fd, VNIC_IOC_SEND, &batch)) \
		TH_LOG("%s", #field);					\
	EXPECT_EQ(-EINVAL, do_ioctl(self->nic.fd, VNIC_IOC_RECV, &batch)) \
		TH_LOG("%s", #field);					\
} while (0)

/* In the second of three: one is taken, the next call says why. */
#define ENTRY_REFUSED(request, field, value) do {			\
	prepare(variant->mode, 3);					\
	entries[1].field = (value);					\
	EXPECT_EQ(1, do_ioctl(self->nic.fd, request, &good))		\
		TH_LOG("%s", #field);					\
	EXPECT_EQ(4711, entries[1].result);				\
	EXPECT_EQ(-EINVAL, batch_call(self->nic.fd, request,		\
				      entries + 1, 2, 0))		\
		TH_LOG("%s", #field);					\
} while (0)

	OURS_ALONE(ONLY_HERE);
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	prepare(variant->mode, 3);
	for (i = 0; i < 32; i++)
		BATCH_REFUSED(flags, 1U << i);
	BATCH_REFUSED(reserved[0], 1);
	BATCH_REFUSED(reserved[1], 1 << 31);
	BATCH_REFUSED(reserved[2], 0xffffffff);
	EXPECT_EQ(0, link_of(&self->nic).stats.rx_packets);

	for (i = 0; i < 16; i++)
		ENTRY_REFUSED(VNIC_IOC_SEND, flags, 1 << i);
	ENTRY_REFUSED(VNIC_IOC_SEND, reserved, 1);
	ENTRY_REFUSED(VNIC_IOC_SEND, vnet.num_buffers, 1);
	ENTRY_REFUSED(VNIC_IOC_SEND, vnet.hash_value, 1);
	ENTRY_REFUSED(VNIC_IOC_SEND, vnet.hash_report, 1);
	ENTRY_REFUSED(VNIC_IOC_SEND, vnet.reserved, 1);

	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, 0, 2));
	ENTRY_REFUSED(VNIC_IOC_RECV, reserved, 1 << 31);
	/* It took no more than it gave. Flags are but an answer. */
	make_room(1);
	entries[0].flags = VNIC_PACKET_TRUNC;
	ASSERT_EQ(1, batch_call(self->nic.fd, VNIC_IOC_RECV, entries, 1, 0));
	EXPECT_TRUE(is_packet(variant->mode, 0, 1));
	EXPECT_EQ(-EAGAIN, batch_recv(self->nic.fd, 3, 0));
	EXPECT_EQ(2, link_of(&self->nic).stats.tx_packets);
	close(sock);
}

/* Too little room: what there is, the true length, and a flag */
FD_TEST(batch, cut)
{
	int sock;

	OURS_ALONE(ONLY_HERE);
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, 0, 4));
	make_room(4);
	entries[0].len = 20;
	entries[1].len = 0;
	entries[2].len = SIZE;
	entries[3].len = SIZE - 1;
	ASSERT_EQ(4, batch_call(self->nic.fd, VNIC_IOC_RECV, entries, 4, 0));
	packet_fill(big, variant->mode, SIZE, 0);
	EXPECT_EQ(0, entries[0].result);
	EXPECT_EQ(SIZE, entries[0].len);
	EXPECT_EQ(VNIC_PACKET_TRUNC, entries[0].flags);
	EXPECT_EQ(0, memcmp(big, buffers[0], 20));
	EXPECT_EQ(0xee, buffers[0][20]);
	EXPECT_EQ(0, entries[1].result);
	EXPECT_EQ(SIZE, entries[1].len);
	EXPECT_EQ(VNIC_PACKET_TRUNC, entries[1].flags);
	EXPECT_EQ(0xee, buffers[1][0]);
	EXPECT_TRUE(is_packet(variant->mode, 2, 2));
	EXPECT_EQ(VNIC_PACKET_TRUNC, entries[3].flags);
	EXPECT_EQ(SIZE, entries[3].len);
	EXPECT_EQ(3, ethtool_counter(self->nic.name, "tx_truncated"));
	EXPECT_EQ(4, link_of(&self->nic).stats.tx_packets);
	close(sock);
}

/* Buffers that end in the middle of a packet, between good ones */
FD_TEST(batch, buffers_with_holes)
{
	unsigned char *end = edge();
	int sock, i;

	OURS_ALONE(ONLY_HERE);
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	prepare(variant->mode, 5);
	packet_fill(end - 50, variant->mode, 50, 1);
	entries[1].addr = (unsigned long)end - 50;
	entries[3].addr = (unsigned long)end;
	ASSERT_EQ(5, batch_send(self->nic.fd, 5));
	for (i = 0; i < 5; i++) {
		EXPECT_EQ(i % 2 ? -EFAULT : 0, entries[i].result)
			TH_LOG("entry %d", i);
	}
	EXPECT_TRUE(stack_got(sock, variant->mode, 0, 1));
	EXPECT_TRUE(stack_got(sock, variant->mode, 2, 3));
	EXPECT_TRUE(stack_got(sock, variant->mode, 4, 5));
	EXPECT_EQ(2, ethtool_counter(self->nic.name, "rx_drop_fault"));

	ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, 0, 5));
	make_room(5);
	entries[1].addr = (unsigned long)end - 50;
	entries[3].addr = (unsigned long)end;
	ASSERT_EQ(5, batch_call(self->nic.fd, VNIC_IOC_RECV, entries, 5, 0));
	for (i = 0; i < 5; i += 2) {
		EXPECT_TRUE(is_packet(variant->mode, i, i));
	}
	EXPECT_EQ(-EFAULT, entries[1].result);
	EXPECT_EQ(-EFAULT, entries[3].result);
	EXPECT_EQ(2, ethtool_counter(self->nic.name, "tx_drop_fault"));
	EXPECT_EQ(3, link_of(&self->nic).stats.tx_packets);
	/* Exactly as much room as is needed is no hole. */
	ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, 1, 2));
	make_room(1);
	entries[0].addr = (unsigned long)end - SIZE;
	entries[0].len = SIZE;
	ASSERT_EQ(1, batch_call(self->nic.fd, VNIC_IOC_RECV, entries, 1, 0));
	EXPECT_EQ(0, entries[0].result);
	close(sock);
}

/* An array of which only the first entries can be had */
FD_TEST(batch, array_with_a_hole)
{
	struct vnic_packet *array = (void *)(edge() -
					     5 * sizeof(struct vnic_packet));
	int sock, i, most = 5 * sizeof(struct vnic_packet);

	OURS_ALONE(ONLY_HERE);
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	prepare(variant->mode, 8);
	memcpy(array, entries, most);
	ASSERT_EQ(5, batch_call(self->nic.fd, VNIC_IOC_SEND, array, 8, 0));
	for (i = 0; i < 5; i++) {
		EXPECT_EQ(0, array[i].result);
	}
	EXPECT_TRUE(stack_got(sock, variant->mode, 0, 5));
	EXPECT_EQ(5, link_of(&self->nic).stats.rx_packets);
	EXPECT_EQ(-EFAULT, batch_call(self->nic.fd, VNIC_IOC_SEND, array + 5,
				      3, 0));
	EXPECT_EQ(-EFAULT, batch_call(self->nic.fd, VNIC_IOC_SEND, NULL, 1, 0));
	/* Half an entry is none. */
	EXPECT_EQ(-EFAULT, batch_call(self->nic.fd, VNIC_IOC_SEND,
				      (void *)array + most - 24, 1, 0));
	EXPECT_EQ(5, link_of(&self->nic).stats.rx_packets);

	ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, 0, 8));
	make_room(8);
	memcpy(array, entries, most);
	ASSERT_EQ(5, batch_call(self->nic.fd, VNIC_IOC_RECV, array, 8, 0));
	memcpy(entries, array, most);
	for (i = 0; i < 5; i++) {
		EXPECT_TRUE(is_packet(variant->mode, i, i));
	}
	/* Those for which there was no entry are still to be had. */
	EXPECT_EQ(-EFAULT, batch_call(self->nic.fd, VNIC_IOC_RECV, array + 5,
				      3, 0));
	EXPECT_EQ(3, batch_recv(self->nic.fd, 8, 0));
	for (i = 0; i < 3; i++) {
		EXPECT_TRUE(is_packet(variant->mode, i, i + 5));
	}
	EXPECT_EQ(0, link_of(&self->nic).stats.tx_dropped);
	close(sock);
}

/* An array to which no result can be written back, from the start or later */
FD_TEST(batch, array_read_only)
{
	int page = sysconf(_SC_PAGESIZE), sock, result;
	unsigned char *two = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct vnic_packet *array = (void *)(two + page) -
				    5 * sizeof(*array);
	struct link link;

	OURS_ALONE(ONLY_HERE);
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	prepare(variant->mode, 8);
	memcpy(array, entries, 8 * sizeof(*array));
	ASSERT_EQ(0, mprotect(two + page, page, PROT_READ));
	ASSERT_EQ(5, batch_call(self->nic.fd, VNIC_IOC_SEND, array, 8, 0));
	EXPECT_TRUE(stack_got(sock, variant->mode, 0, 5));
	EXPECT_EQ(-EFAULT, batch_call(self->nic.fd, VNIC_IOC_SEND, array + 5,
				      3, 0));
	/* The one whose result is unknown may have been sent, no other. */
	EXPECT_GE(7, link_of(&self->nic).stats.rx_packets);

	ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, 0, 8));
	make_room(8);
	memcpy(array, entries, 5 * sizeof(*array));
	ASSERT_EQ(5, batch_call(self->nic.fd, VNIC_IOC_RECV, array, 8, 0));
	memcpy(entries, array, 5 * sizeof(*array));
	EXPECT_TRUE(is_packet(variant->mode, 4, 4));
	result = batch_recv(self->nic.fd, 8, 0);
	EXPECT_LE(2, result);
	/* Nothing is lost that is not counted as one or the other. */
	link = link_of(&self->nic);
	EXPECT_EQ(8, link.stats.tx_packets + link.stats.tx_dropped);
	close(sock);
}

/* Two entries, one buffer; and a buffer that is the array itself */
FD_TEST(batch, buffers_that_overlap)
{
	int sock, i;

	OURS_ALONE(ONLY_HERE);
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	prepare(variant->mode, 3);
	entries[1].addr = entries[0].addr;
	ASSERT_EQ(3, batch_send(self->nic.fd, 3));
	EXPECT_TRUE(stack_got(sock, variant->mode, 0, 1));
	EXPECT_TRUE(stack_got(sock, variant->mode, 0, 1));
	EXPECT_TRUE(stack_got(sock, variant->mode, 2, 3));

	/* The later packet is what is there at the end, where both are. */
	ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, 0, 3));
	make_room(3);
	entries[1].addr = entries[0].addr + 40;
	ASSERT_EQ(3, batch_call(self->nic.fd, VNIC_IOC_RECV, entries, 3, 0));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, entries[i].result);
		EXPECT_EQ(SIZE, entries[i].len);
	}
	packet_fill(big, variant->mode, SIZE, 0);
	EXPECT_EQ(0, memcmp(big, buffers[0], 40));
	packet_fill(big, variant->mode, SIZE, 1);
	EXPECT_EQ(0, memcmp(big, buffers[0] + 40, SIZE));

	/* Written over the entries to come: anything but a crash */
	ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, 0, 40));
	make_room(40);
	for (i = 0; i < 40; i++)
		entries[i].addr = (unsigned long)entries;
	EXPECT_LE(1, batch_call(self->nic.fd, VNIC_IOC_RECV, entries, 40, 0));
	while (batch_recv(self->nic.fd, 40, 0) > 0)
		;
	/* Sent while the results are written into what is sent */
	prepare(variant->mode, 3);
	for (i = 0; i < 3; i++)
		entries[i].addr = (unsigned long)entries;
	EXPECT_EQ(3, batch_send(self->nic.fd, 3));
	ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, 7, 8));
	ASSERT_EQ(1, batch_recv(self->nic.fd, 4, 0));
	EXPECT_TRUE(is_packet(variant->mode, 0, 7));
	close(sock);
}

/* A call that may sleep, in a thread of its own */
struct sleeper {
	pthread_t thread;
	unsigned long request;
	int fd, count, min, tid, result;
	bool done;
	struct vnic_packet packets[64];
	unsigned char buffers[64][128];
};

static void *sleeper_body(void *arg)
{
	struct sleeper *s = arg;
	int i;

	for (i = 0; i < s->count; i++) {
		s->packets[i].addr = (unsigned long)s->buffers[i];
		s->packets[i].len = s->request == VNIC_IOC_SEND ? SIZE : 128;
	}
	__atomic_store_n(&s->tid, gettid(), __ATOMIC_RELEASE);
	s->result = batch_call(s->fd, s->request, s->packets, s->count,
			       s->min);
	__atomic_store_n(&s->done, true, __ATOMIC_RELEASE);
	return NULL;
}

/* Returns once the call sleeps in the kernel. */
static int sleeper_start(struct sleeper *s, int fd, int count, int min)
{
	*s = (struct sleeper) {
		.fd = fd, .count = count, .min = min, .request = VNIC_IOC_RECV,
	};
	if (pthread_create(&s->thread, NULL, sleeper_body, s))
		return -EAGAIN;
	return WAIT_FOR(__atomic_load_n(&s->tid, __ATOMIC_ACQUIRE) &&
			sleeps(getpid(), s->tid)) ? 0 : -ETIMEDOUT;
}

static bool sleeper_done(struct sleeper *s)
{
	return __atomic_load_n(&s->done, __ATOMIC_ACQUIRE);
}

static int sleeper_end(struct sleeper *s)
{
	if (!WAIT_FOR(sleeper_done(s)))
		return -ETIMEDOUT;
	pthread_join(s->thread, NULL);
	return s->result;
}

/* Attached and up, and a call may sleep */
static int start_sleepy(struct nic *nic, int mode)
{
	return nic_open(nic, "ba0", mode | IFF_NO_PI, 0) ?: if_up("ba0");
}

FD_TEST(batch, waits_for_as_many_as_asked)
{
	struct sleeper s;
	int sock;

	OURS_ALONE(ONLY_HERE);
	ASSERT_EQ(0, start_sleepy(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	/* None is asked for: it does not sleep. */
	EXPECT_EQ(-EAGAIN, batch_recv(self->nic.fd, 5, 0));
	ASSERT_EQ(0, sleeper_start(&s, self->nic.fd, 10, 3));
	ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, 0, 1));
	ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, 1, 2));
	/* Back to sleep, with two */
	ASSERT_TRUE(WAIT_FOR(poll_now(self->nic.fd, POLLIN) == 0 &&
			     sleeps(getpid(), s.tid)));
	EXPECT_FALSE(sleeper_done(&s));
	ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, 2, 3));
	EXPECT_EQ(3, sleeper_end(&s));
	/* There are enough: all there are, up to the room */
	ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, 0, 9));
	EXPECT_EQ(6, batch_recv(self->nic.fd, 6, 2));
	EXPECT_EQ(3, batch_recv(self->nic.fd, 6, 3));
	ASSERT_EQ(0, sleeper_start(&s, self->nic.fd, 1, 1));
	ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, 0, 1));
	EXPECT_EQ(1, sleeper_end(&s));

	/* O_NONBLOCK overrules. */
	ASSERT_EQ(0, fcntl(self->nic.fd, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-EAGAIN, batch_recv(self->nic.fd, 6, 3));
	ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, 0, 2));
	EXPECT_EQ(2, batch_recv(self->nic.fd, 6, 3));
	close(sock);
}

static void on_signal(int signal)
{
}

static void catch_signal(int flags)
{
	struct sigaction action = { .sa_handler = on_signal,
				    .sa_flags = flags };

	sigaction(SIGUSR1, &action, NULL);
}

FD_TEST(batch, signal_while_it_sleeps)
{
	struct sleeper s;
	int sock;

	OURS_ALONE(ONLY_HERE);
	ASSERT_EQ(0, start_sleepy(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	catch_signal(0);
	ASSERT_EQ(0, sleeper_start(&s, self->nic.fd, 10, 3));
	ASSERT_EQ(0, pthread_kill(s.thread, SIGUSR1));
	EXPECT_EQ(-EINTR, sleeper_end(&s));
	/* With some already: those */
	ASSERT_EQ(0, sleeper_start(&s, self->nic.fd, 10, 3));
	ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, 0, 2));
	ASSERT_TRUE(WAIT_FOR(poll_now(self->nic.fd, POLLIN) == 0 &&
			     sleeps(getpid(), s.tid)));
	ASSERT_EQ(0, pthread_kill(s.thread, SIGUSR1));
	EXPECT_EQ(2, sleeper_end(&s));
	EXPECT_EQ(SIZE, s.packets[1].len);
	close(sock);
}

FD_TEST(batch, device_deleted_while_it_sleeps)
{
	struct sleeper s;
	int sock;

	OURS_ALONE(ONLY_HERE);
	ASSERT_EQ(0, start_sleepy(&self->nic, variant->mode));
	ASSERT_EQ(0, sleeper_start(&s, self->nic.fd, 10, 3));
	ASSERT_EQ(0, link_delete(self->nic.index));
	EXPECT_EQ(-EBADFD, sleeper_end(&s));
	nic_close(&self->nic);

	ASSERT_EQ(0, start_sleepy(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, sleeper_start(&s, self->nic.fd, 10, 3));
	ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, 0, 2));
	ASSERT_TRUE(WAIT_FOR(poll_now(self->nic.fd, POLLIN) == 0 &&
			     sleeps(getpid(), s.tid)));
	ASSERT_EQ(0, link_delete(self->nic.index));
	EXPECT_EQ(2, sleeper_end(&s));
	EXPECT_EQ(-EBADFD, batch_recv(self->nic.fd, 1, 1));
	close(sock);
}

/* Two that sleep on one file: each packet comes to one of them. */
FD_TEST(batch, two_sleepers)
{
	struct sleeper s[2];
	int sock, i, n = 0;

	OURS_ALONE(ONLY_HERE);
	ASSERT_EQ(0, start_sleepy(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, sleeper_start(&s[i], self->nic.fd, 64, 1));
	}
	for (i = 0; i < 200; i++) {
		if (sleeper_done(&s[0]) && sleeper_done(&s[1]))
			break;
		ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, i, i + 1));
	}
	n = sleeper_end(&s[0]) + sleeper_end(&s[1]);
	EXPECT_LE(2, n);
	fcntl(self->nic.fd, F_SETFL, O_NONBLOCK);
	while ((i = batch_recv(self->nic.fd, 64, 0)) > 0)
		n += i;
	EXPECT_EQ(n, link_of(&self->nic).stats.tx_packets);
	EXPECT_EQ(0, link_of(&self->nic).stats.tx_dropped);
	close(sock);
}

/* Senders and receivers at once on one file: all is there, once */
struct worker {
	pthread_t thread;
	int fd, mode, n, rounds;
	struct vnic_packet packets[32];
	unsigned char buffers[32][128];
	bool *stop;
};

static void worker_prepare(struct worker *w, int len)
{
	int i;

	memset(w->packets, 0, sizeof(w->packets));
	for (i = 0; i < 32; i++) {
		w->packets[i].addr = (unsigned long)w->buffers[i];
		w->packets[i].len = len;
	}
}

static void *sender_body(void *arg)
{
	struct worker *w = arg;
	int i, result;

	for (i = 0; i < 32; i++)
		packet_fill(w->buffers[i], w->mode, SIZE, i);
	for (w->rounds = 0; w->rounds < 40; w->rounds++) {
		worker_prepare(w, SIZE);
		result = batch_call(w->fd, VNIC_IOC_SEND, w->packets, 32, 0);
		if (result > 0)
			w->n += result;
	}
	return NULL;
}

static void *receiver_body(void *arg)
{
	struct worker *w = arg;
	bool stop;
	int result;

	do {
		stop = __atomic_load_n(w->stop, __ATOMIC_ACQUIRE);
		worker_prepare(w, 128);
		result = batch_call(w->fd, VNIC_IOC_RECV, w->packets, 32, 0);
		if (result > 0)
			w->n += result;
	} while (result > 0 || !stop);
	return NULL;
}

FD_TEST(batch, all_at_once)
{
	struct worker senders[2] = {}, receivers[2] = {};
	bool stop = false;
	struct link link;
	int sock, i;

	OURS_ALONE(ONLY_HERE);
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	for (i = 0; i < 2; i++) {
		senders[i].fd = self->nic.fd;
		receivers[i].fd = self->nic.fd;
		senders[i].mode = variant->mode;
		receivers[i].stop = &stop;
		ASSERT_EQ(0, pthread_create(&senders[i].thread, NULL,
					    sender_body, &senders[i]));
		ASSERT_EQ(0, pthread_create(&receivers[i].thread, NULL,
					    receiver_body, &receivers[i]));
	}
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, 0, 30));
	}
	for (i = 0; i < 2; i++)
		pthread_join(senders[i].thread, NULL);
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	for (i = 0; i < 2; i++)
		pthread_join(receivers[i].thread, NULL);
	link = link_of(&self->nic);
	EXPECT_EQ(2 * 40 * 32, senders[0].n + senders[1].n);
	EXPECT_EQ(2 * 40 * 32, link.stats.rx_packets);
	EXPECT_EQ(receivers[0].n + receivers[1].n, link.stats.tx_packets);
	EXPECT_EQ(600, link.stats.tx_packets + link.stats.tx_dropped);
	close(sock);
}

/* The device goes while one thread sends: it is told, and nothing breaks. */
FD_TEST(batch, device_deleted_while_it_sends)
{
	struct worker sender = { .mode = variant->mode };

	OURS_ALONE(ONLY_HERE);
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	sender.fd = self->nic.fd;
	ASSERT_EQ(0, pthread_create(&sender.thread, NULL, sender_body,
				    &sender));
	ASSERT_TRUE(WAIT_FOR(__atomic_load_n(&sender.rounds,
					     __ATOMIC_ACQUIRE) > 0));
	ASSERT_EQ(0, link_delete(self->nic.index));
	pthread_join(sender.thread, NULL);
	prepare(variant->mode, 1);
	EXPECT_EQ(-EBADFD, batch_send(self->nic.fd, 1));
}

/*
 * What is written waits in the qdisc of another device, whose reader decides
 * when there is room in the send buffer again.
 */
static int slow(struct nic *nic, struct nic *out, int mode)
{
	int result;

	result = nic_open(out, "out0", mode | IFF_NO_PI | IFF_BACKPRESSURE,
			  O_NONBLOCK) ?:
		 if_set("out0", SIOCSIFTXQLEN, 4) ?: if_up("out0") ?:
		 nic_open(nic, "ba0", mode | IFF_NO_PI, 0) ?: if_up("ba0") ?:
		 set_number(nic->fd, TUNSETSNDBUF, 8000);
	if (result)
		return result;
	if (shell("tc qdisc replace dev %s root pfifo limit 1000", "out0") ||
	    shell("tc qdisc add dev %s clsact", "ba0") ||
	    shell("tc filter add dev %s ingress matchall action mirred egress redirect dev out0",
		  "ba0"))
		return -ENOPKG;
	return 0;
}

FD_TEST(batch, send_buffer)
{
	struct sleeper s = { .count = 40, .min = 40,
			     .request = VNIC_IOC_SEND };
	int result, i, taken, arrived = 0;
	struct nic out;

	OURS_ALONE(ONLY_HERE);
	result = slow(&self->nic, &out, variant->mode);
	if (result == -ENOPKG)
		SKIP(return, "no tc, or a kernel without matchall, mirred");
	ASSERT_EQ(0, result);
	catch_signal(0);
	/* Room for some: those, and then none */
	prepare(variant->mode, 40);
	taken = batch_send(self->nic.fd, 40);
	EXPECT_LT(0, taken);
	EXPECT_GT(40, taken);
	EXPECT_EQ(4711, entries[taken].result);
	EXPECT_EQ(-EAGAIN, batch_call(self->nic.fd, VNIC_IOC_SEND,
				      entries + taken, 40 - taken, 0));
	EXPECT_EQ(taken, link_of(&self->nic).stats.rx_packets);

	/* One that may sleep sleeps until all went, or a signal comes. */
	s.fd = self->nic.fd;
	for (i = 0; i < 40; i++)
		packet_fill(s.buffers[i], variant->mode, SIZE, i);
	ASSERT_EQ(0, pthread_create(&s.thread, NULL, sleeper_body, &s));
	ASSERT_TRUE(WAIT_FOR(__atomic_load_n(&s.tid, __ATOMIC_ACQUIRE) &&
			     sleeps(getpid(), s.tid)));
	ASSERT_EQ(0, pthread_kill(s.thread, SIGUSR1));
	EXPECT_EQ(-EINTR, sleeper_end(&s));
	s.done = false;
	s.tid = 0;
	ASSERT_EQ(0, pthread_create(&s.thread, NULL, sleeper_body, &s));
	while (!sleeper_done(&s) || arrived < 40 + taken) {
		if (!(poll_wait(out.fd, POLLIN) & POLLIN))
			break;
		arrived += read(out.fd, got, BIG) == SIZE;
	}
	EXPECT_EQ(40, sleeper_end(&s));
	EXPECT_EQ(40 + taken, arrived);
	EXPECT_EQ(0, link_of(&self->nic).stats.rx_dropped);
	EXPECT_EQ(0, link_of(&out).stats.tx_dropped);

	/* The device goes while it sleeps. */
	s.done = false;
	s.tid = 0;
	ASSERT_EQ(0, pthread_create(&s.thread, NULL, sleeper_body, &s));
	ASSERT_TRUE(WAIT_FOR(__atomic_load_n(&s.tid, __ATOMIC_ACQUIRE) &&
			     sleeps(getpid(), s.tid)));
	ASSERT_EQ(0, link_delete(self->nic.index));
	EXPECT_LT(0, sleeper_end(&s));
	EXPECT_GT(40, s.result);
	nic_close(&out);
}

/* 64 KB in one entry, both ways, built of fragments */
FD_TEST(batch, large_packets)
{
	struct flow flow = { .mode = variant->mode, .proto = IPPROTO_TCP,
			     .partial = true };
	struct vnic_vnet vnet = flow_vnet(&flow, 1400);
	int sock, len, i, payload = 65535 - 40;

	OURS_ALONE(ONLY_HERE);
	ASSERT_EQ(0, nic_open(&self->nic, "ba0", variant->mode | IFF_NO_PI |
			      IFF_VNET_HDR, O_NONBLOCK));
	ASSERT_EQ(0, if_up("ba0"));
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETOFFLOAD, TUN_F_CSUM |
			      TUN_F_TSO4 | TUN_F_TSO6));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, packet_vnet(sock));
	len = flow_build(&flow, big + 10, payload, 1);
	memset(entries, 0, sizeof(entries));
	for (i = 0; i < 4; i++) {
		entries[i].addr = (unsigned long)big + 10;
		entries[i].len = len;
		entries[i].vnet = vnet;
	}
	ASSERT_EQ(4, batch_send(self->nic.fd, 4));
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(0, entries[i].result);
		ASSERT_EQ(len + 10, receive(sock, got, BIG, NULL));
		EXPECT_TRUE(vnet_same(&vnet, (void *)got));
		EXPECT_EQ(0, memcmp(big + 10, got + 10, len));
	}

	/* The stack's own limit counts the Ethernet header, too. */
	flow.from_stack = true;
	len = flow_build(&flow, big + 10, payload - variant->header, 2);
	memcpy(big, &vnet, 10);
	ASSERT_EQ(len + 10, neg(send(sock, big, len + 10, 0)));
	memset(entries, 0, sizeof(entries));
	entries[0].addr = (unsigned long)got;
	entries[0].len = BIG;
	ASSERT_EQ(1, batch_call(self->nic.fd, VNIC_IOC_RECV, entries, 1, 0));
	EXPECT_EQ(0, entries[0].result);
	EXPECT_EQ(0, entries[0].flags);
	EXPECT_EQ(len, entries[0].len);
	EXPECT_TRUE(vnet_same(&vnet, &entries[0].vnet));
	EXPECT_EQ(0, memcmp(big + 10, got, len));
	/* Longer than a packet can be */
	memset(entries, 0, sizeof(entries));
	entries[0].addr = (unsigned long)big;
	entries[0].len = 65535 + 100;
	packet_fill(big, variant->mode, 100, 1);
	ASSERT_EQ(1, batch_send(self->nic.fd, 1));
	EXPECT_EQ(-EMSGSIZE, entries[0].result);
	close(sock);
}

/* Segments of one flow in one call become one packet, where NAPI is asked for */
FD_TEST(batch, segments_become_one)
{
	struct flow flow = { .mode = variant->mode, .proto = IPPROTO_TCP };
	int sock, i, len, header = flow_headers(&flow), n = 0, seen = 0;

	OURS_ALONE(ONLY_HERE);
	ASSERT_EQ(0, nic_open(&self->nic, "ba0", variant->mode | IFF_NO_PI |
			      IFF_NAPI, O_NONBLOCK));
	ASSERT_EQ(0, if_up("ba0"));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	if (variant->mode == IFF_TAP)
		nic_mac(&self->nic, flow.mac);
	memset(entries, 0, sizeof(entries));
	for (i = 0; i < 16; i++) {
		flow.seq = i * 500;
		flow.push = i == 15;
		len = flow_build(&flow, buffers[i], 500, i);
		entries[i].addr = (unsigned long)buffers[i];
		entries[i].len = len;
	}
	ASSERT_EQ(16, batch_send(self->nic.fd, 16));
	for (; seen < 16 * 500; n++) {
		len = receive(sock, got, BIG, NULL);
		ASSERT_LT(header, len);
		seen += len - header;
	}
	EXPECT_EQ(16 * 500, seen);
	EXPECT_GT(16, n);
	EXPECT_EQ(16, link_of(&self->nic).stats.rx_packets);
	close(sock);
}

#ifdef __x86_64__
/*
 * A system call as a 32-bit program makes it. The other entry to the kernel is open
 * to 64-bit programs too, with addresses that fit. It clobbers r8 to r11.
 */
static long syscall_32(long number, long first, long second, const void *third)
{
	long result;

	asm volatile("int $0x80" : "=a" (result)
		     : "a" (number), "b" (first), "c" (second), "d" (third)
		     : "memory", "r8", "r9", "r10", "r11");
	return (int)result;
}

static long ioctl_32(int fd, unsigned int request, const void *arg)
{
	return syscall_32(54, fd, request, arg);
}

static void no_entry(int signal)
{
	_exit(1);
}

/* Without a 32-bit entry it is a fault, which the kernel logs unless caught. */
static int works_32(void *arg)
{
	signal(SIGSEGV, no_entry);
	/* getpid(); in the other numbering, 20 is writev(). */
	return syscall_32(20, -1, 0, NULL) != getpid();
}

/* The structures lie the same for both, and pointers are 64 bits wide. */
FD_TEST(batch, called_by_a_32_bit_program)
{
	struct {
		struct vnic_batch batch;
		struct vnic_packet packets[20];
		unsigned char buffers[20][SIZE];
		struct ifreq ifr;
		int number;
		__u32 version;
	} *low = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	int sock, i, fd;

	if (in_child(works_32, NULL))
		SKIP(return, "this kernel runs no 32-bit programs");
	ASSERT_NE(MAP_FAILED, low);
	fd = device_open(O_NONBLOCK);
	ASSERT_LE(0, fd);
	/* What tun has, first: struct ifreq is shorter there. */
	snprintf(low->ifr.ifr_name, IFNAMSIZ, "ba0");
	low->ifr.ifr_flags = variant->mode | IFF_NO_PI;
	memset((void *)&low->ifr + 32, 0xee, sizeof(low->ifr) - 32);
	ASSERT_EQ(0, ioctl_32(fd, TUNSETIFF, &low->ifr));
	EXPECT_EQ(0xee, ((unsigned char *)&low->ifr)[32]);
	self->nic.fd = fd;
	self->nic.index = if_index("ba0");
	snprintf(self->nic.name, IFNAMSIZ, "ba0");
	ASSERT_EQ(0, if_up("ba0"));
	EXPECT_EQ(0, ioctl_32(fd, TUNGETIFF, &low->ifr));
	EXPECT_EQ(0xee, ((unsigned char *)&low->ifr)[32]);
	EXPECT_EQ(variant->mode | IFF_NO_PI,
		  (unsigned short)low->ifr.ifr_flags);
	low->number = 20;
	EXPECT_EQ(0, ioctl_32(fd, TUNSETVNETHDRSZ, &low->number));
	low->number = 0;
	EXPECT_EQ(0, ioctl_32(fd, TUNGETVNETHDRSZ, &low->number));
	EXPECT_EQ(20, low->number);
	EXPECT_EQ(0, ioctl_32(fd, TUNGETSNDBUF, &low->number));
	EXPECT_EQ(INT32_MAX, low->number);
	EXPECT_EQ(0, ioctl_32(fd, TUNSETPERSIST, NULL));
	EXPECT_EQ(-EINVAL, ioctl_32(fd, _IO('T', 99), NULL));
	OURS_ALONE(ONLY_HERE);

	ASSERT_EQ(0, ioctl_32(fd, VNIC_IOC_VERSION, &low->version));
	EXPECT_EQ(VNIC_UAPI_VERSION, low->version);
	EXPECT_EQ(-EFAULT, ioctl_32(fd, VNIC_IOC_VERSION, NULL));
	EXPECT_EQ(-ENOTTY, ioctl_32(fd, _IO(VNIC_IOC_MAGIC, 9), NULL));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	low->batch.packets = (unsigned long)low->packets;
	low->batch.count = 20;
	for (i = 0; i < 20; i++) {
		packet_fill(low->buffers[i], variant->mode, SIZE, i);
		low->packets[i].addr = (unsigned long)low->buffers[i];
		low->packets[i].len = SIZE;
		low->packets[i].result = 4711;
	}
	ASSERT_EQ(20, ioctl_32(fd, VNIC_IOC_SEND, &low->batch));
	for (i = 0; i < 20; i++) {
		EXPECT_EQ(0, low->packets[i].result);
	}
	EXPECT_TRUE(stack_got(sock, variant->mode, 0, 20));
	ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, 3, 20));
	memset(low->buffers, 0, sizeof(low->buffers));
	ASSERT_EQ(17, ioctl_32(fd, VNIC_IOC_RECV, &low->batch));
	for (i = 0; i < 17; i++) {
		packet_fill(big, variant->mode, SIZE, i + 3);
		EXPECT_EQ(0, memcmp(big, low->buffers[i], SIZE));
	}
	EXPECT_EQ(-EAGAIN, ioctl_32(fd, VNIC_IOC_RECV, &low->batch));
	low->batch.count = 2000;
	EXPECT_EQ(-EINVAL, ioctl_32(fd, VNIC_IOC_SEND, &low->batch));
	EXPECT_EQ(-EFAULT, ioctl_32(fd, VNIC_IOC_SEND, NULL));
	close(sock);
}
#endif

TEST_HARNESS_MAIN
