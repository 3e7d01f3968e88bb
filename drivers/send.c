// SPDX-License-Identifier: GPL-2.0
/*
 * send - a packet's way from the program into the stack
 *
 *	write() --> headers --.
 *	                      +-> frame --> [XDP] --> vnet --> stack or NAPI
 *	batch --> entries ----'
 *
 * In the program's context: the stack runs inside its call, with bottom halves
 * off, as it would run inside an interrupt of a card.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/skbuff.h>
#include <linux/uio.h>

#include "trace.h"
#include "vnic.h"

/* The longest frame: the longest IP packet, Ethernet header, two VLAN tags. */
#define VNIC_FRAME_MAX		(ETH_MAX_MTU + ETH_HLEN + 2 * VLAN_HLEN)

/* Lose what never became a packet, unless it is still to be sent. */
static void vnic_send_lose(struct vnic_port *port, struct vnic_queue *queue,
			   int err)
{
	enum vnic_counter counter = VNIC_RX_NOMEM;

	switch (err) {
	case -EAGAIN:
	case -ERESTARTSYS:
	case -EINTR:
		return;
	case -EFAULT:
		counter = VNIC_RX_FAULT;
		break;
	case -EINVAL:
		counter = VNIC_RX_SHORT;
		break;
	case -EMSGSIZE:
		counter = VNIC_RX_LONG;
		break;
	case -EBADFD:
		counter = VNIC_RX_DOWN;
		break;
	}
	vnic_lose(port, READ_ONCE(queue->index), NULL, counter);
}

/*
 * Bytes into an skb, by the way that suits. Returns NULL if XDP has taken the
 * frame; *@xdp is false if it has not looked yet.
 */
static struct sk_buff *vnic_send_alloc(struct vnic_port *port,
				       struct vnic_queue *queue,
				       struct iov_iter *from,
				       const struct vnic_offload *offload,
				       bool noblock, bool *xdp)
{
	size_t len = iov_iter_count(from);
	size_t room = READ_ONCE(port->headroom) + NET_IP_ALIGN;

	if (READ_ONCE(queue->flags) & IFF_NAPI_FRAGS)
		return vnic_frame_vector(port->dev, from, len);
	if (READ_ONCE(queue->sk.sk_sndbuf) != INT_MAX ||
	    !vnic_frame_is_small(len, room))
		return vnic_frame_large(queue, from, len, room, noblock);
	if (rcu_access_pointer(port->xdp) &&
	    offload->gso_type == VIRTIO_NET_HDR_GSO_NONE &&
	    vnic_frame_is_small(len, room + XDP_PACKET_HEADROOM) &&
	    (port->dev->flags & IFF_UP)) {
		*xdp = true;
		return vnic_xdp_small(port, queue, from, len,
				      room + XDP_PACKET_HEADROOM);
	}
	return vnic_frame_small(from, len, room);
}

/* Ethernet: the packet says itself what it carries. */
static int vnic_send_parse_tap(struct vnic_port *port, struct sk_buff *skb,
			       const struct vnic_offload *offload)
{
	if (!pskb_may_pull(skb, ETH_HLEN))
		return -EINVAL;
	if (!vnic_vnet_is_empty(offload)) {
		skb->dev = port->dev;
		skb_reset_mac_header(skb);
		skb_set_network_header(skb, ETH_HLEN);
		skb->protocol = eth_hdr(skb)->h_proto;
		if (vnic_vnet_to_skb(skb, offload))
			return -EINVAL;
	}
	skb->protocol = eth_type_trans(skb, port->dev);
	skb_reset_network_header(skb);
	return 0;
}

/**
 * vnic_send_ip_version() - the first four bits of a packet that should be IP
 * @skb: the packet, at its first byte
 *
 * Context: any.
 * Return: the Ethernet protocol number that they stand for; 0 for none.
 */
