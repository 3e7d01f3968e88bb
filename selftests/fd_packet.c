// SPDX-License-Identifier: GPL-2.0
/*
 * What goes in at one side comes out at the other, byte for byte; what is
 * wrong is refused and counted.
 */
#include <linux/virtio_net.h>

#include "fd.h"

FD_FIXTURE(packet)

#define BIG		70000

#define LOCAL		"10.9.0.1"	/* of the device */
#define REMOTE		"10.9.0.2"	/* of the program behind the fd */
#define PORT		7777
#define IP_UDP		28		/* both headers */

static unsigned char packet[BIG], got[BIG];

/* From one byte to the next size that matters, then in strides */
static int next_size(int size)
{
	return size < 130 ? size + 1 : size + 61;
}

static int smallest(int mode)
{
	return mode == IFF_TAP ? ETH_HLEN : 1;
}

/* write(fd) -> AF_PACKET, every size up to @most; 0 or the one that failed */
static int to_the_stack(const struct nic *nic, int sock, int mode, int most)
{
	struct sockaddr_ll from = {};
	int size, wanted;

	for (size = smallest(mode); size; size = next_size(size)) {
		if (size > most)
			size = most;
		packet_fill(packet, mode, size, size);
		memset(got, 0, size + 1);
		wanted = mode == IFF_TAP ? ETH_P_TEST : ETH_P_IP;
		if (write(nic->fd, packet, size) != size ||
		    receive(sock, got, BIG, &from) != size ||
		    memcmp(packet, got, size) ||
		    from.sll_ifindex != nic->index ||
		    from.sll_protocol != htons(wanted))
			return size;
		if (size == most)
			return 0;
	}
	return 0;
}

/* AF_PACKET -> read(fd) */
static int from_the_stack(const struct nic *nic, int sock, int mode, int most)
{
	int size;

	for (size = smallest(mode); size; size = next_size(size)) {
		if (size > most)
			size = most;
		packet_fill(packet, mode, size, size);
		memset(got, 0, size + 1);
		if (send(sock, packet, size, 0) != size ||
		    read_packet(nic->fd, got, BIG) != size ||
		    memcmp(packet, got, size))
			return size;
		if (size == most)
			return 0;
	}
	return 0;
}

/* Attached with packet information, which NO_PI would leave out */
static int start_with_pi(struct nic *nic, int mode)
{
	return nic_open(nic, "fd0", mode, O_NONBLOCK) ?: if_up("fd0");
}

/* Writes a UDP packet from REMOTE to LOCAL at @p; its length. */
static int udp_build(unsigned char *p, const void *payload, int len)
{
	unsigned char pseudo[12] = {}, *udp = p + 20;
	__u16 sum;

	memset(p, 0, IP_UDP);
	p[0] = 0x45;
	p[2] = (len + IP_UDP) >> 8;
	p[3] = len + IP_UDP;
	p[6] = 0x40;
	p[8] = 64;
	p[9] = IPPROTO_UDP;
	inet_pton(AF_INET, REMOTE, p + 12);
	inet_pton(AF_INET, LOCAL, p + 16);
	sum = checksum(p, 20, 0);
	p[10] = sum >> 8;
	p[11] = sum;

	udp[0] = PORT >> 8;
	udp[1] = PORT & 0xff;
	udp[2] = PORT >> 8;
	udp[3] = PORT & 0xff;
	udp[4] = (len + 8) >> 8;
	udp[5] = len + 8;
	memcpy(udp + 8, payload, len);
	memcpy(pseudo, p + 12, 8);
	pseudo[9] = IPPROTO_UDP;
	memcpy(pseudo + 10, udp + 4, 2);
	sum = checksum(udp, len + 8, (__u16)~checksum(pseudo, 12, 0));
	udp[6] = sum >> 8;
	udp[7] = sum;
	return len + IP_UDP;
}

/* Are both checksums of the UDP packet at @p those of its bytes? */
static bool udp_sums_right(const unsigned char *p, int len)
{
	unsigned char pseudo[12] = {};

	memcpy(pseudo, p + 12, 8);
	pseudo[9] = IPPROTO_UDP;
	memcpy(pseudo + 10, p + 24, 2);
	return !checksum(p, 20, 0) && (p[26] || p[27]) &&
	       !checksum(p + 20, len - 20, (__u16)~checksum(pseudo, 12, 0));
}

