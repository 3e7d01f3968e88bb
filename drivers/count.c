// SPDX-License-Identifier: GPL-2.0
/*
 * count - what has become of each packet of a vntun or vntap
 *
 *	written by the program = rx_packets + every rx_drop_*
 *	given by the stack     = tx_packets + every tx_drop_* + in the rings
 *
 * One table says what each counter is called, and why a packet that it counts
 * was lost. Everything else is made of it: ``ip -s link``, ``ethtool -S``, the
 * netdev family's queue statistics, and the reason at skb:kfree_skb.
 */
#include <linux/ethtool.h>
#include <linux/netdevice.h>

#include "trace.h"
#include "vnic.h"

struct vnic_counter_info {
	const char		*name;
	enum skb_drop_reason	reason;	/* 0 for what is no loss */
};

#define LOSS(reason_)	.reason = SKB_DROP_REASON_##reason_

static const struct vnic_counter_info vnic_counters[VNIC_COUNTERS] = {
	[VNIC_RX_PACKETS]	= { "rx_packets" },
	[VNIC_RX_BYTES]		= { "rx_bytes" },
	[VNIC_RX_SHORT]		= { "rx_drop_short", LOSS(HDR_TRUNC) },
	[VNIC_RX_LONG]		= { "rx_drop_long", LOSS(PKT_TOO_BIG) },
	[VNIC_RX_FAULT]		= { "rx_drop_fault", LOSS(SKB_UCOPY_FAULT) },
	[VNIC_RX_NOMEM]		= { "rx_drop_nomem", LOSS(NOMEM) },
	[VNIC_RX_PROTOCOL]	= { "rx_drop_protocol", LOSS(INVALID_PROTO) },
	[VNIC_RX_VNET]		= { "rx_drop_vnet", LOSS(DEV_HDR) },
	[VNIC_RX_DOWN]		= { "rx_drop_down", LOSS(DEV_READY) },
	[VNIC_RX_BUSY]		= { "rx_drop_busy", LOSS(CPU_BACKLOG) },
	[VNIC_RX_XDP_DROP]	= { "rx_drop_xdp", LOSS(XDP) },
	[VNIC_RX_XDP_ERROR]	= { "rx_drop_xdp_error", LOSS(XDP) },
	[VNIC_RX_XDP_TX]	= { "rx_xdp_tx" },
	[VNIC_RX_XDP_REDIRECT]	= { "rx_xdp_redirect" },
	[VNIC_RX_XDP_GENERIC]	= { "rx_xdp_generic" },
	[VNIC_TX_PACKETS]	= { "tx_packets" },
	[VNIC_TX_BYTES]		= { "tx_bytes" },
	[VNIC_TX_NO_QUEUE]	= { "tx_drop_no_queue", LOSS(DEV_READY) },
	[VNIC_TX_FULL]		= { "tx_drop_full", LOSS(FULL_RING) },
	[VNIC_TX_FILTER_MAC]	= { "tx_drop_filter_mac", LOSS(TAP_TXFILTER) },
	[VNIC_TX_FILTER_CBPF]	= { "tx_drop_filter_cbpf",
				    LOSS(SOCKET_FILTER) },
	[VNIC_TX_FILTER_EBPF]	= { "tx_drop_filter_ebpf", LOSS(TAP_FILTER) },
	[VNIC_TX_FAULT]		= { "tx_drop_fault", LOSS(SKB_UCOPY_FAULT) },
	[VNIC_TX_NOMEM]		= { "tx_drop_nomem", LOSS(NOMEM) },
	[VNIC_TX_VNET]		= { "tx_drop_vnet", LOSS(SKB_GSO_SEG) },
	[VNIC_TX_PURGED]	= { "tx_drop_purged", LOSS(DEV_READY) },
	[VNIC_TX_TRUNCATED]	= { "tx_truncated" },
	[VNIC_TX_XDP]		= { "tx_xdp_xmit" },
	[VNIC_TX_STOP]		= { "tx_stop" },
	[VNIC_TX_WAKE]		= { "tx_wake" },
};

