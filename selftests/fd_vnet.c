// SPDX-License-Identifier: GPL-2.0
/*
 * Packets with a virtio header in front: what the program has left for the
 * stack to do, and the stack for the program.
 *
 *   write: | header | packet |  -->  AF_PACKET, UDP socket, or another device
 *   read:  | header | packet |  <--  AF_PACKET (PACKET_VNET_HDR), UDP socket
 */
#include "fd_flow.h"

#include <linux/if_vlan.h>
#include <netinet/udp.h>

FD_FIXTURE(vnet)

#define SMALLEST	10		/* the header at first */
#define BIG		70000
#define GSO		1000

#ifndef UDP_SEGMENT
#define UDP_SEGMENT	103
#endif

static unsigned char packet[BIG], got[BIG];
static const unsigned char zeros[BIG];

/* Attached with virtio headers of @size bytes, and up */
static int start(struct nic *nic, int mode, int size)
{
	return nic_open(nic, "vn0", mode | IFF_NO_PI | IFF_VNET_HDR,
			O_NONBLOCK) ?:
	       set_number(nic->fd, TUNSETVNETHDRSZ, size) ?: if_up("vn0");
}

/* Writes a header of @size bytes, of which @vnet is the beginning. */
static int vnet_write(int fd, const struct vnic_vnet *vnet, int size,
		      const void *data, int len)
{
	struct iovec iov[] = {
		{ (void *)vnet, size < sizeof(*vnet) ? size : sizeof(*vnet) },
		{ (void *)zeros, size < sizeof(*vnet) ? 0 :
				 size - sizeof(*vnet) },
		{ (void *)data, len },
	};

	return neg(writev(fd, iov, 3));
}

/* Splits what is read; the length of the packet, or -errno. */
static int vnet_read(int fd, struct vnic_vnet *vnet, int size, void *data)
{
	static unsigned char rest[BIG];
	struct iovec iov[] = {
		{ vnet, size < sizeof(*vnet) ? size : sizeof(*vnet) },
		{ rest, size < sizeof(*vnet) ? 0 : size - sizeof(*vnet) },
		{ data, BIG },
	};
	int len;

	memset(vnet, 0, sizeof(*vnet));
	if (!(poll_wait(fd, POLLIN) & POLLIN))
		return -ETIMEDOUT;
	len = neg(readv(fd, iov, 3));
	return len < 0 ? len : len - size;
}

/* AF_PACKET with PACKET_VNET_HDR: a header of ten bytes */
static int packet_send(int sock, const struct vnic_vnet *vnet,
		       const void *data, int len)
{
	struct iovec iov[] = { { (void *)vnet, 10 }, { (void *)data, len } };
	int result = neg(writev(sock, iov, 2));

	return result < 0 ? result : result - 10;
}

static int packet_receive(int sock, struct vnic_vnet *vnet, void *data)
{
	int len = receive(sock, data, BIG, NULL);

	memset(vnet, 0, sizeof(*vnet));
	if (len < 10)
		return len;
	memcpy(vnet, data, 10);
	memmove(data, data + 10, len - 10);
	return len - 10;
}

static bool offers_uso(int fd)
{
	bool can = !do_ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_USO4 |
						TUN_F_USO6);

	do_ioctl(fd, TUNSETOFFLOAD, 0);
	return can;
}

FD_TEST(vnet, size_of_the_header)
{
	static const int good[] = { 10, 11, 12, 20, 24, 1000 };
	static const int bad[] = { 9, 1, 0, -1, INT32_MIN };
	unsigned int i;
	int fd;

	fd = device_open(0);
	self->nic.fd = fd;
	EXPECT_EQ(-EBADFD, set_number(fd, TUNSETVNETHDRSZ, 12));
	EXPECT_EQ(-EBADFD, get_number(fd, TUNGETVNETHDRSZ));
	ASSERT_EQ(0, nic_attach(&self->nic, fd, "vn0",
				variant->mode | IFF_VNET_HDR));
	EXPECT_EQ(SMALLEST, get_number(fd, TUNGETVNETHDRSZ));
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		EXPECT_EQ(0, set_number(fd, TUNSETVNETHDRSZ, good[i]));
		EXPECT_EQ(good[i], get_number(fd, TUNGETVNETHDRSZ));
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-EINVAL, set_number(fd, TUNSETVNETHDRSZ, bad[i]));
	}
	EXPECT_EQ(1000, get_number(fd, TUNGETVNETHDRSZ));
	EXPECT_EQ(-EFAULT, do_ioctl(fd, TUNSETVNETHDRSZ, NULL));
	EXPECT_EQ(-EFAULT, do_ioctl(fd, TUNGETVNETHDRSZ, NULL));
}

/* Not only programs with IFF_VNET_HDR ask: QEMU always does. */
FD_TEST(vnet, size_without_headers)
{
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	EXPECT_EQ(SMALLEST, get_number(self->nic.fd, TUNGETVNETHDRSZ));
	EXPECT_EQ(0, set_number(self->nic.fd, TUNSETVNETHDRSZ, 12));
	packet_fill(packet, variant->mode, 100, 1);
	EXPECT_EQ(100, neg(write(self->nic.fd, packet, 100)));
	EXPECT_EQ(1, link_of(&self->nic).stats.rx_packets);
}

