// SPDX-License-Identifier: GPL-2.0
/*
 * recv - a packet's way from the stack to the program
 *
 *	ring --> [headers] frame --> read()
 *	     '--> entry + frame --> batch
 *
 *	vnic_recv_frame() --> shared memory
 */
#include <linux/if_vlan.h>
#include <linux/skbuff.h>
#include <linux/uio.h>
#include <net/xdp.h>

#include "copy.h"
#include "trace.h"
#include "vnic.h"

/**
 * vnic_recv_len() - bytes that the program gets of a packet, without headers
 * @ptr: the packet, as an entry of the ring
 *
 * Context: any.
 * Return: them.
 */
unsigned int vnic_recv_len(const void *ptr)
{
	const struct sk_buff *skb = ptr;

	if (vnic_ring_is_xdp(ptr))
		return vnic_ring_to_xdp(ptr)->len;
	return skb->len + (skb_vlan_tag_present(skb) ? VLAN_HLEN : 0);
}

static __be16 vnic_recv_protocol(const void *ptr)
{
	const struct sk_buff *skb = ptr;
	const struct xdp_frame *frame;

	if (!vnic_ring_is_xdp(ptr))
		return skb->protocol;
	frame = vnic_ring_to_xdp(ptr);
	if (frame->len < ETH_HLEN)
		return 0;
	return ((const struct ethhdr *)frame->data)->h_proto;
}

static int vnic_recv_copy_part(const struct sk_buff *skb, unsigned int offset,
			       unsigned int len, struct iov_iter *to)
{
	len = min_t(size_t, len, iov_iter_count(to));
	return len ? skb_copy_datagram_iter(skb, offset, to, len) : 0;
}

/* With the tag where it is on the wire: between addresses and type. */
static int vnic_recv_copy_vlan(const struct sk_buff *skb, struct iov_iter *to)
{
	/* Less if a filter has left less of it. */
	const unsigned int offset = min_t(unsigned int, skb->len,
				offsetof(struct vlan_ethhdr, h_vlan_proto));
	struct {
		__be16	proto;
		__be16	tci;
	} tag = {
		.proto	= skb->vlan_proto,
		.tci	= htons(skb_vlan_tag_get(skb)),
	};
	size_t len;

	if (vnic_recv_copy_part(skb, 0, offset, to))
		return -EFAULT;
	len = min(sizeof(tag), iov_iter_count(to));
	if (copy_to_iter(&tag, len, to) != len)
		return -EFAULT;
	return vnic_recv_copy_part(skb, offset, skb->len - offset, to);
}

/* What finds no room in @to is left out. */
static noinline int vnic_recv_copy(const void *ptr, struct iov_iter *to)
{
	const struct sk_buff *skb = ptr;
	struct xdp_frame *frame;
	size_t len;

	if (vnic_ring_is_xdp(ptr)) {
		frame = vnic_ring_to_xdp(ptr);
		len = min_t(size_t, frame->len, iov_iter_count(to));
		return copy_to_iter(frame->data, len, to) == len ? 0 : -EFAULT;
	}
	if (skb_vlan_tag_present(skb))
		return vnic_recv_copy_vlan(skb, to);
	return vnic_recv_copy_part(skb, 0, skb->len, to);
}

static int vnic_recv_offload(const void *ptr, bool tunnel,
			     struct vnic_offload *offload)
{
	if (!vnic_ring_is_xdp(ptr))
		return vnic_vnet_from_skb(ptr, tunnel, offload);
	*offload = (struct vnic_offload) { };
	return 0;
}

/* The headers in front of a frame on the fd. Returns their length or less. */
static int vnic_recv_headers(struct vnic_queue *queue, const void *ptr,
			     struct iov_iter *to, enum vnic_counter *counter)
{
	unsigned int vnet_len = READ_ONCE(queue->vnet_hdr_len);
	unsigned int flags = READ_ONCE(queue->flags);
	struct vnic_offload offload;
	unsigned int len = 0;

	if (!(flags & IFF_VNET_HDR))
		vnet_len = 0;
	if (!(flags & IFF_NO_PI)) {
		struct tun_pi pi = { };

		len = sizeof(pi);
		pi.proto = vnic_recv_protocol(ptr);
		if (iov_iter_count(to) < len)
			return -EINVAL;
		if (iov_iter_count(to) < len + vnet_len + vnic_recv_len(ptr))
			pi.flags |= TUN_PKT_STRIP;
		if (copy_to_iter(&pi, len, to) != len)
			return -EFAULT;
	}
	if (vnet_len) {
		int err;

		*counter = VNIC_TX_VNET;
		err = vnic_recv_offload(ptr, vnet_len >= sizeof(struct vnic_vnet),
					&offload);
		if (err)
			return err;
		*counter = VNIC_TX_FAULT;
		err = vnic_vnet_push(flags, vnet_len, to, &offload);
		if (err)
			return err;
	}
	return len + vnet_len;
}

/**
 * vnic_recv_lose() - lose a packet that cannot be handed out
 * @port: the device, held by the caller
 * @queue: the queue
 * @ptr: the packet, from vnic_queue_consume(); freed here
 * @counter: why
 *
 * Context: process.
 */
void vnic_recv_lose(struct vnic_port *port, struct vnic_queue *queue,
		    void *ptr, enum vnic_counter counter)
{
	unsigned int index = READ_ONCE(queue->index);

	if (vnic_ring_is_xdp(ptr)) {
		vnic_count_loss(port, index, ptr, counter);
		xdp_return_frame(vnic_ring_to_xdp(ptr));
	} else {
		vnic_lose(port, index, ptr, counter);
	}
}

