// SPDX-License-Identifier: GPL-2.0
/*
 * vnveth - an interface with another interface at the other end
 *
 *	namespace A                                       namespace B
 *	stack -> vnveth_xmit() -+-> cell -> NAPI ----------------> stack
 *	                        |
 *	                        +-> ring -> NAPI -> [XDP] -> [GRO] -> stack
 *
 * and the same from B to A. The ring (rxq.c) is there while B has GRO or an
 * XDP program or A waits for a full ring; else the packet goes by way of the
 * CPU's cell (cell.c).
 *
 * Learn: what is taken off a packet when it changes namespaces; how it gets
 * from the sender's context into the receiver's; how a sender can wait for a
 * receiver; what two devices owe each other. How they are made, tied together
 * and taken apart as one is in vnveth_netlink.c.
 */
#include <linux/etherdevice.h>
#include <linux/if_arp.h>
#include <linux/if_vlan.h>
#include <linux/module.h>
#include <linux/net_tstamp.h>
#include <net/ip_tunnels.h>

#include "trace.h"
#include "vnic.h"

/* Without an Ethernet header there is only the protocol to go by. */
static bool vnveth_is_ip(const struct sk_buff *skb)
{
	return skb->protocol == htons(ETH_P_IP) ||
	       skb->protocol == htons(ETH_P_IPV6);
}

/* Links that take less off a packet than others, or have no Ethernet header. */
static noinline enum vnic_loss vnveth_cross_bare(struct net_device *dev,
						 struct net_device *peer,
						 struct sk_buff *skb)
{
	bool xnet = !net_eq(dev_net(dev), dev_net(peer));
	struct vnic_link *link = netdev_priv(dev);
	unsigned int flags = READ_ONCE(link->flags);

	if (flags & VNIC_LINK_L3 && !vnveth_is_ip(skb))
		return VNIC_LOSS_PROTOCOL;
	if (flags & VNIC_LINK_NO_SCRUB) {
		skb_scrub_packet(skb, false);
		/* Of the sender's clock, which may be another one. */
		if (xnet)
			skb_clear_tstamp(skb);
	} else {
		skb_scrub_packet(skb, xnet);
		skb->priority = 0;
	}
	if (flags & VNIC_LINK_L3) {
		skb->dev = peer;
		skb_reset_mac_header(skb);
		return VNIC_LOSSES;
	}
	skb->protocol = eth_type_trans(skb, peer);
	skb_postpull_rcsum(skb, eth_hdr(skb), ETH_HLEN);
	return VNIC_LOSSES;
}

/*
 * The receiver's part of a crossing, in the sender's context: may the packet
 * pass, and what of its past has to stay behind. Returns why it is lost, or
 * VNIC_LOSSES. The packet is the caller's still when it is.
 */
static enum vnic_loss vnveth_cross(struct net_device *dev,
				   struct net_device *peer,
				   struct sk_buff *skb)
{
	struct vnic_link *link = netdev_priv(dev);

	/* Pages of a sender must not wait for a receiver that never reads. */
	if (unlikely(skb_shinfo(skb)->flags & SKBFL_ZEROCOPY_ENABLE) &&
	    skb_orphan_frags(skb, GFP_ATOMIC))
		return VNIC_LOSS_UCOPY;
	if (unlikely(!__is_skb_forwardable(peer, skb, true)))
		return peer->flags & IFF_UP ? VNIC_LOSS_TOO_BIG :
					      VNIC_LOSS_DOWN;
	if (unlikely(READ_ONCE(link->flags) &
		     (VNIC_LINK_NO_SCRUB | VNIC_LINK_L3)))
		return vnveth_cross_bare(dev, peer, skb);

	skb_scrub_packet(skb, !net_eq(dev_net(dev), dev_net(peer)));
	skb->priority = 0;
	skb->protocol = eth_type_trans(skb, peer);
	/* Also CHECKSUM_PARTIAL, which has its bit; others lose nothing. */
	if (skb->ip_summed & CHECKSUM_COMPLETE)
		skb_postpull_rcsum(skb, eth_hdr(skb), ETH_HLEN);
	return VNIC_LOSSES;
}

/* The ring was full, and the sender's qdisc will keep the packet. */
static netdev_tx_t vnveth_wait(struct vnic_rxq *rxq, struct net_device *dev,
			       struct sk_buff *skb, unsigned int queue)
{
	unsigned int pulled = skb->data - skb_mac_header(skb);