/* An address for the device, a known neighbour, a socket to talk to it */
static int udp_start(const struct nic *nic, int mode, unsigned char *mac)
{
	struct sockaddr_in local = {
		.sin_family = AF_INET, .sin_port = htons(PORT),
	}, remote = local;
	struct timeval patience = { .tv_sec = FD_PATIENCE / 1000 };
	struct ifreq ifr = {};
	struct arpreq arp = {
		.arp_flags = ATF_COM | ATF_PERM,
		.arp_ha = { ARPHRD_ETHER, { 2, 1, 2, 3, 4, 5 } },
	};
	int sock, result;

	inet_pton(AF_INET, LOCAL, &local.sin_addr);
	inet_pton(AF_INET, REMOTE, &remote.sin_addr);
	result = if_address(nic->name, LOCAL);
	if (result)
		return result;
	if (mode == IFF_TAP) {
		memcpy(&arp.arp_pa, &remote, sizeof(remote));
		snprintf(arp.arp_dev, sizeof(arp.arp_dev), "%s", nic->name);
		result = if_ioctl(SIOCSARP, &arp);
		if (result)
			return result;
		result = neg(ioctl(nic->fd, SIOCGIFHWADDR, &ifr));
		if (result)
			return result;
		memcpy(mac, ifr.ifr_hwaddr.sa_data, ETH_ALEN);
	}
	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return -errno;
	setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (bind(sock, (void *)&local, sizeof(local)) ||
	    connect(sock, (void *)&remote, sizeof(remote))) {
		close(sock);
		return -errno;
	}
	return sock;
}

FD_TEST(packet, every_size_to_the_stack)
{
	int sock, most = 1500 + variant->header;

	ASSERT_EQ(0, nic_open(&self->nic, "fd0", variant->mode | IFF_NO_PI, 0));
	ASSERT_EQ(0, if_up("fd0"));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	EXPECT_EQ(0, to_the_stack(&self->nic, sock, variant->mode, most));
	/* Not waiting for memory is a path of its own. */
	ASSERT_EQ(0, fcntl(self->nic.fd, F_SETFL, O_RDWR | O_NONBLOCK));
	EXPECT_EQ(0, to_the_stack(&self->nic, sock, variant->mode, most));
	close(sock);
}

FD_TEST(packet, every_size_from_the_stack)
{
	int sock, most = 1500 + variant->header;

	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	EXPECT_EQ(0, from_the_stack(&self->nic, sock, variant->mode, most));
	EXPECT_EQ(-EAGAIN, neg(read(self->nic.fd, got, BIG)));
	close(sock);
}

FD_TEST(packet, largest_both_ways)
{
	int sock, most = 65535;

	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	ASSERT_EQ(0, if_set(self->nic.name, SIOCSIFMTU,
			    most - variant->header));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	packet_fill(packet, variant->mode, most, 1);
	ASSERT_EQ(most, neg(write(self->nic.fd, packet, most)));
	ASSERT_EQ(most, receive(sock, got, BIG, NULL));
	EXPECT_EQ(0, memcmp(packet, got, most));
	packet_fill(packet, variant->mode, most, 2);
	ASSERT_EQ(most, neg(send(sock, packet, most, 0)));
	ASSERT_EQ(most, read_packet(self->nic.fd, got, BIG));
	EXPECT_EQ(0, memcmp(packet, got, most));
	close(sock);
}

FD_TEST(packet, far_too_long)
{
	size_t size = 16 << 20;
	void *data = calloc(1, size);
	struct link before, after;
	int result;

	if (in_tree())
		SKIP(return, "in-tree tun before 6.x takes what memory allows");
	ASSERT_NE(NULL, data);
	packet_fill(data, variant->mode, 64, 0);
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	before = link_of(&self->nic);
	result = neg(write(self->nic.fd, data, size));
	EXPECT_EQ(-EMSGSIZE, result);
	after = link_of(&self->nic);
	EXPECT_EQ(before.stats.rx_packets, after.stats.rx_packets);
	EXPECT_EQ(before.stats.rx_dropped + 1, after.stats.rx_dropped);
	free(data);
}

