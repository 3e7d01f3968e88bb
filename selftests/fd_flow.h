/* SPDX-License-Identifier: GPL-2.0 */
/*
 * IP packets between the program behind the fd (REMOTE) and the stack (LOCAL),
 * with their checksums and the headers of virtio.
 *
 *   | Ethernet (tap) | IPv4 or IPv6 | UDP or TCP | payload |
 *   0                l3             l4           headers   length
 */
#ifndef FD_FLOW_H
#define FD_FLOW_H

#include "fd.h"

#include <linux/ipv6.h>
#include <linux/virtio_net.h>

#define LOCAL		"10.9.0.1"	/* of the device */
#define REMOTE		"10.9.0.2"	/* of the program */
#define LOCAL6		"fd09::1"
#define REMOTE6		"fd09::2"
#define PORT		7777
#define REMOTE_MAC	{ 2, 1, 2, 3, 4, 5 }

#define TCP_PUSH	0x08
#define TCP_ACK		0x10

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

/* What the packets of a flow have in common; zero is IPv4. */
struct flow {
	int mode;			/* IFF_TUN or IFF_TAP */
	int family;			/* AF_INET or AF_INET6 */
	int proto;			/* IPPROTO_UDP or IPPROTO_TCP */
	int from, to;			/* ports, 0 for PORT */
	bool from_stack;		/* LOCAL to REMOTE, not the other way */
	bool partial;			/* the payload is not summed up yet */
	bool push;			/* TCP: with PSH */
	unsigned int seq;		/* TCP */
	unsigned char mac[ETH_ALEN];	/* for whom; zero: for all */
};

static inline bool flow_is_6(const struct flow *flow)
{
	return flow->family == AF_INET6;
}

static inline int flow_l3(const struct flow *flow)
{
	return flow->mode == IFF_TAP ? ETH_HLEN : 0;
}

static inline int flow_l4(const struct flow *flow)
{
	return flow_l3(flow) + (flow_is_6(flow) ? 40 : 20);
}

static inline int flow_headers(const struct flow *flow)
{
	return flow_l4(flow) + (flow->proto == IPPROTO_TCP ? 20 : 8);
}

static inline void put16(unsigned char *p, int value)
{
	p[0] = value >> 8;
	p[1] = value;
}

static inline int get16(const unsigned char *p)
{
	return p[0] << 8 | p[1];
}

/* The sum over the pseudo header of an IP packet that carries @len bytes */
static inline __u16 pseudo_sum(const unsigned char *ip, int len)
{
	bool v6 = ip[0] >> 4 == 6;
	unsigned char pseudo[36] = {};
	int size = v6 ? 32 : 8;

	memcpy(pseudo, v6 ? ip + 8 : ip + 12, size);
	pseudo[size + 1] = v6 ? ip[6] : ip[9];
	put16(pseudo + size + 2, len);
	return ~checksum(pseudo, size + 4, 0);
}

/* Are the checksums of the IP packet at @ip those of its bytes? */
static inline bool sums_right(const unsigned char *ip, int len)
{
	int l4 = ip[0] >> 4 == 6 ? 40 : 20;

	return (l4 == 40 || !checksum(ip, 20, 0)) &&
	       !checksum(ip + l4, len - l4, pseudo_sum(ip, len - l4));
}

