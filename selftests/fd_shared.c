// SPDX-License-Identifier: GPL-2.0
/*
 * VNIC_IOC_RING_SETUP and VNIC_IOC_RING_SEND: packets through memory that the
 * program has mapped.
 *
 *   head: how far who has come
 *   recv: frames and pads    <-- stack
 *   send: frames and pads    --> VNIC_IOC_RING_SEND --> stack
 */
#include "fd_flow.h"

#include <sys/mman.h>

FD_FIXTURE(shared)

#define ONLY_HERE	"has no memory to share"
#define SIZE		100		/* of a packet, where it is not told */
#define RING		VNIC_RING_MIN
#define LONG		70000

static unsigned char data[LONG], want[LONG];

/* Memory of one queue, as it is mapped here */
struct rings {
	int fd, mode;
	struct vnic_ring_setup setup;
	struct vnic_ring_head *head;
	unsigned char *recv, *send;
};

static int setup_call(int fd, __u32 recv_size, __u32 send_size)
{
	struct vnic_ring_setup setup = {
		.recv_size = recv_size, .send_size = send_size,
	};

	return do_ioctl(fd, VNIC_IOC_RING_SETUP, &setup);
}

static int rings_map(struct rings *rings, size_t size, int flags, off_t offset)
{
	rings->head = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, rings->fd,
			   offset);
	if (rings->head == MAP_FAILED)
		return -errno;
	rings->recv = (unsigned char *)rings->head + rings->setup.recv_offset;
	rings->send = (unsigned char *)rings->head + rings->setup.send_offset;
	return 0;
}

static int rings_open(struct rings *rings, int fd, int mode, __u32 recv_size,
		      __u32 send_size)
{
	int result;

	memset(rings, 0, sizeof(*rings));
	rings->fd = fd;
	rings->mode = mode;
	rings->setup.recv_size = recv_size;
	rings->setup.send_size = send_size;
	result = do_ioctl(fd, VNIC_IOC_RING_SETUP, &rings->setup);
	return result ?: rings_map(rings, rings->setup.map_size, MAP_SHARED, 0);
}

static void rings_close(struct rings *rings)
{
	munmap(rings->head, rings->setup.map_size);
}

static __u32 load(const struct vnic_ring_index *index)
{
	return __atomic_load_n(&index->value, __ATOMIC_ACQUIRE);
}

static void store(struct vnic_ring_index *index, __u32 value)
{
	__atomic_store_n(&index->value, value, __ATOMIC_SEQ_CST);
}

static __u32 takes(__u32 len)
{
	return (sizeof(struct vnic_frame) + len + VNIC_FRAME_ALIGN - 1) &
	       -VNIC_FRAME_ALIGN;
}

/* The oldest frame that has come, NULL for none; rings_next() is done with it. */
static const struct vnic_frame *rings_first(struct rings *rings)
{
	__u32 size = rings->setup.recv_size, pos = load(&rings->head->recv_cons);
	const struct vnic_frame *frame;

	if (pos == load(&rings->head->recv_prod))
		return NULL;
	frame = (void *)(rings->recv + (pos & (size - 1)));
	if (frame->flags != VNIC_FRAME_PAD)
		return frame;
	store(&rings->head->recv_cons, pos + size - (pos & (size - 1)));
	return rings_first(rings);
}

static void rings_next(struct rings *rings)
{
	const struct vnic_frame *frame = rings_first(rings);

	store(&rings->head->recv_cons,
	      load(&rings->head->recv_cons) + takes(frame->len));
}

/* Is the oldest frame a packet as packet_fill() makes it of @seed? Takes it. */
static bool rings_got(struct rings *rings, int len, int seed)
{
	static const struct vnic_vnet none;
	const struct vnic_frame *frame = rings_first(rings);
	__u32 room;
	bool good;

	if (!frame)
		return false;
	/* Behind the end of this ring is the other one. */
	room = rings->setup.recv_size -
	       (load(&rings->head->recv_cons) & (rings->setup.recv_size - 1));
	packet_fill(want, rings->mode, len, seed);
	good = frame->len == len && takes(len) <= room && !frame->flags &&
	       frame->proto == (rings->mode == IFF_TUN ? htons(ETH_P_IP) : 0) &&
	       !memcmp(&frame->vnet, &none, sizeof(none)) &&
	       !memcmp(frame + 1, want, len);
	rings_next(rings);
	return good;
}

