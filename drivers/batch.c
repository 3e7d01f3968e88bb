// SPDX-License-Identifier: GPL-2.0
/*
 * batch - VNIC_IOC_SEND and VNIC_IOC_RECV: many packets for one system call
 *
 *	entries --> vnic_send_build() --> list --> vnic_send_list()
 *	entries <-- vnic_recv_packet() <-- vnic_queue_consume()
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
#define VNIC_BATCH_CHUNK	VNIC_LIST_MAX

/*
 * Packets that are taken out of the ring at a time. Their entries lie in two
 * pages of the program's, never in three.
 */
#define VNIC_BATCH_TAKE		16

/**
 * struct vnic_batch_state - how far a call has come
 * @queue: the queue
 * @port: its device, held while VNIC_BATCH_CHUNK entries are dealt with
 * @user: the array
 * @count: its entries
 * @done: how many have been dealt with
 * @min: how many to wait for; 0 for a call that may not sleep
 * @list: VNIC_IOC_SEND: packets that the stack does not have yet; its lock is
 *	not used
 * @empty: VNIC_IOC_RECV: the ring had fewer packets than there were entries for
 */
struct vnic_batch_state {
	struct vnic_queue		*queue;
	struct vnic_port		*port;
	struct vnic_packet __user	*user;
	unsigned int			count;
	unsigned int			done;
	unsigned int			min;
	bool				empty;
	struct sk_buff_head		list;
};

/**
 * struct vnic_batch_room - what an entry of VNIC_IOC_RECV says
 * @addr: of the buffer
 * @len: its bytes
 */
struct vnic_batch_room {
	u64	addr;
	u32	len;
};

/* What an entry is made of. */
#define VNIC_BATCH_WORDS	(sizeof(struct vnic_packet) / sizeof(long))

/* An entry, read once and in whole words. Returns false for a fault. */
static bool vnic_batch_read(struct vnic_packet *packet,
			    const struct vnic_packet __user *user)
{
	const unsigned long __user *from = (const void __user *)user;
	unsigned long *to = (unsigned long *)packet;
	unsigned int i;

	if (!user_read_access_begin(user, sizeof(*user)))
		return false;
	for (i = 0; i < VNIC_BATCH_WORDS; i++)
		unsafe_get_user(to[i], &from[i], fault);
	user_read_access_end();
	return true;

fault:
	user_read_access_end();
	return false;
}

static void vnic_batch_flush(struct vnic_batch_state *state)
{
	if (!skb_queue_empty(&state->list))
		vnic_send_list(state->port, state->queue, &state->list);
}

/* Fields without a meaning have to be 0, so that they can get one. */
static bool vnic_batch_send_valid(const struct vnic_packet *packet)
{
	return !(packet->flags | packet->reserved) &&
	       vnic_vnet_is_reserved_zero(&packet->vnet);
}

/* Is it the packet's own fault, or does the call end before its entry? */
static int vnic_batch_send_failed(struct vnic_packet *packet, int err)
{
	if (vnic_send_ends_call(err))
		return err;
	packet->result = err == -ENOBUFS ? -ENOMEM : err;
	return 0;
}

/* Returns 0 with the entry's result, or why the call ends before it. */
static int vnic_batch_send_one(struct vnic_batch_state *state,
			       struct vnic_packet *packet)
{
	struct vnic_port *port = state->port;
	struct vnic_offload offload;
	struct iov_iter from;
	struct sk_buff *skb;

	if (!vnic_batch_send_valid(packet))
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
		return vnic_batch_send_failed(packet, PTR_ERR(skb));
	packet->result = 0;
	if (!skb)
		return 0;
	if (vnic_send_alone(port, state->queue)) {
		vnic_batch_flush(state);
		packet->result = vnic_send_one(port, state->queue, skb);
		return 0;
	}
	__skb_queue_tail(&state->list, skb);
	if (skb_queue_len(&state->list) >= READ_ONCE(port->rx_frames))
		vnic_batch_flush(state);
	return 0;
}

/*
 * As many of the next entries as go the short way. Returns -EFAULT if the result
 * of one that has gone could not be written.
 */