/* Writes a packet with @payload bytes, made of @seed, to @p; its length. */
static inline int flow_build(const struct flow *flow, unsigned char *p,
			     int payload, unsigned int seed)
{
	const char *local = flow_is_6(flow) ? LOCAL6 : LOCAL;
	const char *remote = flow_is_6(flow) ? REMOTE6 : REMOTE;
	const char *from = flow->from_stack ? local : remote;
	const char *to = flow->from_stack ? remote : local;
	int l3 = flow_l3(flow), l4 = flow_l4(flow), i;
	int len = flow_headers(flow) + payload, sum;
	unsigned char *ip = p + l3, *t = p + l4;

	memset(p, 0, flow_headers(flow));
	if (l3) {
		memset(p, 0xff, ETH_ALEN);
		for (i = 0; i < ETH_ALEN && !flow->mac[i]; i++)
			;
		if (i < ETH_ALEN)
			memcpy(p, flow->mac, ETH_ALEN);
		p[ETH_ALEN] = 2;
		put16(p + 12, flow_is_6(flow) ? ETH_P_IPV6 : ETH_P_IP);
	}
	if (flow_is_6(flow)) {
		ip[0] = 0x60;
		put16(ip + 4, len - l4);
		ip[6] = flow->proto;
		ip[7] = 64;
		inet_pton(AF_INET6, from, ip + 8);
		inet_pton(AF_INET6, to, ip + 24);
	} else {
		ip[0] = 0x45;
		put16(ip + 2, len - l3);
		ip[6] = 0x40;
		ip[8] = 64;
		ip[9] = flow->proto;
		inet_pton(AF_INET, from, ip + 12);
		inet_pton(AF_INET, to, ip + 16);
		put16(ip + 10, checksum(ip, 20, 0));
	}
	put16(t, flow->from ?: PORT);
	put16(t + 2, flow->to ?: PORT);
	for (i = 0; i < payload; i++)
		p[len - payload + i] = i * 7 + seed * 31 + (i >> 8);
	if (flow->proto == IPPROTO_TCP) {
		put16(t + 4, flow->seq >> 16);
		put16(t + 6, flow->seq);
		t[12] = 5 << 4;
		t[13] = TCP_ACK | (flow->push ? TCP_PUSH : 0);
		put16(t + 14, 1000);
	} else {
		put16(t + 4, len - l4);
	}
	sum = pseudo_sum(ip, len - l4);
	if (!flow->partial)
		sum = checksum(t, len - l4, sum) ?: 0xffff;
	put16(t + (flow->proto == IPPROTO_TCP ? 16 : 6), sum);
	return len;
}

static inline int gso_type_of(const struct flow *flow)
{
	if (flow->proto == IPPROTO_UDP)
		return VIRTIO_NET_HDR_GSO_UDP_L4;
	return flow_is_6(flow) ? VIRTIO_NET_HDR_GSO_TCPV6 :
				 VIRTIO_NET_HDR_GSO_TCPV4;
}

/* What is left to do with a packet that is partial; @gso_size 0: no GSO */
static inline struct vnic_vnet flow_vnet(const struct flow *flow, int gso_size)
{
	struct vnic_vnet vnet = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.csum_start = flow_l4(flow),
		.csum_offset = flow->proto == IPPROTO_TCP ? 16 : 6,
	};

	if (gso_size) {
		vnet.gso_type = gso_type_of(flow);
		vnet.gso_size = gso_size;
		vnet.hdr_len = flow_headers(flow);
	}
	return vnet;
}

/* What a reader or AF_PACKET gets of such a packet: hdr_len is but a hint */
static inline bool vnet_same(const struct vnic_vnet *a,
			     const struct vnic_vnet *b)
{
	return a->flags == b->flags && a->gso_type == b->gso_type &&
	       a->gso_size == b->gso_size && a->csum_start == b->csum_start &&
	       a->csum_offset == b->csum_offset;
}

static inline int nic_mac(const struct nic *nic, unsigned char *mac)
{
	struct ifreq ifr = {};
	int result = neg(ioctl(nic->fd, SIOCGIFHWADDR, &ifr));

	memcpy(mac, ifr.ifr_hwaddr.sa_data, ETH_ALEN);
	return result;
}

static inline struct sockaddr_in address_of(const char *text, int port)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET, .sin_port = htons(port),
	};

	inet_pton(AF_INET, text, &sin.sin_addr);
	return sin;
}

static inline struct sockaddr_in6 address6_of(const char *text, int port)
{
	struct sockaddr_in6 sin6 = {
		.sin6_family = AF_INET6, .sin6_port = htons(port),
	};

	inet_pton(AF_INET6, text, &sin6.sin6_addr);
	return sin6;
}

