// SPDX-License-Identifier: GPL-2.0
/*
 * queue - what joins a vntun or vntap to one open file
 *
 *	stack --> vnic_queue_produce() --> [ring] --> vnic_queue_consume() -->
 *	                                                              program
 *
 * A bounded ring of packets, those who sleep at its ends, and the account of
 * what the program has sent. What is in a packet is not seen here. Instead of in
 * the ring, packets wait in shared memory (shared.c) or in the receive queue of
 * a socket (socket.c) once the program has asked for that.
 */
#include <linux/poll.h>
#include <linux/skbuff.h>
#include <net/pkt_sched.h>
#include <net/sock.h>

#include "trace.h"
#include "vnic.h"

/*
 * A frame that was sent and is now freed: there is room for another. Writers
 * may sleep for it as well as programs that poll; a signal goes only to those
 * who were told that there is none.
 */
static void vnic_queue_write_space(struct sock *sk)
{
	struct vnic_queue *queue = container_of(sk, struct vnic_queue, sk);

	if (!sock_writeable(sk))
		return;
	if (wq_has_sleeper(&queue->socket.wq.wait))
		wake_up_interruptible_sync_poll(&queue->socket.wq.wait,
						EPOLLOUT | EPOLLWRNORM |
						EPOLLWRBAND);
	if (test_and_clear_bit(SOCKWQ_ASYNC_NOSPACE, &queue->socket.flags))
		kill_fasync(&queue->fasync, SIGIO, POLL_OUT);
}

static struct proto vnic_queue_proto = {
	.name		= "vnic",
	.owner		= THIS_MODULE,
	.obj_size	= sizeof(struct vnic_queue),
};

/**
 * vnic_queue_alloc() - make the queue of a file that is being opened
 * @net: the namespace in which TUNSETIFF will look for and make devices
 *
 * Context: process.
 * Return: the queue, to be freed with vnic_queue_free(), or NULL.
 */
struct vnic_queue *vnic_queue_alloc(struct net *net)
{
	struct vnic_queue *queue;
	struct sock *sk;

	sk = sk_alloc(net, AF_UNSPEC, GFP_KERNEL, &vnic_queue_proto, 0);
	if (!sk)
		return NULL;
	queue = container_of(sk, struct vnic_queue, sk);
	/* Room for nothing until there is a device to say how much. */
	if (ptr_ring_init(&queue->ring, 0, GFP_KERNEL_ACCOUNT)) {
		sk_free(sk);
		return NULL;
	}
	init_waitqueue_head(&queue->socket.wq.wait);
	sock_init_data_uid(&queue->socket, sk, current_fsuid());
	sk->sk_write_space = vnic_queue_write_space;
	sk->sk_sndbuf = INT_MAX;
	sk->sk_shutdown = SHUTDOWN_MASK;
	queue->index = VNIC_NO_SLOT;
	INIT_LIST_HEAD(&queue->next);
	mutex_init(&queue->napi_lock);
	skb_queue_head_init(&queue->rx);
	return queue;
}

/**
 * vnic_queue_free() - free a queue that no device points to any more
 * @queue: the queue
 *
 * Its memory stays until the stack has freed the last packet charged to it.
 *
 * Context: process.
 */
void vnic_queue_free(struct vnic_queue *queue)
{
	ptr_ring_cleanup(&queue->ring, NULL);
	vnic_shared_free(queue->shared);
	vnic_socket_free(queue->raw);
	sock_put(&queue->sk);
}

/* Lose what nobody will fetch, wherever it came from. */
static void vnic_queue_lose(struct vnic_port *port, unsigned int index,
			    void *ptr)
{
	if (vnic_ring_is_xdp(ptr)) {
		vnic_count_loss(port, index, ptr, VNIC_TX_PURGED);
		xdp_return_frame(vnic_ring_to_xdp(ptr));
	} else {
		vnic_lose(port, index, ptr, VNIC_TX_PURGED);
	}
}

/*
 * A packet for which the ring has become too short. Its locks are held, and on
 * old kernels interrupts are off, which frames of other drivers do not bear:
 * they are only set aside.
 */
