// SPDX-License-Identifier: GPL-2.0
/*
 * vhost-net with a socket of ours as back end. The test is the virtual machine:
 * it has the two virtqueues of a network card in its memory (virtio 1.2, section
 * 2.7) and no processor.
 *
 *   stack -- queue -- socket -- vhost -- virtqueues -- the test
 */
#include "fd_flow.h"
#include "vhost.h"

#include <sys/syscall.h>

FD_FIXTURE(vhost)

#define ONLY_HERE	"is known to vhost"
#define BIG		70000

static unsigned char data[BIG], want[BIG];
static const struct vnic_vnet plain;

/* The next chain that vhost is through with, waited for; or -ETIMEDOUT */
static int use(struct card *card, int i, struct vring_used_elem *elem)
{
	struct area *area = card->area[i];

	if (!WAIT_FOR(card_has_used(card, i)))
		return -ETIMEDOUT;
	*elem = area->used.ring[card->seen[i]++ % ENTRIES];
	return 0;
}

/* Gives vhost a frame to send: header and frame in descriptors of their own. */
static void transmit(struct card *card, const struct vnic_vnet *vnet,
		     const void *frame, int len)
{
	struct area *area = card->area[TX];
	__u16 head = card->next, at = head;
	int part;

	memset(area->buffer[at], 0, card->header);
	memcpy(area->buffer[at], vnet, 10);
	area->desc[at] = (struct vring_desc) {
		.addr = (unsigned long)area->buffer[at], .len = card->header,
	};
	while (len > 0) {
		area->desc[at].flags = VRING_DESC_F_NEXT;
		area->desc[at].next = (at + 1) % ENTRIES;
		at = (at + 1) % ENTRIES;
		part = len < BUFFER ? len : BUFFER;
		memcpy(area->buffer[at], frame, part);
		area->desc[at] = (struct vring_desc) {
			.addr = (unsigned long)area->buffer[at], .len = part,
		};
		frame += part;
		len -= part;
	}
	card->next = (at + 1) % ENTRIES;
	card_publish(card, TX, head);
}

/* The next frame that vhost has received: its length, or -errno. */
static int collect(struct card *card, struct vnic_vnet *vnet, void *frame)
{
	struct area *area = card->area[RX];
	struct vring_used_elem elem;
	int len = 0, buffers = 1, i, skip = card->header, part;
	unsigned char *from;

	for (i = 0; i < buffers; i++) {
		if (use(card, RX, &elem))
			return -ETIMEDOUT;
		from = area->buffer[elem.id];
		if (!i) {
			memset(vnet, 0, sizeof(*vnet));
			memcpy(vnet, from, 10);
			if (card->header == 12)
				buffers = *(__le16 *)(from + 10);
		}
		part = elem.len - skip;
		if (part < 0)
			return -EBADMSG;
		memcpy(frame + len, from + skip, part);
		len += part;
		skip = 0;
		card_publish(card, RX, elem.id);
	}
	card_kick(card, RX);
	return len;
}

/* A device whose frames have headers of @header bytes in front, 0 for none */
static int socket_start(struct nic *nic, int *sock, int mode, int header)
{
	int result = nic_open(nic, "vh0", mode | IFF_NO_PI |
			      (header ? IFF_VNET_HDR : 0), O_NONBLOCK);

	if (!result && header)
		result = set_number(nic->fd, TUNSETVNETHDRSZ, header);
	if (!result)
		result = if_up("vh0");
	if (result)
		return result;
	*sock = do_ioctl(nic->fd, VNIC_IOC_SOCKET, O_CLOEXEC | O_NONBLOCK);
	return *sock < 0 ? *sock : 0;
}

