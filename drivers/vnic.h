/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The contract between the rooms of the house: who owns what, which lock or
 * RCU section protects it. Every source file includes this one, those that a
 * packet comes through trace.h, and no other header of the project. See
 * Documentation/architecture.rst.
 */
#ifndef VNIC_H
#define VNIC_H

#include <linux/bpf.h>
#include <linux/ethtool.h>
#include <linux/filter.h>
#include <linux/hrtimer.h>
#include <linux/if_ether.h>
#include <linux/if_tun.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/ptr_ring.h>
#include <linux/u64_stats_sync.h>
#include <linux/virtio_net.h>
#include <net/dropreason.h>
#include <net/sock.h>
#include <net/xdp.h>
#include <uapi/linux/vnic.h>

#include "compat.h"

#define VNIC_VERSION	"0.1"

/* ----------------------------------------------------------------- stats.c
 * What has become of each packet of a vndummy or vnveth, queue by queue.
 */

/**
 * enum vnic_loss - why a packet was lost
 * @VNIC_LOSS_DOWN: the receiver was down, or being deleted
 * @VNIC_LOSS_FULL: the receiver's ring was full
 * @VNIC_LOSS_BACKLOG: the CPU's cell was full
 * @VNIC_LOSS_TOO_BIG: longer than the receiver's MTU, and not to be cut
 * @VNIC_LOSS_SHORT: shorter than an Ethernet header
 * @VNIC_LOSS_UCOPY: pages of a zero-copy sender could not be copied
 * @VNIC_LOSS_NOMEM: no memory
 * @VNIC_LOSS_PROTOCOL: not IP, without an Ethernet header to say what it is
 * @VNIC_LOSS_XDP: an XDP program said so
 * @VNIC_LOSS_XDP_ABORTED: an XDP program failed, or said what has no meaning
 * @VNIC_LOSS_XDP_ERROR: what an XDP program wanted could not be done, or the
 *	packet could not be shown to it
 * @VNIC_LOSSES: how many there are
 *
 * The table in stats.c has the name and drop reason of each. Each is counted
 * both ways: a packet that is lost between two ends is at the one a loss in
 * transmit, at the other in receive.
 */
enum vnic_loss {
	VNIC_LOSS_DOWN,
	VNIC_LOSS_FULL,
	VNIC_LOSS_BACKLOG,
	VNIC_LOSS_TOO_BIG,
	VNIC_LOSS_SHORT,
	VNIC_LOSS_UCOPY,
	VNIC_LOSS_NOMEM,
	VNIC_LOSS_PROTOCOL,
	VNIC_LOSS_XDP,
	VNIC_LOSS_XDP_ABORTED,
	VNIC_LOSS_XDP_ERROR,
	VNIC_LOSSES,
};

/**
 * enum vnic_stat - what is counted of a queue of a vndummy or vnveth
 * @VNIC_STAT_RX_POLLED: taken from the ring by NAPI
 * @VNIC_STAT_RX_POLLED_BYTES: their bytes
 * @VNIC_STAT_RX_XDP_REDIRECT: of the packets, redirected by XDP
 * @VNIC_STAT_RX_XDP_TX: of the packets, sent back by XDP
 * @VNIC_STAT_RX_XDP_TX_ERROR: of those, lost on their way back
 * @VNIC_STAT_RX_XDP_COPIED: copied to be shown to XDP
 * @VNIC_STAT_RX_LOST: the first of VNIC_LOSSES counters
 * @VNIC_STAT_TX_XDP: of the packets, frames of ndo_xdp_xmit
 * @VNIC_STAT_TX_XDP_ERROR: frames of ndo_xdp_xmit that were lost
 * @VNIC_STAT_TX_STOP: times that the transmit queue was stopped
 * @VNIC_STAT_TX_WAKE: times that it was woken after that
 * @VNIC_STAT_TX_LOST: the first of VNIC_LOSSES counters
 * @VNIC_STATS_RARE: how many of them there are, up to here
 * @VNIC_STAT_RX_PACKETS: handed to the stack, or sent on by XDP
 * @VNIC_STAT_RX_BYTES: their bytes, Ethernet header included
 * @VNIC_STAT_TX_PACKETS: that reached the other end
 * @VNIC_STAT_TX_BYTES: their bytes, Ethernet header included
 * @VNIC_STATS: how many there are
 */
enum vnic_stat {
	VNIC_STAT_RX_POLLED,
	VNIC_STAT_RX_POLLED_BYTES,
	VNIC_STAT_RX_XDP_REDIRECT,
	VNIC_STAT_RX_XDP_TX,
	VNIC_STAT_RX_XDP_TX_ERROR,
	VNIC_STAT_RX_XDP_COPIED,
	VNIC_STAT_RX_LOST,
	VNIC_STAT_TX_XDP = VNIC_STAT_RX_LOST + VNIC_LOSSES,
	VNIC_STAT_TX_XDP_ERROR,
	VNIC_STAT_TX_STOP,
	VNIC_STAT_TX_WAKE,
	VNIC_STAT_TX_LOST,
	VNIC_STATS_RARE = VNIC_STAT_TX_LOST + VNIC_LOSSES,
	VNIC_STAT_RX_PACKETS = VNIC_STATS_RARE,
	VNIC_STAT_RX_BYTES,
	VNIC_STAT_TX_PACKETS,
	VNIC_STAT_TX_BYTES,
	VNIC_STATS,
};

/**
 * struct vnic_cpu_stats - what every packet counts, of one queue on one CPU
 * @rx_packets: VNIC_STAT_RX_PACKETS
 * @rx_bytes: VNIC_STAT_RX_BYTES
 * @tx_packets: VNIC_STAT_TX_PACKETS
 * @tx_bytes: VNIC_STAT_TX_BYTES
 * @syncp: makes them one consistent snapshot on 32-bit machines
 *
 * Written by its own CPU only, with bottom halves off; read by any.
 */
struct vnic_cpu_stats {
	u64_stats_t		rx_packets;
	u64_stats_t		rx_bytes;
	u64_stats_t		tx_packets;
	u64_stats_t		tx_bytes;
	struct u64_stats_sync	syncp;
};

/**
 * struct vnic_stats - the counters of one queue
 * @cpu: what every packet counts
 * @rare: one for each &enum vnic_stat before VNIC_STATS_RARE; written by any
 *	CPU in any context. Not for each CPU: most of them stay 0 for ever.
 */
struct vnic_stats {
	struct vnic_cpu_stats __percpu	*cpu;
	atomic64_t			rare[VNIC_STATS_RARE];
};

/* ------------------------------------------------------------------ link.c
 * What vndummy and vnveth share: the head of their private data, validation,
 * ethtool answers.
 */
struct vnic_rxqs;

/**
 * struct vnic_link - the head of a vndummy's or vnveth's private data
 * @stats: counters, one set for each queue; made by vnic_stats_grow() as
 *	queues come into use and freed when the last reference to the device is
 *	gone; so whoever holds a device, or is in an RCU section that saw it,
 *	may count. A set, once there, stays.
 * @first: that of the first queue, which every device has: the core rounds the
 *	size of a device up, and here is room
 * @peer: vnveth: the other end, held through @peer_tracker; written under
 *	RTNL, read in transmit under RCU. NULL before the pair is tied and once
 *	one end is being deleted, which deletes the other with it. vndummy:
 *	always NULL.
 * @peer_tracker: our reference to @peer
 * @rxqs: rings and NAPIs, if the device has some now (rxq.c); written under
 *	RTNL, read under RCU
 * @xdp: the XDP program, owned; written under RTNL, read under RCU
 * @ring_len: packets that a ring holds; under RTNL
 * @rx_usecs: the longest that a packet may wait for others, in microseconds;
 *	written under RTNL, read without it
 * @rx_frames: so many packets do not wait, 0: as many as the ring holds; as
 *	@rx_usecs
 * @bql_lock: serializes those who tell the transmit queues of this device what
 *	its peer has taken; a softirq lock
 * @flags: VNIC_LINK_*; written under RTNL, read without it
 */
struct vnic_link {
	struct vnic_stats		**stats;
	struct net_device __rcu		*peer;
	struct vnic_rxqs __rcu		*rxqs;
	struct bpf_prog __rcu		*xdp;
	unsigned int			ring_len;
	u32				rx_usecs;
	u32				rx_frames;
	unsigned int			flags;
	spinlock_t			bql_lock;	/* completing */
	netdevice_tracker		peer_tracker;
	struct vnic_stats		first;
};