/* Room for a frame of @len bytes at the end of what is to be sent. */
static struct vnic_frame *rings_room(struct rings *rings, __u32 len)
{
	__u32 size = rings->setup.send_size, pos = load(&rings->head->send_prod);
	struct vnic_frame *frame = (void *)(rings->send + (pos & (size - 1)));

	if (takes(len) > size - (pos & (size - 1))) {
		*frame = (struct vnic_frame) { .flags = VNIC_FRAME_PAD };
		store(&rings->head->send_prod,
		      pos + size - (pos & (size - 1)));
		return rings_room(rings, len);
	}
	*frame = (struct vnic_frame) { .len = len };
	store(&rings->head->send_prod, pos + takes(len));
	return frame;
}

static void rings_put(struct rings *rings, int len, int seed)
{
	struct vnic_frame *frame = rings_room(rings, len);

	packet_fill(frame + 1, rings->mode, len, seed);
}

static int rings_send(struct rings *rings)
{
	return neg(ioctl(rings->fd, VNIC_IOC_RING_SEND));
}

/* Both rings, and a socket at the other end of the device */
#define START(rings, sock) do {						\
	OURS_ALONE(ONLY_HERE);						\
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));		\
	*(sock) = packet_socket(self->nic.index);			\
	ASSERT_LE(0, *(sock));						\
	ASSERT_EQ(0, rings_open(rings, self->nic.fd, variant->mode,	\
				RING, RING));				\
} while (0)

FD_TEST(shared, sizes)
{
	static const __u32 bad[] = {
		1, RING - 1, RING + 1, RING / 2, 3 * RING,
		2 * VNIC_RING_MAX, 1U << 31, -1,
	};
	struct vnic_ring_setup setup = { .recv_size = RING };
	unsigned int i;

	OURS_ALONE(ONLY_HERE);
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	EXPECT_EQ(-EINVAL, setup_call(self->nic.fd, 0, 0));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-EINVAL, setup_call(self->nic.fd, bad[i], RING))
			TH_LOG("%u", bad[i]);
		EXPECT_EQ(-EINVAL, setup_call(self->nic.fd, RING, bad[i]))
			TH_LOG("%u", bad[i]);
	}
	setup.flags = 1;
	EXPECT_EQ(-EINVAL, do_ioctl(self->nic.fd, VNIC_IOC_RING_SETUP, &setup));
	setup.flags = 0;
	setup.reserved[1] = 1;
	EXPECT_EQ(-EINVAL, do_ioctl(self->nic.fd, VNIC_IOC_RING_SETUP, &setup));
	EXPECT_EQ(-EFAULT, do_ioctl(self->nic.fd, VNIC_IOC_RING_SETUP, NULL));
	/* After all of that there is still none. */
	EXPECT_EQ(0, setup_call(self->nic.fd, VNIC_RING_MAX, VNIC_RING_MAX));
	EXPECT_EQ(-EBUSY, setup_call(self->nic.fd, RING, 0));
}

FD_TEST(shared, without_a_device)
{
	struct call call;

	OURS_ALONE(ONLY_HERE);
	self->nic.fd = device_open(0);
	EXPECT_EQ(-EBADFD, setup_call(self->nic.fd, RING, RING));
	EXPECT_EQ(-EBADFD, neg(ioctl(self->nic.fd, VNIC_IOC_RING_SEND)));
	ASSERT_EQ(0, nic_attach(&self->nic, self->nic.fd, "sh0",
				variant->mode | IFF_NO_PI));
	/* There is a device, and no ring. */
	EXPECT_EQ(-EINVAL, neg(ioctl(self->nic.fd, VNIC_IOC_RING_SEND)));
	ASSERT_EQ(0, setup_call(self->nic.fd, RING, 0));
	EXPECT_EQ(-EINVAL, neg(ioctl(self->nic.fd, VNIC_IOC_RING_SEND)));
	ASSERT_EQ(0, call_start_ioctl(&call, self->nic.fd,
				      VNIC_IOC_RING_WAIT));
	ASSERT_EQ(0, link_delete(self->nic.index));
	EXPECT_EQ(-EBADFD, call_end(&call));
	EXPECT_EQ(-EBADFD, neg(ioctl(self->nic.fd, VNIC_IOC_RING_SEND)));
	EXPECT_EQ(-EBADFD, neg(ioctl(self->nic.fd, VNIC_IOC_RING_WAIT)));
}