/* A frame each way, looked at byte by byte: 0 or -errno, -EILSEQ for another one */
static int there_and_back(struct card *card, int stack, int mode, int seed)
{
	struct vring_used_elem elem;
	struct vnic_vnet vnet;
	int len;

	packet_fill(want, mode, 100, seed);
	transmit(card, &plain, want, 100);
	card_kick(card, TX);
	len = receive(stack, data, BIG, NULL);
	if (len < 0)
		return len;
	if (len != 100 || memcmp(want, data, 100))
		return -EILSEQ;
	if (use(card, TX, &elem))
		return -ETIMEDOUT;
	if (send(stack, want, 100, 0) != 100)
		return -errno;
	len = collect(card, &vnet, data);
	if (len < 0)
		return len;
	return len == 100 && !memcmp(want, data, 100) ? 0 : -EILSEQ;
}

#define START(card, sock, nic, mode, features) do {			\
	int result_;							\
									\
	OURS_ALONE(ONLY_HERE);						\
	result_ = card_start(card, features);				\
	if (result_ == -ENOENT || result_ == -ENODEV)			\
		SKIP(return, "no vhost-net in this kernel");		\
	ASSERT_EQ(0, result_);						\
	/* With the last feature the header is vhost's affair. */	\
	ASSERT_EQ(0, socket_start(nic, sock, mode,			\
				  (features) & OWN ? 0 : (card)->header)); \
	ASSERT_EQ(0, card_backend(card, *(sock)));				\
	card_offer(card);						\
} while (0)

static void both_ways(struct __test_metadata *_metadata, struct nic *nic,
		      int mode, __u64 features, int longest)
{
	static const int sizes[] = { 60, 61, 100, 1000, 1514, 2036, 4000, 7000 };
	struct vring_used_elem elem;
	struct vnic_vnet vnet;
	struct card card;
	int sock, stack, i, len, sent = 0;
	__u16 first;

	START(&card, &sock, nic, mode, features);
	ASSERT_EQ(0, if_set("vh0", SIOCSIFMTU, 9000));
	stack = packet_socket(nic->index);
	ASSERT_LE(0, stack);
	/* Several times around the virtqueues */
	for (i = 0; i < 160; i++) {
		len = sizes[i % ARRAY_SIZE(sizes)];
		packet_fill(want, mode, len, i);
		first = card.next;
		transmit(&card, &plain, want, len);
		card_kick(&card, TX);
		ASSERT_EQ(len, receive(stack, data, BIG, NULL));
		ASSERT_EQ(0, memcmp(want, data, len)) TH_LOG("frame %d", i);
		ASSERT_EQ(0, use(&card, TX, &elem));
		EXPECT_EQ(first, elem.id);
		if (len > longest)
			continue;
		ASSERT_EQ(len, send(stack, want, len, 0));
		ASSERT_EQ(len, collect(&card, &vnet, data)) TH_LOG("%d", i);
		ASSERT_EQ(0, memcmp(want, data, len)) TH_LOG("frame %d", i);
		EXPECT_EQ(0, memcmp(&plain, &vnet, sizeof(vnet)));
		sent++;
	}
	EXPECT_EQ(160, ethtool_counter("vh0", "queue_0_rx_packets"));
	EXPECT_EQ(sent, ethtool_counter("vh0", "queue_0_tx_packets"));
	EXPECT_EQ(0, link_of(nic).stats.rx_dropped);
	EXPECT_EQ(0, link_of(nic).stats.tx_dropped);
	close(stack);
	close(sock);
	card_stop(&card);
}

FD_TEST(vhost, legacy)
{
	both_ways(_metadata, &self->nic, variant->mode, 0, BUFFER - 12);
}

FD_TEST(vhost, version_1)
{
	both_ways(_metadata, &self->nic, variant->mode, V1, BUFFER - 12);
}

FD_TEST(vhost, merged_buffers)
{
	both_ways(_metadata, &self->nic, variant->mode, MERGED, 7000);
}

FD_TEST(vhost, version_1_merged_buffers)
{
	both_ways(_metadata, &self->nic, variant->mode, V1 | MERGED, 7000);
}

FD_TEST(vhost, header_of_its_own)
{
	both_ways(_metadata, &self->nic, variant->mode, OWN, BUFFER - 12);
}

