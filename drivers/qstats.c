// SPDX-License-Identifier: GPL-2.0
/*
 * qstats - counters of each queue for the netdev netlink family
 *
 *	ynl --family netdev --dump qstats-get --json '{"scope": "queue"}'
 *
 * On kernels without them (before 6.9) vnic.h has nothing instead of this
 * file, and ``ethtool -S`` has the same figures and more.
 */
#include <linux/netdevice.h>
#include <net/netdev_queues.h>

#include "vnic.h"

static void vnic_qstats_fill_rx(const u64 *sum,
				struct netdev_queue_stats_rx *stats)
{
	stats->packets = sum[VNIC_RX_PACKETS];
	stats->bytes = sum[VNIC_RX_BYTES];
	stats->alloc_fail = sum[VNIC_RX_NOMEM];
}

static void vnic_qstats_fill_tx(const u64 *sum,
				struct netdev_queue_stats_tx *stats)
{
	stats->packets = sum[VNIC_TX_PACKETS];
	stats->bytes = sum[VNIC_TX_BYTES];
	stats->stop = sum[VNIC_TX_STOP];
	stats->wake = sum[VNIC_TX_WAKE];
}

static void vnic_qstats_get_rx(struct net_device *dev, int index,
			       struct netdev_queue_stats_rx *stats)
{
	u64 sum[VNIC_COUNTERS];

	vnic_count_sum(netdev_priv(dev), index, sum);
	vnic_qstats_fill_rx(sum, stats);
}

static void vnic_qstats_get_tx(struct net_device *dev, int index,
			       struct netdev_queue_stats_tx *stats)
{
	u64 sum[VNIC_COUNTERS];

	vnic_count_sum(netdev_priv(dev), index, sum);
	vnic_qstats_fill_tx(sum, stats);
}

/* What belongs to no queue that there is now. */
static void vnic_qstats_get_base(struct net_device *dev,
				 struct netdev_queue_stats_rx *rx,
				 struct netdev_queue_stats_tx *tx)
{
	struct vnic_port *port = netdev_priv(dev);
	u64 sum[VNIC_COUNTERS];

	vnic_count_sum_unused(port, dev->real_num_rx_queues, sum);
	vnic_qstats_fill_rx(sum, rx);
	vnic_count_sum_unused(port, dev->real_num_tx_queues, sum);
	vnic_qstats_fill_tx(sum, tx);
}

static const struct netdev_stat_ops vnic_qstats_ops = {
	.get_queue_stats_rx	= vnic_qstats_get_rx,
	.get_queue_stats_tx	= vnic_qstats_get_tx,
	.get_base_stats		= vnic_qstats_get_base,
};

static void vnic_qstats_link_rx(struct net_device *dev, int index,
				struct netdev_queue_stats_rx *stats)
{
	u64 sum[VNIC_STATS];

	vnic_stats_sum(dev, index, sum);
	stats->packets = sum[VNIC_STAT_RX_PACKETS];
	stats->bytes = sum[VNIC_STAT_RX_BYTES];
	stats->alloc_fail = sum[VNIC_STAT_RX_LOST + VNIC_LOSS_NOMEM];
}

static void vnic_qstats_link_tx(struct net_device *dev, int index,
				struct netdev_queue_stats_tx *stats)
{
	u64 sum[VNIC_STATS];

	vnic_stats_sum(dev, index, sum);
	stats->packets = sum[VNIC_STAT_TX_PACKETS];
	stats->bytes = sum[VNIC_STAT_TX_BYTES];
	stats->stop = sum[VNIC_STAT_TX_STOP];
	stats->wake = sum[VNIC_STAT_TX_WAKE];
}

/* What was counted by queues that are not in use now. */
static void vnic_qstats_link_base(struct net_device *dev,
				  struct netdev_queue_stats_rx *rx,
				  struct netdev_queue_stats_tx *tx)
{
	unsigned int i, max = max(dev->num_rx_queues, dev->num_tx_queues);
	u64 sum[VNIC_STATS];

	memset(rx, 0, sizeof(*rx));
	memset(tx, 0, sizeof(*tx));
	for (i = 0; i < max; i++) {
		vnic_stats_sum(dev, i, sum);
		if (i >= dev->real_num_rx_queues) {
			rx->packets += sum[VNIC_STAT_RX_PACKETS];
			rx->bytes += sum[VNIC_STAT_RX_BYTES];
			rx->alloc_fail += sum[VNIC_STAT_RX_LOST +
					      VNIC_LOSS_NOMEM];
		}
		if (i >= dev->real_num_tx_queues) {
			tx->packets += sum[VNIC_STAT_TX_PACKETS];
			tx->bytes += sum[VNIC_STAT_TX_BYTES];
			tx->stop += sum[VNIC_STAT_TX_STOP];
			tx->wake += sum[VNIC_STAT_TX_WAKE];
		}
	}
}

static const struct netdev_stat_ops vnic_qstats_link_ops = {
	.get_queue_stats_rx	= vnic_qstats_link_rx,
	.get_queue_stats_tx	= vnic_qstats_link_tx,
	.get_base_stats		= vnic_qstats_link_base,
};

/**
 * vnic_qstats_setup_link() - offer the counters of each queue
 * @dev: a vndummy or vnveth that is being set up
 *
 * Context: process.
 */
void vnic_qstats_setup_link(struct net_device *dev)
{
	dev->stat_ops = &vnic_qstats_link_ops;
}

/**
 * vnic_qstats_setup() - offer the counters of each queue
 * @dev: a vntun or vntap that is being set up
 *
 * Context: process.
 */
void vnic_qstats_setup(struct net_device *dev)
{
	dev->stat_ops = &vnic_qstats_ops;
}