static int vnic_batch_send_quick(struct vnic_batch_state *state,
				 unsigned int end)
{
	struct vnic_packet __user *user = state->user + state->done;
	struct vnic_packet packet;
	struct vnic_quick quick;
	bool written = true;

	end = min(end, state->done + READ_ONCE(state->port->rx_frames));
	if (!vnic_quick_begin(state->port, state->queue, &quick))
		return 0;
	for (; state->done < end; state->done++, user++) {
		if (!vnic_batch_read(&packet, user) ||
		    !vnic_batch_send_valid(&packet) ||
		    !vnic_vnet_is_zero(&packet.vnet) ||
		    !vnic_quick_build(&quick, u64_to_user_ptr(packet.addr), NULL,
				      packet.len, packet.proto))
			break;
		written = !put_user(0, &user->result);
		if (unlikely(!written))
			break;
	}
	vnic_quick_end(&quick);
	if (likely(written))
		return 0;
	/* Now with what it takes to have the page there. */
	if (put_user(0, &user->result))
		return -EFAULT;
	state->done++;
	return 0;
}

/* Returns 0 to go on, or why the call ends. */
static int vnic_batch_send_chunk(struct vnic_batch_state *state)
{
	unsigned int end = min(state->count, state->done + VNIC_BATCH_CHUNK);
	struct vnic_packet __user *user;
	struct vnic_packet packet;
	int err;

	err = vnic_batch_send_quick(state, end);
	if (err)
		return err;
	for (; state->done < end; state->done++) {
		user = state->user + state->done;
		if (!vnic_batch_read(&packet, user))
			return -EFAULT;
		err = vnic_batch_send_one(state, &packet);
		if (err)
			return err;
		if (put_user(packet.result, &user->result))
			return -EFAULT;
	}
	return 0;
}

static int vnic_batch_send(struct vnic_batch_state *state)
{
	int err = 0;

	while (!err && state->done < state->count) {
		state->port = vnic_port_get(state->queue);
		if (!state->port)
			return -EBADFD;
		err = vnic_batch_send_chunk(state);
		vnic_batch_flush(state);
		vnic_port_put(state->port);
		if (!err && signal_pending(current))
			err = -ERESTARTSYS;
		cond_resched();
	}
	return err;
}

/*
 * What the next @n entries say. Returns how many of them can be read and are as
 * they should be, or less than 0 if it is none.
 */
static int vnic_batch_read_room(struct vnic_batch_state *state,
				struct vnic_batch_room *room, int n)
{
	const struct vnic_packet __user *user = state->user + state->done;
	int i = 0, err = -EFAULT;
	u32 reserved;

	if (!user_read_access_begin(user, n * sizeof(*user)))
		return -EFAULT;
	for (; i < n; i++, user++) {
		unsafe_get_user(room[i].addr, &user->addr, end);
		unsafe_get_user(room[i].len, &user->len, end);
		unsafe_get_user(reserved, &user->reserved, end);
		if (reserved) {
			err = -EINVAL;
			break;
		}
	}
end:
	user_read_access_end();
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

	n = vnic_batch_read_room(state, room, n);
	if (n < 0)
		return n;
	/* Down to none: another thread may be unmapping it meanwhile. */
	while (n && !vnic_batch_writable(user + n - 1))
		n--;
	if (!n || (n > 1 && !vnic_batch_writable(user)))
		return -EFAULT;
	return n;
}

static bool vnic_batch_write(struct vnic_packet __user *user,
			     const struct vnic_packet *packet)
{
	const unsigned long *from = (const unsigned long *)packet;
	unsigned long __user *to = (void __user *)user;
	unsigned int i;

	if (!user_write_access_begin(user, sizeof(*user)))
		return false;
	for (i = 0; i < VNIC_BATCH_WORDS; i++)
		unsafe_put_user(from[i], &to[i], fault);
	user_write_access_end();
	return true;

fault:
	user_write_access_end();
	return false;
}

