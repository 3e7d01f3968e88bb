// SPDX-License-Identifier: GPL-2.0
/*
 * vnic_bench - packets from nowhere, to see what a device costs
 *
 *	ioctl --> skbs are made --> clock --> transmit --> softirqs --> clock
 *
 * pktgen makes each packet while it measures, which costs more than most
 * virtual devices do with it. Here the packets are there before the clock is
 * read, and all that is between its two readings is the device, the core on the
 * way to it, and whoever receives.
 */
#include <linux/debugfs.h>
#include <linux/etherdevice.h>
#include <linux/fs.h>
#include <linux/interrupt.h>
#include <linux/ip.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/nsproxy.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/tick.h>
#include <linux/uaccess.h>
#include <net/net_namespace.h>

#include "vnic_bench.h"

static struct dentry *bench_file;

/* As a socket would have allocated it: with the room that the device asks for. */
static struct sk_buff *bench_skb(struct net_device *dev, const void *frame,
				 unsigned int len)
{
	unsigned int room = LL_RESERVED_SPACE(dev);
	struct sk_buff *skb;

	skb = alloc_skb(room + len + dev->needed_tailroom, GFP_KERNEL);
	if (!skb)
		return NULL;
	skb_reserve(skb, room);
	skb_put_data(skb, frame, len);
	skb_reset_mac_header(skb);
	skb_set_network_header(skb, ETH_HLEN);
	skb_set_transport_header(skb, ETH_HLEN + sizeof(struct iphdr));
	skb->protocol = eth_hdr(skb)->h_proto;
	skb->dev = dev;
	return skb;
}

/* What the processor was asked to do later, it has done. */
static void bench_finish(void)
{
	while (local_softirq_pending()) {
		local_bh_disable();
		local_bh_enable();
		/* ksoftirqd may have been asked, and then has to run. */
		if (local_softirq_pending())
			schedule();
	}
}

static unsigned int bench_single(struct sk_buff **skbs, unsigned int count)
{
	unsigned int i, refused = 0;

	for (i = 0; i < count; i++)
		refused += !!dev_queue_xmit(skbs[i]);
	return refused;
}

static unsigned int bench_burst(struct sk_buff **skbs, unsigned int count,
				unsigned int burst)
{
	unsigned int i, refused = 0;

	while (count) {
		burst = min(burst, count);
		local_bh_disable();
		for (i = 0; i < burst; i++)
			refused += !!dev_queue_xmit(skbs[i]);
		local_bh_enable();
		skbs += burst;
		count -= burst;
	}
	return refused;
}

static unsigned int bench_start(struct net_device *dev, struct sk_buff **skbs,
				unsigned int count, unsigned int burst)
{
	struct netdev_queue *txq = netdev_get_tx_queue(dev, 0);
	unsigned int i, refused = 0;
	int cpu;

	while (count) {
		burst = min(burst, count);
		local_bh_disable();
		cpu = smp_processor_id();
		HARD_TX_LOCK(dev, txq, cpu);
		for (i = 0; i < burst; i++) {
			if (!dev_xmit_complete(netdev_start_xmit(skbs[i], dev,
								 txq,
								 i + 1 < burst))) {
				kfree_skb(skbs[i]);
				refused++;
			}
		}
		HARD_TX_UNLOCK(dev, txq);
		local_bh_enable();
		skbs += burst;
		count -= burst;
	}
	return refused;
}

static int bench_run(struct net_device *dev, struct bench_xmit *xmit,
		     struct sk_buff **skbs)
{
	u64 start;

	if (!netif_running(dev))
		return -ENETDOWN;
	/* Nothing of what was before is for the clock. */
	bench_finish();
	start = ktime_get_ns();
	bench_mark(xmit->mark);
	switch (xmit->mode) {
	case BENCH_SINGLE:
		xmit->refused = bench_single(skbs, xmit->count);
		break;
	case BENCH_BURST:
		xmit->refused = bench_burst(skbs, xmit->count, xmit->burst);
		break;
	default:
		xmit->refused = bench_start(dev, skbs, xmit->count,
					    xmit->burst);
		break;
	}
	bench_finish();
	bench_mark(BENCH_MARK_NONE);
	xmit->ns = ktime_get_ns() - start;
	return 0;
}

static int bench_xmit(struct bench_xmit *xmit)
{
	struct sk_buff **skbs = NULL;
	struct net_device *dev;
	unsigned int i = 0;
	void *frame;
	int err;

	if (xmit->len < ETH_HLEN + sizeof(struct iphdr) ||
	    xmit->len > BENCH_FRAME_MAX || !xmit->count ||
	    xmit->count > BENCH_COUNT_MAX || xmit->mode > BENCH_START ||
	    (xmit->mode != BENCH_SINGLE && !xmit->burst))
		return -EINVAL;
	dev = dev_get_by_index(current->nsproxy->net_ns, xmit->ifindex);
	if (!dev)
		return -ENODEV;
	frame = memdup_user(u64_to_user_ptr(xmit->frame), xmit->len);
	if (IS_ERR(frame)) {
		err = PTR_ERR(frame);
		goto put_dev;
	}
	err = -ENOMEM;
	skbs = kvmalloc_array(xmit->count, sizeof(*skbs), GFP_KERNEL);
	if (!skbs)
		goto free_frame;
	for (; i < xmit->count; i++) {
		skbs[i] = bench_skb(dev, frame, xmit->len);
		if (!skbs[i])
			goto free_skbs;
	}
	err = bench_run(dev, xmit, skbs);
	if (!err)
		i = 0;
free_skbs:
	while (i--)
		kfree_skb(skbs[i]);
	kvfree(skbs);
free_frame:
	kfree(frame);
put_dev:
	dev_put(dev);
	return err;
}

static u64 bench_idle(void)
{
	u64 idle = 0;
	int cpu;

	for_each_online_cpu(cpu)
		idle += get_cpu_idle_time_us(cpu, NULL) * NSEC_PER_USEC;
	return idle;
}

static long bench_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *user = (void __user *)arg;
	struct bench_xmit xmit;
	u64 idle;
	int err;

	switch (cmd) {
	case BENCH_XMIT:
		if (copy_from_user(&xmit, user, sizeof(xmit)))
			return -EFAULT;
		err = bench_xmit(&xmit);
		if (err)
			return err;
		return copy_to_user(user, &xmit, sizeof(xmit)) ? -EFAULT : 0;
	case BENCH_IDLE:
		idle = bench_idle();
		return copy_to_user(user, &idle, sizeof(idle)) ? -EFAULT : 0;
	default:
		return -ENOTTY;
	}
}

static const struct file_operations bench_fops = {
	.owner		= THIS_MODULE,
	.unlocked_ioctl	= bench_ioctl,
};

static int __init bench_init(void)
{
	bench_file = debugfs_create_file_unsafe("vnic_bench", 0600, NULL, NULL,
						&bench_fops);
	return PTR_ERR_OR_ZERO(bench_file);
}

static void __exit bench_exit(void)
{
	debugfs_remove(bench_file);
}

module_init(bench_init);
module_exit(bench_exit);
MODULE_DESCRIPTION("Packets made beforehand, for measuring devices");
MODULE_LICENSE("GPL");
