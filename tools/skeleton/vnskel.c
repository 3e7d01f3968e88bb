// SPDX-License-Identifier: GPL-2.0
/*
 * vnskel - an interface with a mirror at the other end
 *
 *	stack --> xmit --> counted, freed
 *	              \
 *	               +--> turned round --> cell --> stack
 *
 * Written by tools/new-kind, to be made into something else. An IPv4 packet
 * comes back from where it was sent to, so that whatever address is behind
 * this interface answers a ping. Learn: the parts of a driver in the order
 * that every driver here has them, and what the core wants of each.
 */
#include <linux/etherdevice.h>
#include <linux/ip.h>
#include <linux/module.h>

#include "trace.h"
#include "vnic.h"

/**
 * struct vnskel - private data, behind struct net_device
 * @link: counters, and what else vndummy and vnveth have; has to be first
 * @reflect: do packets come back? Written under RTNL and while the device is
 *	down, when nobody transmits; so who reads it in transmit needs no lock
 */
struct vnskel {
	struct vnic_link	link;
	bool			reflect;
};

/*
 * Make the packet one from where it was going to. It may share its bytes with
 * others, a socket's queue for example: a copy of the headers is made then.
 * IPv4 has the same checksum with its addresses swapped, and so have UDP and
 * TCP. Returns false, with the packet as it was, if that cannot be done.
 */
static bool vnskel_turn(struct sk_buff *skb)
{
	struct ethhdr *eth;
	struct iphdr *ip;
	int i;

	if (skb_ensure_writable(skb, ETH_HLEN + sizeof(*ip)))
		return false;
	eth = (struct ethhdr *)skb->data;
	ip = (struct iphdr *)(skb->data + ETH_HLEN);
	if (eth->h_proto != htons(ETH_P_IP) ||
	    is_multicast_ether_addr(eth->h_dest))
		return false;
	for (i = 0; i < ETH_ALEN; i++)
		swap(eth->h_dest[i], eth->h_source[i]);
	swap(ip->saddr, ip->daddr);
	return true;
}

/*
 * Receive what was transmitted: by way of the CPU's cell, never at once, since
 * the sender may hold locks that its own answer would need. The packet begins
 * a new life, without what it has gathered on its way down.
 */
static void vnskel_loop(struct sk_buff *skb, struct net_device *dev)
{
	/* The sender must not wait for pages that a receiver keeps. */
	if (skb_orphan_frags(skb, GFP_ATOMIC)) {
		vnic_lose_rx(dev, 0, skb, VNIC_LOSS_UCOPY);
		return;
	}
	skb_scrub_packet(skb, false);
	skb->protocol = eth_type_trans(skb, dev);
	skb_postpull_rcsum(skb, eth_hdr(skb), ETH_HLEN);
	skb_set_queue_mapping(skb, 0);
	vnic_trace(handover, dev, dev, 0, skb);
	/* Whoever drops a packet says why, and counts it. */
	if (!vnic_cell_add(skb))
		vnic_lose_rx(dev, 0, skb, VNIC_LOSS_BACKLOG);
}

/*
 * The packet is ours from here on, to be freed once. Bottom halves are off,
 * which is an RCU section too; other CPUs may be in here at the same time.
 */
static netdev_tx_t vnskel_xmit(struct sk_buff *skb, struct net_device *dev)
{
	unsigned int queue = skb_get_queue_mapping(skb);
	struct vnskel *self = netdev_priv(dev);

	/* Now: it may be gone with the next line. */
	vnic_count_tx(dev, queue, skb->len);
	skb_tx_timestamp(skb);
	if (self->reflect && vnskel_turn(skb)) {
		vnskel_loop(skb, dev);
		return NETDEV_TX_OK;
	}
	vnic_trace(deliver, dev, queue, skb, VNIC_HOW_NOWHERE);
	/* Where it went is where it was sent: consumed, and no drop. */
	dev_consume_skb_any(skb);
	return NETDEV_TX_OK;
}

/* ``ip link set up``. A driver of hardware would make its rings here. */
static int vnskel_open(struct net_device *dev)
{
	netif_carrier_on(dev);
	return 0;
}

/* The device may move next, and what was sent here is not for over there. */
static int vnskel_stop(struct net_device *dev)
{
	netif_carrier_off(dev);
	vnic_cell_flush(dev);
	return 0;
}

/* It goes for good: who transmits is through, who receives will be. */
static void vnskel_uninit(struct net_device *dev)
{
	vnic_cell_flush(dev);
}

/* What the core calls. vnic_*() is what our kinds share: see vnic.h. */
static const struct net_device_ops vnskel_netdev_ops = {
	.ndo_init		= vnic_link_init,
	.ndo_uninit		= vnskel_uninit,
	.ndo_open		= vnskel_open,
	.ndo_stop		= vnskel_stop,
	.ndo_start_xmit		= vnskel_xmit,
	.ndo_validate_addr	= eth_validate_addr,
	.ndo_set_mac_address	= eth_mac_addr,
	VNIC_NDO_SET_RX_MODE,
	.ndo_get_stats64	= vnic_get_stats64,
};

