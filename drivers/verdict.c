// SPDX-License-Identifier: GPL-2.0
/*
 * verdict - what an XDP program decides about a packet in a receive queue
 *
 *	ring --> [program] --> stack		XDP_PASS
 *	             |
 *	             +--> nowhere		XDP_DROP, XDP_ABORTED
 *	             +--> the sender		XDP_TX
 *	             +--> another device, CPU, program	XDP_REDIRECT
 *
 * A packet of the stack is shown to the program where it lies, if it is in one
 * piece that is nobody else's and has room in front of it; the sender is asked
 * to leave that room. Else it is copied. Passed on or sent back it stays the
 * packet it was, with its checksum and segments still to be made by whoever
 * lets it out of the machine. Redirected it becomes a frame, which can carry
 * nothing of that: it is then cut, and its checksum and VLAN tag written.
 */
#include <linux/bpf_trace.h>
#include <linux/etherdevice.h>
#include <linux/filter.h>
#include <linux/if_vlan.h>
#include <linux/skbuff.h>
#include <net/xdp.h>

#include "trace.h"
#include "vnic.h"

/* What a frame is made of that we make: pages of nobody's pool. */
static void vnic_verdict_own_mem(struct vnic_rxq *rxq)
{
	rxq->xdp.mem = (struct xdp_mem_info) { .type = MEM_TYPE_PAGE_SHARED };
}

/* Can the program see, and write to, the packet where it lies? */
static bool vnic_verdict_in_place(struct sk_buff *skb)
{
	if (skb_is_nonlinear(skb) || skb_shared(skb) || skb_zcopy(skb) ||
	    skb_headroom(skb) < XDP_PACKET_HEADROOM ||
	    vnic_frame_size(skb) > PAGE_SIZE)
		return false;
	return !skb_cloned(skb) || skb_clone_writable(skb, skb->len);
}

/* The packet as the program will see it. */
static __always_inline void vnic_verdict_show(struct vnic_rxq *rxq,
					      struct sk_buff *skb,
					      struct xdp_buff *xdp)
{
	xdp_init_buff(xdp, vnic_frame_size(skb), &rxq->xdp);
	xdp_prepare_buff(xdp, skb->head, skb_headroom(skb), skb_headlen(skb),
			 true);
	/* Where the program lets go of a page, it goes back to its pool. */
	rxq->xdp.mem.type = skb->pp_recycle ? MEM_TYPE_PAGE_POOL :
					      MEM_TYPE_PAGE_SHARED;
	if (skb_is_nonlinear(skb)) {
		skb_shinfo(skb)->xdp_frags_size = skb->data_len;
		xdp_buff_set_frags_flag(xdp);
	}
}

/* Where a checksum is still to be written, is that in the packet? */
static bool vnic_verdict_csum_inside(const struct sk_buff *skb)
{
	int start = skb_checksum_start_offset(skb);

	return start >= 0 && start + skb->csum_offset + sizeof(__sum16) <=
			     skb_headlen(skb);
}

/* The packet as the program has left it. */
static void vnic_verdict_take(struct vnic_rxq *rxq, struct sk_buff *skb,
			      struct xdp_buff *xdp)
{
	int meta = xdp->data - xdp->data_meta;
	unsigned int len = skb->len;

	vnic_verdict_own_mem(rxq);
	skb->data = xdp->data;
	skb_set_tail_pointer(skb, xdp->data_end - xdp->data);
	skb->data_len = 0;
	if (xdp_buff_has_frags(xdp))
		skb->data_len = skb_shinfo(skb)->xdp_frags_size;
	skb->len = xdp->data_end - xdp->data + skb->data_len;
	skb_reset_mac_header(skb);
	if (meta > 0)
		skb_metadata_set(skb, meta);
	else
		skb_metadata_clear(skb);

	/* What was known of the packet as it was, it may be no more. */
	if (skb->ip_summed == CHECKSUM_COMPLETE ||
	    (skb->ip_summed == CHECKSUM_PARTIAL &&
	     !vnic_verdict_csum_inside(skb)))
		skb->ip_summed = CHECKSUM_NONE;
	if (skb_is_gso(skb) && skb->len != len) {
		skb_shinfo(skb)->gso_type |= SKB_GSO_DODGY;
		skb_shinfo(skb)->gso_segs = 0;
	}
}

