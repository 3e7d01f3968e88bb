// SPDX-License-Identifier: GPL-2.0
/*
 * vnet - virtio headers: what is left to do with a packet
 *
 * With IFF_VNET_HDR each packet on the fd has one in front, and each packet of
 * a batch has one beside it: fill in this checksum, cut this into segments.
 * What the program says is hostile until it was compared with the packet; a
 * header that is not true is refused here, and the stack never sees it.
 *
 * Virtio 1.3, 5.1.6 "Device Operation"; <linux/virtio_net.h> has the layouts,
 * and the rules are those of the newest kernel, on all kernels.
 */
#include <linux/if_vlan.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <linux/uio.h>
#include <linux/virtio_byteorder.h>
#include <net/flow_dissector.h>
#include <net/tcp.h>

#include "vnic.h"

/* More than these nobody has defined. */
#define VNIC_VNET_FLAGS		(VIRTIO_NET_HDR_F_NEEDS_CSUM | \
				 VIRTIO_NET_HDR_F_DATA_VALID | \
				 VIRTIO_NET_HDR_F_RSC_INFO | \
				 VIRTIO_NET_HDR_F_UDP_TUNNEL_CSUM)

/* The shortest header with the fields of tunnels. */
#define VNIC_VNET_TUNNEL_LEN	sizeof(struct vnic_vnet)

/**
 * vnic_vnet_encode() - from the CPU's order into little endian
 * @offload: the header
 * @vnet: written here, every byte of it
 *
 * Context: any.
 */
void vnic_vnet_encode(const struct vnic_offload *offload,
		      struct vnic_vnet *vnet)
{
	*vnet = (struct vnic_vnet) {
		.flags		 = offload->flags,
		.gso_type	 = offload->gso_type,
		.hdr_len	 = cpu_to_le16(offload->hdr_len),
		.gso_size	 = cpu_to_le16(offload->gso_size),
		.csum_start	 = cpu_to_le16(offload->csum_start),
		.csum_offset	 = cpu_to_le16(offload->csum_offset),
		.outer_th_offset = cpu_to_le16(offload->outer_th),
		.inner_nh_offset = cpu_to_le16(offload->inner_nh),
	};
}

/* In which order does the program speak? Before virtio 1 in the CPU's. */
static bool vnic_vnet_is_le(unsigned int flags)
{
	if (flags & VNIC_QUEUE_LE)
		return true;
	if (IS_ENABLED(CONFIG_TUN_VNET_CROSS_LE) && (flags & VNIC_QUEUE_BE))
		return false;
	return virtio_legacy_is_little_endian();
}

/**
 * vnic_vnet_pull() - read the header that is in front of a packet
 * @flags: the queue's, for the byte order
 * @len: bytes that the header has, 10 or more
 * @from: header and packet; at the packet afterwards
 * @offload: written here
 *
 * Context: process.
 * Return: 0, -EINVAL (too short for the header) or -EFAULT.
 */
int vnic_vnet_pull(unsigned int flags, unsigned int len, struct iov_iter *from,
		   struct vnic_offload *offload)
{
	unsigned int known = sizeof(struct virtio_net_hdr);
	bool le = vnic_vnet_is_le(flags);
	struct virtio_net_hdr *legacy;
	struct vnic_vnet vnet = { };

	if (iov_iter_count(from) < len)
		return -EINVAL;
	if (len >= VNIC_VNET_TUNNEL_LEN)
		known = VNIC_VNET_TUNNEL_LEN;
	/* Of a constant length, of which hardened usercopy need not be asked. */
	if (known == VNIC_VNET_TUNNEL_LEN ?
	    !copy_from_iter_full(&vnet, VNIC_VNET_TUNNEL_LEN, from) :
	    !copy_from_iter_full(&vnet, sizeof(*legacy), from))
		return -EFAULT;
	iov_iter_advance(from, len - known);

