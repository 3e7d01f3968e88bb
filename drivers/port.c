// SPDX-License-Identifier: GPL-2.0
/*
 * port - the device half of vntun and vntap, whose far end is a program
 *
 *	stack --> vnic_port_xmit() --> queue --> program
 *
 * What the two kinds share: their life (made by netlink or by TUNSETIFF,
 * attached to, let go of), transmit, ethtool, and the private data behind
 * them. What they differ in is in vntun.c and vntap.c.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/rtnetlink.h>

#include "vnic.h"

/* Who may attach: tun's rule since 7.3. */
static bool vnic_port_permitted(const struct vnic_port *port)
{
	const struct cred *cred = current_cred();
	bool named = uid_valid(port->owner) || gid_valid(port->group);

	/* If both are set both must match. */
	if (named &&
	    (!uid_valid(port->owner) || uid_eq(cred->euid, port->owner)) &&
	    (!gid_valid(port->group) || in_egroup_p(port->group)))
		return true;
	return ns_capable(dev_net(port->dev)->user_ns, CAP_NET_ADMIN);
}

/* Point queue and device at each other; cannot fail. The ring is ready. */
static void vnic_port_connect(struct vnic_port *port, struct vnic_queue *queue)
{
	queue->index = port->numqueues++;
	vnic_queue_start(queue);
	rcu_assign_pointer(queue->port, port);
	rcu_assign_pointer(port->queues[queue->index], queue);
}

/*
 * Undo vnic_port_connect() for the last queue. The caller waits for RCU, for
 * transmitters that still see it, before it purges the ring.
 */
static void vnic_port_disconnect(struct vnic_port *port,
				 struct vnic_queue *queue)
{
	RCU_INIT_POINTER(port->queues[queue->index], NULL);
	RCU_INIT_POINTER(queue->port, NULL);
	port->numqueues--;
	vnic_queue_shutdown(queue);
}

/**
 * vnic_port_xmit() - ndo_start_xmit of vntun and vntap
 * @skb: the packet
 * @dev: the device
 *
 * A full ring drops: the program is too slow, and waiting for it is not the
 * stack's business.
 *
 * Context: softirq or process with bottom halves off.
 * Return: NETDEV_TX_OK or NET_XMIT_DROP; the packet is gone either way.
 */
netdev_tx_t vnic_port_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct vnic_port *port = netdev_priv(dev);
	u16 index = skb_get_queue_mapping(skb);
	enum skb_drop_reason reason;
	struct vnic_queue *queue;

	/* A BPF redirect comes past the core, which writes tags into frames. */
	if (unlikely(skb_vlan_tag_present(skb))) {
		skb = __vlan_hwaccel_push_inside(skb);
		if (!skb) {
			vnic_drop_tx(dev, NULL, SKB_DROP_REASON_NOMEM);
			return NET_XMIT_DROP;
		}
	}
	queue = rcu_dereference_bh(port->queues[index]);
	reason = queue ? vnic_queue_produce(queue, skb) :
			 SKB_DROP_REASON_DEV_READY;
	if (unlikely(reason)) {
		vnic_drop_tx(dev, skb, reason);
		return NET_XMIT_DROP;
	}
	/* No lock of the core's does it for a lockless device. */
	txq_trans_cond_update(netdev_get_tx_queue(dev, index));
	return NETDEV_TX_OK;
}

/**
 * vnic_port_init() - ndo_init of vntun and vntap
 * @dev: the device
 *
 * Context: process, RTNL held.
 * Return: 0 or -ENOMEM.
 */
int vnic_port_init(struct net_device *dev)
{
	struct vnic_port *port = netdev_priv(dev);
	int err;

	netdev_lockdep_set_classes(dev);
	port->dev = dev;
	port->queues = kcalloc(dev->num_tx_queues, sizeof(*port->queues),
			       GFP_KERNEL_ACCOUNT);
	if (!port->queues)
		return -ENOMEM;
	err = vnic_link_init(dev);
	if (err)
		kfree(port->queues);
	return err;
}

/**
 * vnic_port_uninit() - ndo_uninit of vntun and vntap
 * @dev: the device
 *
 * Programs may still hold their files. The device was closed and the core has
 * waited for RCU since, so nothing is being transmitted.
 *
 * Context: process, RTNL held.
 */
