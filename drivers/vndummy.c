// SPDX-License-Identifier: GPL-2.0
/*
 * vndummy - an interface with nothing at the other end
 *
 *	stack --> vndummy_xmit() --> counted, freed
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

#include "vnic.h"

struct vndummy {
	struct vnic_link link;
};

static netdev_tx_t vndummy_xmit(struct sk_buff *skb, struct net_device *dev)
{
	vnic_count_tx(dev, skb->len);
	skb_tx_timestamp(skb);
	/* Swallowed, not lost: consumed. Netpoll comes with interrupts off. */
	dev_consume_skb_any(skb);
	return NETDEV_TX_OK;
}

static int vndummy_init(struct net_device *dev)
{
	netdev_lockdep_set_classes(dev);
	return vnic_link_init(dev);
}

static int vndummy_change_carrier(struct net_device *dev, bool on)
{
	if (on)
		netif_carrier_on(dev);
	else
		netif_carrier_off(dev);
	return 0;
}

static const struct net_device_ops vndummy_netdev_ops = {
	.ndo_init		= vndummy_init,
	.ndo_start_xmit		= vndummy_xmit,
	.ndo_validate_addr	= eth_validate_addr,
	.ndo_set_mac_address	= eth_mac_addr,
	VNIC_NDO_SET_RX_MODE,
	.ndo_get_stats64	= vnic_get_stats64,
	.ndo_change_carrier	= vndummy_change_carrier,
};

static const struct ethtool_ops vndummy_ethtool_ops = {
	.get_drvinfo		= vnic_get_drvinfo,
	.get_link		= ethtool_op_get_link,
	.get_ts_info		= ethtool_op_get_ts_info,
	.get_link_ksettings	= vnic_get_link_ksettings,
};

static const netdev_features_t vndummy_features =
	NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_HW_CSUM | NETIF_F_HIGHDMA |
	NETIF_F_GSO_SOFTWARE | NETIF_F_GSO_ENCAP_ALL;

static void vndummy_setup(struct net_device *dev)
{
	ether_setup(dev);

	dev->netdev_ops = &vndummy_netdev_ops;
	dev->ethtool_ops = &vndummy_ethtool_ops;
	dev->needs_free_netdev = true;
	dev->priv_destructor = vnic_link_free;

	/* Nobody answers here, so nobody is asked. */
	dev->flags |= IFF_NOARP;
	dev->flags &= ~IFF_MULTICAST;
	dev->priv_flags |= IFF_LIVE_ADDR_CHANGE | IFF_NO_QUEUE;
	vnic_set_lltx(dev);
	dev->features |= vndummy_features;
	dev->hw_features |= dev->features;
	dev->hw_enc_features |= dev->features;
	eth_hw_addr_random(dev);

	dev->min_mtu = 0;
	dev->max_mtu = 0;
}

static int vndummy_validate(struct nlattr *tb[], struct nlattr *data[],
			    struct netlink_ext_ack *extack)
{
	return vnic_validate(tb, 0, 0, extack);
}

static int vndummy_newlink(struct net_device *dev,
			   struct rtnl_newlink_params *params,
			   struct netlink_ext_ack *extack)
{
	return vnic_register(dev, extack);
}

VNIC_NEWLINK(vndummy_newlink, 0, vndummy_validate)

struct rtnl_link_ops vndummy_link_ops = {
	.kind		= VNIC_KIND_DUMMY,
	.priv_size	= sizeof(struct vndummy),
	.setup		= vndummy_setup,
	.validate	= vndummy_validate,
	.newlink	= VNIC_NEWLINK_OP(vndummy_newlink),
};

MODULE_ALIAS_RTNL_LINK(VNIC_KIND_DUMMY);
