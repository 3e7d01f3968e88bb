// SPDX-License-Identifier: GPL-2.0
/*
 * vnveth - an interface with another interface at the other end
 *
 *	namespace A                              namespace B
 *	stack -> vnveth_xmit() -> cell -> NAPI -> stack
 *	      <- NAPI <- cell <- vnveth_xmit() <-
 *
 * Learn: how two devices are made, tied together and taken apart as one; what
 * is taken off a packet when it changes namespaces; how a packet gets from
 * the sender's context into the receiver's (cell.c).
 */
#include <linux/etherdevice.h>
#include <linux/module.h>
#include <linux/net_tstamp.h>

#include "vnic.h"

/**
 * struct vnveth - private data of one end
 * @link: counters
 * @peer: the other end, held through @peer_tracker; written under RTNL, read
 *	in transmit under RCU. NULL before the pair is tied and once one end
 *	is being deleted, which deletes the other with it.
 * @peer_tracker: our reference to @peer
 * @headroom: what ndo_set_rx_headroom asked of this end; not always under
 *	RTNL, so written and read whole
 */
struct vnveth {
	struct vnic_link		link;
	struct net_device __rcu		*peer;
	netdevice_tracker		peer_tracker;
	int				headroom;
};

/*
 * The receiver's part of a crossing, in the sender's context: may the packet
 * pass, and what of its past has to stay behind. Returns why it was lost, or
 * 0. The packet is the caller's still when it was.
 */
static enum skb_drop_reason vnveth_forward(struct net_device *dev,
					   struct net_device *peer,
					   struct sk_buff *skb)
{
	/* Pages of a sender must not wait for a receiver that never reads. */
	if (skb_orphan_frags(skb, GFP_ATOMIC))
		return SKB_DROP_REASON_SKB_UCOPY_FAULT;
	if (unlikely(!__is_skb_forwardable(peer, skb, true)))
		return peer->flags & IFF_UP ? SKB_DROP_REASON_PKT_TOO_BIG :
					      SKB_DROP_REASON_DEV_READY;

	skb_scrub_packet(skb, !net_eq(dev_net(dev), dev_net(peer)));
	skb->priority = 0;
	/* The sender's queue number says nothing about the receiver's. */
	skb_set_queue_mapping(skb, 0);
	skb->protocol = eth_type_trans(skb, peer);
	skb_postpull_rcsum(skb, eth_hdr(skb), ETH_HLEN);
	if (unlikely(!vnic_cell_add(skb)))
		return SKB_DROP_REASON_CPU_BACKLOG;
	return SKB_NOT_DROPPED_YET;
}

static netdev_tx_t vnveth_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct vnveth *self = netdev_priv(dev);
	enum skb_drop_reason reason;
	unsigned int len = skb->len;
	struct net_device *peer;

	/* The core's BH section is an RCU section too. */
	peer = rcu_dereference_bh(self->peer);
	if (unlikely(!peer)) {
		vnic_drop_tx(dev, skb, SKB_DROP_REASON_DEV_READY);
		return NET_XMIT_DROP;
	}
	if (unlikely(!pskb_may_pull(skb, ETH_HLEN))) {
		reason = SKB_DROP_REASON_HDR_TRUNC;
		goto drop;
	}

	skb_tx_timestamp(skb);
	reason = vnveth_forward(dev, peer, skb);
	if (unlikely(reason))
		goto drop;
	vnic_count_tx(dev, len);
	return NETDEV_TX_OK;

drop:
	/* Lost between two ends: both say so, and their sums agree. */
	vnic_drop_tx(dev, skb, reason);
	vnic_drop_rx(peer, NULL, reason);
	return NET_XMIT_DROP;
}

static int vnveth_open(struct net_device *dev)
{
	struct vnveth *self = netdev_priv(dev);
	struct net_device *peer = rtnl_dereference(self->peer);

	if (!peer)
		return -ENOTCONN;
	if (peer->flags & IFF_UP) {
		netif_carrier_on(dev);
		netif_carrier_on(peer);
	}
	return 0;
}

