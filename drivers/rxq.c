// SPDX-License-Identifier: GPL-2.0
/*
 * rxq - a receive queue of a vndummy or vnveth: a ring and a NAPI of its own
 *
 *	sender --> [ring] --> poll --> [XDP] --> GRO or list --> stack
 *
 * A device has them while it is up and something wants them: GRO, an XDP
 * program, or a peer that waits for a full ring. Without, packets come by way
 * of the cells (cell.c), which cost a device nothing and batch better.
 *
 * A set of queues never changes. When there shall be more, fewer, longer or
 * none, another set takes its place: it is published, RCU is waited for, so
 * that nobody adds to the old one, what that still holds is delivered, and
 * only then does the new one's NAPI begin. No packet is lost or overtaken by
 * one of another set.
 */
#include <linux/filter.h>
#include <linux/hrtimer.h>
#include <linux/netdevice.h>
#include <linux/ptr_ring.h>
#include <net/busy_poll.h>
#include <net/sock.h>
#include <net/xdp.h>

#include "trace.h"
#include "vnic.h"

static void vnic_rxq_schedule(struct vnic_rxq *rxq)
{
	if (napi_schedule_prep(&rxq->napi)) {
		WRITE_ONCE(rxq->polling, true);
		__napi_schedule(&rxq->napi);
	}
}

static enum hrtimer_restart vnic_rxq_timer(struct hrtimer *timer)
{
	struct vnic_rxq *rxq = container_of(timer, struct vnic_rxq, timer);

	/* Cleared before the poll: who finds it set has added before that. */
	clear_bit(0, &rxq->armed);
	/* Pairs with test_and_set_bit() in vnic_rxq_kick(). */
	smp_mb__after_atomic();
	vnic_rxq_schedule(rxq);
	return HRTIMER_NORESTART;
}

/* Are there as many as need not wait for others? */
static bool vnic_rxq_enough(struct vnic_rxq *rxq)
{
	struct vnic_link *link = netdev_priv(rxq->dev);
	unsigned int waiting = READ_ONCE(rxq->waiting);
	u32 frames = READ_ONCE(link->rx_frames);

	return (frames && waiting >= frames) || waiting >= rxq->ring.size;
}

/**
 * vnic_rxq_kick() - see that what was put into a ring is taken out
 * @rxq: the queue
 *
 * Context: bottom halves off, in the RCU section that found the queue.
 */
void vnic_rxq_kick(struct vnic_rxq *rxq)
{
	struct vnic_link *link = netdev_priv(rxq->dev);
	u32 usecs = READ_ONCE(link->rx_usecs);

	/* The packet is in the ring before the poll is thought to be busy. */
	smp_mb();
	if (READ_ONCE(rxq->polling))
		return;
	if (!usecs || vnic_rxq_enough(rxq))
		vnic_rxq_schedule(rxq);
	else if (!test_and_set_bit(0, &rxq->armed))
		hrtimer_start(&rxq->timer,
			      ns_to_ktime((u64)usecs * NSEC_PER_USEC),
			      HRTIMER_MODE_REL_SOFT);
}

/**
 * vnic_rxq_put() - put a packet into a ring
 * @rxq: the queue
 * @ptr: a struct sk_buff, as after eth_type_trans(), or a struct xdp_frame
 *	with VNIC_RING_XDP
 *
 * Context: bottom halves off, in the RCU section that found the queue.
 * vnic_rxq_kick() has to follow.
 * Return: false, and the packet is still the caller's, if the ring is full.
 */
bool vnic_rxq_put(struct vnic_rxq *rxq, void *ptr)
{
	bool room;

	spin_lock(&rxq->ring.producer_lock);
	room = !__ptr_ring_full(&rxq->ring);
	if (likely(room)) {
		/* Not before: a packet that goes back to its qdisc needs it. */
		if (!vnic_ring_is_xdp(ptr))
			vnic_rx_cb(ptr)->bytes = 0;
		vnic_trace(queue, rxq->dev, rxq->index, ptr, VNIC_PLACE_RXQ,
			   &rxq->ring);
		__ptr_ring_produce(&rxq->ring, ptr);
		WRITE_ONCE(rxq->waiting, rxq->waiting + 1);
	} else {
		vnic_trace(full, rxq->dev, rxq->index, ptr, VNIC_PLACE_RXQ,
			   &rxq->ring);
	}
	spin_unlock(&rxq->ring.producer_lock);
	return room;
}

