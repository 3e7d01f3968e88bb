// SPDX-License-Identifier: GPL-2.0
/*
 * batchsend - VNIC_IOC_SEND: many packets of a program's for one system call
 *
 *	entries --> vnic_quick_build() or vnic_send_build() --> list --> stack
 *
 * <uapi/linux/vnic.h> says what a program is promised.
 */
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include "vnic.h"

/*
 * Entries for whose time a device is held: however slowly user memory comes, it
 * can be deleted between two lots of them.
 */
#define VNIC_BATCHSEND_CHUNK	VNIC_LIST_MAX

/**
 * struct vnic_batchsend_state - how far a call has come
 * @queue: the queue
 * @port: its device, held while VNIC_BATCHSEND_CHUNK entries are dealt with
 * @user: the array
 * @count: its entries
 * @done: how many have been dealt with
 * @min: how many to wait for; 0 for a call that may not sleep
 * @list: packets that the stack does not have yet; its lock is not used
 */
struct vnic_batchsend_state {
	struct vnic_queue		*queue;
	struct vnic_port		*port;
	struct vnic_packet __user	*user;
	unsigned int			count;
	unsigned int			done;
	unsigned int			min;
	struct sk_buff_head		list;
};

/*
 * An entry, between user_access_begin() and _end(). Not a loop, which would take
 * twice as many instructions. Returns false for a fault.
 */
static __always_inline bool
vnic_batchsend_copy(struct vnic_packet *packet,
		    const struct vnic_packet __user *user)
{
	const u64 __user *from = (const void __user *)user;
	u64 *to = (u64 *)packet;

	unsafe_get_user(to[0], &from[0], fault);
	unsafe_get_user(to[1], &from[1], fault);
	unsafe_get_user(to[2], &from[2], fault);
	unsafe_get_user(to[3], &from[3], fault);
	unsafe_get_user(to[4], &from[4], fault);
	unsafe_get_user(to[5], &from[5], fault);
	return true;

fault:
	return false;
}

/* An entry, read once. Returns false for a fault. */
static bool vnic_batchsend_read(struct vnic_packet *packet,
				const struct vnic_packet __user *user)
{
	bool read;

	if (!user_read_access_begin(user, sizeof(*user)))
		return false;
	read = vnic_batchsend_copy(packet, user);
	user_read_access_end();
	return read;
}

static void vnic_batchsend_flush(struct vnic_batchsend_state *state)
{
	if (!skb_queue_empty(&state->list))
		vnic_send_list(state->port, state->queue, &state->list);
}

/*
 * Fields without a meaning have to be 0, so that they can get one. Inline, as the
 * other two: no function may be called between user_access_begin() and _end().
 */
static __always_inline bool
vnic_batchsend_valid(const struct vnic_packet *packet)
{
	return !(packet->flags | packet->reserved) &&
	       vnic_vnet_is_reserved_zero(&packet->vnet);
}

/* Is it the packet's own fault, or does the call end before its entry? */
static int vnic_batchsend_failed(struct vnic_packet *packet, int err)
{
	if (vnic_send_ends_call(err))
		return err;
	packet->result = err == -ENOBUFS ? -ENOMEM : err;
	return 0;
}

/* Returns 0 with the entry's result, or why the call ends before it. */
static int vnic_batchsend_one(struct vnic_batchsend_state *state,
			      struct vnic_packet *packet)
{
	struct vnic_port *port = state->port;
	struct vnic_offload offload;
	struct iov_iter from;
	struct sk_buff *skb;

