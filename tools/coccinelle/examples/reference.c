// SPDX-License-Identifier: GPL-2.0
/* What reference.cocci has to report, and what it has to leave alone. */
#include "vnic.h"

static int returns_early(struct vnic_queue *queue)
{
	struct vnic_port *port = vnic_port_get(queue);

	if (!port)
		return -EBADFD;
	if (!netif_running(port->dev))
		return -EIO;	/* report */
	vnic_port_put(port);
	return 0;
}

static int puts_first(struct vnic_queue *queue)
{
	struct vnic_port *port = vnic_port_get(queue);

	if (!port)
		return -EBADFD;
	if (!netif_running(port->dev)) {
		vnic_port_put(port);
		return -EIO;
	}
	vnic_port_put(port);
	return 0;
}

static int returns_from_inside(struct vnic_queue *queue, bool on)
{
	struct vnic_port *port;

	port = vnic_port_get(queue);
	if (port) {
		if (on)
			return 1;	/* report */
		vnic_port_put(port);
	}
	return 0;
}

static int puts_inside(struct vnic_queue *queue, bool on)
{
	struct vnic_port *port;
	int ret = -EBADFD;

	port = vnic_port_get(queue);
	if (port) {
		ret = on;
		vnic_port_put(port);
	}
	return ret;
}

static bool forgets(struct vnic_queue *queue)
{
	struct vnic_port *port = vnic_port_get(queue);	/* report */

	return port;
}

static int fails_held(struct vnic_link *self, struct net_device *peer)
{
	netdev_hold(peer, &self->peer_tracker, GFP_KERNEL);
	if (peer->mtu > ETH_DATA_LEN)
		return -EINVAL;	/* report */
	rcu_assign_pointer(self->peer, peer);
	return 0;
}

static int fails_held_later(struct net_device *peer)
{
	int err;

	dev_hold(peer);
	err = dev_set_mtu(peer, ETH_DATA_LEN, NULL);
	if (err)
		return err;	/* report */
	return 0;
}

static int fails_put(struct vnic_link *self, struct net_device *peer)
{
	int err;

	netdev_hold(peer, &self->peer_tracker, GFP_KERNEL);
	err = dev_set_mtu(peer, ETH_DATA_LEN, NULL);
	if (err) {
		netdev_put(peer, &self->peer_tracker);
		return err;
	}
	rcu_assign_pointer(self->peer, peer);
	return 0;
}

static void lets_go(struct vnic_link *self, struct net_device *peer)
{
	netdev_put(peer, &self->peer_tracker);
}

static void never_lets_go(struct vnic_link *self, struct net_device *dev)
{
	netdev_hold(dev, &self->dev_tracker, GFP_KERNEL);	/* report */
}
