// SPDX-License-Identifier: GPL-2.0
/*
 * link - what vndummy and vnveth share, and of that the checks of a netlink
 * request and ethtool's simplest answers with vntun and vntap
 */
#include <linux/etherdevice.h>

#include "vnic.h"

/**
 * vnic_link_setup() - what rtnl_link_ops::setup of vndummy and vnveth share
 * @dev: the device
 *
 * Context: process.
 */
void vnic_link_setup(struct net_device *dev)
{
	struct vnic_link *link = netdev_priv(dev);

	dev->needs_free_netdev = true;
	dev->priv_destructor = vnic_link_free;
	dev->priv_flags |= IFF_LIVE_ADDR_CHANGE | IFF_NO_QUEUE;
	vnic_set_lltx(dev);
	vnic_qstats_setup_link(dev);
	vnic_hints_setup(dev);
	spin_lock_init(&link->bql_lock);
	link->ring_len = VNIC_LINK_RING;
	link->rx_frames = 1;
}

/**
 * vnic_link_init() - ndo_init of vndummy and vnveth
 * @dev: the device, with as many queues in use as it shall begin with
 *
 * Context: process, RTNL held.
 * Return: 0 or -ENOMEM.
 */
int vnic_link_init(struct net_device *dev)
{
	int err;

	netdev_lockdep_set_classes(dev);
	err = vnic_stats_grow(dev, max(dev->real_num_rx_queues,
				       dev->real_num_tx_queues));
	/* Of a device that could not be made nobody calls the destructor. */
	if (err)
		vnic_stats_free(dev);
	return err;
}

/**
 * vnic_link_free() - priv_destructor of vndummy and vnveth
 * @dev: the device
 *
 * Not ndo_uninit: packets that were in flight when the device went are still
 * being counted until its last reference is gone.
 *
 * Context: process.
 */
void vnic_link_free(struct net_device *dev)
{
	vnic_stats_free(dev);
}

/**
 * vnic_link_num_queues() - how many queues a device can have if nobody says
 *
 * As many as veth: one for each CPU, of which one is in use until ``ethtool
 * -L`` asks for more.
 *
 * Context: any.
 * Return: the number.
 */
unsigned int vnic_link_num_queues(void)
{
	/* The core takes no more. */
	return min_t(unsigned int, num_possible_cpus(), 4096);
}

/**
 * vnic_link_queues() - take all queues into use that were asked for, or one
 * @dev: the device, not registered yet
 * @tb: the request
 *
 * Context: process, RTNL held.
 * Return: 0 or an error of the core's.
 */
int vnic_link_queues(struct net_device *dev, struct nlattr *tb[])
{
	int err = 0;

	if (!tb[IFLA_NUM_TX_QUEUES])
		err = netif_set_real_num_tx_queues(dev, 1);
	if (!err && !tb[IFLA_NUM_RX_QUEUES])
		err = netif_set_real_num_rx_queues(dev, 1);
	return err;
}

/**
 * vnic_link_flag() - what an attribute makes of VNIC_LINK_*
 * @flags: as they are
 * @flag: the one that it is about
 * @attr: a u8, 0 or 1; or NULL, which changes nothing
 *
 * Context: any.
 * Return: @flags with @flag on or off.
 */
unsigned int vnic_link_flag(unsigned int flags, unsigned int flag,
			    const struct nlattr *attr)
{
	if (!attr)
		return flags;
	return nla_get_u8(attr) ? flags | flag : flags & ~flag;
}

/**
 * vnic_link_set_flags() - change any of VNIC_LINK_*, all or none
 * @dev: the device
 * @flags: what they shall be
 *
 * What waits for a full ring, or for the other end to take what was counted,
 * is decided by the receiver, so that is asked whether it needs rings now.
 *
 * Context: process, RTNL held; waits for RCU.
 * Return: 0 or -ENOMEM, with everything as it was.
 */
int vnic_link_set_flags(struct net_device *dev, unsigned int flags)
{
	struct vnic_link *link = netdev_priv(dev);
	struct net_device *receiver = rtnl_dereference(link->peer);
	unsigned int old = link->flags;
	int err = 0;

	WRITE_ONCE(link->flags, flags);
	if (dev->rtnl_link_ops == &vndummy_link_ops)
		receiver = dev;
	if (receiver)
		err = vnic_rxq_refresh(receiver, receiver->features);
	if (err)
		WRITE_ONCE(link->flags, old);
	return err;
}