/* A full ring stops the transmit queue, if that has a qdisc. */
#define VNIC_LINK_BACKPRESSURE	BIT(0)
/* Byte queue limits on the transmit queues. */
#define VNIC_LINK_BQL		BIT(1)
/* Packets lose nothing of what they carry when they change namespaces. */
#define VNIC_LINK_NO_SCRUB	BIT(2)
/* No Ethernet header. */
#define VNIC_LINK_L3		BIT(3)
/* vndummy: what is sent is received. */
#define VNIC_LINK_LOOPBACK	BIT(4)

/* Where the length of a ring begins, and ends. */
#define VNIC_LINK_RING		256
#define VNIC_LINK_RING_MAX	65536

int vnic_link_init(struct net_device *dev);
void vnic_link_free(struct net_device *dev);
void vnic_link_setup(struct net_device *dev);
unsigned int vnic_link_num_queues(void);
int vnic_link_queues(struct net_device *dev, struct nlattr *tb[]);
unsigned int vnic_link_flag(unsigned int flags, unsigned int flag,
			    const struct nlattr *attr);
int vnic_link_set_flags(struct net_device *dev, unsigned int flags);
int vnic_register(struct net_device *dev, struct netlink_ext_ack *extack);
int vnic_validate(struct nlattr *tb[], u64 known, u32 max_mtu,
		  struct netlink_ext_ack *extack);
void vnic_get_drvinfo(struct net_device *dev, struct ethtool_drvinfo *info);
int vnic_get_link_ksettings(struct net_device *dev,
			    struct ethtool_link_ksettings *cmd);

/* What counts, of stats.c, wants to know a link. */
int vnic_stats_grow(struct net_device *dev, unsigned int queues);
void vnic_stats_free(struct net_device *dev);
void vnic_stats_sum(struct net_device *dev, int queue, u64 *sum);
void vnic_get_stats64(struct net_device *dev, struct rtnl_link_stats64 *tot);
void vnic_stats_get_strings(struct net_device *dev, u32 set, u8 *data);
int vnic_stats_get_sset_count(struct net_device *dev, int set);
void vnic_stats_get_ethtool_stats(struct net_device *dev,
				  struct ethtool_stats *head, u64 *data);
void vnic_lose_rx(struct net_device *dev, unsigned int queue,
		  struct sk_buff *skb, enum vnic_loss loss);
void vnic_lose_rx_list(struct net_device *dev, unsigned int queue,
		       struct sk_buff *list, unsigned int n,
		       enum vnic_loss loss);
void vnic_lose_tx(struct net_device *dev, unsigned int queue,
		  struct sk_buff *skb, enum vnic_loss loss);

void vnic_count_rx_of(struct net_device *dev, unsigned int queue,
		      unsigned int packets, unsigned int bytes);
void vnic_count_tx_of(struct net_device *dev, unsigned int queue,
		      unsigned int bytes);

/* The counters of a queue; of the first if it has none yet. */
static inline struct vnic_stats *vnic_stats_of(struct net_device *dev,
					       unsigned int queue)
{
	struct vnic_link *link = netdev_priv(dev);
	struct vnic_stats *stats = NULL;

	if (likely(queue < max(dev->num_rx_queues, dev->num_tx_queues)))
		stats = READ_ONCE(link->stats[queue]);
	return stats ?: &link->first;
}

/*
 * Count something that is not every packet's. Context: any, also with
 * interrupts off; the device is held, or seen in an RCU section.
 */
static inline void vnic_stats_add(struct net_device *dev, unsigned int queue,
				  enum vnic_stat stat, unsigned int n)
{
	/* Mostly of what went wrong, and mostly nothing did. */
	if (n)
		atomic64_add(n, &vnic_stats_of(dev, queue)->rare[stat]);
}

/* Context: bottom halves off. */
static inline void vnic_stats_rx(struct vnic_stats *stats,
				 unsigned int packets, unsigned int bytes)
{
	struct vnic_cpu_stats *cpu = this_cpu_ptr(stats->cpu);

	u64_stats_update_begin(&cpu->syncp);
	u64_stats_add(&cpu->rx_packets, packets);
	u64_stats_add(&cpu->rx_bytes, bytes);
	u64_stats_update_end(&cpu->syncp);
}

/* Context: bottom halves off. */
static inline void vnic_stats_tx(struct vnic_stats *stats, unsigned int bytes)
{
	struct vnic_cpu_stats *cpu = this_cpu_ptr(stats->cpu);

	u64_stats_update_begin(&cpu->syncp);
	u64_stats_inc(&cpu->tx_packets);
	u64_stats_add(&cpu->tx_bytes, bytes);
	u64_stats_update_end(&cpu->syncp);
}

/*
 * The first queue's are where the device is, and mostly there is no other; all
 * that others take is out of the way. Context: bottom halves off.
 */
static inline void vnic_count_rx(struct net_device *dev, unsigned int queue,
				 unsigned int packets, unsigned int bytes)
{
	struct vnic_link *link = netdev_priv(dev);

	if (likely(!queue))
		vnic_stats_rx(&link->first, packets, bytes);
	else
		vnic_count_rx_of(dev, queue, packets, bytes);
}

/* The same for transmit. */
static inline void vnic_count_tx(struct net_device *dev, unsigned int queue,
				 unsigned int bytes)
{
	struct vnic_link *link = netdev_priv(dev);

	if (likely(!queue))
		vnic_stats_tx(&link->first, bytes);
	else
		vnic_count_tx_of(dev, queue, bytes);
}

/* Bytes on the wire of a packet that is on its way up. */
static inline unsigned int vnic_rx_len(const struct sk_buff *skb)
{
	return skb->len + (skb->data - skb_mac_header(skb));
}

/* ------------------------------------------------------------ linkethtool.c
 * ethtool's rings, moderation and channels of vndummy and vnveth.
 */
void vnic_link_get_ringparam(struct net_device *dev,
			     struct ethtool_ringparam *ring,
			     struct kernel_ethtool_ringparam *kernel,
			     struct netlink_ext_ack *extack);
int vnic_link_set_ringparam(struct net_device *dev,
			    struct ethtool_ringparam *ring,
			    struct kernel_ethtool_ringparam *kernel,
			    struct netlink_ext_ack *extack);
int vnic_link_get_coalesce(struct net_device *dev,
			   struct ethtool_coalesce *coalesce,
			   struct kernel_ethtool_coalesce *kernel,
			   struct netlink_ext_ack *extack);
int vnic_link_set_coalesce(struct net_device *dev,
			   struct ethtool_coalesce *coalesce,
			   struct kernel_ethtool_coalesce *kernel,
			   struct netlink_ext_ack *extack);
void vnic_link_get_channels(struct net_device *dev,
			    struct ethtool_channels *channels);
int vnic_link_set_channels(struct net_device *dev,
			   struct ethtool_channels *channels);

/*
 * Give the stack all of a queue as one list; the queue is empty afterwards. What
 * links packets in the one are the same two words that do in the other. Context:
 * bottom halves off, RCU; two packets or more.
 */
static inline void vnic_receive_list(struct sk_buff_head *queue)
{
	struct list_head list;

	BUILD_BUG_ON(offsetof(struct sk_buff, list.next) !=
		     offsetof(struct sk_buff, next));
	BUILD_BUG_ON(offsetof(struct sk_buff, list.prev) !=
		     offsetof(struct sk_buff, prev));
	list.next = &queue->next->list;
	list.prev = &queue->prev->list;
	list.next->prev = &list;
	list.prev->next = &list;
	__skb_queue_head_init(queue);
	netif_receive_skb_list(&list);
}

/* ------------------------------------------------------------------ cell.c
 * Where a pair hands over: one queue and one NAPI for each CPU.
 */
int vnic_cell_init(void);
void vnic_cell_exit(void);
bool vnic_cell_add(struct sk_buff *skb);
void vnic_cell_flush(struct net_device *dev);

/* ------------------------------------------------------------------- rxq.c
 * A receive queue of a vndummy or vnveth: a ring and a NAPI of its own.
 */

/* How many packets a poll takes out of a ring in one go. */
#define VNIC_RXQ_BATCH		64
/* How many frames XDP_TX collects. */
#define VNIC_RXQ_BULK		16

