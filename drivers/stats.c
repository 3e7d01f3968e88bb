// SPDX-License-Identifier: GPL-2.0
/*
 * stats - what has become of each packet of a vndummy or vnveth
 *
 *	given by the stack        = tx_packets + every tx_drop_*
 *	came from the other end   = rx_packets + every rx_drop_*
 *
 * and between two ends the two are the same. One table says what each loss is
 * called and why the packet was lost. From it are made ``ip -s link``,
 * ``ethtool -S`` (first in veth's words, then in ours), and the reason at
 * skb:kfree_skb.
 */
#include <linux/ethtool.h>
#include <linux/netdevice.h>

#include "trace.h"
#include "vnic.h"

struct vnic_loss_info {
	const char		*name;
	enum skb_drop_reason	reason;
};

#define LOSS(reason_)	SKB_DROP_REASON_##reason_

static const struct vnic_loss_info vnic_losses[VNIC_LOSSES] = {
	[VNIC_LOSS_DOWN]	= { "down", LOSS(DEV_READY) },
	[VNIC_LOSS_FULL]	= { "full", LOSS(FULL_RING) },
	[VNIC_LOSS_BACKLOG]	= { "backlog", LOSS(CPU_BACKLOG) },
	[VNIC_LOSS_TOO_BIG]	= { "too_big", LOSS(PKT_TOO_BIG) },
	[VNIC_LOSS_SHORT]	= { "short", LOSS(HDR_TRUNC) },
	[VNIC_LOSS_UCOPY]	= { "ucopy", LOSS(SKB_UCOPY_FAULT) },
	[VNIC_LOSS_NOMEM]	= { "nomem", LOSS(NOMEM) },
	[VNIC_LOSS_PROTOCOL]	= { "protocol", LOSS(INVALID_PROTO) },
	[VNIC_LOSS_XDP]		= { "xdp", LOSS(XDP) },
	[VNIC_LOSS_XDP_ABORTED]	= { "xdp_aborted", LOSS(XDP) },
	[VNIC_LOSS_XDP_ERROR]	= { "xdp_error", LOSS(XDP) },
};

/* What is no loss, and has no name of veth's. */
struct vnic_stat_info {
	const char	*name;
	enum vnic_stat	stat;
};

static const struct vnic_stat_info vnic_rx_stats[] = {
	{ "packets", VNIC_STAT_RX_PACKETS },
	{ "bytes", VNIC_STAT_RX_BYTES },
	{ "xdp_copied", VNIC_STAT_RX_XDP_COPIED },
};

static const struct vnic_stat_info vnic_tx_stats[] = {
	{ "packets", VNIC_STAT_TX_PACKETS },
	{ "bytes", VNIC_STAT_TX_BYTES },
	{ "stop", VNIC_STAT_TX_STOP },
	{ "wake", VNIC_STAT_TX_WAKE },
};

/* veth's figures of a queue; made in vnic_stats_put_veth_rx() and _tx(). */
static const char * const vnic_veth_rx[] = {
	"xdp_packets", "xdp_bytes", "drops", "xdp_redirect", "xdp_drops",
	"xdp_tx", "xdp_tx_errors",
};

static const char * const vnic_veth_tx[] = {
	"xdp_xmit", "xdp_xmit_errors",
};

#define VNIC_OWN_RX	(ARRAY_SIZE(vnic_rx_stats) + VNIC_LOSSES)
#define VNIC_OWN_TX	(ARRAY_SIZE(vnic_tx_stats) + VNIC_LOSSES)

/**
 * vnic_stats_grow() - have counters for so many queues
 * @dev: the device
 * @queues: how many, as many as it can have at the most
 *
 * Context: process, RTNL held.
 * Return: 0 or -ENOMEM.
 */
int vnic_stats_grow(struct net_device *dev, unsigned int queues)
{
	unsigned int i, max = max(dev->num_rx_queues, dev->num_tx_queues);
	struct vnic_link *link = netdev_priv(dev);
	struct vnic_stats *stats;

	if (!link->stats) {
		link->stats = kvcalloc(max, sizeof(*link->stats),
				       GFP_KERNEL_ACCOUNT);
		if (!link->stats)
			return -ENOMEM;
	}
	for (i = 0; i < queues; i++) {
		if (link->stats[i])
			continue;
		stats = i ? kzalloc(sizeof(*stats), GFP_KERNEL_ACCOUNT) :
			    &link->first;
		if (!stats)
			return -ENOMEM;
		stats->cpu = netdev_alloc_pcpu_stats(struct vnic_cpu_stats);
		if (!stats->cpu) {
			if (i)
				kfree(stats);
			return -ENOMEM;
		}
		WRITE_ONCE(link->stats[i], stats);
	}
	return 0;
}