static void vnic_queue_overflow(void *ptr)
{
	struct vnic_queue *queue;
	struct xdp_frame *frame;
	struct sk_buff *skb;

	if (vnic_ring_is_xdp(ptr)) {
		frame = vnic_ring_to_xdp(ptr);
		queue = (void *)frame->dev_rx;
		frame->dev_rx = (void *)queue->overflow;
		queue->overflow = frame;
	} else {
		skb = ptr;
		vnic_queue_lose(netdev_priv(skb->dev),
				skb_get_queue_mapping(skb), skb);
	}
}

/**
 * vnic_queue_resize() - make rings longer or shorter
 * @port: the device that they are from
 * @rings: those of its queues
 * @n: how many, 1 or more
 * @len: packets that each shall hold; 0 makes it lose every one
 *
 * Keeps the oldest packets; those that find no room any more are dropped and
 * counted.
 *
 * Context: process, RTNL held.
 * Return: 0 or -ENOMEM, with all rings as they were.
 */
int vnic_queue_resize(struct vnic_port *port, struct ptr_ring **rings,
		      unsigned int n, unsigned int len)
{
	struct vnic_queue *queue;
	struct xdp_frame *frame;
	struct sk_buff *skb;
	unsigned int i;
	int err;

	err = ptr_ring_resize_multiple_bh(rings, n, len, GFP_KERNEL_ACCOUNT,
					  vnic_queue_overflow);
	if (err)
		return err;
	for (i = 0; i < n; i++) {
		queue = container_of(rings[i], struct vnic_queue, ring);
		while ((frame = queue->overflow)) {
			queue->overflow = (void *)frame->dev_rx;
			vnic_queue_lose(port, queue->index,
					vnic_ring_from_xdp(frame));
		}
		while ((skb = vnic_socket_trim(queue, len)))
			vnic_queue_lose(port, queue->index, skb);
	}
	return 0;
}

/**
 * vnic_queue_purge() - drop what the program has not fetched
 * @port: the device that it is from
 * @queue: the queue, for which nothing is produced any more
 * @index: the slot that it had
 *
 * Context: process.
 */
void vnic_queue_purge(struct vnic_port *port, struct vnic_queue *queue,
		      unsigned int index)
{
	void *ptr;

	while ((ptr = ptr_ring_consume_bh(&queue->ring)))
		vnic_queue_lose(port, index, ptr);
	while (queue->raw && vnic_socket_take(queue, &ptr, 1))
		vnic_queue_lose(port, index, ptr);
}

/**
 * vnic_queue_start() - let readers and writers sleep for a device
 * @queue: the queue, about to be published
 *
 * Context: process, RTNL held.
 */
void vnic_queue_start(struct vnic_queue *queue)
{
	WRITE_ONCE(queue->sk.sk_shutdown, 0);
}

/**
 * vnic_queue_shutdown() - end the sleeps of readers and writers
 * @queue: the queue, whose device pointer was cleared
 *
 * Context: process, RTNL held.
 */
void vnic_queue_shutdown(struct vnic_queue *queue)
{
	WRITE_ONCE(queue->sk.sk_shutdown, SHUTDOWN_MASK);
	wake_up_interruptible_all(&queue->socket.wq.wait);
}

/**
 * vnic_queue_set_index() - say which slot of the device a queue has
 * @queue: the queue
 * @index: the slot, or VNIC_NO_SLOT
 *
 * Under the locks of the ring, so that whoever stops or wakes a transmit queue
 * means the right one.
 *
 * Context: process, RTNL held.
 */
void vnic_queue_set_index(struct vnic_queue *queue, unsigned int index)
{
	spin_lock_bh(&queue->ring.consumer_lock);
	spin_lock(&queue->ring.producer_lock);
	WRITE_ONCE(queue->index, index);
	queue->rxq.queue_index = index;
	queue->consumed = 0;
	spin_unlock(&queue->ring.producer_lock);
	spin_unlock_bh(&queue->ring.consumer_lock);
}

/**
 * vnic_queue_wake_tx() - no longer hold back the stack, whatever was before
 * @port: the device
 * @queue: a queue with a slot
 *
 * Context: process, RTNL held.
 */
void vnic_queue_wake_tx(struct vnic_port *port, struct vnic_queue *queue)
{
	/* The locks keep out a producer that is about to stop it. */
	spin_lock_bh(&queue->ring.consumer_lock);
	spin_lock(&queue->ring.producer_lock);
	queue->consumed = 0;
	/* vnic_port_open() wakes the queues of a device that is down. */
	if (netif_running(port->dev))
		netif_wake_subqueue(port->dev, queue->index);
	spin_unlock(&queue->ring.producer_lock);
	spin_unlock_bh(&queue->ring.consumer_lock);
}