/**
 * vnic_count() - count something
 * @port: the device, held or in an RCU section
 * @index: the queue's slot, or VNIC_NO_SLOT
 * @counter: what
 * @n: how many
 *
 * Context: any, also with interrupts off.
 */
void vnic_count(struct vnic_port *port, unsigned int index,
		enum vnic_counter counter, unsigned int n)
{
	struct vnic_count *count = get_cpu_ptr(vnic_count_of(port, index));
	unsigned long flags;

	flags = u64_stats_update_begin_irqsave(&count->syncp);
	u64_stats_add(&count->counter[counter], n);
	u64_stats_update_end_irqrestore(&count->syncp, flags);
	put_cpu_ptr(count);
}

/**
 * vnic_count_loss() - count a packet as lost, and leave it to the caller
 * @port: the device, held or in an RCU section
 * @index: the queue's slot, or VNIC_NO_SLOT
 * @ptr: the packet, as an entry of a ring; NULL if it never became one
 * @counter: one that is a loss
 *
 * Context: any, also with interrupts off.
 */
void vnic_count_loss(struct vnic_port *port, unsigned int index,
		     const void *ptr, enum vnic_counter counter)
{
	vnic_trace(drop, port->dev, index, ptr, "", vnic_counters[counter].name,
		   vnic_counters[counter].reason);
	vnic_count(port, index, counter, 1);
}

/**
 * vnic_lose() - lose a packet, and say why
 * @port: the device, held or in an RCU section
 * @index: the queue's slot, or VNIC_NO_SLOT
 * @skb: the packet, freed here; NULL if it never became one
 * @counter: one that is a loss
 *
 * Context: any: a full ring may meet netpoll, which comes with interrupts off.
 */
void vnic_lose(struct vnic_port *port, unsigned int index,
	       struct sk_buff *skb, enum vnic_counter counter)
{
	vnic_count_loss(port, index, skb, counter);
	if (!skb)
		return;
	if (counter > VNIC_TX_BYTES)
		skb_tx_error(skb);
	dev_kfree_skb_any_reason(skb, vnic_counters[counter].reason);
}

static void vnic_count_add(u64 *sum, const struct vnic_count __percpu *counts)
{
	const struct vnic_count *count;
	u64 copy[VNIC_COUNTERS];
	unsigned int start, i;
	int cpu;

	for_each_possible_cpu(cpu) {
		count = per_cpu_ptr(counts, cpu);
		do {
			start = u64_stats_fetch_begin(&count->syncp);
			for (i = 0; i < VNIC_COUNTERS; i++)
				copy[i] = u64_stats_read(&count->counter[i]);
		} while (u64_stats_fetch_retry(&count->syncp, start));
		for (i = 0; i < VNIC_COUNTERS; i++)
			sum[i] += copy[i];
	}
}

/**
 * vnic_count_sum() - read the counters of a queue, or of all
 * @port: the device
 * @index: the queue's slot, or -1 for the device's sum
 * @sum: VNIC_COUNTERS figures, written here
 *
 * Context: any; needs no lock.
 */
void vnic_count_sum(struct vnic_port *port, int index, u64 *sum)
{
	struct vnic_count __percpu *count;

	if (index < 0) {
		vnic_count_sum_unused(port, 0, sum);
		return;
	}
	memset(sum, 0, sizeof(*sum) * VNIC_COUNTERS);
	count = READ_ONCE(port->slots[index].count);
	if (count)
		vnic_count_add(sum, count);
}

/**
 * vnic_count_sum_unused() - read the counters of all but the first queues
 * @port: the device
 * @from: the first slot to be counted in
 * @sum: VNIC_COUNTERS figures, written here; also of what no slot can be told
 *	for
 *
 * Context: any; needs no lock.
 */