/* Hand out what was in the ring. Returns 0 or -EFAULT. */
static int vnic_batch_recv_take(struct vnic_batch_state *state,
				const struct vnic_batch_room *room,
				void **ptrs, int n)
{
	struct vnic_packet packet = { };
	int i, err = 0, given = 0;

	for (i = 0; i < n; i++) {
		if (unlikely(err)) {
			/* Somebody has unmapped the array meanwhile. */
			vnic_recv_lose(state->port, state->queue, ptrs[i],
				       VNIC_TX_FAULT);
			continue;
		}
		packet.addr = room[i].addr;
		packet.len = room[i].len;
		/* Those that were given are freed together. */
		if (!vnic_recv_packet(state->port, state->queue, ptrs[i],
				      &packet))
			ptrs[given++] = ptrs[i];
		if (vnic_batch_write(state->user + state->done, &packet))
			state->done++;
		else
			err = -EFAULT;
	}
	if (given)
		vnic_recv_done(state->port, state->queue, ptrs, given);
	return err;
}

/* One look into the ring. Returns how many packets there were, or less. */
static int vnic_batch_recv_some(struct vnic_batch_state *state)
{
	/* Not cleared for each call: only what was written is looked at. */
	struct vnic_batch_room room[VNIC_BATCH_TAKE] __uninitialized;
	void *ptrs[VNIC_BATCH_TAKE] __uninitialized;
	int n, max, err;

	state->port = vnic_port_get(state->queue);
	if (!state->port)
		return -EBADFD;
	/* No more entries are read than there are packets for. */
	max = min_t(int, state->count - state->done, VNIC_BATCH_TAKE);
	n = vnic_queue_count(state->queue, max);
	state->empty = n < max;
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

/* Sleep until there is something. Returns 0 to look, or why the call ends. */
static int vnic_batch_recv_wait(struct vnic_batch_state *state)
{
	int ret = vnic_batch_check(state->user + state->done);

	if (ret)
		return ret;
	ret = vnic_queue_wait(state->queue, false);
	return ret == -EFAULT ? -EBADFD : ret;
}

static int vnic_batch_recv(struct vnic_batch_state *state)
{
	int ret;

	while (state->done < state->count) {
		/* Who will sleep anyway need not ask for the device first. */
		if (state->done < state->min &&
		    vnic_queue_is_empty(state->queue)) {
			ret = vnic_batch_recv_wait(state);
			if (ret)
				return ret;
		}
		ret = vnic_batch_recv_some(state);
		if (ret < 0)
			return ret;
		cond_resched();
		if (state->empty && state->done >= state->min)
			return -EAGAIN;
		if (signal_pending(current))
			return -ERESTARTSYS;
	}
	return 0;
}

/**
 * vnic_batch() - VNIC_IOC_SEND and VNIC_IOC_RECV
 * @queue: the queue
 * @cmd: which of the two
 * @batch: the argument, a copy
 * @noblock: the file is O_NONBLOCK
 *
 * Context: process.
 * Return: how many entries were dealt with, or if it was none: 0 for an empty
 * array, -EINVAL, -EFAULT, -EAGAIN, -ERESTARTSYS, -EBADFD.
 */
int vnic_batch(struct vnic_queue *queue, unsigned int cmd,
	       const struct vnic_batch *batch, bool noblock)
{
	struct vnic_batch_state state = {
		.queue	= queue,
		.user	= u64_to_user_ptr(batch->packets),
		.count	= batch->count,
		.min	= noblock ? 0 : batch->min,
	};
	int err;

	__skb_queue_head_init(&state.list);

	if (batch->flags || batch->reserved[0] || batch->reserved[1] ||
	    batch->reserved[2] || batch->count > VNIC_BATCH_MAX ||
	    batch->min > batch->count)
		return -EINVAL;
	if (!rcu_access_pointer(queue->port))
		return -EBADFD;
	if (cmd == VNIC_IOC_RECV && vnic_shared_has_recv(queue))
		return -EINVAL;
	if (cmd == VNIC_IOC_SEND)
		err = vnic_batch_send(&state);
	else
		err = vnic_batch_recv(&state);
	return state.done ?: err;
}