/*
 * Frames for where XDP_TX sends to: the peer, or with vndummy nowhere. Not
 * into its own loopback, where the program would have them for ever. Returns
 * how many were taken.
 */
static int vnic_verdict_send(struct net_device *dev, int n,
			     struct xdp_frame **frames)
{
	struct vnic_link *link = netdev_priv(dev);
	struct net_device *peer;
	int i;

	if (dev->rtnl_link_ops == &vnveth_link_ops) {
		peer = rcu_dereference(link->peer);
		if (peer)
			return vnic_xdpxmit(dev, peer, n, frames);
		vnic_stats_add(dev, 0, VNIC_STAT_TX_LOST + VNIC_LOSS_DOWN, n);
		return 0;
	}
	for (i = 0; i < n; i++) {
		vnic_count_tx(dev, 0, xdp_get_frame_len(frames[i]));
		xdp_return_frame(frames[i]);
	}
	return n;
}

static void vnic_verdict_flush_tx(struct vnic_rxq *rxq)
{
	struct net_device *dev = rxq->dev;
	int i, sent;

	sent = vnic_verdict_send(dev, rxq->bulked, rxq->bulk);
	for (i = sent; i < rxq->bulked; i++)
		xdp_return_frame(rxq->bulk[i]);
	trace_xdp_bulk_tx(dev, sent, rxq->bulked - sent, 0);
	vnic_stats_add(dev, rxq->index, VNIC_STAT_RX_XDP_TX, sent);
	vnic_stats_add(dev, rxq->index, VNIC_STAT_RX_XDP_TX_ERROR,
		       rxq->bulked - sent);
	rxq->bulked = 0;
}

/* Not yet: many go in one go. */
static void vnic_verdict_drop(struct vnic_rxq *rxq, struct sk_buff *skb)
{
	skb->next = rxq->dropped;
	rxq->dropped = skb;
	rxq->drops++;
}

static void vnic_verdict_flush_drops(struct vnic_rxq *rxq)
{
	vnic_lose_rx_list(rxq->dev, rxq->index, rxq->dropped, rxq->drops,
			  VNIC_LOSS_XDP);
	rxq->dropped = NULL;
	rxq->drops = 0;
}

/**
 * vnic_verdict_flush() - do what the verdicts of a round have left to do
 * @rxq: the queue
 *
 * Context: the queue's poll; RCU.
 */
void vnic_verdict_flush(struct vnic_rxq *rxq)
{
	vnic_stats_add(rxq->dev, rxq->index, VNIC_STAT_RX_XDP_REDIRECT,
		       rxq->redirects);
	rxq->redirects = 0;
	vnic_stats_add(rxq->dev, rxq->index, VNIC_STAT_RX_XDP_TX, rxq->sent);
	rxq->sent = 0;
	if (rxq->drops)
		vnic_verdict_flush_drops(rxq);
	if (rxq->bulked)
		vnic_verdict_flush_tx(rxq);
	if (rxq->redirected)
		xdp_do_flush();
	rxq->redirected = false;
}

/* Send a packet back; what it lacks, the next one to need it will make. */
static void vnic_verdict_tx_skb(struct vnic_rxq *rxq, struct sk_buff *skb)
{
	struct net_device *dev = rxq->dev;
	unsigned int queue = rxq->index % dev->real_num_tx_queues;
	unsigned int len = skb->len;
	netdev_tx_t sent;

	vnic_count_rx(dev, rxq->index, 1, len);
	if (dev->rtnl_link_ops != &vnveth_link_ops) {
		vnic_count_tx(dev, queue, len);
		rxq->sent++;
		napi_consume_skb(skb, 1);
		return;
	}
	skb->dev = dev;
	skb_set_queue_mapping(skb, queue);
	sent = dev->netdev_ops->ndo_start_xmit(skb, dev);
	if (likely(sent == NETDEV_TX_OK)) {
		rxq->sent++;
		return;
	}
	/* Full, and here is no qdisc that could keep it. */
	if (sent == NETDEV_TX_BUSY)
		vnic_lose_tx(dev, queue, skb, VNIC_LOSS_FULL);
	vnic_stats_add(dev, rxq->index, VNIC_STAT_RX_XDP_TX_ERROR, 1);
}

/*
 * The packet in pages that its frame will own: its own ones, with a reference
 * more, if it has any; else new ones. Returns false if there is no room.
 */