FD_TEST(shared, mapping)
{
	struct rings rings = { }, other;
	size_t size;

	OURS_ALONE(ONLY_HERE);
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	rings.fd = self->nic.fd;
	EXPECT_EQ(-EINVAL, rings_map(&rings, 4096, MAP_SHARED, 0));
	ASSERT_EQ(0, rings_open(&rings, self->nic.fd, variant->mode, RING,
				2 * RING));
	size = rings.setup.map_size;
	EXPECT_EQ(3 * RING + rings.setup.recv_offset, size);
	EXPECT_EQ(RING + rings.setup.recv_offset, rings.setup.send_offset);
	other = rings;
	EXPECT_EQ(-EINVAL, rings_map(&other, size, MAP_PRIVATE, 0));
	EXPECT_EQ(-ENXIO, rings_map(&other, size + 4096, MAP_SHARED, 0));
	EXPECT_EQ(-ENXIO, rings_map(&other, size, MAP_SHARED, 4096));
	/* A second one of the same */
	ASSERT_EQ(0, rings_map(&other, size, MAP_SHARED, 0));
	rings.send[2 * RING - 1] = 0x5a;
	EXPECT_EQ(0x5a, other.send[2 * RING - 1]);
	rings_close(&other);
	rings_close(&rings);
}

FD_TEST(shared, receives)
{
	struct rings rings;
	struct link link;
	int sock, i;

	START(&rings, &sock);
	EXPECT_EQ(0, poll_now(self->nic.fd, POLLIN));
	ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, 0, 100));
	for (i = 0; i < 100; i++) {
		EXPECT_TRUE(rings_got(&rings, SIZE, i)) TH_LOG("%d", i);
	}
	EXPECT_EQ(NULL, rings_first(&rings));
	EXPECT_EQ(100 * takes(SIZE), load(&rings.head->recv_prod));
	link = link_of(&self->nic);
	EXPECT_EQ(100, link.stats.tx_packets);
	EXPECT_EQ(100 * SIZE, link.stats.tx_bytes);
	EXPECT_EQ(0, link.stats.tx_dropped);
	close(sock);
	rings_close(&rings);
}

/* In order with those that come later, and whoever sleeps is told */
FD_TEST(shared, what_waited_comes_first)
{
	struct rings rings;
	struct call call;
	int sock, i;

	OURS_ALONE(ONLY_HERE);
	ASSERT_EQ(0, nic_open(&self->nic, "", variant->mode | IFF_NO_PI, 0));
	ASSERT_EQ(0, if_up(self->nic.name));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, 0, 10));
	ASSERT_EQ(0, rings_open(&rings, self->nic.fd, variant->mode, RING, 0));
	ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, 10, 20));
	for (i = 0; i < 20; i++) {
		EXPECT_TRUE(rings_got(&rings, SIZE, i)) TH_LOG("%d", i);
	}
	EXPECT_EQ(-EINVAL, neg(read(self->nic.fd, data, SIZE)));
	rings_close(&rings);
	nic_close(&self->nic);

	ASSERT_EQ(0, nic_open(&self->nic, "", variant->mode | IFF_NO_PI, 0));
	ASSERT_EQ(0, call_start(&call, self->nic.fd, 0));
	ASSERT_EQ(0, setup_call(self->nic.fd, RING, 0));
	EXPECT_EQ(-EINVAL, call_end(&call));
	close(sock);
}

FD_TEST(shared, other_calls)
{
	struct vnic_packet packet = { .addr = (unsigned long)data, .len = SIZE };
	struct vnic_batch batch = {
		.packets = (unsigned long)&packet, .count = 1,
	};
	struct rings rings;
	int sock;

	START(&rings, &sock);
	EXPECT_EQ(-EINVAL, neg(read(self->nic.fd, data, SIZE)));
	EXPECT_EQ(-EINVAL, do_ioctl(self->nic.fd, VNIC_IOC_RECV, &batch));
	/* The other way is as it was. */
	packet_fill(data, variant->mode, SIZE, 7);
	EXPECT_EQ(SIZE, neg(write(self->nic.fd, data, SIZE)));
	EXPECT_EQ(1, do_ioctl(self->nic.fd, VNIC_IOC_SEND, &batch));
	EXPECT_EQ(SIZE, receive(sock, want, LONG, NULL));
	EXPECT_EQ(SIZE, receive(sock, want, LONG, NULL));
	EXPECT_EQ(0, memcmp(want, data, SIZE));
	close(sock);
	rings_close(&rings);
}

