// SPDX-License-Identifier: GPL-2.0
/*
 * hints - what an XDP program can ask of a packet on a vndummy or vnveth
 *
 *	bpf_xdp_metadata_rx_timestamp(), _rx_hash(), _rx_vlan_tag()
 *
 * Only a packet of the stack knows something. On kernels without the last of
 * the three (before 6.8) vnic.h has nothing instead of this file.
 */
#include <linux/if_vlan.h>
#include <linux/ktime.h>
#include <linux/netdevice.h>
#include <net/xdp.h>

#include "vnic.h"

/* The core calls these with the program's context. */
static struct sk_buff *vnic_hints_skb(const struct xdp_md *ctx)
{
	return ((const struct vnic_xdp_buff *)ctx)->skb;
}

/*
 * No hardware has stamped it, unless it came from some and was forwarded: then
 * the time is now, when the driver has it in hand, as for any receive time
 * stamp made by software.
 */
static int vnic_hints_timestamp(const struct xdp_md *ctx, u64 *timestamp)
{
	struct sk_buff *skb = vnic_hints_skb(ctx);

	if (!skb)
		return -ENODATA;
	*timestamp = skb_hwtstamps(skb)->hwtstamp ?: ktime_get_real();
	return 0;
}

static int vnic_hints_hash(const struct xdp_md *ctx, u32 *hash,
			   enum xdp_rss_hash_type *type)
{
	struct sk_buff *skb = vnic_hints_skb(ctx);

	if (!skb)
		return -ENODATA;
	*hash = skb_get_hash(skb);
	*type = skb->l4_hash ? XDP_RSS_TYPE_L4_ANY : XDP_RSS_TYPE_NONE;
	return 0;
}

static int vnic_hints_vlan_tag(const struct xdp_md *ctx, __be16 *proto,
			       u16 *tci)
{
	struct sk_buff *skb = vnic_hints_skb(ctx);

	if (!skb || !skb_vlan_tag_present(skb))
		return -ENODATA;
	*proto = skb->vlan_proto;
	*tci = skb_vlan_tag_get(skb);
	return 0;
}

static const struct xdp_metadata_ops vnic_hints_ops = {
	.xmo_rx_timestamp	= vnic_hints_timestamp,
	.xmo_rx_hash		= vnic_hints_hash,
	.xmo_rx_vlan_tag	= vnic_hints_vlan_tag,
};

/**
 * vnic_hints_setup() - offer what packets know to XDP programs
 * @dev: a vndummy or vnveth that is being set up
 *
 * Context: process.
 */
void vnic_hints_setup(struct net_device *dev)
{
	dev->xdp_metadata_ops = &vnic_hints_ops;
}
