// SPDX-License-Identifier: GPL-2.0
/*
 * vntun - an interface with a program at the other end, carrying IP packets
 *
 *	stack --> vnic_port_xmit() --> queue --> read() on /dev/vnic
 *	stack <-- vnic_send() <---------------- write() on /dev/vnic
 *
 * No Ethernet header, no addresses, no ARP: what a VPN wants. Learn: what
 * makes a device point-to-point, and compare with vntap.c, which differs in
 * this and nothing else.
 */
#include <linux/if_arp.h>
#include <linux/module.h>
#include <net/ip_tunnels.h>

#include "vnic.h"

/* Packets that may wait for the program, unless txqueuelen says otherwise. */
#define VNTUN_QUEUE_LEN		500

static const struct net_device_ops vntun_netdev_ops = {
	.ndo_init		= vnic_port_init,
	.ndo_uninit		= vnic_port_uninit,
	.ndo_open		= vnic_port_open,
	.ndo_stop		= vnic_port_stop,
	.ndo_start_xmit		= vnic_port_xmit,
	.ndo_select_queue	= vnic_flow_select,
	.ndo_fix_features	= vnic_port_fix_features,
	.ndo_get_stats64	= vnic_count_get_stats64,
	.ndo_set_rx_headroom	= vnic_port_set_rx_headroom,
	.ndo_change_carrier	= vnic_port_change_carrier,
};

static void vntun_setup(struct net_device *dev)
{
	dev->netdev_ops = &vntun_netdev_ops;
	/* Lets AF_PACKET senders leave the protocol out: it is in the packet. */
	dev->header_ops = &ip_tunnel_header_ops;
	dev->type = ARPHRD_NONE;
	dev->mtu = ETH_DATA_LEN;
	dev->tx_queue_len = VNTUN_QUEUE_LEN;
	dev->flags = IFF_POINTOPOINT | IFF_NOARP | IFF_MULTICAST;
	vnic_port_setup(dev, IFF_TUN);
}

static int vntun_validate(struct nlattr *tb[], struct nlattr *data[],
			  struct netlink_ext_ack *extack)
{
	if (tb[IFLA_ADDRESS]) {
		NL_SET_ERR_MSG_ATTR(extack, tb[IFLA_ADDRESS],
				    "vntun has no MAC address; vntap has");
		return -EOPNOTSUPP;
	}
	return vnic_validate(tb, VNIC_PORT_ATTRS, ETH_MAX_MTU, extack);
}

VNIC_NEWLINK(vnic_port_newlink, 0, vntun_validate)

struct rtnl_link_ops vntun_link_ops = {
	.kind		= VNIC_KIND_TUN,
	.priv_size	= sizeof(struct vnic_port),
	.setup		= vntun_setup,
	.validate	= vntun_validate,
	.newlink	= VNIC_NEWLINK_OP(vnic_port_newlink),
	.changelink	= vnic_port_changelink,
	.maxtype	= ARRAY_SIZE(vnic_port_policy) - 1,
	.policy		= vnic_port_policy,
	.get_size	= vnic_port_get_size,
	.fill_info	= vnic_port_fill_info,
};

MODULE_ALIAS_RTNL_LINK(VNIC_KIND_TUN);
