// SPDX-License-Identifier: GPL-2.0
/*
 * queue - what joins a vntun or vntap to one open file
 *
 *	stack --> vnic_queue_produce() -> [ring] -> vnic_queue_recv() --> program
 *	stack <------------------------------------ vnic_queue_send() <-- program
 *
 * Knows packets; knows nothing of netlink, nor by which call the program came.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/skbuff.h>
#include <linux/uio.h>
#include <net/sock.h>

#include "vnic.h"

/* The longest frame: the longest IP packet, Ethernet header, two VLAN tags. */
#define VNIC_FRAME_MAX		(ETH_MAX_MTU + ETH_HLEN + 2 * VLAN_HLEN)

/*
 * A frame that was sent and is now freed: there is room for another. Writers
 * may sleep for it as well as programs that poll; a signal goes only to those
 * who were told that there is none.
 */
static void vnic_queue_write_space(struct sock *sk)
{
	struct vnic_queue *queue = container_of(sk, struct vnic_queue, sk);

	if (!sock_writeable(sk))
		return;
	if (wq_has_sleeper(&queue->socket.wq.wait))
		wake_up_interruptible_sync_poll(&queue->socket.wq.wait,
						EPOLLOUT | EPOLLWRNORM |
						EPOLLWRBAND);
	if (test_and_clear_bit(SOCKWQ_ASYNC_NOSPACE, &queue->socket.flags))
		kill_fasync(&queue->fasync, SIGIO, POLL_OUT);
}

static struct proto vnic_queue_proto = {
	.name		= "vnic",
	.owner		= THIS_MODULE,
	.obj_size	= sizeof(struct vnic_queue),
};

/**
 * vnic_queue_alloc() - make the queue of a file that is being opened
 * @net: the namespace in which TUNSETIFF will look for and make devices
 *
 * Context: process.
 * Return: the queue, to be freed with vnic_queue_free(), or NULL.
 */
struct vnic_queue *vnic_queue_alloc(struct net *net)
{
	struct vnic_queue *queue;
	struct sock *sk;

	sk = sk_alloc(net, AF_UNSPEC, GFP_KERNEL, &vnic_queue_proto, 0);
	if (!sk)
		return NULL;
	queue = container_of(sk, struct vnic_queue, sk);
	/* Room for nothing until there is a device to say how much. */
	if (ptr_ring_init(&queue->ring, 0, GFP_KERNEL)) {
		sk_free(sk);
		return NULL;
	}
	init_waitqueue_head(&queue->socket.wq.wait);
	sock_init_data_uid(&queue->socket, sk, current_fsuid());
	sk->sk_write_space = vnic_queue_write_space;
	sk->sk_sndbuf = INT_MAX;
	sk->sk_shutdown = SHUTDOWN_MASK;
	return queue;
}

/**
 * vnic_queue_free() - free a queue that no device points to any more
 * @queue: the queue
 *
 * Its memory stays until the stack has freed the last packet charged to it.
 *
 * Context: process.
 */
void vnic_queue_free(struct vnic_queue *queue)
{
	ptr_ring_cleanup(&queue->ring, NULL);
	sock_put(&queue->sk);
}

/* A packet for which the ring has become too short. Its locks are held. */
static void vnic_queue_overflow(void *ptr)
{
	struct sk_buff *skb = ptr;

	vnic_drop_tx(skb->dev, skb, SKB_DROP_REASON_FULL_RING);
}

/**
 * vnic_queue_resize() - make the ring longer or shorter
 * @queue: the queue
 * @len: packets that it shall hold; 0 makes it lose every one
 *
 * Keeps the oldest packets; those that find no room any more are dropped and
 * counted.
 *
 * Context: process, RTNL held.
 * Return: 0 or -ENOMEM, with the ring as it was.
 */
int vnic_queue_resize(struct vnic_queue *queue, unsigned int len)
{
	struct ptr_ring *ring = &queue->ring;

	return ptr_ring_resize_multiple_bh(&ring, 1, len, GFP_KERNEL,
					   vnic_queue_overflow);
}

/**
 * vnic_queue_purge() - drop what the program has not fetched
 * @queue: the queue, for which nothing is produced any more
 *
 * Context: process.
 */