__be16 vnic_send_ip_version(struct sk_buff *skb)
{
	u8 version = 0;

	if (skb->len && pskb_may_pull(skb, 1))
		version = skb->data[0] >> 4;
	switch (version) {
	case 4:
		return htons(ETH_P_IP);
	case 6:
		return htons(ETH_P_IPV6);
	default:
		return 0;
	}
}

static enum vnic_counter vnic_send_parse_tun(struct vnic_port *port,
					     struct sk_buff *skb,
					     const struct vnic_offload *offload,
					     const __be16 *proto)
{
	skb->protocol = proto ? *proto : vnic_send_ip_version(skb);
	if (!proto && !skb->protocol)
		return VNIC_RX_PROTOCOL;
	skb->dev = port->dev;
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	if (vnic_vnet_is_empty(offload))
		return 0;
	return vnic_vnet_to_skb(skb, offload) ? VNIC_RX_VNET : 0;
}

/**
 * vnic_send_build() - make a packet of what a program has in its memory
 * @port: the device, held by the caller
 * @queue: the queue that it came by
 * @from: the packet, without any header of the fd
 * @offload: what is left to do with it
 * @proto: vntun: its protocol, NULL for what its first four bits say
 * @noblock: -EAGAIN rather than sleep for room in the send buffer
 *
 * Context: process.
 * Return: the packet, ready for the stack; NULL if XDP has taken it; or
 * ERR_PTR(): -EINVAL, -EMSGSIZE, -EFAULT, -ENOMEM or -ENOBUFS, lost and
 * counted; -EAGAIN, -ERESTARTSYS or -EINTR, nothing has happened; -EBADFD, the
 * device went while it slept.
 */
struct sk_buff *vnic_send_build(struct vnic_port *port,
				struct vnic_queue *queue, struct iov_iter *from,
				const struct vnic_offload *offload,
				const __be16 *proto, bool noblock)
{
	unsigned int index = READ_ONCE(queue->index);
	bool tap = vnic_port_is_tap(port), xdp = !tap;
	size_t len = iov_iter_count(from);
	enum vnic_counter counter = 0;
	struct sk_buff *skb;

	vnic_trace(enter, port->dev, index, len);
	if (tap && len < ETH_HLEN) {
		vnic_lose(port, index, NULL, VNIC_RX_SHORT);
		return ERR_PTR(-EINVAL);
	}
	if (!vnic_vnet_is_empty(offload) && vnic_vnet_check(offload, len, tap)) {
		vnic_lose(port, index, NULL, VNIC_RX_VNET);
		return ERR_PTR(-EINVAL);
	}
	if (len > VNIC_FRAME_MAX)
		skb = ERR_PTR(-EMSGSIZE);
	else
		skb = vnic_send_alloc(port, queue, from, offload, noblock,
				      &xdp);
	if (IS_ERR(skb))
		vnic_send_lose(port, queue, PTR_ERR(skb));
	if (IS_ERR_OR_NULL(skb))
		return skb;

	if (!tap)
		counter = vnic_send_parse_tun(port, skb, offload, proto);
	else if (vnic_send_parse_tap(port, skb, offload))
		counter = VNIC_RX_VNET;
	if (counter) {
		vnic_lose(port, index, skb, counter);
		return ERR_PTR(-EINVAL);
	}
	vnic_trace(checked, port->dev, index, skb);
	/* A device that is down refuses the frame; no program looks at it. */
	if (!xdp && rcu_access_pointer(port->xdp) &&
	    (port->dev->flags & IFF_UP))
		skb = vnic_xdp_generic(port, queue, skb);
	return skb;
}

/* Remember whose flow it is. Context: RCU or BH off. */
static void vnic_send_learn(struct vnic_port *port, struct vnic_queue *queue,
			    struct sk_buff *skb)
{
	if (READ_ONCE(port->numqueues) > 1 &&
	    !rcu_access_pointer(port->steering))
		vnic_flow_learn(port, vnic_flow_hash(skb),
				READ_ONCE(queue->index));
}

