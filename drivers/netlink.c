// SPDX-License-Identifier: GPL-2.0
/*
 * netlink - vntun and vntap made, changed and shown by ``ip link``
 *
 * Attributes in one order everywhere: check, apply, policy, size, fill.
 */
#include <linux/rtnetlink.h>
#include <linux/security.h>
#include <net/netlink.h>

#include "vnic.h"

/* "Nobody", on the wire. */
#define VNIC_NETLINK_NOBODY	U32_MAX

static bool vnic_port_user_known(const struct nlattr *attr)
{
	u32 uid = nla_get_u32(attr);

	return uid == VNIC_NETLINK_NOBODY ||
	       uid_valid(make_kuid(current_user_ns(), uid));
}

static bool vnic_port_group_known(const struct nlattr *attr)
{
	u32 gid = nla_get_u32(attr);

	return gid == VNIC_NETLINK_NOBODY ||
	       gid_valid(make_kgid(current_user_ns(), gid));
}

/* All of it before any of it is applied. */
static int vnic_port_check(struct nlattr *data[],
			   struct netlink_ext_ack *extack)
{
	if (data[VNIC_TUN_OWNER] &&
	    !vnic_port_user_known(data[VNIC_TUN_OWNER])) {
		NL_SET_ERR_MSG_ATTR(extack, data[VNIC_TUN_OWNER],
				    "That user is not in this user namespace");
		return -EINVAL;
	}
	if (data[VNIC_TUN_GROUP] &&
	    !vnic_port_group_known(data[VNIC_TUN_GROUP])) {
		NL_SET_ERR_MSG_ATTR(extack, data[VNIC_TUN_GROUP],
				    "That group is not in this user namespace");
		return -EINVAL;
	}
	return 0;
}

static void vnic_port_set_flag(struct vnic_port *port, unsigned int flag,
			       bool on)
{
	WRITE_ONCE(port->flags, on ? port->flags | flag : port->flags & ~flag);
}

/* Make @flag what the attribute says, and every program agree to it. */
static void vnic_port_pin(struct vnic_port *port, unsigned int flag, bool on)
{
	vnic_port_set_flag(port, flag, on);
	port->pinned |= flag;
}

static void vnic_port_apply(struct vnic_port *port, struct nlattr *data[])
{
	const struct nlattr *attr;

	if (data[VNIC_TUN_OWNER])
		WRITE_ONCE(port->owner,
			   make_kuid(current_user_ns(),
				     nla_get_u32(data[VNIC_TUN_OWNER])));
	if (data[VNIC_TUN_GROUP])
		WRITE_ONCE(port->group,
			   make_kgid(current_user_ns(),
				     nla_get_u32(data[VNIC_TUN_GROUP])));
	if (data[VNIC_TUN_PI])
		vnic_port_pin(port, IFF_NO_PI, !nla_get_u8(data[VNIC_TUN_PI]));
	if (data[VNIC_TUN_VNET_HDR])
		vnic_port_pin(port, IFF_VNET_HDR,
			      nla_get_u8(data[VNIC_TUN_VNET_HDR]));
	attr = data[VNIC_TUN_PERSIST];
	if (attr)
		vnic_port_set_flag(port, IFF_PERSIST, nla_get_u8(attr));
	attr = data[VNIC_TUN_BACKPRESSURE];
	if (attr)
		vnic_port_set_backpressure(port, nla_get_u8(attr));
}

static int vnic_port_check_queues(struct net_device *dev, struct nlattr *tb[],
				  struct nlattr *data[],
				  struct netlink_ext_ack *extack)
{
	const struct nlattr *multi = data ? data[VNIC_TUN_MULTI_QUEUE] : NULL;

