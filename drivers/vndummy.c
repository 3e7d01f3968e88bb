// SPDX-License-Identifier: GPL-2.0
/*
 * vndummy - an interface with nothing at the other end
 *
 *	stack --> vndummy_xmit() --> counted, freed
 *	                         \
 *	                          +--> received again, if loopback is on
 *
 * The smallest complete driver of the house, and the one to read first: the
 * order of its parts (transmit, the other operations, ethtool, setup,
 * rtnl_link_ops) is that of every driver here. Learn: what the core asks of a
 * net_device at the very least, and that "transmitting" is to own a packet
 * until it is freed.
 */
#include <linux/etherdevice.h>
#include <linux/module.h>
#include <linux/net_tstamp.h>

#include "trace.h"
#include "vnic.h"

/**
 * struct vndummy - private data of a vndummy
 * @link: what it shares with vnveth; has to be first
 * @ksettings: what ``ethtool -s`` has set; under RTNL
 */
struct vndummy {
	struct vnic_link		link;
	struct ethtool_link_ksettings	ksettings;
};

/*
 * The packet comes back, by a ring or by way of the CPU's cell, never at once.
 * What is lost on the way was transmitted all the same, and lost in receive.
 */
static void vndummy_loop(struct sk_buff *skb, struct net_device *dev)
{
	struct vnic_link *link = netdev_priv(dev);
	enum vnic_loss loss = VNIC_LOSS_BACKLOG;
	unsigned int queue = 0;
	struct vnic_rxqs *rxqs;
	struct vnic_rxq *rxq;

	/* Netpoll comes with interrupts off, where nothing can be queued. */
	if (unlikely(in_hardirq() || irqs_disabled()))
		goto lose;
	loss = VNIC_LOSS_SHORT;
	if (unlikely(!pskb_may_pull(skb, ETH_HLEN)))
		goto lose;
	loss = VNIC_LOSS_UCOPY;
	if (skb_orphan_frags(skb, GFP_ATOMIC))
		goto lose;
	skb_scrub_packet(skb, false);
	skb->protocol = eth_type_trans(skb, dev);
	skb_postpull_rcsum(skb, eth_hdr(skb), ETH_HLEN);

	vnic_trace(handover, dev, dev, skb_get_queue_mapping(skb), skb);
	rcu_read_lock();
	rxqs = rcu_dereference(link->rxqs);
	if (rxqs) {
		rxq = vnic_rxq_of_skb(rxqs, dev, skb);
		queue = rxq->index;
		skb_set_queue_mapping(skb, 0);
		loss = VNIC_LOSS_FULL;
		if (likely(vnic_rxq_put(rxq, skb))) {
			vnic_rxq_kick(rxq);
			skb = NULL;
		}
	} else {
		skb_set_queue_mapping(skb, 0);
		loss = VNIC_LOSS_BACKLOG;
		if (likely(vnic_cell_add(skb)))
			skb = NULL;
	}
	rcu_read_unlock();
	if (likely(!skb))
		return;
lose:
	vnic_lose_rx(dev, queue, skb, loss);
}

/* Apart, so that who only swallows has few registers to save. */
static noinline netdev_tx_t vndummy_xmit_loop(struct sk_buff *skb,
					      struct net_device *dev)
{
	vnic_count_tx(dev, skb_get_queue_mapping(skb), skb->len);
	skb_tx_timestamp(skb);
	/* A generator may send one packet again and again. */
	skb = skb_share_check(skb, GFP_ATOMIC);
	if (skb)
		vndummy_loop(skb, dev);
	else
		vnic_lose_rx(dev, 0, NULL, VNIC_LOSS_NOMEM);
	return NETDEV_TX_OK;
}