/* About to go to the stack. Returns its bytes. Context: BH off. */
static unsigned int vnic_send_prepare(struct vnic_port *port,
				      struct vnic_queue *queue,
				      struct sk_buff *skb)
{
	vnic_send_learn(port, queue, skb);
	vnic_port_record(port, queue, skb);
	return vnic_port_len(port, skb);
}

/* A frame in fragments, for GRO here and now. */
static int vnic_send_frags(struct vnic_port *port, struct vnic_queue *queue,
			   struct sk_buff *skb)
{
	unsigned int index = READ_ONCE(queue->index);
	unsigned int len = vnic_port_len(port, skb);

	if (!(port->dev->flags & IFF_UP)) {
		vnic_lose(port, index, skb, VNIC_RX_DOWN);
		return -EIO;
	}
	rcu_read_lock();
	vnic_send_learn(port, queue, skb);
	rcu_read_unlock();
	vnic_trace(deliver, port->dev, index, skb, VNIC_HOW_FRAGS);
	skb_push(skb, ETH_HLEN);
	if (!vnic_napi_give_frags(queue, skb)) {
		vnic_lose(port, index, skb, VNIC_RX_BUSY);
		return -EBUSY;
	}
	vnic_count_packets(port, index, VNIC_RX_PACKETS, 1, len);
	return 0;
}

/* Returns 0, or -EBUSY for a detached queue. Context: BH off. */
static int vnic_send_napi(struct vnic_port *port, struct vnic_queue *queue,
			  struct sk_buff *skb)
{
	unsigned int index = READ_ONCE(queue->index);

	vnic_send_learn(port, queue, skb);
	if (vnic_napi_give(queue, skb))
		return 0;
	vnic_lose(port, index, skb, VNIC_RX_BUSY);
	/* As a card: one that comes too fast is lost, without a word. */
	return index == VNIC_NO_SLOT ? -EBUSY : 0;
}

/**
 * vnic_send_one() - give the stack a packet that vnic_send_build() has made
 * @port: the device, held by the caller
 * @queue: the queue that it came by
 * @skb: the packet
 *
 * Context: process. The stack runs in it, with bottom halves off.
 * Return: 0, or, the packet lost and counted: -EIO (the device is down) or
 * -EBUSY (its queue has IFF_NAPI and is detached, or IFF_NAPI_FRAGS and NAPI
 * is running).
 */
int vnic_send_one(struct vnic_port *port, struct vnic_queue *queue,
		  struct sk_buff *skb)
{
	unsigned int flags = READ_ONCE(queue->flags);
	int err = 0;

	if (flags & IFF_NAPI_FRAGS)
		return vnic_send_frags(port, queue, skb);
	/* An RCU section, too. */
	local_bh_disable();
	/* Once it is down the core waits for RCU, so none comes in after. */
	if (unlikely(!(port->dev->flags & IFF_UP))) {
		vnic_lose(port, READ_ONCE(queue->index), skb, VNIC_RX_DOWN);
		err = -EIO;
	} else if (flags & IFF_NAPI) {
		err = vnic_send_napi(port, queue, skb);
	} else {
		vnic_count_packets(port, READ_ONCE(queue->index),
				   VNIC_RX_PACKETS, 1,
				   vnic_send_prepare(port, queue, skb));
		vnic_trace(deliver, port->dev, READ_ONCE(queue->index), skb,
			   VNIC_HOW_ONE);
		netif_receive_skb(skb);
	}
	local_bh_enable();
	return err;
}

static void vnic_send_each(struct vnic_port *port, struct vnic_queue *queue,
			   struct sk_buff_head *list)
{
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(list)))
		vnic_send_one(port, queue, skb);
}

/* All at once, counted as such. Context: BH off. */
static void vnic_send_deliver(struct vnic_port *port, struct vnic_queue *queue,
			      struct sk_buff_head *list)
{
	unsigned int bytes = 0;
	struct sk_buff *skb;