void vnic_count_sum_unused(struct vnic_port *port, unsigned int from, u64 *sum)
{
	struct vnic_count __percpu *count;
	unsigned int i;

	memset(sum, 0, sizeof(*sum) * VNIC_COUNTERS);
	vnic_count_add(sum, port->base);
	for (i = from; i < port->dev->num_tx_queues; i++) {
		count = READ_ONCE(port->slots[i].count);
		if (count)
			vnic_count_add(sum, count);
	}
}

/**
 * vnic_count_get_stats64() - ndo_get_stats64 of vntun and vntap
 * @dev: the device
 * @tot: where to add
 *
 * Context: any; needs no lock.
 */
void vnic_count_get_stats64(struct net_device *dev,
			    struct rtnl_link_stats64 *tot)
{
	u64 sum[VNIC_COUNTERS];
	unsigned int i;

	vnic_count_sum(netdev_priv(dev), -1, sum);
	tot->rx_packets += sum[VNIC_RX_PACKETS];
	tot->rx_bytes += sum[VNIC_RX_BYTES];
	tot->tx_packets += sum[VNIC_TX_PACKETS];
	tot->tx_bytes += sum[VNIC_TX_BYTES];
	for (i = 0; i < VNIC_COUNTERS; i++) {
		if (!vnic_counters[i].reason)
			continue;
		if (i < VNIC_TX_PACKETS)
			tot->rx_dropped += sum[i];
		else
			tot->tx_dropped += sum[i];
	}
	tot->rx_frame_errors += sum[VNIC_RX_VNET];
	tot->rx_length_errors += sum[VNIC_RX_SHORT] + sum[VNIC_RX_LONG];
	tot->rx_errors += sum[VNIC_RX_VNET] + sum[VNIC_RX_SHORT] +
			  sum[VNIC_RX_LONG];
}

/**
 * vnic_count_get_sset_count() - ethtool -S: how many figures
 * @dev: the device
 * @set: ETH_SS_STATS
 *
 * Context: process, RTNL held.
 * Return: the device's, then those of each queue in use; -EOPNOTSUPP.
 */
int vnic_count_get_sset_count(struct net_device *dev, int set)
{
	if (set != ETH_SS_STATS)
		return -EOPNOTSUPP;
	return VNIC_COUNTERS * (1 + dev->real_num_tx_queues);
}

static void vnic_count_put_names(u8 **data, const char *prefix)
{
	unsigned int i;

	for (i = 0; i < VNIC_COUNTERS; i++)
		ethtool_sprintf(data, "%s%s", prefix, vnic_counters[i].name);
}

/**
 * vnic_count_get_strings() - ethtool -S: their names
 * @dev: the device
 * @set: ETH_SS_STATS
 * @data: as many names of ETH_GSTRING_LEN bytes as there are figures
 *
 * Context: process, RTNL held.
 */
void vnic_count_get_strings(struct net_device *dev, u32 set, u8 *data)
{
	char prefix[ETH_GSTRING_LEN];
	unsigned int i;

	if (set != ETH_SS_STATS)
		return;
	vnic_count_put_names(&data, "");
	for (i = 0; i < dev->real_num_tx_queues; i++) {
		snprintf(prefix, sizeof(prefix), "queue_%u_", i);
		vnic_count_put_names(&data, prefix);
	}
}

/**
 * vnic_count_get_ethtool_stats() - ethtool -S: the figures
 * @dev: the device
 * @head: what was asked for
 * @data: written here
 *
 * Context: process, RTNL held.
 */
void vnic_count_get_ethtool_stats(struct net_device *dev,
				  struct ethtool_stats *head, u64 *data)
{
	struct vnic_port *port = netdev_priv(dev);
	int i;

	for (i = -1; i < (int)dev->real_num_tx_queues; i++) {
		vnic_count_sum(port, i, data);
		data += VNIC_COUNTERS;
	}
}