	/* The fields of tunnels are little endian in any case. */
	vnic_vnet_decode(&vnet, offload);
	legacy = (struct virtio_net_hdr *)&vnet;
	offload->hdr_len = __virtio16_to_cpu(le, legacy->hdr_len);
	offload->gso_size = __virtio16_to_cpu(le, legacy->gso_size);
	offload->csum_start = __virtio16_to_cpu(le, legacy->csum_start);
	offload->csum_offset = __virtio16_to_cpu(le, legacy->csum_offset);
	offload->tunnel = known == VNIC_VNET_TUNNEL_LEN;
	return 0;
}

/**
 * vnic_vnet_push() - write the header in front of a packet
 * @flags: the queue's, for the byte order
 * @len: bytes that the header has, 10 or more; those that mean nothing are 0
 * @to: where to; at the packet afterwards
 * @offload: what to write
 *
 * Context: process.
 * Return: 0, -EINVAL (no room for the header) or -EFAULT.
 */
int vnic_vnet_push(unsigned int flags, unsigned int len, struct iov_iter *to,
		   const struct vnic_offload *offload)
{
	unsigned int known = sizeof(struct virtio_net_hdr);
	bool le = vnic_vnet_is_le(flags);
	struct virtio_net_hdr *legacy;
	struct vnic_vnet vnet;

	if (iov_iter_count(to) < len)
		return -EINVAL;
	if (len >= VNIC_VNET_TUNNEL_LEN)
		known = VNIC_VNET_TUNNEL_LEN;
	vnic_vnet_encode(offload, &vnet);
	legacy = (struct virtio_net_hdr *)&vnet;
	legacy->hdr_len = __cpu_to_virtio16(le, offload->hdr_len);
	legacy->gso_size = __cpu_to_virtio16(le, offload->gso_size);
	legacy->csum_start = __cpu_to_virtio16(le, offload->csum_start);
	legacy->csum_offset = __cpu_to_virtio16(le, offload->csum_offset);
	if (copy_to_iter(&vnet, known, to) != known ||
	    iov_iter_zero(len - known, to) != len - known)
		return -EFAULT;
	return 0;
}

/**
 * vnic_vnet_check() - can the header be true of a packet of that length?
 * @offload: the header
 * @len: bytes of the packet
 * @tap: it begins with an Ethernet header
 *
 * Everything that does not need a look into the packet.
 *
 * Context: any.
 * Return: 0 or -EINVAL.
 */