FD_TEST(packet, information_to_the_stack)
{
	struct tun_pi pi = { 0, htons(ETH_P_IPV6) };
	struct iovec iov[] = { { &pi, sizeof(pi) }, { packet, 100 } };
	struct sockaddr_ll from = {};
	int sock;

	ASSERT_EQ(0, start_with_pi(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	packet_fill(packet, variant->mode, 100, 3);
	ASSERT_EQ(104, neg(writev(self->nic.fd, iov, 2)));
	ASSERT_EQ(100, receive(sock, got, BIG, &from));
	EXPECT_EQ(0, memcmp(packet, got, 100));
	/* Of layer 3 the header says what it is, of layer 2 the frame does. */
	EXPECT_EQ(variant->mode == IFF_TUN ? ETH_P_IPV6 : ETH_P_TEST,
		  ntohs(from.sll_protocol));
	pi.proto = htons(ETH_P_TEST);
	ASSERT_EQ(104, neg(writev(self->nic.fd, iov, 2)));
	ASSERT_EQ(100, receive(sock, got, BIG, &from));
	EXPECT_EQ(ETH_P_TEST, ntohs(from.sll_protocol));
	close(sock);
}

FD_TEST(packet, information_from_the_stack)
{
	struct tun_pi *pi = (void *)got;
	int sock;

	ASSERT_EQ(0, start_with_pi(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	packet_fill(packet, variant->mode, 100, 3);
	ASSERT_EQ(100, send(sock, packet, 100, 0));
	ASSERT_EQ(104, read_packet(self->nic.fd, got, BIG));
	EXPECT_EQ(0, pi->flags);
	EXPECT_EQ(variant->mode == IFF_TUN ? ETH_P_IP : ETH_P_TEST,
		  ntohs(pi->proto));
	EXPECT_EQ(0, memcmp(packet, got + 4, 100));
	if (variant->mode == IFF_TUN) {
		packet[0] = 0x60;
		ASSERT_EQ(100, send(sock, packet, 100, 0));
		ASSERT_EQ(104, read_packet(self->nic.fd, got, BIG));
		EXPECT_EQ(ETH_P_IPV6, ntohs(pi->proto));
	}
	close(sock);
}

FD_TEST(packet, cut_to_the_room_there_is)
{
	int sock;

	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 1, 3));
	ASSERT_EQ(POLLIN, poll_wait(self->nic.fd, POLLIN));

	memset(got, 0xee, 100);
	EXPECT_EQ(20, neg(read(self->nic.fd, got, 20)));
	packet_fill(packet, variant->mode, 100, 1);
	EXPECT_EQ(0, memcmp(packet, got, 20));
	EXPECT_EQ(0xee, got[20]);
	/* The rest of it is gone: the next read gives the next packet. */
	EXPECT_EQ(1, read_in_order(self->nic.fd, variant->mode, 100, 2));
	close(sock);
}

FD_TEST(packet, cut_with_information)
{
	struct tun_pi *pi = (void *)got;
	int sock;

	ASSERT_EQ(0, start_with_pi(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	packet_fill(packet, variant->mode, 100, 1);
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 1, 2));
	memset(got, 0xee, 100);
	EXPECT_EQ(24, read_packet(self->nic.fd, got, 24));
	EXPECT_EQ(TUN_PKT_STRIP, pi->flags);
	EXPECT_EQ(0, memcmp(packet, got + 4, 20));
	EXPECT_EQ(0xee, got[24]);
	EXPECT_EQ(-EAGAIN, neg(read(self->nic.fd, got, BIG)));

	/* One byte short is cut, exactly enough is not. */
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 1, 3));
	EXPECT_EQ(103, read_packet(self->nic.fd, got, 103));
	EXPECT_EQ(TUN_PKT_STRIP, pi->flags);
	EXPECT_EQ(104, read_packet(self->nic.fd, got, 104));
	EXPECT_EQ(0, pi->flags);
	close(sock);
}

FD_TEST(packet, no_room_for_the_information)
{
	int sock;

	ASSERT_EQ(0, start_with_pi(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 1, 3));
	EXPECT_EQ(-EINVAL, read_packet(self->nic.fd, got, 3));
	EXPECT_EQ(104, read_packet(self->nic.fd, got, BIG));
	packet_fill(packet, variant->mode, 100, 2);
	EXPECT_EQ(0, memcmp(packet, got + 4, 100));
	EXPECT_EQ(-EAGAIN, neg(read(self->nic.fd, got, BIG)));
	close(sock);
}