/* Many at a time: all arrive, in order. */
FD_TEST(vhost, bursts)
{
	struct vring_used_elem elem;
	struct vnic_vnet vnet;
	struct card card;
	int sock, stack, i, j;

	START(&card, &sock, &self->nic, variant->mode, V1);
	stack = packet_socket(self->nic.index);
	ASSERT_LE(0, stack);
	for (i = 0; i < 10; i++) {
		for (j = 0; j < ENTRIES / 2; j++) {
			packet_fill(want, variant->mode, 200, i * 100 + j);
			transmit(&card, &plain, want, 200);
		}
		card_kick(&card, TX);
		for (j = 0; j < ENTRIES / 2; j++) {
			packet_fill(want, variant->mode, 200, i * 100 + j);
			ASSERT_EQ(200, receive(stack, data, BIG, NULL));
			ASSERT_EQ(0, memcmp(want, data, 200));
			ASSERT_EQ(0, use(&card, TX, &elem));
		}
		ASSERT_EQ(0, send_packets(stack, variant->mode, 200, i * 100,
					  i * 100 + ENTRIES));
		for (j = 0; j < ENTRIES; j++) {
			packet_fill(want, variant->mode, 200, i * 100 + j);
			ASSERT_EQ(200, collect(&card, &vnet, data));
			ASSERT_EQ(0, memcmp(want, data, 200));
		}
	}
	EXPECT_EQ(0, link_of(&self->nic).stats.tx_dropped);
	close(stack);
	close(sock);
	card_stop(&card);
}

/*
 * Checksums and segments that the machine leaves to the stack, and the stack to
 * the machine
 */
FD_TEST(vhost, offloads)
{
	struct flow flow = { .mode = variant->mode, .proto = IPPROTO_TCP,
			     .partial = true };
	struct vnic_vnet vnet, seen;
	struct card card;
	int sock, stack, len;

	START(&card, &sock, &self->nic, variant->mode, V1 | MERGED);
	stack = packet_socket(self->nic.index);
	ASSERT_LE(0, stack);
	ASSERT_EQ(0, packet_vnet(stack));
	len = flow_build(&flow, want, 20000, 1);
	vnet = flow_vnet(&flow, 1000);
	transmit(&card, &vnet, want, len);
	card_kick(&card, TX);
	/* In one piece */
	ASSERT_EQ(10 + len, receive(stack, data, BIG, NULL));
	memset(&seen, 0, sizeof(seen));
	memcpy(&seen, data, 10);
	EXPECT_TRUE(vnet_same(&vnet, &seen));
	EXPECT_EQ(0, memcmp(want, data + 10, len));
	EXPECT_EQ(1, ethtool_counter("vh0", "queue_0_rx_packets"));

	/* The other way, once the machine says that it can */
	ASSERT_EQ(0, do_ioctl(sock, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4));
	flow.from_stack = true;
	len = flow_build(&flow, want, 20000, 2);
	memcpy(data, &vnet, 10);
	memcpy(data + 10, want, len);
	ASSERT_EQ(10 + len, send(stack, data, 10 + len, 0));
	ASSERT_EQ(len, collect(&card, &seen, data));
	EXPECT_TRUE(vnet_same(&vnet, &seen));
	EXPECT_EQ(0, memcmp(want, data, len));
	EXPECT_EQ(1, ethtool_counter("vh0", "queue_0_tx_packets"));

	/* A header that makes no sense costs its frame, and no other. */
	vnet.csum_start = 60000;
	transmit(&card, &vnet, want, 100);
	packet_fill(want, variant->mode, 100, 3);
	transmit(&card, &plain, want, 100);
	card_kick(&card, TX);
	ASSERT_EQ(110, receive(stack, data, BIG, NULL));
	EXPECT_EQ(0, memcmp(want, data + 10, 100));
	EXPECT_EQ(1, ethtool_counter("vh0", "rx_drop_vnet"));
	close(stack);
	close(sock);
	card_stop(&card);
}