void vnic_port_uninit(struct net_device *dev)
{
	struct vnic_port *port = netdev_priv(dev);
	struct vnic_queue *queue;

	while (port->numqueues) {
		queue = rtnl_dereference(port->queues[port->numqueues - 1]);
		vnic_port_disconnect(port, queue);
		vnic_queue_purge(queue);
	}
}

static void vnic_port_free(struct net_device *dev)
{
	struct vnic_port *port = netdev_priv(dev);

	kfree(port->queues);
	vnic_link_free(dev);
}

/**
 * vnic_port_set_rx_headroom() - ndo_set_rx_headroom of vntun and vntap
 * @dev: the device
 * @headroom: bytes that somebody upstairs will put in front of what is
 *	received; bounded, so that a small frame stays a small one
 *
 * Context: process.
 */
void vnic_port_set_rx_headroom(struct net_device *dev, int headroom)
{
	struct vnic_port *port = netdev_priv(dev);

	WRITE_ONCE(port->headroom, clamp_t(int, headroom, NET_SKB_PAD,
					   SKB_MAX_HEAD(0) / 2));
}

/**
 * vnic_port_change_carrier() - ndo_change_carrier of vntun and vntap
 * @dev: the device
 * @on: what is wanted
 *
 * Context: process, RTNL held.
 * Return: 0, or -EPERM for a carrier with nobody at the other end.
 */
int vnic_port_change_carrier(struct net_device *dev, bool on)
{
	struct vnic_port *port = netdev_priv(dev);

	if (on && !port->numqueues)
		return -EPERM;
	if (on)
		netif_carrier_on(dev);
	else
		netif_carrier_off(dev);
	return 0;
}

static void vnic_port_get_drvinfo(struct net_device *dev,
				  struct ethtool_drvinfo *info)
{
	vnic_get_drvinfo(dev, info);
	/* Programs tell the two apart by this, on tun and here. */
	strscpy(info->bus_info, vnic_port_is_tap(netdev_priv(dev)) ?
		"tap" : "tun", sizeof(info->bus_info));
}

static int vnic_port_get_ksettings(struct net_device *dev,
				   struct ethtool_link_ksettings *cmd)
{
	struct vnic_port *port = netdev_priv(dev);

	*cmd = port->ksettings;
	return 0;
}

static int vnic_port_set_ksettings(struct net_device *dev,
				   const struct ethtool_link_ksettings *cmd)
{
	struct vnic_port *port = netdev_priv(dev);

	port->ksettings = *cmd;
	return 0;
}

const struct ethtool_ops vnic_port_ethtool_ops = {
	.get_drvinfo		= vnic_port_get_drvinfo,
	.get_link		= ethtool_op_get_link,
	.get_ts_info		= ethtool_op_get_ts_info,
	.get_link_ksettings	= vnic_port_get_ksettings,
	.set_link_ksettings	= vnic_port_set_ksettings,
};

/**
 * vnic_port_setup() - what the setup of both kinds begins with
 * @dev: the device, from alloc_netdev()
 * @type: IFF_TUN or IFF_TAP
 *
 * Context: process.
 */
void vnic_port_setup(struct net_device *dev, unsigned int type)
{
	struct vnic_port *port = netdev_priv(dev);

	port->flags = type;
	port->headroom = NET_SKB_PAD;
	port->owner = INVALID_UID;
	port->group = INVALID_GID;
	vnic_get_link_ksettings(dev, &port->ksettings);

	dev->ethtool_ops = &vnic_port_ethtool_ops;
	dev->needs_free_netdev = true;
	dev->priv_destructor = vnic_port_free;
	dev->min_mtu = ETH_MIN_MTU;
	dev->max_mtu = ETH_MAX_MTU - dev->hard_header_len;
	vnic_set_lltx(dev);
	/* The program gets bytes, so what lies in fragments may stay there. */
	dev->hw_features = NETIF_F_SG | NETIF_F_FRAGLIST;
	dev->features |= dev->hw_features;
	dev->vlan_features = dev->hw_features;
	dev->hw_enc_features = dev->hw_features;
}

