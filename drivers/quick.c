// SPDX-License-Identifier: GPL-2.0
/*
 * quick - the short way of frames that come many at a time
 *
 *	vnic_quick_begin()
 *	    frame --> vnic_quick_build() --> list	... up to VNIC_LIST_MAX
 *	vnic_quick_end() --> stack
 *
 * vnic_send_build() can do everything, and pays for it: it may sleep, so bottom
 * halves go off and on for each packet. Most frames are small, have no offload,
 * and nothing is set up that wants to see them. These are made into packets in
 * one section with bottom halves off, in which no fault is dealt with: whatever
 * does not go smoothly is left as it is, for vnic_send_build().
 */
#include <linux/etherdevice.h>
#include <linux/skbuff.h>
#include <linux/uaccess.h>

#include "copy.h"
#include "trace.h"
#include "vnic.h"

/**
 * vnic_quick_begin() - may frames go the short way just now?
 * @port: the device, held by the caller
 * @queue: the queue
 * @quick: what is the same for all of them; written here
 *
 * Context: process. If the answer is true, bottom halves and faults are off
 * until vnic_quick_end().
 * Return: true if they may.
 */
bool vnic_quick_begin(struct vnic_port *port, struct vnic_queue *queue,
		      struct vnic_quick *quick)
{
	if (vnic_send_alone(port, queue) ||
	    (READ_ONCE(queue->flags) & IFF_NAPI) ||
	    rcu_access_pointer(port->xdp) || !(port->dev->flags & IFF_UP))
		return false;
	quick->port = port;
	quick->queue = queue;
	quick->index = READ_ONCE(queue->index);
	quick->room = READ_ONCE(port->headroom) + NET_IP_ALIGN;
	quick->tap = vnic_port_is_tap(port);
	__skb_queue_head_init(&quick->list);
	local_bh_disable();
	pagefault_disable();
	quick->pool = vnic_frame_this_pool();
	return true;
}

/**
 * vnic_quick_end() - give the stack what was made
 * @quick: of vnic_quick_begin(); its list is empty afterwards
 *
 * Context: process, as vnic_quick_begin() has left it.
 */
void vnic_quick_end(struct vnic_quick *quick)
{
	pagefault_enable();
	if (!skb_queue_empty(&quick->list))
		vnic_send_list(quick->port, quick->queue, &quick->list);
	local_bh_enable();
}

static bool vnic_quick_parse(const struct vnic_quick *quick,
			     struct sk_buff *skb, __be16 proto)
{
	if (quick->tap) {
		skb->protocol = eth_type_trans(skb, quick->port->dev);
	} else {
		if (!proto)
			proto = vnic_send_ip_version(skb);
		if (!proto)
			return false;
		skb->protocol = proto;
		skb->dev = quick->port->dev;
		skb_reset_mac_header(skb);
	}
	skb_reset_network_header(skb);
	return true;
}

/**
 * vnic_quick_build() - make a packet of a frame, and put it on the list
 * @quick: of vnic_quick_begin()
 * @user: the frame in the program's memory, if @kernel is NULL
 * @kernel: the frame in memory of the kernel's, which may change meanwhile
 * @len: its bytes
 * @proto: vntun: its protocol, 0 for what its first four bits say
 *
 * Context: as vnic_quick_begin() has left it.
 * Return: false if nothing has happened, and vnic_send_build() is to see it.
 */
bool vnic_quick_build(struct vnic_quick *quick, const void __user *user,
		      const void *kernel, unsigned int len, __be16 proto)
{
	struct sk_buff *skb;

	if (unlikely(len < ETH_HLEN || !vnic_frame_is_small(len, quick->room)))
		return false;
	skb = vnic_frame_head(quick->pool, len, quick->room);
	if (unlikely(!skb))
		return false;
	/* A program may say NULL as well. */
	if (kernel)
		memcpy(skb->data, kernel, len);
	else if (unlikely(!vnic_copy_from_user(skb, user, len)))
		goto free;
	if (unlikely(!vnic_quick_parse(quick, skb, proto)))
		goto free;
	vnic_trace(enter, quick->port->dev, quick->index, len);
	vnic_trace(checked, quick->port->dev, quick->index, skb);
	__skb_queue_tail(&quick->list, skb);
	return true;

free:
	/* Never was a packet, so none is lost, and none has arrived. */
	__kfree_skb(skb);
	return false;
}