/* A tag that is still beside the frame: vhost reckons with it, or loses the frame. */
FD_TEST(vhost, tagged_frames)
{
	static const unsigned char tag[] = { 0x81, 0x00, 0x00, 0x2a };
	struct vnic_vnet vnet;
	struct card card;
	int sock, stack, result;

	if (variant->mode == IFF_TUN)
		SKIP(return, "layer 3 has no tags");
	START(&card, &sock, &self->nic, variant->mode, V1);
	result = vlan_add(self->nic.index, "vlan", 42);
	if (result == -EOPNOTSUPP)
		SKIP(return, "no 8021q driver: modprobe 8021q");
	ASSERT_EQ(0, result);
	ASSERT_EQ(0, if_up("vlan"));
	stack = packet_socket(if_index("vlan"));
	ASSERT_LE(0, stack);
	packet_fill(want, variant->mode, 100, 1);
	ASSERT_EQ(100, send(stack, want, 100, 0));
	ASSERT_EQ(104, collect(&card, &vnet, data));
	EXPECT_EQ(0, memcmp(want, data, 12));
	EXPECT_EQ(0, memcmp(tag, data + 12, 4));
	EXPECT_EQ(0, memcmp(want + 12, data + 16, 88));
	EXPECT_FALSE(card_has_used(&card, RX));
	close(stack);
	close(sock);
	card_stop(&card);
}

/* Each queue of a device has its own vhost. */
FD_TEST(vhost, two_queues)
{
	int flags = variant->mode | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE;
	struct vring_used_elem elem;
	struct vnic_vnet vnet;
	struct card card[2];
	int sock[2], stack, i, result;
	struct nic nic[2];

	OURS_ALONE(ONLY_HERE);
	for (i = 0; i < 2; i++) {
		result = card_start(&card[i], V1);
		if (result == -ENOENT || result == -ENODEV)
			SKIP(return, "no vhost-net in this kernel");
		ASSERT_EQ(0, result);
		ASSERT_EQ(0, nic_open(&nic[i], "vh0", flags, O_NONBLOCK));
		ASSERT_EQ(0, set_number(nic[i].fd, TUNSETVNETHDRSZ, 12));
		sock[i] = do_ioctl(nic[i].fd, VNIC_IOC_SOCKET, O_NONBLOCK);
		ASSERT_LE(0, sock[i]);
		nic_close(&nic[i]);
		ASSERT_EQ(0, card_backend(&card[i], sock[i]));
		card_offer(&card[i]);
	}
	ASSERT_EQ(0, if_up("vh0"));
	stack = packet_socket(if_index("vh0"));
	ASSERT_LE(0, stack);
	for (i = 0; i < 2; i++) {
		packet_fill(want, variant->mode, 100, i);
		transmit(&card[i], &plain, want, 100);
		card_kick(&card[i], TX);
		ASSERT_EQ(100, receive(stack, data, BIG, NULL));
		EXPECT_EQ(0, memcmp(want, data, 100));
		ASSERT_EQ(0, use(&card[i], TX, &elem));
	}
	EXPECT_EQ(1, ethtool_counter("vh0", "queue_0_rx_packets"));
	EXPECT_EQ(1, ethtool_counter("vh0", "queue_1_rx_packets"));
	/* That one queue of the machine's is switched off */
	ASSERT_EQ(0, set_queue(sock[0], IFF_DETACH_QUEUE));
	ASSERT_EQ(0, send_packets(stack, variant->mode, 100, 5, 6));
	ASSERT_EQ(100, collect(&card[1], &vnet, data));
	packet_fill(want, variant->mode, 100, 5);
	EXPECT_EQ(0, memcmp(want, data, 100));
	EXPECT_FALSE(card_has_used(&card[0], RX));
	close(stack);
	for (i = 0; i < 2; i++) {
		close(sock[i]);
		card_stop(&card[i]);
	}
}

