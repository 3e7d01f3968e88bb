// SPDX-License-Identifier: GPL-2.0
/*
 * sharedsend - VNIC_IOC_RING_SEND: what a program has put into shared memory
 *
 *	send ring --> a copy of what is in front of a frame --> checked
 *	          --> the frame, copied --> packet --> list --> stack
 *
 * The program may write while this reads. So its index is read once for the
 * whole call, what is in front of a frame once, and the frame once; nothing is
 * looked at but the copies.
 */
#include <linux/sched/signal.h>
#include <linux/uio.h>

#include "vnic.h"

/**
 * struct vnic_sharedsend - how far a call has come
 * @port: the device, held while VNIC_LIST_MAX frames are dealt with
 * @queue: the queue
 * @shared: its rings
 * @prod: as far as the program had written when the call began
 * @list: packets that the stack does not have yet; its lock is not used
 * @done: frames that were taken
 * @noblock: not to sleep for room in a send buffer
 */
struct vnic_sharedsend {
	struct vnic_port	*port;
	struct vnic_queue	*queue;
	struct vnic_shared	*shared;
	u32			prod;
	struct sk_buff_head	list;
	int			done;
	bool			noblock;
};

/* What is in front of a frame, read once and in whole words. */
static struct vnic_frame vnic_sharedsend_read(const void *from)
{
	union {
		struct vnic_frame	frame;
		u64			word[sizeof(struct vnic_frame) /
					     sizeof(u64)];
	} copy;
	const u64 *word = from;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(copy.word); i++)
		copy.word[i] = READ_ONCE(word[i]);
	return copy.frame;
}

/*
 * How much of the ring the frame at its position takes; 0 for one that cannot
 * be there.
 */
static u32 vnic_sharedsend_takes(const struct vnic_sharedsend *state,
				 const struct vnic_frame *frame)
{
	const struct vnic_half *send = &state->shared->send;
	u32 piece = send->size - (send->pos & (send->size - 1));
	u32 left = state->prod - send->pos, need;

	if (unlikely(frame->flags)) {
		if (frame->flags != VNIC_FRAME_PAD || frame->len)
			return 0;
		need = piece;
	} else {
		if (frame->len > VNIC_RING_MAX)
			return 0;
		need = ALIGN(sizeof(*frame) + frame->len, VNIC_FRAME_ALIGN);
	}
	return need <= left && need <= piece ? need : 0;
}

static void vnic_sharedsend_flush(struct vnic_sharedsend *state)
{
	if (!skb_queue_empty(&state->list))
		vnic_send_list(state->port, state->queue, &state->list);
}

/* Returns 0, the frame sent or lost, or why the call ends before it. */
static int vnic_sharedsend_frame(struct vnic_sharedsend *state,
				 const struct vnic_frame *frame, void *data)
{
	struct kvec vec = { .iov_base = data, .iov_len = frame->len };
	struct vnic_offload offload;
	struct iov_iter from;
	struct sk_buff *skb;

	if (!(state->port->dev->flags & IFF_UP)) {
		vnic_lose(state->port, READ_ONCE(state->queue->index), NULL,
			  VNIC_RX_DOWN);
		return 0;
	}
	vnic_vnet_decode(&frame->vnet, &offload);
	iov_iter_kvec(&from, WRITE, &vec, 1, frame->len);
	skb = vnic_send_build(state->port, state->queue, &from, &offload,
			      frame->proto ? &frame->proto : NULL,
			      state->noblock || state->done);
	if (IS_ERR(skb))
		return vnic_send_ends_call(PTR_ERR(skb)) ? PTR_ERR(skb) : 0;
	if (!skb)
		return 0;
	if (vnic_send_alone(state->port, state->queue)) {
		vnic_sharedsend_flush(state);
		vnic_send_one(state->port, state->queue, skb);
		return 0;
	}
	__skb_queue_tail(&state->list, skb);
	if (skb_queue_len(&state->list) >= READ_ONCE(state->port->rx_frames))
		vnic_sharedsend_flush(state);
	return 0;
}

