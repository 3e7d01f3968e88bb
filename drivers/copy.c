// SPDX-License-Identifier: GPL-2.0
/*
 * copy - the packets that are not copied in line: see copy.h
 *
 * What copy_from_user(), copy_to_user() and the iterators of lib/iov_iter.c do with
 * a program's memory, all of it but hardened usercopy.
 */
#include <linux/fault-inject-usercopy.h>
#include <linux/instrumented.h>
#include <linux/nospec.h>

#include "copy.h"

static bool vnic_copy_in(void *to, const void __user *from, size_t len)
{
	size_t left;

	might_fault();
	if (should_fail_usercopy() || !access_ok(from, len))
		return false;
	/* What is copied past a wrong guess of that must not be used meanwhile. */
	barrier_nospec();
	instrument_copy_from_user_before(to, from, len);
	left = raw_copy_from_user(to, from, len);
	instrument_copy_from_user_after(to, from, len, left);
	return !left;
}

static bool vnic_copy_out(void __user *to, const void *from, size_t len)
{
	might_fault();
	if (should_fail_usercopy() || !access_ok(to, len))
		return false;
	instrument_copy_to_user(to, from, len);
	return !raw_copy_to_user(to, from, len);
}

/**
 * vnic_copy_large_from_user() - fill a packet
 * @skb: the packet
 * @from: as many bytes of the program's
 *
 * Context: process; any if page faults are disabled.
 * Return: false for a fault.
 */
bool vnic_copy_large_from_user(struct sk_buff *skb, const void __user *from)
{
	if (!vnic_copy_is_within(skb))
		return !copy_from_user(skb->data, from, skb->len);
	return vnic_copy_in(skb->data, from, skb->len);
}

/**
 * vnic_copy_large_to_user() - all of a packet that has no fragments
 * @to: room for as many bytes
 * @skb: the packet
 *
 * Context: process.
 * Return: false for a fault.
 */
bool vnic_copy_large_to_user(void __user *to, const struct sk_buff *skb)
{
	if (!vnic_copy_is_within(skb))
		return !copy_to_user(to, skb->data, skb->len);
	return vnic_copy_out(to, skb->data, skb->len);
}

/* The next @len bytes of @user, or if that is NULL of @iter, to @to. */
static bool vnic_copy_piece_in(void *to, const void __user *user,
			       struct iov_iter *iter, size_t len, bool within)
{
	if (likely(user && within))
		return vnic_copy_in(to, user, len);
	return user ? !copy_from_user(to, user, len) :
		      copy_from_iter_full(to, len, iter);
}

/**
 * vnic_copy_pieces_from() - fill a packet of several pieces
 * @skb: the packet: its head, and fragments, each in one page of any order that is
 *	always mapped
 * @from: the last of it is what @skb gets, so that it need not be moved on
 *
 * Context: process.
 * Return: false for a fault.
 */
bool vnic_copy_pieces_from(struct sk_buff *skb, struct iov_iter *from)
{
	const void __user *user = vnic_copy_piece(from, skb->len);
	const struct skb_shared_info *shinfo = skb_shinfo(skb);
	unsigned int i, len = skb_headlen(skb);
	const skb_frag_t *frag;
	bool within;

	within = skb->data >= skb->head &&
		 skb->data + len <= skb_end_pointer(skb);
	if (!vnic_copy_piece_in(skb->data, user, from, len, within))
		return false;
	for (i = 0; i < shinfo->nr_frags; i++) {
		user = user ? user + len : NULL;
		frag = &shinfo->frags[i];
		len = skb_frag_size(frag);
		within = skb_frag_off(frag) + len <=
			 page_size(skb_frag_page(frag));
		if (!vnic_copy_piece_in(skb_frag_address(frag), user, from,
					len, within))
			return false;
	}
	return true;
}
