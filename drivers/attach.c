// SPDX-License-Identifier: GPL-2.0
/*
 * attach - queues and devices meet and part
 *
 *	open file       queue ----- slot 0 \
 *	open file       queue ----- slot 1  device
 *	open file       queue - - - - - - - /   detached by TUNSETQUEUE
 *	open file       queue               no device yet
 *
 * Slots in use have no gaps: when one is left, the queue of the last slot
 * moves into it, and its flows with it. What the program has not fetched from
 * a queue that parts is lost and counted.
 */
#include <linux/etherdevice.h>
#include <linux/rtnetlink.h>
#include <linux/security.h>

#include "vnic.h"

/* Who may attach: tun's rule since 7.3. */
static bool vnic_attach_permitted(const struct vnic_port *port)
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

/* The core has no number for no queue at all, nor more than there are. */
static int vnic_attach_set_real(struct net_device *dev, unsigned int n)
{
	n = max(n, 1U);
	return netif_set_real_num_queues(dev, n, min(n, dev->num_rx_queues));
}

/* One more, or one less, that could make nothing of an unfinished packet. */
static void vnic_attach_count_plain(struct vnic_port *port,
				    const struct vnic_queue *queue, int n)
{
	bool was = port->numplain;

	if (queue->flags & IFF_VNET_HDR)
		return;
	port->numplain += n;
	if (was != !!port->numplain && port->offloads)
		netdev_update_features(port->dev);
}

/*
 * Put a queue into the next slot. Everything that can fail first, so that no
 * packet is sent its way before it is sure to stay.
 */
static int vnic_attach_slot(struct vnic_port *port, struct vnic_queue *queue)
{
	unsigned int index = port->numqueues;
	struct vnic_slot *slot = &port->slots[index];
	int err;

	if (!slot->count) {
		struct vnic_count __percpu *count;

		count = netdev_alloc_pcpu_stats(struct vnic_count);
		if (!count)
			return -ENOMEM;
		WRITE_ONCE(slot->count, count);
	}
	err = index ? vnic_flow_init(port) : 0;
	if (!err)
		err = vnic_attach_set_real(port->dev, index + 1);
	if (err)
		return err;

	vnic_queue_set_index(queue, index);
	vnic_queue_wake_tx(port, queue);
	rcu_assign_pointer(slot->queue, queue);
	WRITE_ONCE(port->numqueues, index + 1);
	return 0;
}

/*
 * Take a queue out of its slot, and wait for transmitters that still see it
 * there. Returns which it was; the caller drops what is in the ring.
 */
static unsigned int vnic_attach_unslot(struct vnic_port *port,
				       struct vnic_queue *queue)
{
	unsigned int index = queue->index, last = port->numqueues - 1;
	struct vnic_queue *mover;

	mover = rtnl_dereference(port->slots[last].queue);
	WRITE_ONCE(port->numqueues, last);
	vnic_queue_set_index(queue, VNIC_NO_SLOT);
	vnic_flow_move(port, index, VNIC_NO_SLOT);
	if (mover != queue) {
		rcu_assign_pointer(port->slots[index].queue, mover);
		vnic_queue_set_index(mover, index);
		vnic_flow_move(port, last, index);
	}
	RCU_INIT_POINTER(port->slots[last].queue, NULL);
	synchronize_net();
	/* To fewer always succeeds; nobody names the last one any more. */
	vnic_attach_set_real(port->dev, last);
	/* What the queue had stopped is for another one, or for nobody. */
	if (mover != queue)
		vnic_queue_wake_tx(port, mover);
	else if (netif_running(port->dev))
		netif_wake_subqueue(port->dev, index);
	return index;
}

