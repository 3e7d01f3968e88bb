// SPDX-License-Identifier: GPL-2.0
/* What skb_consumed.cocci has to report, and what it has to leave alone. */
#include "vnic.h"

static void counts_then_consumes(struct net_device *dev, struct sk_buff *skb)
{
	vnic_stats_add(dev, 0, VNIC_STAT_TX_LOST + VNIC_LOSS_DOWN, 1);
	consume_skb(skb);	/* report */
}

static void consumes_then_counts(struct vnic_port *port, struct sk_buff *skb)
{
	dev_kfree_skb(skb);	/* report */
	vnic_count(port, 0, VNIC_TX_FULL, 1);
}

static void counts_for_the_core(struct net_device *dev, struct sk_buff *skb)
{
	dev_core_stats_tx_dropped_inc(dev);
	dev_consume_skb_any(skb);	/* report */
}

static void loses(struct net_device *dev, struct sk_buff *skb)
{
	vnic_lose_tx(dev, 0, skb, VNIC_LOSS_DOWN);
}

static void delivers(struct net_device *dev, struct sk_buff *skb)
{
	vnic_count_tx(dev, 0, skb->len);
	vnic_stats_add(dev, 0, VNIC_STAT_RX_XDP_TX, 1);
	consume_skb(skb);
}

/* What is lost here is no packet of this function. */
static void delivers_or_loses(struct net_device *dev, struct sk_buff *skb,
			      bool up)
{
	if (!up) {
		vnic_lose_rx(dev, 0, skb, VNIC_LOSS_DOWN);
		return;
	}
	consume_skb(skb);
}

static int fails(struct sk_buff *skb)
{
	if (skb->len < ETH_HLEN) {
		consume_skb(skb);	/* report */
		return -EINVAL;
	}
	consume_skb(skb);
	return 0;
}

static struct sk_buff *fails_to_copy(struct sk_buff *skb)
{
	struct sk_buff *copy = skb_copy(skb, GFP_ATOMIC);

	if (!copy) {
		napi_consume_skb(skb, 0);	/* report */
		return ERR_PTR(-ENOMEM);
	}
	consume_skb(skb);
	return copy;
}

static bool sends(struct net_device *dev, struct sk_buff *skb)
{
	if (!netif_running(dev)) {
		consume_skb(skb);	/* report */
		return false;
	}
	consume_skb(skb);
	return true;
}

static int drops(struct sk_buff *skb)
{
	if (skb->len < ETH_HLEN)
		goto drop;
	consume_skb(skb);
	return NETDEV_TX_OK;

drop:
	consume_skb(skb);	/* report */
	return NETDEV_TX_OK;
}

static int frees(struct sk_buff *skb)
{
	if (skb->len < ETH_HLEN)
		goto drop;
	consume_skb(skb);
	return NETDEV_TX_OK;

drop:
	kfree_skb_reason(skb, SKB_DROP_REASON_PKT_TOO_SMALL);
	return NETDEV_TX_OK;
}
