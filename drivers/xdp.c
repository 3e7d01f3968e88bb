// SPDX-License-Identifier: GPL-2.0
/*
 * xdp - XDP programs on a vntap
 *
 *	program --> frame --> [XDP] --> skb --> stack
 *	                        |
 *	                        +--> drop, back to a program, another device
 *
 * Frames that fit into a page and are no segments to be cut are seen before
 * there is an skb; the others by the core's generic XDP.
 */
#include <linux/bpf_trace.h>
#include <linux/filter.h>
#include <linux/skbuff.h>
#include <linux/uio.h>
#include <net/xdp.h>

#include "trace.h"
#include "vnic.h"

/*
 * ndo_xdp_xmit under another name: frames for the program at the other end,
 * into the ring of the CPU. Returns how many there was room for.
 */
static int vnic_xdp_put(struct vnic_port *port, int n,
			struct xdp_frame **frames, bool wake)
{
	unsigned int numqueues = READ_ONCE(port->numqueues);
	struct vnic_queue *queue = NULL;
	unsigned int index;
	int i;

	index = numqueues ? smp_processor_id() % numqueues : 0;
	queue = rcu_dereference(port->slots[index].queue);
	if (!queue)
		return -ENXIO;
	for (i = 0; i < n; i++) {
		/* For whoever has to count it as lost: see vnic_queue. */
		frames[i]->dev_rx = (void *)queue;
		if (!vnic_queue_put(port, queue, vnic_ring_from_xdp(frames[i])))
			break;
	}
	vnic_count(port, index, VNIC_TX_XDP, i);
	/* Who has them in shared memory was woken, if it waits for that. */
	if (wake && !vnic_shared_has_recv(queue))
		vnic_queue_wake_reader(port, queue);
	return i;
}

/**
 * vnic_xdp_xmit() - ndo_xdp_xmit of vntap
 * @dev: the device
 * @n: how many frames
 * @frames: them; those that were taken are ours
 * @flags: XDP_XMIT_FLUSH to wake the reader
 *
 * Context: softirq, or process with bottom halves off; RCU.
 * Return: how many were taken, -EINVAL for other flags, -ENXIO if no program
 * is there; the caller frees the others.
 */
int vnic_xdp_xmit(struct net_device *dev, int n, struct xdp_frame **frames,
		  u32 flags)
{
	struct vnic_port *port = netdev_priv(dev);
	int i, sent;

	if (flags & ~XDP_XMIT_FLAGS_MASK)
		return -EINVAL;
	rcu_read_lock();
	sent = vnic_xdp_put(port, n, frames, flags & XDP_XMIT_FLUSH);
	rcu_read_unlock();
	for (i = max(sent, 0); i < n; i++)
		vnic_count_loss(port, VNIC_NO_SLOT,
				vnic_ring_from_xdp(frames[i]),
				sent < 0 ? VNIC_TX_NO_QUEUE : VNIC_TX_FULL);
	return sent;
}

/* Returns false if the frame could not be sent and its page is still ours. */
static bool vnic_xdp_tx(struct vnic_port *port, struct xdp_buff *xdp)
{
	struct xdp_frame *frame = xdp_convert_buff_to_frame(xdp);

	return frame && vnic_xdp_put(port, 1, &frame, true) == 1;
}

/*
 * Do what the program says. Returns true if the frame goes on to the stack;
 * else it is gone, or its page is dropped by who calls.
 */
static bool vnic_xdp_act(struct vnic_port *port, struct vnic_queue *queue,
			 struct bpf_prog *prog, struct xdp_buff *xdp,
			 struct page *page)
{
	unsigned int len = xdp->data_end - xdp->data;
	enum vnic_counter counter = VNIC_RX_XDP_DROP;
	u32 act = bpf_prog_run_xdp(prog, xdp);

	vnic_trace(xdp, port->dev, queue->index, NULL, len, act);
	switch (act) {
	case XDP_PASS:
		return true;
	case XDP_TX:
		get_page(page);
		if (vnic_xdp_tx(port, xdp)) {
			counter = VNIC_RX_XDP_TX;
			break;
		}
		put_page(page);
		counter = VNIC_RX_XDP_ERROR;
		trace_xdp_exception(port->dev, prog, act);
		break;
	case XDP_REDIRECT:
		get_page(page);
		if (!xdp_do_redirect(port->dev, xdp, prog)) {
			xdp_do_flush();
			counter = VNIC_RX_XDP_REDIRECT;
			break;
		}
		put_page(page);
		counter = VNIC_RX_XDP_ERROR;
		break;
	default:
		bpf_warn_invalid_xdp_action(port->dev, prog, act);
		fallthrough;
	case XDP_ABORTED:
		trace_xdp_exception(port->dev, prog, act);
		counter = VNIC_RX_XDP_ERROR;
		break;
	case XDP_DROP:
		break;
	}
	if (counter != VNIC_RX_XDP_TX && counter != VNIC_RX_XDP_REDIRECT) {
		vnic_count_loss(port, queue->index, NULL, counter);
		return false;
	}
	vnic_count(port, queue->index, counter, 1);
	vnic_count_packets(port, queue->index, VNIC_RX_PACKETS, 1, len);
	return false;
}