/* Tells the stack where @address lives on a device of layer 2. */
static inline int neighbour(const char *name, const char *address)
{
	struct arpreq arp = {
		.arp_flags = ATF_COM | ATF_PERM,
		.arp_ha = { ARPHRD_ETHER, REMOTE_MAC },
	};
	struct sockaddr_in sin = address_of(address, 0);

	memcpy(&arp.arp_pa, &sin, sizeof(sin));
	snprintf(arp.arp_dev, sizeof(arp.arp_dev), "%s", name);
	return if_ioctl(SIOCSARP, &arp);
}

/* LOCAL is the device's, and REMOTE is known to be behind it. */
static inline int stack_start(const struct nic *nic, int mode)
{
	int result = if_address(nic->name, LOCAL);

	if (!result && mode == IFF_TAP)
		result = neighbour(nic->name, REMOTE);
	return result;
}

/* LOCAL6 is the device's, and the stack asks nobody about it. */
static inline int stack_start6(const struct nic *nic)
{
	const char *const settings[][3] = {
		{ "all", "accept_dad", "0" },
		{ nic->name, "accept_dad", "0" },
		{ nic->name, "router_solicitations", "0" },
		{ nic->name, "disable_ipv6", "0" },
	};
	struct in6_ifreq request = {
		.ifr6_prefixlen = 64, .ifr6_ifindex = nic->index,
	};
	char path[128];
	unsigned int i;
	int sock, result;

	for (i = 0; i < ARRAY_SIZE(settings); i++) {
		snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/%s",
			 settings[i][0], settings[i][1]);
		result = write_file(path, settings[i][2]);
		if (result)
			return result;
	}
	inet_pton(AF_INET6, LOCAL6, &request.ifr6_addr);
	sock = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return -errno;
	result = neg(ioctl(sock, SIOCSIFADDR, &request));
	close(sock);
	return result;
}

/* Is there the route by which the stack takes what is for this address? */
static inline bool stack_takes6(const struct in6_addr *address)
{
	FILE *routes = fopen("/proc/thread-self/net/ipv6_route", "re");
	char wanted[40], line[256];
	bool found = false;
	int i;

	if (!routes)
		return false;
	for (i = 0; i < 16; i++)
		sprintf(wanted + 2 * i, "%02x", address->s6_addr[i]);
	strcat(wanted, " 80 ");
	while (!found && fgets(line, sizeof(line), routes))
		found = !strncmp(line, wanted, strlen(wanted));
	fclose(routes);
	return found;
}

/* A socket of the stack at LOCAL or LOCAL6; it waits, but not for ever. */
static inline int stack_udp(int family, int port)
{
	struct sockaddr_in6 sin6 = address6_of(LOCAL6, port);
	struct sockaddr_in sin = address_of(LOCAL, port);
	struct timeval patience = { .tv_sec = FD_PATIENCE / 1000 };
	int sock = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int result;

	if (sock < 0)
		return -errno;
	setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	/* An address of IPv6 is there a little after it was given, then its route. */
	if (family == AF_INET6)
		result = WAIT_FOR(!bind(sock, (void *)&sin6, sizeof(sin6))) &&
			 WAIT_FOR(stack_takes6(&sin6.sin6_addr)) ?
			 0 : -EADDRNOTAVAIL;
	else
		result = neg(bind(sock, (void *)&sin, sizeof(sin)));
	if (result) {
		close(sock);
		return result;
	}
	return sock;
}

/* Sends @len bytes to a port of REMOTE. */
static inline int stack_send(int sock, const void *data, int len, int port)
{
	struct sockaddr_in to = address_of(REMOTE, port);

	return neg(sendto(sock, data, len, 0, (void *)&to, sizeof(to)));
}

static inline int packet_vnet(int sock)
{
	int one = 1;

	return neg(setsockopt(sock, SOL_PACKET, PACKET_VNET_HDR, &one,
			      sizeof(one)));
}

#endif