void vnic_queue_purge(struct vnic_queue *queue)
{
	struct sk_buff *skb;

	while ((skb = ptr_ring_consume(&queue->ring)))
		vnic_drop_tx(skb->dev, skb, SKB_DROP_REASON_DEV_READY);
}

/**
 * vnic_queue_start() - let readers and writers sleep for a device
 * @queue: the queue, about to be published
 *
 * Context: process, RTNL held.
 */
void vnic_queue_start(struct vnic_queue *queue)
{
	WRITE_ONCE(queue->sk.sk_shutdown, 0);
}

/**
 * vnic_queue_shutdown() - end the sleeps of readers and writers
 * @queue: the queue, whose device pointer was cleared
 *
 * Context: process, RTNL held.
 */
void vnic_queue_shutdown(struct vnic_queue *queue)
{
	WRITE_ONCE(queue->sk.sk_shutdown, SHUTDOWN_MASK);
	wake_up_interruptible_all(&queue->socket.wq.wait);
}

/**
 * vnic_queue_writable() - would a frame be accepted without sleeping
 * @queue: the queue
 * @dev: its device
 *
 * If not, vnic_queue_write_space() will wake who asked.
 *
 * Context: any.
 * Return: true if it would.
 */
bool vnic_queue_writable(struct vnic_queue *queue, struct net_device *dev)
{
	if ((dev->flags & IFF_UP) && sock_writeable(&queue->sk))
		return true;
	/* Ask to be woken, then look again, or the wake-up could be missed. */
	set_bit(SOCKWQ_ASYNC_NOSPACE, &queue->socket.flags);
	/* Pairs with test_and_clear_bit() in vnic_queue_write_space(). */
	smp_mb__after_atomic();
	return (dev->flags & IFF_UP) && sock_writeable(&queue->sk);
}

/**
 * vnic_queue_produce() - put a packet of the stack into the ring
 * @queue: the queue
 * @skb: the packet; taken if the answer is 0, still the caller's if not
 *
 * Context: bottom halves off.
 * Return: SKB_NOT_DROPPED_YET, or the reason for which it has to be dropped.
 */
enum skb_drop_reason vnic_queue_produce(struct vnic_queue *queue,
					struct sk_buff *skb)
{
	if (skb_orphan_frags_rx(skb, GFP_ATOMIC))
		return SKB_DROP_REASON_SKB_UCOPY_FAULT;
	skb_tx_timestamp(skb);
	/* Nobody knows when the program will come: free the sender now. */
	skb_orphan(skb);
	nf_reset_ct(skb);

	if (unlikely(ptr_ring_produce(&queue->ring, skb)))
		return SKB_DROP_REASON_FULL_RING;

	/* Pairs with the barrier of a sleeper's set_current_state(). */
	if (wq_has_sleeper(&queue->socket.wq.wait))
		wake_up_interruptible_sync_poll(&queue->socket.wq.wait,
						EPOLLIN | EPOLLRDNORM |
						EPOLLRDBAND);
	kill_fasync(&queue->fasync, SIGIO, POLL_IN);
	return SKB_NOT_DROPPED_YET;
}

/**
 * vnic_queue_consume() - take the oldest packet out of the ring
 * @queue: the queue
 *
 * Context: process. Safe against other consumers.
 * Return: the packet, now the caller's, or NULL.
 */
struct sk_buff *vnic_queue_consume(struct vnic_queue *queue)
{
	return ptr_ring_consume(&queue->ring);
}

/**
 * vnic_queue_wait() - sleep until there is something to read
 * @queue: the queue
 *
 * The caller holds no reference to the device, or it could not be deleted
 * while a program waits for a packet.
 *
 * Context: process, sleeps.
 * Return: 0 to look again, -ERESTARTSYS after a signal, -EFAULT when the
 * device is gone, as tun has it.
 */
int vnic_queue_wait(struct vnic_queue *queue)
{
	int err;

	err = wait_event_interruptible(queue->socket.wq.wait,
				       !ptr_ring_empty(&queue->ring) ||
				       READ_ONCE(queue->sk.sk_shutdown));
	if (err)
		return err;
	return READ_ONCE(queue->sk.sk_shutdown) ? -EFAULT : 0;
}

