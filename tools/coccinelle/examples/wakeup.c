// SPDX-License-Identifier: GPL-2.0
/* What wakeup.cocci has to report, and what it has to leave alone. */
#include "vnic.h"

static void wakes_unordered(struct vnic_queue *queue, void *ptr)
{
	__ptr_ring_produce(&queue->ring, ptr);
	if (waitqueue_active(&queue->socket.wq.wait))	/* report */
		wake_up_interruptible(&queue->socket.wq.wait);
}

static void wakes(struct vnic_queue *queue, void *ptr)
{
	__ptr_ring_produce(&queue->ring, ptr);
	if (wq_has_sleeper(&queue->socket.wq.wait))
		wake_up_interruptible(&queue->socket.wq.wait);
}

static void wakes_ordered(struct vnic_queue *queue, void *ptr)
{
	__ptr_ring_produce(&queue->ring, ptr);
	/* Pairs with the barrier of a sleeper's set_current_state(). */
	smp_mb();
	if (waitqueue_active(&queue->socket.wq.wait))	/* ordered */
		wake_up_interruptible(&queue->socket.wq.wait);
}

static bool asks_unordered(struct vnic_queue *queue)
{
	if (sock_writeable(&queue->sk))
		return true;
	set_bit(SOCKWQ_ASYNC_NOSPACE, &queue->socket.flags);	/* report */
	return sock_writeable(&queue->sk);
}

static bool asks(struct vnic_queue *queue)
{
	if (sock_writeable(&queue->sk))
		return true;
	set_bit(SOCKWQ_ASYNC_NOSPACE, &queue->socket.flags);
	/* Pairs with test_and_clear_bit() of who has made room. */
	smp_mb__after_atomic();
	return sock_writeable(&queue->sk);
}

static void stops_for_ever(struct ptr_ring *ring, struct netdev_queue *txq)
{
	if (__ptr_ring_full(ring))
		netif_tx_stop_queue(txq);	/* report */
}

static void stops_unordered(struct ptr_ring *ring, struct netdev_queue *txq)
{
	if (!__ptr_ring_full(ring))
		return;
	netif_tx_stop_queue(txq);	/* report */
	if (!__ptr_ring_full(ring))
		netif_tx_wake_queue(txq);
}

static void stops_and_only_orders(struct netdev_queue *txq)
{
	netif_tx_stop_queue(txq);	/* report */
	/* Whoever makes room may have looked before. */
	smp_mb__after_atomic();
}

static void stops(struct ptr_ring *ring, struct netdev_queue *txq)
{
	if (!__ptr_ring_full(ring))
		return;
	netif_tx_stop_queue(txq);
	/* Pairs with smp_mb() in wakes_stopped(). */
	smp_mb__after_atomic();
	if (!__ptr_ring_full(ring))
		netif_tx_wake_queue(txq);
}

static void wakes_stopped(struct ptr_ring *ring, struct netdev_queue *txq)
{
	__ptr_ring_consume(ring);
	/* Pairs with smp_mb__after_atomic() in stops(). */
	smp_mb();
	if (netif_tx_queue_stopped(txq))
		netif_tx_wake_queue(txq);
}

static void wakes_stopped_unordered(struct ptr_ring *ring,
				    struct netdev_queue *txq)
{
	__ptr_ring_consume(ring);
	if (!netif_tx_queue_stopped(txq))	/* report */
		return;
	netif_tx_wake_queue(txq);
}

/* To know whether it has to be stopped at all needs no order. */
static void stops_once(struct ptr_ring *ring, struct netdev_queue *txq)
{
	if (netif_tx_queue_stopped(txq))
		return;
	netif_tx_stop_queue(txq);
	/* Pairs with smp_mb() in wakes_stopped(). */
	smp_mb__after_atomic();
	if (!__ptr_ring_full(ring))
		netif_tx_wake_queue(txq);
}