/**
 * vnic_port_newlink() - newlink of vntun and vntap
 * @dev: the device
 * @params: the request
 * @extack: for the sentence
 *
 * A device made by netlink is persistent: it stays until it is deleted, or
 * until a program takes IFF_PERSIST away and leaves.
 *
 * Context: process, RTNL held.
 * Return: 0, -EOPNOTSUPP for more than one queue, or as register_netdevice().
 */
int vnic_port_newlink(struct net_device *dev,
		      struct rtnl_newlink_params *params,
		      struct netlink_ext_ack *extack)
{
	struct vnic_port *port = netdev_priv(dev);
	int err;

	if (dev->num_tx_queues > 1 || dev->num_rx_queues > 1) {
		NL_SET_ERR_MSG(extack, "This kind has one queue");
		return -EOPNOTSUPP;
	}
	port->flags |= IFF_PERSIST;
	err = vnic_register(dev, extack);
	if (err)
		return err;
	netif_carrier_off(dev);
	return 0;
}

/* TUNSETIFF on a name that is taken: the far end of that device. */
static int vnic_port_attach_old(struct vnic_queue *queue,
				struct net_device *dev, unsigned int flags)
{
	struct vnic_port *port = netdev_priv(dev);

	if (flags & IFF_TUN_EXCL)
		return -EBUSY;
	if (!((flags & IFF_TUN) && dev->rtnl_link_ops == &vntun_link_ops) &&
	    !((flags & IFF_TAP) && dev->rtnl_link_ops == &vntap_link_ops))
		return -EINVAL;
	if (!vnic_port_permitted(port))
		return -EPERM;
	if (port->numqueues == dev->num_tx_queues)
		return -EBUSY;
	if (vnic_queue_resize(queue, dev->tx_queue_len))
		return -ENOMEM;

	WRITE_ONCE(port->flags, (port->flags & ~VNIC_PORT_FEATURES) |
				(flags & VNIC_PORT_FEATURES));
	vnic_port_connect(port, queue);
	return 0;
}