/**
 * vnic_rxq_put_limited() - the same, and tell the sender's byte queue limits
 * @rxq: the queue
 * @skb: the packet
 * @txq: the transmit queue that it came by
 * @bytes: of the packet, as the sender counts
 *
 * Context: as vnic_rxq_put().
 * Return: as vnic_rxq_put().
 */
bool vnic_rxq_put_limited(struct vnic_rxq *rxq, struct sk_buff *skb,
			  struct netdev_queue *txq, unsigned int bytes)
{
	struct vnic_rx_cb *cb = vnic_rx_cb(skb);
	bool room;

	/* We are LLTX, but the limits want one sender at a time. */
	__netif_tx_lock(txq, smp_processor_id());
	spin_lock(&rxq->ring.producer_lock);
	room = !__ptr_ring_full(&rxq->ring);
	if (room) {
		/* Told before anybody can tell of its end. */
		cb->bytes = bytes;
		cb->txq = txq - txq->dev->_tx;
		netdev_tx_sent_queue(txq, bytes);
		vnic_trace(queue, rxq->dev, rxq->index, skb, VNIC_PLACE_RXQ,
			   &rxq->ring);
		__ptr_ring_produce(&rxq->ring, skb);
		WRITE_ONCE(rxq->waiting, rxq->waiting + 1);
	} else {
		vnic_trace(full, rxq->dev, rxq->index, skb, VNIC_PLACE_RXQ,
			   &rxq->ring);
	}
	spin_unlock(&rxq->ring.producer_lock);
	__netif_tx_unlock(txq);
	return room;
}

/**
 * vnic_rxq_stop_tx() - stop a transmit queue until a full ring has room
 * @rxq: the queue with the ring
 * @sender: the device that transmits
 * @txq: its transmit queue
 *
 * A queue stops and is woken under the producer lock, so that a sender which
 * has the ring to itself never runs while that is full.
 *
 * Context: as vnic_rxq_put().
 * Return: false if there is room by now.
 */
bool vnic_rxq_stop_tx(struct vnic_rxq *rxq, struct net_device *sender,
		      struct netdev_queue *txq)
{
	bool full;

	spin_lock(&rxq->ring.producer_lock);
	netif_tx_stop_queue(txq);
	WRITE_ONCE(rxq->stopped, true);
	/* Pairs with the one in vnic_rxq_wake_tx(). */
	smp_mb();
	full = vnic_rxq_is_full(rxq);
	if (!full)
		netif_tx_start_queue(txq);
	spin_unlock(&rxq->ring.producer_lock);
	if (!full)
		return false;
	vnic_stats_add(sender, txq - sender->_tx, VNIC_STAT_TX_STOP, 1);
	vnic_rxq_kick(rxq);
	return true;
}

/* There is room again, for whoever waits for it. */
static void vnic_rxq_wake_tx(struct vnic_rxq *rxq)
{
	struct vnic_link *link = netdev_priv(rxq->dev);
	struct net_device *sender;
	struct netdev_queue *txq;
	unsigned int i;

	/* The ring was emptied before we look who has found it full. */
	smp_mb();
	if (likely(!READ_ONCE(rxq->stopped)))
		return;
	rcu_read_lock();
	spin_lock(&rxq->ring.producer_lock);
	/* Who has filled it since has kicked, and we come back. */
	if (vnic_rxq_is_full(rxq))
		goto out;
	WRITE_ONCE(rxq->stopped, false);
	sender = rcu_dereference(link->peer);
	for (i = 0; sender && i < sender->num_tx_queues; i++) {
		txq = netdev_get_tx_queue(sender, i);
		if (!netif_tx_queue_stopped(txq))
			continue;
		vnic_trace(wake, sender, i, VNIC_WAITER_SENDER);
		netif_tx_wake_queue(txq);
		vnic_stats_add(sender, i, VNIC_STAT_TX_WAKE, 1);
	}
out:
	spin_unlock(&rxq->ring.producer_lock);
	rcu_read_unlock();
}

/* What the sender's limits were told of has arrived. */
static void vnic_rxq_complete(struct vnic_rxq *rxq, unsigned int txq,
			      unsigned int packets, unsigned int bytes)
{
	struct vnic_link *sender_link, *link = netdev_priv(rxq->dev);
	struct net_device *sender;

	rcu_read_lock();
	sender = rcu_dereference(link->peer);
	if (sender) {
		sender_link = netdev_priv(sender);
		spin_lock(&sender_link->bql_lock);
		netdev_tx_completed_queue(netdev_get_tx_queue(sender, txq),
					  packets, bytes);
		spin_unlock(&sender_link->bql_lock);
	}
	rcu_read_unlock();
}

