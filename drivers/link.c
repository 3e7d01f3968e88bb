// SPDX-License-Identifier: GPL-2.0
/*
 * link - what every kind of ours shares: per-CPU counters, the checks of a
 * netlink request, and the answers to ethtool that do not depend on the kind.
 */
#include <linux/etherdevice.h>

#include "vnic.h"

/**
 * vnic_link_init() - allocate the counters of a device
 * @dev: a device whose private data begin with struct vnic_link
 *
 * For ndo_init.
 *
 * Context: process, RTNL held.
 * Return: 0 or -ENOMEM.
 */
int vnic_link_init(struct net_device *dev)
{
	struct vnic_link *link = netdev_priv(dev);

	link->stats = netdev_alloc_pcpu_stats(struct vnic_stats);
	return link->stats ? 0 : -ENOMEM;
}

/**
 * vnic_link_free() - free what vnic_link_init() allocated
 * @dev: the device
 *
 * For priv_destructor, not for ndo_uninit: packets that were in flight when
 * the device went are still being counted until its last reference is gone.
 */
void vnic_link_free(struct net_device *dev)
{
	struct vnic_link *link = netdev_priv(dev);

	free_percpu(link->stats);
	link->stats = NULL;
}

static void vnic_add_cpu_stats(struct rtnl_link_stats64 *tot,
			       const struct vnic_stats *stats)
{
	u64 rx_packets, rx_bytes, rx_dropped, tx_packets, tx_bytes, tx_dropped;
	unsigned int start;

	do {
		start = u64_stats_fetch_begin(&stats->syncp);
		rx_packets = u64_stats_read(&stats->rx_packets);
		rx_bytes = u64_stats_read(&stats->rx_bytes);
		rx_dropped = u64_stats_read(&stats->rx_dropped);
		tx_packets = u64_stats_read(&stats->tx_packets);
		tx_bytes = u64_stats_read(&stats->tx_bytes);
		tx_dropped = u64_stats_read(&stats->tx_dropped);
	} while (u64_stats_fetch_retry(&stats->syncp, start));

	tot->rx_packets += rx_packets;
	tot->rx_bytes += rx_bytes;
	tot->rx_dropped += rx_dropped;
	tot->tx_packets += tx_packets;
	tot->tx_bytes += tx_bytes;
	tot->tx_dropped += tx_dropped;
}

/**
 * vnic_get_stats64() - ndo_get_stats64 of every kind
 * @dev: the device
 * @tot: where to add
 *
 * Context: any; needs no lock.
 */
void vnic_get_stats64(struct net_device *dev, struct rtnl_link_stats64 *tot)
{
	struct vnic_link *link = netdev_priv(dev);
	int cpu;

	for_each_possible_cpu(cpu)
		vnic_add_cpu_stats(tot, per_cpu_ptr(link->stats, cpu));
	/* What a BPF program has redirected into us past our peer. */
	if (dev->tstats)
		dev_fetch_sw_netstats(tot, dev->tstats);
}

/* Context: any, also with interrupts off and bottom halves on. */
static void vnic_count_dropped(struct net_device *dev, bool tx)
{
	struct vnic_link *link = netdev_priv(dev);
	struct vnic_stats *stats = get_cpu_ptr(link->stats);
	unsigned long flags;

	flags = u64_stats_update_begin_irqsave(&stats->syncp);
	u64_stats_inc(tx ? &stats->tx_dropped : &stats->rx_dropped);
	u64_stats_update_end_irqrestore(&stats->syncp, flags);
	put_cpu_ptr(link->stats);
}

/**
 * vnic_drop_rx() - lose a packet that was on its way to the stack
 * @dev: the device that would have received it
 * @skb: the packet, freed here; NULL if it never became one
 * @reason: why, for those who watch skb:kfree_skb
 *
 * Context: any, also with interrupts off.
 */
void vnic_drop_rx(struct net_device *dev, struct sk_buff *skb,
		  enum skb_drop_reason reason)
{
	vnic_count_dropped(dev, false);
	dev_kfree_skb_any_reason(skb, reason);
}

/**
 * vnic_drop_tx() - lose a packet that was on its way out of the stack
 * @dev: the device that was to transmit it
 * @skb: the packet, freed here; NULL if it is gone already
 * @reason: why, for those who watch skb:kfree_skb
 *
 * Context: any: a full ring may meet netpoll, which comes with interrupts
 * off.
 */
void vnic_drop_tx(struct net_device *dev, struct sk_buff *skb,
		  enum skb_drop_reason reason)
{
	vnic_count_dropped(dev, true);
	if (skb)
		skb_tx_error(skb);
	dev_kfree_skb_any_reason(skb, reason);
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
