// SPDX-License-Identifier: GPL-2.0
/*
 * frame - from a program's memory into an skb
 *
 *	small	fits into a page: one copy, and the skb is built around it
 *	large	a short head, and large pages behind it
 *	charged	a send buffer limits the program (TUNSETSNDBUF): pages charged
 *		to it, for which it may have to sleep
 *	vector	IFF_NAPI_FRAGS: one fragment for each piece that the program
 *		has given
 *	page	what XDP shall see before it is an skb: the task's own page
 *
 * and from one skb into another whose pages nobody else has.
 *
 * Small and large ones are in pages of a pool, one for each CPU, which need
 * neither be allocated nor cleared anew. The CPU must not change between memory
 * and skb, the program's memory may have to be waited for: so both are made
 * before the copy.
 */
#include <linux/etherdevice.h>
#include <linux/skbuff.h>
#include <linux/uio.h>
#include <net/sock.h>

#include "copy.h"
#include "vnic.h"

/* Pages of a pool are of this order: a 64 KB frame is in two of them. */
#define VNIC_POOL_ORDER		3
#define VNIC_POOL_PIECE		((size_t)PAGE_SIZE << VNIC_POOL_ORDER)
/* Pages that come back and are kept, beside those that the pool has in hand. */
#define VNIC_POOL_SIZE		32

/* How much of a large frame is linear: room for every header. */
#define VNIC_FRAME_LINEAR	256

/**
 * vnic_frame_page() - copy a frame into the task's own page
 * @from: the frame, one that vnic_frame_is_small()
 * @len: its bytes, all of @from
 * @room: bytes to leave in front of it
 * @size: bytes that were taken, for build_skb(); written here
 *
 * The page is the task's; who lets the frame outlive the call takes a
 * reference to it.
 *
 * Context: process.
 * Return: where the room begins, or ERR_PTR(-ENOMEM) or (-EFAULT).
 */
void *vnic_frame_page(struct iov_iter *from, size_t len, size_t room,
		      size_t *size)
{
	struct page_frag *frag = &current->task_frag;
	void *buf;

	*size = SKB_DATA_ALIGN(room + len) +
		SKB_DATA_ALIGN(sizeof(struct skb_shared_info));
	frag->offset = ALIGN(frag->offset, SMP_CACHE_BYTES);
	if (!skb_page_frag_refill(*size, frag, GFP_KERNEL))
		return ERR_PTR(-ENOMEM);
	buf = page_address(frag->page) + frag->offset;
	if (!copy_from_iter_full(buf + room, len, from))
		return ERR_PTR(-EFAULT);
	frag->offset += *size;
	return buf;
}

/*
 * The module's, not the queue's: a pool can go only when its last page comes
 * back, which may lie in a socket for as long as somebody does not read.
 * Allocated from with bottom halves off; NULL if it could not be made.
 */
static DEFINE_PER_CPU(struct page_pool *, vnic_frame_pool);

/**
 * vnic_frame_init() - make the pools; without them it works, but slower
 *
 * Context: process.
 */
void vnic_frame_init(void)
{
	struct page_pool_params params = {
		.flags = PP_FLAG_PAGE_FRAG,
		.order = VNIC_POOL_ORDER,
		.pool_size = VNIC_POOL_SIZE,
		.nid = NUMA_NO_NODE,
	};
	struct page_pool *pool;
	int cpu;

	if (!IS_ENABLED(CONFIG_PAGE_POOL))
		return;
	for_each_possible_cpu(cpu) {
		pool = page_pool_create(&params);
		if (IS_ERR(pool))
			break;
		per_cpu(vnic_frame_pool, cpu) = pool;
	}
}

/**
 * vnic_frame_exit() - let go of the pools
 *
 * Pages that are still in packets go when those do.
 *
 * Context: process; nobody sends any more.
 */
void vnic_frame_exit(void)
{
	struct page_pool *pool;
	int cpu;

	if (!IS_ENABLED(CONFIG_PAGE_POOL))
		return;
	for_each_possible_cpu(cpu) {
		pool = per_cpu(vnic_frame_pool, cpu);
		if (pool)
			page_pool_destroy(pool);
		per_cpu(vnic_frame_pool, cpu) = NULL;
	}
}

/*
 * A piece of the pool's pages, or NULL. The next one may be the head of an skb,
 * so none leaves it at an odd place.
 */
static struct page *vnic_frame_pool_piece(struct page_pool *pool, size_t size,
					  unsigned int *offset)
{
	return page_pool_alloc_frag(pool, offset, SKB_DATA_ALIGN(size),
				    GFP_NOWAIT | __GFP_NOWARN);
}

/*
 * A piece of a page for a packet: of the pool, or without one of the CPU.
 * Context: bottom halves off.
 */
static inline void *vnic_frame_piece(struct page_pool *pool, size_t size)
{
	unsigned int offset;
	struct page *page;

	if (!pool)
		return napi_alloc_frag(size);
	page = vnic_frame_pool_piece(pool, size, &offset);
	return page ? page_address(page) + offset : NULL;
}

/**
 * vnic_frame_head() - an skb that is not written yet
 * @pool: of vnic_frame_this_pool()
 * @len: its bytes
 * @room: bytes to leave in front of them
 *
 * In one piece of the pool's pages, or without a pool of the CPU's.
 *
 * Context: bottom halves off, and so since vnic_frame_this_pool().
 * Return: the skb; NULL if it cannot be had without effort.
 */
struct sk_buff *vnic_frame_head(struct page_pool *pool, size_t len, size_t room)
{
	size_t size = SKB_DATA_ALIGN(room + len) +
		      SKB_DATA_ALIGN(sizeof(struct skb_shared_info));
	void *head = vnic_frame_piece(pool, size);
	struct sk_buff *skb;