/**
 * vnic_stats_free() - free the counters
 * @dev: a device that nobody can see any more
 *
 * Context: process.
 */
void vnic_stats_free(struct net_device *dev)
{
	unsigned int i, max = max(dev->num_rx_queues, dev->num_tx_queues);
	struct vnic_link *link = netdev_priv(dev);

	for (i = 0; link->stats && i < max; i++) {
		if (!link->stats[i])
			continue;
		free_percpu(link->stats[i]->cpu);
		if (i)
			kfree(link->stats[i]);
	}
	kvfree(link->stats);
	link->stats = NULL;
}

/**
 * vnic_count_rx_of() - vnic_count_rx() for any queue
 * @dev: the device
 * @queue: by which queue the packets came
 * @packets: how many
 * @bytes: of all of them, Ethernet headers included
 *
 * Context: bottom halves off; the device is held, or seen in an RCU section.
 */
void vnic_count_rx_of(struct net_device *dev, unsigned int queue,
		      unsigned int packets, unsigned int bytes)
{
	vnic_stats_rx(vnic_stats_of(dev, queue), packets, bytes);
}

/**
 * vnic_count_tx_of() - vnic_count_tx() for any queue
 * @dev: the device
 * @queue: by which queue the packet went
 * @bytes: its bytes, Ethernet header included
 *
 * Context: bottom halves off; the device is held, or seen in an RCU section.
 */
void vnic_count_tx_of(struct net_device *dev, unsigned int queue,
		      unsigned int bytes)
{
	vnic_stats_tx(vnic_stats_of(dev, queue), bytes);
}

/**
 * vnic_lose_rx() - lose a packet that was on its way to the stack
 * @dev: the device that would have received it
 * @queue: by which queue
 * @skb: the packet, freed here; NULL if it is not ours to free, or no skb
 * @loss: why
 *
 * Context: any, also with interrupts off.
 */
void vnic_lose_rx(struct net_device *dev, unsigned int queue,
		  struct sk_buff *skb, enum vnic_loss loss)
{
	vnic_trace(drop, dev, queue, skb, "rx_drop_", vnic_losses[loss].name,
		   vnic_losses[loss].reason);
	vnic_stats_add(dev, queue, VNIC_STAT_RX_LOST + loss, 1);
	if (skb)
		dev_kfree_skb_any_reason(skb, vnic_losses[loss].reason);
}

/**
 * vnic_lose_rx_list() - lose several, which is less work than one by one
 * @dev: the device that would have received them
 * @queue: by which queue
 * @list: those that are packets, linked by skb->next, freed here
 * @n: how many, with those that were frames of XDP and are gone already
 * @loss: why
 *
 * Context: interrupts on.
 */
void vnic_lose_rx_list(struct net_device *dev, unsigned int queue,
		       struct sk_buff *list, unsigned int n,
		       enum vnic_loss loss)
{
	vnic_trace(drop_list, dev, queue, list, n, "rx_drop_",
		   vnic_losses[loss].name, vnic_losses[loss].reason);
	vnic_stats_add(dev, queue, VNIC_STAT_RX_LOST + loss, n);
	kfree_skb_list_reason(list, vnic_losses[loss].reason);
}

/**
 * vnic_lose_tx() - lose a packet that was on its way out of the stack
 * @dev: the device that was to transmit it
 * @queue: by which queue
 * @skb: the packet, freed here; NULL if it is not ours to free, or no skb
 * @loss: why
 *
 * Context: any: a full ring may meet netpoll, which comes with interrupts
 * off.
 */
void vnic_lose_tx(struct net_device *dev, unsigned int queue,
		  struct sk_buff *skb, enum vnic_loss loss)
{
	vnic_trace(drop, dev, queue, skb, "tx_drop_", vnic_losses[loss].name,
		   vnic_losses[loss].reason);
	vnic_stats_add(dev, queue, VNIC_STAT_TX_LOST + loss, 1);
	if (!skb)
		return;
	skb_tx_error(skb);
	dev_kfree_skb_any_reason(skb, vnic_losses[loss].reason);
}

