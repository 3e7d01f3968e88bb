// SPDX-License-Identifier: GPL-2.0
/*
 * cell - where the two ends of a pair hand packets over
 *
 *	xmit on CPU 0 --> [cell 0] --> NAPI on CPU 0 --> stack of the peer
 *	xmit on CPU 1 --> [cell 1] --> NAPI on CPU 1 --> stack of the peer
 *
 * A sender must not deliver in its own context: a TCP socket that sends from
 * under its lock would, by way of the receiver's answer, come back to that
 * lock. So a packet is queued, and NAPI delivers it in a softirq that nobody's
 * locks are in. One queue for each CPU, shared by all pairs: senders do not
 * meet each other's cache lines, packets of one sender stay in order, what one
 * BH section has sent is delivered as one list, and a pair costs no NAPI.
 *
 * The NAPIs hang on a device of our own that is never registered, so nobody
 * can make them threaded; still a cell has a lock, because its packets are
 * also taken by others than its own CPU: by vnic_cell_flush(), and by another
 * CPU's softirq after this one was unplugged. It is never waited for in
 * normal running.
 */
#include <linux/netdevice.h>
#include <linux/percpu.h>

#include "vnic.h"

/* As net.core.netdev_max_backlog, which bounds what veth may have queued. */
#define VNIC_CELL_LIMIT		1000

/**
 * struct vnic_cell - packets that wait for delivery on one CPU
 * @lock: protects @skbs and @len; taken with bottom halves off
 * @skbs: linked by skb->list. A packet here holds no reference to its
 *	skb->dev: a device that goes takes its packets out with
 *	vnic_cell_flush()
 * @len: of @skbs
 * @napi: delivers; scheduled by whoever finds the cell empty
 */
struct vnic_cell {
	spinlock_t		lock;	/* skbs, len */
	struct list_head	skbs;
	unsigned int		len;
	struct napi_struct	napi;
};

static struct vnic_cell __percpu *vnic_cells;
static struct net_device *vnic_cell_dev;

/**
 * vnic_cell_add() - hand a packet over to its device's stack
 * @skb: the packet, as after eth_type_trans(): skb->dev is the receiver
 *
 * Context: bottom halves off, not in a hardirq. The receiver must not go
 * away before the caller's RCU section ends, and vnic_cell_flush() be called
 * when it does.
 * Return: true if the packet was taken; false, and still the caller's, if the
 * cell is full.
 */
bool vnic_cell_add(struct sk_buff *skb)
{
	struct vnic_cell *cell = this_cpu_ptr(vnic_cells);
	bool first;

	spin_lock(&cell->lock);
	if (unlikely(cell->len >= VNIC_CELL_LIMIT)) {
		spin_unlock(&cell->lock);
		return false;
	}
	first = list_empty(&cell->skbs);
	list_add_tail(&skb->list, &cell->skbs);
	cell->len++;
	spin_unlock(&cell->lock);

	/*
	 * Not empty: the poll that will come has not taken them yet, and it
	 * takes all or asks to be called again.
	 */
	if (first)
		napi_schedule(&cell->napi);
	return true;
}

/* Move up to @budget packets over to @batch; returns how many. */
static int vnic_cell_take(struct vnic_cell *cell, struct list_head *batch,
			  int budget)
{
	int n = 0;

	spin_lock(&cell->lock);
	if (cell->len <= budget) {
		list_splice_init(&cell->skbs, batch);
		n = cell->len;
	} else {
		for (; n < budget; n++)
			list_move_tail(cell->skbs.next, batch);
	}
	cell->len -= n;
	spin_unlock(&cell->lock);
	return n;
}

/* The receive queue that the sender has recorded; the first if it has not. */
static unsigned int vnic_cell_queue(const struct sk_buff *skb)
{
	return skb_rx_queue_recorded(skb) ? skb_get_rx_queue(skb) : 0;
}

/*
 * Drop what was sent to a receiver that is down by now: the core believes that
 * a closed device receives nothing after it has waited for RCU, and it may by
 * then be on its way into another namespace. Count the others, a run of
 * packets of one receiver in one go. Returns how many are left.
 */