FD_TEST(vnet, byte_order)
{
	struct flow flow = { .mode = variant->mode, .proto = IPPROTO_UDP,
			     .partial = true };
	struct vnic_vnet vnet = flow_vnet(&flow, 0);
	int len = flow_build(&flow, packet, 100, 1), fd;

	fd = device_open(0);
	self->nic.fd = fd;
	EXPECT_EQ(-EBADFD, set_number(fd, TUNSETVNETLE, 1));
	EXPECT_EQ(-EBADFD, get_number(fd, TUNGETVNETLE));
	EXPECT_EQ(-EBADFD, set_number(fd, TUNSETVNETBE, 1));
	EXPECT_EQ(-EBADFD, get_number(fd, TUNGETVNETBE));
	nic_close(&self->nic);
	ASSERT_EQ(0, start(&self->nic, variant->mode, 10));
	fd = self->nic.fd;
	EXPECT_EQ(0, get_number(fd, TUNGETVNETLE));
	EXPECT_EQ(0, set_number(fd, TUNSETVNETLE, 7));
	EXPECT_EQ(1, get_number(fd, TUNGETVNETLE));
	EXPECT_EQ(len + 10, vnet_write(fd, &vnet, 10, packet, len));
	EXPECT_EQ(0, set_number(fd, TUNSETVNETLE, 0));
	EXPECT_EQ(0, get_number(fd, TUNGETVNETLE));
	EXPECT_EQ(-EFAULT, do_ioctl(fd, TUNSETVNETLE, NULL));
	EXPECT_EQ(-EFAULT, do_ioctl(fd, TUNGETVNETLE, NULL));
	EXPECT_EQ(len + 10, vnet_write(fd, &vnet, 10, packet, len));
	EXPECT_EQ(2, link_of(&self->nic).stats.rx_packets);

	/* Off in the kernels of most distributions (TUN_VNET_CROSS_LE) */
	if (get_number(fd, TUNGETVNETBE) == -EINVAL) {
		EXPECT_EQ(-EINVAL, set_number(fd, TUNSETVNETBE, 1));
		EXPECT_EQ(-EINVAL, set_number(fd, TUNSETVNETBE, 0));
		return;
	}
	EXPECT_EQ(0, set_number(fd, TUNSETVNETBE, 1));
	EXPECT_EQ(1, get_number(fd, TUNGETVNETBE));
	/* Read the other way round the offsets are outside of the packet. */
	EXPECT_EQ(-EINVAL, vnet_write(fd, &vnet, 10, packet, len));
	vnet.csum_start = htons(vnet.csum_start);
	vnet.csum_offset = htons(vnet.csum_offset);
	EXPECT_EQ(len + 10, vnet_write(fd, &vnet, 10, packet, len));
	/* Little end first wins. */
	EXPECT_EQ(0, set_number(fd, TUNSETVNETLE, 1));
	EXPECT_EQ(-EINVAL, vnet_write(fd, &vnet, 10, packet, len));
}

/* Every size of header, with nothing in it */
FD_TEST(vnet, nothing_to_do)
{
	static const int sizes[] = { 10, 12, 20, 24, 1000 };
	struct vnic_vnet none = {};
	struct link link;
	int sock, size;
	unsigned int i;

	ASSERT_EQ(0, start(&self->nic, variant->mode, 10));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		size = sizes[i];
		ASSERT_EQ(0, set_number(self->nic.fd, TUNSETVNETHDRSZ, size));
		packet_fill(packet, variant->mode, 100, i);
		ASSERT_EQ(size + 100, vnet_write(self->nic.fd, &none, size,
						 packet, 100));
		ASSERT_EQ(100, receive(sock, got, BIG, NULL));
		EXPECT_EQ(0, memcmp(packet, got, 100));

		memset(got, 0xee, BIG);
		ASSERT_EQ(0, send_packets(sock, variant->mode, 100, i, i + 1));
		ASSERT_EQ(size + 100, read_packet(self->nic.fd, got, BIG));
		EXPECT_EQ(0, memcmp(got, zeros, 10));
		EXPECT_EQ(0, memcmp(packet, got + size, 100));
		EXPECT_EQ(0xee, got[size + 100]);
		/* In-tree tun before 7.x leaves what is above ten as it was. */
		if (!in_tree()) {
			EXPECT_EQ(0, memcmp(got, zeros, size));
		}
	}
	/* The header is not of the packet. */
	link = link_of(&self->nic);
	EXPECT_EQ(i * 100, link.stats.rx_bytes);
	EXPECT_EQ(i * 100, link.stats.tx_bytes);
	close(sock);
}

FD_TEST(vnet, with_packet_information)
{
	struct tun_pi *pi = (void *)got;
	int sock;

	ASSERT_EQ(0, nic_open(&self->nic, "vn0", variant->mode | IFF_VNET_HDR,
			      O_NONBLOCK));
	ASSERT_EQ(0, if_up("vn0"));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	/* First the information, then the header */
	memset(packet, 0, 14);
	put16(packet + 2, variant->mode == IFF_TUN ? ETH_P_IP : 0);
	packet_fill(packet + 14, variant->mode, 100, 1);
	ASSERT_EQ(114, neg(write(self->nic.fd, packet, 114)));
	ASSERT_EQ(100, receive(sock, got, BIG, NULL));
	EXPECT_EQ(0, memcmp(packet + 14, got, 100));
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 1, 3));
	ASSERT_EQ(114, read_packet(self->nic.fd, got, BIG));
	EXPECT_EQ(0, pi->flags);
	EXPECT_EQ(0, memcmp(got + 4, zeros, 10));
	EXPECT_EQ(0, memcmp(packet + 14, got + 14, 100));
	EXPECT_EQ(113, read_packet(self->nic.fd, got, 113));
	EXPECT_EQ(TUN_PKT_STRIP, pi->flags);
	close(sock);
}

FD_TEST(vnet, too_short_to_write)
{
	struct link link;
	int size, most = 20 + (variant->header ?: 1), sock;

	ASSERT_EQ(0, start(&self->nic, variant->mode, 20));
	/* A packet that nobody takes would count as dropped as well. */
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	memset(packet, 0, 20);
	packet_fill(packet + 20, variant->mode, 100, 1);
	for (size = 0; size < most; size++) {
		EXPECT_EQ(-EINVAL, neg(write(self->nic.fd, packet, size)))
			TH_LOG("size %d", size);
	}
	EXPECT_EQ(most, neg(write(self->nic.fd, packet, most)));
	link = link_of(&self->nic);
	EXPECT_EQ(1, link.stats.rx_packets);
	/* In-tree tun counts some, by where in its code it finds out. */
	if (!in_tree()) {
		EXPECT_EQ(most, link.stats.rx_dropped);
	}
	close(sock);
}

FD_TEST(vnet, too_short_to_read)
{
	int sock;

	ASSERT_EQ(0, start(&self->nic, variant->mode, 12));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 1, 4));
	packet_fill(packet, variant->mode, 100, 2);
	/* Without room for the header there is no packet, and it is gone. */
	EXPECT_EQ(-EINVAL, read_packet(self->nic.fd, got, 11));
	memset(got, 0xee, 100);
	EXPECT_EQ(32, read_packet(self->nic.fd, got, 32));
	EXPECT_EQ(0, memcmp(packet, got + 12, 20));
	EXPECT_EQ(0xee, got[32]);
	EXPECT_EQ(12, read_packet(self->nic.fd, got, 12));
	EXPECT_EQ(-EAGAIN, neg(read(self->nic.fd, got, BIG)));
	close(sock);
}