/**
 * vnic_rxq_of_flow() - which of several queues a packet goes to
 * @rxqs: the queues
 * @sender: the device that transmits it
 * @skb: the packet
 *
 * Packets of one flow go to one queue: that of the transmit queue, which the
 * core has chosen by the flow, or, where there is only one, by the flow.
 *
 * Context: RCU.
 * Return: the queue.
 */
struct vnic_rxq *vnic_rxq_of_flow(struct vnic_rxqs *rxqs,
				  struct net_device *sender,
				  struct sk_buff *skb)
{
	unsigned int index;

	if (READ_ONCE(sender->real_num_tx_queues) > 1)
		index = skb_get_queue_mapping(skb) % rxqs->count;
	else
		index = reciprocal_scale(skb_get_hash(skb), rxqs->count);
	return &rxqs->queue[index];
}

/* What a round of a poll has done, to be counted in one go. */
struct vnic_rxq_round {
	struct list_head	list;
	unsigned int		polled;
	unsigned int		polled_bytes;
	unsigned int		packets;
	unsigned int		bytes;
	unsigned int		txq;
	unsigned int		completed;
	unsigned int		completed_bytes;
};

/* What goes to the stack. With GRO, through it; else as a list. */
static void vnic_rxq_deliver(struct vnic_rxq *rxq, struct sk_buff *skb,
			     struct vnic_rxq_round *round, bool gro)
{
	/* There may be fewer by now. */
	if (rxq->index && rxq->index < READ_ONCE(rxq->dev->real_num_rx_queues))
		skb_record_rx_queue(skb, rxq->index);
	if (!gro) {
		vnic_trace(deliver, rxq->dev, rxq->index, skb, VNIC_HOW_LIST);
		skb_mark_napi_id(skb, &rxq->napi);
		list_add_tail(&skb->list, &round->list);
		return;
	}
	vnic_trace(deliver, rxq->dev, rxq->index, skb, VNIC_HOW_GRO);
	skb_prepare_for_gro(skb);
	/* It changes what it merges, so that must be no other's. */
	if (skb_shared(skb) || skb_unclone(skb, GFP_ATOMIC))
		netif_receive_skb(skb);
	else
		napi_gro_receive(&rxq->napi, skb);
}

static void vnic_rxq_skb(struct vnic_rxq *rxq, struct bpf_prog *prog,
			 struct sk_buff *skb, struct vnic_rxq_round *round,
			 bool gro)
{
	struct vnic_rx_cb *cb = vnic_rx_cb(skb);
	unsigned int len = vnic_rx_len(skb);

	if (cb->bytes) {
		if (round->completed && round->txq != cb->txq) {
			vnic_rxq_complete(rxq, round->txq, round->completed,
					  round->completed_bytes);
			round->completed = 0;
			round->completed_bytes = 0;
		}
		round->txq = cb->txq;
		round->completed++;
		round->completed_bytes += cb->bytes;
	}
	if (unlikely(!netif_running(rxq->dev))) {
		vnic_lose_rx(rxq->dev, rxq->index, skb, VNIC_LOSS_DOWN);
		return;
	}
	round->polled++;
	round->polled_bytes += len;
	if (prog)
		skb = vnic_verdict_skb(rxq, prog, skb);
	if (!skb)
		return;
	round->packets++;
	round->bytes += len;
	vnic_rxq_deliver(rxq, skb, round, gro);
}

static void vnic_rxq_frame(struct vnic_rxq *rxq, struct bpf_prog *prog,
			   struct xdp_frame *frame,
			   struct vnic_rxq_round *round, bool gro)
{
	unsigned int len = xdp_get_frame_len(frame);
	struct sk_buff *skb;

	if (unlikely(!netif_running(rxq->dev))) {
		vnic_lose_rx(rxq->dev, rxq->index, NULL, VNIC_LOSS_DOWN);
		xdp_return_frame(frame);
		return;
	}
	round->polled++;
	round->polled_bytes += len;
	skb = vnic_verdict_frame(rxq, prog, frame);
	if (!skb)
		return;
	round->packets++;
	round->bytes += len;
	vnic_rxq_deliver(rxq, skb, round, gro);
}