FD_TEST(packet, reading_nothing_takes_nothing)
{
	int sock;

	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	EXPECT_EQ(0, neg(read(self->nic.fd, got, 0)));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 1, 2));
	ASSERT_EQ(POLLIN, poll_wait(self->nic.fd, POLLIN));
	EXPECT_EQ(0, neg(read(self->nic.fd, got, 0)));
	EXPECT_EQ(1, read_in_order(self->nic.fd, variant->mode, 100, 1));
	close(sock);
}

FD_TEST(packet, gathered_and_scattered)
{
	/* Backwards, and none beside the next */
	unsigned char apart[200];
	struct iovec bytes[100], uneven[] = {
		{ got, 3 }, { got + 3, 0 }, { got + 3, 61 }, { got + 64, 1000 },
	};
	int sock, i;

	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	packet_fill(packet, variant->mode, 100, 5);
	for (i = 0; i < 100; i++) {
		bytes[i].iov_base = apart + 198 - 2 * i;
		bytes[i].iov_len = 1;
		apart[198 - 2 * i] = packet[i];
	}
	ASSERT_EQ(100, neg(writev(self->nic.fd, bytes, 100)));
	ASSERT_EQ(100, receive(sock, got, BIG, NULL));
	EXPECT_EQ(0, memcmp(packet, got, 100));

	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 6, 8));
	ASSERT_EQ(POLLIN, poll_wait(self->nic.fd, POLLIN));
	memset(apart, 0xee, sizeof(apart));
	ASSERT_EQ(100, neg(readv(self->nic.fd, bytes, 100)));
	packet_fill(packet, variant->mode, 100, 6);
	for (i = 0; i < 100; i++) {
		EXPECT_EQ(packet[i], apart[198 - 2 * i]);
		EXPECT_EQ(0xee, apart[199 - 2 * i]);
	}
	memset(got, 0, 200);
	ASSERT_EQ(100, neg(readv(self->nic.fd, uneven, 4)));
	packet_fill(packet, variant->mode, 100, 7);
	EXPECT_EQ(0, memcmp(packet, got, 100));
	close(sock);
}

FD_TEST(packet, first_nibble_tells_the_protocol)
{
	struct sockaddr_ll from = {};
	struct link link;
	int sock, nibble, refused = 0;

	if (variant->mode == IFF_TAP)
		SKIP(return, "layer 2 has its own field for it");
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	for (nibble = 0; nibble < 16; nibble++) {
		memset(packet, 0, 60);
		packet[0] = nibble << 4 | 5;
		if (nibble == 4 || nibble == 6) {
			ASSERT_EQ(60, neg(write(self->nic.fd, packet, 60)));
			ASSERT_EQ(60, receive(sock, got, BIG, &from));
			EXPECT_EQ(nibble == 4 ? ETH_P_IP : ETH_P_IPV6,
				  ntohs(from.sll_protocol));
			continue;
		}
		EXPECT_EQ(-EINVAL, neg(write(self->nic.fd, packet, 60)))
			TH_LOG("nibble %#x", nibble);
		refused++;
	}
	link = link_of(&self->nic);
	EXPECT_EQ(2, link.stats.rx_packets);
	EXPECT_EQ(refused, link.stats.rx_dropped);
	close(sock);
}

/* Whom a frame is for is told by its address, as on a wire. */
FD_TEST(packet, frame_is_for_whom)
{
	struct sockaddr_ll from = {};
	struct ifreq ifr = {};
	int sock;

	if (variant->mode == IFF_TUN)
		SKIP(return, "layer 3 has no addresses of this kind");
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	ASSERT_EQ(0, do_ioctl(self->nic.fd, SIOCGIFHWADDR, &ifr));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	packet_fill(packet, variant->mode, 60, 0);
	ASSERT_EQ(60, neg(write(self->nic.fd, packet, 60)));
	ASSERT_EQ(60, receive(sock, got, BIG, &from));
	EXPECT_EQ(PACKET_BROADCAST, from.sll_pkttype);
	packet[0] = 0x01;
	ASSERT_EQ(60, neg(write(self->nic.fd, packet, 60)));
	ASSERT_EQ(60, receive(sock, got, BIG, &from));
	EXPECT_EQ(PACKET_MULTICAST, from.sll_pkttype);
	packet[0] = 0x02;
	ASSERT_EQ(60, neg(write(self->nic.fd, packet, 60)));
	ASSERT_EQ(60, receive(sock, got, BIG, &from));
	EXPECT_EQ(PACKET_OTHERHOST, from.sll_pkttype);
	memcpy(packet, ifr.ifr_hwaddr.sa_data, ETH_ALEN);
	ASSERT_EQ(60, neg(write(self->nic.fd, packet, 60)));
	ASSERT_EQ(60, receive(sock, got, BIG, &from));
	EXPECT_EQ(PACKET_HOST, from.sll_pkttype);
	close(sock);
}