/* Frames of all lengths, so that the end of the ring is met at all places */
FD_TEST(shared, round_and_round)
{
	struct rings rings;
	int sock, i, len;

	START(&rings, &sock);
	for (i = 0; i < 2000; i++) {
		len = 20 + i * 37 % 1450;
		ASSERT_EQ(0, send_packets(sock, variant->mode, len, i, i + 1));
		ASSERT_TRUE(rings_got(&rings, len, i)) TH_LOG("%d", i);
		rings_put(&rings, len, i);
		ASSERT_EQ(1, rings_send(&rings));
		ASSERT_EQ(len, receive(sock, data, LONG, NULL));
		packet_fill(want, variant->mode, len, i);
		ASSERT_EQ(0, memcmp(data, want, len)) TH_LOG("%d", i);
	}
	EXPECT_LT(3 * RING, load(&rings.head->recv_prod));
	EXPECT_LT(3 * RING, load(&rings.head->send_cons));
	close(sock);
	rings_close(&rings);
}

FD_TEST(shared, full)
{
	const int len = 1400, most = RING / takes(len);
	struct rings rings;
	struct link link;
	int sock, i;

	START(&rings, &sock);
	for (i = 0; i < 2 * most; i += 10)
		ASSERT_EQ(0, send_packets(sock, variant->mode, len, i, i + 10));
	link = link_of(&self->nic);
	EXPECT_EQ(most, link.stats.tx_packets);
	EXPECT_EQ(i - most, link.stats.tx_dropped);
	EXPECT_EQ(i - most, ethtool_counter(self->nic.name, "tx_drop_full"));
	for (i = 0; i < most; i++) {
		EXPECT_TRUE(rings_got(&rings, len, i)) TH_LOG("%d", i);
	}
	/* There is room again. */
	ASSERT_EQ(0, send_packets(sock, variant->mode, len, 1, 2));
	EXPECT_TRUE(rings_got(&rings, len, 1));
	close(sock);
	rings_close(&rings);
}

/* What cannot be is as if it had not been said. */
FD_TEST(shared, impossible_index)
{
	static const __u32 offset[] = { 20000, RING, RING + 1, 1U << 31 };
	struct rings rings;
	int sock, i, sent = 0;

	START(&rings, &sock);
	for (i = 0; i < (int)ARRAY_SIZE(offset); i++) {
		for (; sent < (i + 1) * RING; sent += 10 * takes(1400)) {
			store(&rings.head->recv_cons,
			      load(&rings.head->recv_prod) + offset[i]);
			ASSERT_EQ(0, send_packets(sock, variant->mode, 1400, 0,
						  10));
		}
		EXPECT_GE(RING, load(&rings.head->recv_prod));
	}
	EXPECT_LT(0, link_of(&self->nic).stats.tx_dropped);
	/* It goes on once it is what it should be. */
	store(&rings.head->recv_cons, load(&rings.head->recv_prod));
	ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, 9, 10));
	EXPECT_TRUE(rings_got(&rings, SIZE, 9));
	close(sock);
	rings_close(&rings);
}

FD_TEST(shared, woken_by_event)
{
	struct rings rings;
	struct call call;
	int sock, i;

	START(&rings, &sock);
	/* For the next one */
	ASSERT_EQ(0, call_start(&call, self->nic.fd, POLLIN));
	ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, 0, 1));
	EXPECT_EQ(POLLIN, call_end(&call));
	EXPECT_EQ(POLLIN, poll_now(self->nic.fd, POLLIN));
	EXPECT_TRUE(rings_got(&rings, SIZE, 0));
	store(&rings.head->recv_event, load(&rings.head->recv_cons));
	EXPECT_EQ(0, poll_now(self->nic.fd, POLLIN));

	/* For the tenth */
	store(&rings.head->recv_event,
	      load(&rings.head->recv_cons) + 9 * takes(SIZE));
	EXPECT_EQ(-EAGAIN, neg(ioctl(self->nic.fd, VNIC_IOC_RING_WAIT)));
	ASSERT_EQ(0, fcntl(self->nic.fd, F_SETFL, O_RDWR));
	ASSERT_EQ(0, call_start_ioctl(&call, self->nic.fd, VNIC_IOC_RING_WAIT));
	ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, 1, 10));
	EXPECT_EQ(0, poll_now(self->nic.fd, POLLIN));
	EXPECT_TRUE(sleeps(getpid(), call.tid));
	ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, 10, 11));
	EXPECT_EQ(0, call_end(&call));
	EXPECT_EQ(POLLIN, poll_now(self->nic.fd, POLLIN));
	EXPECT_EQ(0, neg(ioctl(self->nic.fd, VNIC_IOC_RING_WAIT)));
	for (i = 1; i < 11; i++) {
		EXPECT_TRUE(rings_got(&rings, SIZE, i)) TH_LOG("%d", i);
	}
	close(sock);
	rings_close(&rings);
}