static bool vnic_verdict_to_pages(struct vnic_rxq *rxq, struct sk_buff *skb,
				  struct xdp_buff *xdp)
{
	unsigned int i, size, meta = skb_metadata_len(skb);
	void *head = skb->head;

	size = vnic_frame_size(skb);
	if (!skb_head_is_locked(skb) && size <= PAGE_SIZE &&
	    skb_headroom(skb) >= sizeof(struct xdp_frame) + meta) {
		vnic_verdict_show(rxq, skb, xdp);
		get_page(virt_to_head_page(head));
		for (i = 0; i < skb_shinfo(skb)->nr_frags; i++)
			skb_frag_ref(skb, i);
	} else {
		size = SKB_DATA_ALIGN(XDP_PACKET_HEADROOM + skb->len) +
		       SKB_DATA_ALIGN(sizeof(struct skb_shared_info));
		head = size <= PAGE_SIZE ? napi_alloc_frag(size) : NULL;
		if (!head)
			return false;
		if (skb_is_nonlinear(skb))
			skb_copy_bits(skb, -(int)meta,
				      head + XDP_PACKET_HEADROOM - meta,
				      skb->len + meta);
		else
			memcpy(head + XDP_PACKET_HEADROOM - meta,
			       skb->data - meta, skb->len + meta);
		xdp_init_buff(xdp, size, &rxq->xdp);
		xdp_prepare_buff(xdp, head, XDP_PACKET_HEADROOM, skb->len,
				 true);
	}
	xdp->data_meta = xdp->data - meta;
	vnic_verdict_own_mem(rxq);
	return true;
}

/*
 * The frame in its memory will become a packet again, which keeps account of
 * that memory where this one does. So this one has to be done with it now;
 * newer kernels leave packets that another CPU has made to that CPU.
 */
static void vnic_verdict_let_go(struct sk_buff *skb)
{
	if (likely(skb->alloc_cpu == smp_processor_id()))
		napi_consume_skb(skb, 1);
	else
		consume_skb(skb);
}

/* One frame's worth of a packet. Takes the packet; returns if it was sent. */
static bool vnic_verdict_redirect_one(struct vnic_rxq *rxq,
				      struct bpf_prog *prog,
				      struct sk_buff *skb)
{
	struct xdp_buff xdp __uninitialized;

	if (!vnic_verdict_to_pages(rxq, skb, &xdp)) {
		kfree_skb_reason(skb, SKB_DROP_REASON_NOMEM);
		return false;
	}
	vnic_verdict_let_go(skb);
	if (xdp_do_redirect(rxq->dev, &xdp, prog)) {
		xdp_return_buff(&xdp);
		return false;
	}
	rxq->redirected = true;
	return true;
}

/* Where to is remembered for one frame only: remember it for each segment. */
static bool vnic_verdict_redirect_segments(struct vnic_rxq *rxq,
					   struct bpf_prog *prog,
					   struct sk_buff *segments)
{
	struct bpf_redirect_info *info = vnic_redirect_info();
	struct bpf_redirect_info where = *info;
	struct sk_buff *skb, *next;
	bool sent = true;

	skb_list_walk_safe(segments, skb, next) {
		/* What was set meanwhile is about lists to be flushed. */
		where.kern_flags = info->kern_flags;
		*info = where;
		skb_mark_not_on_list(skb);
		sent &= vnic_verdict_redirect_one(rxq, prog, skb);
	}
	return sent;
}

/* Takes the packet if it has become frames; else it is still to be lost. */
static bool vnic_verdict_to_frames(struct vnic_rxq *rxq, struct bpf_prog *prog,
				   struct sk_buff **pskb)
{
	struct sk_buff *segments, *skb = *pskb;

	if (skb_vlan_tag_present(skb)) {
		skb = __vlan_hwaccel_push_inside(skb);
		*pskb = skb;
		if (!skb)
			return false;
	}
	if (!skb_is_gso(skb)) {
		if (skb->ip_summed == CHECKSUM_PARTIAL && skb_checksum_help(skb))
			return false;
		*pskb = NULL;
		return vnic_verdict_redirect_one(rxq, prog, skb);
	}
	/* Each segment gets a checksum of its own, whatever this one has. */
	if (skb->ip_summed != CHECKSUM_PARTIAL)
		skb->ip_summed = CHECKSUM_UNNECESSARY;
	segments = skb_gso_segment(skb, 0);
	if (IS_ERR_OR_NULL(segments))
		return false;
	consume_skb(skb);
	*pskb = NULL;
	return vnic_verdict_redirect_segments(rxq, prog, segments);
}