static int vnic_cell_admit(struct list_head *batch)
{
	unsigned int packets = 0, bytes = 0, queue = 0;
	struct net_device *dev = NULL;
	struct sk_buff *skb, *next;
	bool running = false;
	int n = 0;

	list_for_each_entry_safe(skb, next, batch, list) {
		if (skb->dev != dev || vnic_cell_queue(skb) != queue) {
			if (packets)
				vnic_count_rx(dev, queue, packets, bytes);
			dev = skb->dev;
			queue = vnic_cell_queue(skb);
			running = netif_running(dev);
			packets = 0;
			bytes = 0;
		}
		if (unlikely(!running)) {
			skb_list_del_init(skb);
			vnic_lose_rx(dev, queue, skb, VNIC_LOSS_DOWN);
			continue;
		}
		/* The receiver may have fewer by now. */
		if (queue && queue >= READ_ONCE(dev->real_num_rx_queues))
			skb_set_queue_mapping(skb, 0);
		packets++;
		bytes += vnic_rx_len(skb);
		n++;
	}
	if (packets)
		vnic_count_rx(dev, queue, packets, bytes);
	return n;
}

static int vnic_cell_poll(struct napi_struct *napi, int budget)
{
	struct vnic_cell *cell = container_of(napi, struct vnic_cell, napi);
	struct sk_buff *skb;
	LIST_HEAD(batch);
	int n, left;

	n = vnic_cell_take(cell, &batch, budget);
	left = vnic_cell_admit(&batch);
	if (left == 1) {
		/* A list of one costs more than it saves. */
		skb = list_first_entry(&batch, struct sk_buff, list);
		skb_list_del_init(skb);
		netif_receive_skb(skb);
	} else if (left) {
		netif_receive_skb_list(&batch);
	}

	/* What was added meanwhile has marked the NAPI: it is not completed. */
	if (n < budget)
		napi_complete_done(napi, n);
	return n;
}

/**
 * vnic_cell_flush() - drop what waits for a device that goes
 * @dev: the receiver
 *
 * Packets that a poll has already taken are not found here; they are
 * delivered within the poll's RCU section, so the caller's next
 * synchronize_net() outlasts them.
 *
 * Context: process; nothing may be added for @dev any more, or it will have
 * to be flushed again.
 */
void vnic_cell_flush(struct net_device *dev)
{
	struct sk_buff *skb, *next;
	struct vnic_cell *cell;
	LIST_HEAD(found);
	int cpu;

	for_each_possible_cpu(cpu) {
		cell = per_cpu_ptr(vnic_cells, cpu);
		spin_lock_bh(&cell->lock);
		list_for_each_entry_safe(skb, next, &cell->skbs, list) {
			if (skb->dev != dev)
				continue;
			list_move_tail(&skb->list, &found);
			cell->len--;
		}
		spin_unlock_bh(&cell->lock);
	}
	list_for_each_entry_safe(skb, next, &found, list) {
		skb_list_del_init(skb);
		vnic_lose_rx(dev, vnic_cell_queue(skb), skb, VNIC_LOSS_DOWN);
	}
}

/**
 * vnic_cell_init() - make the cells
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int vnic_cell_init(void)
{
	struct vnic_cell *cell;
	int cpu;

	vnic_cells = alloc_percpu(struct vnic_cell);
	if (!vnic_cells)
		return -ENOMEM;
	vnic_cell_dev = vnic_alloc_netdev_dummy();
	if (!vnic_cell_dev) {
		free_percpu(vnic_cells);
		return -ENOMEM;
	}
	for_each_possible_cpu(cpu) {
		cell = per_cpu_ptr(vnic_cells, cpu);
		spin_lock_init(&cell->lock);
		INIT_LIST_HEAD(&cell->skbs);
		/* Of no device that anybody knows: nothing to busy-poll. */
		netif_napi_add_tx(vnic_cell_dev, &cell->napi, vnic_cell_poll);
		napi_enable(&cell->napi);
	}
	return 0;
}

/**
 * vnic_cell_exit() - free the cells
 *
 * Context: process; no device is left that could use them.
 */
void vnic_cell_exit(void)
{
	struct vnic_cell *cell;
	int cpu;

	for_each_possible_cpu(cpu) {
		cell = per_cpu_ptr(vnic_cells, cpu);
		napi_disable(&cell->napi);
		netif_napi_del(&cell->napi);
	}
	vnic_free_netdev_dummy(vnic_cell_dev);
	free_percpu(vnic_cells);
}
