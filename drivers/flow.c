// SPDX-License-Identifier: GPL-2.0
/*
 * flow - which queue a packet of the stack goes to
 *
 * A program with many queues mostly has a thread for each. What a thread has
 * sent tells which flows it serves: the answers go to its queue too. Flows of
 * which nothing is known are spread by their hash; a BPF program may decide
 * instead (TUNSETSTEERINGEBPF).
 *
 * Learn: a table that is read and written by all CPUs without a lock, because
 * an entry is one word, and because a wrong entry costs order, not packets.
 */
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/jiffies.h>
#include <linux/netdevice.h>

#include "vnic.h"

/* After this time without a packet from the program a flow is forgotten. */
#define VNIC_FLOW_LIFE		(3 * HZ)

/* A flow may be in one of so many entries; one more displaces the oldest. */
#define VNIC_FLOW_WAYS		4

/* Bits of an entry. The time has eight ticks a life, so 16 bits last. */
#define VNIC_FLOW_TICK		(VNIC_FLOW_LIFE / 8)
#define VNIC_FLOW_LIFE_TICKS	8

static u16 vnic_flow_now(void)
{
	return jiffies / VNIC_FLOW_TICK;
}

static u64 vnic_flow_pack(u32 hash, u16 index, u16 time)
{
	return (u64)hash << 32 | (u32)index << 16 | time;
}

static u16 vnic_flow_index(u64 entry)
{
	return entry >> 16;
}

/* Ticks since it was learnt; more than a life for one that is empty. */
static unsigned int vnic_flow_age(u64 entry)
{
	u16 age = vnic_flow_now() - (u16)entry;

	return entry ? age : U16_MAX;
}

static bool vnic_flow_alive(u64 entry)
{
	return vnic_flow_age(entry) <= VNIC_FLOW_LIFE_TICKS;
}

/* The first of the few entries in which the flow may be. */
static atomic64_t *vnic_flow_bucket(struct vnic_flows *flows, u32 hash)
{
	BUILD_BUG_ON(ARRAY_SIZE(flows->entry) % VNIC_FLOW_WAYS);
	hash %= ARRAY_SIZE(flows->entry) / VNIC_FLOW_WAYS;
	return &flows->entry[hash * VNIC_FLOW_WAYS];
}

/* Where it is, or else where it should be: in place of the oldest one there. */
static atomic64_t *vnic_flow_place(struct vnic_flows *flows, u32 hash)
{
	atomic64_t *way = vnic_flow_bucket(flows, hash), *oldest = way;
	unsigned int age, most = 0, i;

	for (i = 0; i < VNIC_FLOW_WAYS; i++, way++) {
		u64 entry = atomic64_read(way);

		if (entry && entry >> 32 == hash)
			return way;
		age = vnic_flow_age(entry);
		if (age > most) {
			most = age;
			oldest = way;
		}
	}
	return oldest;
}

/**
 * vnic_flow_init() - from now on there are flows to be told apart
 * @port: a device that is about to have a second queue
 *
 * Context: process, RTNL held.
 * Return: 0 or -ENOMEM.
 */
int vnic_flow_init(struct vnic_port *port)
{
	struct vnic_flows *flows;

	if (rtnl_dereference(port->flows))
		return 0;
	flows = kvzalloc(sizeof(*flows), GFP_KERNEL_ACCOUNT);
	if (!flows)
		return -ENOMEM;
	rcu_assign_pointer(port->flows, flows);
	return 0;
}

/**
 * vnic_flow_exit() - the device goes
 * @port: the device, which nobody uses any more
 *
 * Context: process.
 */
void vnic_flow_exit(struct vnic_port *port)
{
	kvfree(rcu_dereference_protected(port->flows, true));
	RCU_INIT_POINTER(port->flows, NULL);
}

/**
 * vnic_flow_learn() - a queue has sent a packet of this flow
 * @port: the device
 * @hash: vnic_flow_hash() of the packet
 * @index: the queue's slot
 *
 * Context: RCU or bottom halves off.
 */
void vnic_flow_learn(struct vnic_port *port, u32 hash, unsigned int index)
{
	struct vnic_flows *flows = rcu_dereference_bh_check(port->flows,
							    rcu_read_lock_held());
	u64 entry = vnic_flow_pack(hash, index, vnic_flow_now());
	atomic64_t *slot;

	if (!flows || index == VNIC_NO_SLOT)
		return;
	slot = vnic_flow_place(flows, hash);
	/* A line that has not changed stays in everybody's cache. */
	if (atomic64_read(slot) != entry)
		atomic64_set(slot, entry);
	/* The program's CPU is where the flow is served: RFS may want it. */
	sock_rps_record_flow_hash(hash);
}

/**
 * vnic_flow_move() - a queue has changed its slot, or has lost it
 * @port: the device
 * @from: the slot that it had
 * @to: the slot that it has, or VNIC_NO_SLOT to forget its flows
 *
 * Context: process, RTNL held.
 */
void vnic_flow_move(struct vnic_port *port, unsigned int from,
		    unsigned int to)
{
	struct vnic_flows *flows = rtnl_dereference(port->flows);
	unsigned int i;
	u64 old, new;

	for (i = 0; flows && i < ARRAY_SIZE(flows->entry); i++) {
		old = atomic64_read(&flows->entry[i]);
		if (!old || vnic_flow_index(old) != from)
			continue;
		new = to == VNIC_NO_SLOT ? 0 :
		      vnic_flow_pack(old >> 32, to, old);
		/* Unless a packet was faster, which knows better. */
		atomic64_cmpxchg(&flows->entry[i], old, new);
	}
}

/* Returns VNIC_NO_SLOT for a flow of which nothing is known. */
static u16 vnic_flow_find(struct vnic_port *port, u32 hash)
{
	struct vnic_flows *flows = rcu_dereference(port->flows);
	u64 entry;

	if (!flows)
		return VNIC_NO_SLOT;
	entry = atomic64_read(vnic_flow_place(flows, hash));
	if (entry >> 32 != hash || !vnic_flow_alive(entry))
		return VNIC_NO_SLOT;
	return vnic_flow_index(entry);
}

/**
 * vnic_flow_select() - ndo_select_queue of vntun and vntap
 * @dev: the device
 * @skb: the packet
 * @sb_dev: a device above that may have queues of its own; none has here
 *
 * Context: bottom halves off.
 * Return: a slot; the core corrects one that is not in use.
 */
u16 vnic_flow_select(struct net_device *dev, struct sk_buff *skb,
		     struct net_device *sb_dev)
{
	struct vnic_port *port = netdev_priv(dev);
	unsigned int numqueues = READ_ONCE(port->numqueues);
	struct vnic_prog *steering;
	u16 index = 0;
	u32 hash;

	if (!numqueues)
		return 0;
	rcu_read_lock();
	steering = rcu_dereference(port->steering);
	if (steering) {
		index = bpf_prog_run_clear_cb(steering->prog, skb);
		index %= numqueues;
	} else {
		hash = vnic_flow_hash(skb);
		index = vnic_flow_find(port, hash);
		if (index >= numqueues)
			index = reciprocal_scale(hash, numqueues);
	}
	rcu_read_unlock();
	return index;
}