	if (unlikely(!(port->dev->flags & IFF_UP))) {
		while ((skb = __skb_dequeue(list)))
			vnic_lose(port, READ_ONCE(queue->index), skb,
				  VNIC_RX_DOWN);
		return;
	}
	skb_queue_walk(list, skb) {
		bytes += vnic_send_prepare(port, queue, skb);
		vnic_trace(deliver, port->dev, READ_ONCE(queue->index), skb,
			   VNIC_HOW_LIST);
	}
	vnic_count_packets(port, READ_ONCE(queue->index), VNIC_RX_PACKETS,
			   skb_queue_len(list), bytes);
	vnic_receive_list(list);
}

/**
 * vnic_send_list() - give the stack packets that vnic_send_build() has made
 * @port: the device, held by the caller
 * @queue: the queue that they came by
 * @list: them, one or more, its lock not used; empty afterwards. No
 *	IFF_NAPI_FRAGS.
 *
 * Context: process. The stack runs in it, with bottom halves off.
 */
void vnic_send_list(struct vnic_port *port, struct vnic_queue *queue,
		    struct sk_buff_head *list)
{
	unsigned int flags = READ_ONCE(queue->flags);

	if (skb_queue_len(list) == 1) {
		vnic_send_one(port, queue, __skb_dequeue(list));
		return;
	}
	local_bh_disable();
	if (flags & IFF_NAPI) {
		/* NAPI runs after the last of them, so that it can merge. */
		vnic_send_each(port, queue, list);
		local_bh_enable();
		return;
	}
	vnic_send_deliver(port, queue, list);
	local_bh_enable();
}

/* The headers in front of a frame on the fd. */
static int vnic_send_headers(struct vnic_queue *queue, struct iov_iter *from,
			     struct tun_pi *pi, bool has_pi,
			     struct vnic_offload *offload)
{
	unsigned int flags = READ_ONCE(queue->flags);

	if (has_pi) {
		if (iov_iter_count(from) < sizeof(*pi))
			return -EINVAL;
		if (!copy_from_iter_full(pi, sizeof(*pi), from))
			return -EFAULT;
	}
	if (!(flags & IFF_VNET_HDR))
		return 0;
	return vnic_vnet_pull(flags, READ_ONCE(queue->vnet_hdr_len), from,
			      offload);
}

/**
 * vnic_send() - write(): give the stack a frame of the program's
 * @port: the device, held by the caller
 * @queue: the queue that it came by
 * @from: packet information header unless IFF_NO_PI, virtio header if
 *	IFF_VNET_HDR, and frame
 * @noblock: -EAGAIN rather than sleep for room in the send buffer
 *
 * Context: process. The stack runs in it, with bottom halves off.
 * Return: the bytes taken, all of @from, or -EINVAL (too short, not IP, or a
 * bad virtio header), -EMSGSIZE (too long), -EFAULT, -EIO (device down),
 * -EBUSY (NAPI), -EAGAIN, -ENOMEM, -ENOBUFS, -ERESTARTSYS, or -EBADFD (device
 * gone while it slept). All but -EAGAIN and -ERESTARTSYS count as lost.
 */
ssize_t vnic_send(struct vnic_port *port, struct vnic_queue *queue,
		  struct iov_iter *from, bool noblock)
{
	bool has_pi = !(READ_ONCE(queue->flags) & IFF_NO_PI);
	size_t total = iov_iter_count(from);
	struct vnic_offload offload = { };
	struct tun_pi pi = { };
	struct sk_buff *skb;
	int err;

	err = vnic_send_headers(queue, from, &pi, has_pi, &offload);
	if (err) {
		vnic_send_lose(port, queue, err);
		return err;
	}
	skb = vnic_send_build(port, queue, from, &offload,
			      has_pi ? &pi.proto : NULL, noblock);
	if (IS_ERR(skb))
		return PTR_ERR(skb);
	err = skb ? vnic_send_one(port, queue, skb) : 0;
	return err ?: total;
}
