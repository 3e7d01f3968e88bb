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
 * meet each other's cache lines, packets of one sender stay in order for as long
 * as it stays on its CPU (so it is with the core's backlog), what one BH section
 * has sent is delivered as one list, and a pair costs no NAPI.
 *
 * The NAPIs hang on a device of our own that is never registered, so nobody
 * can make them threaded; still a cell has a lock, because its packets are
 * also taken by others than its own CPU: by vnic_cell_flush(), and by another
 * CPU's softirq after this one was unplugged. It is never waited for in
 * normal running.
 *
 * A cell has its NAPI all the time, so that nobody else can ever schedule it;
 * whether it is on its way to be polled is for the cell's lock to say. So a
 * packet neither asks for the NAPI nor gives it back, which would take it
 * longer than the cell itself.
 */
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/netdevice.h>
#include <linux/percpu.h>
#include <linux/workqueue.h>

#include "trace.h"
#include "vnic.h"

/* As net.core.netdev_max_backlog, which bounds what veth may have queued. */
#define VNIC_CELL_LIMIT		1000

/**
 * struct vnic_cell - packets that wait for delivery on one CPU
 * @lock: protects @scheduled and @skbs, whose own lock is not used; taken with
 *	bottom halves off
 * @scheduled: @napi is on its way to be polled, and will find what is added.
 *	Cleared by the poll that leaves nothing here
 * @skbs: the packets. They hold no reference to their skb->dev: a device that
 *	goes takes its packets out with vnic_cell_flush()
 * @napi: delivers; ours from vnic_cell_init() to vnic_cell_exit()
 */
struct vnic_cell {
	spinlock_t		lock;	/* scheduled, skbs */
	bool			scheduled;
	struct sk_buff_head	skbs;
	struct napi_struct	napi;
};

static struct vnic_cell __percpu *vnic_cells;
static struct net_device *vnic_cell_dev;

/* The receive queue that the sender has recorded; the first if it has not. */
static unsigned int vnic_cell_queue(const struct sk_buff *skb)
{
	return skb_rx_queue_recorded(skb) ? skb_get_rx_queue(skb) : 0;
}

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
	bool scheduled;

	spin_lock(&cell->lock);
	if (unlikely(skb_queue_len(&cell->skbs) >= VNIC_CELL_LIMIT)) {
		vnic_trace(full, skb->dev, vnic_cell_queue(skb), skb,
			   VNIC_PLACE_CELL, &cell->skbs);
		spin_unlock(&cell->lock);
		return false;
	}
	vnic_trace(queue, skb->dev, vnic_cell_queue(skb), skb, VNIC_PLACE_CELL,
		   &cell->skbs);
	__skb_queue_tail(&cell->skbs, skb);
	scheduled = cell->scheduled;
	cell->scheduled = true;
	spin_unlock(&cell->lock);

	if (!scheduled)
		__napi_schedule(&cell->napi);
	return true;
}

/* There may be fewer of them by now. */
static void vnic_cell_check_queue(struct sk_buff *skb, unsigned int queue)
{
	if (unlikely(queue) &&
	    queue >= READ_ONCE(skb->dev->real_num_rx_queues))
		skb_set_queue_mapping(skb, 0);
}

/*
 * Drop what was sent to a receiver that is down by now: the core believes that
 * a closed device receives nothing after it has waited for RCU, and it may by
 * then be on its way into another namespace. Count the others, a run of
 * packets of one receiver in one go.
 */
static void vnic_cell_admit(struct sk_buff_head *batch)
{
	unsigned int packets = 0, bytes = 0, queue = 0;
	struct net_device *dev = NULL;
	struct sk_buff *skb, *next;
	bool running = false;

	skb_queue_walk_safe(batch, skb, next) {
		if (skb->dev != dev || vnic_cell_queue(skb) != queue) {
			if (packets)
				vnic_count_rx(dev, queue, packets, bytes);
			dev = skb->dev;
			queue = vnic_cell_queue(skb);
			running = netif_running(dev);
			packets = 0;
			bytes = 0;
		}
		vnic_trace(polled, dev, queue, skb, VNIC_PLACE_CELL, batch);
		if (unlikely(!running)) {
			__skb_unlink(skb, batch);
			vnic_lose_rx(dev, queue, skb, VNIC_LOSS_DOWN);
			continue;
		}
		vnic_cell_check_queue(skb, queue);
		vnic_trace(deliver, dev, queue, skb, VNIC_HOW_LIST);
		packets++;
		bytes += vnic_rx_len(skb);
	}
	if (packets)
		vnic_count_rx(dev, queue, packets, bytes);
}

/* The same for one, which is not worth a list: that costs more than it saves. */
static void vnic_cell_deliver_one(struct sk_buff *skb)
{
	unsigned int queue = vnic_cell_queue(skb);
	struct net_device *dev = skb->dev;

	if (unlikely(!netif_running(dev))) {
		vnic_lose_rx(dev, queue, skb, VNIC_LOSS_DOWN);
		return;
	}
	vnic_cell_check_queue(skb, queue);
	vnic_count_rx(dev, queue, 1, vnic_rx_len(skb));
	vnic_trace(deliver, dev, queue, skb, VNIC_HOW_ONE);
	netif_receive_skb(skb);
}