	if (unlikely(!head))
		return NULL;
	skb = napi_build_skb(head, size);
	if (unlikely(!skb)) {
		if (pool)
			page_pool_put_full_page(pool, virt_to_head_page(head),
						false);
		else
			skb_free_frag(head);
		return NULL;
	}
	if (pool)
		skb_mark_for_recycle(skb);
	skb_reserve(skb, room);
	__skb_put(skb, len);
	return skb;
}

/**
 * vnic_frame_this_pool() - the pool of this CPU
 *
 * Context: bottom halves off.
 * Return: it, or NULL.
 */
struct page_pool *vnic_frame_this_pool(void)
{
	return IS_ENABLED(CONFIG_PAGE_POOL) ? this_cpu_read(vnic_frame_pool) :
					      NULL;
}

/* Without effort was not enough: now it may sleep for memory. */
static struct sk_buff *vnic_frame_patient(struct iov_iter *from, size_t len,
					  size_t room)
{
	struct sk_buff *skb;
	size_t size;
	void *buf;

	buf = vnic_frame_page(from, len, room, &size);
	if (IS_ERR(buf))
		return ERR_CAST(buf);
	skb = build_skb(buf, size);
	if (!skb)
		return ERR_PTR(-ENOMEM);
	get_page(virt_to_head_page(buf));
	skb_reserve(skb, room);
	skb_put(skb, len);
	return skb;
}

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
	struct sk_buff *skb;

	local_bh_disable();
	skb = vnic_frame_head(vnic_frame_this_pool(), len, room);
	local_bh_enable();
	if (unlikely(!skb))
		return vnic_frame_patient(from, len, room);
	if (likely(vnic_copy_from(skb, from)))
		return skb;
	kfree_skb_reason(skb, SKB_DROP_REASON_SKB_UCOPY_FAULT);
	return ERR_PTR(-EFAULT);
}

/* Copy what of @from does not fit into the head of @skb behind it. */
static bool vnic_frame_copy_rest(struct page_pool *pool, struct sk_buff *skb,
				 const struct sk_buff *from)
{
	size_t piece, done = skb->len;
	struct page *page;
	void *data;
	int i;

	for (i = 0; done < from->len; i++) {
		piece = min(from->len - done, pool ? VNIC_POOL_PIECE :
						     PAGE_SIZE);
		data = i < MAX_SKB_FRAGS ? vnic_frame_piece(pool, piece) : NULL;
		if (!data)
			return false;
		page = virt_to_head_page(data);
		skb_add_rx_frag(skb, i, page, data - page_address(page), piece,
				piece);
		if (skb_copy_bits(from, done, data, piece))
			return false;
		done += piece;
	}
	return true;
}

/**
 * vnic_frame_copy() - a packet again, in pages that are nobody else's
 * @skb: the packet, beginning with its Ethernet header
 *
 * With XDP_PACKET_HEADROOM in front, and as much of it as goes into a page in
 * one piece.
 *
 * Context: softirq, or bottom halves off.
 * Return: the copy, or NULL for want of memory.
 */
struct sk_buff *vnic_frame_copy(const struct sk_buff *skb)
{
	size_t len = min_t(size_t, skb->len, VNIC_FRAME_HEAD);
	struct page_pool *pool = vnic_frame_this_pool();
	struct sk_buff *copy;

	copy = vnic_frame_head(pool, len, XDP_PACKET_HEADROOM);
	if (!copy)
		return NULL;
	if (skb_copy_bits(skb, 0, copy->data, len) ||
	    !vnic_frame_copy_rest(pool, copy, skb)) {
		kfree_skb(copy);
		return NULL;
	}
	skb_copy_header(copy, skb);
	skb_headers_offset_update(copy, skb_headroom(copy) - skb_headroom(skb));
	return copy;
}

/* Hang @len bytes of a pool's pages on the skb. Returns false for want of it. */
static bool vnic_frame_add_pages(struct page_pool *pool, struct sk_buff *skb,
				 size_t len)
{
	unsigned int offset;
	struct page *page;
	size_t piece;
	int i;

	for (i = 0; len; i++) {
		piece = min(len, VNIC_POOL_PIECE);
		page = vnic_frame_pool_piece(pool, piece, &offset);
		if (!page)
			return false;
		skb_add_rx_frag(skb, i, page, offset, piece, piece);
		len -= piece;
	}
	return true;
}

/*
 * Not written yet; NULL if it cannot be had without effort. The head is not of
 * the pool: it would be alone in a page into which no large piece goes any more.
 */
static struct sk_buff *vnic_frame_pooled(size_t len, size_t room)
{
	size_t linear = min_t(size_t, len, VNIC_FRAME_LINEAR);
	struct sk_buff *skb = NULL;
	struct page_pool *pool;

	local_bh_disable();
	pool = vnic_frame_this_pool();
	if (pool)
		skb = vnic_frame_head(NULL, linear, room);
	if (skb) {
		skb_mark_for_recycle(skb);
		if (!vnic_frame_add_pages(pool, skb, len - linear)) {
			kfree_skb(skb);
			skb = NULL;
		}
	}
	local_bh_enable();
	return skb;
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
	bool filled;

	if (READ_ONCE(queue->sk.sk_sndbuf) == INT_MAX)
		skb = vnic_frame_pooled(len, room);
	if (skb) {
		filled = vnic_copy_pieces_from(skb, from);
	} else {
		skb = vnic_frame_charged(queue, len, room, noblock);
		if (IS_ERR(skb))
			return skb;
		filled = !skb_copy_datagram_from_iter(skb, 0, from, len);
	}
	if (filled)
		return skb;
	kfree_skb_reason(skb, SKB_DROP_REASON_SKB_UCOPY_FAULT);
	return ERR_PTR(-EFAULT);
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