FD_TEST(vnet, bad_memory)
{
	int page = sysconf(_SC_PAGESIZE), sock;
	unsigned char *hole = mmap(NULL, page, PROT_NONE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iovec iov[] = { { hole, 10 }, { packet, 100 } };

	ASSERT_EQ(0, start(&self->nic, variant->mode, 10));
	packet_fill(packet, variant->mode, 100, 1);
	EXPECT_EQ(-EFAULT, neg(writev(self->nic.fd, iov, 2)));
	iov[0].iov_base = (void *)zeros;
	iov[1].iov_base = hole;
	EXPECT_EQ(-EFAULT, neg(writev(self->nic.fd, iov, 2)));
	EXPECT_EQ(0, link_of(&self->nic).stats.rx_packets);
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 1, 4));
	ASSERT_EQ(POLLIN, poll_wait(self->nic.fd, POLLIN));
	iov[0].iov_base = hole;
	iov[1].iov_base = got;
	EXPECT_EQ(-EFAULT, neg(readv(self->nic.fd, iov, 2)));
	iov[0].iov_base = got + 100;
	iov[1].iov_base = hole;
	/* In-tree tun tells the length of what nobody has got. */
	EXPECT_EQ(in_tree() ? 110 : -EFAULT, neg(readv(self->nic.fd, iov, 2)));
	EXPECT_EQ(110, read_packet(self->nic.fd, got, BIG));
	close(sock);
}

/* Does a UDP socket get what the program left unsummed? 0 or -errno */
static int checksum_in(const struct nic *nic, int mode, int family, int size)
{
	struct flow flow = { .mode = mode, .proto = IPPROTO_UDP,
			     .family = family, .partial = true };
	struct vnic_vnet vnet = flow_vnet(&flow, 0), none = {};
	int sock = stack_udp(family, PORT), len, result = 0;

	if (sock < 0)
		return sock;
	if (mode == IFF_TAP)
		nic_mac(nic, flow.mac);
	len = flow_build(&flow, packet, 333, 1);
	/* Without the header's help the sum is wrong, and nobody gets it. */
	if (vnet_write(nic->fd, &none, size, packet, len) != size + len ||
	    vnet_write(nic->fd, &vnet, size, packet, len) != size + len)
		result = -EIO;
	else if (neg(recv(sock, got, BIG, 0)) != 333 ||
		 memcmp(got, packet + len - 333, 333))
		result = -EILSEQ;
	else if (neg(recv(sock, got, BIG, MSG_DONTWAIT)) != -EAGAIN)
		result = -EEXIST;
	close(sock);
	return result;
}

FD_TEST(vnet, checksum_left_to_the_stack)
{
	static const int sizes[] = { 10, 12, 24 };
	unsigned int i;

	ASSERT_EQ(0, start(&self->nic, variant->mode, 10));
	ASSERT_EQ(0, stack_start(&self->nic, variant->mode));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		ASSERT_EQ(0, set_number(self->nic.fd, TUNSETVNETHDRSZ,
					sizes[i]));
		EXPECT_EQ(0, checksum_in(&self->nic, variant->mode, AF_INET,
					 sizes[i]));
	}
	if (stack_start6(&self->nic))
		SKIP(return, "no IPv6 in this kernel");
	EXPECT_EQ(0, checksum_in(&self->nic, variant->mode, AF_INET6, 24));
}

/* A claim that the sum is right is no reason to believe it. */
FD_TEST(vnet, checksum_said_to_be_right)
{
	struct flow flow = { .mode = variant->mode, .proto = IPPROTO_UDP };
	struct vnic_vnet vnet = { .flags = VIRTIO_NET_HDR_F_DATA_VALID };
	int sock, len;

	ASSERT_EQ(0, start(&self->nic, variant->mode, 10));
	ASSERT_EQ(0, stack_start(&self->nic, variant->mode));
	sock = stack_udp(AF_INET, PORT);
	if (variant->mode == IFF_TAP)
		nic_mac(&self->nic, flow.mac);
	len = flow_build(&flow, packet, 100, 1);
	packet[len - 1] ^= 1;
	EXPECT_EQ(len + 10, vnet_write(self->nic.fd, &vnet, 10, packet, len));
	packet[len - 1] ^= 1;
	EXPECT_EQ(len + 10, vnet_write(self->nic.fd, &vnet, 10, packet, len));
	EXPECT_EQ(100, neg(recv(sock, got, BIG, 0)));
	EXPECT_EQ(-EAGAIN, neg(recv(sock, got, BIG, MSG_DONTWAIT)));
	close(sock);
}

/*
 * A second device, behind which the stack finds REMOTE of the flow: what is
 * written to the first one is forwarded, and has to leave whole.
 */
static int forward_to(struct nic *nic, int mode)
{
	int result = nic_open(nic, "out0", mode | IFF_NO_PI, O_NONBLOCK) ?:
		     if_up("out0") ?: if_address("out0", "10.10.0.1") ?:
		     write_file("/proc/sys/net/ipv4/ip_forward", "1");

	if (!result && mode == IFF_TAP)
		result = neighbour("out0", "10.10.0.2");
	return result;
}

/* Makes a packet one for the second device, to which REMOTE is unknown. */
static void send_on(unsigned char *ip, int len, bool partial)
{
	int l4 = ip[9] == IPPROTO_TCP ? 16 : 6;

	inet_pton(AF_INET, "10.10.0.2", ip + 16);
	put16(ip + 10, 0);
	put16(ip + 10, checksum(ip, 20, 0));
	if (!partial)
		put16(ip + 20 + l4, 0);
	put16(ip + 20 + l4, partial ? pseudo_sum(ip, len - 20) :
				      checksum(ip + 20, len - 20,
					       pseudo_sum(ip, len - 20)));
}

FD_TEST(vnet, checksum_is_there_when_it_leaves)
{
	struct flow flow = { .mode = variant->mode, .partial = true };
	static const int protos[] = { IPPROTO_UDP, IPPROTO_TCP };
	int header = variant->header, len;
	struct vnic_vnet vnet;
	struct nic out;
	unsigned int i;

	ASSERT_EQ(0, start(&self->nic, variant->mode, 10));
	ASSERT_EQ(0, stack_start(&self->nic, variant->mode));
	ASSERT_EQ(0, forward_to(&out, variant->mode));
	if (variant->mode == IFF_TAP)
		nic_mac(&self->nic, flow.mac);
	for (i = 0; i < ARRAY_SIZE(protos); i++) {
		flow.proto = protos[i];
		vnet = flow_vnet(&flow, 0);
		len = flow_build(&flow, packet, 501, i);
		send_on(packet + header, len - header, true);
		EXPECT_FALSE(sums_right(packet + header, len - header));
		ASSERT_EQ(len + 10, vnet_write(self->nic.fd, &vnet, 10, packet,
					       len));
		ASSERT_EQ(len, read_packet(out.fd, got, BIG));
		EXPECT_TRUE(sums_right(got + header, len - header));
		EXPECT_EQ(0, memcmp(got + len - 501, packet + len - 501, 501));
	}
	nic_close(&out);
}

