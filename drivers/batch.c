// SPDX-License-Identifier: GPL-2.0
/*
 * batch - VNIC_IOC_SEND and VNIC_IOC_RECV: many packets for one system call
 *
 *	entries --> vnic_batchsend()
 *	entries <-- vnic_batch_give() <-- vnic_queue_consume()
 *
 * <uapi/linux/vnic.h> says what a program is promised.
 */
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include "copy.h"
#include "trace.h"
#include "vnic.h"

/*
 * Packets that are taken out of the ring at a time. Their entries lie in two
 * pages of the program's, never in three.
 */
#define VNIC_BATCH_TAKE		16

/**
 * struct vnic_batch_state - how far VNIC_IOC_RECV has come
 * @queue: the queue
 * @port: its device, held while VNIC_BATCH_TAKE entries are dealt with
 * @user: the array
 * @count: its entries
 * @done: how many have been dealt with
 * @min: how many to wait for; 0 for a call that may not sleep
 * @ready: packets that were seen in the ring, VNIC_BATCH_TAKE at most; they may
 *	be somebody else's by now
 * @empty: the ring had fewer packets than there were entries for
 */
struct vnic_batch_state {
	struct vnic_queue		*queue;
	struct vnic_port		*port;
	struct vnic_packet __user	*user;
	unsigned int			count;
	unsigned int			done;
	unsigned int			min;
	unsigned int			ready;
	bool				empty;
};

/**
 * struct vnic_batch_room - what an entry says
 * @addr: of the buffer
 * @len: its bytes
 */
struct vnic_batch_room {
	u64	addr;
	u32	len;
};

/*
 * The call's argument, read once, and not in a loop, which would take twice as many
 * instructions. Returns false for a fault.
 */
static bool vnic_batch_read_call(struct vnic_batch *batch,
				 const struct vnic_batch __user *user)
{
	const u64 __user *from = (const void __user *)user;
	u64 *to = (u64 *)batch;

	BUILD_BUG_ON(sizeof(*batch) != 4 * sizeof(*to));
	if (!user_read_access_begin(user, sizeof(*user)))
		return false;
	unsafe_get_user(to[0], &from[0], fault);
	unsafe_get_user(to[1], &from[1], fault);
	unsafe_get_user(to[2], &from[2], fault);
	unsafe_get_user(to[3], &from[3], fault);
	user_read_access_end();
	return true;

fault:
	user_read_access_end();
	return false;
}

/*
 * What the next @n entries say. Returns how many of them can be read and are as
 * they should be, or less than 0 if it is none. @writable is set if both ends of
 * all of these could be written as well, and so, in two pages, all of it.
 */
static int vnic_batch_read_room(struct vnic_batch_state *state,
				struct vnic_batch_room *room, int n,
				bool *writable)
{
	struct vnic_packet __user *user = state->user + state->done;
	struct vnic_packet __user *last;
	int i = 0, err = -EFAULT;
	u32 reserved;
	__le16 tail;

	if (!user_access_begin(user, n * sizeof(*user)))
		return -EFAULT;
	for (; i < n; i++) {
		unsafe_get_user(room[i].addr, &user[i].addr, end);
		unsafe_get_user(room[i].len, &user[i].len, end);
		unsafe_get_user(reserved, &user[i].reserved, end);
		if (unlikely(reserved)) {
			err = -EINVAL;
			goto end;
		}
	}
	/* With what is there. */
	last = user + n - 1;
	unsafe_put_user(room[0].addr, &user->addr, end);
	unsafe_get_user(tail, &last->vnet.inner_nh_offset, end);
	unsafe_put_user(tail, &last->vnet.inner_nh_offset, end);
	*writable = true;
end:
	user_access_end();
	return i ?: err;
}

/* Write to both ends of an entry what is there. */
static bool vnic_batch_writable(struct vnic_packet __user *user)
{
	__le16 last;
	u64 first;

	return !get_user(first, &user->addr) && !put_user(first, &user->addr) &&
	       !get_user(last, &user->vnet.inner_nh_offset) &&
	       !put_user(last, &user->vnet.inner_nh_offset);
}

/* What is wrong with an entry is said at once, though it is not needed yet. */
static int vnic_batch_check(const struct vnic_packet __user *user)
{
	u32 reserved;

	if (get_user(reserved, &user->reserved))
		return -EFAULT;
	return reserved ? -EINVAL : 0;
}