/* A tag that the device has taken out of the frame is back in what is read. */
FD_TEST(packet, vlan_tag_is_in_the_frame)
{
	static const unsigned char tag[] = { 0x81, 0x00, 0x00, 0x2a };
	struct tun_pi *pi = (void *)got;
	int sock, result;

	if (variant->mode == IFF_TUN)
		SKIP(return, "layer 3 has no tags");
	ASSERT_EQ(0, start_with_pi(&self->nic, variant->mode));
	result = vlan_add(self->nic.index, "vlan", 42);
	if (result == -EOPNOTSUPP)
		SKIP(return, "no 8021q driver: modprobe 8021q");
	ASSERT_EQ(0, result);
	ASSERT_EQ(0, if_up("vlan"));
	sock = packet_socket(if_index("vlan"));
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 1, 4));
	packet_fill(packet, variant->mode, 100, 1);
	ASSERT_EQ(108, read_packet(self->nic.fd, got, BIG));
	EXPECT_EQ(0, pi->flags);
	EXPECT_EQ(0, memcmp(packet, got + 4, 12));
	EXPECT_EQ(0, memcmp(tag, got + 16, 4));
	EXPECT_EQ(0, memcmp(packet + 12, got + 20, 88));
	/* Cut in the middle of the tag, and right behind it */
	memset(got, 0xee, 100);
	ASSERT_EQ(18, read_packet(self->nic.fd, got, 18));
	EXPECT_EQ(TUN_PKT_STRIP, pi->flags);
	EXPECT_EQ(0, memcmp(tag, got + 16, 2));
	EXPECT_EQ(0xee, got[18]);
	ASSERT_EQ(20, read_packet(self->nic.fd, got, 20));
	EXPECT_EQ(TUN_PKT_STRIP, pi->flags);
	EXPECT_EQ(0, memcmp(tag, got + 16, 4));
	EXPECT_EQ(3 * 104, link_of(&self->nic).stats.tx_bytes);

	/* The other way round: the tagged frame comes out of the VLAN. */
	*pi = (struct tun_pi) { 0, htons(ETH_P_8021Q) };
	memcpy(got + 4, packet, 12);
	memcpy(got + 16, tag, 4);
	memcpy(got + 20, packet + 12, 88);
	ASSERT_EQ(108, neg(write(self->nic.fd, got, 108)));
	ASSERT_EQ(100, receive(sock, got, BIG, NULL));
	EXPECT_EQ(0, memcmp(packet, got, 100));
	close(sock);
}

FD_TEST(packet, udp_to_a_socket)
{
	static const char text[] = "a payload of an odd length, too";
	unsigned char mac[ETH_ALEN] = {};
	int sock, len, header = variant->header;

	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	sock = udp_start(&self->nic, variant->mode, mac);
	ASSERT_LE(0, sock);
	packet_fill(packet, variant->mode, header, 0);
	memcpy(packet, mac, header ? ETH_ALEN : 0);
	if (header) {
		packet[12] = ETH_P_IP >> 8;
		packet[13] = ETH_P_IP & 0xff;
	}
	len = header + udp_build(packet + header, text, sizeof(text));
	ASSERT_EQ(len, neg(write(self->nic.fd, packet, len)));
	ASSERT_EQ(sizeof(text), neg(recv(sock, got, BIG, 0)));
	EXPECT_EQ(0, memcmp(text, got, sizeof(text)));
	/* A wrong checksum is nobody's to receive: it is not taken on trust. */
	packet[len - 1] ^= 1;
	ASSERT_EQ(len, neg(write(self->nic.fd, packet, len)));
	packet[len - 1] ^= 1;
	ASSERT_EQ(len, neg(write(self->nic.fd, packet, len)));
	ASSERT_EQ(sizeof(text), neg(recv(sock, got, BIG, 0)));
	EXPECT_EQ(0, memcmp(text, got, sizeof(text)));
	EXPECT_EQ(-EAGAIN, neg(recv(sock, got, BIG, MSG_DONTWAIT)));
	close(sock);
}