/**
 * vnic_recv() - read(): give the program a packet of the stack's
 * @port: the device, held by the caller
 * @queue: the queue
 * @ptr: the packet, from vnic_queue_consume(); freed here
 * @to: where to copy headers and packet; what finds no room is lost, and the
 *	packet information header says so (TUN_PKT_STRIP)
 *
 * Context: process.
 * Return: the bytes that headers and packet have, also those that found no
 * room; or -EINVAL (no room for the headers, or no header can tell what is
 * left to do) or -EFAULT, the packet lost.
 */
ssize_t vnic_recv(struct vnic_port *port, struct vnic_queue *queue, void *ptr,
		  struct iov_iter *to)
{
	unsigned int flags = READ_ONCE(queue->flags), len = vnic_recv_len(ptr);
	enum vnic_counter counter = VNIC_TX_FAULT;
	const struct sk_buff *skb = ptr;
	size_t room = iov_iter_count(to);
	ssize_t total = 0;
	bool fault;

	if ((flags & (IFF_NO_PI | IFF_VNET_HDR)) != IFF_NO_PI)
		total = vnic_recv_headers(queue, ptr, to, &counter);
	if (unlikely(total < 0))
		goto lose;
	total += len;
	if (vnic_recv_is_plain(ptr) && total <= room)
		fault = !vnic_copy_to(skb, to);
	else
		fault = vnic_recv_copy(ptr, to);
	if (unlikely(fault)) {
		total = -EFAULT;
		goto lose;
	}
	if (unlikely(total > (ssize_t)room))
		vnic_count(port, READ_ONCE(queue->index), VNIC_TX_TRUNCATED, 1);

	local_bh_disable();
	vnic_count_packets(port, READ_ONCE(queue->index), VNIC_TX_PACKETS, 1,
			   len);
	vnic_trace(taken, port->dev, READ_ONCE(queue->index), ptr);
	vnic_recv_free(ptr);
	local_bh_enable();
	return total;

lose:
	vnic_recv_lose(port, queue, ptr, counter);
	return total;
}

/* Returns 0, or -EINVAL for what no header can tell. */
static int vnic_recv_vnet(const void *ptr, struct vnic_vnet *vnet)
{
	struct vnic_offload offload;
	int err;

	memset(vnet, 0, sizeof(*vnet));
	if (vnic_ring_is_xdp(ptr) || !vnic_recv_has_offload(ptr))
		return 0;
	err = vnic_vnet_from_skb(ptr, true, &offload);
	if (!err)
		vnic_vnet_encode(&offload, vnet);
	return err;
}

/* Returns 0 or -EFAULT. */
static int vnic_recv_copy_packet(const void *ptr, unsigned int len,
				 const struct vnic_packet *packet)
{
	void __user *addr = u64_to_user_ptr(packet->addr);
	const struct sk_buff *skb = ptr;
	struct iov_iter to;

	if (vnic_recv_is_plain(ptr) && len <= packet->len)
		return vnic_copy_to_user(addr, skb) ? 0 : -EFAULT;
	iov_iter_ubuf(&to, READ, addr, packet->len);
	return vnic_recv_copy(ptr, &to);
}

/**
 * vnic_recv_packet() - give the program a packet in an entry of a batch
 * @port: the device, held by the caller
 * @queue: the queue
 * @ptr: the packet, from vnic_queue_consume(); freed here unless the answer
 *	is 0
 * @packet: the entry: where to, and how much room; what it says afterwards is
 *	what the program gets
 *
 * Context: process.
 * Return: 0 with the packet left for the caller, or -EINVAL or -EFAULT, the packet
 * lost; also in @packet->result.
 */
int vnic_recv_packet(struct vnic_port *port, struct vnic_queue *queue,
		     void *ptr, struct vnic_packet *packet)
{
	enum vnic_counter counter = VNIC_TX_VNET;
	unsigned int len = vnic_recv_len(ptr);
	int err;

	packet->flags = len > packet->len ? VNIC_PACKET_TRUNC : 0;
	packet->proto = vnic_port_is_tap(port) ? 0 : vnic_recv_protocol(ptr);
	err = vnic_recv_vnet(ptr, &packet->vnet);
	if (!err) {
		err = vnic_recv_copy_packet(ptr, len, packet);
		counter = VNIC_TX_FAULT;
	}
	packet->len = len;
	packet->result = err;
	if (unlikely(err))
		vnic_recv_lose(port, queue, ptr, counter);
	else if (unlikely(packet->flags & VNIC_PACKET_TRUNC))
		vnic_count(port, READ_ONCE(queue->index), VNIC_TX_TRUNCATED, 1);
	return err;
}

/**
 * vnic_recv_frame() - write a packet where the program will find it
 * @port: the device
 * @ptr: the packet, as an entry of the ring; still the caller's
 * @len: of vnic_recv_len()
 * @to: room for what is in front of the frame, and for the frame
 *
 * Context: any; the memory is the kernel's, and never read here.
 * Return: 0, or the counter of the reason for which it has to be dropped.
 */
enum vnic_counter vnic_recv_frame(struct vnic_port *port, const void *ptr,
				  unsigned int len, struct vnic_frame *to)
{
	const struct sk_buff *skb = ptr;
	struct iov_iter iter;
	struct kvec vec;

	if (vnic_recv_vnet(ptr, &to->vnet))
		return VNIC_TX_VNET;
	to->len = len;
	to->flags = 0;
	to->proto = vnic_port_is_tap(port) ? 0 : vnic_recv_protocol(ptr);
	if (vnic_recv_is_plain(ptr)) {
		memcpy(to + 1, skb->data, len);
		return 0;
	}
	vec.iov_base = to + 1;
	vec.iov_len = len;
	iov_iter_kvec(&iter, READ, &vec, 1, len);
	return vnic_recv_copy(ptr, &iter) ? VNIC_TX_FAULT : 0;
}