	__skb_push(skb, pulled);
	skb_postpush_rcsum(skb, skb->data, pulled);
	skb->dev = dev;
	skb_set_queue_mapping(skb, queue);
	vnic_rxq_stop_tx(rxq, dev, netdev_get_tx_queue(dev, queue));
	return NETDEV_TX_BUSY;
}

/*
 * Hand a packet over that has crossed, by a ring, from a sender that has
 * something to be told of it. Returns why it is lost; VNIC_LOSSES if it is not;
 * VNIC_LOSSES + 1 if it waits in the sender's qdisc.
 */
static int vnveth_to_ring_told(struct net_device *dev, struct vnic_rxq *rxq,
			       struct sk_buff *skb, unsigned int len,
			       unsigned int flags)
{
	unsigned int queue = skb_get_queue_mapping(skb);
	struct netdev_queue *txq = netdev_get_tx_queue(dev, queue);
	bool room;

	/* Where nothing could be kept, nothing is stopped. */
	if (qdisc_txq_has_no_queue(txq))
		flags = 0;
	skb_set_queue_mapping(skb, 0);
	if (flags & VNIC_LINK_BQL)
		room = vnic_rxq_put_limited(rxq, skb, txq, len);
	else
		room = vnic_rxq_put(rxq, skb);
	if (likely(room)) {
		vnic_rxq_kick(rxq);
		/*
		 * Before it is met full: a packet that goes back to the qdisc
		 * can be put behind others that have gone back with it.
		 */
		if (flags & VNIC_LINK_BACKPRESSURE && vnic_rxq_is_full(rxq))
			vnic_rxq_stop_tx(rxq, dev, txq);
		return VNIC_LOSSES;
	}
	if (!(flags & VNIC_LINK_BACKPRESSURE))
		return VNIC_LOSS_FULL;
	vnveth_wait(rxq, dev, skb, queue);
	return VNIC_LOSSES + 1;
}

/*
 * The same from any sender. Apart, so that the way by the cell has few
 * registers to save.
 */
static noinline int vnveth_to_ring(struct net_device *dev,
				   struct vnic_rxqs *rxqs, struct sk_buff *skb,
				   unsigned int len)
{
	struct vnic_rxq *rxq = vnic_rxq_of_skb(rxqs, dev, skb);
	struct vnic_link *link = netdev_priv(dev);
	unsigned int flags = READ_ONCE(link->flags);

	if (unlikely(flags & (VNIC_LINK_BACKPRESSURE | VNIC_LINK_BQL)))
		return vnveth_to_ring_told(dev, rxq, skb, len, flags);
	skb_set_queue_mapping(skb, 0);
	if (unlikely(!vnic_rxq_put(rxq, skb)))
		return VNIC_LOSS_FULL;
	vnic_rxq_kick(rxq);
	return VNIC_LOSSES;
}

/* The same, by the cell if the receiver has no rings. */
static int vnveth_hand_over(struct net_device *dev, struct net_device *peer,
			    struct sk_buff *skb, unsigned int len)
{
	unsigned int count, queue = skb_get_queue_mapping(skb);
	struct vnic_link *other = netdev_priv(peer);
	struct vnic_rxqs *rxqs;

	rxqs = rcu_dereference_bh(other->rxqs);
	if (rxqs)
		return vnveth_to_ring(dev, rxqs, skb, len);
	/* The sender's queue says something only among many. */
	skb_set_queue_mapping(skb, 0);
	count = READ_ONCE(peer->real_num_rx_queues);
	if (count > 1)
		skb_record_rx_queue(skb, queue % count);
	return vnic_cell_add(skb) ? VNIC_LOSSES : VNIC_LOSS_BACKLOG;
}

/* Lost between two ends: both say so, and their sums agree. */
static __cold netdev_tx_t vnveth_lose(struct net_device *dev,
				      unsigned int queue,
				      struct net_device *peer,
				      struct sk_buff *skb, enum vnic_loss loss)
{
	vnic_lose_tx(dev, queue, skb, loss);
	if (peer)
		vnic_lose_rx(peer, 0, NULL, loss);
	return NET_XMIT_DROP;
}