/* TUNSETIFF on a name that is free, a pattern, or none: a new device. */
static int vnic_port_attach_new(struct vnic_queue *queue, const char *name,
				unsigned int flags)
{
	struct net *net = sock_net(&queue->sk);
	struct rtnl_link_ops *ops;
	struct net_device *dev;
	struct vnic_port *port;
	int err;

	if (!ns_capable(net->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	if (flags & IFF_TUN)
		ops = &vntun_link_ops;
	else if (flags & IFF_TAP)
		ops = &vntap_link_ops;
	else
		return -EINVAL;
	if (!*name)
		name = flags & IFF_TUN ? "tun%d" : "tap%d";
	dev = alloc_netdev(ops->priv_size, name, NET_NAME_UNKNOWN, ops->setup);
	if (!dev)
		return -ENOMEM;
	dev_net_set(dev, net);
	dev->rtnl_link_ops = ops;
	dev->ifindex = queue->ifindex;

	/* Before anybody can see the device, so that nothing fails after. */
	err = -ENOMEM;
	if (vnic_queue_resize(queue, dev->tx_queue_len))
		goto free_dev;
	err = register_netdevice(dev);
	if (err)
		goto free_dev;
	port = netdev_priv(dev);
	port->flags |= flags & VNIC_PORT_FEATURES;
	vnic_port_connect(port, queue);
	return 0;

free_dev:
	free_netdev(dev);
	return err;
}

/**
 * vnic_port_attach() - TUNSETIFF: give the queue a device
 * @queue: a queue that has none
 * @ifr: name and flags wanted; on success the name that it has got
 *
 * Context: process, RTNL held.
 * Return: 0; -EINVAL for flags that we do not have and that would change what
 * crosses the fd, for a name that belongs to another kind of device, and
 * where register_netdevice() says so; -EBUSY if the device has its program,
 * or exists and IFF_TUN_EXCL was asked for; -EPERM; -ENOMEM.
 */
int vnic_port_attach(struct vnic_queue *queue, struct ifreq *ifr)
{
	unsigned int flags = (unsigned short)ifr->ifr_flags;
	struct net_device *dev;
	struct vnic_port *port;
	int err;

	if (flags & VNIC_PORT_REFUSED)
		return -EINVAL;
	dev = __dev_get_by_name(sock_net(&queue->sk), ifr->ifr_name);
	if (dev)
		err = vnic_port_attach_old(queue, dev, flags);
	else
		err = vnic_port_attach_new(queue, ifr->ifr_name, flags);
	if (err)
		return err;

	port = rtnl_dereference(queue->port);
	if (flags & IFF_NO_CARRIER)
		netif_carrier_off(port->dev);
	else
		netif_carrier_on(port->dev);
	netdev_state_change(port->dev);
	strscpy(ifr->ifr_name, port->dev->name, IFNAMSIZ);
	return 0;
}

/**
 * vnic_port_detach() - the file is being closed: let go of its device
 * @queue: the queue; one without a device is fine
 *
 * A device that nobody holds any more and that is not persistent is deleted.
 * What the program did not fetch counts as dropped.
 *
 * Context: process; takes RTNL and waits for RCU.
 */
void vnic_port_detach(struct vnic_queue *queue)
{
	struct vnic_port *port;

	rtnl_lock();
	port = rtnl_dereference(queue->port);
	if (!port) {
		rtnl_unlock();
		return;
	}
	vnic_port_disconnect(port, queue);
	synchronize_net();
	vnic_queue_purge(queue);
	if (!port->numqueues) {
		netif_carrier_off(port->dev);
		if (port->flags & IFF_PERSIST)
			netdev_state_change(port->dev);
		else
			unregister_netdevice(port->dev);
	}
	rtnl_unlock();
}

/**
 * vnic_port_get() - the device of a queue, for the time of a call
 * @queue: the queue
 *
 * Context: any.
 * Return: the device, to be let go of with vnic_port_put(), or NULL.
 */
struct vnic_port *vnic_port_get(struct vnic_queue *queue)
{
	struct vnic_port *port;

	rcu_read_lock();
	port = rcu_dereference(queue->port);
	if (port)
		dev_hold(port->dev);
	rcu_read_unlock();
	return port;
}

/**
 * vnic_port_put() - let go of what vnic_port_get() returned
 * @port: the device
 *
 * Context: any.
 */
void vnic_port_put(struct vnic_port *port)
{
	dev_put(port->dev);
}

static int vnic_port_resize(struct vnic_port *port, unsigned int len)
{
	unsigned int i;
	int err;

	for (i = 0; i < port->numqueues; i++) {
		err = vnic_queue_resize(rtnl_dereference(port->queues[i]), len);
		if (err)
			return err;
	}
	return 0;
}

/* What the core does not tell a driver by its operations. */
static int vnic_port_event(struct notifier_block *nb, unsigned long event,
			   void *info)
{
	struct net_device *dev = netdev_notifier_info_to_dev(info);
	struct vnic_port *port = netdev_priv(dev);
	struct vnic_queue *queue;
	unsigned int i;

	if (dev->rtnl_link_ops != &vntun_link_ops &&
	    dev->rtnl_link_ops != &vntap_link_ops)
		return NOTIFY_DONE;
	if (event == NETDEV_CHANGE_TX_QUEUE_LEN)
		return notifier_from_errno(vnic_port_resize(port,
							    dev->tx_queue_len));
	/* Writers were refused while it was down; those who poll are told. */
	for (i = 0; event == NETDEV_UP && i < port->numqueues; i++) {
		queue = rtnl_dereference(port->queues[i]);
		queue->sk.sk_write_space(&queue->sk);
	}
	return NOTIFY_DONE;
}

static struct notifier_block vnic_port_notifier = {
	.notifier_call = vnic_port_event,
};

/**
 * vnic_port_notifier_init() - listen to what happens to our devices
 *
 * Context: process.
 * Return: 0 or as register_netdevice_notifier().
 */
int vnic_port_notifier_init(void)
{
	return register_netdevice_notifier(&vnic_port_notifier);
}

/**
 * vnic_port_notifier_exit() - stop listening
 *
 * Context: process.
 */
void vnic_port_notifier_exit(void)
{
	unregister_netdevice_notifier(&vnic_port_notifier);
}
