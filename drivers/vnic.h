/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The contract between the rooms of the house: who owns what, which lock or
 * RCU section protects it. Every source file includes this one and no other
 * header of the project. See Documentation/architecture.rst.
 */
#ifndef VNIC_H
#define VNIC_H

#include <linux/ethtool.h>
#include <linux/if_tun.h>
#include <linux/ptr_ring.h>
#include <linux/u64_stats_sync.h>
#include <net/dropreason.h>
#include <net/sock.h>
#include <uapi/linux/vnic.h>

#include "compat.h"

#define VNIC_VERSION	"0.1"

/* ------------------------------------------------------------------ link.c
 * What every kind shares: counters, validation, ethtool answers.
 */

/**
 * struct vnic_stats - packets and bytes of one device on one CPU
 * @rx_packets: packets handed to the stack
 * @rx_bytes: their bytes, Ethernet header included
 * @rx_dropped: packets lost on their way to the stack
 * @tx_packets: packets that reached the other end
 * @tx_bytes: their bytes, Ethernet header included
 * @tx_dropped: packets lost on their way to the other end
 * @syncp: makes the others one consistent snapshot on 32-bit machines
 *
 * Written by its own CPU only, with bottom halves off; read by any.
 */
struct vnic_stats {
	u64_stats_t		rx_packets;
	u64_stats_t		rx_bytes;
	u64_stats_t		rx_dropped;
	u64_stats_t		tx_packets;
	u64_stats_t		tx_bytes;
	u64_stats_t		tx_dropped;
	struct u64_stats_sync	syncp;
};

/**
 * struct vnic_link - the head of every kind's private data
 * @stats: owned by the device, allocated by vnic_link_init() and freed when
 *	the last reference to the device is gone; so whoever holds a device,
 *	or is in an RCU section that saw it, may count
 */
struct vnic_link {
	struct vnic_stats __percpu *stats;
};

int vnic_link_init(struct net_device *dev);
void vnic_link_free(struct net_device *dev);
void vnic_get_stats64(struct net_device *dev, struct rtnl_link_stats64 *tot);
void vnic_drop_rx(struct net_device *dev, struct sk_buff *skb,
		  enum skb_drop_reason reason);
void vnic_drop_tx(struct net_device *dev, struct sk_buff *skb,
		  enum skb_drop_reason reason);
int vnic_register(struct net_device *dev, struct netlink_ext_ack *extack);
int vnic_validate(struct nlattr *tb[], u16 known, u32 max_mtu,
		  struct netlink_ext_ack *extack);
void vnic_get_drvinfo(struct net_device *dev, struct ethtool_drvinfo *info);
int vnic_get_link_ksettings(struct net_device *dev,
			    struct ethtool_link_ksettings *cmd);

static inline struct vnic_stats *vnic_this_cpu_stats(struct net_device *dev)
{
	struct vnic_link *link = netdev_priv(dev);

	return this_cpu_ptr(link->stats);
}

/* Context: bottom halves off. */
static inline void vnic_count_rx(struct net_device *dev, unsigned int packets,
				 unsigned int bytes)
{
	struct vnic_stats *stats = vnic_this_cpu_stats(dev);

	u64_stats_update_begin(&stats->syncp);
	u64_stats_add(&stats->rx_packets, packets);
	u64_stats_add(&stats->rx_bytes, bytes);
	u64_stats_update_end(&stats->syncp);
}

/* Context: bottom halves off. */
static inline void vnic_count_tx(struct net_device *dev, unsigned int bytes)
{
	struct vnic_stats *stats = vnic_this_cpu_stats(dev);

	u64_stats_update_begin(&stats->syncp);
	u64_stats_inc(&stats->tx_packets);
	u64_stats_add(&stats->tx_bytes, bytes);
	u64_stats_update_end(&stats->syncp);
}

/* ------------------------------------------------------------------ cell.c
 * Where a pair hands over: one queue and one NAPI for each CPU.
 */
int vnic_cell_init(void);
void vnic_cell_exit(void);
bool vnic_cell_add(struct sk_buff *skb);
void vnic_cell_flush(struct net_device *dev);

/* ----------------------------------------------------------------- queue.c
 * What joins a vntun or vntap to one open file.
 */

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
 * @ring: packets from the stack, waiting for the program. Its producer lock
 *	is taken in transmit (BH off), its consumer lock in process context
 *	only. A packet in the ring belongs to the device, as its skb->dev;
 *	the ring is therefore emptied before @port is let go of.
 * @fasync: who wants SIGIO; its own locking
 * @ifindex: TUNSETIFINDEX, the index that TUNSETIFF will ask for; under RTNL
 * @index: slot in the device's array; written under RTNL before @port and the
 *	slot are published
 *
 * Owned by the open file. While a device is attached, its slot points here
 * too; vnic_port_detach() waits for the RCU readers of that slot before the
 * file can free the queue.
 */