/*
 * For how many of the next @n packets there are entries: looked at before a
 * packet is taken, which would be lost if its entry could not be written.
 * Returns less than 0 if it is none.
 */
static int vnic_batch_recv_room(struct vnic_batch_state *state,
				struct vnic_batch_room *room, int n)
{
	struct vnic_packet __user *user = state->user + state->done;
	bool writable = false;

	n = vnic_batch_read_room(state, room, n, &writable);
	if (n < 0 || likely(writable))
		return n;
	/* Down to none: another thread may be unmapping it meanwhile. */
	while (n && !vnic_batch_writable(user + n - 1))
		n--;
	if (!n || (n > 1 && !vnic_batch_writable(user)))
		return -EFAULT;
	return n;
}

/*
 * What most entries say: a packet that is all there, with nothing more to be known
 * of it. Its address stays as it is.
 */
static __always_inline bool
vnic_batch_write_plain(struct vnic_packet __user *user, u32 len, __be16 proto)
{
	u64 __user *vnet = (void __user *)&user->vnet;

	if (!user_write_access_begin(user, sizeof(*user)))
		return false;
	unsafe_put_user(len, &user->len, fault);
	unsafe_put_user(0, &user->result, fault);
	unsafe_put_user(0, &user->flags, fault);
	unsafe_put_user(proto, &user->proto, fault);
	unsafe_put_user(0, &user->reserved, fault);
	unsafe_put_user(0, &vnet[0], fault);
	unsafe_put_user(0, &vnet[1], fault);
	unsafe_put_user(0, &vnet[2], fault);
	user_write_access_end();
	return true;

fault:
	user_write_access_end();
	return false;
}

/*
 * Any packet, to where @room says. Returns true if the program has got it, which is
 * lost if not. @written is about its entry.
 */
static noinline bool vnic_batch_give(struct vnic_batch_state *state,
				     const struct vnic_batch_room *room,
				     void *ptr, unsigned int *bytes,
				     bool *written)
{
	struct vnic_packet packet = { .addr = room->addr, .len = room->len };
	bool given = !vnic_recv_packet(state->port, state->queue, ptr, &packet);

	if (given)
		*bytes += packet.len;
	*written = vnic_copy_small_to(state->user + state->done, &packet,
				      sizeof(packet));
	return given;
}

/* The same for what most are. */
static __always_inline bool
vnic_batch_give_plain(struct vnic_batch_state *state,
		      const struct vnic_batch_room *room, void *ptr,
		      unsigned int *bytes, bool *written)
{
	const struct sk_buff *skb = ptr;

	if (!vnic_recv_is_plain(ptr) || vnic_recv_has_offload(skb) ||
	    skb->len > room->len ||
	    !vnic_copy_to_user(u64_to_user_ptr(room->addr), skb))
		return vnic_batch_give(state, room, ptr, bytes, written);
	*bytes += skb->len;
	*written = vnic_batch_write_plain(state->user + state->done, skb->len,
					  vnic_port_is_tap(state->port) ?
					  0 : skb->protocol);
	return true;
}

/* Those that were given are freed together. */
static __always_inline void vnic_batch_given(struct vnic_batch_state *state,
					     void **ptrs, int n,
					     unsigned int bytes)
{
	unsigned int index = READ_ONCE(state->queue->index);
	int i;

	local_bh_disable();
	for (i = 0; i < n; i++) {
		vnic_trace(taken, state->port->dev, index, ptrs[i]);
		vnic_recv_free(ptrs[i]);
	}
	vnic_count_packets(state->port, index, VNIC_TX_PACKETS, n, bytes);
	local_bh_enable();
}

/* Hand out what was in the ring. Returns 0 or -EFAULT. */
static int vnic_batch_recv_take(struct vnic_batch_state *state,
				const struct vnic_batch_room *room,
				void **ptrs, int n)
{
	unsigned int bytes = 0;
	bool written = true;
	int i, given = 0;

	for (i = 0; i < n; i++) {
		if (unlikely(!written)) {
			/* Somebody has unmapped the array meanwhile. */
			vnic_recv_lose(state->port, state->queue, ptrs[i],
				       VNIC_TX_FAULT);
			continue;
		}
		if (vnic_batch_give_plain(state, &room[i], ptrs[i], &bytes,
					  &written))
			ptrs[given++] = ptrs[i];
		state->done += written;
	}
	if (given)
		vnic_batch_given(state, ptrs, given, bytes);
	return written ? 0 : -EFAULT;
}