/* vhost looks by itself for a while before it goes to sleep. */
FD_TEST(vhost, busy_polling)
{
	struct vhost_vring_state rx = { RX, 2000 }, tx = { TX, 2000 };
	struct card card;
	int sock, stack, i;

	START(&card, &sock, &self->nic, variant->mode, V1);
	ASSERT_EQ(0, do_ioctl(card.vhost, VHOST_SET_VRING_BUSYLOOP_TIMEOUT,
			      &rx));
	ASSERT_EQ(0, do_ioctl(card.vhost, VHOST_SET_VRING_BUSYLOOP_TIMEOUT,
			      &tx));
	stack = packet_socket(self->nic.index);
	ASSERT_LE(0, stack);
	for (i = 0; i < 200; i++)
		ASSERT_EQ(0, there_and_back(&card, stack, variant->mode, i))
			TH_LOG("frame %d", i);
	close(stack);
	close(sock);
	card_stop(&card);
}

/*
 * File and socket are closed, vhost has them still: it works, and the module
 * stays.
 */
FD_TEST(vhost, holds_what_is_closed)
{
	struct card card;
	int sock, stack, i;

	START(&card, &sock, &self->nic, variant->mode, V1);
	nic_close(&self->nic);
	close(sock);
	stack = packet_socket(self->nic.index);
	ASSERT_LE(0, stack);
	EXPECT_EQ(-EWOULDBLOCK, neg(syscall(SYS_delete_module, "vnic",
					    O_NONBLOCK)));
	for (i = 0; i < 10; i++)
		ASSERT_EQ(0, there_and_back(&card, stack, variant->mode, i))
			TH_LOG("frame %d", i);
	close(stack);
	card_stop(&card);
	EXPECT_TRUE(WAIT_FOR(if_index("vh0") == -ENODEV));
}

/* The device goes: what the machine sends is used up, nothing hangs. */
FD_TEST(vhost, device_deleted)
{
	struct vring_used_elem elem;
	struct card card;
	int sock, i;

	START(&card, &sock, &self->nic, variant->mode, V1);
	ASSERT_EQ(0, link_delete(self->nic.index));
	for (i = 0; i < 5; i++) {
		packet_fill(want, variant->mode, 100, i);
		transmit(&card, &plain, want, 100);
	}
	card_kick(&card, TX);
	for (i = 0; i < 5; i++)
		EXPECT_EQ(0, use(&card, TX, &elem)) TH_LOG("frame %d", i);
	close(sock);
	card_stop(&card);
}

/* While packets come and go: back end away and back, device down, deleted. */
FD_TEST(vhost, changed_under_traffic)
{
	struct vring_used_elem elem;
	struct card card;
	int sock, stack, i, j, err;
	socklen_t len = sizeof(err);

	START(&card, &sock, &self->nic, variant->mode, V1);
	stack = packet_socket(self->nic.index);
	ASSERT_LE(0, stack);
	for (i = 0; i < 30; i++) {
		for (j = 0; j < 10; j++) {
			packet_fill(want, variant->mode, 100, j);
			transmit(&card, &plain, want, 100);
		}
		card_kick(&card, TX);
		ASSERT_EQ(0, send_packets(stack, variant->mode, 100, 0, 10));
		switch (i % 3) {
		case 0:
			ASSERT_EQ(0, card_backend(&card, -1));
			ASSERT_EQ(0, card_backend(&card, sock));
			break;
		case 1:
			ASSERT_EQ(0, if_down("vh0"));
			ASSERT_EQ(0, if_up("vh0"));
			/* Of which the other socket is told. */
			getsockopt(stack, SOL_SOCKET, SO_ERROR, &err, &len);
			break;
		}
		card_kick(&card, TX);
		for (j = 0; j < 10; j++)
			ASSERT_EQ(0, use(&card, TX, &elem))
				TH_LOG("%d: %d", i, j);
		for (j = 0; j < 10 && card_has_used(&card, RX); j++) {
			ASSERT_EQ(0, use(&card, RX, &elem));
			card_publish(&card, RX, elem.id);
		}
		card_kick(&card, RX);
	}
	close(stack);
	ASSERT_EQ(0, link_delete(self->nic.index));
	ASSERT_EQ(0, card_backend(&card, -1));
	close(sock);
	card_stop(&card);
}

TEST_HARNESS_MAIN