int vnic_vnet_check(const struct vnic_offload *offload, size_t len, bool tap)
{
	size_t hdr_len = offload->hdr_len;

	if (offload->flags & ~VNIC_VNET_FLAGS)
		return -EINVAL;
	if (offload->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		hdr_len = max_t(size_t, hdr_len, (size_t)offload->csum_start +
				offload->csum_offset + sizeof(__sum16));
	if (hdr_len > len)
		return -EINVAL;
	if (tap && hdr_len && hdr_len < ETH_HLEN)
		return -EINVAL;
	/* 0 would cut for ever; 65535 means something else to the stack. */
	if (offload->gso_type != VIRTIO_NET_HDR_GSO_NONE &&
	    (!offload->gso_size || offload->gso_size == GSO_BY_FRAGS))
		return -EINVAL;
	return 0;
}

/**
 * struct vnic_gso - what a kind of segmentation asks of the packet
 * @type: SKB_GSO_*, or 0
 * @ip_proto: IPPROTO_*
 * @nh_len: the least bytes of its IP header
 * @th_len: the least bytes of its transport header
 * @check: where the transport header has its checksum
 */
struct vnic_gso {
	unsigned int	type;
	u8		ip_proto;
	unsigned int	nh_len;
	unsigned int	th_len;
	unsigned int	check;
};

static int vnic_vnet_gso(u8 gso_type, struct vnic_gso *gso)
{
	*gso = (struct vnic_gso) {
		.ip_proto = IPPROTO_UDP,
		.nh_len = sizeof(struct iphdr),
		.th_len = sizeof(struct udphdr),
		.check = offsetof(struct udphdr, check),
	};
	switch (gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_TCPV6:
		gso->type = SKB_GSO_TCPV6;
		gso->nh_len = sizeof(struct ipv6hdr);
		break;
	case VIRTIO_NET_HDR_GSO_TCPV4:
		gso->type = SKB_GSO_TCPV4;
		break;
	case VIRTIO_NET_HDR_GSO_UDP:
		gso->type = SKB_GSO_UDP;
		break;
	case VIRTIO_NET_HDR_GSO_UDP_L4:
		gso->type = SKB_GSO_UDP_L4;
		break;
	default:
		return -EINVAL;
	}
	if (gso->type & (SKB_GSO_TCPV4 | SKB_GSO_TCPV6)) {
		gso->ip_proto = IPPROTO_TCP;
		gso->th_len = sizeof(struct tcphdr);
		gso->check = offsetof(struct tcphdr, check);
	}
	if (gso_type & VIRTIO_NET_HDR_GSO_ECN)
		gso->type |= SKB_GSO_TCP_ECN;
	return 0;
}

/* Is it the IP version that the segmentation is for? */
static bool vnic_vnet_is_version(const struct vnic_gso *gso, __be16 proto)
{
	if (gso->type & SKB_GSO_TCPV4)
		return proto == htons(ETH_P_IP);
	if (gso->type & SKB_GSO_TCPV6)
		return proto == htons(ETH_P_IPV6);
	return proto == htons(ETH_P_IP) || proto == htons(ETH_P_IPV6);
}

/* No word of where the transport header is: look. Returns its end or less. */
static int vnic_vnet_find_transport(struct sk_buff *skb,
				    const struct vnic_gso *gso)
{
	struct flow_keys_basic keys;

	if (!skb_flow_dissect_flow_keys_basic(NULL, skb, &keys, NULL, 0, 0, 0,
					      0) ||
	    keys.basic.ip_proto != gso->ip_proto ||
	    !vnic_vnet_is_version(gso, keys.basic.n_proto) ||
	    !pskb_may_pull(skb, keys.control.thoff + gso->th_len))
		return -EINVAL;
	skb_set_transport_header(skb, keys.control.thoff);
	return keys.control.thoff + gso->th_len;
}

/* Returns where the transport header ends, or -EINVAL. */
static int vnic_vnet_set_csum(struct sk_buff *skb,
			      const struct vnic_offload *offload,
			      const struct vnic_gso *gso)
{
	unsigned int start = offload->csum_start;
	unsigned int needed = start + max_t(unsigned int, gso->th_len,
					    offload->csum_offset +
					    sizeof(__sum16));

	if (!pskb_may_pull(skb, needed) ||
	    !skb_partial_csum_set(skb, start, offload->csum_offset) ||
	    start < gso->nh_len)
		return -EINVAL;
	return start + gso->th_len;
}

static int vnic_vnet_set_gso(struct sk_buff *skb,
			     const struct vnic_offload *offload,
			     const struct vnic_gso *gso, unsigned int hdr_len)
{
	struct skb_shared_info *shinfo = skb_shinfo(skb);
	bool partial = skb->ip_summed == CHECKSUM_PARTIAL;
	unsigned int size = offload->gso_size;

	if (partial && !(gso->type & SKB_GSO_UDP) &&
	    skb->csum_offset != gso->check)
		return -EINVAL;
	if (gso->type & SKB_GSO_UDP_L4) {
		if (!partial || gso->type != SKB_GSO_UDP_L4 ||
		    skb->len - hdr_len > size * UDP_MAX_SEGMENTS)
			return -EINVAL;
	} else if (gso->type & SKB_GSO_UDP) {
		/* Fragments of IP: their size need not count UDP's header. */
		hdr_len -= gso->th_len;
	} else {
		/* Fewer segments than the stack counts in 16 bits. */
		size = max_t(unsigned int, size, TCP_MIN_GSO_SIZE);
	}
	/* A packet that is one segment already needs no cutting. */
	if (skb->len - hdr_len <= size)
		return 0;
	shinfo->gso_size = size;
	/* Who cuts it shall look at its headers, and count. */
	shinfo->gso_type = gso->type | SKB_GSO_DODGY;
	shinfo->gso_segs = 0;
	return 0;
}

/**
 * vnic_vnet_to_skb() - apply a header to the packet that it came with
 * @skb: the packet; its data begin with what the offsets count from, its MAC
 *	and network header and its protocol are set
 * @offload: a header that vnic_vnet_check() has let pass
 *
 * Context: process.
 * Return: 0 or -EINVAL.
 */
int vnic_vnet_to_skb(struct sk_buff *skb, const struct vnic_offload *offload)
{
	struct vnic_gso gso = { .nh_len = sizeof(struct iphdr) };
	int hdr_len;

	if (offload->gso_type & VIRTIO_NET_HDR_GSO_UDP_TUNNEL)
		return vnic_vnet_tunnel_to_skb(skb, offload);
	if (offload->gso_type != VIRTIO_NET_HDR_GSO_NONE &&
	    vnic_vnet_gso(offload->gso_type, &gso))
		return -EINVAL;

	if (offload->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		hdr_len = vnic_vnet_set_csum(skb, offload, &gso);
	else if (gso.type)
		hdr_len = vnic_vnet_find_transport(skb, &gso);
	else
		return 0;
	if (hdr_len < 0)
		return hdr_len;
	return gso.type ? vnic_vnet_set_gso(skb, offload, &gso, hdr_len) : 0;
}

/**
 * vnic_vnet_from_skb() - say what is left to do with a packet of the stack's
 * @skb: the packet; an accelerated VLAN tag will be written into it
 * @tunnel: the reader has fields for tunnels
 * @offload: written here
 *
 * Context: process.
 * Return: 0, or -EINVAL for what no header can tell.
 */
int vnic_vnet_from_skb(const struct sk_buff *skb, bool tunnel,
		       struct vnic_offload *offload)
{
	unsigned int vlan_len = skb_vlan_tag_present(skb) ? VLAN_HLEN : 0;
	const struct skb_shared_info *shinfo = skb_shinfo(skb);

	*offload = (struct vnic_offload) { .tunnel = tunnel };
	if (skb_is_gso(skb)) {
		if (shinfo->gso_type & (SKB_GSO_UDP_TUNNEL |
					SKB_GSO_UDP_TUNNEL_CSUM))
			return vnic_vnet_tunnel_from_skb(skb, offload);
		if (shinfo->gso_type & SKB_GSO_TCPV4)
			offload->gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
		else if (shinfo->gso_type & SKB_GSO_TCPV6)
			offload->gso_type = VIRTIO_NET_HDR_GSO_TCPV6;
		else if (shinfo->gso_type & SKB_GSO_UDP_L4)
			offload->gso_type = VIRTIO_NET_HDR_GSO_UDP_L4;
		else
			return -EINVAL;
		if (shinfo->gso_type & SKB_GSO_TCP_ECN)
			offload->gso_type |= VIRTIO_NET_HDR_GSO_ECN;
		offload->gso_size = shinfo->gso_size;
		offload->hdr_len = skb_headlen(skb);
	}
	if (skb->ip_summed == CHECKSUM_PARTIAL) {
		offload->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		offload->csum_start = skb_checksum_start_offset(skb) + vlan_len;
		offload->csum_offset = skb->csum_offset;
	} else if (skb->ip_summed == CHECKSUM_UNNECESSARY) {
		offload->flags = VIRTIO_NET_HDR_F_DATA_VALID;
	}
	return 0;
}