/**
 * struct vnic_rxq - one receive queue
 * @dev: whose; it outlives the queue
 * @index: which
 * @napi: empties @ring
 * @ring: packets from the sender: struct sk_buff, as after eth_type_trans(),
 *	or struct xdp_frame with VNIC_RING_XDP. Its producer lock is taken in
 *	transmit, and by the poll to wake who was stopped; its consumer lock by
 *	the poll. Bottom halves are off in both.
 * @waiting: packets that came since the last poll; a hint, written under the
 *	ring's producer lock and by the poll
 * @polling: @napi is scheduled and will look into the ring, so that nobody
 *	else needs to schedule it
 * @stopped: transmit queues of the sender have been stopped for this ring;
 *	written under its producer lock, looked at without it
 * @armed: bit 0: @timer runs and will schedule @napi
 * @timer: lets packets wait for others (ethtool -C rx-usecs)
 * @xdp: what XDP programs know of the queue; only the poll touches it
 * @bulk: frames of XDP_TX that were not sent yet; the poll's own
 * @bulked: how many
 * @redirected: XDP has redirected something that was not flushed; the poll's
 *	own
 * @redirects: packets that XDP has redirected and nobody has counted yet; the
 *	poll's own
 * @sent: the same, sent back
 * @dropped: packets that XDP has dropped, which are freed together; the poll's
 *	own
 * @drops: how many, with frames, which are gone already
 * @batch: packets that were taken out of the ring; the poll's own
 */
struct vnic_rxq {
	struct net_device	*dev;
	unsigned int		index;
	struct napi_struct	napi;
	struct ptr_ring		ring;
	unsigned int		waiting;
	bool			polling;
	bool			stopped;
	unsigned long		armed;
	struct hrtimer		timer;
	struct xdp_rxq_info	xdp;
	struct xdp_frame	*bulk[VNIC_RXQ_BULK];
	unsigned int		bulked;
	bool			redirected;
	unsigned int		redirects;
	unsigned int		sent;
	struct sk_buff		*dropped;
	unsigned int		drops;
	void			*batch[VNIC_RXQ_BATCH];
};

/**
 * struct vnic_rxqs - all receive queues of a device
 * @count: how many
 * @len: packets that each ring holds
 * @queue: them
 *
 * Replaced as a whole when something about them changes: the new ones are
 * published, what the old ones still have is delivered, then they go.
 */
struct vnic_rxqs {
	unsigned int		count;
	unsigned int		len;
	struct vnic_rxq		queue[];
};

/**
 * struct vnic_rx_cb - what a packet in a ring remembers (skb->cb)
 * @bytes: what the sender's queue limits were told, or 0
 * @txq: the transmit queue that it came by
 */
struct vnic_rx_cb {
	unsigned int	bytes;
	u16		txq;
};

static inline struct vnic_rx_cb *vnic_rx_cb(struct sk_buff *skb)
{
	return (struct vnic_rx_cb *)skb->cb;
}

/* A hint for who does not hold the ring's lock. */
static inline bool vnic_rxq_is_full(struct vnic_rxq *rxq)
{
	return __ptr_ring_full(&rxq->ring);
}

int vnic_rxq_refresh(struct net_device *dev, netdev_features_t features);
void vnic_rxq_close(struct net_device *dev);
bool vnic_rxq_put(struct vnic_rxq *rxq, void *ptr);
bool vnic_rxq_put_limited(struct vnic_rxq *rxq, struct sk_buff *skb,
			  struct netdev_queue *txq, unsigned int bytes);
void vnic_rxq_kick(struct vnic_rxq *rxq);
bool vnic_rxq_stop_tx(struct vnic_rxq *rxq, struct net_device *sender,
		      struct netdev_queue *txq);
struct vnic_rxq *vnic_rxq_of_flow(struct vnic_rxqs *rxqs,
				  struct net_device *sender,
				  struct sk_buff *skb);

/* Which queue a packet goes to. Context: RCU. */
static inline struct vnic_rxq *vnic_rxq_of_skb(struct vnic_rxqs *rxqs,
					       struct net_device *sender,
					       struct sk_buff *skb)
{
	return likely(rxqs->count == 1) ? &rxqs->queue[0] :
					  vnic_rxq_of_flow(rxqs, sender, skb);
}

/* --------------------------------------------------------------- xdpxmit.c
 * Frames that XDP sends to a vndummy or vnveth.
 */
int vnic_xdpxmit(struct net_device *sender, struct net_device *dev, int n,
		 struct xdp_frame **frames);
struct sk_buff *vnic_xdpxmit_build(struct xdp_frame *frame,
				   struct net_device *dev);

/* --------------------------------------------------------------- verdict.c
 * What an XDP program decides about a packet in a receive queue.
 */

/**
 * struct vnic_xdp_buff - what an XDP program sees, and the packet behind it
 * @xdp: has to be first: what the program has is a pointer to it
 * @skb: for the hints (hints.c), or NULL
 */
struct vnic_xdp_buff {
	struct xdp_buff	xdp;
	struct sk_buff	*skb;
};

struct sk_buff *vnic_verdict_skb(struct vnic_rxq *rxq, struct bpf_prog *prog,
				 struct sk_buff *skb);
struct sk_buff *vnic_verdict_frame(struct vnic_rxq *rxq, struct bpf_prog *prog,
				   struct xdp_frame *frame);
void vnic_verdict_flush(struct vnic_rxq *rxq);
int vnic_link_bpf(struct net_device *dev, struct netdev_bpf *bpf);

/* hints.c, for kernels whose XDP programs can ask what the packet knows. */
#ifdef VNIC_HAVE_XDP_HINTS
void vnic_hints_setup(struct net_device *dev);
#else
static inline void vnic_hints_setup(struct net_device *dev)
{
}
#endif

/* ----------------------------------------------------------------- count.c
 * What has become of each packet of a vntun or vntap, queue by queue.
 */

/**
 * enum vnic_counter - what can become of a packet, and what is worth a figure
 * @VNIC_RX_PACKETS: handed to the stack, or to XDP
 * @VNIC_RX_BYTES: their bytes, without the headers of the fd
 * @VNIC_RX_SHORT: lost: shorter than its headers, or no header of an fd
 * @VNIC_RX_LONG: lost: longer than any frame may be
 * @VNIC_RX_FAULT: lost: not readable in the program's memory
 * @VNIC_RX_NOMEM: lost: no memory
 * @VNIC_RX_PROTOCOL: lost: a vntun's packet that is not IP
 * @VNIC_RX_VNET: lost: a virtio header that is not true
 * @VNIC_RX_DOWN: lost: the device is down
 * @VNIC_RX_BUSY: lost: NAPI is behind
 * @VNIC_RX_XDP_DROP: lost: dropped by an XDP program
 * @VNIC_RX_XDP_ERROR: lost: an XDP program or what it wanted failed
 * @VNIC_RX_XDP_TX: of the packets, sent back by an XDP program
 * @VNIC_RX_XDP_REDIRECT: of the packets, redirected by an XDP program
 * @VNIC_RX_XDP_GENERIC: of the packets, taken by an XDP program that the core
 *	ran on an skb; what became of them the core does not tell
 * @VNIC_TX_PACKETS: fetched by the program
 * @VNIC_TX_BYTES: their bytes, without the headers of the fd
 * @VNIC_TX_NO_QUEUE: lost: no program was attached
 * @VNIC_TX_FULL: lost: the ring was full
 * @VNIC_TX_FILTER_MAC: lost: refused by TUNSETTXFILTER
 * @VNIC_TX_FILTER_CBPF: lost: refused by TUNATTACHFILTER
 * @VNIC_TX_FILTER_EBPF: lost: refused by TUNSETFILTEREBPF
 * @VNIC_TX_FAULT: lost: the program's memory was not writable, or had no
 *	room for the headers
 * @VNIC_TX_NOMEM: lost: no memory
 * @VNIC_TX_VNET: lost: an offload that no virtio header can tell
 * @VNIC_TX_PURGED: lost: in the ring when the queue or the device went, or
 *	when the ring became shorter
 * @VNIC_TX_TRUNCATED: of the packets, those that the program's buffer cut off
 * @VNIC_TX_XDP: of those that reached a ring, the frames of ndo_xdp_xmit
 * @VNIC_TX_STOP: times that the transmit queue was stopped (IFF_BACKPRESSURE)
 * @VNIC_TX_WAKE: times that it was woken after that
 * @VNIC_COUNTERS: how many there are
 *
 * The table in count.c has the name of each, and for those that are losses
 * the drop reason.
 */