static int vnveth_stop(struct net_device *dev)
{
	struct vnveth *self = netdev_priv(dev);
	struct net_device *peer = rtnl_dereference(self->peer);

	netif_carrier_off(dev);
	if (peer)
		netif_carrier_off(peer);
	/* It may be moved next: what was sent here is not for over there. */
	vnic_cell_flush(dev);
	return 0;
}

static int vnveth_init(struct net_device *dev)
{
	netdev_lockdep_set_classes(dev);
	return vnic_link_init(dev);
}

/*
 * No sender sees this end any more: vnveth_dellink() cleared the pointer and
 * the core has waited for RCU since. It will once more before it lets go of
 * the device, which outlasts the packets that are being delivered.
 */
static void vnveth_uninit(struct net_device *dev)
{
	vnic_cell_flush(dev);
}

static int vnveth_get_iflink(const struct net_device *dev)
{
	struct vnveth *self = netdev_priv(dev);
	struct net_device *peer;
	int iflink;

	rcu_read_lock();
	peer = rcu_dereference(self->peer);
	iflink = peer ? READ_ONCE(peer->ifindex) : 0;
	rcu_read_unlock();
	return iflink;
}

/* Context: RCU, from a BPF redirect. */
static struct net_device *vnveth_get_peer_dev(struct net_device *dev)
{
	struct vnveth *self = netdev_priv(dev);

	return rcu_dereference(self->peer);
}

/* A packet crosses with the room it was made with: both make the larger. */
static void vnveth_set_rx_headroom(struct net_device *dev, int headroom)
{
	struct vnveth *other, *self = netdev_priv(dev);
	struct net_device *peer;

	rcu_read_lock();
	peer = rcu_dereference(self->peer);
	if (peer) {
		other = netdev_priv(peer);
		headroom = max(headroom, 0);
		WRITE_ONCE(self->headroom, headroom);
		headroom = max(headroom, READ_ONCE(other->headroom));
		WRITE_ONCE(dev->needed_headroom, headroom);
		WRITE_ONCE(peer->needed_headroom, headroom);
	}
	rcu_read_unlock();
}

static const struct net_device_ops vnveth_netdev_ops = {
	.ndo_init		= vnveth_init,
	.ndo_uninit		= vnveth_uninit,
	.ndo_open		= vnveth_open,
	.ndo_stop		= vnveth_stop,
	.ndo_start_xmit		= vnveth_xmit,
	.ndo_features_check	= passthru_features_check,
	.ndo_validate_addr	= eth_validate_addr,
	.ndo_set_mac_address	= eth_mac_addr,
	VNIC_NDO_SET_RX_MODE,
	.ndo_get_stats64	= vnic_get_stats64,
	.ndo_get_iflink		= vnveth_get_iflink,
	.ndo_get_peer_dev	= vnveth_get_peer_dev,
	.ndo_set_rx_headroom	= vnveth_set_rx_headroom,
};

static const struct ethtool_ops vnveth_ethtool_ops = {
	.get_drvinfo		= vnic_get_drvinfo,
	.get_link		= ethtool_op_get_link,
	.get_ts_info		= ethtool_op_get_ts_info,
	.get_link_ksettings	= vnic_get_link_ksettings,
};

static const netdev_features_t vnveth_vlan_features =
	NETIF_F_HW_VLAN_CTAG_TX | NETIF_F_HW_VLAN_CTAG_RX |
	NETIF_F_HW_VLAN_STAG_TX | NETIF_F_HW_VLAN_STAG_RX;

static const netdev_features_t vnveth_features =
	NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_HW_CSUM | NETIF_F_RXCSUM |
	NETIF_F_SCTP_CRC | NETIF_F_HIGHDMA | NETIF_F_GSO_SOFTWARE |
	NETIF_F_GSO_ENCAP_ALL | vnveth_vlan_features;

