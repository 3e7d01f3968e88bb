// SPDX-License-Identifier: GPL-2.0
/*
 * packet - frames and virtio headers, true to begin with, then changed
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/virtio_net.h>

#include "fuzz.h"

static void put16(unsigned char *at, unsigned int value)
{
	at[0] = value >> 8;
	at[1] = value;
}

/* Returns how many bytes the frame's header has. */
static size_t put_ethernet(struct rng *rng, unsigned char *at, bool v6)
{
	static const __u16 types[] = { ETH_P_ARP, 0x88b5, 0, 0x05dc, ETH_P_LOOP,
				       ETH_P_8021Q, 0x8847, 0xffff };
	unsigned int tags = rng_one_in(rng, 4) ? rng_below(rng, 4) : 0, i;
	size_t n = 12;

	for (i = 0; i < 12; i++)
		at[i] = rng_one_in(rng, 2) ? 0xff : rng_next(rng);
	if (!rng_one_in(rng, 4))
		at[6] &= ~1;
	while (tags--) {
		put16(at + n, rng_one_in(rng, 3) ? 0x88a8 : ETH_P_8021Q);
		put16(at + n + 2, rng_next(rng));
		n += 4;
	}
	put16(at + n, v6 ? ETH_P_IPV6 : ETH_P_IP);
	if (rng_one_in(rng, 8))
		put16(at + n, types[rng_below(rng, COUNT_OF(types))]);
	return n + 2;
}

static const __u8 protocols[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_TCP,
				  IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_ICMPV6,
				  IPPROTO_GRE, IPPROTO_FRAGMENT,
				  IPPROTO_IPIP, IPPROTO_ESP };

static size_t put_ip(struct rng *rng, unsigned char *at, bool v6, size_t rest,
		     __u8 *protocol)
{
	size_t size = 40, i;

	*protocol = protocols[rng_below(rng, COUNT_OF(protocols))];
	if (v6) {
		at[0] = 0x60;
		put16(at + 4, rest);
		at[6] = *protocol;
		at[7] = 64;
		for (i = 8; i < 40; i++)
			at[i] = i % 16 == 8 ? 0xfe : i % 16 == 7;
		return size;
	}
	/* With options, or with fewer words than there have to be. */
	size = rng_one_in(rng, 6) ? rng_below(rng, 16) * 4 : 20;
	at[0] = 0x40 | size / 4;
	if (size < 20)
		size = 20;
	put16(at + 2, size + rest);
	put16(at + 6, rng_one_in(rng, 6) ? rng_next(rng) : 0x4000);
	at[8] = 64;
	at[9] = *protocol;
	at[12] = 10;
	at[15] = 1;
	at[16] = rng_one_in(rng, 3) ? 224 : 10;
	at[19] = 2;
	return size;
}

static size_t put_transport(struct rng *rng, unsigned char *at, __u8 protocol,
			    size_t payload)
{
	size_t size;

	put16(at, rng_one_in(rng, 3) ? 4789 : 1000);
	put16(at + 2, rng_one_in(rng, 3) ? 4789 : 2000);
	if (protocol == IPPROTO_TCP) {
		size = rng_one_in(rng, 6) ? rng_below(rng, 16) * 4 : 20;
		at[12] = size << 2;
		at[13] = rng_one_in(rng, 3) ? rng_next(rng) : 0x10;
		put16(at + 4, rng_next(rng) % 4);
		return size < 20 ? 20 : size;
	}
	put16(at + 4, 8 + payload);
	return 8;
}

static size_t payload_size(struct rng *rng, size_t room)
{
	static const unsigned int sizes[] = {
		0, 1, 60, 500, 1400, 1460, 3000, 4096, 9000, 16384, 32768,
		60000, 65400, 65535, 65550, 70000,
	};
	/* Long ones take long. */
	size_t n = sizes[rng_below(rng, rng_one_in(rng, 6) ?
				   COUNT_OF(sizes) : 7)];

	n += rng_below(rng, 16);
	return n < room ? n : room;
}