/* What ethtool(8) asks: -i, no option, -S, -T. */
static const struct ethtool_ops vnskel_ethtool_ops = {
	.get_drvinfo		= vnic_get_drvinfo,
	.get_link		= ethtool_op_get_link,
	.get_sset_count		= vnic_stats_get_sset_count,
	.get_strings		= vnic_stats_get_strings,
	.get_ethtool_stats	= vnic_stats_get_ethtool_stats,
	.get_ts_info		= ethtool_op_get_ts_info,
	.get_link_ksettings	= vnic_get_link_ksettings,
};

/* What comes back is not cut and not checked, so it need not be whole. */
static const netdev_features_t vnskel_features =
	NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_HW_CSUM | NETIF_F_HIGHDMA |
	NETIF_F_GSO_SOFTWARE;

/* Before a device is made: what it is unless the request says otherwise. */
static void vnskel_setup(struct net_device *dev)
{
	struct vnskel *self = netdev_priv(dev);

	ether_setup(dev);
	vnic_link_setup(dev);

	dev->netdev_ops = &vnskel_netdev_ops;
	dev->ethtool_ops = &vnskel_ethtool_ops;

	/* Nobody answers here, so nobody is asked for a MAC address. */
	dev->flags |= IFF_NOARP;
	dev->flags &= ~IFF_MULTICAST;
	/* We write into packets, so they must not be a generator's. */
	dev->priv_flags &= ~IFF_TX_SKB_SHARING;
	/* Netpoll comes with interrupts off, where no cell can be used. */
	dev->priv_flags |= IFF_DISABLE_NETPOLL;
	dev->features |= vnskel_features;
	dev->hw_features |= vnskel_features;
	dev->max_mtu = ETH_MAX_MTU;
	eth_hw_addr_random(dev);
	self->reflect = true;
}

/* Is the request one for this kind? RTNL may not be held yet. */
static int vnskel_validate(struct nlattr *tb[], struct nlattr *data[],
			   struct netlink_ext_ack *extack)
{
	return vnic_validate(tb, BIT_ULL(VNIC_SKEL_REFLECT), ETH_MAX_MTU,
			     extack);
}

/* ``ip link set DEV type vnskel``. A refusal says why in a sentence. */
static int vnskel_changelink(struct net_device *dev, struct nlattr *tb[],
			     struct nlattr *data[],
			     struct netlink_ext_ack *extack)
{
	struct vnskel *self = netdev_priv(dev);

	if (!data || !data[VNIC_SKEL_REFLECT])
		return 0;
	if (netif_running(dev)) {
		NL_SET_ERR_MSG_ATTR(extack, data[VNIC_SKEL_REFLECT],
				    "Set the device down to change this");
		return -EBUSY;
	}
	self->reflect = nla_get_u8(data[VNIC_SKEL_REFLECT]);
	return 0;
}

/* ``ip link add``. With vnic_register() everybody can see and use it. */
static int vnskel_newlink(struct net_device *dev,
			  struct rtnl_newlink_params *params,
			  struct netlink_ext_ack *extack)
{
	int err;

	err = vnskel_changelink(dev, params->tb, params->data, extack);
	if (!err)
		err = vnic_register(dev, extack);
	if (!err)
		netif_carrier_off(dev);
	return err;
}

/* Old kernels call it with other arguments. */
VNIC_NEWLINK(vnskel_newlink, 0, vnskel_validate)

/* Room for what vnskel_fill_info() puts into an answer. */
static size_t vnskel_get_size(const struct net_device *dev)
{
	return nla_total_size(sizeof(u8));	/* VNIC_SKEL_REFLECT */
}

/* ``ip -d link show`` */
static int vnskel_fill_info(struct sk_buff *skb,
			    const struct net_device *dev)
{
	struct vnskel *self = netdev_priv(dev);

	return nla_put_u8(skb, VNIC_SKEL_REFLECT, self->reflect);
}

/* The core refuses what is not so, before any of the above is called. */
static const struct nla_policy vnskel_policy[] = {
	[VNIC_SKEL_REFLECT] = NLA_POLICY_MAX(NLA_U8, 1),
};

/* All of it together; main.c registers it. */
struct rtnl_link_ops vnskel_link_ops = {
	.kind		= VNIC_KIND_SKEL,
	.priv_size	= sizeof(struct vnskel),
	.setup		= vnskel_setup,
	.validate	= vnskel_validate,
	.newlink	= VNIC_NEWLINK_OP(vnskel_newlink),
	.changelink	= vnskel_changelink,
	.maxtype	= ARRAY_SIZE(vnskel_policy) - 1,
	.policy		= vnskel_policy,
	.get_size	= vnskel_get_size,
	.fill_info	= vnskel_fill_info,
};

/* ``ip link add type vnskel`` loads the module. */
MODULE_ALIAS_RTNL_LINK(VNIC_KIND_SKEL);