enum vnic_counter {
	VNIC_RX_PACKETS,
	VNIC_RX_BYTES,
	VNIC_RX_SHORT,
	VNIC_RX_LONG,
	VNIC_RX_FAULT,
	VNIC_RX_NOMEM,
	VNIC_RX_PROTOCOL,
	VNIC_RX_VNET,
	VNIC_RX_DOWN,
	VNIC_RX_BUSY,
	VNIC_RX_XDP_DROP,
	VNIC_RX_XDP_ERROR,
	VNIC_RX_XDP_TX,
	VNIC_RX_XDP_REDIRECT,
	VNIC_RX_XDP_GENERIC,
	VNIC_TX_PACKETS,
	VNIC_TX_BYTES,
	VNIC_TX_NO_QUEUE,
	VNIC_TX_FULL,
	VNIC_TX_FILTER_MAC,
	VNIC_TX_FILTER_CBPF,
	VNIC_TX_FILTER_EBPF,
	VNIC_TX_FAULT,
	VNIC_TX_NOMEM,
	VNIC_TX_VNET,
	VNIC_TX_PURGED,
	VNIC_TX_TRUNCATED,
	VNIC_TX_XDP,
	VNIC_TX_STOP,
	VNIC_TX_WAKE,
	VNIC_COUNTERS,
};

/**
 * struct vnic_count - the counters of one queue on one CPU
 * @counter: one for each &enum vnic_counter
 * @syncp: makes them one consistent snapshot on 32-bit machines
 *
 * Written by its own CPU only, interrupts off on 32-bit machines; read by any.
 */
struct vnic_count {
	u64_stats_t		counter[VNIC_COUNTERS];
	struct u64_stats_sync	syncp;
};

struct vnic_port;
struct vnic_queue;

void vnic_count(struct vnic_port *port, unsigned int index,
		enum vnic_counter counter, unsigned int n);
void vnic_count_loss(struct vnic_port *port, unsigned int index,
		     const void *ptr, enum vnic_counter counter);
void vnic_lose(struct vnic_port *port, unsigned int index,
	       struct sk_buff *skb, enum vnic_counter counter);
void vnic_count_sum(struct vnic_port *port, int index, u64 *sum);
void vnic_count_sum_unused(struct vnic_port *port, unsigned int from,
			   u64 *sum);
void vnic_count_get_stats64(struct net_device *dev,
			    struct rtnl_link_stats64 *tot);
void vnic_count_get_strings(struct net_device *dev, u32 set, u8 *data);
int vnic_count_get_sset_count(struct net_device *dev, int set);
void vnic_count_get_ethtool_stats(struct net_device *dev,
				  struct ethtool_stats *head, u64 *data);

/* qstats.c, for kernels that have statistics of queues in the netdev family. */
#ifdef VNIC_HAVE_QSTATS
void vnic_qstats_setup(struct net_device *dev);
void vnic_qstats_setup_link(struct net_device *dev);
#else
static inline void vnic_qstats_setup(struct net_device *dev)
{
}

static inline void vnic_qstats_setup_link(struct net_device *dev)
{
}
#endif

/* ----------------------------------------------------------------- queue.c
 * What joins a vntun or vntap to one open file.
 */

/* Index of a queue that has no slot: none yet, or TUNSETQUEUE has detached it */
#define VNIC_NO_SLOT		U16_MAX

/* TUNSETIFF flags that are the file's own: how it is spoken on it. */
#define VNIC_QUEUE_FLAGS	(IFF_NO_PI | IFF_ONE_QUEUE | IFF_VNET_HDR | \
				 IFF_NAPI | IFF_NAPI_FRAGS | IFF_BACKPRESSURE)

/* Of struct vnic_queue: the vnet header is little endian (TUNSETVNETLE) ... */
#define VNIC_QUEUE_LE		0x80000000
/* ... or big endian (TUNSETVNETBE), for kernels that are built for that. */
#define VNIC_QUEUE_BE		0x40000000

/**
 * struct vnic_queue - a bounded ring of packets and a door into the stack
 * @sk: the network namespace of the opener, and the account of what the
 *	program has sent and the stack not yet consumed (sk_wmem_alloc against
 *	sk_sndbuf); freed with it. Must stay first: sk_alloc() makes both.
 *	sk_shutdown is set while there is no device, which ends sleeps.
 * @socket: no socket that anybody can reach; the helpers of struct sock keep
 *	the wait queue and the no-space flag here
 * @port: the device; written under RTNL, read under RTNL or RCU. Does not
 *	hold the device: vnic_port_get() takes a reference for the time of a
 *	call, and the device clears this pointer before it goes.
 * @next: in the device's list of detached queues; under RTNL
 * @ring: packets from the stack, waiting for the program: struct sk_buff, or
 *	struct xdp_frame with the lowest bit of the pointer set. Its producer
 *	lock is taken in transmit (BH off), its consumer lock in process
 *	context only, the first within the second. A packet in the ring belongs
 *	to the device: an skb by its skb->dev, a frame by its dev_rx, which has
 *	this queue instead. The ring is therefore emptied before @port is let go
 *	of.
 * @overflow: XDP frames that found no room when the ring was made shorter,
 *	linked by their dev_rx, until they can be freed; under RTNL
 * @consumed: packets fetched since the transmit queue was stopped; under the
 *	ring's consumer lock
 * @fasync: who wants SIGIO; its own locking
 * @flags: VNIC_QUEUE_FLAGS, VNIC_QUEUE_LE and _BE; written under RTNL, read
 *	once for each packet without it
 * @vnet_hdr_len: bytes of the vnet header, 10 or more; as @flags
 * @ifindex: TUNSETIFINDEX, the index that TUNSETIFF will ask for; under RTNL
 * @index: slot in the device's array, or VNIC_NO_SLOT; written under RTNL
 *	and both locks of the ring
 * @nofilter: attached with IFF_NOFILTER: the device's classic filter does not
 *	apply; written under RTNL
 * @rxq: what XDP programs know of the queue; registered while attached
 * @napi: with IFF_NAPI, delivers @rx; enabled while it has a slot
 * @napi_lock: who may give @napi a frame of IFF_NAPI_FRAGS. Never held over
 *	user memory: RTNL waits for it.
 * @rx: packets of the program for @napi, not counted yet. Its lock guards
 *	@rx_open.
 * @rx_open: @napi is enabled, so what is in @rx will be fetched
 * @shared: rings in memory that the program has mapped, or NULL; written once,
 *	under RTNL, read without it, and freed with the queue
 * @raw: in whose receive queue packets for the program wait instead of in @ring,
 *	or NULL; as @shared
 *
 * Owned by the open file. While a device is attached, its slot or its list of
 * detached queues points here too; vnic_attach_end() waits for the RCU
 * readers of the slot before the file can free the queue.
 */
struct vnic_queue {
	struct sock			sk;
	struct socket			socket;
	struct vnic_port __rcu		*port;
	struct list_head		next;
	struct ptr_ring			ring;
	struct xdp_frame		*overflow;
	unsigned int			consumed;
	struct fasync_struct		*fasync;
	unsigned int			flags;
	unsigned int			vnet_hdr_len;
	int				ifindex;
	u16				index;
	bool				nofilter;
	struct xdp_rxq_info		rxq;
	struct napi_struct		napi;
	struct mutex			napi_lock;	/* giving @napi a frame */
	struct sk_buff_head		rx;
	bool				rx_open;
	struct vnic_shared		*shared;
	struct vnic_socket		*raw;
};

/* What lies in a ring may be a frame of XDP's; the pointer's last bit tells. */
#define VNIC_RING_XDP		BIT(0)

static inline bool vnic_ring_is_xdp(const void *ptr)
{
	return (unsigned long)ptr & VNIC_RING_XDP;
}

static inline struct xdp_frame *vnic_ring_to_xdp(const void *ptr)
{
	return (void *)((unsigned long)ptr & ~VNIC_RING_XDP);
}

static inline void *vnic_ring_from_xdp(struct xdp_frame *frame)
{
	return (void *)((unsigned long)frame | VNIC_RING_XDP);
}