static void corrupt(struct rng *rng, struct packet *packet)
{
	unsigned int changes = 1 + rng_below(rng, 4);
	size_t reach = packet->payload < packet->len ? packet->payload + 1 :
						       packet->len;

	while (changes-- && reach)
		packet->data[rng_below(rng, reach)] = rng_next(rng);
	/* Cut somewhere, mostly where a header is. */
	if (rng_one_in(rng, 3))
		packet->len = rng_below(rng, rng_one_in(rng, 4) ?
					packet->len + 1 : reach + 1);
}

/**
 * packet_make() - a packet that may be a lie
 * @rng: where from
 * @packet: @packet->data is where to; the rest is written here
 * @room: bytes that there are
 * @tap: with an Ethernet header
 */
void packet_make(struct rng *rng, struct packet *packet, size_t room, bool tap)
{
	size_t payload = payload_size(rng, room - 256);
	unsigned char *at = packet->data;
	__u8 protocol;

	memset(at, 0, 256);
	packet->v6 = rng_one_in(rng, 2);
	packet->l3 = tap ? put_ethernet(rng, at, packet->v6) : 0;
	packet->l4 = packet->l3 + put_ip(rng, at + packet->l3, packet->v6,
					 payload + 20, &protocol);
	packet->tcp = protocol == IPPROTO_TCP;
	packet->payload = packet->l4 + put_transport(rng, at + packet->l4,
						     protocol, payload);
	packet->len = packet->payload + payload;
	if (rng_one_in(rng, 2))
		corrupt(rng, packet);
}

static void vnet_change(struct rng *rng, const struct packet *packet,
			struct vnic_vnet *vnet)
{
	const __u16 values[] = {
		0, 1, 13, 14, 20, 34, 40, 54, 64, packet->l3, packet->l4,
		packet->l4 - 1, packet->payload, packet->payload + 1,
		packet->len - 2, packet->len - 1, packet->len,
		packet->len + 1, 0x7fff, 0xfffe, 0xffff, 6, 16,
	};
	__u16 value = values[rng_below(rng, COUNT_OF(values))];

	switch (rng_below(rng, 8)) {
	case 0:
		vnet->flags = rng_next(rng);
		break;
	case 1:
		vnet->gso_type = rng_next(rng);
		break;
	case 2:
		vnet->hdr_len = htole16(value);
		break;
	case 3:
		vnet->gso_size = htole16(value);
		break;
	case 4:
		vnet->csum_start = htole16(value);
		break;
	case 5:
		vnet->csum_offset = htole16(value);
		break;
	case 6:
		vnet->outer_th_offset = htole16(value);
		break;
	default:
		vnet->inner_nh_offset = htole16(value);
		break;
	}
}

/**
 * packet_vnet() - a virtio header for it that may be a lie
 * @rng: where from
 * @packet: the packet
 * @vnet: written here; what is reserved is 0
 */
void packet_vnet(struct rng *rng, const struct packet *packet,
		 struct vnic_vnet *vnet)
{
	unsigned int changes = rng_one_in(rng, 2) ? rng_below(rng, 4) : 0;

	memset(vnet, 0, sizeof(*vnet));
	if (!rng_one_in(rng, 3)) {
		vnet->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		vnet->csum_start = htole16(packet->l4);
		vnet->csum_offset = htole16(packet->tcp ? 16 : 6);
	}
	if (rng_one_in(rng, 2)) {
		vnet->gso_type = packet->tcp ? packet->v6 ?
			VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4 :
			rng_one_in(rng, 2) ? VIRTIO_NET_HDR_GSO_UDP : 5;
		vnet->gso_size = htole16(1 + rng_below(rng, 1500));
		vnet->hdr_len = htole16(packet->payload);
	}
	while (changes--)
		vnet_change(rng, packet, vnet);
}