FD_TEST(packet, udp_from_a_socket)
{
	static const char text[] = "a payload of an odd length, too";
	unsigned char mac[ETH_ALEN], *ip = got + variant->header;
	static const unsigned char to[] = { 2, 1, 2, 3, 4, 5 };
	int sock, len = IP_UDP + sizeof(text);

	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	sock = udp_start(&self->nic, variant->mode, mac);
	ASSERT_LE(0, sock);
	memset(got, 0xee, 200);
	ASSERT_EQ(sizeof(text), neg(send(sock, text, sizeof(text), 0)));
	ASSERT_EQ(variant->header + len, read_packet(self->nic.fd, got, BIG));
	if (variant->mode == IFF_TAP) {
		EXPECT_EQ(0, memcmp(to, got, ETH_ALEN));
		EXPECT_EQ(0, memcmp(mac, got + ETH_ALEN, ETH_ALEN));
		EXPECT_EQ(ETH_P_IP, got[12] << 8 | got[13]);
	}
	EXPECT_EQ(0, memcmp(text, ip + IP_UDP, sizeof(text)));
	/* No offload was asked for: nothing is left for the program to do. */
	EXPECT_TRUE(udp_sums_right(ip, len));
	close(sock);
}

/* Nobody asked for large ones: the stack has to cut them, and sum them up. */
FD_TEST(packet, large_one_is_cut_up)
{
	int sock, one = 1, i, size, header = variant->header;
	struct virtio_net_hdr *vnet = (void *)packet;
	unsigned char *ip = packet + sizeof(*vnet) + header, pseudo[12] = {};
	__u16 sum;

	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, setsockopt(sock, SOL_PACKET, PACKET_VNET_HDR, &one,
				sizeof(one)));
	memset(packet, 0, sizeof(packet));
	vnet->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	vnet->gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
	vnet->hdr_len = header + 40;
	vnet->gso_size = 1000;
	vnet->csum_start = header + 20;
	vnet->csum_offset = 16;
	packet_fill(packet + sizeof(*vnet), variant->mode, header, 0);
	if (header) {
		ip[-2] = ETH_P_IP >> 8;
		ip[-1] = ETH_P_IP & 0xff;
	}
	udp_build(ip, packet, 12 + 3500);	/* for its IP header */
	packet_fill(ip + 20, 0, 20 + 3500, 4);
	ip[9] = IPPROTO_TCP;
	ip[32] = 5 << 4;			/* length of the TCP header */
	ip[33] = 0x10;				/* ACK */
	memcpy(pseudo, ip + 12, 8);
	pseudo[9] = IPPROTO_TCP;
	pseudo[10] = 3520 >> 8;
	pseudo[11] = 3520 & 0xff;
	sum = ~checksum(pseudo, 12, 0);
	ip[36] = sum >> 8;
	ip[37] = sum;
	size = sizeof(*vnet) + header + 40 + 3500;
	ASSERT_EQ(size, neg(send(sock, packet, size, 0)));
	for (i = 0; i < 4; i++) {
		unsigned char *p = got + header;

		size = i < 3 ? 1000 : 500;
		ASSERT_EQ(header + 40 + size,
			  read_packet(self->nic.fd, got, BIG));
		EXPECT_EQ(0, memcmp(ip + 40 + 1000 * i, p + 40, size));
		EXPECT_EQ(0, checksum(p, 20, 0));
		pseudo[10] = (20 + size) >> 8;
		pseudo[11] = 20 + size;
		sum = ~checksum(pseudo, 12, 0);
		EXPECT_EQ(0, checksum(p + 20, 20 + size, sum));
	}
	EXPECT_EQ(-EAGAIN, neg(read(self->nic.fd, got, BIG)));
	close(sock);
}