/*
 * A frame that fits into a page and that no send buffer limits: copied once,
 * into a piece of the task's own page, around which the skb is built.
 */
static struct sk_buff *vnic_frame_small(struct iov_iter *from, size_t len,
					size_t room)
{
	struct page_frag *frag = &current->task_frag;
	struct sk_buff *skb;
	size_t size;
	void *buf;

	size = SKB_DATA_ALIGN(room + len) +
	       SKB_DATA_ALIGN(sizeof(struct skb_shared_info));
	frag->offset = ALIGN(frag->offset, SMP_CACHE_BYTES);
	if (!skb_page_frag_refill(size, frag, GFP_KERNEL))
		return ERR_PTR(-ENOMEM);
	buf = page_address(frag->page) + frag->offset;
	if (!copy_from_iter_full(buf + room, len, from))
		return ERR_PTR(-EFAULT);
	skb = build_skb(buf, size);
	if (!skb)
		return ERR_PTR(-ENOMEM);
	get_page(frag->page);
	frag->offset += size;
	skb_reserve(skb, room);
	skb_put(skb, len);
	return skb;
}

/* Any other: pages, charged to the send buffer, for which it may sleep. */
static struct sk_buff *vnic_frame_large(struct vnic_queue *queue,
					struct iov_iter *from, size_t len,
					size_t room, bool noblock)
{
	size_t linear = min_t(size_t, len, SKB_MAX_HEAD(room));
	struct sk_buff *skb;
	int err;

	skb = sock_alloc_send_pskb(&queue->sk, room + linear, len - linear,
				   noblock, &err, PAGE_ALLOC_COSTLY_ORDER);
	if (!skb)
		return ERR_PTR(err == -EPIPE ? -EBADFD : err);
	skb_reserve(skb, room);
	skb_put(skb, linear);
	skb->data_len = len - linear;
	skb->len = len;
	if (skb_copy_datagram_from_iter(skb, 0, from, len)) {
		kfree_skb_reason(skb, SKB_DROP_REASON_SKB_UCOPY_FAULT);
		return ERR_PTR(-EFAULT);
	}
	return skb;
}

static struct sk_buff *vnic_frame_alloc(struct vnic_queue *queue,
					struct vnic_port *port,
					struct iov_iter *from, size_t len,
					bool noblock)
{
	size_t room = READ_ONCE(port->headroom);
	size_t size;

	if (len > VNIC_FRAME_MAX)
		return ERR_PTR(-EMSGSIZE);
	if (vnic_port_is_tap(port))
		room += NET_IP_ALIGN;
	size = SKB_DATA_ALIGN(room + len) +
	       SKB_DATA_ALIGN(sizeof(struct skb_shared_info));
	if (size <= PAGE_SIZE && READ_ONCE(queue->sk.sk_sndbuf) == INT_MAX)
		return vnic_frame_small(from, len, room);
	return vnic_frame_large(queue, from, len, room, noblock);
}

/*
 * Say what the frame carries. Returns -EINVAL for a packet without a packet
 * information header whose first four bits are no IP version.
 */
static int vnic_frame_protocol(struct vnic_port *port, struct sk_buff *skb,
			       unsigned int flags, __be16 proto)
{
	if (flags & IFF_TAP) {
		skb->protocol = eth_type_trans(skb, port->dev);
	} else {
		if (flags & IFF_NO_PI) {
			switch (skb->len ? skb->data[0] >> 4 : 0) {
			case 4:
				proto = htons(ETH_P_IP);
				break;
			case 6:
				proto = htons(ETH_P_IPV6);
				break;
			default:
				return -EINVAL;
			}
		}
		skb_reset_mac_header(skb);
		skb->protocol = proto;
		skb->dev = port->dev;
	}
	skb_reset_network_header(skb);
	return 0;
}

/**
 * vnic_queue_send() - give the stack a frame of the program's
 * @queue: the queue
 * @port: its device, held by the caller
 * @from: packet information header, unless IFF_NO_PI, and frame
 * @noblock: -EAGAIN rather than sleep for room in the send buffer
 *
 * Context: process. The stack runs in it, with bottom halves off.
 * Return: the bytes taken, all of @from, or -EINVAL (too short, or not IP),
 * -EMSGSIZE (too long), -EFAULT, -EIO (device down), -EAGAIN, -ENOMEM,
 * -ENOBUFS, -ERESTARTSYS, or -EBADFD (device gone while it slept). All but
 * -EAGAIN and those for which there was no frame count as dropped.
 */