/* A packet at a time to one who sleeps each time: none is missed. */
FD_TEST(shared, no_wake_is_lost)
{
	struct rings rings;
	int sock, i;
	pid_t pid;

	START(&rings, &sock);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		for (i = 0; i < 500; i++) {
			store(&rings.head->recv_event,
			      load(&rings.head->recv_cons));
			if (!rings_first(&rings) &&
			    poll_wait(self->nic.fd, POLLIN) != POLLIN)
				_exit(1);
			if (!rings_got(&rings, SIZE, i))
				_exit(2);
		}
		_exit(0);
	}
	for (i = 0; i < 500; i++) {
		ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, i, i + 1));
		ASSERT_TRUE(WAIT_FOR(load(&rings.head->recv_cons) ==
				     load(&rings.head->recv_prod)));
	}
	ASSERT_EQ(pid, waitpid(pid, &i, 0));
	EXPECT_EQ(0, i);
	close(sock);
	rings_close(&rings);
}

FD_TEST(shared, offloads_from_the_stack)
{
	struct flow flow = { .mode = variant->mode, .proto = IPPROTO_UDP,
			     .partial = true, .from_stack = true };
	struct vnic_vnet vnet = flow_vnet(&flow, 0);
	const struct vnic_frame *frame;
	struct rings rings;
	int sock, len;

	OURS_ALONE(ONLY_HERE);
	ASSERT_EQ(0, nic_open(&self->nic, "sh0", variant->mode | IFF_VNET_HDR,
			      O_NONBLOCK));
	ASSERT_EQ(0, if_up("sh0"));
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETOFFLOAD, TUN_F_CSUM));
	ASSERT_EQ(0, rings_open(&rings, self->nic.fd, variant->mode, RING, 0));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, packet_vnet(sock));
	len = flow_build(&flow, data + 10, 100, 1);
	memcpy(data, &vnet, 10);
	ASSERT_EQ(len + 10, neg(send(sock, data, len + 10, 0)));
	frame = rings_first(&rings);
	ASSERT_NE(NULL, frame);
	EXPECT_EQ(len, frame->len);
	EXPECT_TRUE(vnet_same(&vnet, &frame->vnet));
	EXPECT_EQ(0, memcmp(data + 10, frame + 1, len));
	close(sock);
	rings_close(&rings);
}

FD_TEST(shared, sends)
{
	struct rings rings;
	struct link link;
	int sock, i;

	START(&rings, &sock);
	EXPECT_EQ(0, rings_send(&rings));
	for (i = 0; i < 100; i++)
		rings_put(&rings, SIZE, i);
	ASSERT_EQ(100, rings_send(&rings));
	EXPECT_EQ(load(&rings.head->send_prod), load(&rings.head->send_cons));
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(SIZE, receive(sock, data, LONG, NULL));
		packet_fill(want, variant->mode, SIZE, i);
		EXPECT_EQ(0, memcmp(data, want, SIZE)) TH_LOG("%d", i);
	}
	EXPECT_EQ(0, rings_send(&rings));
	link = link_of(&self->nic);
	EXPECT_EQ(100, link.stats.rx_packets);
	EXPECT_EQ(100 * SIZE, link.stats.rx_bytes);
	close(sock);
	rings_close(&rings);
}