	if (dev->num_tx_queues > VNIC_QUEUES_MAX) {
		NL_SET_ERR_MSG_ATTR(extack, tb[IFLA_NUM_TX_QUEUES],
				    "A device has at most 256 queues");
		return -EINVAL;
	}
	if (dev->num_rx_queues > dev->num_tx_queues) {
		NL_SET_ERR_MSG_ATTR(extack, tb[IFLA_NUM_RX_QUEUES],
				    "No more receive queues than numtxqueues");
		return -EINVAL;
	}
	if (multi && nla_get_u8(multi) && dev->num_tx_queues == 1) {
		NL_SET_ERR_MSG_ATTR(extack, multi,
				    "A multi-queue device needs numtxqueues, 2 to 256");
		return -EINVAL;
	}
	if (multi && !nla_get_u8(multi) && dev->num_tx_queues > 1) {
		NL_SET_ERR_MSG_ATTR(extack, multi,
				    "With numtxqueues above 1 the device is a multi-queue one");
		return -EINVAL;
	}
	return 0;
}

/**
 * vnic_port_newlink() - newlink of vntun and vntap
 * @dev: the device
 * @params: the request
 * @extack: for the sentence
 *
 * Unless told otherwise, a device made by netlink is persistent: it stays
 * until it is deleted, or until a program takes IFF_PERSIST away and leaves.
 *
 * Context: process, RTNL held.
 * Return: 0, -EINVAL, what the security module says, or as
 * register_netdevice().
 */
int vnic_port_newlink(struct net_device *dev,
		      struct rtnl_newlink_params *params,
		      struct netlink_ext_ack *extack)
{
	struct vnic_port *port = netdev_priv(dev);
	struct nlattr **data = params->data;
	int err;

	err = vnic_port_check_queues(dev, params->tb, data, extack);
	if (!err && data)
		err = vnic_port_check(data, extack);
	if (err)
		return err;
	err = security_tun_dev_create();
	if (err < 0) {
		NL_SET_ERR_MSG(extack, "The security policy forbids such devices");
		return err;
	}
	port->flags |= IFF_PERSIST | IFF_NO_PI;
	if (dev->num_tx_queues > 1)
		port->flags |= IFF_MULTI_QUEUE;
	if (data)
		vnic_port_apply(port, data);
	err = vnic_register(dev, extack);
	if (err)
		return err;
	netif_carrier_off(dev);
	return 0;
}

/**
 * vnic_port_changelink() - changelink of vntun and vntap
 * @dev: the device
 * @tb: the link's attributes
 * @data: the kind's
 * @extack: for the sentence
 *
 * Context: process, RTNL held.
 * Return: 0, -EINVAL or -EBUSY.
 */
int vnic_port_changelink(struct net_device *dev, struct nlattr *tb[],
			 struct nlattr *data[], struct netlink_ext_ack *extack)
{
	struct vnic_port *port = netdev_priv(dev);
	const struct nlattr *multi, *full;
	int err;

	if (!data)
		return 0;
	multi = data[VNIC_TUN_MULTI_QUEUE];
	if (multi && nla_get_u8(multi) != !!(port->flags & IFF_MULTI_QUEUE)) {
		NL_SET_ERR_MSG_ATTR(extack, multi,
				    "The number of queues is fixed once the device is made");
		return -EINVAL;
	}
	err = vnic_port_check(data, extack);
	if (err)
		return err;
	full = data[VNIC_TUN_BACKPRESSURE];
	if (full && nla_get_u8(full) && vnic_shared_is_used(port)) {
		NL_SET_ERR_MSG_ATTR(extack, full,
				    "A program takes its packets from shared memory, where nobody sees room come");
		return -EBUSY;
	}
	vnic_port_apply(port, data);
	return 0;
}

#define VNIC_POLICY_READ_ONLY						\
	{ .type = NLA_REJECT, .reject_message = "This attribute is read only" }

const struct nla_policy vnic_port_policy[VNIC_TUN_BACKPRESSURE + 1] = {
	[VNIC_TUN_UNSPEC]		= { .strict_start_type =
						VNIC_TUN_OWNER },
	[VNIC_TUN_OWNER]		= { .type = NLA_U32 },
	[VNIC_TUN_GROUP]		= { .type = NLA_U32 },
	[VNIC_TUN_TYPE]			= VNIC_POLICY_READ_ONLY,
	[VNIC_TUN_PI]			= NLA_POLICY_MAX(NLA_U8, 1),
	[VNIC_TUN_VNET_HDR]		= NLA_POLICY_MAX(NLA_U8, 1),
	[VNIC_TUN_PERSIST]		= NLA_POLICY_MAX(NLA_U8, 1),
	[VNIC_TUN_MULTI_QUEUE]		= NLA_POLICY_MAX(NLA_U8, 1),
	[VNIC_TUN_NUM_QUEUES]		= VNIC_POLICY_READ_ONLY,
	[VNIC_TUN_NUM_DISABLED_QUEUES]	= VNIC_POLICY_READ_ONLY,
	[VNIC_TUN_BACKPRESSURE]		= NLA_POLICY_MAX(NLA_U8, 1),
};