/* The other way: the program has asked to do the sums itself. */
FD_TEST(vnet, checksum_left_to_the_program)
{
	struct flow flow = { .mode = variant->mode, .proto = IPPROTO_UDP };
	int header = variant->header, sock, len;
	struct vnic_vnet want = flow_vnet(&flow, 0), vnet;
	unsigned char *ip = got + header;

	ASSERT_EQ(0, start(&self->nic, variant->mode, 12));
	ASSERT_EQ(0, stack_start(&self->nic, variant->mode));
	sock = stack_udp(AF_INET, PORT);
	ASSERT_LE(0, sock);
	packet_fill(packet, IFF_TUN, 301, 3);
	ASSERT_EQ(301, stack_send(sock, packet, 301, PORT));
	len = vnet_read(self->nic.fd, &vnet, 12, got);
	ASSERT_EQ(header + 28 + 301, len);
	EXPECT_EQ(0, memcmp(&vnet, zeros, sizeof(vnet)));
	EXPECT_TRUE(sums_right(ip, len - header));

	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETOFFLOAD, TUN_F_CSUM));
	ASSERT_EQ(301, stack_send(sock, packet, 301, PORT));
	ASSERT_EQ(len, vnet_read(self->nic.fd, &vnet, 12, got));
	EXPECT_TRUE(vnet_same(&want, &vnet));
	EXPECT_EQ(0, vnet.hdr_len);
	EXPECT_FALSE(sums_right(ip, len - header));
	EXPECT_EQ(pseudo_sum(ip, len - header - 20), get16(ip + 26));
	put16(ip + 26, checksum(ip + 20, len - header - 20, 0));
	EXPECT_TRUE(sums_right(ip, len - header));
	EXPECT_EQ(0, memcmp(packet, ip + 28, 301));

	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETOFFLOAD, 0));
	ASSERT_EQ(301, stack_send(sock, packet, 301, PORT));
	ASSERT_EQ(len, vnet_read(self->nic.fd, &vnet, 12, got));
	EXPECT_EQ(0, memcmp(&vnet, zeros, sizeof(vnet)));
	EXPECT_TRUE(sums_right(ip, len - header));
	close(sock);
}

/* What one frame is made of, and what the program is told of it */
static const struct {
	int family, proto;
	unsigned int offload;
	const char *name;
} kinds[] = {
	{ AF_INET, IPPROTO_TCP, TUN_F_TSO4, "TCP over IPv4" },
	{ AF_INET6, IPPROTO_TCP, TUN_F_TSO6, "TCP over IPv6" },
	{ AF_INET, IPPROTO_UDP, TUN_F_USO4 | TUN_F_USO6, "UDP over IPv4" },
	{ AF_INET6, IPPROTO_UDP, TUN_F_USO4 | TUN_F_USO6, "UDP over IPv6" },
};

/* One large packet is one packet to the stack, and known to be large. */
FD_TEST(vnet, large_one_to_the_stack)
{
	struct flow flow = { .mode = variant->mode, .partial = true };
	int sock, plain, len, payload, result;
	struct vnic_vnet vnet, seen;
	unsigned int i;
	bool uso;

	ASSERT_EQ(0, start(&self->nic, variant->mode, 12));
	plain = packet_socket(self->nic.index);
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, packet_vnet(sock));
	uso = offers_uso(self->nic.fd);
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		flow.family = kinds[i].family;
		flow.proto = kinds[i].proto;
		if (flow.proto == IPPROTO_UDP && !uso)
			continue;
		vnet = flow_vnet(&flow, GSO);
		for (payload = 1001; payload < 65000; payload += 21333) {
			len = flow_build(&flow, packet, payload, i);
			ASSERT_EQ(12 + len, vnet_write(self->nic.fd, &vnet, 12,
						       packet, len))
				TH_LOG("%s, %d bytes", kinds[i].name, payload);
			ASSERT_EQ(len, receive(plain, got, BIG, NULL));
			EXPECT_EQ(0, memcmp(packet, got, len));
			result = packet_receive(sock, &seen, got);
			/* Old kernels have no way to say so of UDP. */
			if (flow.proto == IPPROTO_UDP && result == -EINVAL)
				continue;
			ASSERT_EQ(len, result);
			EXPECT_TRUE(vnet_same(&vnet, &seen))
				TH_LOG("%s, %d bytes", kinds[i].name, payload);
		}
		/* No more than a segment: an ordinary packet */
		len = flow_build(&flow, packet, GSO, i);
		ASSERT_EQ(12 + len, vnet_write(self->nic.fd, &vnet, 12, packet,
					       len));
		ASSERT_EQ(len, receive(plain, got, BIG, NULL));
		ASSERT_EQ(len, packet_receive(sock, &seen, got));
		EXPECT_EQ(0, seen.gso_type);
		EXPECT_EQ(vnet.csum_start, seen.csum_start);
	}
	close(plain);
	close(sock);
}

/* Segmented where it leaves by a device that cannot take it whole */
FD_TEST(vnet, large_one_is_cut_where_it_leaves)
{
	struct flow flow = { .mode = variant->mode, .proto = IPPROTO_TCP,
			     .partial = true, .push = true };
	int header = variant->header, len, i, size;
	struct vnic_vnet vnet = flow_vnet(&flow, GSO);
	struct nic out;
	bool summed;

	ASSERT_EQ(0, start(&self->nic, variant->mode, 10));
	ASSERT_EQ(0, stack_start(&self->nic, variant->mode));
	ASSERT_EQ(0, forward_to(&out, variant->mode));
	if (variant->mode == IFF_TAP)
		nic_mac(&self->nic, flow.mac);
	/* With and without the sum: of TCP both are let in. */
	for (summed = false; ; summed = true) {
		flow.partial = !summed;
		if (summed)
			vnet = (struct vnic_vnet) {
				.gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
				.gso_size = GSO, .hdr_len = header + 40,
			};
		len = flow_build(&flow, packet, 3500, 5);
		send_on(packet + header, len - header, flow.partial);
		ASSERT_EQ(len + 10, vnet_write(self->nic.fd, &vnet, 10, packet,
					       len));
		for (i = 0; i < 4; i++) {
			unsigned char *p = got + header;

			size = i < 3 ? GSO : 500;
			ASSERT_EQ(header + 40 + size,
				  read_packet(out.fd, got, BIG));
			EXPECT_TRUE(sums_right(p, 40 + size));
			EXPECT_EQ(GSO * i, get16(p + 26));
			EXPECT_EQ(0, memcmp(packet + header + 40 + GSO * i,
					    p + 40, size));
			/* PSH is for the last. */
			EXPECT_EQ(i < 3 ? TCP_ACK : TCP_ACK | TCP_PUSH, p[33]);
		}
		EXPECT_EQ(-EAGAIN, neg(read(out.fd, got, BIG)));
		if (summed)
			break;
	}
	nic_close(&out);
}