static void vnic_stats_sum_queue(struct vnic_stats *stats, u64 *sum)
{
	u64 rx_packets, rx_bytes, tx_packets, tx_bytes;
	const struct vnic_cpu_stats *cpu_stats;
	unsigned int start, i;
	int cpu;

	for (i = 0; i < VNIC_STATS_RARE; i++)
		sum[i] += atomic64_read(&stats->rare[i]);
	for_each_possible_cpu(cpu) {
		cpu_stats = per_cpu_ptr(stats->cpu, cpu);
		do {
			start = u64_stats_fetch_begin(&cpu_stats->syncp);
			rx_packets = u64_stats_read(&cpu_stats->rx_packets);
			rx_bytes = u64_stats_read(&cpu_stats->rx_bytes);
			tx_packets = u64_stats_read(&cpu_stats->tx_packets);
			tx_bytes = u64_stats_read(&cpu_stats->tx_bytes);
		} while (u64_stats_fetch_retry(&cpu_stats->syncp, start));
		sum[VNIC_STAT_RX_PACKETS] += rx_packets;
		sum[VNIC_STAT_RX_BYTES] += rx_bytes;
		sum[VNIC_STAT_TX_PACKETS] += tx_packets;
		sum[VNIC_STAT_TX_BYTES] += tx_bytes;
	}
}

/**
 * vnic_stats_sum() - read the counters of a queue, or of all
 * @dev: the device
 * @queue: the queue, or -1 for the device's sum
 * @sum: VNIC_STATS figures, written here
 *
 * Context: any; needs no lock.
 */
void vnic_stats_sum(struct net_device *dev, int queue, u64 *sum)
{
	unsigned int i, max = max(dev->num_rx_queues, dev->num_tx_queues);
	struct vnic_link *link = netdev_priv(dev);
	struct vnic_stats *stats;

	memset(sum, 0, sizeof(*sum) * VNIC_STATS);
	for (i = 0; i < max; i++) {
		stats = READ_ONCE(link->stats[i]);
		if (stats && (queue < 0 || queue == i))
			vnic_stats_sum_queue(stats, sum);
	}
}

/**
 * vnic_get_stats64() - ndo_get_stats64 of vndummy and vnveth
 * @dev: the device
 * @tot: where to add
 *
 * Context: any; needs no lock.
 */
void vnic_get_stats64(struct net_device *dev, struct rtnl_link_stats64 *tot)
{
	u64 sum[VNIC_STATS];
	unsigned int i;

	vnic_stats_sum(dev, -1, sum);
	tot->rx_packets += sum[VNIC_STAT_RX_PACKETS];
	tot->rx_bytes += sum[VNIC_STAT_RX_BYTES];
	tot->tx_packets += sum[VNIC_STAT_TX_PACKETS];
	tot->tx_bytes += sum[VNIC_STAT_TX_BYTES];
	for (i = 0; i < VNIC_LOSSES; i++) {
		tot->rx_dropped += sum[VNIC_STAT_RX_LOST + i];
		tot->tx_dropped += sum[VNIC_STAT_TX_LOST + i];
	}
	/* What a BPF program has redirected into us past our peer. */
	if (dev->tstats)
		dev_fetch_sw_netstats(tot, dev->tstats);
}

/**
 * vnic_stats_get_sset_count() - ethtool -S: how many figures
 * @dev: the device
 * @set: ETH_SS_STATS
 *
 * Context: process, RTNL held.
 * Return: veth's, then the device's, then those of each queue in use;
 * -EOPNOTSUPP.
 */
int vnic_stats_get_sset_count(struct net_device *dev, int set)
{
	if (set != ETH_SS_STATS)
		return -EOPNOTSUPP;
	return (dev->rtnl_link_ops == &vnveth_link_ops) +
	       ARRAY_SIZE(vnic_veth_rx) * dev->real_num_rx_queues +
	       ARRAY_SIZE(vnic_veth_tx) * dev->real_num_tx_queues +
	       VNIC_OWN_RX * (1 + dev->real_num_rx_queues) +
	       VNIC_OWN_TX * (1 + dev->real_num_tx_queues);
}

/* "rx_" and so on, of the device or a queue, then each figure's name. */
static void vnic_stats_put_names(u8 **data, const char *way, int queue,
				 const struct vnic_stat_info *info,
				 unsigned int n)
{
	char prefix[ETH_GSTRING_LEN];
	unsigned int i;

	if (queue < 0)
		snprintf(prefix, sizeof(prefix), "%s", way);
	else
		snprintf(prefix, sizeof(prefix), "%s_queue_%d", way, queue);
	for (i = 0; i < n; i++)
		ethtool_sprintf(data, "%s_%s", prefix, info[i].name);
	for (i = 0; i < VNIC_LOSSES; i++)
		ethtool_sprintf(data, "%s_drop_%s", prefix,
				vnic_losses[i].name);
}