/* What is lost is counted as if it had been written, and the others go on. */
FD_TEST(shared, each_loss_is_counted)
{
	struct vnic_frame *frame;
	struct rings rings;
	int sock;

	START(&rings, &sock);
	rings_put(&rings, SIZE, 0);
	rings_put(&rings, variant->mode == IFF_TAP ? ETH_HLEN - 1 : 0, 1);
	rings_put(&rings, SIZE, 2);
	rings_put(&rings, LONG, 3);
	frame = rings_room(&rings, SIZE);
	packet_fill(frame + 1, variant->mode, SIZE, 4);
	frame->vnet.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
	rings_put(&rings, SIZE, 5);
	EXPECT_EQ(6, rings_send(&rings));
	EXPECT_EQ(3, link_of(&self->nic).stats.rx_packets);
	EXPECT_EQ(3, ethtool_counter(self->nic.name, "rx_drop_short") +
		     ethtool_counter(self->nic.name, "rx_drop_protocol") +
		     ethtool_counter(self->nic.name, "rx_drop_long") +
		     ethtool_counter(self->nic.name, "rx_drop_vnet"));
	EXPECT_EQ(1, ethtool_counter(self->nic.name, "rx_drop_long"));
	EXPECT_EQ(1, ethtool_counter(self->nic.name, "rx_drop_vnet"));
	ASSERT_EQ(0, if_down(self->nic.name));
	rings_put(&rings, SIZE, 6);
	EXPECT_EQ(1, rings_send(&rings));
	EXPECT_EQ(1, ethtool_counter(self->nic.name, "rx_drop_down"));
	close(sock);
	rings_close(&rings);
}

/* A frame that cannot be ends the call before it, and nothing goes past it. */
FD_TEST(shared, impossible_frame)
{
	struct vnic_frame *frame;
	struct rings rings;
	int sock, i;
	__u32 prod;

	START(&rings, &sock);
	for (i = 0; i < 6; i++) {
		rings_put(&rings, SIZE, 0);
		frame = rings_room(&rings, SIZE);
		packet_fill(frame + 1, variant->mode, SIZE, 1);
		switch (i) {
		case 0:
			frame->flags = 2;
			break;
		case 1:
			frame->vnet.num_buffers = 1;
			break;
		case 2:
			frame->len = 4000;	/* beyond send_prod */
			break;
		case 3:
			frame->len = -1;
			break;
		case 4:
			frame->flags = VNIC_FRAME_PAD;	/* beyond send_prod */
			break;
		case 5:
			frame->flags = VNIC_FRAME_PAD | 4;
			break;
		}
		ASSERT_EQ(1, rings_send(&rings)) TH_LOG("%d", i);
		EXPECT_EQ(-EINVAL, rings_send(&rings)) TH_LOG("%d", i);
		EXPECT_EQ(-EINVAL, rings_send(&rings)) TH_LOG("%d", i);
		frame->flags = 0;
		frame->vnet.num_buffers = 0;
		frame->len = SIZE;
		EXPECT_EQ(1, rings_send(&rings)) TH_LOG("%d", i);
	}
	prod = load(&rings.head->send_prod);
	store(&rings.head->send_prod, prod + RING + 1);
	EXPECT_EQ(-EINVAL, rings_send(&rings));
	store(&rings.head->send_prod, prod - 1);
	EXPECT_EQ(-EINVAL, rings_send(&rings));
	store(&rings.head->send_prod, prod);
	EXPECT_EQ(0, rings_send(&rings));
	EXPECT_EQ(12, link_of(&self->nic).stats.rx_packets);
	close(sock);
	rings_close(&rings);
}

/* One that runs over the end of the ring, though not over what is written */
FD_TEST(shared, frame_over_the_end)
{
	struct vnic_frame *frame;
	struct rings rings;
	int sock;

	START(&rings, &sock);
	while (RING - (load(&rings.head->send_prod) & (RING - 1)) > 4096) {
		rings_put(&rings, 1400, 0);
		ASSERT_EQ(1, rings_send(&rings));
		ASSERT_EQ(1400, receive(sock, data, LONG, NULL));
	}
	frame = (void *)(rings.send +
			 (load(&rings.head->send_prod) & (RING - 1)));
	*frame = (struct vnic_frame) { .len = 8000 };
	store(&rings.head->send_prod,
	      load(&rings.head->send_prod) + takes(8000));
	EXPECT_EQ(-EINVAL, rings_send(&rings));
	close(sock);
	rings_close(&rings);
}

