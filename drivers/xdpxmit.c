// SPDX-License-Identifier: GPL-2.0
/*
 * xdpxmit - frames that XDP sends to a vndummy or vnveth
 *
 *	another device --> ndo_xdp_xmit --+--> ring of a receive queue
 *	                                  |
 *	                                  +--> skb --> cell, if there is none
 *
 * The receiver needs neither a program nor GRO, only to be up.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/netdevice.h>
#include <net/flow_dissector.h>
#include <net/xdp.h>

#include "vnic.h"

/* Apart, so that where there is no choice there are no keys to clear. */
static noinline struct vnic_rxq *vnic_xdpxmit_of_flow(struct vnic_rxqs *rxqs,
						      struct net_device *dev,
						      struct xdp_frame *frame)
{
	const struct ethhdr *eth = frame->data;
	struct flow_keys keys = {};

	__skb_flow_dissect(dev_net(dev), NULL, &flow_keys_dissector, &keys,
			   frame->data, eth->h_proto, ETH_HLEN, frame->len, 0);
	return &rxqs->queue[reciprocal_scale(flow_hash_from_keys(&keys),
					     rxqs->count)];
}

static struct vnic_rxq *vnic_xdpxmit_queue(struct vnic_rxqs *rxqs,
					   struct net_device *dev,
					   struct xdp_frame *frame)
{
	if (rxqs->count == 1 || frame->len < ETH_HLEN)
		return &rxqs->queue[0];
	return vnic_xdpxmit_of_flow(rxqs, dev, frame);
}

/**
 * vnic_xdpxmit_build() - make a packet of a frame
 * @frame: the frame, whose memory is the packet's if there is one
 * @dev: the device that receives it
 *
 * The head of the packet is, if there are any, one of those that were freed
 * in this or another poll: a frame was often made of a packet just before.
 *
 * Context: bottom halves off, interrupts on.
 * Return: the packet, as after eth_type_trans(); NULL if there is no memory.
 */
struct sk_buff *vnic_xdpxmit_build(struct xdp_frame *frame,
				   struct net_device *dev)
{
	unsigned int room = sizeof(*frame) + frame->headroom;
	struct sk_buff *skb;

	if (xdp_frame_has_frags(frame) ||
	    vnic_frame_mem_type(frame) != MEM_TYPE_PAGE_SHARED)
		return xdp_build_skb_from_frame(frame, dev);
	skb = napi_build_skb(frame->data - room, frame->frame_sz);
	if (unlikely(!skb))
		return NULL;
	skb_reserve(skb, room);
	__skb_put(skb, frame->len);
	if (frame->metasize)
		skb_metadata_set(skb, frame->metasize);
	skb->protocol = eth_type_trans(skb, dev);
	/* It lies in the packet's room, which others will read. */
	xdp_scrub_frame(frame);
	return skb;
}

/*
 * A frame for a device without rings. Takes it, whatever becomes of it, if
 * there is memory for an skb.
 */
static int vnic_xdpxmit_cell(struct net_device *dev, struct xdp_frame *frame)
{
	struct sk_buff *skb = vnic_xdpxmit_build(frame, dev);

	if (!skb)
		return -ENOMEM;
	if (vnic_cell_add(skb))
		return 0;
	vnic_lose_rx(dev, 0, skb, VNIC_LOSS_BACKLOG);
	return -ENOBUFS;
}

/**
 * vnic_xdpxmit() - frames that XDP sends from one device to another
 * @sender: the device that transmits them, and counts
 * @dev: the device that receives them
 * @n: how many
 * @frames: them; those that were taken are ours
 *
 * Context: softirq, or process with bottom halves off; RCU.
 * Return: how many were taken; the others are the caller's, and counted as
 * lost.
 */
int vnic_xdpxmit(struct net_device *sender, struct net_device *dev, int n,
		 struct xdp_frame **frames)
{
	unsigned int len, max = dev->mtu + dev->hard_header_len + VLAN_HLEN;
	struct vnic_link *link = netdev_priv(dev);
	struct vnic_rxqs *rxqs = rcu_dereference(link->rxqs);
	struct vnic_rxq *rxq, *last = NULL;
	enum vnic_loss loss = VNIC_LOSS_DOWN;
	int i, sent, err = 0;

	for (i = 0; i < n && (dev->flags & IFF_UP); i++) {
		len = xdp_get_frame_len(frames[i]);
		loss = VNIC_LOSS_TOO_BIG;
		if (unlikely(len > max))
			break;
		if (rxqs) {
			rxq = vnic_xdpxmit_queue(rxqs, dev, frames[i]);
			if (last && last != rxq)
				vnic_rxq_kick(last);
			last = rxq;
			loss = VNIC_LOSS_FULL;
			if (!vnic_rxq_put(rxq, vnic_ring_from_xdp(frames[i])))
				break;
		} else {
			err = vnic_xdpxmit_cell(dev, frames[i]);
			loss = VNIC_LOSS_NOMEM;
			if (err == -ENOMEM)
				break;
		}
		if (err)
			vnic_lose_tx(sender, 0, NULL, VNIC_LOSS_BACKLOG);
		else
			vnic_count_tx(sender, 0, len);
	}
	if (last)
		vnic_rxq_kick(last);
	sent = i;
	for (; i < n; i++) {
		vnic_lose_tx(sender, 0, NULL, loss);
		vnic_lose_rx(dev, 0, NULL, loss);
	}
	return sent;
}
