// SPDX-License-Identifier: GPL-2.0
/*
 * linkethtool - ethtool's rings, moderation and channels of vndummy and vnveth
 */
#include <linux/ethtool.h>
#include <linux/netdevice.h>

#include "vnic.h"

/* The longest that a packet may have to wait for others. */
#define VNIC_LINK_USECS_MAX	USEC_PER_SEC

/**
 * vnic_link_get_ringparam() - ethtool -g
 * @dev: the device
 * @ring: written here: how long its rings are when it has some
 * @kernel: not used
 * @extack: not used
 *
 * Context: process, RTNL held.
 */
void vnic_link_get_ringparam(struct net_device *dev,
			     struct ethtool_ringparam *ring,
			     struct kernel_ethtool_ringparam *kernel,
			     struct netlink_ext_ack *extack)
{
	struct vnic_link *link = netdev_priv(dev);

	ring->rx_pending = link->ring_len;
	ring->rx_max_pending = VNIC_LINK_RING_MAX;
}

/**
 * vnic_link_set_ringparam() - ethtool -G
 * @dev: the device
 * @ring: how long its rings shall be
 * @kernel: not used
 * @extack: for the words
 *
 * Context: process, RTNL held; waits for RCU.
 * Return: 0, -EINVAL, or -ENOMEM with the rings as they were.
 */
int vnic_link_set_ringparam(struct net_device *dev,
			    struct ethtool_ringparam *ring,
			    struct kernel_ethtool_ringparam *kernel,
			    struct netlink_ext_ack *extack)
{
	struct vnic_link *link = netdev_priv(dev);
	unsigned int old = link->ring_len;
	int err;

	if (!ring->rx_pending) {
		NL_SET_ERR_MSG(extack, "A ring holds at least one packet");
		return -EINVAL;
	}
	link->ring_len = ring->rx_pending;
	err = vnic_rxq_refresh(dev, dev->features);
	if (err)
		link->ring_len = old;
	return err;
}

/**
 * vnic_link_get_coalesce() - ethtool -c
 * @dev: the device
 * @coalesce: written here
 * @kernel: not used
 * @extack: not used
 *
 * Context: process, RTNL held.
 * Return: 0.
 */
int vnic_link_get_coalesce(struct net_device *dev,
			   struct ethtool_coalesce *coalesce,
			   struct kernel_ethtool_coalesce *kernel,
			   struct netlink_ext_ack *extack)
{
	struct vnic_link *link = netdev_priv(dev);

	coalesce->rx_coalesce_usecs = link->rx_usecs;
	coalesce->rx_max_coalesced_frames = link->rx_frames;
	return 0;
}

/**
 * vnic_link_set_coalesce() - ethtool -C
 * @dev: the device
 * @coalesce: for how many microseconds a packet that finds its ring idle may
 *	wait for others, 0 for none; and how many need not wait, 0 for as many
 *	as the ring holds
 * @kernel: not used
 * @extack: for the words
 *
 * Context: process, RTNL held.
 * Return: 0 or -EINVAL.
 */
int vnic_link_set_coalesce(struct net_device *dev,
			   struct ethtool_coalesce *coalesce,
			   struct kernel_ethtool_coalesce *kernel,
			   struct netlink_ext_ack *extack)
{
	struct vnic_link *link = netdev_priv(dev);

	if (coalesce->rx_coalesce_usecs > VNIC_LINK_USECS_MAX) {
		NL_SET_ERR_MSG(extack, "A packet waits 1000000 us at the most");
		return -EINVAL;
	}
	WRITE_ONCE(link->rx_frames, coalesce->rx_max_coalesced_frames);
	WRITE_ONCE(link->rx_usecs, coalesce->rx_coalesce_usecs);
	return 0;
}

/**
 * vnic_link_get_channels() - ethtool -l
 * @dev: the device
 * @channels: written here
 *
 * Context: process, RTNL held.
 */
void vnic_link_get_channels(struct net_device *dev,
			    struct ethtool_channels *channels)
{
	channels->rx_count = dev->real_num_rx_queues;
	channels->tx_count = dev->real_num_tx_queues;
	channels->max_rx = dev->num_rx_queues;
	channels->max_tx = dev->num_tx_queues;
}

/* Would a program find packets of a queue that it has not? */
static bool vnic_link_breaks_xdp(struct net_device *receiver, unsigned int rx,
				 unsigned int tx)
{
	struct vnic_link *link = netdev_priv(receiver);

	return rtnl_dereference(link->xdp) && rx < tx;
}

/* Returns -ENOMEM with as many as there were. */
static int vnic_link_set_rx(struct net_device *dev, unsigned int rx)
{
	unsigned int was = dev->real_num_rx_queues;
	int err = netif_set_real_num_rx_queues(dev, rx);

	if (err)
		return err;
	err = vnic_rxq_refresh(dev, dev->features);
	if (err)
		netif_set_real_num_rx_queues(dev, was);
	return err;
}

/**
 * vnic_link_set_channels() - ethtool -L
 * @dev: the device
 * @channels: how many queues it shall use; no more than it has
 *
 * Context: process, RTNL held; waits for RCU.
 * Return: 0; -EINVAL for none, or where an XDP program has fewer receive
 * queues than the sender has transmit queues; -ENOMEM.
 */
int vnic_link_set_channels(struct net_device *dev,
			   struct ethtool_channels *channels)
{
	unsigned int rx = channels->rx_count, tx = channels->tx_count;
	unsigned int was = dev->real_num_tx_queues;
	struct vnic_link *link = netdev_priv(dev);
	struct net_device *peer = rtnl_dereference(link->peer);
	int err;

	if (!rx || !tx)
		return -EINVAL;
	if (peer && (vnic_link_breaks_xdp(dev, rx, peer->real_num_tx_queues) ||
		     vnic_link_breaks_xdp(peer, peer->real_num_rx_queues, tx)))
		return -EINVAL;

	err = vnic_stats_grow(dev, max(rx, tx));
	/* Only to have more of them can fail: fewer come last, and undo. */
	if (!err && tx > was)
		err = netif_set_real_num_tx_queues(dev, tx);
	if (err)
		return err;
	err = vnic_link_set_rx(dev, rx);
	if (err)
		netif_set_real_num_tx_queues(dev, was);
	else if (tx < was)
		err = netif_set_real_num_tx_queues(dev, tx);
	return err;
}