/* A UDP socket gets the datagrams of which a large one is made. */
FD_TEST(vnet, large_one_to_a_udp_socket)
{
	struct flow flow = { .mode = variant->mode, .proto = IPPROTO_UDP,
			     .partial = true };
	int header = variant->header, sock, len, i, size;
	struct vnic_vnet vnet = flow_vnet(&flow, GSO);

	ASSERT_EQ(0, start(&self->nic, variant->mode, 10));
	if (!offers_uso(self->nic.fd))
		SKIP(return, "in-tree tun of this kernel has no USO");
	ASSERT_EQ(0, stack_start(&self->nic, variant->mode));
	sock = stack_udp(AF_INET, PORT);
	ASSERT_LE(0, sock);
	if (variant->mode == IFF_TAP)
		nic_mac(&self->nic, flow.mac);
	len = flow_build(&flow, packet, 7300, 5);
	ASSERT_EQ(len + 10, vnet_write(self->nic.fd, &vnet, 10, packet, len));
	for (i = 0; i < 8; i++) {
		size = i < 7 ? GSO : 300;
		ASSERT_EQ(size, neg(recv(sock, got, BIG, 0)));
		EXPECT_EQ(0, memcmp(packet + header + 28 + GSO * i, got, size));
	}
	EXPECT_EQ(-EAGAIN, neg(recv(sock, got, BIG, MSG_DONTWAIT)));
	close(sock);
}

/*
 * The stack has a large packet to send. Asked for, it comes whole, with a
 * header that says what is to be done; otherwise cut up and summed up.
 */
FD_TEST(vnet, large_one_to_the_program)
{
	struct flow flow = { .mode = variant->mode, .from_stack = true,
			     .partial = true };
	int sock, len, i, header = variant->header, hl;
	struct vnic_vnet vnet, seen;
	int n;

	ASSERT_EQ(0, start(&self->nic, variant->mode, 12));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, packet_vnet(sock));
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		flow.family = kinds[i].family;
		flow.proto = kinds[i].proto;
		/* 6.1 does not let AF_PACKET send these; a socket does, below. */
		if (flow.proto == IPPROTO_UDP)
			continue;
		vnet = flow_vnet(&flow, GSO);
		hl = flow_headers(&flow);
		len = flow_build(&flow, packet, 5500, i);
		ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETOFFLOAD,
				      TUN_F_CSUM | kinds[i].offload));
		ASSERT_EQ(len, packet_send(sock, &vnet, packet, len));
		ASSERT_EQ(len, vnet_read(self->nic.fd, &seen, 12, got))
			TH_LOG("%s", kinds[i].name);
		EXPECT_TRUE(vnet_same(&vnet, &seen))
			TH_LOG("%s", kinds[i].name);
		/* At least all headers, so that they can be looked at. */
		EXPECT_LE(hl, seen.hdr_len);
		EXPECT_GE(len, seen.hdr_len);
		EXPECT_EQ(0, memcmp(packet, got, len));

		/* Sums alone */
		ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETOFFLOAD, TUN_F_CSUM));
		ASSERT_EQ(len, packet_send(sock, &vnet, packet, len));
		for (n = 0; n < 6; n++) {
			int size = n < 5 ? GSO : 500;

			ASSERT_EQ(hl + size, vnet_read(self->nic.fd, &seen, 12,
						       got));
			EXPECT_EQ(0, seen.gso_type);
			/* The stack may have summed up while it cut. */
			if (!(seen.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)) {
				EXPECT_TRUE(sums_right(got + header,
						       hl + size - header));
			}
		}

		ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETOFFLOAD, 0));
		ASSERT_EQ(len, packet_send(sock, &vnet, packet, len));
		for (n = 0; n < 6; n++) {
			int size = n < 5 ? GSO : 500;

			ASSERT_EQ(hl + size, vnet_read(self->nic.fd, &seen, 12,
						       got));
			EXPECT_EQ(0, memcmp(&seen, zeros, 12));
			EXPECT_TRUE(sums_right(got + header,
					       hl + size - header));
		}
	}
	close(sock);
}

FD_TEST(vnet, large_one_from_a_udp_socket)
{
	struct flow flow = { .mode = variant->mode, .proto = IPPROTO_UDP };
	struct vnic_vnet want = flow_vnet(&flow, GSO), vnet;
	int header = variant->header, sock, gso = GSO, n, size;

	ASSERT_EQ(0, start(&self->nic, variant->mode, 12));
	if (!offers_uso(self->nic.fd))
		SKIP(return, "in-tree tun of this kernel has no USO");
	ASSERT_EQ(0, stack_start(&self->nic, variant->mode));
	sock = stack_udp(AF_INET, PORT);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, setsockopt(sock, SOL_UDP, UDP_SEGMENT, &gso, sizeof(gso)));
	packet_fill(packet, IFF_TUN, 4200, 3);
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETOFFLOAD,
			      TUN_F_CSUM | TUN_F_USO4 | TUN_F_USO6));
	ASSERT_EQ(4200, stack_send(sock, packet, 4200, PORT));
	ASSERT_EQ(header + 28 + 4200, vnet_read(self->nic.fd, &vnet, 12, got));
	EXPECT_TRUE(vnet_same(&want, &vnet));
	EXPECT_EQ(0, memcmp(packet, got + header + 28, 4200));

	/* Old kernels refuse to segment UDP if they have to sum it up, too. */
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETOFFLOAD, TUN_F_CSUM));
	ASSERT_EQ(4200, stack_send(sock, packet, 4200, PORT));
	for (n = 0; n < 5; n++) {
		size = n < 4 ? GSO : 200;
		ASSERT_EQ(header + 28 + size,
			  vnet_read(self->nic.fd, &vnet, 12, got));
		EXPECT_EQ(0, vnet.gso_type);
		if (!(vnet.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)) {
			EXPECT_TRUE(sums_right(got + header, 28 + size));
		}
		EXPECT_EQ(0, memcmp(packet + GSO * n, got + header + 28, size));
	}
	close(sock);
}

/* A file without headers could not be told: it gets segments, whatever. */
FD_TEST(vnet, large_one_to_a_file_without_headers)
{
	struct flow flow = { .mode = variant->mode, .proto = IPPROTO_TCP,
			     .from_stack = true, .partial = true };
	struct vnic_vnet vnet = flow_vnet(&flow, GSO);
	int header = variant->header, sock, len, n, size;

	OURS_ALONE("gives large ones to whoever has asked for offloads");
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETOFFLOAD,
			      TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, packet_vnet(sock));
	len = flow_build(&flow, packet, 3500, 1);
	ASSERT_EQ(len, packet_send(sock, &vnet, packet, len));
	for (n = 0; n < 4; n++) {
		size = n < 3 ? GSO : 500;
		ASSERT_EQ(header + 40 + size,
			  read_packet(self->nic.fd, got, BIG));
		EXPECT_TRUE(sums_right(got + header, 40 + size));
	}
	/* Nor a small one of which the sum is missing */
	vnet = flow_vnet(&flow, 0);
	len = flow_build(&flow, packet, 100, 1);
	ASSERT_EQ(len, packet_send(sock, &vnet, packet, len));
	ASSERT_EQ(len, read_packet(self->nic.fd, got, BIG));
	EXPECT_TRUE(sums_right(got + header, len - header));
	close(sock);
}

