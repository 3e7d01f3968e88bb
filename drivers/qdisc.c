// SPDX-License-Identifier: GPL-2.0
/*
 * qdisc - does a vntun or vntap have a queueing discipline of its own accord?
 *
 * Only one whose full ring stops the stack: then packets wait in the qdisc. A
 * ring that drops takes each packet at once, or never; a qdisc above it stays
 * empty, can neither sort nor slow anything, and costs every packet a walk
 * through it. Whoever wants one all the same (shaping, classes) adds it with
 * tc, as ever, and it stays.
 */
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <net/pkt_sched.h>
#include <net/sch_generic.h>

#include "vnic.h"

/**
 * vnic_qdisc_init() - decide it for a device that is being registered
 * @port: the device, whose flags are those it is made with
 *
 * Context: process, RTNL held.
 */
void vnic_qdisc_init(struct vnic_port *port)
{
	if (!(port->flags & IFF_BACKPRESSURE))
		port->dev->priv_flags |= IFF_NO_QUEUE;
}

/*
 * Has the core put "noqueue" there? An administrator's has a handle; before
 * the device is up for the first time it is the one that drops everything.
 */
static bool vnic_qdisc_is_none(const struct net_device *dev)
{
	return !rtnl_dereference(dev->qdisc)->enqueue &&
	       !rtnl_dereference(dev->qdisc)->handle;
}

/**
 * vnic_qdisc_want() - from now on a full ring may stop the stack
 * @port: the device
 *
 * A device that has none so far gets the default one, as if it had been made
 * so. What an administrator has put there stays, also if it is "noqueue".
 *
 * Context: process, RTNL held; waits for RCU.
 */
void vnic_qdisc_want(struct vnic_port *port)
{
	struct net_device *dev = port->dev;
	unsigned int i;

	/* Not registered yet, it is for vnic_qdisc_init(). */
	if (!dev || !(dev->priv_flags & IFF_NO_QUEUE))
		return;
	dev->priv_flags &= ~IFF_NO_QUEUE;
	if (!vnic_qdisc_is_none(dev))
		return;

	if (dev->flags & IFF_UP)
		vnic_dev_deactivate(dev);
	for (i = 0; i < dev->num_tx_queues; i++)
		qdisc_put(dev_graft_qdisc(netdev_get_tx_queue(dev, i), NULL));
	qdisc_put(rcu_replace_pointer(dev->qdisc, &noop_qdisc,
				      lockdep_rtnl_is_held()));
	if (dev->flags & IFF_UP)
		dev_activate(dev);
}