struct vnic_queue *vnic_queue_alloc(struct net *net);
void vnic_queue_free(struct vnic_queue *queue);
int vnic_queue_resize(struct vnic_port *port, struct ptr_ring **rings,
		      unsigned int n, unsigned int len);
void vnic_queue_purge(struct vnic_port *port, struct vnic_queue *queue,
		      unsigned int index);
void vnic_queue_start(struct vnic_queue *queue);
void vnic_queue_shutdown(struct vnic_queue *queue);
void vnic_queue_set_index(struct vnic_queue *queue, unsigned int index);
void vnic_queue_wake_tx(struct vnic_port *port, struct vnic_queue *queue);
bool vnic_queue_writable(struct vnic_queue *queue, struct net_device *dev);
bool vnic_queue_put(struct vnic_port *port, struct vnic_queue *queue,
		    void *ptr);
void vnic_queue_wake_reader(struct vnic_port *port, struct vnic_queue *queue);
bool vnic_queue_backpressure(const struct vnic_port *port,
			     const struct vnic_queue *queue);
enum vnic_counter vnic_queue_produce(struct vnic_port *port,
				     struct vnic_queue *queue,
				     struct sk_buff *skb);
unsigned int vnic_queue_count(struct vnic_queue *queue, unsigned int most);
void vnic_queue_consumed(struct vnic_port *port, struct vnic_queue *queue,
			 int n);
int vnic_queue_consume(struct vnic_port *port, struct vnic_queue *queue,
		       void **ptrs, int n);
int vnic_queue_wait(struct vnic_queue *queue, unsigned int most,
		    bool shared);

/* ---------------------------------------------------------------- shared.c
 * Rings in memory that a program shares with us.
 */

/**
 * struct vnic_half - one of the two rings
 * @data: its memory, @size bytes, as we have it mapped; fixed
 * @size: a power of two, or 0 for a ring that is not there; fixed
 * @pos: how far we have come ourselves; the program gets a copy. recv: written
 *	under the producer lock of the queue's ring, read by poll() and
 *	tracepoints without; send: under the lock of &struct vnic_shared
 * @seen: recv: the last that the program has said which could be so; as @pos
 */
struct vnic_half {
	u8	*data;
	u32	size;
	u32	pos;
	u32	seen;
};

/**
 * struct vnic_shared - the rings of a queue
 * @head: their indices, and all the memory behind them: a mapping of @pages,
 *	from before the queue has this until the queue is freed
 * @pages: the memory; the program's mappings have references of their own
 * @count: how many pages
 * @recv: from the stack to the program
 * @send: from the program to the stack
 * @lock: who reads @send. Never held over RTNL.
 *
 * The program may write anywhere in it at any time: what is in it is read once,
 * checked, and then used.
 */
struct vnic_shared {
	struct vnic_ring_head	*head;
	struct page		**pages;
	unsigned int		count;
	struct vnic_half	recv;
	struct vnic_half	send;
	struct mutex		lock;	/* send */
};

int vnic_shared_setup(struct vnic_queue *queue,
		      struct vnic_ring_setup __user *user);
void vnic_shared_free(struct vnic_shared *shared);
int vnic_shared_mmap(struct vnic_queue *queue, struct vm_area_struct *vma);
bool vnic_shared_readable(struct vnic_queue *queue);
int vnic_shared_wait(struct vnic_queue *queue, bool noblock);
bool vnic_shared_is_used(struct vnic_port *port);
void vnic_shared_show(struct vnic_queue *queue, struct seq_file *seq);
enum vnic_counter vnic_shared_produce(struct vnic_port *port,
				      struct vnic_queue *queue, void *ptr);

/* sharedsend.c */
int vnic_shared_send(struct vnic_queue *queue, bool noblock);

/* Of a queue, or NULL. Context: any; as long as the queue. */
static inline struct vnic_shared *vnic_shared_of(const struct vnic_queue *queue)
{
	/* Pairs with smp_store_release() in vnic_shared_publish(). */
	return smp_load_acquire(&queue->shared);
}

/* Do packets for the program go into such a ring? Context: any. */
static inline bool vnic_shared_has_recv(const struct vnic_queue *queue)
{
	const struct vnic_shared *shared = READ_ONCE(queue->shared);

	return unlikely(shared) && shared->recv.size;
}

/* ---------------------------------------------------------------- socket.c
 * A queue as a raw packet socket.
 */

/**
 * struct vnic_socket - what a queue has for its sockets, one at a time
 * @sk: of AF_PACKET and SOCK_RAW, as vhost-net wants it. Its sk_receive_queue,
 *	under its own lock, with interrupts off, which may be taken within the
 *	producer lock of the queue's ring, has the packets for the program; they
 *	belong to the device, as those in the ring. Its sk_socket is there while a
 *	socket is open; set under RTNL, cleared by its release.
 *	No packet is charged to it: transmit taps of AF_PACKET take whatever owns
 *	one and is of their family for one of theirs. Must stay first.
 * @queue: the queue; fixed
 * @file: the open file that owns @queue, held by the socket while it is open;
 *	fixed
 *
 * Made for the first socket and freed with the queue.
 */
struct vnic_socket {
	struct sock		sk;
	struct vnic_queue	*queue;
	struct file		*file;
};

int vnic_socket_open(struct vnic_queue *queue, struct file *file,
		     unsigned long flags);
void vnic_socket_free(struct vnic_socket *raw);
bool vnic_socket_put(struct vnic_port *port, struct vnic_queue *queue,
		     void *ptr);
int vnic_socket_take(struct vnic_queue *queue, void **ptrs, int n);
struct sk_buff *vnic_socket_trim(struct vnic_queue *queue, unsigned int len);

/* Of a queue, or NULL. Context: any; as long as the queue. */
static inline struct vnic_socket *vnic_socket_of(const struct vnic_queue *queue)
{
	/* Pairs with smp_store_release() in vnic_socket_publish(). */
	return smp_load_acquire(&queue->raw);
}

/* How many packets wait there: a hint for who has no lock. Context: any. */
static inline unsigned int vnic_socket_len(const struct vnic_socket *raw)
{
	return skb_queue_len_lockless(&raw->sk.sk_receive_queue);
}

/* Does no packet wait for the program? Not of shared memory. Context: any. */
static inline bool vnic_queue_is_empty(struct vnic_queue *queue)
{
	struct vnic_socket *raw = vnic_socket_of(queue);

	if (unlikely(raw))
		return !vnic_socket_len(raw);
	return ptr_ring_empty(&queue->ring);
}

/* ------------------------------------------------------------------ vnet.c
 * What a virtio header says of a packet: checksum to be filled in, segments.
 */

/**
 * struct vnic_offload - a virtio header, in the CPU's byte order
 * @flags: VIRTIO_NET_HDR_F_*
 * @gso_type: VIRTIO_NET_HDR_GSO_*
 * @hdr_len: bytes of all headers; a hint
 * @gso_size: payload bytes of each segment
 * @csum_start: where the checksum begins, in bytes from the packet's first
 * @csum_offset: where it is stored, in bytes from @csum_start
 * @outer_th: of a packet in a UDP tunnel, the outer UDP header
 * @inner_nh: of a packet in a UDP tunnel, the inner IP header
 * @tunnel: the header was long enough for the last two
 *
 * A copy: what user memory held is read once, checked, then used.
 */
struct vnic_offload {
	u8	flags;
	u8	gso_type;
	u16	hdr_len;
	u16	gso_size;
	u16	csum_start;
	u16	csum_offset;
	u16	outer_th;
	u16	inner_nh;
	bool	tunnel;
};

/* From little endian, as virtio 1 lays it out, into the CPU's order. */
static inline void vnic_vnet_decode(const struct vnic_vnet *vnet,
				    struct vnic_offload *offload)
{
	*offload = (struct vnic_offload) {
		.flags		= vnet->flags,
		.gso_type	= vnet->gso_type,
		.hdr_len	= le16_to_cpu(vnet->hdr_len),
		.gso_size	= le16_to_cpu(vnet->gso_size),
		.csum_start	= le16_to_cpu(vnet->csum_start),
		.csum_offset	= le16_to_cpu(vnet->csum_offset),
		.outer_th	= le16_to_cpu(vnet->outer_th_offset),
		.inner_nh	= le16_to_cpu(vnet->inner_nh_offset),
		.tunnel		= true,
	};
}

