// SPDX-License-Identifier: GPL-2.0
/*
 * vntap - an interface with a program at the other end, carrying Ethernet
 *
 *	stack --> vnic_port_xmit() --> queue --> read() on /dev/vnic
 *	stack <-- [XDP] <-- vnic_send() <------ write() on /dev/vnic
 *
 * A network card whose wire is a program: what a virtual machine or a switch
 * wants. Learn: what Ethernet adds to vntun.c.
 */
#include <linux/etherdevice.h>
#include <linux/module.h>

#include "vnic.h"

/* Under the lock by which SIOCGIFHWADDR reads all of it or nothing. */
static int vntap_set_mac_address(struct net_device *dev, void *addr)
{
	struct vnic_port *port = netdev_priv(dev);
	int err;

	spin_lock(&port->name_lock);
	err = eth_mac_addr(dev, addr);
	spin_unlock(&port->name_lock);
	return err;
}

static const struct net_device_ops vntap_netdev_ops = {
	.ndo_init		= vnic_port_init,
	.ndo_uninit		= vnic_port_uninit,
	.ndo_open		= vnic_port_open,
	.ndo_stop		= vnic_port_stop,
	.ndo_start_xmit		= vnic_port_xmit,
	.ndo_select_queue	= vnic_flow_select,
	.ndo_features_check	= passthru_features_check,
	.ndo_fix_features	= vnic_port_fix_features,
	.ndo_validate_addr	= eth_validate_addr,
	.ndo_set_mac_address	= vntap_set_mac_address,
	VNIC_NDO_SET_RX_MODE,
	.ndo_get_stats64	= vnic_count_get_stats64,
	.ndo_set_rx_headroom	= vnic_port_set_rx_headroom,
	.ndo_change_carrier	= vnic_port_change_carrier,
	.ndo_bpf		= vnic_xdp_setup,
	.ndo_xdp_xmit		= vnic_xdp_xmit,
};

static void vntap_setup(struct net_device *dev)
{
	ether_setup(dev);

	dev->netdev_ops = &vntap_netdev_ops;
	dev->priv_flags &= ~IFF_TX_SKB_SHARING;
	dev->priv_flags |= IFF_LIVE_ADDR_CHANGE;
	eth_hw_addr_random(dev);
	vnic_set_xdp_features(dev, VNIC_XDP_RUN | VNIC_XDP_XMIT);
	vnic_port_setup(dev, IFF_TAP);
}

static int vntap_validate(struct nlattr *tb[], struct nlattr *data[],
			  struct netlink_ext_ack *extack)
{
	return vnic_validate(tb, VNIC_PORT_ATTRS, ETH_MAX_MTU - ETH_HLEN,
			     extack);
}

VNIC_NEWLINK(vnic_port_newlink, 0, vntap_validate)

struct rtnl_link_ops vntap_link_ops = {
	.kind		= VNIC_KIND_TAP,
	.priv_size	= sizeof(struct vnic_port),
	.setup		= vntap_setup,
	.validate	= vntap_validate,
	.newlink	= VNIC_NEWLINK_OP(vnic_port_newlink),
	.changelink	= vnic_port_changelink,
	.maxtype	= ARRAY_SIZE(vnic_port_policy) - 1,
	.policy		= vnic_port_policy,
	.get_size	= vnic_port_get_size,
	.fill_info	= vnic_port_fill_info,
};

MODULE_ALIAS_RTNL_LINK(VNIC_KIND_TAP);
