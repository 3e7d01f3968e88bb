// SPDX-License-Identifier: GPL-2.0
/*
 * port - the device half of vntun and vntap, whose far end is a program
 *
 *	stack --> vnic_port_xmit() --> queue --> program
 *
 * What the two kinds share as devices. How they are made by netlink is in
 * netlink.c, how queues get and lose them in attach.c, what ethtool sees in
 * ethtool.c; what they differ in, in vntun.c and vntap.c.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/rtnetlink.h>
#include <linux/security.h>

#include "vnic.h"

/**
 * vnic_port_xmit() - ndo_start_xmit of vntun and vntap
 * @skb: the packet
 * @dev: the device
 *
 * A full ring drops, unless IFF_BACKPRESSURE has stopped the transmit queue
 * before: the program is too slow, and waiting for it is not the stack's
 * business.
 *
 * Context: softirq or process with bottom halves off.
 * Return: NETDEV_TX_OK, or NET_XMIT_DROP for who wants to slow down; the packet
 * is gone either way.
 */
netdev_tx_t vnic_port_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct vnic_port *port = netdev_priv(dev);
	u16 index = skb_get_queue_mapping(skb);
	enum vnic_counter counter;
	struct vnic_queue *queue;

	/* Bottom halves off, which the core sees to, is an RCU section too. */
	queue = rcu_dereference_bh(port->slots[index].queue);
	if (unlikely(!queue)) {
		counter = VNIC_TX_NO_QUEUE;
		goto lose;
	}
	counter = vnic_filter_run(port, queue, skb);
	if (!counter)
		counter = vnic_queue_produce(port, queue, skb);
	if (unlikely(counter))
		goto lose;
	/* No lock of the core's does it for a lockless device. */
	txq_trans_cond_update(netdev_get_tx_queue(dev, index));
	return NETDEV_TX_OK;

lose:
	vnic_lose(port, index, skb, counter);
	/* What the program does not want is not for the sender to know. */
	if (counter >= VNIC_TX_FILTER_MAC && counter <= VNIC_TX_FILTER_EBPF)
		return NETDEV_TX_OK;
	return NET_XMIT_DROP;
}

/**
 * vnic_port_fix_features() - ndo_fix_features of vntun and vntap
 * @dev: the device
 * @features: what is wanted
 *
 * A program that gets no virtio header could not know that a checksum is
 * missing or that a packet is many. While there is one among those attached
 * the stack finishes all packets, whatever TUNSETOFFLOAD has said: which queue
 * a packet will go to is not always known when that is decided.
 *
 * Context: process, RTNL held.
 * Return: of the offloads that need the programs' consent, those that have it;
 * the others as wanted.
 */
netdev_features_t vnic_port_fix_features(struct net_device *dev,
					 netdev_features_t features)
{
	struct vnic_port *port = netdev_priv(dev);

	if (!port->numplain)
		return features & (port->offloads | ~VNIC_PORT_OFFLOADS);
	return features & ~VNIC_PORT_OFFLOADS;
}

/**
 * vnic_port_set_offloads() - what the program lets the stack leave to it
 * @port: the device
 * @offloads: of VNIC_PORT_OFFLOADS
 *
 * Context: process, RTNL held.
 */
void vnic_port_set_offloads(struct vnic_port *port, netdev_features_t offloads)
{
	port->offloads = offloads;
	port->dev->wanted_features &= ~VNIC_PORT_OFFLOADS;
	port->dev->wanted_features |= offloads;
	netdev_update_features(port->dev);
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

/**
 * vnic_port_open() - ndo_open of vntun and vntap
 * @dev: the device
 *
 * Context: process, RTNL held.
 * Return: 0.
 */
int vnic_port_open(struct net_device *dev)
{
	netif_tx_start_all_queues(dev);
	return 0;
}

/**
 * vnic_port_stop() - ndo_stop of vntun and vntap
 * @dev: the device
 *
 * Context: process, RTNL held.
 * Return: 0.
 */
int vnic_port_stop(struct net_device *dev)
{
	struct vnic_port *port = netdev_priv(dev);
	struct vnic_queue *queue;
	unsigned int i;

	/*
	 * netif_running() is false. Who has read it before holds a lock of his
	 * ring; afterwards nobody wakes what is stopped here.
	 */
	for (i = 0; i < port->numqueues; i++) {
		queue = rtnl_dereference(port->slots[i].queue);
		vnic_queue_set_index(queue, i);
	}
	netif_tx_stop_all_queues(dev);
	return 0;
}

/**
 * vnic_port_init() - ndo_init of vntun and vntap
 * @dev: the device
 *
 * Context: process, RTNL held.
 * Return: 0, -ENOMEM, or as the security module says.
 */
int vnic_port_init(struct net_device *dev)
{
	struct vnic_port *port = netdev_priv(dev);
	int err;

	netdev_lockdep_set_classes(dev);
	port->dev = dev;
	vnic_qdisc_init(port);
	port->ring_len = dev->tx_queue_len;
	/* Of the many that it may have. */
	err = netif_set_real_num_queues(dev, 1, 1);
	if (err)
		return err;
	port->slots = kcalloc(dev->num_tx_queues, sizeof(*port->slots),
			      GFP_KERNEL_ACCOUNT);
	if (!port->slots)
		return -ENOMEM;
	err = -ENOMEM;
	port->base = netdev_alloc_pcpu_stats(struct vnic_count);
	if (!port->base)
		goto free_slots;
	err = security_tun_dev_alloc_security(&port->security);
	if (err < 0)
		goto free_base;
	/* None but those that a program asks for. */
	dev->features &= ~VNIC_PORT_OFFLOADS;
	return 0;

free_base:
	free_percpu(port->base);
free_slots:
	kfree(port->slots);
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
	vnic_attach_end_all(netdev_priv(dev));
}

static void vnic_port_free(struct net_device *dev)
{
	struct vnic_port *port = netdev_priv(dev);
	unsigned int i;

	vnic_flow_exit(port);
	vnic_filter_exit(port);
	security_tun_dev_free_security(port->security);
	for (i = 0; i < dev->num_tx_queues; i++)
		free_percpu(port->slots[i].count);
	kfree(port->slots);
	free_percpu(port->base);
}

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
	port->rx_frames = VNIC_LIST_MAX;
	spin_lock_init(&port->name_lock);
	INIT_LIST_HEAD(&port->disabled);
	vnic_get_link_ksettings(dev, &port->ksettings);

	dev->ethtool_ops = &vnic_port_ethtool_ops;
	dev->sysfs_groups[0] = &vnic_port_sysfs;
	dev->needs_free_netdev = true;
	dev->priv_destructor = vnic_port_free;
	dev->min_mtu = ETH_MIN_MTU;
	dev->max_mtu = ETH_MAX_MTU - dev->hard_header_len;
	vnic_set_lltx(dev);
	vnic_qstats_setup(dev);
	/* The program gets bytes, so what lies in fragments may stay there. */
	dev->hw_features = NETIF_F_SG | NETIF_F_FRAGLIST | VNIC_PORT_OFFLOADS;
	dev->features |= dev->hw_features;
	dev->vlan_features = dev->hw_features;
	dev->hw_enc_features = dev->hw_features;
	/* Tags are written when the packet is copied to the program. */
	dev->hw_features |= NETIF_F_HW_VLAN_CTAG_TX | NETIF_F_HW_VLAN_STAG_TX;
	dev->features |= NETIF_F_HW_VLAN_CTAG_TX | NETIF_F_HW_VLAN_STAG_TX;
}