/* As many as go the short way. Returns how many of ring's pieces they were. */
static unsigned int vnic_sharedsend_quick(struct vnic_sharedsend *state)
{
	unsigned int i, most = READ_ONCE(state->port->rx_frames);
	struct vnic_half *send = &state->shared->send;
	struct vnic_quick quick;
	struct vnic_frame frame;
	u32 need;
	u8 *at;

	if (!vnic_quick_begin(state->port, state->queue, &quick))
		return 0;
	for (i = 0; i < most && send->pos != state->prod; i++) {
		at = send->data + (send->pos & (send->size - 1));
		frame = vnic_sharedsend_read(at);
		need = vnic_sharedsend_takes(state, &frame);
		if (unlikely(!need || !vnic_vnet_is_zero(&frame.vnet)))
			break;
		if (likely(!frame.flags)) {
			if (!vnic_quick_build(&quick, NULL, at + sizeof(frame),
					      frame.len, frame.proto))
				break;
			state->done++;
		}
		send->pos += need;
	}
	vnic_quick_end(&quick);
	return i;
}

/* Returns 0 to go on, or why the call ends. */
static int vnic_sharedsend_some(struct vnic_sharedsend *state)
{
	unsigned int i = vnic_sharedsend_quick(state);
	struct vnic_half *send = &state->shared->send;
	struct vnic_frame frame;
	u32 need, at;
	int err;

	for (; i < VNIC_LIST_MAX && send->pos != state->prod; i++) {
		at = send->pos & (send->size - 1);
		frame = vnic_sharedsend_read(send->data + at);
		need = vnic_sharedsend_takes(state, &frame);
		if (unlikely(!need || !vnic_vnet_is_reserved_zero(&frame.vnet)))
			return -EINVAL;
		if (likely(!frame.flags)) {
			err = vnic_sharedsend_frame(state, &frame, send->data +
						    at + sizeof(frame));
			if (unlikely(err))
				return err;
			state->done++;
		}
		send->pos += need;
	}
	return 0;
}

static int vnic_sharedsend_all(struct vnic_sharedsend *state)
{
	struct vnic_half *send = &state->shared->send;
	int err = 0;

	/* Frames are read after it, and only as far as this. */
	state->prod = smp_load_acquire(&state->shared->head->send_prod.value);
	if (state->prod - send->pos > send->size)
		return -EINVAL;
	while (!err && send->pos != state->prod) {
		state->port = vnic_port_get(state->queue);
		if (!state->port)
			return -EBADFD;
		err = vnic_sharedsend_some(state);
		/* All is copied: the program may use its room again. */
		smp_store_release(&state->shared->head->send_cons.value,
				  send->pos);
		vnic_sharedsend_flush(state);
		vnic_port_put(state->port);
		if (!err && signal_pending(current))
			err = -ERESTARTSYS;
		cond_resched();
	}
	return err;
}

/**
 * vnic_shared_send() - VNIC_IOC_RING_SEND
 * @queue: the queue
 * @noblock: the file is O_NONBLOCK
 *
 * Context: process. The stack runs in it, with bottom halves off.
 * Return: how many frames were taken, or if it was none: 0, -EINVAL, -EAGAIN,
 * -ERESTARTSYS, -EINTR, -ENOMEM or -EBADFD, as <uapi/linux/vnic.h> says.
 */
int vnic_shared_send(struct vnic_queue *queue, bool noblock)
{
	struct vnic_sharedsend state = {
		.queue		= queue,
		.shared		= vnic_shared_of(queue),
		.noblock	= noblock,
	};
	int err;

	__skb_queue_head_init(&state.list);
	if (!rcu_access_pointer(queue->port))
		return -EBADFD;
	if (!state.shared || !state.shared->send.size)
		return -EINVAL;
	err = mutex_lock_interruptible(&state.shared->lock);
	if (err)
		return err;
	err = vnic_sharedsend_all(&state);
	mutex_unlock(&state.shared->lock);
	return state.done ?: err;
}
