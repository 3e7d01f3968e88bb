// SPDX-License-Identifier: GPL-2.0
/*
 * frame - from a program's memory into an skb
 *
 *	small	fits into a page: one copy, into the task's own page, and the
 *		skb is built around it
 *	large	pages of a pool that the queue keeps, so that they need neither
 *		be allocated nor cleared anew
 *	charged	a send buffer limits the program (TUNSETSNDBUF): pages charged
 *		to it, for which it may have to sleep
 *	vector	IFF_NAPI_FRAGS: one fragment for each piece that the program
 *		has given
 */
#include <linux/etherdevice.h>
#include <linux/skbuff.h>
#include <linux/uio.h>
#include <net/sock.h>

#include "vnic.h"

/* Pages of a pool are of this order: a 64 KB frame is in two of them. */
#define VNIC_POOL_ORDER		3
#define VNIC_POOL_PIECE		((size_t)PAGE_SIZE << VNIC_POOL_ORDER)

/* How much of a large frame is linear: room for every header. */
#define VNIC_FRAME_LINEAR	256

/**
 * vnic_frame_small() - a frame that vnic_frame_is_small()
 * @from: the frame
 * @len: its bytes, all of @from
 * @room: bytes to leave in front of it
 *
 * Context: process.
 * Return: the frame, or ERR_PTR(-ENOMEM) or (-EFAULT).
 */
struct sk_buff *vnic_frame_small(struct iov_iter *from, size_t len,
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

static struct page_pool *vnic_frame_pool(struct vnic_queue *queue)
{
	struct page_pool *pool = READ_ONCE(queue->pool);
	struct page_pool_params params = {
		.flags = PP_FLAG_PAGE_FRAG,
		.order = VNIC_POOL_ORDER,
		.pool_size = 64,
		.nid = NUMA_NO_NODE,
	};

	if (pool || !IS_ENABLED(CONFIG_PAGE_POOL))
		return pool;
	pool = page_pool_create(&params);
	if (IS_ERR(pool))
		return NULL;
	if (cmpxchg(&queue->pool, NULL, pool)) {
		page_pool_destroy(pool);
		pool = READ_ONCE(queue->pool);
	}
	return pool;
}

/**
 * vnic_frame_free_pool() - the queue goes: so does its pool
 * @queue: the queue, on which nobody sends any more
 *
 * Pages that are still in packets go when those do.
 *
 * Context: process.
 */
void vnic_frame_free_pool(struct vnic_queue *queue)
{
	if (IS_ENABLED(CONFIG_PAGE_POOL) && queue->pool)
		page_pool_destroy(queue->pool);
}

/* Hang @len bytes of the pool's pages on the skb. */
static bool vnic_frame_add_pages(struct vnic_queue *queue,
				 struct page_pool *pool, struct sk_buff *skb,
				 size_t len)
{
	unsigned int piece, offset;
	struct page *page;
	int i;

	for (i = 0; len; i++) {
		piece = min(len, VNIC_POOL_PIECE);
		/* The pool is not made for more than one who allocates. */
		spin_lock_bh(&queue->pool_lock);
		page = page_pool_alloc_frag(pool, &offset, piece,
					    GFP_ATOMIC | __GFP_NOWARN);
		spin_unlock_bh(&queue->pool_lock);
		if (!page)
			return false;
		skb_add_rx_frag(skb, i, page, offset, piece, piece);
		len -= piece;
	}
	return true;
}

/* Returns NULL if it cannot be had without effort. */
static struct sk_buff *vnic_frame_pooled(struct vnic_queue *queue, size_t len,
					 size_t room)
{
	size_t linear = min_t(size_t, len, VNIC_FRAME_LINEAR);
	struct page_pool *pool = vnic_frame_pool(queue);
	struct sk_buff *skb;

	if (!pool)
		return NULL;
	skb = alloc_skb(room + linear, GFP_KERNEL);
	if (!skb)
		return NULL;
	skb_reserve(skb, room);
	skb_put(skb, linear);
	skb_mark_for_recycle(skb);
	if (vnic_frame_add_pages(queue, pool, skb, len - linear))
		return skb;
	kfree_skb(skb);
	return NULL;
}

static struct sk_buff *vnic_frame_charged(struct vnic_queue *queue, size_t len,
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
	return skb;
}

/**
 * vnic_frame_large() - a frame that is not small, or that is charged
 * @queue: the queue that it came by
 * @from: the frame
 * @len: its bytes, all of @from
 * @room: bytes to leave in front of it
 * @noblock: -EAGAIN rather than sleep for room in the send buffer
 *
 * Context: process, may sleep.
 * Return: the frame, or ERR_PTR() of -ENOMEM, -ENOBUFS, -EFAULT, -EAGAIN,
 * -ERESTARTSYS, -EINTR, or -EBADFD (the device went while it slept).
 */
struct sk_buff *vnic_frame_large(struct vnic_queue *queue,
				 struct iov_iter *from, size_t len,
				 size_t room, bool noblock)
{
	struct sk_buff *skb = NULL;

	if (READ_ONCE(queue->sk.sk_sndbuf) == INT_MAX)
		skb = vnic_frame_pooled(queue, len, room);
	if (!skb)
		skb = vnic_frame_charged(queue, len, room, noblock);
	if (IS_ERR(skb))
		return skb;
	if (skb_copy_datagram_from_iter(skb, 0, from, len)) {
		kfree_skb_reason(skb, SKB_DROP_REASON_SKB_UCOPY_FAULT);
		return ERR_PTR(-EFAULT);
	}
	return skb;
}

/**
 * vnic_frame_vector() - a frame laid out as the program's pieces are
 * @dev: the device
 * @from: the frame: the first piece becomes the linear part, each other one a
 *	fragment of its own
 * @len: its bytes, all of @from
 *
 * For IFF_NAPI_FRAGS, whose users test what the stack does with odd layouts.
 *
 * Context: process.
 * Return: the frame, or ERR_PTR() of -EMSGSIZE (too many pieces, or too long),
 * -EINVAL (a fragment that is empty or longer than a page), -ENOMEM or
 * -EFAULT.
 */
struct sk_buff *vnic_frame_vector(struct net_device *dev,
				  struct iov_iter *from, size_t len)
{
	size_t linear = iov_iter_single_seg_count(from);
	unsigned long pieces = from->nr_segs;
	struct sk_buff *skb;
	unsigned long i;
	int err;

	if (iter_is_ubuf(from))
		pieces = 1;
	if (pieces > MAX_SKB_FRAGS + 1 ||
	    len > ETH_MAX_MTU - NET_SKB_PAD - NET_IP_ALIGN)
		return ERR_PTR(-EMSGSIZE);
	skb = __netdev_alloc_skb_ip_align(dev, linear, GFP_KERNEL);
	if (!skb)
		return ERR_PTR(-ENOMEM);
	skb_put(skb, linear);

	for (i = 1; i < pieces; i++) {
		size_t size = vnic_iter_iov(from)[i].iov_len;
		void *data;

		err = -EINVAL;
		if (!size || size > PAGE_SIZE)
			goto free;
		err = -ENOMEM;
		data = netdev_alloc_frag(size);
		if (!data)
			goto free;
		skb_add_rx_frag(skb, i - 1, virt_to_head_page(data),
				data - page_address(virt_to_head_page(data)),
				size, size);
	}
	err = -EFAULT;
	if (skb->len != len || skb_copy_datagram_from_iter(skb, 0, from, len))
		goto free;
	return skb;

free:
	kfree_skb(skb);
	return ERR_PTR(err);
}