/**
 * vnic_queue_writable() - would a frame be accepted without sleeping
 * @queue: the queue
 * @dev: its device
 *
 * If not, vnic_queue_write_space() will wake who asked.
 *
 * Context: any.
 * Return: true if it would.
 */
bool vnic_queue_writable(struct vnic_queue *queue, struct net_device *dev)
{
	if ((dev->flags & IFF_UP) && sock_writeable(&queue->sk))
		return true;
	/* Ask to be woken, then look again, or the wake-up could be missed. */
	set_bit(SOCKWQ_ASYNC_NOSPACE, &queue->socket.flags);
	/* Pairs with test_and_clear_bit() in vnic_queue_write_space(). */
	smp_mb__after_atomic();
	return (dev->flags & IFF_UP) && sock_writeable(&queue->sk);
}

/*
 * Will there be room for the next packet once the program has read? Not in a
 * ring of length 0, which nobody could ever wake the stack for. Under the
 * ring's producer lock.
 */
static bool vnic_queue_full(const struct vnic_queue *queue)
	__must_hold(&queue->ring.producer_lock)
{
	const struct vnic_socket *raw = vnic_socket_of(queue);
	const struct ptr_ring *ring = &queue->ring;

	if (!ring->size)
		return false;
	if (raw)
		return vnic_socket_len(raw) >= ring->size;
	return READ_ONCE(ring->queue[ring->producer]);
}

/* The ring is full, and so is the stack to stop. Under its producer lock. */
static void vnic_queue_stop_tx(struct vnic_port *port, struct vnic_queue *queue,
			       struct netdev_queue *txq)
	__must_hold(&queue->ring.producer_lock)
{
	netif_tx_stop_queue(txq);
	vnic_count(port, queue->index, VNIC_TX_STOP, 1);
	/* Pairs with smp_mb() in vnic_queue_consumed(). */
	smp_mb__after_atomic();
	if (!vnic_queue_full(queue)) {
		netif_tx_wake_queue(txq);
		vnic_count(port, queue->index, VNIC_TX_WAKE, 1);
	}
}

static __always_inline bool __vnic_queue_put(struct vnic_port *port,
					     struct vnic_queue *queue,
					     void *ptr,
					     struct netdev_queue *txq)
{
	const struct vnic_socket *raw = vnic_socket_of(queue);
	struct ptr_ring *ring = &queue->ring;
	bool done;

	/* Which has a lock of its own; the ring's is for who stops the stack. */
	if (raw && likely(!txq))
		return vnic_socket_put(port, queue, ptr);
	spin_lock(&ring->producer_lock);
	if (unlikely(raw)) {
		done = vnic_socket_put(port, queue, ptr);
	} else {
		/* Before it is there: a reader may be quick. */
		vnic_trace(ring, port->dev, queue->index, ptr, ring);
		done = !__ptr_ring_produce(ring, ptr);
	}
	/* One that goes down stops its queues itself. */
	if (unlikely(txq) && netif_running(port->dev) &&
	    vnic_queue_full(queue) && !netif_tx_queue_stopped(txq))
		vnic_queue_stop_tx(port, queue, txq);
	spin_unlock(&ring->producer_lock);
	return done;
}

/**
 * vnic_queue_put() - put a packet into the ring, or into shared memory
 * @port: the device
 * @queue: the queue
 * @ptr: an skb, or vnic_ring_from_xdp()
 *
 * Wakes no reader, but for what is in shared memory.
 *
 * Context: bottom halves off, RCU.
 * Return: false if the ring was full; the packet is still the caller's.
 */
bool vnic_queue_put(struct vnic_port *port, struct vnic_queue *queue, void *ptr)
{
	if (vnic_shared_has_recv(queue))
		return !vnic_shared_produce(port, queue, ptr);
	return __vnic_queue_put(port, queue, ptr, NULL);
}