/*
 * Reads what comes to any of @count files, whose headers have @sizes bytes, in
 * all @total bytes of TCP payload: how many packets it was, or -errno.
 */
static int read_any(const struct nic *nics, const int *sizes, int count,
		    const struct flow *flow, int total)
{
	int i, len, packets = 0, headers = flow_headers(flow);

	for (; total > 0; packets++) {
		struct pollfd polls[3];

		for (i = 0; i < count; i++)
			polls[i] = (struct pollfd) { nics[i].fd, POLLIN };
		if (poll(polls, count, FD_PATIENCE) <= 0)
			return -ETIMEDOUT;
		for (i = 0; !(polls[i].revents & POLLIN); i++)
			;
		len = neg(read(nics[i].fd, got, BIG)) - sizes[i];
		if (len <= headers)
			return -EIO;
		total -= len - headers;
		/* A segment has its sums. */
		if (len <= headers + GSO &&
		    !sums_right(got + sizes[i] + flow_l3(flow),
				len - flow_l3(flow)))
			return -EILSEQ;
	}
	return total ? -EMSGSIZE : packets;
}

/*
 * Files of one device that speak differently, each its own way. While there is
 * one without a header large packets are for none of them: which file a packet
 * is for the stack decides after it has cut it.
 */
FD_TEST(vnet, each_file_its_own_headers)
{
	const int flags = variant->mode | IFF_MULTI_QUEUE;
	struct flow flow = { .mode = variant->mode, .proto = IPPROTO_TCP,
			     .from_stack = true, .partial = true };
	struct vnic_vnet vnet = flow_vnet(&flow, GSO);
	static const int sizes[] = { 10, 24, 0 };
	struct nic nics[3];
	int sock, i, len;

	OURS_ALONE("the last file's framing is everybody's");
	ASSERT_EQ(0, nic_open(&nics[0], "vn0", flags | IFF_NO_PI |
			      IFF_VNET_HDR, O_NONBLOCK));
	self->nic = nics[0];
	ASSERT_EQ(0, nic_open(&nics[1], "vn0", flags | IFF_VNET_HDR,
			      O_NONBLOCK));
	ASSERT_EQ(0, nic_open(&nics[2], "vn0", flags | IFF_NO_PI, O_NONBLOCK));
	ASSERT_EQ(0, set_number(nics[1].fd, TUNSETVNETHDRSZ, 20));
	EXPECT_EQ(10, get_number(nics[0].fd, TUNGETVNETHDRSZ));
	EXPECT_EQ(flags | IFF_NO_PI | IFF_VNET_HDR,
		  get_iff(nics[0].fd, NULL));
	/* With IFF_NOFILTER, which is the bit of IFF_NO_PI */
	EXPECT_EQ(flags | IFF_NOFILTER | IFF_VNET_HDR,
		  get_iff(nics[1].fd, NULL));
	EXPECT_EQ(flags | IFF_NO_PI, get_iff(nics[2].fd, NULL));
	ASSERT_EQ(0, if_up("vn0"));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);

	/* In */
	memset(packet, 0, 24);
	packet_fill(packet + 24, variant->mode, 100, 1);
	for (i = 0; i < 3; i++) {
		if (i == 1 && variant->mode == IFF_TUN)
			put16(packet + 2, ETH_P_IP);
		EXPECT_EQ(sizes[i] + 100,
			  neg(write(nics[i].fd, packet + 24 - sizes[i],
				    sizes[i] + 100)));
		EXPECT_EQ(100, receive(sock, got, BIG, NULL));
		EXPECT_EQ(0, memcmp(packet + 24, got, 100));
	}

	/* Out: segments, wherever they come */
	ASSERT_EQ(0, packet_vnet(sock));
	ASSERT_EQ(0, do_ioctl(nics[2].fd, TUNSETOFFLOAD,
			      TUN_F_CSUM | TUN_F_TSO4));
	for (i = 0; i < 24; i++) {
		flow.to = 1000 + i;
		len = flow_build(&flow, packet, 2500, i);
		ASSERT_EQ(len, packet_send(sock, &vnet, packet, len));
		EXPECT_EQ(3, read_any(nics, sizes, 3, &flow, 2500));
	}
	/* Without the one that cannot be told: whole */
	nic_close(&nics[2]);
	for (i = 0; i < 24; i++) {
		flow.to = 1000 + i;
		len = flow_build(&flow, packet, 2500, i);
		ASSERT_EQ(len, packet_send(sock, &vnet, packet, len));
		EXPECT_EQ(1, read_any(nics, sizes, 2, &flow, 2500));
	}
	/* Another one comes. */
	ASSERT_EQ(0, nic_open(&nics[2], "vn0", flags | IFF_NO_PI, O_NONBLOCK));
	ASSERT_EQ(len, packet_send(sock, &vnet, packet, len));
	EXPECT_EQ(3, read_any(nics, sizes, 3, &flow, 2500));
	nic_close(&nics[1]);
	nic_close(&nics[2]);
	close(sock);
}

/* Programs that come one after the other: each begins anew. */
FD_TEST(vnet, next_program_speaks_its_own)
{
	const int before = variant->mode | IFF_NO_PI | IFF_VNET_HDR;
	struct link link;

	OURS_ALONE("a program's framing is left to the next");
	ASSERT_EQ(0, see_sysfs());
	ASSERT_EQ(0, start(&self->nic, variant->mode, 12));
	ASSERT_EQ(0, set_number(self->nic.fd, TUNSETVNETLE, 1));
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETOFFLOAD,
			      TUN_F_CSUM | TUN_F_TSO4));
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETPERSIST, 1));
	nic_close(&self->nic);

	ASSERT_EQ(0, nic_open(&self->nic, "vn0", variant->mode, O_NONBLOCK));
	EXPECT_EQ(variant->mode | IFF_NOFILTER | IFF_PERSIST,
		  get_iff(self->nic.fd, NULL));
	EXPECT_EQ(10, get_number(self->nic.fd, TUNGETVNETHDRSZ));
	EXPECT_EQ(0, get_number(self->nic.fd, TUNGETVNETLE));
	packet_fill(packet + 4, variant->mode, 100, 1);
	memset(packet, 0, 4);
	EXPECT_EQ(104, neg(write(self->nic.fd, packet, 104)));
	/* What is said of the device is how it was made. */
	EXPECT_EQ(before | IFF_PERSIST, sysfs_number("vn0", "tun_flags"));
	link = link_of(&self->nic);
	EXPECT_EQ(1, link.data[VNIC_TUN_VNET_HDR]);
	EXPECT_EQ(0, link.data[VNIC_TUN_PI]);
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETPERSIST, 0));
}