/* Bottom halves are off in each transmit, which is an RCU section as well. */
static netdev_tx_t vnveth_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct vnic_link *link = netdev_priv(dev);
	struct net_device *peer = rcu_dereference_bh(link->peer);
	unsigned int queue = skb_get_queue_mapping(skb);
	unsigned int len = skb->len;
	int loss;

	if (unlikely(!peer))
		return vnveth_lose(dev, queue, NULL, skb, VNIC_LOSS_DOWN);
	if (unlikely(!pskb_may_pull(skb, dev->hard_header_len)))
		return vnveth_lose(dev, queue, peer, skb, VNIC_LOSS_SHORT);

	skb_tx_timestamp(skb);
	loss = vnveth_cross(dev, peer, skb);
	if (likely(loss == VNIC_LOSSES)) {
		vnic_trace(handover, dev, peer, queue, skb);
		loss = vnveth_hand_over(dev, peer, skb, len);
	}
	if (unlikely(loss < VNIC_LOSSES))
		return vnveth_lose(dev, queue, peer, skb, loss);
	if (unlikely(loss > VNIC_LOSSES))
		return NETDEV_TX_BUSY;
	vnic_count_tx(dev, queue, len);
	return NETDEV_TX_OK;
}

static int vnveth_open(struct net_device *dev)
{
	struct vnic_link *link = netdev_priv(dev);
	struct net_device *peer = rtnl_dereference(link->peer);
	int err;

	if (!peer)
		return -ENOTCONN;
	err = vnic_rxq_refresh(dev, dev->features);
	if (err)
		return err;
	if (peer->flags & IFF_UP) {
		netif_carrier_on(dev);
		netif_carrier_on(peer);
	}
	return 0;
}

static int vnveth_stop(struct net_device *dev)
{
	struct vnic_link *link = netdev_priv(dev);
	struct net_device *peer = rtnl_dereference(link->peer);

	netif_carrier_off(dev);
	if (peer)
		netif_carrier_off(peer);
	vnic_rxq_close(dev);
	/* It may be moved next: what was sent here is not for over there. */
	vnic_cell_flush(dev);
	return 0;
}

/*
 * No sender sees this end any more: vnveth_dellink() cleared the pointer and
 * the core has waited for RCU since. It will once more before it lets go of
 * the device, which outlasts the packets that are being delivered.
 */
static void vnveth_uninit(struct net_device *dev)
{
	vnic_cell_flush(dev);
}

static int vnveth_get_iflink(const struct net_device *dev)
{
	struct vnic_link *link = netdev_priv(dev);
	struct net_device *peer;
	int iflink;

	rcu_read_lock();
	peer = rcu_dereference(link->peer);
	iflink = peer ? READ_ONCE(peer->ifindex) : 0;
	rcu_read_unlock();
	return iflink;
}

/* Context: RCU, from a BPF redirect. */
static struct net_device *vnveth_get_peer_dev(struct net_device *dev)
{
	struct vnic_link *link = netdev_priv(dev);

	return rcu_dereference(link->peer);
}

/*
 * A packet crosses with the room it was made with: both make the larger of
 * what they were asked for, and XDP wants some of who sends to it.
 */
static void vnveth_make_room(struct net_device *dev, struct net_device *peer)
{
	struct vnveth *self = netdev_priv(dev), *other = netdev_priv(peer);
	int room = max(READ_ONCE(self->headroom), READ_ONCE(other->headroom));

	WRITE_ONCE(dev->needed_headroom,
		   rcu_access_pointer(other->link.xdp) ?
		   max(room, XDP_PACKET_HEADROOM) : room);
	WRITE_ONCE(peer->needed_headroom,
		   rcu_access_pointer(self->link.xdp) ?
		   max(room, XDP_PACKET_HEADROOM) : room);
}

static void vnveth_set_rx_headroom(struct net_device *dev, int headroom)
{
	struct vnveth *self = netdev_priv(dev);
	struct net_device *peer;

	rcu_read_lock();
	peer = rcu_dereference(self->link.peer);
	WRITE_ONCE(self->headroom, max(headroom, 0));
	if (peer)
		vnveth_make_room(dev, peer);
	rcu_read_unlock();
}

static int vnveth_validate_addr(struct net_device *dev)
{
	return dev->addr_len ? eth_validate_addr(dev) : 0;
}

static int vnveth_set_mac_address(struct net_device *dev, void *addr)
{
	return dev->addr_len ? eth_mac_addr(dev, addr) : -EOPNOTSUPP;
}

/* What a program without fragments sees is in one piece, so none is cut. */
static netdev_features_t vnveth_fix_features(struct net_device *dev,
					     netdev_features_t features)
{
	struct vnic_link *other, *link = netdev_priv(dev);
	struct net_device *peer = rtnl_dereference(link->peer);
	struct bpf_prog *prog;

	if (!peer)
		return features;
	other = netdev_priv(peer);
	prog = rtnl_dereference(other->xdp);
	if (prog && !prog->aux->xdp_has_frags)
		features &= ~NETIF_F_GSO_SOFTWARE;
	return features;
}

