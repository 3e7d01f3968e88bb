/* SPDX-License-Identifier: GPL-2.0 */
/*
 * copy - all bytes of a packet, from and to a program's memory
 *
 *	program --> vnic_copy_from(), vnic_copy_from_user() --> skb
 *	program --> vnic_copy_pieces_from() --> skb with fragments
 *	program <-- vnic_copy_to(), vnic_copy_to_user() <------ skb
 *
 * Hardened usercopy (copy_from_user() and its like) finds out of what object the
 * kernel's bytes are, and whether they are all of it: 150 instructions, a tenth of
 * what a packet in a batch takes. Here that is known, as an skb says where its
 * memory begins and ends (a page, of what order it is), and what is asked is more:
 * behind the data of an skb its shared info is still of the same object. An skb of
 * which it is not true goes to copy_from_user() and copy_to_user(), whose answer it
 * gets. Only of a short one that is to be filled it is not asked: it has just been
 * made for so many bytes.
 */
#ifndef VNIC_COPY_H
#define VNIC_COPY_H

#include <linux/skbuff.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include "compat.h"

/*
 * Bytes up to which a copy in line, eight at a time, is less than a call and the
 * start of a string instruction.
 */
#define VNIC_COPY_SMALL_MIN	sizeof(u64)
#define VNIC_COPY_SMALL_MAX	128

static inline bool vnic_copy_is_small(unsigned int len)
{
	return IS_ENABLED(CONFIG_64BIT) &&
	       IS_ENABLED(CONFIG_HAVE_EFFICIENT_UNALIGNED_ACCESS) &&
	       len >= VNIC_COPY_SMALL_MIN && len <= VNIC_COPY_SMALL_MAX;
}

/* Are all bytes of @skb, which has no fragments, in its memory? */
static inline bool vnic_copy_is_within(const struct sk_buff *skb)
{
	return likely(skb->data >= skb->head &&
		      skb->data + skb->len <= skb_end_pointer(skb));
}

/*
 * The last eight may be some of those before: of a program that changes them
 * meanwhile they are what they were last. Returns false for a fault.
 */
static __always_inline bool
vnic_copy_small_from(void *to, const void __user *from, unsigned int len)
{
	const void __user *last = from + len - sizeof(u64);
	const u64 __user *in = from;
	u64 *out = to, word;

	if (!user_read_access_begin(from, len))
		return false;
	for (; (const void __user *)(in + 1) < last; in += 2, out += 2) {
		unsafe_get_user(out[0], &in[0], fault);
		unsafe_get_user(out[1], &in[1], fault);
	}
	if ((const void __user *)in < last)
		unsafe_get_user(out[0], &in[0], fault);
	unsafe_get_user(word, (const u64 __user *)last, fault);
	*(u64 *)(to + len - sizeof(word)) = word;
	user_read_access_end();
	return true;

fault:
	user_read_access_end();
	return false;
}

static __always_inline bool
vnic_copy_small_to(void __user *to, const void *from, unsigned int len)
{
	const void *last = from + len - sizeof(u64);
	u64 __user *out = to;
	const u64 *in = from;

	if (!user_write_access_begin(to, len))
		return false;
	for (; (const void *)(in + 1) < last; in += 2, out += 2) {
		unsafe_put_user(in[0], &out[0], fault);
		unsafe_put_user(in[1], &out[1], fault);
	}
	if ((const void *)in < last)
		unsafe_put_user(in[0], &out[0], fault);
	unsafe_put_user(*(const u64 *)last,
			(u64 __user *)(to + len - sizeof(u64)), fault);
	user_write_access_end();
	return true;

fault:
	user_write_access_end();
	return false;
}

bool vnic_copy_large_from_user(struct sk_buff *skb, const void __user *from);
bool vnic_copy_large_to_user(void __user *to, const struct sk_buff *skb);
bool vnic_copy_pieces_from(struct sk_buff *skb, struct iov_iter *from);

/**
 * vnic_copy_from_user() - fill a packet
 * @skb: the packet, new: what it has room for was found out by its length
 * @from: as many bytes of the program's
 * @len: how many these are
 *
 * Context: process; any if page faults are disabled.
 * Return: false for a fault.
 */
static __always_inline bool vnic_copy_from_user(struct sk_buff *skb,
						const void __user *from,
						unsigned int len)
{
	if (vnic_copy_is_small(len))
		return vnic_copy_small_from(skb->data, from, len);
	return vnic_copy_large_from_user(skb, from);
}

/**
 * vnic_copy_to_user() - all of a packet that has no fragments
 * @to: room for as many bytes
 * @skb: the packet
 *
 * Context: process.
 * Return: false for a fault.
 */
static __always_inline bool vnic_copy_to_user(void __user *to,
					      const struct sk_buff *skb)
{
	if (vnic_copy_is_small(skb->len) && vnic_copy_is_within(skb))
		return vnic_copy_small_to(to, skb->data, skb->len);
	return vnic_copy_large_to_user(to, skb);
}

/* The program's memory in which the next @len bytes of @iter lie together, or NULL. */
static inline void __user *vnic_copy_piece(const struct iov_iter *iter,
					   unsigned int len)
{
	if (likely(iter_is_ubuf(iter)))
		return iter->ubuf + iter->iov_offset;
	/* Of io_uring's, and of sendmsg() and its like */
	if (iter_is_iovec(iter) && iov_iter_single_seg_count(iter) >= len)
		return vnic_iter_iov(iter)->iov_base + iter->iov_offset;
	return NULL;
}

/**
 * vnic_copy_from() - vnic_copy_from_user() for write()
 * @skb: the packet
 * @from: the last of it is what @skb gets, so that it need not be moved on
 *
 * Context: process.
 * Return: false for a fault.
 */
static inline bool vnic_copy_from(struct sk_buff *skb, struct iov_iter *from)
{
	const void __user *piece = vnic_copy_piece(from, skb->len);

	if (likely(piece))
		return vnic_copy_from_user(skb, piece, skb->len);
	return copy_from_iter_full(skb->data, skb->len, from);
}

/**
 * vnic_copy_to() - vnic_copy_to_user() for read()
 * @skb: the packet
 * @to: has room for it, and need not be moved on
 *
 * Context: process.
 * Return: false for a fault.
 */
static inline bool vnic_copy_to(const struct sk_buff *skb, struct iov_iter *to)
{
	void __user *piece = vnic_copy_piece(to, skb->len);

	if (likely(piece))
		return vnic_copy_to_user(piece, skb);
	return copy_to_iter(skb->data, skb->len, to) == skb->len;
}

#endif