/* TUNSETOFFLOAD as this kernel has it: which bits may go together */
static bool offload_valid(unsigned int bits, bool uso, bool tunnel)
{
	const unsigned int tso = TUN_F_TSO4 | TUN_F_TSO6;
	const unsigned int both = TUN_F_USO4 | TUN_F_USO6;
	const unsigned int outer = TUN_F_UDP_TUNNEL_GSO |
				   TUN_F_UDP_TUNNEL_GSO_CSUM;
	unsigned int known = TUN_F_CSUM | tso | TUN_F_TSO_ECN | TUN_F_UFO;

	if (uso)
		known |= both;
	if (tunnel)
		known |= outer;
	if (bits & ~known)
		return false;
	if (bits & ~TUN_F_CSUM && !(bits & TUN_F_CSUM))
		return false;
	if (bits & TUN_F_TSO_ECN && !(bits & tso))
		return false;
	if (bits & both && (bits & both) != both)
		return false;
	if (bits & TUN_F_UDP_TUNNEL_GSO && !(bits & (tso | both)))
		return false;
	return !(bits & TUN_F_UDP_TUNNEL_GSO_CSUM) ||
	       bits & TUN_F_UDP_TUNNEL_GSO;
}

/* Does in-tree tun of this kernel accept these? -1: there is none to ask. */
static int in_tree_accepts(unsigned int bits)
{
	char name[IFNAMSIZ] = "";
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC), result;

	if (fd < 0 || set_iff(fd, name, IFF_TAP))
		return -1;
	result = !do_ioctl(fd, TUNSETOFFLOAD, bits);
	close(fd);
	return result;
}

static int ethtool_value(const char *name, int command)
{
	struct ethtool_value value = { .cmd = command };

	return ethtool(name, &value) ?: value.data;
}

FD_TEST(vnet, every_combination_of_offloads)
{
	const unsigned int outer = TUN_F_CSUM | TUN_F_TSO4 |
				   TUN_F_UDP_TUNNEL_GSO;
	unsigned int bits;
	int tunnel, wanted;
	bool uso = true;

	self->nic.fd = device_open(0);
	EXPECT_EQ(-EBADFD, do_ioctl(self->nic.fd, TUNSETOFFLOAD, 0));
	nic_close(&self->nic);
	ASSERT_EQ(0, start(&self->nic, variant->mode, 12));
	/* Segmenting for tunnels needs a kernel that does so for its tun. */
	tunnel = in_tree_accepts(outer);
	if (tunnel < 0)
		tunnel = !do_ioctl(self->nic.fd, TUNSETOFFLOAD, outer);
	if (in_tree())
		uso = offers_uso(self->nic.fd);
	for (bits = 0; bits < 0x200; bits++) {
		wanted = offload_valid(bits, uso, tunnel) ? 0 : -EINVAL;
		ASSERT_EQ(wanted, do_ioctl(self->nic.fd, TUNSETOFFLOAD, bits))
			TH_LOG("offloads %#x", bits);
		if (wanted || bits & 0x190)
			continue;
		/* The stack goes by it. */
		ASSERT_EQ(!!bits, ethtool_value("vn0", ETHTOOL_GTXCSUM))
			TH_LOG("offloads %#x", bits);
		ASSERT_EQ(!!(bits & (TUN_F_TSO4 | TUN_F_TSO6)),
			  ethtool_value("vn0", ETHTOOL_GTSO))
			TH_LOG("offloads %#x", bits);
	}
	for (bits = 0x200; bits; bits <<= 1) {
		EXPECT_EQ(-EINVAL, do_ioctl(self->nic.fd, TUNSETOFFLOAD,
					    (unsigned long)(bits | TUN_F_CSUM)));
	}
	EXPECT_EQ(0, do_ioctl(self->nic.fd, TUNSETOFFLOAD, 0));
	EXPECT_EQ(0, ethtool_value("vn0", ETHTOOL_GTXCSUM));
}

/* A refused combination changes nothing. */
FD_TEST(vnet, offloads_of_a_device)
{
	const unsigned int asked = TUN_F_CSUM | TUN_F_TSO4;
	struct nic second;

	ASSERT_EQ(0, nic_open(&self->nic, "vn0", variant->mode | IFF_VNET_HDR |
			      IFF_MULTI_QUEUE, 0));
	ASSERT_EQ(0, nic_open(&second, "vn0", variant->mode | IFF_VNET_HDR |
			      IFF_MULTI_QUEUE, 0));
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETOFFLOAD, asked));
	EXPECT_EQ(1, ethtool_value("vn0", ETHTOOL_GTSO));
	EXPECT_EQ(-EINVAL, do_ioctl(second.fd, TUNSETOFFLOAD, TUN_F_TSO4));
	EXPECT_EQ(1, ethtool_value("vn0", ETHTOOL_GTSO));
	/* The device's, not the queue's */
	EXPECT_EQ(0, do_ioctl(second.fd, TUNSETOFFLOAD, TUN_F_CSUM));
	EXPECT_EQ(0, ethtool_value("vn0", ETHTOOL_GTSO));
	EXPECT_EQ(1, ethtool_value("vn0", ETHTOOL_GTXCSUM));
	ASSERT_EQ(0, do_ioctl(second.fd, TUNSETOFFLOAD, asked));
	ASSERT_EQ(0, do_ioctl(second.fd, TUNSETPERSIST, 1));
	nic_close(&second);
	EXPECT_EQ(1, ethtool_value("vn0", ETHTOOL_GTSO));
	nic_close(&self->nic);
	/* The last one to leave takes them along: the next may know none. */
	EXPECT_EQ(in_tree(), ethtool_value("vn0", ETHTOOL_GTSO));
	ASSERT_EQ(0, link_delete(self->nic.index));
}