/* A queue and a device that did not know each other. */
static int vnic_attach_join(struct vnic_port *port, struct vnic_queue *queue,
			    unsigned int flags)
{
	struct ptr_ring *ring = &queue->ring;
	int err;

	err = security_tun_dev_attach(&queue->sk, port->security);
	if (err < 0)
		return err;
	if (!(port->flags & IFF_MULTI_QUEUE) && port->numqueues)
		return -EBUSY;
	if (port->numqueues + port->numdisabled == port->dev->num_tx_queues)
		return -E2BIG;
	/* Nobody tells when there is room again in shared memory. */
	if (vnic_shared_has_recv(queue) &&
	    ((flags | port->flags) & IFF_BACKPRESSURE))
		return -EINVAL;
	if (vnic_queue_resize(port, &ring, 1, port->ring_len))
		return -ENOMEM;
	if (flags & IFF_BACKPRESSURE)
		vnic_qdisc_want(port);
	err = xdp_rxq_info_reg(&queue->rxq, port->dev, port->numqueues, 0);
	if (err)
		return err;
	err = xdp_rxq_info_reg_mem_model(&queue->rxq, MEM_TYPE_PAGE_SHARED,
					 NULL);
	if (err)
		goto unreg;

	WRITE_ONCE(queue->flags, flags);
	WRITE_ONCE(queue->vnet_hdr_len, sizeof(struct virtio_net_hdr));
	WRITE_ONCE(queue->nofilter, flags & IFF_NOFILTER);
	if (flags & IFF_NAPI)
		vnic_napi_add(port, queue);
	vnic_attach_count_plain(port, queue, 1);
	vnic_queue_start(queue);
	rcu_assign_pointer(queue->port, port);
	err = vnic_attach_slot(port, queue);
	if (!err)
		return 0;

	RCU_INIT_POINTER(queue->port, NULL);
	vnic_queue_shutdown(queue);
	vnic_attach_count_plain(port, queue, -1);
	if (flags & IFF_NAPI) {
		vnic_napi_disable(port, queue);
		vnic_napi_del(queue);
	}
	synchronize_net();
unreg:
	xdp_rxq_info_unreg(&queue->rxq);
	return err;
}

/* TUNSETIFF on a name that is taken: the far end of that device. */
static int vnic_attach_old(struct vnic_queue *queue, struct net_device *dev,
			   unsigned int flags)
{
	struct vnic_port *port = netdev_priv(dev);
	int err;

	if (flags & IFF_TUN_EXCL)
		return -EBUSY;
	if (!((flags & IFF_TUN) && dev->rtnl_link_ops == &vntun_link_ops) &&
	    !((flags & IFF_TAP) && dev->rtnl_link_ops == &vntap_link_ops))
		return -EINVAL;
	if ((flags ^ port->flags) & (IFF_MULTI_QUEUE | port->pinned))
		return -EINVAL;
	if (!vnic_attach_permitted(port))
		return -EPERM;
	err = security_tun_dev_open(port->security);
	if (err < 0)
		return err;
	return vnic_attach_join(port, queue, flags & VNIC_QUEUE_FLAGS);
}