static netdev_tx_t vndummy_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct vnic_link *link = netdev_priv(dev);

	if (unlikely(READ_ONCE(link->flags) & VNIC_LINK_LOOPBACK))
		return vndummy_xmit_loop(skb, dev);
	vnic_count_tx(dev, skb_get_queue_mapping(skb), skb->len);
	skb_tx_timestamp(skb);
	vnic_trace(deliver, dev, skb_get_queue_mapping(skb), skb,
		   VNIC_HOW_NOWHERE);

	/* Swallowed, not lost: consumed. */
	if (skb_shared(skb)) {
		/* A generator's, which will send it again. */
		if (!refcount_dec_and_test(&skb->users))
			return NETDEV_TX_OK;
		/* It has let go of it just now, and it is ours alone. */
		refcount_set(&skb->users, 1);
	}
	/*
	 * Heads of packets are freed many at a time where bottom halves are
	 * off, as they are in every transmit. Only netpoll comes from anywhere,
	 * with interrupts off: also from the middle of such a freeing.
	 */
	napi_consume_skb(skb, !in_hardirq() && !irqs_disabled());
	return NETDEV_TX_OK;
}

static int vndummy_open(struct net_device *dev)
{
	return vnic_rxq_refresh(dev, dev->features);
}

static int vndummy_stop(struct net_device *dev)
{
	vnic_rxq_close(dev);
	/* It may be moved next: what was sent here is not for over there. */
	vnic_cell_flush(dev);
	return 0;
}

/* The core has waited for who transmits, and waits for who receives. */
static void vndummy_uninit(struct net_device *dev)
{
	vnic_cell_flush(dev);
}

static int vndummy_change_carrier(struct net_device *dev, bool on)
{
	if (on)
		netif_carrier_on(dev);
	else
		netif_carrier_off(dev);
	return 0;
}

static int vndummy_set_features(struct net_device *dev,
				netdev_features_t features)
{
	if ((features ^ dev->features) & NETIF_F_GRO)
		return vnic_rxq_refresh(dev, features);
	return 0;
}

static int vndummy_xdp_xmit(struct net_device *dev, int n,
			    struct xdp_frame **frames, u32 flags)
{
	struct vnic_link *link = netdev_priv(dev);
	int i, sent = n;

	if (unlikely(flags & ~XDP_XMIT_FLAGS_MASK))
		return -EINVAL;
	if (READ_ONCE(link->flags) & VNIC_LINK_LOOPBACK) {
		rcu_read_lock();
		sent = vnic_xdpxmit(dev, dev, n, frames);
		rcu_read_unlock();
	} else {
		for (i = 0; i < n; i++) {
			vnic_count_tx(dev, 0, xdp_get_frame_len(frames[i]));
			xdp_return_frame(frames[i]);
		}
	}
	vnic_stats_add(dev, 0, VNIC_STAT_TX_XDP, sent);
	vnic_stats_add(dev, 0, VNIC_STAT_TX_XDP_ERROR, n - sent);
	return sent;
}

static const struct net_device_ops vndummy_netdev_ops = {
	.ndo_init		= vnic_link_init,
	.ndo_uninit		= vndummy_uninit,
	.ndo_open		= vndummy_open,
	.ndo_stop		= vndummy_stop,
	.ndo_start_xmit		= vndummy_xmit,
	.ndo_validate_addr	= eth_validate_addr,
	.ndo_set_mac_address	= eth_mac_addr,
	VNIC_NDO_SET_RX_MODE,
	.ndo_get_stats64	= vnic_get_stats64,
	.ndo_change_carrier	= vndummy_change_carrier,
	.ndo_set_features	= vndummy_set_features,
	.ndo_bpf		= vnic_link_bpf,
	.ndo_xdp_xmit		= vndummy_xdp_xmit,
};

static int vndummy_get_ksettings(struct net_device *dev,
				 struct ethtool_link_ksettings *cmd)
{
	struct vndummy *self = netdev_priv(dev);

	*cmd = self->ksettings;
	return 0;
}

static int vndummy_set_ksettings(struct net_device *dev,
				 const struct ethtool_link_ksettings *cmd)
{
	struct vndummy *self = netdev_priv(dev);

	self->ksettings = *cmd;
	return 0;
}