/* Nothing left to do: neither can it be untrue, nor has it to be applied. */
static inline bool vnic_vnet_is_empty(const struct vnic_offload *offload)
{
	return !(offload->flags | offload->gso_type | offload->hdr_len);
}

/* Is nothing left to do, and all as it should be? */
static __always_inline bool vnic_vnet_is_zero(const struct vnic_vnet *vnet)
{
	const u64 *word = (const u64 *)vnet;

	BUILD_BUG_ON(sizeof(*vnet) != 3 * sizeof(*word));
	return !(word[0] | word[1] | word[2]);
}

/* Are the fields without a meaning 0, so that they can get one? */
static __always_inline bool
vnic_vnet_is_reserved_zero(const struct vnic_vnet *vnet)
{
	return !((__force u32)vnet->hash_value |
		 (__force u16)(vnet->num_buffers | vnet->hash_report |
			       vnet->reserved));
}

int vnic_vnet_pull(unsigned int flags, unsigned int len, struct iov_iter *from,
		   struct vnic_offload *offload);
int vnic_vnet_push(unsigned int flags, unsigned int len, struct iov_iter *to,
		   const struct vnic_offload *offload);
void vnic_vnet_encode(const struct vnic_offload *offload,
		      struct vnic_vnet *vnet);
int vnic_vnet_check(const struct vnic_offload *offload, size_t len, bool tap);
int vnic_vnet_to_skb(struct sk_buff *skb, const struct vnic_offload *offload);
int vnic_vnet_from_skb(const struct sk_buff *skb, bool tunnel,
		       struct vnic_offload *offload);

/* tunnel.c, for kernels that have the headers of UDP tunnels. */
#ifdef VNIC_HAVE_VNET_TUNNEL
#define VNIC_TUNNEL_OFFLOADS	(NETIF_F_GSO_UDP_TUNNEL | \
				 NETIF_F_GSO_UDP_TUNNEL_CSUM)

int vnic_vnet_tunnel_to_skb(struct sk_buff *skb,
			    const struct vnic_offload *offload);
int vnic_vnet_tunnel_from_skb(const struct sk_buff *skb,
			      struct vnic_offload *offload);
#else
#define VNIC_TUNNEL_OFFLOADS	((netdev_features_t)0)

static inline int vnic_vnet_tunnel_to_skb(struct sk_buff *skb,
					  const struct vnic_offload *offload)
{
	return -EINVAL;
}

static inline int vnic_vnet_tunnel_from_skb(const struct sk_buff *skb,
					    struct vnic_offload *offload)
{
	return -EINVAL;
}
#endif

/* ----------------------------------------------------------------- frame.c
 * From a program's memory into an skb.
 */
void *vnic_frame_page(struct iov_iter *from, size_t len, size_t room,
		      size_t *size);
struct page_pool *vnic_frame_this_pool(void);
struct sk_buff *vnic_frame_head(struct page_pool *pool, size_t len,
				size_t room);
struct sk_buff *vnic_frame_small(struct iov_iter *from, size_t len,
				 size_t room);
struct sk_buff *vnic_frame_large(struct vnic_queue *queue,
				 struct iov_iter *from, size_t len,
				 size_t room, bool noblock);
struct sk_buff *vnic_frame_vector(struct net_device *dev,
				  struct iov_iter *from, size_t len);
struct sk_buff *vnic_frame_copy(const struct sk_buff *skb);
void vnic_frame_init(void);
void vnic_frame_exit(void);

/* As much of a packet that XDP will see as goes into a page in one piece. */
#define VNIC_FRAME_HEAD		SKB_WITH_OVERHEAD(PAGE_SIZE - XDP_PACKET_HEADROOM)

/* Bytes of a packet's head, from its first to the last of its skb_shared_info */
static inline unsigned int vnic_frame_size(const struct sk_buff *skb)
{
	return skb_end_offset(skb) +
	       SKB_DATA_ALIGN(sizeof(struct skb_shared_info));
}

static inline bool vnic_frame_is_small(size_t len, size_t room)
{
	return SKB_DATA_ALIGN(room + len) +
	       SKB_DATA_ALIGN(sizeof(struct skb_shared_info)) <= PAGE_SIZE;
}

/* ------------------------------------------------------------------- xdp.c
 * XDP programs on a vntap.
 */
struct sk_buff *vnic_xdp_small(struct vnic_port *port, struct vnic_queue *queue,
			       struct iov_iter *from, size_t len, size_t room);
struct sk_buff *vnic_xdp_generic(struct vnic_port *port,
				 struct vnic_queue *queue,
				 struct sk_buff *skb);
int vnic_xdp_setup(struct net_device *dev, struct netdev_bpf *bpf);
int vnic_xdp_xmit(struct net_device *dev, int n, struct xdp_frame **frames,
		  u32 flags);

/* ------------------------------------------------------------------ napi.c
 * IFF_NAPI: packets reach the stack by way of GRO.
 */
void vnic_napi_add(struct vnic_port *port, struct vnic_queue *queue);
void vnic_napi_del(struct vnic_queue *queue);
void vnic_napi_enable(struct vnic_queue *queue);
void vnic_napi_disable(struct vnic_port *port, struct vnic_queue *queue);
bool vnic_napi_give(struct vnic_queue *queue, struct sk_buff *skb);
bool vnic_napi_give_frags(struct vnic_queue *queue, struct sk_buff *skb);

/* ------------------------------------------------------------------ flow.c
 * Which queue a packet of the stack goes to.
 */

/**
 * struct vnic_flows - from which queue each flow was last written
 * @entry: hash (32 bits), queue (16 bits) and time (16 bits) of a flow's last
 *	packet; see flow.c. Read and written without a lock: an entry is one
 *	word, and a flow that displaces another one costs that one its queue,
 *	no more. Freed with the device.
 */
struct vnic_flows {
	atomic64_t	entry[4096];
};

int vnic_flow_init(struct vnic_port *port);
void vnic_flow_exit(struct vnic_port *port);
void vnic_flow_learn(struct vnic_port *port, u32 hash, unsigned int index);
void vnic_flow_move(struct vnic_port *port, unsigned int from,
		    unsigned int to);
u16 vnic_flow_select(struct net_device *dev, struct sk_buff *skb,
		     struct net_device *sb_dev);

static inline u32 vnic_flow_hash(struct sk_buff *skb)
{
	return __skb_get_hash_symmetric(skb);
}

/* ---------------------------------------------------------------- filter.c
 * Which packets of the stack do not go to the program.
 */

/* Addresses that TUNSETTXFILTER compares; the others are hashed. */
#define VNIC_FILTER_EXACT	8

/**
 * struct vnic_mac_filter - TUNSETTXFILTER
 * @count: how many of @exact are used
 * @hash: one bit for each hash of a multicast address that passes
 * @exact: addresses that pass
 * @rcu: replaced as a whole, so that a packet sees the old one or the new one
 */
struct vnic_mac_filter {
	unsigned int	count;
	u64		hash;
	u8		exact[VNIC_FILTER_EXACT][ETH_ALEN];
	struct rcu_head	rcu;
};

/**
 * struct vnic_prog - a BPF program and the wish to outlive its last runner
 * @prog: the program, owned
 * @rcu: runners are in RCU sections
 */
struct vnic_prog {
	struct bpf_prog	*prog;
	struct rcu_head	rcu;
};

struct vnic_mac_filter *vnic_filter_mac_get(const void __user *arg, int *ret);
struct vnic_prog *vnic_filter_cbpf_get(struct sock_fprog *fprog);
struct vnic_prog *vnic_filter_ebpf_get(int fd);
void vnic_filter_put(struct vnic_prog *prog, struct vnic_mac_filter *mac);
void vnic_filter_mac_set(struct vnic_port *port, struct vnic_mac_filter *mac);
void vnic_filter_prog_set(struct vnic_prog __rcu **slot,
			  struct vnic_prog *prog);
void vnic_filter_exit(struct vnic_port *port);
enum vnic_counter vnic_filter_apply(struct vnic_port *port,
				    struct vnic_queue *queue,
				    struct sk_buff *skb);

/* ----------------------------------------------------------------- quick.c
 * The short way of frames that come many at a time.
 */