ssize_t vnic_queue_send(struct vnic_queue *queue, struct vnic_port *port,
			struct iov_iter *from, bool noblock)
{
	unsigned int flags = READ_ONCE(port->flags);
	size_t total = iov_iter_count(from);
	struct tun_pi pi = { };
	struct sk_buff *skb;
	size_t len;
	int err;

	if (!(flags & IFF_NO_PI)) {
		if (total < sizeof(pi))
			goto too_short;
		if (!copy_from_iter_full(&pi, sizeof(pi), from))
			return -EFAULT;
	}
	len = iov_iter_count(from);
	if ((flags & IFF_TAP) && len < ETH_HLEN)
		goto too_short;

	skb = vnic_frame_alloc(queue, port, from, len, noblock);
	if (IS_ERR(skb)) {
		err = PTR_ERR(skb);
		if (err != -EAGAIN && err != -ERESTARTSYS && err != -EINTR)
			vnic_drop_rx(port->dev, NULL, SKB_DROP_REASON_NOMEM);
		return err;
	}
	err = vnic_frame_protocol(port, skb, flags, pi.proto);
	if (err) {
		vnic_drop_rx(port->dev, skb, SKB_DROP_REASON_UNHANDLED_PROTO);
		return err;
	}

	local_bh_disable();
	rcu_read_lock();
	/* Once it is down the core waits for RCU, so none comes in after. */
	if (unlikely(!(port->dev->flags & IFF_UP))) {
		rcu_read_unlock();
		local_bh_enable();
		vnic_drop_rx(port->dev, skb, SKB_DROP_REASON_DEV_READY);
		return -EIO;
	}
	vnic_count_rx(port->dev, 1, len);
	netif_receive_skb(skb);
	rcu_read_unlock();
	local_bh_enable();
	return total;

too_short:
	vnic_drop_rx(port->dev, NULL, SKB_DROP_REASON_HDR_TRUNC);
	return -EINVAL;
}

/* Returns the bytes that the packet has, of which @to may take fewer. */
static ssize_t vnic_queue_copy_out(struct sk_buff *skb, struct iov_iter *to,
				   bool has_pi)
{
	size_t total = skb->len + (has_pi ? sizeof(struct tun_pi) : 0);

	if (has_pi) {
		struct tun_pi pi = { .proto = skb->protocol };

		if (iov_iter_count(to) < sizeof(pi))
			return -EINVAL;
		if (iov_iter_count(to) < total)
			pi.flags |= TUN_PKT_STRIP;
		if (copy_to_iter(&pi, sizeof(pi), to) != sizeof(pi))
			return -EFAULT;
	}
	if (skb_copy_datagram_iter(skb, 0, to,
				   min_t(size_t, skb->len, iov_iter_count(to))))
		return -EFAULT;
	return total;
}

/**
 * vnic_queue_recv() - give the program a packet of the stack's
 * @port: the device, held by the caller
 * @skb: the packet, freed here
 * @to: where to copy packet information header and packet; what finds no
 *	room is lost, and the header says so (TUN_PKT_STRIP)
 *
 * Context: process.
 * Return: the bytes that header and packet have, also those that found no
 * room; or -EINVAL (no room for the header) or -EFAULT, the packet dropped.
 */
ssize_t vnic_queue_recv(struct vnic_port *port, struct sk_buff *skb,
			struct iov_iter *to)
{
	bool has_pi = !(READ_ONCE(port->flags) & IFF_NO_PI);
	unsigned int len = skb->len;
	ssize_t ret;

	ret = vnic_queue_copy_out(skb, to, has_pi);
	if (ret < 0) {
		vnic_drop_tx(port->dev, skb, SKB_DROP_REASON_SKB_UCOPY_FAULT);
		return ret;
	}
	local_bh_disable();
	vnic_count_tx(port->dev, len);
	local_bh_enable();
	consume_skb(skb);
	return ret;
}