/*
 * Any number of packets; returns what the poll has to. Apart, so that a single
 * one has few registers to save.
 */
static noinline int vnic_cell_poll_many(struct vnic_cell *cell, int budget)
{
	struct sk_buff_head batch;
	int i, done = budget;

	__skb_queue_head_init(&batch);
	spin_lock(&cell->lock);
	if (skb_queue_len(&cell->skbs) <= budget) {
		/* As many as the budget would mean that there are more. */
		done = min_t(int, skb_queue_len(&cell->skbs), budget - 1);
		skb_queue_splice_init(&cell->skbs, &batch);
		cell->scheduled = false;
	} else {
		for (i = 0; i < budget; i++)
			__skb_queue_tail(&batch, __skb_dequeue(&cell->skbs));
	}
	spin_unlock(&cell->lock);

	vnic_cell_admit(&batch);
	if (likely(skb_queue_len(&batch) > 1))
		vnic_receive_list(&batch);
	else if (!skb_queue_empty(&batch))
		netif_receive_skb(__skb_dequeue(&batch));
	return done;
}

/*
 * Nothing is left here: the core lets go of the NAPI, and who adds next puts it
 * on its way again, maybe from under the delivery. Else it is told that the
 * budget was not enough, and comes back.
 */
static int vnic_cell_poll(struct napi_struct *napi, int budget)
{
	struct vnic_cell *cell = container_of(napi, struct vnic_cell, napi);
	struct sk_buff *skb;

	spin_lock(&cell->lock);
	if (skb_queue_len(&cell->skbs) != 1) {
		spin_unlock(&cell->lock);
		return vnic_cell_poll_many(cell, budget);
	}
	skb = cell->skbs.next;
	__skb_unlink(skb, &cell->skbs);
	cell->scheduled = false;
	spin_unlock(&cell->lock);
	vnic_trace(polled, skb->dev, vnic_cell_queue(skb), skb,
		   VNIC_PLACE_CELL, &cell->skbs);
	vnic_cell_deliver_one(skb);
	return 1;
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
	struct sk_buff_head found;
	struct vnic_cell *cell;
	int cpu;

	__skb_queue_head_init(&found);
	for_each_possible_cpu(cpu) {
		cell = per_cpu_ptr(vnic_cells, cpu);
		spin_lock_bh(&cell->lock);
		skb_queue_walk_safe(&cell->skbs, skb, next) {
			if (skb->dev != dev)
				continue;
			__skb_unlink(skb, &cell->skbs);
			__skb_queue_tail(&found, skb);
		}
		spin_unlock_bh(&cell->lock);
	}
	while ((skb = __skb_dequeue(&found)))
		vnic_lose_rx(dev, vnic_cell_queue(skb), skb, VNIC_LOSS_DOWN);
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
		__skb_queue_head_init(&cell->skbs);
		/* Of no device that anybody knows: nothing to busy-poll. */
		netif_napi_add_tx(vnic_cell_dev, &cell->napi, vnic_cell_poll);
		napi_enable(&cell->napi);
		napi_schedule_prep(&cell->napi);
	}
	return 0;
}

/* On its own CPU: its softirq, with nothing to deliver. */
static long vnic_cell_run(void *unused)
{
	struct vnic_cell *cell;
	bool scheduled;

	local_bh_disable();
	cell = this_cpu_ptr(vnic_cells);
	spin_lock(&cell->lock);
	scheduled = cell->scheduled;
	cell->scheduled = true;
	spin_unlock(&cell->lock);
	if (!scheduled)
		__napi_schedule(&cell->napi);
	local_bh_enable();
	return 0;
}

/*
 * A packet that one CPU has read from a socket and another has made may wait
 * for the next softirq of that other one to be freed; with nothing to do that
 * CPU would keep it, and our page, for ever.
 */
static void vnic_cell_run_all(void)
{
	int cpu;

	/* One that has gone offline has freed them. */
	cpus_read_lock();
	for_each_online_cpu(cpu)
		work_on_cpu(cpu, vnic_cell_run, NULL);
	cpus_read_unlock();
}

/**
 * vnic_cell_exit() - free the cells
 *
 * Packets that the core has put off freeing are freed.
 *
 * Context: process; no device is left that could use them.
 */
void vnic_cell_exit(void)
{
	struct vnic_cell *cell;
	int cpu;

	vnic_cell_run_all();
	for_each_possible_cpu(cpu) {
		cell = per_cpu_ptr(vnic_cells, cpu);
		/* Its packets were flushed, but it may not have come round. */
		while (READ_ONCE(cell->scheduled))
			usleep_range(20, 200);
		napi_complete(&cell->napi);
		napi_disable(&cell->napi);
		netif_napi_del(&cell->napi);
	}
	vnic_free_netdev_dummy(vnic_cell_dev);
	free_percpu(vnic_cells);
}