/**
 * struct vnic_quick - a section in which frames become packets
 * @port: the device, held by the caller
 * @queue: the queue
 * @pool: of this CPU
 * @room: bytes to leave in front of each frame
 * @index: slot of @queue
 * @tap: frames have Ethernet headers
 * @list: the packets, its lock not used
 *
 * On the stack of the call whose frames they are.
 */
struct vnic_quick {
	struct vnic_port	*port;
	struct vnic_queue	*queue;
	struct page_pool	*pool;
	size_t			room;
	unsigned int		index;
	bool			tap;
	struct sk_buff_head	list;
};

bool vnic_quick_begin(struct vnic_port *port, struct vnic_queue *queue,
		      struct vnic_quick *quick);
bool vnic_quick_build(struct vnic_quick *quick, const void __user *user,
		      const void *kernel, unsigned int len, __be16 proto);
void vnic_quick_end(struct vnic_quick *quick);

/* ---------------------------------------------------------- send.c, recv.c
 * A packet's way from the program into the stack, and back. batch.c takes
 * many at once.
 */
ssize_t vnic_send(struct vnic_port *port, struct vnic_queue *queue,
		  struct iov_iter *from, bool noblock);
struct sk_buff *vnic_send_build(struct vnic_port *port,
				struct vnic_queue *queue, struct iov_iter *from,
				const struct vnic_offload *offload,
				const __be16 *proto, bool noblock);
int vnic_send_one(struct vnic_port *port, struct vnic_queue *queue,
		  struct sk_buff *skb);
void vnic_send_list(struct vnic_port *port, struct vnic_queue *queue,
		    struct sk_buff_head *list);
__be16 vnic_send_ip_version(struct sk_buff *skb);

/*
 * Of the errors of vnic_send_build(): is it not one packet's fault, so that a
 * call that has many ends before it?
 */
static inline bool vnic_send_ends_call(int err)
{
	return err == -EAGAIN || err == -ERESTARTSYS || err == -EINTR ||
	       err == -EBADFD;
}

ssize_t vnic_recv(struct vnic_port *port, struct vnic_queue *queue, void *ptr,
		  struct iov_iter *to);
unsigned int vnic_recv_len(const void *ptr);
enum vnic_counter vnic_recv_frame(struct vnic_port *port, const void *ptr,
				  unsigned int len, struct vnic_frame *to);
void vnic_recv_lose(struct vnic_port *port, struct vnic_queue *queue,
		    void *ptr, enum vnic_counter counter);
int vnic_recv_packet(struct vnic_port *port, struct vnic_queue *queue,
		     void *ptr, struct vnic_packet *packet);

/* Entries of a batch are copied by the word; the second half is their offloads. */
static_assert(sizeof(struct vnic_packet) == 6 * sizeof(u64));
static_assert(offsetof(struct vnic_packet, vnet) == 3 * sizeof(u64));

int vnic_batch(struct vnic_queue *queue, unsigned int cmd,
	       const void __user *user, bool noblock);
int vnic_batchsend(struct vnic_queue *queue, const struct vnic_batch *batch);

/* ----------------------------------------------------------------- qdisc.c
 * Does a vntun or vntap have a queueing discipline of its own accord?
 */
void vnic_qdisc_init(struct vnic_port *port);
void vnic_qdisc_want(struct vnic_port *port);

/* ------------------------------------------------------------------ port.c
 * The device half of vntun and vntap, whose far end is a program.
 */

/* The most queues that a device can have: as tun. */
#define VNIC_QUEUES_MAX		256

/* A longer list of packets gains nothing; as tun's limit for batches. */
#define VNIC_LIST_MAX		64

/* What a program may ask of the stack by TUNSETOFFLOAD. */
#define VNIC_PORT_OFFLOADS	(NETIF_F_HW_CSUM | NETIF_F_TSO | \
				 NETIF_F_TSO6 | NETIF_F_TSO_ECN | \
				 NETIF_F_GSO_UDP_L4 | VNIC_TUNNEL_OFFLOADS)

/**
 * struct vnic_slot - one queue of a device
 * @queue: who has it; written under RTNL, read in transmit under RCU. Cleared
 *	before its queue may be freed.
 * @count: its counters; made with the first queue that takes the slot, before
 *	@queue is published, and freed with the device
 */
struct vnic_slot {
	struct vnic_queue __rcu		*queue;
	struct vnic_count __percpu	*count;
};

/**
 * struct vnic_port - private data of a vntun or vntap
 * @dev: the device that this is the private data of
 * @flags: IFF_TUN or IFF_TAP, IFF_PERSIST, IFF_MULTI_QUEUE and
 *	VNIC_QUEUE_FLAGS as the device was made; of the last only
 *	IFF_BACKPRESSURE acts, the others are each queue's own. Written under
 *	RTNL, read without it.
 * @pinned: which of IFF_NO_PI and IFF_VNET_HDR in @flags every program has to
 *	attach with; under RTNL
 * @name: of the device. dev->name may change while it is read.
 * @name_lock: for @name and for dev->dev_addr
 * @headroom: bytes to leave in front of a packet that the program sends
 *	(ndo_set_rx_headroom); not always under RTNL, a hint that fits whenever
 * @owner: who may attach without CAP_NET_ADMIN, or INVALID_UID; written under
 *	RTNL
 * @group: the same for a group, or INVALID_GID; written under RTNL
 * @ksettings: what ``ethtool -s`` has set; under RTNL
 * @msg_enable: NETIF_MSG_*, which messages are logged
 * @ring_len: packets that a ring holds; under RTNL
 * @rx_frames: the most packets of a batch that the stack gets as one list
 * @offloads: what TUNSETOFFLOAD has asked for; written under RTNL
 * @numqueues: how many slots are taken, from the first on; written under
 *	RTNL
 * @numdisabled: how many queues TUNSETQUEUE has detached; written under RTNL
 * @numplain: how many of both have no virtio header; under RTNL
 * @disabled: those that are detached; under RTNL
 * @slots: dev->num_tx_queues of them
 * @base: counters of what no slot can be told for
 * @flows: which flow came from which queue; there as soon as there is a
 *	second queue; written under RTNL, read under RCU
 * @steering: TUNSETSTEERINGEBPF; written under RTNL, read under RCU
 * @ebpf: TUNSETFILTEREBPF, as @steering
 * @cbpf: TUNATTACHFILTER, as @steering
 * @fprog: what TUNATTACHFILTER was given, for TUNGETFILTER; under @name_lock
 * @mac: TUNSETTXFILTER, as @steering
 * @xdp: the XDP program, owned; as @steering
 * @security: the security module's; set once
 */
struct vnic_port {
	struct net_device		*dev;
	unsigned int			flags;
	unsigned int			pinned;
	char				name[IFNAMSIZ];
	spinlock_t			name_lock;	/* @name, @fprog, address */
	unsigned int			headroom;
	kuid_t				owner;
	kgid_t				group;
	struct ethtool_link_ksettings	ksettings;
	u32				msg_enable;
	unsigned int			ring_len;
	unsigned int			rx_frames;
	netdev_features_t		offloads;
	unsigned int			numqueues;
	unsigned int			numdisabled;
	unsigned int			numplain;
	struct list_head		disabled;
	struct vnic_slot		*slots;
	struct vnic_count __percpu	*base;
	struct vnic_flows __rcu		*flows;
	struct vnic_prog __rcu		*steering;
	struct vnic_prog __rcu		*ebpf;
	struct vnic_prog __rcu		*cbpf;
	struct sock_fprog		fprog;
	struct vnic_mac_filter __rcu	*mac;
	struct bpf_prog __rcu		*xdp;
	void				*security;
};

extern const struct ethtool_ops vnic_port_ethtool_ops;
extern const struct attribute_group vnic_port_sysfs;
extern const struct nla_policy vnic_port_policy[VNIC_TUN_BACKPRESSURE + 1];

int vnic_port_init(struct net_device *dev);
void vnic_port_uninit(struct net_device *dev);
int vnic_port_open(struct net_device *dev);
int vnic_port_stop(struct net_device *dev);
void vnic_port_setup(struct net_device *dev, unsigned int type);
netdev_tx_t vnic_port_xmit(struct sk_buff *skb, struct net_device *dev);
netdev_features_t vnic_port_fix_features(struct net_device *dev,
					 netdev_features_t features);