static int vnveth_set_features(struct net_device *dev,
			       netdev_features_t features)
{
	if ((features ^ dev->features) & NETIF_F_GRO)
		return vnic_rxq_refresh(dev, features);
	return 0;
}

/* The longest packet that a program can be shown. */
static unsigned int vnveth_xdp_max_mtu(const struct net_device *dev,
				       const struct bpf_prog *prog)
{
	unsigned int mtu = VNIC_FRAME_HEAD - VLAN_HLEN - dev->hard_header_len;

	if (prog->aux->xdp_has_frags)
		mtu += PAGE_SIZE * MAX_SKB_FRAGS;
	return min_t(unsigned int, mtu, ETH_MAX_MTU);
}

static int vnveth_xdp_check(struct net_device *dev, struct bpf_prog *prog,
			    struct netlink_ext_ack *extack)
{
	struct vnic_link *link = netdev_priv(dev);
	struct net_device *peer = rtnl_dereference(link->peer);

	if (!peer) {
		NL_SET_ERR_MSG(extack, "The other end is being deleted");
		return -ENOTCONN;
	}
	if (link->flags & VNIC_LINK_L3) {
		NL_SET_ERR_MSG(extack, "An L3 pair has no Ethernet headers to show to XDP");
		return -EOPNOTSUPP;
	}
	if (peer->mtu > vnveth_xdp_max_mtu(peer, prog)) {
		NL_SET_ERR_MSG(extack, "The peer's MTU is too large for this XDP program");
		return -ERANGE;
	}
	if (dev->real_num_rx_queues < peer->real_num_tx_queues) {
		NL_SET_ERR_MSG(extack, "XDP wants a receive queue per transmit queue of the peer");
		return -ENOSPC;
	}
	return 0;
}

/* What the sender may send depends on the program that sees it. */
static void vnveth_xdp_changed(struct net_device *dev, struct bpf_prog *prog)
{
	struct vnic_link *link = netdev_priv(dev);
	struct net_device *peer = rtnl_dereference(link->peer);

	if (!peer)
		return;
	if (prog && !prog->aux->xdp_has_frags)
		peer->hw_features &= ~NETIF_F_GSO_SOFTWARE;
	else
		peer->hw_features |= NETIF_F_GSO_SOFTWARE;
	peer->max_mtu = prog ? vnveth_xdp_max_mtu(peer, prog) : ETH_MAX_MTU;
	vnveth_make_room(dev, peer);
	netdev_update_features(peer);
}

static int vnveth_bpf(struct net_device *dev, struct netdev_bpf *bpf)
{
	int err = 0;

	if (bpf->command == XDP_SETUP_PROG && bpf->prog)
		err = vnveth_xdp_check(dev, bpf->prog, bpf->extack);
	if (!err)
		err = vnic_link_bpf(dev, bpf);
	if (!err)
		vnveth_xdp_changed(dev, bpf->prog);
	return err;
}

static int vnveth_xdp_xmit(struct net_device *dev, int n,
			   struct xdp_frame **frames, u32 flags)
{
	struct vnic_link *link = netdev_priv(dev);
	struct net_device *peer;
	int sent = -ENXIO;

	if (unlikely(flags & ~XDP_XMIT_FLAGS_MASK))
		return -EINVAL;
	if (unlikely(link->flags & VNIC_LINK_L3)) {
		vnic_stats_add(dev, 0, VNIC_STAT_TX_LOST + VNIC_LOSS_PROTOCOL,
			       n);
		return -EOPNOTSUPP;
	}
	rcu_read_lock();
	peer = rcu_dereference(link->peer);
	if (likely(peer))
		sent = vnic_xdpxmit(dev, peer, n, frames);
	else
		vnic_stats_add(dev, 0, VNIC_STAT_TX_LOST + VNIC_LOSS_DOWN, n);
	rcu_read_unlock();
	vnic_stats_add(dev, 0, VNIC_STAT_TX_XDP, max(sent, 0));
	vnic_stats_add(dev, 0, VNIC_STAT_TX_XDP_ERROR, n - max(sent, 0));
	return sent;
}

