// SPDX-License-Identifier: GPL-2.0
/*
 * napi - IFF_NAPI: packets reach the stack by way of GRO
 *
 *	program --> [rx] --> NAPI --> GRO --> stack		IFF_NAPI
 *	program -----------> NAPI --> GRO --> stack		and _FRAGS
 *
 * Worth its hop where packets can be merged, or where the NAPI shall have a
 * thread of its own or be polled busily; otherwise netif_receive_skb() costs
 * less.
 */
#include <linux/etherdevice.h>
#include <linux/netdevice.h>

#include "trace.h"
#include "vnic.h"

/* Packets that may wait for NAPI; beyond them it is the program that waits. */
#define VNIC_NAPI_BACKLOG	1024

static int vnic_napi_poll(struct napi_struct *napi, int budget)
{
	struct vnic_queue *queue = container_of(napi, struct vnic_queue, napi);
	struct vnic_port *port = netdev_priv(napi->dev);
	struct sk_buff *skb;
	int done = 0;

	while (done < budget && (skb = skb_dequeue(&queue->rx))) {
		vnic_port_record(port, queue, skb);
		vnic_count_packets(port, READ_ONCE(queue->index),
				   VNIC_RX_PACKETS, 1,
				   vnic_port_len(port, skb));
		vnic_trace(polled, port->dev, READ_ONCE(queue->index), skb,
			   VNIC_PLACE_BACKLOG, &queue->rx);
		vnic_trace(deliver, port->dev, READ_ONCE(queue->index), skb,
			   VNIC_HOW_GRO);
		napi_gro_receive(napi, skb);
		done++;
	}
	/* One that comes now finds that it has to be scheduled again. */
	if (done < budget)
		napi_complete_done(napi, done);
	return done;
}

/**
 * vnic_napi_add() - give a queue its NAPI, enabled
 * @port: the device
 * @queue: a queue with IFF_NAPI, about to be published
 *
 * Context: process, RTNL held.
 */
void vnic_napi_add(struct vnic_port *port, struct vnic_queue *queue)
{
	netif_napi_add(port->dev, &queue->napi, vnic_napi_poll);
	vnic_napi_enable(queue);
}

/**
 * vnic_napi_del() - take away the NAPI of a queue, disabled before
 * @queue: the queue
 *
 * Context: process, RTNL held; waits for RCU.
 */
void vnic_napi_del(struct vnic_queue *queue)
{
	netif_napi_del(&queue->napi);
}

/**
 * vnic_napi_enable() - from now on what is in @queue->rx is fetched
 * @queue: a queue with IFF_NAPI
 *
 * Context: process, RTNL held.
 */
void vnic_napi_enable(struct vnic_queue *queue)
{
	napi_enable(&queue->napi);
	spin_lock_bh(&queue->rx.lock);
	queue->rx_open = true;
	spin_unlock_bh(&queue->rx.lock);
}

/**
 * vnic_napi_disable() - from now on nothing may get into @queue->rx
 * @port: the device
 * @queue: a queue with IFF_NAPI
 *
 * What was in it is lost and counted.
 *
 * Context: process, RTNL held.
 */
void vnic_napi_disable(struct vnic_port *port, struct vnic_queue *queue)
{
	struct sk_buff *skb;

	/* Waits for who is giving it a frame; see vnic_napi_give_frags(). */
	mutex_lock(&queue->napi_lock);
	spin_lock_bh(&queue->rx.lock);
	queue->rx_open = false;
	spin_unlock_bh(&queue->rx.lock);
	mutex_unlock(&queue->napi_lock);
	napi_disable(&queue->napi);
	while ((skb = skb_dequeue(&queue->rx)))
		vnic_lose(port, queue->index, skb, VNIC_RX_DOWN);
}

/**
 * vnic_napi_give() - let NAPI take a packet to the stack
 * @queue: a queue with IFF_NAPI
 * @skb: the packet; ours if the answer is true
 *
 * Context: bottom halves off.
 * Return: false if NAPI is behind, or disabled.
 */
bool vnic_napi_give(struct vnic_queue *queue, struct sk_buff *skb)
{
	bool room;

	spin_lock(&queue->rx.lock);
	room = queue->rx_open &&
	       skb_queue_len(&queue->rx) < VNIC_NAPI_BACKLOG;
	if (room) {
		vnic_trace(queue, skb->dev, READ_ONCE(queue->index), skb,
			   VNIC_PLACE_BACKLOG, &queue->rx);
		__skb_queue_tail(&queue->rx, skb);
	} else {
		vnic_trace(full, skb->dev, READ_ONCE(queue->index), skb,
			   VNIC_PLACE_BACKLOG, &queue->rx);
	}
	spin_unlock(&queue->rx.lock);
	if (room)
		napi_schedule(&queue->napi);
	return room;
}

/**
 * vnic_napi_give_frags() - run GRO over a frame in fragments, here and now
 * @queue: a queue with IFF_NAPI_FRAGS
 * @skb: the frame from vnic_frame_vector(), its data at the Ethernet header;
 *	ours if the answer is true
 *
 * Context: process.
 * Return: false if somebody else is running the NAPI, if it is disabled, or
 * the device is down.
 */
bool vnic_napi_give_frags(struct vnic_queue *queue, struct sk_buff *skb)
{
	bool ours;

	mutex_lock(&queue->napi_lock);
	local_bh_disable();
	ours = queue->rx_open && (skb->dev->flags & IFF_UP) &&
	       napi_schedule_prep(&queue->napi);
	if (ours) {
		/* One that is left over from a frame that was merged. */
		consume_skb(queue->napi.skb);
		queue->napi.skb = skb;
		napi_gro_frags(&queue->napi);
		napi_complete(&queue->napi);
	}
	local_bh_enable();
	mutex_unlock(&queue->napi_lock);
	return ours;
}