/* Take up to @budget packets out of the ring and do what is due with them. */
static int vnic_rxq_work(struct vnic_rxq *rxq, int budget, bool gro)
{
	struct vnic_link *link = netdev_priv(rxq->dev);
	struct vnic_rxq_round round = {};
	struct bpf_prog *prog;
	int i, n, done = 0;

	INIT_LIST_HEAD(&round.list);
	/* Frames may be of a pool that another NAPI allocates from. */
	xdp_set_return_frame_no_direct();
	rcu_read_lock();
	prog = rcu_dereference(link->xdp);
	while (done < budget) {
		n = min(budget - done, VNIC_RXQ_BATCH);
		n = ptr_ring_consume_batched(&rxq->ring, rxq->batch, n);
		if (!n)
			break;
		for (i = 0; i < n; i++) {
			void *ptr = rxq->batch[i];

			vnic_trace(polled, rxq->dev, rxq->index, ptr,
				   VNIC_PLACE_RXQ, &rxq->ring);
			if (vnic_ring_is_xdp(ptr))
				vnic_rxq_frame(rxq, prog, vnic_ring_to_xdp(ptr),
					       &round, gro);
			else
				vnic_rxq_skb(rxq, prog, ptr, &round, gro);
		}
		done += n;
	}
	if (round.completed)
		vnic_rxq_complete(rxq, round.txq, round.completed,
				  round.completed_bytes);
	if (done) {
		vnic_stats_add(rxq->dev, rxq->index, VNIC_STAT_RX_POLLED,
			       round.polled);
		vnic_stats_add(rxq->dev, rxq->index, VNIC_STAT_RX_POLLED_BYTES,
			       round.polled_bytes);
		vnic_count_rx(rxq->dev, rxq->index, round.packets,
			      round.bytes);
		vnic_verdict_flush(rxq);
	}
	if (!list_empty(&round.list))
		netif_receive_skb_list(&round.list);
	rcu_read_unlock();
	xdp_clear_return_frame_no_direct();
	return done;
}

static int vnic_rxq_poll(struct napi_struct *napi, int budget)
{
	struct vnic_rxq *rxq = container_of(napi, struct vnic_rxq, napi);
	int done;

	WRITE_ONCE(rxq->waiting, 0);
	done = vnic_rxq_work(rxq, budget, rxq->dev->features & NETIF_F_GRO);
	vnic_rxq_wake_tx(rxq);

	/* The queue is freed after an RCU grace period, so it is still here. */
	if (done < budget && napi_complete_done(napi, done)) {
		/* Pairs with the one in vnic_rxq_kick(). */
		smp_store_mb(rxq->polling, false);
		if (unlikely(!__ptr_ring_empty(&rxq->ring)))
			vnic_rxq_schedule(rxq);
	}
	return done;
}

static int vnic_rxq_open(struct vnic_rxq *rxq, struct net_device *dev,
			 unsigned int index, unsigned int len)
{
	int err;

	rxq->dev = dev;
	rxq->index = index;
	/* Nobody is to schedule it before vnic_rxqs_start(). */
	rxq->polling = true;
	hrtimer_setup(&rxq->timer, vnic_rxq_timer, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL_SOFT);
	netif_napi_add(dev, &rxq->napi, vnic_rxq_poll);
	err = ptr_ring_init(&rxq->ring, len, GFP_KERNEL_ACCOUNT);
	if (err)
		return err;
	err = xdp_rxq_info_reg(&rxq->xdp, dev, index, rxq->napi.napi_id);
	if (err)
		return err;
	return xdp_rxq_info_reg_mem_model(&rxq->xdp, MEM_TYPE_PAGE_SHARED,
					  NULL);
}

/* Their NAPIs are not enabled, their rings are empty or were not made. */
static void vnic_rxqs_free(struct vnic_rxqs *rxqs)
{
	struct vnic_rxq *rxq;
	unsigned int i;

	for (i = 0; i < rxqs->count; i++)
		__netif_napi_del(&rxqs->queue[i].napi);
	synchronize_net();
	for (i = 0; i < rxqs->count; i++) {
		rxq = &rxqs->queue[i];
		if (xdp_rxq_info_is_reg(&rxq->xdp))
			xdp_rxq_info_unreg(&rxq->xdp);
		ptr_ring_cleanup(&rxq->ring, NULL);
	}
	kvfree(rxqs);
}

static struct vnic_rxqs *vnic_rxqs_alloc(struct net_device *dev,
					 unsigned int count)
{
	struct vnic_link *link = netdev_priv(dev);
	struct vnic_rxqs *rxqs;
	unsigned int i;

	rxqs = kvzalloc(struct_size(rxqs, queue, count), GFP_KERNEL_ACCOUNT);
	if (!rxqs)
		return NULL;
	rxqs->len = link->ring_len;
	for (i = 0; i < count; i++) {
		/* Also the one that fails has something to undo. */
		rxqs->count++;
		if (vnic_rxq_open(&rxqs->queue[i], dev, i, link->ring_len)) {
			vnic_rxqs_free(rxqs);
			return NULL;
		}
	}
	return rxqs;
}