struct vnic_queue {
	struct sock			sk;
	struct socket			socket;
	struct vnic_port __rcu		*port;
	struct ptr_ring			ring;
	struct fasync_struct		*fasync;
	int				ifindex;
	u16				index;
};

struct vnic_queue *vnic_queue_alloc(struct net *net);
void vnic_queue_free(struct vnic_queue *queue);
int vnic_queue_resize(struct vnic_queue *queue, unsigned int len);
void vnic_queue_purge(struct vnic_queue *queue);
void vnic_queue_start(struct vnic_queue *queue);
void vnic_queue_shutdown(struct vnic_queue *queue);
bool vnic_queue_writable(struct vnic_queue *queue, struct net_device *dev);
enum skb_drop_reason vnic_queue_produce(struct vnic_queue *queue,
					struct sk_buff *skb);
struct sk_buff *vnic_queue_consume(struct vnic_queue *queue);
int vnic_queue_wait(struct vnic_queue *queue);
ssize_t vnic_queue_send(struct vnic_queue *queue, struct vnic_port *port,
			struct iov_iter *from, bool noblock);
ssize_t vnic_queue_recv(struct vnic_port *port, struct sk_buff *skb,
			struct iov_iter *to);

/* ------------------------------------------------------------------ port.c
 * The device half of vntun and vntap, whose far end is a program.
 */

/* Flags of struct vnic_port that a program chooses when it attaches. */
#define VNIC_PORT_FEATURES	(IFF_NO_PI | IFF_ONE_QUEUE)
/* TUNSETIFF flags that change what crosses the fd and that we do not have. */
#define VNIC_PORT_REFUSED	(IFF_VNET_HDR | IFF_MULTI_QUEUE)

/**
 * struct vnic_port - private data of a vntun or vntap
 * @link: counters
 * @dev: the device that this is the private data of
 * @flags: IFF_TUN or IFF_TAP, IFF_PERSIST, VNIC_PORT_FEATURES; written under
 *	RTNL, read once for each packet without it
 * @headroom: bytes to leave in front of a packet that the program sends
 *	(ndo_set_rx_headroom); not always under RTNL, a hint that fits whenever
 * @owner: who may attach without CAP_NET_ADMIN, or INVALID_UID; under RTNL
 * @group: the same for a group, or INVALID_GID; under RTNL
 * @ksettings: what ``ethtool -s`` has set; under RTNL
 * @numqueues: how many slots of @queues are taken, from the first on;
 *	under RTNL
 * @queues: dev->num_tx_queues slots; written under RTNL, read in transmit
 *	under RCU. A slot is cleared before its queue may be freed.
 */
struct vnic_port {
	struct vnic_link		link;
	struct net_device		*dev;
	unsigned int			flags;
	unsigned int			headroom;
	kuid_t				owner;
	kgid_t				group;
	struct ethtool_link_ksettings	ksettings;
	unsigned int			numqueues;
	struct vnic_queue __rcu		**queues;
};

extern const struct ethtool_ops vnic_port_ethtool_ops;

int vnic_port_init(struct net_device *dev);
void vnic_port_uninit(struct net_device *dev);
void vnic_port_setup(struct net_device *dev, unsigned int type);
int vnic_port_newlink(struct net_device *dev,
		      struct rtnl_newlink_params *params,
		      struct netlink_ext_ack *extack);
netdev_tx_t vnic_port_xmit(struct sk_buff *skb, struct net_device *dev);
void vnic_port_set_rx_headroom(struct net_device *dev, int headroom);
int vnic_port_change_carrier(struct net_device *dev, bool on);
int vnic_port_attach(struct vnic_queue *queue, struct ifreq *ifr);
void vnic_port_detach(struct vnic_queue *queue);
struct vnic_port *vnic_port_get(struct vnic_queue *queue);
void vnic_port_put(struct vnic_port *port);
int vnic_port_notifier_init(void);
void vnic_port_notifier_exit(void);

static inline bool vnic_port_is_tap(const struct vnic_port *port)
{
	return READ_ONCE(port->flags) & IFF_TAP;
}

/* ------------------------------------------------ ioctl.c, chardev.c: faces */
long vnic_ioctl(struct vnic_queue *queue, unsigned int cmd,
		unsigned long value, size_t ifreq_len);
int vnic_chardev_init(void);
void vnic_chardev_exit(void);

/* ------------------------------------------------------------------- kinds */
extern struct rtnl_link_ops vndummy_link_ops;
extern struct rtnl_link_ops vnveth_link_ops;
extern struct rtnl_link_ops vntun_link_ops;
extern struct rtnl_link_ops vntap_link_ops;

#endif
