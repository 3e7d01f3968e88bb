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
 * Entries that are in the kernel at a time, and packets that the stack gets as
 * one list at most. So many lie in two pages of the program's, never three.
 */
#define VNIC_BATCH_CHUNK	VNIC_LIST_MAX

/**
 * struct vnic_batch_state - how far a call has come
 * @queue: the queue
 * @port: its device, held while a chunk is dealt with: however slowly user
 *	memory comes, a device can be deleted between two of them
 * @user: the array
 * @count: its entries
 * @done: how many have been dealt with
 * @min: how many to wait for; 0 for a call that may not sleep
 * @chunk: the next entries
 * @list: VNIC_IOC_SEND: packets that the stack does not have yet
 * @listed: how many they are
 */
struct vnic_batch_state {
	struct vnic_queue		*queue;
	struct vnic_port		*port;
	struct vnic_packet __user	*user;
	unsigned int			count;
	unsigned int			done;
	unsigned int			min;
	struct vnic_packet		chunk[VNIC_BATCH_CHUNK];
	struct list_head		list;
	unsigned int			listed;
};

/* Returns how many entries were read, or -EFAULT if it was none. */
static int vnic_batch_read(struct vnic_batch_state *state)
{
	unsigned int n = min_t(unsigned int, state->count - state->done,
			       VNIC_BATCH_CHUNK);
	size_t bytes = n * sizeof(*state->chunk), left;

	left = copy_from_user(state->chunk, state->user + state->done, bytes);
	n = (bytes - left) / sizeof(*state->chunk);
	return n ?: -EFAULT;
}

static void vnic_batch_flush(struct vnic_batch_state *state)
{
	vnic_send_list(state->port, state->queue, &state->list);
	state->listed = 0;
}

/* Fields without a meaning have to be 0, so that they can get one. */
static bool vnic_batch_send_valid(const struct vnic_packet *packet)
{
	const struct vnic_vnet *vnet = &packet->vnet;

	return !packet->flags && !packet->reserved && !vnet->num_buffers &&
	       !vnet->hash_value && !vnet->hash_report && !vnet->reserved;
}

/* Does the next packet go to the stack by itself? */
static bool vnic_batch_send_alone(const struct vnic_batch_state *state)
{
	const struct vnic_queue *queue = state->queue;

	/* What waits on the list is charged, and might be waited for. */
	return READ_ONCE(state->port->rx_frames) <= 1 ||
	       READ_ONCE(queue->sk.sk_sndbuf) != INT_MAX ||
	       (READ_ONCE(queue->flags) & IFF_NAPI_FRAGS) ||
	       READ_ONCE(queue->index) == VNIC_NO_SLOT;
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
	packet->result = PTR_ERR_OR_ZERO(skb);
	switch (packet->result) {
	case -EAGAIN:
	case -ERESTARTSYS:
	case -EINTR:
	case -EBADFD:
		return packet->result;
	case -ENOBUFS:
		packet->result = -ENOMEM;
		break;
	}
	if (IS_ERR_OR_NULL(skb))
		return 0;
	if (vnic_batch_send_alone(state)) {
		vnic_batch_flush(state);
		packet->result = vnic_send_one(port, state->queue, skb);
		return 0;
	}
	list_add_tail(&skb->list, &state->list);
	if (++state->listed >= READ_ONCE(port->rx_frames))
		vnic_batch_flush(state);
	return 0;
}