/**
 * vnic_port_set_ring() - make all rings of a device longer or shorter
 * @port: the device
 * @len: packets that each shall hold
 *
 * Context: process, RTNL held.
 * Return: 0 or -ENOMEM, with all rings as they were.
 */
int vnic_port_set_ring(struct vnic_port *port, unsigned int len)
{
	unsigned int i, n = port->numqueues + port->numdisabled;
	struct vnic_queue *queue;
	struct ptr_ring **rings;
	int err;

	if (!n)
		goto done;
	rings = kmalloc_array(n, sizeof(*rings), GFP_KERNEL);
	if (!rings)
		return -ENOMEM;
	for (i = 0; i < port->numqueues; i++) {
		queue = rtnl_dereference(port->slots[i].queue);
		rings[i] = &queue->ring;
	}
	list_for_each_entry(queue, &port->disabled, next)
		rings[i++] = &queue->ring;
	err = vnic_queue_resize(port, rings, n, len);
	kfree(rings);
	if (err)
		return err;
	for (i = 0; i < port->numqueues; i++)
		vnic_queue_wake_tx(port, rtnl_dereference(port->slots[i].queue));
done:
	port->ring_len = len;
	return 0;
}

/**
 * vnic_port_set_backpressure() - stop the stack at a full ring, or drop
 * @port: the device
 * @on: which of them
 *
 * Context: process, RTNL held; waits for RCU.
 */
void vnic_port_set_backpressure(struct vnic_port *port, bool on)
{
	unsigned int flags = port->flags & ~IFF_BACKPRESSURE;
	unsigned int i;

	if (on) {
		vnic_qdisc_want(port);
		WRITE_ONCE(port->flags, flags | IFF_BACKPRESSURE);
		return;
	}
	WRITE_ONCE(port->flags, flags);
	/* Nobody will wake what was stopped under the old rule. */
	synchronize_net();
	for (i = 0; i < port->numqueues; i++)
		vnic_queue_wake_tx(port, rtnl_dereference(port->slots[i].queue));
}

/**
 * vnic_port_get_name() - what the device is called now
 * @port: the device, held
 * @name: IFNAMSIZ bytes, written here
 *
 * Context: process; needs no RTNL.
 */
void vnic_port_get_name(struct vnic_port *port, char *name)
{
	spin_lock(&port->name_lock);
	strscpy(name, port->name, IFNAMSIZ);
	spin_unlock(&port->name_lock);
}

/* Writers were refused while it was down; those who poll are told. */
static void vnic_port_up(struct vnic_port *port)
{
	struct vnic_queue *queue;
	unsigned int i;

	for (i = 0; i < port->numqueues; i++) {
		queue = rtnl_dereference(port->slots[i].queue);
		queue->sk.sk_write_space(&queue->sk);
	}
	list_for_each_entry(queue, &port->disabled, next)
		queue->sk.sk_write_space(&queue->sk);
}

/* What the core does not tell a driver by its operations. */
static int vnic_port_event(struct notifier_block *nb, unsigned long event,
			   void *info)
{
	struct net_device *dev = netdev_notifier_info_to_dev(info);
	struct vnic_port *port = netdev_priv(dev);

	if (dev->rtnl_link_ops != &vntun_link_ops &&
	    dev->rtnl_link_ops != &vntap_link_ops)
		return NOTIFY_DONE;
	switch (event) {
	case NETDEV_REGISTER:
	case NETDEV_CHANGENAME:
		spin_lock(&port->name_lock);
		strscpy(port->name, dev->name, IFNAMSIZ);
		spin_unlock(&port->name_lock);
		break;
	case NETDEV_CHANGE_TX_QUEUE_LEN:
		return notifier_from_errno(vnic_port_set_ring(port,
							      dev->tx_queue_len));
	case NETDEV_UP:
		vnic_port_up(port);
		break;
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