static const struct net_device_ops vnveth_netdev_ops = {
	.ndo_init		= vnic_link_init,
	.ndo_uninit		= vnveth_uninit,
	.ndo_open		= vnveth_open,
	.ndo_stop		= vnveth_stop,
	.ndo_start_xmit		= vnveth_xmit,
	.ndo_features_check	= passthru_features_check,
	.ndo_validate_addr	= vnveth_validate_addr,
	.ndo_set_mac_address	= vnveth_set_mac_address,
	VNIC_NDO_SET_RX_MODE,
	.ndo_get_stats64	= vnic_get_stats64,
	.ndo_get_iflink		= vnveth_get_iflink,
	.ndo_get_peer_dev	= vnveth_get_peer_dev,
	.ndo_fix_features	= vnveth_fix_features,
	.ndo_set_features	= vnveth_set_features,
	.ndo_set_rx_headroom	= vnveth_set_rx_headroom,
	.ndo_bpf		= vnveth_bpf,
	.ndo_xdp_xmit		= vnveth_xdp_xmit,
};

static const struct ethtool_ops vnveth_ethtool_ops = {
	.supported_coalesce_params = ETHTOOL_COALESCE_RX_USECS |
				     ETHTOOL_COALESCE_RX_MAX_FRAMES,
	.get_drvinfo		= vnic_get_drvinfo,
	.get_link		= ethtool_op_get_link,
	.get_ringparam		= vnic_link_get_ringparam,
	.set_ringparam		= vnic_link_set_ringparam,
	.get_coalesce		= vnic_link_get_coalesce,
	.set_coalesce		= vnic_link_set_coalesce,
	.get_channels		= vnic_link_get_channels,
	.set_channels		= vnic_link_set_channels,
	.get_sset_count		= vnic_stats_get_sset_count,
	.get_strings		= vnic_stats_get_strings,
	.get_ethtool_stats	= vnic_stats_get_ethtool_stats,
	.get_ts_info		= ethtool_op_get_ts_info,
	.get_link_ksettings	= vnic_get_link_ksettings,
};

static const netdev_features_t vnveth_vlan_features =
	NETIF_F_HW_VLAN_CTAG_TX | NETIF_F_HW_VLAN_CTAG_RX |
	NETIF_F_HW_VLAN_STAG_TX | NETIF_F_HW_VLAN_STAG_RX;

static const netdev_features_t vnveth_features =
	NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_HW_CSUM | NETIF_F_RXCSUM |
	NETIF_F_SCTP_CRC | NETIF_F_HIGHDMA | NETIF_F_GSO_SOFTWARE |
	NETIF_F_GSO_ENCAP_ALL | vnveth_vlan_features;

/**
 * vnveth_setup() - rtnl_link_ops::setup
 * @dev: the device
 *
 * Context: process.
 */
void vnveth_setup(struct net_device *dev)
{
	ether_setup(dev);
	vnic_link_setup(dev);

	dev->netdev_ops = &vnveth_netdev_ops;
	dev->ethtool_ops = &vnveth_ethtool_ops;

	/* The receiver changes what it gets, so it must not be shared. */
	dev->priv_flags &= ~IFF_TX_SKB_SHARING;
	dev->priv_flags |= IFF_PHONY_HEADROOM | IFF_DISABLE_NETPOLL;
	vnic_set_tstats(dev);
	vnic_set_xdp_features(dev, VNIC_XDP_RUN | VNIC_XDP_RUN_SG |
			      VNIC_XDP_XMIT | VNIC_XDP_XMIT_SG);
	dev->features |= vnveth_features;
	dev->hw_features = vnveth_features;
	dev->hw_enc_features = vnveth_features;
	dev->vlan_features = vnveth_features & ~vnveth_vlan_features;
	dev->mpls_features = NETIF_F_HW_CSUM | NETIF_F_GSO_SOFTWARE;
	netif_set_tso_max_size(dev, GSO_MAX_SIZE);
	dev->max_mtu = ETH_MAX_MTU;
}

/**
 * vnveth_setup_l3() - make it one without Ethernet headers
 * @dev: the device, not registered yet
 *
 * Context: process, RTNL held.
 */
void vnveth_setup_l3(struct net_device *dev)
{
	dev->header_ops = &ip_tunnel_header_ops;
	dev->type = ARPHRD_NONE;
	dev->hard_header_len = 0;
	dev->min_header_len = 0;
	dev->addr_len = 0;
	dev->flags &= ~IFF_BROADCAST;
	dev->flags |= IFF_POINTOPOINT | IFF_NOARP;
	/* A tag has no place without the header. */
	dev->features &= ~vnveth_vlan_features;
	dev->features |= NETIF_F_VLAN_CHALLENGED;
	dev->hw_features &= ~vnveth_vlan_features;
	vnic_set_xdp_features(dev, 0);
}

MODULE_ALIAS_RTNL_LINK(VNIC_KIND_VETH);