static void vnic_rxqs_start(struct vnic_rxqs *rxqs)
{
	struct vnic_rxq *rxq;
	unsigned int i;

	for (i = 0; i < rxqs->count; i++) {
		rxq = &rxqs->queue[i];
		napi_enable(&rxq->napi);
		local_bh_disable();
		/* Pairs with the one in vnic_rxq_kick(). */
		smp_store_mb(rxq->polling, false);
		if (!__ptr_ring_empty(&rxq->ring))
			vnic_rxq_schedule(rxq);
		local_bh_enable();
	}
}

/*
 * Nobody adds any more: deliver what is left, or lose it if the device is
 * down, and let go of senders that wait.
 */
static void vnic_rxqs_drain(struct vnic_rxqs *rxqs)
{
	struct bpf_net_context storage, *context;
	struct vnic_rxq *rxq;
	unsigned int i;

	for (i = 0; i < rxqs->count; i++) {
		rxq = &rxqs->queue[i];
		hrtimer_cancel(&rxq->timer);
		napi_disable(&rxq->napi);
		do {
			local_bh_disable();
			context = bpf_net_ctx_set(&storage);
			/* GRO may have been told to keep them for a while. */
			vnic_napi_flush(&rxq->napi);
			vnic_rxq_work(rxq, VNIC_RXQ_BATCH, false);
			vnic_rxq_wake_tx(rxq);
			bpf_net_ctx_clear(context);
			local_bh_enable();
			cond_resched();
		} while (!__ptr_ring_empty(&rxq->ring));
	}
}

/* Put another set, or none, in the place of the one that is there. */
static void vnic_rxqs_replace(struct net_device *dev, struct vnic_rxqs *next)
{
	struct vnic_link *link = netdev_priv(dev);
	struct vnic_rxqs *old = rtnl_dereference(link->rxqs);

	rcu_assign_pointer(link->rxqs, next);
	if (old) {
		synchronize_net();
		vnic_rxqs_drain(old);
	}
	if (next)
		vnic_rxqs_start(next);
	if (old)
		vnic_rxqs_free(old);
}

static bool vnic_rxq_wanted(struct net_device *dev, netdev_features_t features)
{
	struct vnic_link *peer_link, *link = netdev_priv(dev);
	struct net_device *peer = rtnl_dereference(link->peer);

	if (!netif_running(dev))
		return false;
	/* To have GRO is a vndummy's default, to receive something is not. */
	if (dev->rtnl_link_ops == &vndummy_link_ops &&
	    !(link->flags & VNIC_LINK_LOOPBACK))
		return false;
	if (rtnl_dereference(link->xdp) || (features & NETIF_F_GRO))
		return true;
	if (!peer)
		return false;
	peer_link = netdev_priv(peer);
	return peer_link->flags & (VNIC_LINK_BACKPRESSURE | VNIC_LINK_BQL);
}

/**
 * vnic_rxq_refresh() - have the receive queues that are wanted now
 * @dev: the device
 * @features: its features, as they will be
 *
 * Context: process, RTNL held; waits for RCU.
 * Return: 0 or -ENOMEM, with the queues as they were.
 */
int vnic_rxq_refresh(struct net_device *dev, netdev_features_t features)
{
	struct vnic_link *link = netdev_priv(dev);
	struct vnic_rxqs *next = NULL, *old = rtnl_dereference(link->rxqs);
	unsigned int count = 0;

	if (vnic_rxq_wanted(dev, features))
		count = dev->real_num_rx_queues;
	if (old ? old->count == count && old->len == link->ring_len : !count)
		return 0;
	if (count) {
		next = vnic_rxqs_alloc(dev, count);
		if (!next)
			return -ENOMEM;
	}
	vnic_rxqs_replace(dev, next);
	return 0;
}

/**
 * vnic_rxq_close() - have no receive queues: the device goes down
 * @dev: the device, which is not running any more
 *
 * Context: process, RTNL held; waits for RCU.
 */
void vnic_rxq_close(struct net_device *dev)
{
	struct vnic_link *link = netdev_priv(dev);

	if (rtnl_dereference(link->rxqs))
		vnic_rxqs_replace(dev, NULL);
}