FD_TEST(packet, counted_exactly)
{
	struct rtnl_link_stats64 stats;
	int sock, i, bytes = 0;

	/* The information header is not of the packet. */
	ASSERT_EQ(0, start_with_pi(&self->nic, variant->mode));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	for (i = 0; i < 50; i++) {
		packet_fill(packet + 4, variant->mode, 40 + i, i);
		memset(packet, 0, 4);
		ASSERT_EQ(44 + i, neg(write(self->nic.fd, packet, 44 + i)));
		bytes += 40 + i;
	}
	stats = link_of(&self->nic).stats;
	EXPECT_EQ(50, stats.rx_packets);
	EXPECT_EQ(bytes, stats.rx_bytes);
	EXPECT_EQ(0, stats.tx_packets);

	bytes = 0;
	for (i = 0; i < 30; i++) {
		ASSERT_EQ(0, send_packets(sock, variant->mode, 40 + i, i, i + 1));
		ASSERT_EQ(44 + i, read_packet(self->nic.fd, got, BIG));
		bytes += 40 + i;
	}
	stats = link_of(&self->nic).stats;
	EXPECT_EQ(50, stats.rx_packets);
	EXPECT_EQ(30, stats.tx_packets);
	EXPECT_EQ(bytes, stats.tx_bytes);
	EXPECT_EQ(0, stats.rx_dropped);
	EXPECT_EQ(0, stats.tx_dropped);
	EXPECT_EQ(0, stats.rx_errors);
	EXPECT_EQ(0, stats.tx_errors);

	/* What was cut counts whole. */
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 0, 1));
	ASSERT_EQ(24, read_packet(self->nic.fd, got, 24));
	stats = link_of(&self->nic).stats;
	EXPECT_EQ(31, stats.tx_packets);
	EXPECT_EQ(bytes + 100, stats.tx_bytes);
	close(sock);
}

FD_TEST(packet, too_short)
{
	struct link link;
	int size;

	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	packet_fill(packet, variant->mode, 100, 0);
	for (size = 0; size < smallest(variant->mode); size++) {
		EXPECT_EQ(-EINVAL, neg(write(self->nic.fd, packet, size)))
			TH_LOG("size %d", size);
	}
	link = link_of(&self->nic);
	EXPECT_EQ(0, link.stats.rx_packets);
	EXPECT_EQ(in_tree() && variant->mode == IFF_TAP ? 0 : size,
		  link.stats.rx_dropped);
}

FD_TEST(packet, too_short_with_information)
{
	int size, most = variant->mode == IFF_TAP ? 4 + ETH_HLEN : 4;
	struct link link;

	ASSERT_EQ(0, start_with_pi(&self->nic, variant->mode));
	memset(packet, 0, 100);
	for (size = 0; size < most; size++) {
		EXPECT_EQ(-EINVAL, neg(write(self->nic.fd, packet, size)))
			TH_LOG("size %d", size);
	}
	link = link_of(&self->nic);
	EXPECT_EQ(0, link.stats.rx_packets);
	EXPECT_EQ(in_tree() ? 0 : most, link.stats.rx_dropped);
	EXPECT_EQ(most, neg(write(self->nic.fd, packet, most)));
}

/* Right or wrong is looked at first, then up or down. */
FD_TEST(packet, device_is_down)
{
	struct link link;
	int sock;

	ASSERT_EQ(0, nic_open(&self->nic, "fd0", variant->mode | IFF_NO_PI,
			      O_NONBLOCK));
	/* A packet that nobody takes would count as dropped as well. */
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	packet_fill(packet, variant->mode, 100, 0);
	EXPECT_EQ(-EIO, neg(write(self->nic.fd, packet, 100)));
	EXPECT_EQ(-EINVAL, neg(write(self->nic.fd, packet, 0)));
	EXPECT_EQ(-EAGAIN, neg(read(self->nic.fd, got, BIG)));
	ASSERT_EQ(0, if_up("fd0"));
	EXPECT_EQ(100, neg(write(self->nic.fd, packet, 100)));
	ASSERT_EQ(0, if_down("fd0"));
	EXPECT_EQ(-EIO, neg(write(self->nic.fd, packet, 100)));
	link = link_of(&self->nic);
	EXPECT_EQ(1, link.stats.rx_packets);
	/* Each refusal is counted; too short ones are not by in-tree tap. */
	EXPECT_EQ(in_tree() && variant->mode == IFF_TAP ? 2 : 3,
		  link.stats.rx_dropped);
	close(sock);
}

