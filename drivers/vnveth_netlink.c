// SPDX-License-Identifier: GPL-2.0
/*
 * vnveth_netlink - pairs made, changed, shown and deleted by ``ip link``
 *
 * Learn: how two devices are made, tied together and taken apart as one.
 */
#include <linux/etherdevice.h>
#include <net/rtnetlink.h>

#include "vnic.h"

#define VNVETH_ATTRS	(BIT_ULL(VNIC_VETH_PEER) |			\
			 GENMASK_ULL(VNIC_VETH_BQL, VNIC_VETH_MODE))

static int vnveth_validate(struct nlattr *tb[], struct nlattr *data[],
			   struct netlink_ext_ack *extack)
{
	return vnic_validate(tb, VNVETH_ATTRS, ETH_MAX_MTU, extack);
}

/* veth's default, since GRO costs more than it brings where nothing is cut. */
static void vnveth_gro_off(struct net_device *dev)
{
	dev->features &= ~NETIF_F_GRO;
	dev->wanted_features &= ~NETIF_F_GRO;
	netdev_update_features(dev);
}

/* What both ends are told when they are made. */
static int vnveth_options(struct net_device *dev, struct nlattr *tb[],
			  struct nlattr *data[], struct netlink_ext_ack *extack)
{
	struct vnic_link *link = netdev_priv(dev);

	if (!data)
		return 0;
	if (data[VNIC_VETH_SCRUB] && !nla_get_u8(data[VNIC_VETH_SCRUB]))
		link->flags |= VNIC_LINK_NO_SCRUB;
	if (data[VNIC_VETH_BACKPRESSURE] &&
	    nla_get_u8(data[VNIC_VETH_BACKPRESSURE]))
		link->flags |= VNIC_LINK_BACKPRESSURE;
	if (data[VNIC_VETH_BQL] && nla_get_u8(data[VNIC_VETH_BQL]))
		link->flags |= VNIC_LINK_BQL;
	if (!data[VNIC_VETH_MODE] ||
	    nla_get_u8(data[VNIC_VETH_MODE]) == VNIC_VETH_L2)
		return 0;
	if (tb[IFLA_ADDRESS]) {
		NL_SET_ERR_MSG_ATTR(extack, tb[IFLA_ADDRESS],
				    "An L3 pair has no MAC addresses");
		return -EOPNOTSUPP;
	}
	link->flags |= VNIC_LINK_L3;
	vnveth_setup_l3(dev);
	return 0;
}

/* Register one end. It stays without carrier until both are up. */
static int vnveth_register(struct net_device *dev, struct nlattr *tb[],
			   bool random, struct netlink_ext_ack *extack)
{
	int err = vnic_link_queues(dev, tb);

	if (err)
		return err;
	if (dev->addr_len && random)
		eth_hw_addr_random(dev);
	err = vnic_register(dev, extack);
	if (err)
		return err;
	vnveth_gro_off(dev);
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
	struct vnic_link *self = netdev_priv(dev), *other = netdev_priv(peer);

	netdev_hold(peer, &self->peer_tracker, GFP_KERNEL);
	rcu_assign_pointer(self->peer, peer);
	netdev_hold(dev, &other->peer_tracker, GFP_KERNEL);
	rcu_assign_pointer(other->peer, dev);
}

static void vnveth_dellink(struct net_device *dev, struct list_head *head)
{
	struct vnic_link *other, *self = netdev_priv(dev);
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
	struct nlattr *info = NULL, *name = NULL;
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

	err = vnveth_options(dev, params->tb, params->data, extack);
	if (!err)
		err = vnveth_options(peer, peer_tb, params->data, extack);
	/* The peer first: should it fail, nobody has seen the other. */
	if (!err)
		err = vnveth_register(peer, peer_tb,
				      !info || !peer_tb[IFLA_ADDRESS], extack);
	if (err) {
		free_netdev(peer);
		return err;
	}
	err = vnveth_register(dev, params->tb, !params->tb[IFLA_ADDRESS],
			      extack);
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

/*
 * May what this end sends keep its mark from now on? Where it arrives, marks may
 * decide what is let through: somebody there has to agree.
 */
static int vnveth_check_scrub(struct net_device *dev, struct nlattr *attr,
			      struct netlink_ext_ack *extack)
{
	struct vnic_link *link = netdev_priv(dev);
	struct net_device *peer = rtnl_dereference(link->peer);

	if (!nla_get_u8(attr) && peer &&
	    !ns_capable(dev_net(peer)->user_ns, CAP_NET_ADMIN)) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "Not without CAP_NET_ADMIN in the peer's namespace");
		return -EPERM;
	}
	return 0;
}