void vnic_port_set_rx_headroom(struct net_device *dev, int headroom);
int vnic_port_change_carrier(struct net_device *dev, bool on);
void vnic_port_set_offloads(struct vnic_port *port,
			    netdev_features_t offloads);
int vnic_port_set_ring(struct vnic_port *port, unsigned int len);
void vnic_port_set_backpressure(struct vnic_port *port, bool on);
void vnic_port_get_name(struct vnic_port *port, char *name);
int vnic_port_notifier_init(void);
void vnic_port_notifier_exit(void);

/*
 * The counters of a slot, or those of none. A queue may have got a slot of
 * another device while a call that began on this one ends, so the index is no
 * more than a hint.
 */
static inline struct vnic_count __percpu *
vnic_count_of(struct vnic_port *port, unsigned int index)
{
	struct vnic_count __percpu *count = NULL;

	if (index < port->dev->num_tx_queues)
		count = READ_ONCE(port->slots[index].count);
	return count ?: port->base;
}

/*
 * Count @n packets of @bytes in all that have arrived, as @counter,
 * VNIC_RX_PACKETS or VNIC_TX_PACKETS; the bytes' own follows it. Context: any,
 * also with interrupts off; the device is held, or seen in an RCU section.
 */
static inline void vnic_count_packets(struct vnic_port *port,
				      unsigned int index,
				      enum vnic_counter counter,
				      unsigned int n, unsigned int bytes)
{
	struct vnic_count *count = get_cpu_ptr(vnic_count_of(port, index));
	unsigned long flags;

	flags = u64_stats_update_begin_irqsave(&count->syncp);
	u64_stats_add(&count->counter[counter], n);
	u64_stats_add(&count->counter[counter + 1], bytes);
	u64_stats_update_end_irqrestore(&count->syncp, flags);
	put_cpu_ptr(count);
}

/*
 * Does each packet of a call go to the stack by itself, so that no list may be
 * made of them? Context: process, the device held.
 */
static inline bool vnic_send_alone(const struct vnic_port *port,
				   const struct vnic_queue *queue)
{
	/* What waits on the list is charged, and might be waited for. */
	return READ_ONCE(port->rx_frames) <= 1 ||
	       READ_ONCE(queue->sk.sk_sndbuf) != INT_MAX ||
	       (READ_ONCE(queue->flags) & IFF_NAPI_FRAGS) ||
	       READ_ONCE(queue->index) == VNIC_NO_SLOT;
}

/* In one piece, and as it shall be handed out, as most are? Context: any. */
static inline bool vnic_recv_is_plain(const void *ptr)
{
	const struct sk_buff *skb = ptr;

	return likely(!vnic_ring_is_xdp(ptr) && !skb_is_nonlinear(skb) &&
		      !skb_vlan_tag_present(skb));
}

/* Is there something for a virtio header to say of it? Context: any. */
static inline bool vnic_recv_has_offload(const struct sk_buff *skb)
{
	return skb->ip_summed != CHECKSUM_NONE || skb_is_gso(skb);
}

/*
 * A packet that was handed out. The head of an skb is kept for the next one
 * that this CPU makes. Context: bottom halves off.
 */
static inline void vnic_recv_free(void *ptr)
{
	if (unlikely(vnic_ring_is_xdp(ptr)))
		xdp_return_frame(vnic_ring_to_xdp(ptr));
	else
		napi_consume_skb(ptr, 1);
}

/*
 * The device of a queue, for the time of a call: let go of it with
 * vnic_port_put(). NULL if there is none. Context: any.
 */
static inline struct vnic_port *vnic_port_get(struct vnic_queue *queue)
{
	struct vnic_port *port;

	rcu_read_lock();
	port = rcu_dereference(queue->port);
	if (port)
		dev_hold(port->dev);
	rcu_read_unlock();
	return port;
}

static inline void vnic_port_put(struct vnic_port *port)
{
	dev_put(port->dev);
}

/* As vnic_filter_apply(). Mostly there is none, and nothing to be called. */
static inline enum vnic_counter vnic_filter_run(struct vnic_port *port,
						struct vnic_queue *queue,
						struct sk_buff *skb)
{
	if (likely(!rcu_access_pointer(port->mac) &&
		   !rcu_access_pointer(port->cbpf) &&
		   !rcu_access_pointer(port->ebpf)))
		return 0;
	return vnic_filter_apply(port, queue, skb);
}

static inline bool vnic_port_is_tap(const struct vnic_port *port)
{
	return READ_ONCE(port->flags) & IFF_TAP;
}

/* Bytes on the wire of a packet that eth_type_trans() has seen. */
static inline unsigned int vnic_port_len(const struct vnic_port *port,
					 const struct sk_buff *skb)
{
	return skb->len + (vnic_port_is_tap(port) ? ETH_HLEN : 0);
}

/*
 * A packet of the queue's is about to go to the stack: say which queue. In an
 * RCU section, or with bottom halves off, or the number could be one that the device
 * no longer has.
 */
static inline void vnic_port_record(struct vnic_port *port,
				    struct vnic_queue *queue,
				    struct sk_buff *skb)
{
	unsigned int index = READ_ONCE(queue->index);

	if (index < READ_ONCE(port->dev->real_num_rx_queues))
		skb_record_rx_queue(skb, index);
}

/* --------------------------------------------------------------- netlink.c
 * vntun and vntap made, changed and shown by ``ip link``.
 */

/* The attributes that they have. */
#define VNIC_PORT_ATTRS		(GENMASK_ULL(VNIC_TUN_NUM_DISABLED_QUEUES, \
					     VNIC_TUN_OWNER) | \
				 BIT_ULL(VNIC_TUN_BACKPRESSURE))

int vnic_port_newlink(struct net_device *dev,
		      struct rtnl_newlink_params *params,
		      struct netlink_ext_ack *extack);
int vnic_port_changelink(struct net_device *dev, struct nlattr *tb[],
			 struct nlattr *data[], struct netlink_ext_ack *extack);
size_t vnic_port_get_size(const struct net_device *dev);
int vnic_port_fill_info(struct sk_buff *skb, const struct net_device *dev);

/* ---------------------------------------------------------------- attach.c
 * Queues and devices meet and part: TUNSETIFF, TUNSETQUEUE, close, deletion.
 */
int vnic_attach(struct vnic_queue *queue, struct ifreq *ifr);
int vnic_attach_again(struct vnic_queue *queue);
int vnic_attach_pause(struct vnic_queue *queue);
void vnic_attach_end(struct vnic_queue *queue);
void vnic_attach_end_all(struct vnic_port *port);

/* ---------------------------------------------------------------- hwaddr.c */
int vnic_hwaddr_set_type(struct vnic_port *port, unsigned long type);
void vnic_hwaddr_get(struct vnic_port *port, struct ifreq *ifr);
int vnic_hwaddr_set(struct vnic_port *port, const struct ifreq *ifr);

/* ---------------------------------------- face.c, ioctl.c, chardev.c: faces */
ssize_t vnic_face_read(struct vnic_queue *queue, struct iov_iter *to,
		       bool noblock);
__poll_t vnic_face_poll(struct vnic_queue *queue, struct file *file,
			struct poll_table_struct *wait);
void vnic_face_show(struct vnic_queue *queue, struct seq_file *seq);
long vnic_ioctl(struct vnic_queue *queue, unsigned int cmd,
		unsigned long value, size_t ifreq_len, bool noblock);
long vnic_compat_ioctl(struct vnic_queue *queue, unsigned int cmd,
		       unsigned long arg, bool noblock);
int vnic_chardev_init(void);
void vnic_chardev_exit(void);

/* ---------------------------------------------- vnveth.c, vnveth_netlink.c */

/**
 * struct vnveth - private data of one end
 * @link: what it shares with vndummy; has to be first
 * @headroom: what ndo_set_rx_headroom asked of this end; not always under
 *	RTNL, so written and read whole
 */
struct vnveth {
	struct vnic_link	link;
	int			headroom;
};

void vnveth_setup(struct net_device *dev);
void vnveth_setup_l3(struct net_device *dev);

/* ------------------------------------------------------------------- kinds */
extern struct rtnl_link_ops vndummy_link_ops;
extern struct rtnl_link_ops vnveth_link_ops;
extern struct rtnl_link_ops vntun_link_ops;
extern struct rtnl_link_ops vntap_link_ops;

#endif