static const netdev_features_t vnveth_gro_features =
	NETIF_F_GRO | NETIF_F_GRO_FRAGLIST | NETIF_F_GRO_UDP_FWD;

static void vnveth_setup(struct net_device *dev)
{
	ether_setup(dev);

	dev->netdev_ops = &vnveth_netdev_ops;
	dev->ethtool_ops = &vnveth_ethtool_ops;
	dev->needs_free_netdev = true;
	dev->priv_destructor = vnic_link_free;

	/* The receiver changes what it gets, so it must not be shared. */
	dev->priv_flags &= ~IFF_TX_SKB_SHARING;
	dev->priv_flags |= IFF_LIVE_ADDR_CHANGE | IFF_NO_QUEUE |
			   IFF_PHONY_HEADROOM | IFF_DISABLE_NETPOLL;
	vnic_set_lltx(dev);
	vnic_set_tstats(dev);
	dev->features |= vnveth_features;
	dev->hw_features = vnveth_features;
	dev->hw_enc_features = vnveth_features;
	dev->vlan_features = vnveth_features & ~vnveth_vlan_features;
	dev->mpls_features = NETIF_F_HW_CSUM | NETIF_F_GSO_SOFTWARE;
	netif_set_tso_max_size(dev, GSO_MAX_SIZE);
	dev->max_mtu = ETH_MAX_MTU;
}

static int vnveth_validate(struct nlattr *tb[], struct nlattr *data[],
			   struct netlink_ext_ack *extack)
{
	return vnic_validate(tb, BIT_ULL(VNIC_VETH_PEER), ETH_MAX_MTU, extack);
}

/* The core offers GRO on every device; here nothing would come of it. */
static void vnveth_fix_gro(struct net_device *dev)
{
	dev->features &= ~vnveth_gro_features;
	dev->wanted_features &= ~vnveth_gro_features;
	dev->hw_features &= ~vnveth_gro_features;
	netdev_update_features(dev);
}

/* Register one end. It stays without carrier until both are up. */
static int vnveth_register(struct net_device *dev, struct nlattr *address,
			   struct netlink_ext_ack *extack)
{
	int err;

	if (!address)
		eth_hw_addr_random(dev);
	err = vnic_register(dev, extack);
	if (err)
		return err;
	vnveth_fix_gro(dev);
	netif_carrier_off(dev);
	return 0;
}

static struct net_device *vnveth_create_peer(struct net *net,
					     struct nlattr *name,
					     struct nlattr *peer_tb[],
					     struct netlink_ext_ack *extack)
{
	unsigned char assign_type = NET_NAME_ENUM;
	char ifname[IFNAMSIZ];

	if (!name) {
		strscpy(ifname, VNIC_KIND_VETH "%d", sizeof(ifname));
	} else {
		assign_type = NET_NAME_USER;
		if (nla_strscpy(ifname, name, sizeof(ifname)) < 0 ||
		    !dev_valid_name(ifname)) {
			NL_SET_ERR_MSG_ATTR(extack, name,
					    "The peer's name is not a valid interface name");
			return ERR_PTR(-EINVAL);
		}
	}
	return rtnl_create_link(net, ifname, assign_type, &vnveth_link_ops,
				peer_tb, extack);
}

/* Each holds the other from here on, until vnveth_dellink(). */
static void vnveth_tie(struct net_device *dev, struct net_device *peer)
{
	struct vnveth *self = netdev_priv(dev), *other = netdev_priv(peer);

	netdev_hold(peer, &self->peer_tracker, GFP_KERNEL);
	rcu_assign_pointer(self->peer, peer);
	netdev_hold(dev, &other->peer_tracker, GFP_KERNEL);
	rcu_assign_pointer(other->peer, dev);
}