/**
 * vnic_stats_get_strings() - ethtool -S: their names
 * @dev: the device
 * @set: ETH_SS_STATS
 * @data: as many names of ETH_GSTRING_LEN bytes as there are figures
 *
 * Context: process, RTNL held.
 */
void vnic_stats_get_strings(struct net_device *dev, u32 set, u8 *data)
{
	unsigned int i;
	int q;

	if (set != ETH_SS_STATS)
		return;
	if (dev->rtnl_link_ops == &vnveth_link_ops)
		ethtool_puts(&data, "peer_ifindex");
	for (q = 0; q < dev->real_num_rx_queues; q++)
		for (i = 0; i < ARRAY_SIZE(vnic_veth_rx); i++)
			ethtool_sprintf(&data, "rx_queue_%d_%s", q,
					vnic_veth_rx[i]);
	for (q = 0; q < dev->real_num_tx_queues; q++)
		for (i = 0; i < ARRAY_SIZE(vnic_veth_tx); i++)
			ethtool_sprintf(&data, "tx_queue_%d_%s", q,
					vnic_veth_tx[i]);
	for (q = -1; q < (int)dev->real_num_rx_queues; q++)
		vnic_stats_put_names(&data, "rx", q, vnic_rx_stats,
				     ARRAY_SIZE(vnic_rx_stats));
	for (q = -1; q < (int)dev->real_num_tx_queues; q++)
		vnic_stats_put_names(&data, "tx", q, vnic_tx_stats,
				     ARRAY_SIZE(vnic_tx_stats));
}

static u64 *vnic_stats_put(u64 *data, const u64 *sum,
			   const struct vnic_stat_info *info, unsigned int n,
			   enum vnic_stat lost)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		*data++ = sum[info[i].stat];
	for (i = 0; i < VNIC_LOSSES; i++)
		*data++ = sum[lost + i];
	return data;
}

/* In the order of vnic_veth_rx. */
static u64 *vnic_stats_put_veth_rx(u64 *data, const u64 *sum)
{
	const u64 *lost = sum + VNIC_STAT_RX_LOST;
	u64 xdp_drops, drops = 0;
	unsigned int i;

	xdp_drops = lost[VNIC_LOSS_XDP] + lost[VNIC_LOSS_XDP_ABORTED];
	for (i = 0; i < VNIC_LOSSES; i++)
		drops += lost[i];
	*data++ = sum[VNIC_STAT_RX_POLLED];
	*data++ = sum[VNIC_STAT_RX_POLLED_BYTES];
	*data++ = drops - xdp_drops;
	*data++ = sum[VNIC_STAT_RX_XDP_REDIRECT];
	*data++ = xdp_drops;
	*data++ = sum[VNIC_STAT_RX_XDP_TX];
	*data++ = sum[VNIC_STAT_RX_XDP_TX_ERROR];
	return data;
}

/**
 * vnic_stats_get_ethtool_stats() - ethtool -S: the figures
 * @dev: the device
 * @head: what was asked for
 * @data: written here
 *
 * Context: process, RTNL held.
 */
void vnic_stats_get_ethtool_stats(struct net_device *dev,
				  struct ethtool_stats *head, u64 *data)
{
	struct vnic_link *link = netdev_priv(dev);
	struct net_device *peer = rtnl_dereference(link->peer);
	u64 sum[VNIC_STATS];
	int q;

	if (dev->rtnl_link_ops == &vnveth_link_ops)
		*data++ = peer ? peer->ifindex : 0;
	for (q = 0; q < dev->real_num_rx_queues; q++) {
		vnic_stats_sum(dev, q, sum);
		data = vnic_stats_put_veth_rx(data, sum);
	}
	for (q = 0; q < dev->real_num_tx_queues; q++) {
		vnic_stats_sum(dev, q, sum);
		*data++ = sum[VNIC_STAT_TX_XDP];
		*data++ = sum[VNIC_STAT_TX_XDP_ERROR];
	}
	for (q = -1; q < (int)dev->real_num_rx_queues; q++) {
		vnic_stats_sum(dev, q, sum);
		data = vnic_stats_put(data, sum, vnic_rx_stats,
				      ARRAY_SIZE(vnic_rx_stats),
				      VNIC_STAT_RX_LOST);
	}
	for (q = -1; q < (int)dev->real_num_tx_queues; q++) {
		vnic_stats_sum(dev, q, sum);
		data = vnic_stats_put(data, sum, vnic_tx_stats,
				      ARRAY_SIZE(vnic_tx_stats),
				      VNIC_STAT_TX_LOST);
	}
}