static __always_inline void __vnic_queue_wake_reader(struct vnic_port *port,
						     struct vnic_queue *queue)
{
	/* Pairs with the barrier of prepare_to_wait(). */
	if (wq_has_sleeper(&queue->socket.wq.wait)) {
		vnic_trace(wake, port->dev, READ_ONCE(queue->index),
			   VNIC_WAITER_READER);
		wake_up_interruptible_sync_poll(&queue->socket.wq.wait,
						EPOLLIN | EPOLLRDNORM |
						EPOLLRDBAND);
	}
	if (READ_ONCE(queue->fasync))
		kill_fasync(&queue->fasync, SIGIO, POLL_IN);
	if (unlikely(vnic_socket_of(queue)))
		sk_wake_async(&queue->raw->sk, SOCK_WAKE_WAITD, POLL_IN);
}

/**
 * vnic_queue_wake_reader() - there is something in the ring
 * @port: the device
 * @queue: the queue
 *
 * Context: any.
 */
void vnic_queue_wake_reader(struct vnic_port *port, struct vnic_queue *queue)
{
	__vnic_queue_wake_reader(port, queue);
}

/**
 * vnic_queue_backpressure() - is the stack stopped when the ring is full?
 * @port: the device
 * @queue: the queue
 *
 * Context: any.
 * Return: true if it is, false if packets are dropped then.
 */
bool vnic_queue_backpressure(const struct vnic_port *port,
			     const struct vnic_queue *queue)
{
	return (READ_ONCE(port->flags) | READ_ONCE(queue->flags)) &
	       IFF_BACKPRESSURE;
}

/**
 * vnic_queue_produce() - put a packet of the stack where the program gets it
 * @port: the device
 * @queue: the queue
 * @skb: the packet; taken if the answer is 0, still the caller's if not
 *
 * Context: bottom halves off, RCU.
 * Return: 0, or the counter of the reason for which it has to be dropped.
 */
enum vnic_counter vnic_queue_produce(struct vnic_port *port,
				     struct vnic_queue *queue,
				     struct sk_buff *skb)
{
	/* To be stopped when the ring is full after this packet, or NULL */
	struct netdev_queue *txq = NULL;

	if (vnic_shared_has_recv(queue)) {
		skb_tx_timestamp(skb);
		return vnic_shared_produce(port, queue, skb);
	}
	if (skb_orphan_frags_rx(skb, GFP_ATOMIC))
		return VNIC_TX_NOMEM;
	skb_tx_timestamp(skb);
	/* Nobody knows when the program will come: free the sender now. */
	skb_orphan(skb);
	nf_reset_ct(skb);

	if (unlikely(vnic_queue_backpressure(port, queue))) {
		txq = skb_get_tx_queue(port->dev, skb);
		/* Without a qdisc there is nobody to hold back. */
		if (qdisc_txq_has_no_queue(txq))
			txq = NULL;
	}
	if (unlikely(!__vnic_queue_put(port, queue, skb, txq)))
		return VNIC_TX_FULL;
	__vnic_queue_wake_reader(port, queue);
	return 0;
}

/* Under the ring's consumer lock. */
static bool vnic_queue_is_drained(struct vnic_queue *queue)
	__must_hold(&queue->ring.consumer_lock)
{
	const struct vnic_socket *raw = vnic_socket_of(queue);

	if (raw)
		return !vnic_socket_len(raw);
	return __ptr_ring_empty(&queue->ring);
}

/**
 * vnic_queue_consumed() - packets have left the queue: wake the stack?
 * @port: the device
 * @queue: the queue, of which vnic_queue_backpressure()
 * @n: how many; 0 if none was read, but what there was may be lost
 *
 * Context: process.
 */
void vnic_queue_consumed(struct vnic_port *port, struct vnic_queue *queue,
			 int n)
{
	struct netdev_queue *txq;
	unsigned int index;

	/* Bottom halves off: the stack runs when the lock is let go of. */
	spin_lock_bh(&queue->ring.consumer_lock);
	index = queue->index;
	/* A stop by vnic_port_stop() is none for want of room. */
	if (index == VNIC_NO_SLOT || !netif_running(port->dev) ||
	    rcu_access_pointer(port->slots[index].queue) != queue)
		goto unlock;
	txq = netdev_get_tx_queue(port->dev, index);
	/* Pairs with smp_mb__after_atomic() in vnic_queue_stop_tx(). */
	smp_mb();
	if (!netif_tx_queue_stopped(txq))
		goto unlock;
	/* Not for each packet: the stack shall find room for some. */
	queue->consumed += n;
	if (queue->consumed < queue->ring.size / 2 &&
	    !vnic_queue_is_drained(queue))
		goto unlock;
	/* Not if the stack has gone on by itself and filled it again. */
	spin_lock(&queue->ring.producer_lock);
	if (!vnic_queue_full(queue)) {
		vnic_trace(wake, port->dev, index, VNIC_WAITER_SENDER);
		netif_tx_wake_queue(txq);
		queue->consumed = 0;
		vnic_count(port, index, VNIC_TX_WAKE, 1);
	}
	spin_unlock(&queue->ring.producer_lock);
unlock:
	spin_unlock_bh(&queue->ring.consumer_lock);
}