FD_TEST(shared, no_backpressure)
{
	static const struct attr on[] = {
		{ VNIC_TUN_BACKPRESSURE, 1, 1 }, { },
	};
	int fd;

	OURS_ALONE(ONLY_HERE);
	ASSERT_EQ(0, nic_open(&self->nic, "sh0", variant->mode | IFF_NO_PI |
			      IFF_BACKPRESSURE, 0));
	EXPECT_EQ(-EINVAL, setup_call(self->nic.fd, RING, 0));
	EXPECT_EQ(0, setup_call(self->nic.fd, 0, RING));
	nic_close(&self->nic);

	ASSERT_EQ(0, nic_open(&self->nic, "sh1", variant->mode | IFF_NO_PI, 0));
	ASSERT_EQ(0, setup_call(self->nic.fd, RING, 0));
	EXPECT_EQ(-EBUSY, link_change(self->nic.index, variant->kind, on));
	/* The file keeps its ring, so it can have no such device later. */
	fd = self->nic.fd;
	ASSERT_EQ(0, link_delete(self->nic.index));
	EXPECT_EQ(-EINVAL, nic_attach(&self->nic, fd, "sh2", variant->mode |
				      IFF_NO_PI | IFF_BACKPRESSURE));
	EXPECT_GT(0, if_index("sh2"));
	EXPECT_EQ(0, nic_attach(&self->nic, fd, "sh2", variant->mode |
				IFF_NO_PI));
}

FD_TEST(shared, another_device)
{
	struct rings rings;
	int sock;

	START(&rings, &sock);
	ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, 0, 1));
	close(sock);
	ASSERT_EQ(0, link_delete(self->nic.index));
	EXPECT_EQ(POLLERR, poll_now(self->nic.fd, POLLIN));
	ASSERT_EQ(0, nic_attach(&self->nic, self->nic.fd, "sh1",
				variant->mode | IFF_NO_PI));
	ASSERT_EQ(0, if_up("sh1"));
	sock = packet_socket(self->nic.index);
	ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, 1, 2));
	EXPECT_TRUE(rings_got(&rings, SIZE, 0));
	EXPECT_TRUE(rings_got(&rings, SIZE, 1));
	close(sock);
	rings_close(&rings);
}

/* As long as it is mapped, here or in a child, all of it is there. */
FD_TEST(shared, until_it_is_unmapped)
{
	struct rings rings;
	int sock, status;
	char go;
	int pipes[2];
	pid_t pid;

	START(&rings, &sock);
	ASSERT_EQ(0, pipe(pipes));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(self->nic.fd);
		if (read(pipes[0], &go, 1) != 1)
			_exit(1);
		/* What came when only this mapping was left */
		_exit(rings_got(&rings, SIZE, 0) ? 0 : 2);
	}
	nic_close(&self->nic);
	rings_close(&rings);
	ASSERT_LT(0, if_index(self->nic.name));
	ASSERT_EQ(0, send_packets(sock, variant->mode, SIZE, 0, 1));
	ASSERT_EQ(1, write(pipes[1], "g", 1));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(WAIT_FOR(if_index(self->nic.name) < 0));
	close(sock);
}

static void *scribble(void *arg)
{
	struct rings *rings = arg;
	__u32 seed = 1, *words = (__u32 *)rings->head;
	size_t count = rings->setup.map_size / sizeof(*words);

	while (!__atomic_load_n(&rings->mode, __ATOMIC_RELAXED)) {
		seed = seed * 1103515245 + 12345;
		/* The indices, and what is in front of the first frames */
		if (seed & 0x100)
			words[(seed >> 16) % 80] = seed & 0x200 ? seed :
				words[(seed >> 8) % 80] + (seed >> 26);
		else
			words[(seed >> 12) % count] = seed >> (seed & 31);
	}
	return NULL;
}

/* A program that writes over everything while the kernel reads it */
FD_TEST(shared, hostile)
{
	struct rings rings, hostile;
	pthread_t thread;
	struct link link;
	int sock, i;

	START(&rings, &sock);
	hostile = rings;
	hostile.mode = 0;
	ASSERT_EQ(0, pthread_create(&thread, NULL, scribble, &hostile));
	for (i = 0; i < 20000; i++) {
		rings_send(&rings);
		if (i % 16)
			continue;
		packet_fill(data, variant->mode, 1400, i);
		if (send(sock, data, 1400, 0) < 0)
			ASSERT_EQ(ENOBUFS, errno);
	}
	__atomic_store_n(&hostile.mode, 1, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	link = link_of(&self->nic);
	EXPECT_EQ(20000 / 16, link.stats.tx_packets + link.stats.tx_dropped);
	close(sock);
	rings_close(&rings);
}

TEST_HARNESS_MAIN