/* Returns 0 to go on, or why the call ends. */
static int vnic_batch_send_chunk(struct vnic_batch_state *state)
{
	int n = vnic_batch_read(state), i, err;

	for (i = 0; i < n; i++) {
		err = vnic_batch_send_one(state, &state->chunk[i]);
		if (err)
			return err;
		if (put_user(state->chunk[i].result,
			     &state->user[state->done].result))
			return -EFAULT;
		state->done++;
	}
	return n < 0 ? n : 0;
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

/* Write to both ends of an entry what is there. */
static bool vnic_batch_writable(struct vnic_batch_state *state, int i)
{
	struct vnic_packet __user *user = state->user + state->done + i;
	const struct vnic_packet *packet = &state->chunk[i];

	return !put_user(packet->addr, &user->addr) &&
	       !put_user(packet->vnet.inner_nh_offset,
			 &user->vnet.inner_nh_offset);
}

/*
 * How many packets there are entries for: looked at before a packet is taken,
 * which would be lost if its entry could not be written. Returns less than 0
 * if it is none.
 */
static int vnic_batch_recv_room(struct vnic_batch_state *state)
{
	int n = vnic_batch_read(state), i;

	if (n < 0)
		return n;
	for (i = 0; i < n && !state->chunk[i].reserved; i++)
		;
	if (!i)
		return -EINVAL;
	/* Down to none: another thread may be unmapping it meanwhile. */
	while (i && !vnic_batch_writable(state, i - 1))
		i--;
	if (!i || !vnic_batch_writable(state, 0))
		return -EFAULT;
	return i;
}

/* Hand out what was in the ring. Returns 0 or -EFAULT. */
static int vnic_batch_recv_chunk(struct vnic_batch_state *state, void **ptrs,
				 int n)
{
	struct vnic_packet __user *user;
	int i, err = 0;

	for (i = 0; i < n; i++) {
		if (err) {
			/* Somebody has unmapped the array meanwhile. */
			vnic_recv_lose(state->port, state->queue, ptrs[i]);
			continue;
		}
		vnic_recv_packet(state->port, state->queue, ptrs[i],
				 &state->chunk[i]);
		user = state->user + state->done;
		if (copy_to_user(user, &state->chunk[i], sizeof(*user)))
			err = -EFAULT;
		else
			state->done++;
	}
	return err;
}

/* One look into the ring. Returns how many packets there were, or less. */
static int vnic_batch_recv_some(struct vnic_batch_state *state)
{
	void *ptrs[VNIC_BATCH_CHUNK];
	int n, err;

	state->port = vnic_port_get(state->queue);
	if (!state->port)
		return -EBADFD;
	n = vnic_batch_recv_room(state);
	if (n > 0) {
		n = vnic_queue_consume(state->port, state->queue, ptrs, n);
		err = vnic_batch_recv_chunk(state, ptrs, n);
		n = err ?: n;
	}
	vnic_port_put(state->port);
	return n;
}

static int vnic_batch_recv(struct vnic_batch_state *state)
{
	int ret;

	while (state->done < state->count) {
		ret = vnic_batch_recv_some(state);
		if (ret < 0)
			return ret;
		cond_resched();
		if (ret) {
			if (signal_pending(current))
				return -ERESTARTSYS;
			continue;
		}
		if (state->done >= state->min)
			return -EAGAIN;
		ret = vnic_queue_wait(state->queue);
		if (ret)
			return ret == -EFAULT ? -EBADFD : ret;
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
	struct vnic_batch_state *state;
	int err, done;

	if (batch->flags || batch->reserved[0] || batch->reserved[1] ||
	    batch->reserved[2] || batch->count > VNIC_BATCH_MAX ||
	    batch->min > batch->count)
		return -EINVAL;
	if (!rcu_access_pointer(queue->port))
		return -EBADFD;
	/* Too much for the stack. */
	state = kmalloc(sizeof(*state), GFP_KERNEL_ACCOUNT);
	if (!state)
		return -ENOMEM;
	state->queue = queue;
	state->user = u64_to_user_ptr(batch->packets);
	state->count = batch->count;
	state->done = 0;
	state->min = noblock ? 0 : batch->min;
	state->listed = 0;
	INIT_LIST_HEAD(&state->list);
	if (cmd == VNIC_IOC_SEND)
		err = vnic_batch_send(state);
	else
		err = vnic_batch_recv(state);
	done = state->done;
	kfree(state);
	return done ?: err;
}