/* What was seen in the ring. Returns how many packets there were, or less. */
static int vnic_batch_recv_some(struct vnic_batch_state *state)
{
	/* Not cleared for each call: only what was written is looked at. */
	struct vnic_batch_room room[VNIC_BATCH_TAKE] __uninitialized;
	void *ptrs[VNIC_BATCH_TAKE] __uninitialized;
	int n = state->ready;
	int max, err;

	state->port = vnic_port_get(state->queue);
	if (!state->port)
		return -EBADFD;
	/* No more entries are read than there are packets for. */
	n = n ? vnic_batch_recv_room(state, room, n) :
		vnic_batch_check(state->user + state->done);
	if (n > 0) {
		max = n;
		n = vnic_queue_consume(state->port, state->queue, ptrs, max);
		state->empty |= n < max;
		err = vnic_batch_recv_take(state, room, ptrs, n);
		n = err ?: n;
	}
	vnic_port_put(state->port);
	return n;
}

/* Sleep until there is something. Returns how much, or why the call ends. */
static int vnic_batch_recv_wait(struct vnic_batch_state *state,
				unsigned int max)
{
	int ret = vnic_batch_check(state->user + state->done);

	if (ret)
		return ret;
	ret = vnic_queue_wait(state->queue, max, false);
	return ret == -EFAULT ? -EBADFD : ret;
}

static int vnic_batch_recv_all(struct vnic_batch_state *state)
{
	unsigned int max;
	int ret;

	while (state->done < state->count) {
		max = min_t(unsigned int, state->count - state->done,
			    VNIC_BATCH_TAKE);
		/* Who will sleep anyway need not ask for the device first. */
		if (state->done < state->min &&
		    vnic_queue_is_empty(state->queue))
			ret = vnic_batch_recv_wait(state, max);
		else
			ret = vnic_queue_count(state->queue, max);
		if (ret < 0)
			return ret;
		state->ready = ret;
		state->empty = ret < max;
		ret = vnic_batch_recv_some(state);
		if (ret < 0)
			return ret;
		if (state->empty && state->done >= state->min)
			return -EAGAIN;
		cond_resched();
		if (signal_pending(current))
			return -ERESTARTSYS;
	}
	return 0;
}

static int vnic_batch_recv(struct vnic_queue *queue,
			   const struct vnic_batch *batch)
{
	struct vnic_batch_state state = {
		.queue	= queue,
		.user	= u64_to_user_ptr(batch->packets),
		.count	= batch->count,
		.min	= batch->min,
	};
	int err;

	if (vnic_shared_has_recv(queue))
		return -EINVAL;
	err = vnic_batch_recv_all(&state);
	return state.done ?: err;
}

/**
 * vnic_batch() - VNIC_IOC_SEND and VNIC_IOC_RECV
 * @queue: the queue
 * @cmd: which of the two
 * @user: the argument, a struct vnic_batch
 * @noblock: the file is O_NONBLOCK
 *
 * Context: process.
 * Return: how many entries were dealt with, or if it was none: 0 for an empty
 * array, -EINVAL, -EFAULT, -EAGAIN, -ERESTARTSYS, -EBADFD.
 */
int vnic_batch(struct vnic_queue *queue, unsigned int cmd,
	       const void __user *user, bool noblock)
{
	struct vnic_batch batch __uninitialized;

	if (!vnic_batch_read_call(&batch, user))
		return -EFAULT;
	if (batch.flags || batch.reserved[0] || batch.reserved[1] ||
	    batch.reserved[2] || batch.count > VNIC_BATCH_MAX ||
	    batch.min > batch.count)
		return -EINVAL;
	if (!rcu_access_pointer(queue->port))
		return -EBADFD;
	if (noblock)
		batch.min = 0;
	return cmd == VNIC_IOC_SEND ? vnic_batchsend(queue, &batch) :
				      vnic_batch_recv(queue, &batch);
}