static void vnveth_dellink(struct net_device *dev, struct list_head *head)
{
	struct vnveth *other, *self = netdev_priv(dev);
	struct net_device *peer = rtnl_dereference(self->peer);

	/* Deleting the other end has queued this one already. */
	if (!peer)
		return;
	other = netdev_priv(peer);
	RCU_INIT_POINTER(self->peer, NULL);
	RCU_INIT_POINTER(other->peer, NULL);
	unregister_netdevice_queue(dev, head);
	unregister_netdevice_queue_net(dev_net(dev), peer, head);

	/* Not the last references: the unregistering waits for RCU first. */
	netdev_put(peer, &self->peer_tracker);
	netdev_put(dev, &other->peer_tracker);
}

static int vnveth_newlink(struct net_device *dev,
			  struct rtnl_newlink_params *params,
			  struct netlink_ext_ack *extack)
{
	struct nlattr *peer_attrs[IFLA_MAX + 1], **peer_tb = params->tb;
	struct nlattr *info = NULL, *name = NULL, *address = NULL;
	struct ifinfomsg *peer_msg = NULL;
	struct net_device *peer;
	struct net *net;
	LIST_HEAD(both);
	int err;

	if (params->data)
		info = params->data[VNIC_VETH_PEER];
	if (info) {
		peer_msg = nla_data(info);
		err = rtnl_nla_parse_ifinfomsg(peer_attrs, info, extack);
		if (err)
			return err;
		peer_tb = peer_attrs;
		name = peer_tb[IFLA_IFNAME];
		address = peer_tb[IFLA_ADDRESS];
		net = rtnl_newlink_peer_net(params);
	} else {
		net = params->link_net ?: dev_net(dev);
	}

	name = name ?: params->tb[IFLA_PARENT_DEV_NAME];
	peer = vnveth_create_peer(net, name, peer_tb, extack);
	if (IS_ERR(peer))
		return PTR_ERR(peer);
	if (peer_msg)
		peer->ifindex = peer_msg->ifi_index;
	netif_inherit_tso_max(peer, dev);

	/* The peer first: should it fail, nobody has seen the other. */
	err = vnveth_register(peer, address, extack);
	if (err) {
		free_netdev(peer);
		return err;
	}
	err = vnveth_register(dev, params->tb[IFLA_ADDRESS], extack);
	if (err) {
		unregister_netdevice(peer);
		return err;
	}
	vnveth_tie(dev, peer);
	err = vnic_configure_link(peer, peer_msg);
	if (err) {
		vnveth_dellink(dev, &both);
		unregister_netdevice_many(&both);
	}
	return err;
}

VNIC_NEWLINK(vnveth_newlink, VNIC_VETH_PEER, vnveth_validate)

static int vnveth_changelink(struct net_device *dev, struct nlattr *tb[],
			     struct nlattr *data[],
			     struct netlink_ext_ack *extack)
{
	if (data && data[VNIC_VETH_PEER]) {
		NL_SET_ERR_MSG_ATTR(extack, data[VNIC_VETH_PEER],
				    "The peer is chosen when the pair is made");
		return -EOPNOTSUPP;
	}
	return 0;
}

static struct net *vnveth_get_link_net(const struct net_device *dev)
{
	struct vnveth *self = netdev_priv(dev);
	struct net_device *peer = rtnl_dereference(self->peer);

	return peer ? dev_net(peer) : dev_net(dev);
}

static const struct nla_policy vnveth_policy[] = {
	[VNIC_VETH_PEER] = NLA_POLICY_MIN_LEN(sizeof(struct ifinfomsg)),
};

struct rtnl_link_ops vnveth_link_ops = {
	.kind		= VNIC_KIND_VETH,
	.priv_size	= sizeof(struct vnveth),
	.setup		= vnveth_setup,
	.validate	= vnveth_validate,
	.newlink	= VNIC_NEWLINK_OP(vnveth_newlink),
	.changelink	= vnveth_changelink,
	.dellink	= vnveth_dellink,
	VNIC_PEER_TYPE(VNIC_VETH_PEER)
	.maxtype	= ARRAY_SIZE(vnveth_policy) - 1,
	.policy		= vnveth_policy,
	.get_link_net	= vnveth_get_link_net,
};

MODULE_ALIAS_RTNL_LINK(VNIC_KIND_VETH);