	if (!vnic_batchsend_valid(packet))
		return -EINVAL;
	packet->result = -EIO;
	if (!(port->dev->flags & IFF_UP)) {
		vnic_lose(port, READ_ONCE(state->queue->index), NULL,
			  VNIC_RX_DOWN);
		return 0;
	}
	vnic_vnet_decode(&packet->vnet, &offload);
	iov_iter_ubuf(&from, WRITE, u64_to_user_ptr(packet->addr), packet->len);
	skb = vnic_send_build(port, state->queue, &from, &offload,
			      packet->proto ? &packet->proto : NULL,
			      state->done >= state->min);
	if (IS_ERR(skb))
		return vnic_batchsend_failed(packet, PTR_ERR(skb));
	packet->result = 0;
	if (!skb)
		return 0;
	if (vnic_send_alone(port, state->queue)) {
		vnic_batchsend_flush(state);
		packet->result = vnic_send_one(port, state->queue, skb);
		return 0;
	}
	__skb_queue_tail(&state->list, skb);
	if (skb_queue_len(&state->list) >= READ_ONCE(port->rx_frames))
		vnic_batchsend_flush(state);
	return 0;
}

/*
 * An entry that may go the short way, and already that it has: if it does not, its
 * result is written once more. Returns false for a fault, or an entry that may not.
 */
static __always_inline bool
vnic_batchsend_read_quick(struct vnic_packet *packet,
			  struct vnic_packet __user *user)
{
	bool quick = false;

	if (!user_access_begin(user, sizeof(*user)))
		return false;
	if (!vnic_batchsend_copy(packet, user) ||
	    !vnic_batchsend_valid(packet) || !vnic_vnet_is_zero(&packet->vnet))
		goto end;
	unsafe_put_user(0, &user->result, end);
	quick = true;
end:
	user_access_end();
	return quick;
}

/* As many of the next entries as go the short way. */
static void vnic_batchsend_quick(struct vnic_batchsend_state *state,
				 unsigned int end)
{
	struct vnic_packet __user *user = state->user + state->done;
	struct vnic_packet packet __uninitialized;
	struct vnic_quick quick __uninitialized;

	end = min(end, state->done + READ_ONCE(state->port->rx_frames));
	if (!vnic_quick_begin(state->port, state->queue, &quick))
		return;
	for (; state->done < end; state->done++, user++)
		if (!vnic_batchsend_read_quick(&packet, user) ||
		    !vnic_quick_build(&quick, u64_to_user_ptr(packet.addr), NULL,
				      packet.len, packet.proto))
			break;
	vnic_quick_end(&quick);
}

/* Returns 0 to go on, or why the call ends. */
static int vnic_batchsend_chunk(struct vnic_batchsend_state *state)
{
	unsigned int end = min(state->count, state->done + VNIC_BATCHSEND_CHUNK);
	struct vnic_packet __user *user;
	struct vnic_packet packet;
	int err;

	vnic_batchsend_quick(state, end);
	for (; state->done < end; state->done++) {
		user = state->user + state->done;
		if (!vnic_batchsend_read(&packet, user))
			return -EFAULT;
		err = vnic_batchsend_one(state, &packet);
		if (err)
			return err;
		if (put_user(packet.result, &user->result))
			return -EFAULT;
	}
	return 0;
}

static int vnic_batchsend_all(struct vnic_batchsend_state *state)
{
	int err;

	while (state->done < state->count) {
		state->port = vnic_port_get(state->queue);
		if (!state->port)
			return -EBADFD;
		err = vnic_batchsend_chunk(state);
		vnic_batchsend_flush(state);
		vnic_port_put(state->port);
		if (err || state->done == state->count)
			return err;
		cond_resched();
		if (signal_pending(current))
			return -ERESTARTSYS;
	}
	return 0;
}

/**
 * vnic_batchsend() - VNIC_IOC_SEND
 * @queue: the queue
 * @batch: the argument, a copy, and as it should be; its min is 0 for a call that
 *	may not sleep
 *
 * Context: process.
 * Return: as vnic_batch().
 */
int vnic_batchsend(struct vnic_queue *queue, const struct vnic_batch *batch)
{
	struct vnic_batchsend_state state = {
		.queue	= queue,
		.user	= u64_to_user_ptr(batch->packets),
		.count	= batch->count,
		.min	= batch->min,
	};
	int err;

	__skb_queue_head_init(&state.list);
	err = vnic_batchsend_all(&state);
	return state.done ?: err;
}
