// SPDX-License-Identifier: GPL-2.0
/*
 * copy - the packets that are not copied in line: see copy.h
 *
 * The functions of iov_iter whose names begin with an underscore are those that
 * do not ask hardened usercopy, for who has looked himself (drivers/nvdimm/pmem.c
 * is another).
 */
#include "copy.h"

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
	struct iov_iter iter;

	if (!vnic_copy_is_within(skb))
		return !copy_from_user(skb->data, from, skb->len);
	iov_iter_ubuf(&iter, WRITE, (void __user *)from, skb->len);
	return _copy_from_iter(skb->data, skb->len, &iter) == skb->len;
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
	struct iov_iter iter;

	if (!vnic_copy_is_within(skb))
		return !copy_to_user(to, skb->data, skb->len);
	iov_iter_ubuf(&iter, READ, to, skb->len);
	return _copy_to_iter(skb->data, skb->len, &iter) == skb->len;
}