/**
 * vnic_port_get_size() - get_size of vntun and vntap
 * @dev: the device
 *
 * Context: process.
 * Return: the bytes that vnic_port_fill_info() may need.
 */
size_t vnic_port_get_size(const struct net_device *dev)
{
	return nla_total_size(sizeof(u32)) +	/* VNIC_TUN_OWNER */
	       nla_total_size(sizeof(u32)) +	/* VNIC_TUN_GROUP */
	       nla_total_size(sizeof(u8)) +	/* VNIC_TUN_TYPE */
	       nla_total_size(sizeof(u8)) +	/* VNIC_TUN_PI */
	       nla_total_size(sizeof(u8)) +	/* VNIC_TUN_VNET_HDR */
	       nla_total_size(sizeof(u8)) +	/* VNIC_TUN_PERSIST */
	       nla_total_size(sizeof(u8)) +	/* VNIC_TUN_MULTI_QUEUE */
	       nla_total_size(sizeof(u32)) +	/* VNIC_TUN_NUM_QUEUES */
	       nla_total_size(sizeof(u32)) +	/* ..._NUM_DISABLED_QUEUES */
	       nla_total_size(sizeof(u8));	/* VNIC_TUN_BACKPRESSURE */
}

static int vnic_port_fill_ids(struct sk_buff *skb,
			      const struct vnic_port *port)
{
	kuid_t owner = READ_ONCE(port->owner);
	kgid_t group = READ_ONCE(port->group);

	if (uid_valid(owner) &&
	    nla_put_u32(skb, VNIC_TUN_OWNER,
			from_kuid_munged(current_user_ns(), owner)))
		return -EMSGSIZE;
	if (gid_valid(group) &&
	    nla_put_u32(skb, VNIC_TUN_GROUP,
			from_kgid_munged(current_user_ns(), group)))
		return -EMSGSIZE;
	return 0;
}

/**
 * vnic_port_fill_info() - fill_info of vntun and vntap
 * @skb: the answer
 * @dev: the device
 *
 * Context: process, RCU or RTNL.
 * Return: 0 or -EMSGSIZE.
 */
int vnic_port_fill_info(struct sk_buff *skb, const struct net_device *dev)
{
	const struct vnic_port *port = netdev_priv(dev);
	unsigned int flags = READ_ONCE(port->flags);
	bool multi = flags & IFF_MULTI_QUEUE;

	if (vnic_port_fill_ids(skb, port) ||
	    nla_put_u8(skb, VNIC_TUN_TYPE, flags & (IFF_TUN | IFF_TAP)) ||
	    nla_put_u8(skb, VNIC_TUN_PI, !(flags & IFF_NO_PI)) ||
	    nla_put_u8(skb, VNIC_TUN_VNET_HDR, !!(flags & IFF_VNET_HDR)) ||
	    nla_put_u8(skb, VNIC_TUN_PERSIST, !!(flags & IFF_PERSIST)) ||
	    nla_put_u8(skb, VNIC_TUN_MULTI_QUEUE, multi))
		return -EMSGSIZE;
	if (multi &&
	    (nla_put_u32(skb, VNIC_TUN_NUM_QUEUES,
			 READ_ONCE(port->numqueues)) ||
	     nla_put_u32(skb, VNIC_TUN_NUM_DISABLED_QUEUES,
			 READ_ONCE(port->numdisabled))))
		return -EMSGSIZE;
	return nla_put_u8(skb, VNIC_TUN_BACKPRESSURE,
			  !!(flags & IFF_BACKPRESSURE));
}