/**
 * vnic_queue_count() - how many packets wait for the program
 * @queue: the queue
 * @most: as far as it matters
 *
 * Context: process.
 * Return: 0 to @most. Others may fetch some at the same time.
 */
unsigned int vnic_queue_count(struct vnic_queue *queue, unsigned int most)
{
	struct ptr_ring *ring = &queue->ring;
	unsigned int n = 0;
	int at;

	if (unlikely(vnic_socket_of(queue)))
		return min(most, vnic_socket_len(queue->raw));
	spin_lock(&ring->consumer_lock);
	most = min_t(unsigned int, most, ring->size);
	for (at = ring->consumer_head; n < most; n++) {
		if (!READ_ONCE(ring->queue[at]))
			break;
		if (unlikely(++at == ring->size))
			at = 0;
	}
	spin_unlock(&ring->consumer_lock);
	return n;
}

/**
 * vnic_queue_consume() - take the oldest packets out of the ring
 * @port: the device, held by the caller
 * @queue: the queue
 * @ptrs: where to put them: skbs, or as vnic_ring_is_xdp() says
 * @n: the most to take
 *
 * Context: process. Safe against other consumers.
 * Return: how many there were, now the caller's.
 */
int vnic_queue_consume(struct vnic_port *port, struct vnic_queue *queue,
		       void **ptrs, int n)
{
	struct ptr_ring *ring = &queue->ring;
	int i;

	if (unlikely(vnic_socket_of(queue))) {
		i = vnic_socket_take(queue, ptrs, n);
		goto taken;
	}
	spin_lock(&ring->consumer_lock);
	for (i = 0; i < n; i++) {
		ptrs[i] = __ptr_ring_consume(ring);
		if (!ptrs[i])
			break;
	}
	spin_unlock(&ring->consumer_lock);
taken:
	if (i && vnic_queue_backpressure(port, queue))
		vnic_queue_consumed(port, queue, i);
	return i;
}

/* Why none will come, or 0. */
static int vnic_queue_wait_ends(struct vnic_queue *queue, bool shared)
{
	if (READ_ONCE(queue->sk.sk_shutdown))
		return -EFAULT;
	if (!shared && vnic_shared_has_recv(queue))
		return -EINVAL;
	return signal_pending(current) ? -ERESTARTSYS : 0;
}

/**
 * vnic_queue_wait() - sleep until there is something to read
 * @queue: the queue
 * @most: packets, as far as it matters how many there are
 * @shared: from shared memory, and not from the ring
 *
 * The caller holds no reference to the device, or it could not be deleted
 * while a program waits for a packet.
 *
 * Context: process, sleeps.
 * Return: as vnic_queue_count(), or 1 if it is shared memory; -ERESTARTSYS after
 * a signal, -EINVAL when packets no longer come this way, -EFAULT when the device
 * is gone, as tun has it.
 */
int vnic_queue_wait(struct vnic_queue *queue, unsigned int most, bool shared)
{
	DEFINE_WAIT(wait);
	int ret;

	do {
		prepare_to_wait(&queue->socket.wq.wait, &wait,
				TASK_INTERRUPTIBLE);
		if (shared ? !vnic_shared_readable(queue) :
			     vnic_queue_is_empty(queue)) {
			ret = vnic_queue_wait_ends(queue, shared);
			if (ret)
				break;
			/* Who wakes us also takes us out of the queue. */
			schedule();
		}
		ret = shared ? vnic_shared_readable(queue) :
			       vnic_queue_count(queue, most);
	} while (!ret);
	finish_wait(&queue->socket.wq.wait, &wait);
	return ret;
}