/* TUNSETIFF on a name that is free, a pattern, or none: a new device. */
static int vnic_attach_new(struct vnic_queue *queue, const char *name,
			   unsigned int flags)
{
	unsigned int queues = flags & IFF_MULTI_QUEUE ? VNIC_QUEUES_MAX : 1;
	struct net *net = sock_net(&queue->sk);
	struct rtnl_link_ops *ops;
	struct net_device *dev;
	struct vnic_port *port;
	int err;

	if (!ns_capable(net->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	err = security_tun_dev_create();
	if (err < 0)
		return err;
	if (flags & IFF_TUN)
		ops = &vntun_link_ops;
	else if (flags & IFF_TAP)
		ops = &vntap_link_ops;
	else
		return -EINVAL;
	if (!*name)
		name = flags & IFF_TUN ? "tun%d" : "tap%d";
	dev = alloc_netdev_mqs(ops->priv_size, name, NET_NAME_UNKNOWN,
			       ops->setup, queues, queues);
	if (!dev)
		return -ENOMEM;
	dev_net_set(dev, net);
	dev->rtnl_link_ops = ops;
	dev->ifindex = queue->ifindex;
	port = netdev_priv(dev);
	port->flags |= flags & (VNIC_QUEUE_FLAGS | IFF_MULTI_QUEUE);
	err = register_netdevice(dev);
	if (err) {
		free_netdev(dev);
		return err;
	}
	/* The device has it, and may lose it by netlink. */
	flags &= VNIC_QUEUE_FLAGS & ~IFF_BACKPRESSURE;
	err = vnic_attach_join(port, queue, flags);
	if (err)
		unregister_netdevice(dev);
	return err;
}

/**
 * vnic_attach() - TUNSETIFF: give the queue a device
 * @queue: a queue that has none
 * @ifr: name and flags wanted; on success the name that it has got
 *
 * Context: process, RTNL held.
 * Return: 0; -EINVAL for flags that do not go together or with the device, for
 * a name that belongs to another kind of device, and where
 * register_netdevice() says so; -EBUSY if the device has its program, or
 * exists and IFF_TUN_EXCL was asked for; -E2BIG if all its queues are taken;
 * -EPERM; -ENOMEM.
 */
int vnic_attach(struct vnic_queue *queue, struct ifreq *ifr)
{
	unsigned int flags = (unsigned short)ifr->ifr_flags;
	struct net_device *dev;
	struct vnic_port *port;
	int err;

	if (flags & IFF_NAPI_FRAGS) {
		/* It makes layouts that no card makes: not for containers. */
		if (!capable(CAP_NET_ADMIN))
			return -EPERM;
		if (!(flags & IFF_NAPI) ||
		    (flags & (IFF_TUN | IFF_TAP)) != IFF_TAP)
			return -EINVAL;
	}
	dev = __dev_get_by_name(sock_net(&queue->sk), ifr->ifr_name);
	if (dev)
		err = vnic_attach_old(queue, dev, flags);
	else
		err = vnic_attach_new(queue, ifr->ifr_name, flags);
	if (err)
		return err;

	port = rtnl_dereference(queue->port);
	/* The first decides; for the others it may have been changed since. */
	if (port->numqueues + port->numdisabled == 1) {
		if (flags & IFF_NO_CARRIER)
			netif_carrier_off(port->dev);
		else
			netif_carrier_on(port->dev);
	}
	netdev_state_change(port->dev);
	strscpy(ifr->ifr_name, port->dev->name, IFNAMSIZ);
	return 0;
}

/**
 * vnic_attach_again() - TUNSETQUEUE, IFF_ATTACH_QUEUE
 * @queue: a queue that vnic_attach_pause() has detached
 *
 * Context: process, RTNL held.
 * Return: 0, -EINVAL (it was not detached), -ENOMEM, or as the security module
 * says.
 */
int vnic_attach_again(struct vnic_queue *queue)
{
	struct vnic_port *port = rtnl_dereference(queue->port);
	int err;

	if (!port || queue->index != VNIC_NO_SLOT)
		return -EINVAL;
	err = security_tun_dev_attach_queue(port->security);
	if (err >= 0)
		err = security_tun_dev_attach(&queue->sk, port->security);
	if (err < 0)
		return err;
	if (queue->flags & IFF_NAPI)
		vnic_napi_enable(queue);
	/* As tun: whoever attaches a second time gets the filter in any case. */
	WRITE_ONCE(queue->nofilter, false);
	err = vnic_attach_slot(port, queue);
	if (err) {
		if (queue->flags & IFF_NAPI)
			vnic_napi_disable(port, queue);
		return err;
	}
	list_del_init(&queue->next);
	WRITE_ONCE(port->numdisabled, port->numdisabled - 1);
	netdev_state_change(port->dev);
	return 0;
}

/**
 * vnic_attach_pause() - TUNSETQUEUE, IFF_DETACH_QUEUE
 * @queue: the queue; it keeps its device, but gets no packets of the stack's
 *
 * Context: process, RTNL held; waits for RCU.
 * Return: 0, or -EINVAL if it has no slot, or is the only queue of a device
 * that can have no other.
 */
int vnic_attach_pause(struct vnic_queue *queue)
{
	struct vnic_port *port = rtnl_dereference(queue->port);
	unsigned int index;

	if (!port || !(port->flags & IFF_MULTI_QUEUE) ||
	    queue->index == VNIC_NO_SLOT)
		return -EINVAL;
	if (queue->flags & IFF_NAPI)
		vnic_napi_disable(port, queue);
	index = vnic_attach_unslot(port, queue);
	vnic_queue_purge(port, queue, index);
	list_add_tail(&queue->next, &port->disabled);
	WRITE_ONCE(port->numdisabled, port->numdisabled + 1);
	netdev_state_change(port->dev);
	return 0;
}

/* What vnic_attach_join() has made, after the last RCU reader. */
static void vnic_attach_forget(struct vnic_queue *queue)
{
	if (queue->flags & IFF_NAPI)
		vnic_napi_del(queue);
	xdp_rxq_info_unreg(&queue->rxq);
}

/**
 * vnic_attach_end() - let go of the device
 * @queue: the queue, whose file is being closed, or whose program could not be
 *	told that it has a device; one without a device is fine
 *
 * A device that nobody holds any more and that is not persistent is deleted.
 *
 * Context: process; takes RTNL and waits for RCU.
 */
void vnic_attach_end(struct vnic_queue *queue)
{
	struct vnic_port *port;
	unsigned int index;

	rtnl_lock();
	port = rtnl_dereference(queue->port);
	if (!port)
		goto unlock;
	RCU_INIT_POINTER(queue->port, NULL);
	/* There are no sleepers if the file is being closed. */
	vnic_queue_shutdown(queue);
	if (queue->index == VNIC_NO_SLOT) {
		list_del_init(&queue->next);
		WRITE_ONCE(port->numdisabled, port->numdisabled - 1);
		synchronize_net();
	} else {
		if (queue->flags & IFF_NAPI)
			vnic_napi_disable(port, queue);
		index = vnic_attach_unslot(port, queue);
		vnic_queue_purge(port, queue, index);
	}
	vnic_attach_forget(queue);
	vnic_attach_count_plain(port, queue, -1);
	if (port->numqueues + port->numdisabled) {
		netdev_state_change(port->dev);
		goto unlock;
	}
	netif_carrier_off(port->dev);
	if (port->flags & IFF_PERSIST) {
		/* The next program may know nothing of what this one could. */
		vnic_port_set_offloads(port, 0);
		netdev_state_change(port->dev);
	} else {
		unregister_netdevice(port->dev);
	}
unlock:
	rtnl_unlock();
}

/**
 * vnic_attach_end_all() - the device goes: let go of all its queues
 * @port: the device, closed
 *
 * Context: process, RTNL held; waits for RCU.
 */
void vnic_attach_end_all(struct vnic_port *port)
{
	struct vnic_queue *queue, *next;
	LIST_HEAD(gone);
	unsigned int i;

	list_splice_init(&port->disabled, &gone);
	for (i = 0; i < port->numqueues; i++) {
		queue = rtnl_dereference(port->slots[i].queue);
		RCU_INIT_POINTER(port->slots[i].queue, NULL);
		if (queue->flags & IFF_NAPI)
			vnic_napi_disable(port, queue);
		list_add_tail(&queue->next, &gone);
	}
	WRITE_ONCE(port->numqueues, 0);
	WRITE_ONCE(port->numdisabled, 0);
	port->numplain = 0;
	list_for_each_entry(queue, &gone, next) {
		RCU_INIT_POINTER(queue->port, NULL);
		vnic_queue_shutdown(queue);
	}
	synchronize_net();
	list_for_each_entry_safe(queue, next, &gone, next) {
		list_del_init(&queue->next);
		vnic_queue_purge(port, queue, queue->index);
		vnic_queue_set_index(queue, VNIC_NO_SLOT);
		vnic_attach_forget(queue);
	}
}