/* Of a packet that is cut, each frame has to go for it not to be lost. */
static void vnic_verdict_redirect(struct vnic_rxq *rxq, struct bpf_prog *prog,
				  struct sk_buff *skb)
{
	struct net_device *dev = rxq->dev;
	unsigned int len = skb->len;

	if (!vnic_verdict_to_frames(rxq, prog, &skb)) {
		vnic_lose_rx(dev, rxq->index, skb, VNIC_LOSS_XDP_ERROR);
		return;
	}
	vnic_count_rx(dev, rxq->index, 1, len);
	rxq->redirects++;
}

/* Does not pass: why it is lost. */
static enum vnic_loss vnic_verdict_loss(struct net_device *dev,
					struct bpf_prog *prog, u32 act)
{
	if (act == XDP_DROP)
		return VNIC_LOSS_XDP;
	if (act != XDP_ABORTED)
		bpf_warn_invalid_xdp_action(dev, prog, act);
	trace_xdp_exception(dev, prog, act);
	return VNIC_LOSS_XDP_ABORTED;
}

/* Make it one that can be shown to the program. NULL if it was lost. */
static struct sk_buff *vnic_verdict_prepare(struct vnic_rxq *rxq,
					    struct bpf_prog *prog,
					    struct sk_buff *skb)
{
	enum vnic_loss loss = VNIC_LOSS_NOMEM;
	struct sk_buff *copy = NULL;

	__skb_push(skb, skb->data - skb_mac_header(skb));
	if (likely(vnic_verdict_in_place(skb)))
		return skb;
	if (!prog->aux->xdp_has_frags && skb->len > VNIC_FRAME_HEAD)
		loss = VNIC_LOSS_XDP_ERROR;
	else
		copy = vnic_frame_copy(skb);
	if (!copy) {
		vnic_lose_rx(rxq->dev, rxq->index, skb, loss);
		return NULL;
	}
	napi_consume_skb(skb, 1);
	vnic_stats_add(rxq->dev, rxq->index, VNIC_STAT_RX_XDP_COPIED, 1);
	return copy;
}

/**
 * vnic_verdict_skb() - show a packet of the stack to an XDP program
 * @rxq: the queue
 * @prog: the program
 * @skb: the packet, as after eth_type_trans()
 *
 * Context: the queue's poll; RCU. vnic_verdict_flush() has to follow.
 * Return: the packet, maybe another one, if it passes; NULL if it does not,
 * and then it is counted.
 */
struct sk_buff *vnic_verdict_skb(struct vnic_rxq *rxq, struct bpf_prog *prog,
				 struct sk_buff *skb)
{
	struct net_device *dev = rxq->dev;
	/* Not cleared for each packet: what a program can ask for is set. */
	struct vnic_xdp_buff buff __uninitialized;
	u32 act;

	skb = vnic_verdict_prepare(rxq, prog, skb);
	if (!skb)
		return NULL;
	vnic_verdict_show(rxq, skb, &buff.xdp);
	buff.skb = skb;
	act = bpf_prog_run_xdp(prog, &buff.xdp);
	vnic_trace(xdp, dev, rxq->index, skb, skb->len, act);
	/* Of one that goes, only its fragments have to be as they are now. */
	if (act == XDP_DROP && !xdp_buff_has_frags(&buff.xdp)) {
		vnic_verdict_own_mem(rxq);
		vnic_verdict_drop(rxq, skb);
		return NULL;
	}
	vnic_verdict_take(rxq, skb, &buff.xdp);

	switch (act) {
	case XDP_PASS:
		skb->pkt_type = PACKET_HOST;
		skb->protocol = eth_type_trans(skb, dev);
		return skb;
	case XDP_TX:
		vnic_verdict_tx_skb(rxq, skb);
		break;
	case XDP_REDIRECT:
		vnic_verdict_redirect(rxq, prog, skb);
		break;
	default:
		vnic_lose_rx(dev, rxq->index, skb,
			     vnic_verdict_loss(dev, prog, act));
	}
	return NULL;
}

static struct sk_buff *vnic_verdict_build(struct vnic_rxq *rxq,
					  struct xdp_frame *frame)
{
	struct sk_buff *skb = vnic_xdpxmit_build(frame, rxq->dev);