/**
 * vnic_register() - register_netdevice() that says what was wrong
 * @dev: the device
 * @extack: for the words
 *
 * Context: process, RTNL held.
 * Return: 0 or what register_netdevice() returned.
 */
int vnic_register(struct net_device *dev, struct netlink_ext_ack *extack)
{
	int err = register_netdevice(dev);

	if (err == -EEXIST)
		NL_SET_ERR_MSG(extack, "An interface of that name exists in the namespace");
	else if (err == -EBUSY)
		NL_SET_ERR_MSG(extack, "That interface index is taken in the namespace");
	else if (err == -EINVAL &&
		 (!dev_valid_name(dev->name) || strchr(dev->name, '%')))
		NL_SET_ERR_MSG(extack, "That is not a valid interface name");
	return err;
}

/* A kind's own attributes are few: one that it does not know is a mistake. */
static int vnic_validate_data(const struct nlattr *linkinfo, u64 known,
			      struct netlink_ext_ack *extack)
{
	const struct nlattr *info, *attr;
	int info_rem, rem;

	nla_for_each_nested(info, linkinfo, info_rem) {
		if (nla_type(info) != IFLA_INFO_DATA)
			continue;
		nla_for_each_nested(attr, info, rem) {
			if (nla_type(attr) < BITS_PER_TYPE(known) &&
			    (known & BIT_ULL(nla_type(attr))))
				continue;
			NL_SET_ERR_MSG_ATTR(extack, attr,
					    "This kind has no such attribute");
			return -EINVAL;
		}
	}
	return 0;
}

/**
 * vnic_validate() - the checks that all kinds make before a link is made
 * @tb: IFLA_* attributes, of the link or of its peer
 * @known: one bit for each attribute of the kind's own
 * @max_mtu: the largest MTU of the kind in bytes, 0 if there is no limit
 * @extack: for the sentence and the attribute
 *
 * Context: process; RTNL may not be held.
 * Return: 0, -EINVAL or -EADDRNOTAVAIL.
 */
int vnic_validate(struct nlattr *tb[], u64 known, u32 max_mtu,
		  struct netlink_ext_ack *extack)
{
	if (tb[IFLA_ADDRESS]) {
		if (nla_len(tb[IFLA_ADDRESS]) != ETH_ALEN) {
			NL_SET_ERR_MSG_ATTR(extack, tb[IFLA_ADDRESS],
					    "A MAC address has 6 bytes");
			return -EINVAL;
		}
		if (!is_valid_ether_addr(nla_data(tb[IFLA_ADDRESS]))) {
			NL_SET_ERR_MSG_ATTR(extack, tb[IFLA_ADDRESS],
					    "The MAC address must be unicast and not zero");
			return -EADDRNOTAVAIL;
		}
	}
	if (tb[IFLA_MTU] && max_mtu) {
		u32 mtu = nla_get_u32(tb[IFLA_MTU]);

		if (mtu < ETH_MIN_MTU || mtu > max_mtu) {
			NL_SET_ERR_MSG_ATTR(extack, tb[IFLA_MTU],
					    "The MTU is out of this kind's range");
			return -EINVAL;
		}
	}
	if (!tb[IFLA_LINKINFO])
		return 0;
	return vnic_validate_data(tb[IFLA_LINKINFO], known, extack);
}

/**
 * vnic_get_drvinfo() - ethtool -i: the kind is the driver, as in ip -d link
 * @dev: the device
 * @info: the answer
 *
 * Context: process, RTNL held.
 */
void vnic_get_drvinfo(struct net_device *dev, struct ethtool_drvinfo *info)
{
	strscpy(info->driver, dev->rtnl_link_ops->kind, sizeof(info->driver));
	strscpy(info->version, VNIC_VERSION, sizeof(info->version));
}

/**
 * vnic_get_link_ksettings() - ethtool DEV: a figure, since there is no wire
 * @dev: the device
 * @cmd: the answer: 10 Gb/s, full duplex, which bonding and others want to see
 *
 * Context: process, RTNL held.
 * Return: 0.
 */
int vnic_get_link_ksettings(struct net_device *dev,
			    struct ethtool_link_ksettings *cmd)
{
	cmd->base.speed = SPEED_10000;
	cmd->base.duplex = DUPLEX_FULL;
	cmd->base.port = PORT_TP;
	cmd->base.autoneg = AUTONEG_DISABLE;
	return 0;
}
