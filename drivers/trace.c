// SPDX-License-Identifier: GPL-2.0
/*
 * trace - the stations of a packet's life, for who listens
 *
 * trace.h says what they are. Here is what they take, out of the way of packets
 * that nobody looks at: each function is called only while its event is on.
 */
#include "vnic.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

void vnic_trace_enter(const struct net_device *dev, unsigned int queue,
		      unsigned int bytes)
{
	trace_vnic_enter(dev, queue, bytes);
}

void vnic_trace_checked(const struct net_device *dev, unsigned int queue,
			const void *ptr)
{
	trace_vnic_checked(dev, queue, ptr);
}

void vnic_trace_taken(const struct net_device *dev, unsigned int queue,
		      const void *ptr)
{
	trace_vnic_taken(dev, queue, ptr);
}

void vnic_trace_queue(const struct net_device *dev, unsigned int queue,
		      const void *ptr, enum vnic_place place, const void *where)
{
	trace_vnic_queue(dev, queue, ptr, place, where);
}

void vnic_trace_full(const struct net_device *dev, unsigned int queue,
		     const void *ptr, enum vnic_place place, const void *where)
{
	trace_vnic_full(dev, queue, ptr, place, where);
}

/**
 * vnic_trace_ring() - about to be put into a ring of the fd, or to be refused
 * @dev: the device
 * @queue: its queue
 * @ptr: the packet, as an entry of the ring
 * @ring: the ring
 *
 * Context: its producer lock is held.
 */
void vnic_trace_ring(const struct net_device *dev, unsigned int queue,
		     const void *ptr, const struct ptr_ring *ring)
{
	if (ring->size && !READ_ONCE(ring->queue[ring->producer]))
		trace_vnic_queue(dev, queue, ptr, VNIC_PLACE_RING, ring);
	else
		trace_vnic_full(dev, queue, ptr, VNIC_PLACE_RING, ring);
}

void vnic_trace_polled(const struct net_device *dev, unsigned int queue,
		       const void *ptr, enum vnic_place place,
		       const void *where)
{
	trace_vnic_polled(dev, queue, ptr, place, where);
}

void vnic_trace_wake(const struct net_device *dev, unsigned int queue,
		     enum vnic_waiter waiter)
{
	trace_vnic_wake(dev, queue, waiter);
}

void vnic_trace_handover(const struct net_device *dev,
			 const struct net_device *peer, unsigned int queue,
			 const void *ptr)
{
	trace_vnic_handover(dev, peer, queue, ptr);
}

void vnic_trace_deliver(const struct net_device *dev, unsigned int queue,
			const void *ptr, enum vnic_how how)
{
	trace_vnic_deliver(dev, queue, ptr, how);
}

void vnic_trace_xdp(const struct net_device *dev, unsigned int queue,
		    const void *ptr, unsigned int bytes, unsigned int act)
{
	trace_vnic_xdp(dev, queue, ptr, bytes, act);
}

void vnic_trace_drop(const struct net_device *dev, unsigned int queue,
		     const void *ptr, const char *way, const char *loss,
		     unsigned int reason)
{
	trace_vnic_drop(dev, queue, ptr, way, loss, reason);
}

/**
 * vnic_trace_drop_list() - several are lost at once
 * @dev: the device
 * @queue: its queue
 * @list: the packets, linked by skb->next
 * @n: how many, with those of which there is no skb
 * @way: what the counter's name begins with
 * @loss: and how it goes on
 * @reason: the core's
 *
 * Context: any.
 */
void vnic_trace_drop_list(const struct net_device *dev, unsigned int queue,
			  struct sk_buff *list, unsigned int n, const char *way,
			  const char *loss, unsigned int reason)
{
	struct sk_buff *skb = list;

	for (; n; n--) {
		trace_vnic_drop(dev, queue, skb, way, loss, reason);
		skb = skb ? skb->next : NULL;
	}
}