FD_TEST(packet, before_setiff)
{
	self->nic.fd = device_open(O_NONBLOCK);
	ASSERT_LE(0, self->nic.fd);
	EXPECT_EQ(-EBADFD, neg(write(self->nic.fd, packet, 100)));
	EXPECT_EQ(-EBADFD, neg(write(self->nic.fd, packet, 0)));
	EXPECT_EQ(-EBADFD, neg(read(self->nic.fd, got, 100)));
	EXPECT_EQ(-EBADFD, neg(read(self->nic.fd, got, 0)));
	EXPECT_EQ(-ESPIPE, neg(lseek(self->nic.fd, 0, SEEK_SET)));
}

FD_TEST(packet, bad_memory)
{
	int page = sysconf(_SC_PAGESIZE), sock;
	unsigned char *half = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char *hole = half + page;

	ASSERT_NE(MAP_FAILED, half);
	ASSERT_EQ(0, munmap(hole, page));
	half += page - 50;
	ASSERT_EQ(0, start_with_pi(&self->nic, variant->mode));
	EXPECT_EQ(-EFAULT, neg(write(self->nic.fd, hole, 100)));
	packet_fill(half + 4, variant->mode, 46, 1);
	EXPECT_EQ(-EFAULT, neg(write(self->nic.fd, half, 104)));
	EXPECT_EQ(0, link_of(&self->nic).stats.rx_packets);
	/* In-tree tun counts what it has begun to make a packet of. */
	EXPECT_EQ(in_tree() ? 1 : 2, link_of(&self->nic).stats.rx_dropped);
	/* What can be read of it is a packet. */
	EXPECT_EQ(50, neg(write(self->nic.fd, half, 50)));

	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, send_packets(sock, variant->mode, 100, 1, 3));
	EXPECT_EQ(-EFAULT, read_packet(self->nic.fd, hole, 200));
	EXPECT_EQ(104, read_packet(self->nic.fd, got, 200));
	close(sock);
}

/* All of it is there but for the last byte, whichever way it is copied. */
FD_TEST(packet, last_byte_is_not_there)
{
	static const int sizes[] = { 60, 128, 129, 1000, 1514, 3000, 4000, 9000, 33000,
				     65000 };
	int i, size, sock, page = sysconf(_SC_PAGESIZE);
	int room = (BIG / page + 1) * page;
	unsigned char *start = mmap(NULL, room + page, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char *end = start + room;

	ASSERT_NE(MAP_FAILED, start);
	ASSERT_EQ(0, munmap(end, page));
	ASSERT_EQ(0, nic_start(&self->nic, variant->mode));
	ASSERT_EQ(0, if_set(self->nic.name, SIOCSIFMTU, 65000));
	sock = packet_socket(self->nic.index);
	ASSERT_LE(0, sock);
	for (i = 0; i < (int)ARRAY_SIZE(sizes); i++) {
		size = sizes[i];
		packet_fill(packet, variant->mode, size, size);
		memcpy(end - (size - 1), packet, size - 1);
		EXPECT_EQ(-EFAULT, neg(write(self->nic.fd, end - (size - 1), size)))
			TH_LOG("%d bytes", size);
		ASSERT_EQ(size, neg(send(sock, packet, size, 0)));
		/* In-tree tun does not look whether the packet was copied. */
		EXPECT_EQ(in_tree() ? size : -EFAULT,
			  read_packet(self->nic.fd, end - (size - 1), size))
			TH_LOG("%d bytes", size);
		/* It is gone, and the next one comes. */
		ASSERT_EQ(size, neg(send(sock, packet, size, 0)));
		ASSERT_EQ(size, read_packet(self->nic.fd, end - size, size));
		EXPECT_EQ(0, memcmp(end - size, packet, size));
	}
	EXPECT_EQ(0, link_of(&self->nic).stats.rx_packets);
	EXPECT_EQ(in_tree() ? 2 * i : i, link_of(&self->nic).stats.tx_packets);
	munmap(start, room);
	close(sock);
}

TEST_HARNESS_MAIN
