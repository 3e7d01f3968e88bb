// SPDX-License-Identifier: GPL-2.0
/*
 * ethtool - what ``ethtool`` sees and sets of a vntun or vntap
 */
#include <linux/ethtool.h>
#include <linux/netdevice.h>

#include "vnic.h"

/* The longest ring that may be asked for; txqueuelen may make a longer one. */
#define VNIC_RING_LEN_MAX		65536U

static void vnic_port_get_drvinfo(struct net_device *dev,
				  struct ethtool_drvinfo *info)
{
	vnic_get_drvinfo(dev, info);
	/* Programs tell the two apart by this, on tun and here. */
	strscpy(info->bus_info, vnic_port_is_tap(netdev_priv(dev)) ?
		"tap" : "tun", sizeof(info->bus_info));
}

static u32 vnic_port_get_msglevel(struct net_device *dev)
{
	struct vnic_port *port = netdev_priv(dev);

	return port->msg_enable;
}

static void vnic_port_set_msglevel(struct net_device *dev, u32 level)
{
	struct vnic_port *port = netdev_priv(dev);

	port->msg_enable = level;
}

static void vnic_port_get_ringparam(struct net_device *dev,
				    struct ethtool_ringparam *ring,
				    struct kernel_ethtool_ringparam *kernel,
				    struct netlink_ext_ack *extack)
{
	struct vnic_port *port = netdev_priv(dev);

	ring->tx_pending = port->ring_len;
	ring->tx_max_pending = max(port->ring_len, VNIC_RING_LEN_MAX);
}

static int vnic_port_set_ringparam(struct net_device *dev,
				   struct ethtool_ringparam *ring,
				   struct kernel_ethtool_ringparam *kernel,
				   struct netlink_ext_ack *extack)
{
	if (!ring->tx_pending) {
		NL_SET_ERR_MSG(extack, "A ring holds at least one packet");
		return -EINVAL;
	}
	return vnic_port_set_ring(netdev_priv(dev), ring->tx_pending);
}

static int vnic_port_get_coalesce(struct net_device *dev,
				  struct ethtool_coalesce *coalesce,
				  struct kernel_ethtool_coalesce *kernel,
				  struct netlink_ext_ack *extack)
{
	struct vnic_port *port = netdev_priv(dev);

	coalesce->rx_max_coalesced_frames = port->rx_frames;
	return 0;
}

/* More than there may be are as many as there may be: tun has it so. */
static int vnic_port_set_coalesce(struct net_device *dev,
				  struct ethtool_coalesce *coalesce,
				  struct kernel_ethtool_coalesce *kernel,
				  struct netlink_ext_ack *extack)
{
	struct vnic_port *port = netdev_priv(dev);

	WRITE_ONCE(port->rx_frames, min_t(u32, VNIC_LIST_MAX,
					  coalesce->rx_max_coalesced_frames));
	return 0;
}

static void vnic_port_get_channels(struct net_device *dev,
				   struct ethtool_channels *channels)
{
	struct vnic_port *port = netdev_priv(dev);

	channels->combined_count = port->numqueues;
	channels->max_combined = dev->num_tx_queues;
}

static int vnic_port_get_ksettings(struct net_device *dev,
				   struct ethtool_link_ksettings *cmd)
{
	struct vnic_port *port = netdev_priv(dev);

	*cmd = port->ksettings;
	return 0;
}

static int vnic_port_set_ksettings(struct net_device *dev,
				   const struct ethtool_link_ksettings *cmd)
{
	struct vnic_port *port = netdev_priv(dev);

	port->ksettings = *cmd;
	return 0;
}

const struct ethtool_ops vnic_port_ethtool_ops = {
	.supported_coalesce_params = ETHTOOL_COALESCE_RX_MAX_FRAMES,
	.get_drvinfo		= vnic_port_get_drvinfo,
	.get_msglevel		= vnic_port_get_msglevel,
	.set_msglevel		= vnic_port_set_msglevel,
	.get_link		= ethtool_op_get_link,
	.get_ts_info		= ethtool_op_get_ts_info,
	.get_ringparam		= vnic_port_get_ringparam,
	.set_ringparam		= vnic_port_set_ringparam,
	.get_coalesce		= vnic_port_get_coalesce,
	.set_coalesce		= vnic_port_set_coalesce,
	.get_channels		= vnic_port_get_channels,
	.get_sset_count		= vnic_count_get_sset_count,
	.get_strings		= vnic_count_get_strings,
	.get_ethtool_stats	= vnic_count_get_ethtool_stats,
	.get_link_ksettings	= vnic_port_get_ksettings,
	.set_link_ksettings	= vnic_port_set_ksettings,
};