/* Run the program over a frame in a page. Returns what of it is left. */
static bool vnic_xdp_run(struct vnic_port *port, struct vnic_queue *queue,
			 struct xdp_buff *xdp, struct page *page)
{
	struct bpf_net_context storage, *context;
	struct bpf_prog *prog;
	bool pass = true;

	local_bh_disable();
	rcu_read_lock();
	context = bpf_net_ctx_set(&storage);
	/* Gone since it was seen: nobody wants to look any more. */
	prog = rcu_dereference(port->xdp);
	/* The queue's rxq is not registered without a device. */
	if (prog && rcu_access_pointer(queue->port) == port)
		pass = vnic_xdp_act(port, queue, prog, xdp, page);
	bpf_net_ctx_clear(context);
	rcu_read_unlock();
	local_bh_enable();
	return pass;
}

/**
 * vnic_xdp_small() - vnic_frame_small() with a look at it by XDP
 * @port: the device, which is up
 * @queue: the queue
 * @from: the frame
 * @len: its bytes, all of @from
 * @room: bytes to leave in front of it, XDP_PACKET_HEADROOM included
 *
 * Context: process.
 * Return: the frame; NULL if XDP has taken and counted it; or ERR_PTR(-ENOMEM)
 * or (-EFAULT).
 */
struct sk_buff *vnic_xdp_small(struct vnic_port *port, struct vnic_queue *queue,
			       struct iov_iter *from, size_t len, size_t room)
{
	struct xdp_buff xdp;
	struct sk_buff *skb;
	int metasize;
	size_t size;
	void *buf;

	buf = vnic_frame_page(from, len, room, &size);
	if (IS_ERR(buf))
		return ERR_CAST(buf);
	xdp_init_buff(&xdp, size, &queue->rxq);
	xdp_prepare_buff(&xdp, buf, room, len, true);
	if (!vnic_xdp_run(port, queue, &xdp, virt_to_head_page(buf)))
		return NULL;

	skb = build_skb(buf, size);
	if (!skb)
		return ERR_PTR(-ENOMEM);
	get_page(virt_to_head_page(buf));
	skb_reserve(skb, xdp.data - xdp.data_hard_start);
	skb_put(skb, xdp.data_end - xdp.data);
	metasize = xdp.data - xdp.data_meta;
	if (metasize > 0)
		skb_metadata_set(skb, metasize);
	return skb;
}

/**
 * vnic_xdp_generic() - XDP for a frame that is an skb already
 * @port: the device
 * @queue: the queue
 * @skb: the frame, as eth_type_trans() has left it
 *
 * Context: process.
 * Return: the frame, or NULL if XDP has taken it.
 */
struct sk_buff *vnic_xdp_generic(struct vnic_port *port,
				 struct vnic_queue *queue, struct sk_buff *skb)
{
	unsigned int len = vnic_port_len(port, skb);
	struct bpf_prog *prog;
	u32 act = XDP_PASS;

	local_bh_disable();
	rcu_read_lock();
	prog = rcu_dereference(port->xdp);
	vnic_port_record(port, queue, skb);
	if (prog) {
		act = vnic_do_xdp_generic(prog, &skb);
		/* The packet may be gone. Of those that do, it tells no more. */
		vnic_trace(xdp, port->dev, queue->index,
			   act == XDP_PASS ? skb : NULL, len, act);
	}
	if (act != XDP_PASS) {
		vnic_count(port, queue->index, VNIC_RX_XDP_GENERIC, 1);
		vnic_count_packets(port, queue->index, VNIC_RX_PACKETS, 1,
				   len);
		skb = NULL;
	}
	rcu_read_unlock();
	local_bh_enable();
	return skb;
}

/**
 * vnic_xdp_setup() - ndo_bpf of vntap
 * @dev: the device
 * @bpf: what is asked
 *
 * Context: process, RTNL held.
 * Return: 0 or -EINVAL.
 */
int vnic_xdp_setup(struct net_device *dev, struct netdev_bpf *bpf)
{
	struct vnic_port *port = netdev_priv(dev);
	struct bpf_prog *old;

	if (bpf->command != XDP_SETUP_PROG)
		return -EINVAL;
	old = rtnl_dereference(port->xdp);
	rcu_assign_pointer(port->xdp, bpf->prog);
	/* It waits for its runners itself. */
	if (old)
		bpf_prog_put(old);
	return 0;
}