static const struct ethtool_ops vndummy_ethtool_ops = {
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
	.get_link_ksettings	= vndummy_get_ksettings,
	.set_link_ksettings	= vndummy_set_ksettings,
};

static const netdev_features_t vndummy_features =
	NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_HW_CSUM | NETIF_F_HIGHDMA |
	NETIF_F_GSO_SOFTWARE | NETIF_F_GSO_ENCAP_ALL;

static void vndummy_setup(struct net_device *dev)
{
	struct vndummy *self = netdev_priv(dev);

	ether_setup(dev);
	vnic_link_setup(dev);

	dev->netdev_ops = &vndummy_netdev_ops;
	dev->ethtool_ops = &vndummy_ethtool_ops;

	/* Nobody answers here, so nobody is asked. */
	dev->flags |= IFF_NOARP;
	dev->flags &= ~IFF_MULTICAST;
	vnic_set_xdp_features(dev, VNIC_XDP_RUN | VNIC_XDP_RUN_SG |
			      VNIC_XDP_XMIT | VNIC_XDP_XMIT_SG);
	dev->features |= vndummy_features;
	dev->hw_features |= dev->features;
	dev->hw_enc_features |= dev->features;
	eth_hw_addr_random(dev);
	vnic_get_link_ksettings(dev, &self->ksettings);

	dev->min_mtu = 0;
	dev->max_mtu = 0;
}

static int vndummy_validate(struct nlattr *tb[], struct nlattr *data[],
			    struct netlink_ext_ack *extack)
{
	return vnic_validate(tb, BIT_ULL(VNIC_DUMMY_LOOPBACK), 0, extack);
}

static int vndummy_changelink(struct net_device *dev, struct nlattr *tb[],
			      struct nlattr *data[],
			      struct netlink_ext_ack *extack)
{
	struct vnic_link *link = netdev_priv(dev);

	if (!data || !data[VNIC_DUMMY_LOOPBACK])
		return 0;
	return vnic_link_set_flags(dev,
				   vnic_link_flag(link->flags,
						  VNIC_LINK_LOOPBACK,
						  data[VNIC_DUMMY_LOOPBACK]));
}

static int vndummy_newlink(struct net_device *dev,
			   struct rtnl_newlink_params *params,
			   struct netlink_ext_ack *extack)
{
	int err = vndummy_changelink(dev, params->tb, params->data, extack);

	return err ?: vnic_register(dev, extack);
}

VNIC_NEWLINK(vndummy_newlink, 0, vndummy_validate)

static size_t vndummy_get_size(const struct net_device *dev)
{
	return nla_total_size(sizeof(u8));	/* VNIC_DUMMY_LOOPBACK */
}

static int vndummy_fill_info(struct sk_buff *skb, const struct net_device *dev)
{
	struct vnic_link *link = netdev_priv(dev);

	return nla_put_u8(skb, VNIC_DUMMY_LOOPBACK,
			  !!(READ_ONCE(link->flags) & VNIC_LINK_LOOPBACK));
}

static const struct nla_policy vndummy_policy[] = {
	[VNIC_DUMMY_LOOPBACK] = NLA_POLICY_MAX(NLA_U8, 1),
};

struct rtnl_link_ops vndummy_link_ops = {
	.kind		= VNIC_KIND_DUMMY,
	.priv_size	= sizeof(struct vndummy),
	.setup		= vndummy_setup,
	.validate	= vndummy_validate,
	.newlink	= VNIC_NEWLINK_OP(vndummy_newlink),
	.changelink	= vndummy_changelink,
	.maxtype	= ARRAY_SIZE(vndummy_policy) - 1,
	.policy		= vndummy_policy,
	.get_size	= vndummy_get_size,
	.fill_info	= vndummy_fill_info,
};

MODULE_ALIAS_RTNL_LINK(VNIC_KIND_DUMMY);