/* What cannot be changed, or not by everybody. */
static int vnveth_changelink_check(struct net_device *dev,
				   struct nlattr *data[],
				   struct netlink_ext_ack *extack)
{
	struct vnic_link *link = netdev_priv(dev);
	bool l3 = link->flags & VNIC_LINK_L3;

	if (data[VNIC_VETH_PEER]) {
		NL_SET_ERR_MSG_ATTR(extack, data[VNIC_VETH_PEER],
				    "The peer is chosen when the pair is made");
		return -EOPNOTSUPP;
	}
	if (data[VNIC_VETH_MODE] &&
	    (nla_get_u8(data[VNIC_VETH_MODE]) == VNIC_VETH_L3) != l3) {
		NL_SET_ERR_MSG_ATTR(extack, data[VNIC_VETH_MODE],
				    "The mode is chosen when the pair is made");
		return -EOPNOTSUPP;
	}
	if (data[VNIC_VETH_SCRUB])
		return vnveth_check_scrub(dev, data[VNIC_VETH_SCRUB], extack);
	return 0;
}

static int vnveth_changelink(struct net_device *dev, struct nlattr *tb[],
			     struct nlattr *data[],
			     struct netlink_ext_ack *extack)
{
	struct vnic_link *link = netdev_priv(dev);
	unsigned int flags = link->flags;
	int err;

	if (!data)
		return 0;
	err = vnveth_changelink_check(dev, data, extack);
	if (err)
		return err;
	/* The flag says the opposite of the attribute. */
	if (data[VNIC_VETH_SCRUB])
		flags = vnic_link_flag(flags, VNIC_LINK_NO_SCRUB,
				       data[VNIC_VETH_SCRUB]) ^
			VNIC_LINK_NO_SCRUB;
	flags = vnic_link_flag(flags, VNIC_LINK_BACKPRESSURE,
			       data[VNIC_VETH_BACKPRESSURE]);
	flags = vnic_link_flag(flags, VNIC_LINK_BQL, data[VNIC_VETH_BQL]);
	return vnic_link_set_flags(dev, flags);
}

static size_t vnveth_get_size(const struct net_device *dev)
{
	return nla_total_size(sizeof(u8)) +	/* VNIC_VETH_MODE */
	       nla_total_size(sizeof(u8)) +	/* VNIC_VETH_SCRUB */
	       nla_total_size(sizeof(u8)) +	/* VNIC_VETH_BACKPRESSURE */
	       nla_total_size(sizeof(u8));	/* VNIC_VETH_BQL */
}

static int vnveth_fill_info(struct sk_buff *skb, const struct net_device *dev)
{
	struct vnic_link *link = netdev_priv(dev);
	unsigned int flags = READ_ONCE(link->flags);

	if (nla_put_u8(skb, VNIC_VETH_MODE, flags & VNIC_LINK_L3 ?
		       VNIC_VETH_L3 : VNIC_VETH_L2) ||
	    nla_put_u8(skb, VNIC_VETH_SCRUB, !(flags & VNIC_LINK_NO_SCRUB)) ||
	    nla_put_u8(skb, VNIC_VETH_BACKPRESSURE,
		       !!(flags & VNIC_LINK_BACKPRESSURE)) ||
	    nla_put_u8(skb, VNIC_VETH_BQL, !!(flags & VNIC_LINK_BQL)))
		return -EMSGSIZE;
	return 0;
}

static struct net *vnveth_get_link_net(const struct net_device *dev)
{
	struct vnic_link *link = netdev_priv(dev);
	struct net_device *peer = rtnl_dereference(link->peer);

	return peer ? dev_net(peer) : dev_net(dev);
}

static const struct nla_policy vnveth_policy[] = {
	[VNIC_VETH_PEER]	 = NLA_POLICY_MIN_LEN(sizeof(struct ifinfomsg)),
	[VNIC_VETH_MODE]	 = NLA_POLICY_MAX(NLA_U8, VNIC_VETH_L3),
	[VNIC_VETH_SCRUB]	 = NLA_POLICY_MAX(NLA_U8, 1),
	[VNIC_VETH_BACKPRESSURE] = NLA_POLICY_MAX(NLA_U8, 1),
	[VNIC_VETH_BQL]		 = NLA_POLICY_MAX(NLA_U8, 1),
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
	.get_size	= vnveth_get_size,
	.fill_info	= vnveth_fill_info,
	.get_link_net	= vnveth_get_link_net,
	.get_num_tx_queues = vnic_link_num_queues,
	.get_num_rx_queues = vnic_link_num_queues,
};