	if (skb)
		return skb;
	xdp_return_frame(frame);
	vnic_lose_rx(rxq->dev, rxq->index, NULL, VNIC_LOSS_NOMEM);
	return NULL;
}

/* Send on a frame that another device has sent here. */
static bool vnic_verdict_forward(struct vnic_rxq *rxq, struct bpf_prog *prog,
				 struct xdp_buff *xdp, u32 act)
{
	if (act == XDP_REDIRECT) {
		if (xdp_do_redirect(rxq->dev, xdp, prog))
			return false;
		rxq->redirected = true;
		rxq->redirects++;
		return true;
	}
	rxq->bulk[rxq->bulked] = xdp_convert_buff_to_frame(xdp);
	if (!rxq->bulk[rxq->bulked])
		return false;
	if (++rxq->bulked == VNIC_RXQ_BULK)
		vnic_verdict_flush_tx(rxq);
	return true;
}

/**
 * vnic_verdict_frame() - show a frame of ndo_xdp_xmit to an XDP program
 * @rxq: the queue
 * @prog: the program, or NULL: then everything passes
 * @frame: the frame
 *
 * Context: the queue's poll; RCU. vnic_verdict_flush() has to follow.
 * Return: the packet that has become of it, if it passes; NULL if it does
 * not, and then it is counted.
 */
struct sk_buff *vnic_verdict_frame(struct vnic_rxq *rxq, struct bpf_prog *prog,
				   struct xdp_frame *frame)
{
	unsigned int len = xdp_get_frame_len(frame);
	struct vnic_xdp_buff buff __uninitialized;
	enum vnic_loss loss;
	u32 act;

	if (!prog)
		return vnic_verdict_build(rxq, frame);
	xdp_convert_frame_to_buff(frame, &buff.xdp);
	buff.xdp.rxq = &rxq->xdp;
	buff.skb = NULL;
	vnic_set_rxq_mem(&rxq->xdp, frame);
	act = bpf_prog_run_xdp(prog, &buff.xdp);
	vnic_trace(xdp, rxq->dev, rxq->index, vnic_ring_from_xdp(frame), len,
		   act);

	switch (act) {
	case XDP_PASS:
		loss = VNIC_LOSS_XDP_ERROR;
		if (xdp_update_frame_from_buff(&buff.xdp, frame))
			break;
		vnic_verdict_own_mem(rxq);
		return vnic_verdict_build(rxq, frame);
	case XDP_TX:
	case XDP_REDIRECT:
		loss = VNIC_LOSS_XDP_ERROR;
		if (!vnic_verdict_forward(rxq, prog, &buff.xdp, act))
			break;
		vnic_verdict_own_mem(rxq);
		vnic_count_rx(rxq->dev, rxq->index, 1, len);
		return NULL;
	case XDP_DROP:
		xdp_return_buff(&buff.xdp);
		vnic_verdict_own_mem(rxq);
		rxq->drops++;
		return NULL;
	default:
		loss = vnic_verdict_loss(rxq->dev, prog, act);
	}
	xdp_return_buff(&buff.xdp);
	vnic_verdict_own_mem(rxq);
	vnic_lose_rx(rxq->dev, rxq->index, NULL, loss);
	return NULL;
}

/**
 * vnic_link_bpf() - put an XDP program in the place of the one that is there
 * @dev: the device
 * @bpf: what the core asks, to be refused before if it is not possible
 *
 * Context: process, RTNL held; waits for RCU.
 * Return: 0; -EINVAL; -ENOMEM, with the program as it was.
 */
int vnic_link_bpf(struct net_device *dev, struct netdev_bpf *bpf)
{
	struct vnic_link *link = netdev_priv(dev);
	struct bpf_prog *old = rtnl_dereference(link->xdp);
	int err;

	if (bpf->command != XDP_SETUP_PROG)
		return -EINVAL;
	rcu_assign_pointer(link->xdp, bpf->prog);
	err = vnic_rxq_refresh(dev, dev->features);
	if (err) {
		rcu_assign_pointer(link->xdp, old);
		NL_SET_ERR_MSG(bpf->extack, "No memory for receive queues");
		return err;
	}
	/* It waits for its runners itself. */
	if (old)
		bpf_prog_put(old);
	return 0;
}
