// SPDX-License-Identifier: GPL-2.0
/*
 * tunnel - virtio headers of packets in UDP tunnels (VXLAN, Geneve)
 *
 * A packet within a packet, to be cut into segments with both their headers.
 * The fields for it came with Linux 6.17; on kernels without them vnic.h has
 * the refusals instead of this file.
 */
#include <linux/skbuff.h>
#include <linux/virtio_net.h>

#include "vnic.h"

/**
 * vnic_vnet_tunnel_to_skb() - as vnic_vnet_to_skb(), for a packet in a tunnel
 * @skb: the packet
 * @offload: its header
 *
 * Context: process.
 * Return: 0 or -EINVAL.
 */
int vnic_vnet_tunnel_to_skb(struct sk_buff *skb,
			    const struct vnic_offload *offload)
{
	struct virtio_net_hdr_v1_hash_tunnel *tunnel;
	struct vnic_vnet vnet;

	BUILD_BUG_ON(sizeof(*tunnel) != sizeof(vnet));
	vnic_vnet_encode(offload, &vnet);
	tunnel = (struct virtio_net_hdr_v1_hash_tunnel *)&vnet;
	return virtio_net_hdr_tnl_to_skb(skb, tunnel, offload->tunnel,
					 offload->tunnel, true);
}

/**
 * vnic_vnet_tunnel_from_skb() - as vnic_vnet_from_skb(), for one in a tunnel
 * @skb: the packet
 * @offload: written here; @offload->tunnel is read
 *
 * Context: process.
 * Return: 0 or -EINVAL.
 */
int vnic_vnet_tunnel_from_skb(const struct sk_buff *skb,
			      struct vnic_offload *offload)
{
	unsigned int vlan_len = skb_vlan_tag_present(skb) ? VLAN_HLEN : 0;
	struct virtio_net_hdr_v1_hash_tunnel *tunnel;
	struct vnic_vnet vnet = { };
	int err;

	tunnel = (struct virtio_net_hdr_v1_hash_tunnel *)&vnet;
	err = virtio_net_hdr_tnl_from_skb(skb, tunnel, offload->tunnel, true,
					  vlan_len, true, false);
	if (err)
		return err;
	vnic_vnet_decode(&vnet, offload);
	/* The core counts these from the headers as they are without the tag. */
	offload->outer_th += vlan_len;
	offload->inner_nh += vlan_len;
	return 0;
}