/* The offsets are those of the frame as it is read and written: with its tag */
FD_TEST(vnet, tagged_frames)
{
	struct flow flow = { .mode = IFF_TAP, .proto = IPPROTO_UDP,
			     .partial = true };
	static const unsigned char tag[] = { 0x81, 0x00, 0x00, 0x2a };
	struct vnic_vnet vnet, want = flow_vnet(&flow, 0);
	struct sockaddr_in to = address_of(REMOTE, PORT);
	int sock, len, result;

	if (variant->mode == IFF_TUN)
		SKIP(return, "layer 3 has no tags");
	ASSERT_EQ(0, start(&self->nic, variant->mode, 12));
	result = vlan_add(self->nic.index, "vlan", 42);
	if (result == -EOPNOTSUPP)
		SKIP(return, "no 8021q driver: modprobe 8021q");
	ASSERT_EQ(0, result);
	ASSERT_EQ(0, if_up("vlan"));
	ASSERT_EQ(0, if_address("vlan", LOCAL));
	ASSERT_EQ(0, neighbour("vlan", REMOTE));
	sock = stack_udp(AF_INET, PORT);
	ASSERT_LE(0, sock);
	want.csum_start += 4;

	/* Out */
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETOFFLOAD, TUN_F_CSUM));
	/* What it stands on is followed by a work item since 7.3. */
	ASSERT_TRUE(WAIT_FOR(ethtool_value("vlan", ETHTOOL_GTXCSUM) == 1));
	packet_fill(packet, IFF_TUN, 100, 1);
	ASSERT_EQ(100, neg(sendto(sock, packet, 100, 0, (void *)&to,
				  sizeof(to))));
	len = vnet_read(self->nic.fd, &vnet, 12, got);
	ASSERT_EQ(ETH_HLEN + 4 + 28 + 100, len);
	EXPECT_EQ(0, memcmp(tag, got + 12, 4));
	EXPECT_TRUE(vnet_same(&want, &vnet));
	put16(got + 18 + 26, checksum(got + 18 + 20, 108, 0));
	EXPECT_TRUE(sums_right(got + 18, 128));

	/* In */
	nic_mac(&self->nic, flow.mac);
	len = flow_build(&flow, packet, 100, 2);
	memcpy(got, packet, 12);
	memcpy(got + 12, tag, 4);
	memcpy(got + 16, packet + 12, len - 12);
	ASSERT_EQ(12 + len + 4, vnet_write(self->nic.fd, &want, 12, got,
					   len + 4));
	ASSERT_EQ(100, neg(recv(sock, got, BIG, 0)));
	EXPECT_EQ(0, memcmp(packet + len - 100, got, 100));
	close(sock);
}

FD_TEST(vnet, large_tagged_frames)
{
	struct flow flow = { .mode = IFF_TAP, .proto = IPPROTO_TCP,
			     .partial = true, .from_stack = true };
	static const unsigned char tag[] = { 0x81, 0x00, 0x00, 0x2a };
	struct vnic_vnet vnet, want = flow_vnet(&flow, GSO);
	int sock, len, result;

	if (variant->mode == IFF_TUN)
		SKIP(return, "layer 3 has no tags");
	ASSERT_EQ(0, start(&self->nic, variant->mode, 12));
	/* vlan devices take the features over when they are made. */
	ASSERT_EQ(0, do_ioctl(self->nic.fd, TUNSETOFFLOAD,
			      TUN_F_CSUM | TUN_F_TSO4));
	result = vlan_add(self->nic.index, "vlan", 42);
	if (result == -EOPNOTSUPP)
		SKIP(return, "no 8021q driver: modprobe 8021q");
	ASSERT_EQ(0, result);
	ASSERT_EQ(0, if_up("vlan"));
	sock = packet_socket(if_index("vlan"));
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, packet_vnet(sock));
	len = flow_build(&flow, packet, 4000, 1);
	ASSERT_EQ(len, packet_send(sock, &want, packet, len));
	ASSERT_EQ(len + 4, vnet_read(self->nic.fd, &vnet, 12, got));
	EXPECT_EQ(0, memcmp(tag, got + 12, 4));
	want.csum_start += 4;
	EXPECT_TRUE(vnet_same(&want, &vnet));
	EXPECT_EQ(0, memcmp(packet + 12, got + 16, len - 12));

	/* And back in as it came out: the VLAN's sockets have it whole. */
	want.hdr_len += 4;
	ASSERT_EQ(12 + len + 4, vnet_write(self->nic.fd, &want, 12, got,
					   len + 4));
	ASSERT_EQ(len, packet_receive(sock, &vnet, got));
	want.csum_start -= 4;
	EXPECT_TRUE(vnet_same(&want, &vnet));
	EXPECT_EQ(0, memcmp(packet, got, len));
	close(sock);
}

/* A few headers that cannot be true; vnet_fuzz has the rest of them. */
FD_TEST(vnet, untrue_headers)
{
	struct flow flow = { .mode = variant->mode, .proto = IPPROTO_TCP,
			     .partial = true };
	struct vnic_vnet good = flow_vnet(&flow, GSO), bad;
	struct vnic_vnet plain = flow_vnet(&flow, 0);
	struct link link;
	int len = flow_build(&flow, packet, 3000, 1), n = 0;

#define REFUSED(from, field, value) do {				\
	bad = from;							\
	bad.field = (value);						\
	n++;								\
	EXPECT_EQ(-EINVAL, vnet_write(self->nic.fd, &bad, 10, packet, len)) \
		TH_LOG("%s of %d", #field, (value));			\
} while (0)

	ASSERT_EQ(0, start(&self->nic, variant->mode, 10));
	REFUSED(good, gso_size, 0);
	REFUSED(good, gso_size, 65535);
	REFUSED(good, csum_start, len);
	REFUSED(good, csum_start, len - 1);
	REFUSED(good, csum_offset, 65535);
	REFUSED(plain, csum_start, 65535);
	REFUSED(plain, csum_offset, len);
	REFUSED(good, hdr_len, len + 1);
	REFUSED(plain, hdr_len, 65535);
	REFUSED(good, gso_type, 6);
	REFUSED(good, gso_type, 0x7f);
	REFUSED(good, csum_offset, 6);
	/* All of them counted, at each of the three places */
	link = link_of(&self->nic);
	EXPECT_EQ(0, link.stats.rx_packets);
	if (!in_tree()) {
		EXPECT_EQ(n, link.stats.rx_frame_errors);
		EXPECT_EQ(n, link.stats.rx_errors);
		EXPECT_EQ(n, link.stats.rx_dropped);
	}
	EXPECT_EQ(len + 10, vnet_write(self->nic.fd, &good, 10, packet, len));
	EXPECT_EQ(len + 10, vnet_write(self->nic.fd, &plain, 10, packet, len));
	if (in_tree())
		return;
	REFUSED(plain, flags, 0x81);
	REFUSED(plain, gso_type, VIRTIO_NET_HDR_GSO_ECN);
	REFUSED(good, gso_type, 0x11);
}

TEST_HARNESS_MAIN
