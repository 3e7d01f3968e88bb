// SPDX-License-Identifier: GPL-2.0
/* What extack.cocci has to report, and what it has to leave alone. */
#include "vnic.h"

static int refuses(struct net_device *dev, struct nlattr *tb[],
		   struct netlink_ext_ack *extack)
{
	if (!tb[IFLA_MTU])
		return 0;
	if (nla_get_u32(tb[IFLA_MTU]) < ETH_MIN_MTU)
		return -EINVAL;	/* report */
	if (nla_get_u32(tb[IFLA_MTU]) > ETH_MAX_MTU) {
		netdev_dbg(dev, "too large\n");
		return -ERANGE;	/* report */
	}
	return 0;
}

static int explains(struct nlattr *tb[], struct netlink_ext_ack *extack)
{
	if (!tb[IFLA_MTU])
		return 0;
	if (nla_get_u32(tb[IFLA_MTU]) < ETH_MIN_MTU) {
		NL_SET_ERR_MSG_ATTR(extack, tb[IFLA_MTU], "Too small");
		return -EINVAL;
	}
	return 0;
}

/* The sentence of one refusal is none for the next. */
static struct net_device *refuses_next(struct net *net, struct nlattr *tb[],
				       struct netlink_ext_ack *extack)
{
	char name[IFNAMSIZ];

	if (!tb[IFLA_IFNAME]) {
		NL_SET_ERR_MSG(extack, "It has no name");
		return ERR_PTR(-EINVAL);
	}
	if (nla_strscpy(name, tb[IFLA_IFNAME], IFNAMSIZ) < 0)
		return ERR_PTR(-EINVAL);	/* report */
	return rtnl_create_link(net, name, NET_NAME_USER, &vnveth_link_ops, tb,
				extack);
}

static int refuses_by_goto(struct net_device *dev,
			   struct netlink_ext_ack *extack)
{
	int err = 0;

	rtnl_lock();
	if (netif_running(dev)) {
		err = -EBUSY;	/* report */
		goto unlock;
	}
	if (!netif_device_present(dev)) {
		NL_SET_ERR_MSG(extack, "It is gone");
		err = -ENODEV;
		goto unlock;
	}
	err = vnic_register(dev, extack);
unlock:
	rtnl_unlock();
	return err;
}

static int refuses_at_the_end(unsigned int mode, struct netlink_ext_ack *extack)
{
	switch (mode) {
	case VNIC_MODE_L2:
	case VNIC_MODE_L3:
		return 0;
	}
	return -EINVAL;	/* report */
}

static int refuses_by_default(unsigned int mode, struct netlink_ext_ack *extack)
{
	switch (mode) {
	case VNIC_MODE_L2:
		return 0;
	default:
		return -EOPNOTSUPP;	/* report */
	}
}

static int lacks_memory(void **data, struct netlink_ext_ack *extack)
{
	*data = kzalloc(ETH_DATA_LEN, GFP_KERNEL);
	if (!*data)
		return -ENOMEM;
	return 0;
}

/* Nobody here has an extack to set. */
static int knows_nothing_of_it(const struct net_device *dev)
{
	if (netif_running(dev))
		return -EBUSY;
	return 0;
}

static int refuses_program(struct net_device *dev, struct netdev_bpf *bpf)
{
	if (bpf->command != XDP_SETUP_PROG)
		return -EINVAL;
	if (dev->mtu > ETH_DATA_LEN)
		return -ERANGE;	/* report */
	if (dev->addr_len != ETH_ALEN) {
		NL_SET_ERR_MSG(bpf->extack, "It has no Ethernet headers");
		return -EOPNOTSUPP;
	}
	return 0;
}
