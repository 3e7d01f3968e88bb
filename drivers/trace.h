/* SPDX-License-Identifier: GPL-2.0 */
/*
 * trace - the stations of a packet's life, as tracepoints (events/vnic)
 *
 *	program                                              program
 *	  | enter                                               ^ taken
 *	  v                                                     |
 *	checked --> [xdp] --> deliver --> stack --> queue --> [ring]
 *
 *	stack --> handover --> queue --> [ring or cell] --> polled --> [xdp]
 *	                                                --> deliver --> stack
 *
 * and full, wake and drop beside them. A packet is known by skbaddr, the address
 * of its sk_buff, as in the core's own events (net:, skb:); of an XDP frame it
 * is that of its struct xdp_frame. Addresses are used again once a packet has
 * gone. Whatever costs something is worked out only while somebody listens.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vnic

#if !defined(VNIC_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define VNIC_TRACE_H

#include <linux/tracepoint.h>
#include <net/net_namespace.h>

#include "vnic.h"

#ifndef VNIC_TRACE_ONCE
#define VNIC_TRACE_ONCE

/**
 * enum vnic_place - where a packet waits
 * @VNIC_PLACE_RING: in the ring of a vntun's or vntap's queue
 * @VNIC_PLACE_BACKLOG: of such a queue, for its NAPI (IFF_NAPI)
 * @VNIC_PLACE_RXQ: in the ring of a receive queue of a vndummy or vnveth
 * @VNIC_PLACE_CELL: in a CPU's cell
 * @VNIC_PLACE_SHARED: in memory that the program has mapped
 * @VNIC_PLACE_SOCKET: in the receive queue of the socket of such a queue
 */
enum vnic_place {
	VNIC_PLACE_RING,
	VNIC_PLACE_BACKLOG,
	VNIC_PLACE_RXQ,
	VNIC_PLACE_CELL,
	VNIC_PLACE_SHARED,
	VNIC_PLACE_SOCKET,
};

/**
 * enum vnic_how - how the stack gets a packet
 * @VNIC_HOW_ONE: by itself, netif_receive_skb()
 * @VNIC_HOW_LIST: with others, netif_receive_skb_list()
 * @VNIC_HOW_GRO: by way of GRO, which may merge it with others
 * @VNIC_HOW_FRAGS: the same, in fragments
 * @VNIC_HOW_NOWHERE: not at all: a vndummy has swallowed it
 */
enum vnic_how {
	VNIC_HOW_ONE,
	VNIC_HOW_LIST,
	VNIC_HOW_GRO,
	VNIC_HOW_FRAGS,
	VNIC_HOW_NOWHERE,
};

/**
 * enum vnic_waiter - who is woken
 * @VNIC_WAITER_READER: a program that sleeps until there is something to read
 * @VNIC_WAITER_SENDER: a transmit queue that was stopped
 */
enum vnic_waiter {
	VNIC_WAITER_READER,
	VNIC_WAITER_SENDER,
};

/**
 * vnic_trace() - a packet has come to a station
 * @station: which event, without ``vnic_``; or "ring", which is queue or full;
 *	or "drop_list"
 *
 * What its arguments take is worked out elsewhere and only while somebody
 * listens: the way of a packet has one instruction more, which does nothing.
 */
#define vnic_trace(station, ...)					\
do {									\
	if (vnic_trace_##station##_enabled())				\
		vnic_trace_##station(__VA_ARGS__);			\
} while (0)

#define vnic_trace_enter_enabled	trace_vnic_enter_enabled
#define vnic_trace_checked_enabled	trace_vnic_checked_enabled
#define vnic_trace_taken_enabled	trace_vnic_taken_enabled
#define vnic_trace_queue_enabled	trace_vnic_queue_enabled
#define vnic_trace_full_enabled		trace_vnic_full_enabled
#define vnic_trace_polled_enabled	trace_vnic_polled_enabled
#define vnic_trace_wake_enabled		trace_vnic_wake_enabled
#define vnic_trace_handover_enabled	trace_vnic_handover_enabled
#define vnic_trace_deliver_enabled	trace_vnic_deliver_enabled
#define vnic_trace_xdp_enabled		trace_vnic_xdp_enabled
#define vnic_trace_drop_enabled		trace_vnic_drop_enabled
#define vnic_trace_drop_list_enabled	trace_vnic_drop_enabled
#define vnic_trace_ring_enabled()					\
	(trace_vnic_queue_enabled() || trace_vnic_full_enabled())

void vnic_trace_enter(const struct net_device *dev, unsigned int queue,
		      unsigned int bytes);
void vnic_trace_checked(const struct net_device *dev, unsigned int queue,
			const void *ptr);
void vnic_trace_taken(const struct net_device *dev, unsigned int queue,
		      const void *ptr);
void vnic_trace_queue(const struct net_device *dev, unsigned int queue,
		      const void *ptr, enum vnic_place place,
		      const void *where);
void vnic_trace_full(const struct net_device *dev, unsigned int queue,
		     const void *ptr, enum vnic_place place, const void *where);
void vnic_trace_ring(const struct net_device *dev, unsigned int queue,
		     const void *ptr, const struct ptr_ring *ring);
void vnic_trace_polled(const struct net_device *dev, unsigned int queue,
		       const void *ptr, enum vnic_place place,
		       const void *where);
void vnic_trace_wake(const struct net_device *dev, unsigned int queue,
		     enum vnic_waiter waiter);
void vnic_trace_handover(const struct net_device *dev,
			 const struct net_device *peer, unsigned int queue,
			 const void *ptr);
void vnic_trace_deliver(const struct net_device *dev, unsigned int queue,
			const void *ptr, enum vnic_how how);
void vnic_trace_xdp(const struct net_device *dev, unsigned int queue,
		    const void *ptr, unsigned int bytes, unsigned int act);
void vnic_trace_drop(const struct net_device *dev, unsigned int queue,
		     const void *ptr, const char *way, const char *loss,
		     unsigned int reason);
void vnic_trace_drop_list(const struct net_device *dev, unsigned int queue,
			  struct sk_buff *list, unsigned int n, const char *way,
			  const char *loss, unsigned int reason);

/* The address of what an entry of a ring is. */
static inline const void *vnic_trace_addr(const void *ptr)
{
	return vnic_ring_is_xdp(ptr) ? vnic_ring_to_xdp(ptr) : ptr;
}

/* Bytes on the wire, as far as they are known. */
static inline unsigned int vnic_trace_len(const void *ptr)
{
	const struct sk_buff *skb = ptr;

	if (!ptr)
		return 0;
	if (vnic_ring_is_xdp(ptr))
		return xdp_get_frame_len(vnic_ring_to_xdp(ptr));
	if (skb_mac_header_was_set(skb) && skb->data > skb_mac_header(skb))
		return skb->len + (skb->data - skb_mac_header(skb));
	return skb->len;
}

static inline u16 vnic_trace_protocol(const void *ptr)
{
	const struct sk_buff *skb = ptr;
	const struct xdp_frame *frame;

	if (!ptr)
		return 0;
	if (!vnic_ring_is_xdp(ptr))
		return ntohs(skb->protocol);
	frame = vnic_ring_to_xdp(ptr);
	if (frame->len < ETH_HLEN)
		return 0;
	return ntohs(((const struct ethhdr *)frame->data)->h_proto);
}

/* How many wait there already; others may be adding and taking meanwhile. */
static inline unsigned int vnic_trace_depth(enum vnic_place place,
					    const void *where)
{
	const struct sk_buff_head *list = where;
	const struct vnic_half *half = where;
	const struct ptr_ring *ring = where;
	int depth, producer, size;

	if (place == VNIC_PLACE_CELL || place == VNIC_PLACE_BACKLOG ||
	    place == VNIC_PLACE_SOCKET)
		return READ_ONCE(list->qlen);
	if (place == VNIC_PLACE_SHARED)
		return READ_ONCE(half->pos) - READ_ONCE(half->seen);
	size = READ_ONCE(ring->size);
	producer = READ_ONCE(ring->producer);
	if (producer >= size)
		return 0;
	depth = producer - READ_ONCE(ring->consumer_head);
	if (depth < 0)
		depth += size;
	if (!depth && READ_ONCE(ring->queue[producer]))
		depth = size;
	return depth;
}

#endif /* VNIC_TRACE_ONCE */

TRACE_DEFINE_ENUM(VNIC_PLACE_RING);
TRACE_DEFINE_ENUM(VNIC_PLACE_BACKLOG);
TRACE_DEFINE_ENUM(VNIC_PLACE_RXQ);
TRACE_DEFINE_ENUM(VNIC_PLACE_CELL);
TRACE_DEFINE_ENUM(VNIC_PLACE_SHARED);
TRACE_DEFINE_ENUM(VNIC_PLACE_SOCKET);
TRACE_DEFINE_ENUM(VNIC_HOW_ONE);
TRACE_DEFINE_ENUM(VNIC_HOW_LIST);
TRACE_DEFINE_ENUM(VNIC_HOW_GRO);
TRACE_DEFINE_ENUM(VNIC_HOW_FRAGS);
TRACE_DEFINE_ENUM(VNIC_HOW_NOWHERE);
TRACE_DEFINE_ENUM(VNIC_WAITER_READER);
TRACE_DEFINE_ENUM(VNIC_WAITER_SENDER);

#define vnic_show_place(place)						\
	__print_symbolic(place,						\
			 { VNIC_PLACE_RING,	"ring" },		\
			 { VNIC_PLACE_BACKLOG,	"backlog" },		\
			 { VNIC_PLACE_RXQ,	"rxq" },		\
			 { VNIC_PLACE_CELL,	"cell" },		\
			 { VNIC_PLACE_SHARED,	"shared" },		\
			 { VNIC_PLACE_SOCKET,	"socket" })

#define vnic_show_how(how)						\
	__print_symbolic(how,						\
			 { VNIC_HOW_ONE,	"one" },		\
			 { VNIC_HOW_LIST,	"list" },		\
			 { VNIC_HOW_GRO,	"gro" },		\
			 { VNIC_HOW_FRAGS,	"frags" },		\
			 { VNIC_HOW_NOWHERE,	"nowhere" })

#define vnic_show_waiter(waiter)					\
	__print_symbolic(waiter,					\
			 { VNIC_WAITER_READER,	"reader" },		\
			 { VNIC_WAITER_SENDER,	"sender" })

/* What every event says of the device. */
#define VNIC_DEV_FIELDS							\
	__array(char,		name,	IFNAMSIZ)			\
	__field(int,		ifindex)				\
	__field(unsigned int,	netns)					\
	__field(unsigned int,	queue)

#define VNIC_DEV_ASSIGN							\
	memcpy(__entry->name, dev->name, IFNAMSIZ);			\
	__entry->ifindex = dev->ifindex;				\
	__entry->netns = dev_net(dev)->ns.inum;				\
	__entry->queue = queue

#define VNIC_DEV_FORMAT	"dev=%s ifindex=%d netns=%u queue=%u"
#define VNIC_DEV_ARGS							\
	__entry->name, __entry->ifindex, __entry->netns, __entry->queue

/* And of the packet. */
#define VNIC_PACKET_FIELDS						\
	VNIC_DEV_FIELDS							\
	__field(const void *,	skbaddr)				\
	__field(unsigned int,	len)					\
	__field(u16,		protocol)

#define VNIC_PACKET_ASSIGN						\
	VNIC_DEV_ASSIGN;						\
	__entry->skbaddr = vnic_trace_addr(ptr);			\
	__entry->len = vnic_trace_len(ptr);				\
	__entry->protocol = vnic_trace_protocol(ptr)

#define VNIC_PACKET_FORMAT						\
	VNIC_DEV_FORMAT " skbaddr=%p len=%u protocol=0x%04x"
#define VNIC_PACKET_ARGS						\
	VNIC_DEV_ARGS, __entry->skbaddr, __entry->len, __entry->protocol

/* A program hands a frame over: it is in the program's memory still. */
TRACE_EVENT(vnic_enter,
	TP_PROTO(const struct net_device *dev, unsigned int queue,
		 unsigned int bytes),
	TP_ARGS(dev, queue, bytes),
	TP_STRUCT__entry(
		VNIC_DEV_FIELDS
		__field(unsigned int,	len)
	),
	TP_fast_assign(
		VNIC_DEV_ASSIGN;
		__entry->len = bytes;
	),
	TP_printk(VNIC_DEV_FORMAT " len=%u", VNIC_DEV_ARGS, __entry->len)
);

DECLARE_EVENT_CLASS(vnic_packet,
	TP_PROTO(const struct net_device *dev, unsigned int queue,
		 const void *ptr),
	TP_ARGS(dev, queue, ptr),
	TP_STRUCT__entry(
		VNIC_PACKET_FIELDS
	),
	TP_fast_assign(
		VNIC_PACKET_ASSIGN;
	),
	TP_printk(VNIC_PACKET_FORMAT, VNIC_PACKET_ARGS)
);

/* It is a packet now, its headers are understood. */
DEFINE_EVENT(vnic_packet, vnic_checked,
	TP_PROTO(const struct net_device *dev, unsigned int queue,
		 const void *ptr),
	TP_ARGS(dev, queue, ptr));

/* The program has it. */
DEFINE_EVENT(vnic_packet, vnic_taken,
	TP_PROTO(const struct net_device *dev, unsigned int queue,
		 const void *ptr),
	TP_ARGS(dev, queue, ptr));

DECLARE_EVENT_CLASS(vnic_place,
	TP_PROTO(const struct net_device *dev, unsigned int queue,
		 const void *ptr, enum vnic_place place, const void *where),
	TP_ARGS(dev, queue, ptr, place, where),
	TP_STRUCT__entry(
		VNIC_PACKET_FIELDS
		__field(int,		place)
		__field(unsigned int,	depth)
	),
	TP_fast_assign(
		VNIC_PACKET_ASSIGN;
		__entry->place = place;
		__entry->depth = vnic_trace_depth(place, where);
	),
	TP_printk(VNIC_PACKET_FORMAT " place=%s depth=%u", VNIC_PACKET_ARGS,
		  vnic_show_place(__entry->place), __entry->depth)
);

/* About to wait, behind depth others. */
DEFINE_EVENT(vnic_place, vnic_queue,
	TP_PROTO(const struct net_device *dev, unsigned int queue,
		 const void *ptr, enum vnic_place place, const void *where),
	TP_ARGS(dev, queue, ptr, place, where));

/* There is no room to wait. */
DEFINE_EVENT(vnic_place, vnic_full,
	TP_PROTO(const struct net_device *dev, unsigned int queue,
		 const void *ptr, enum vnic_place place, const void *where),
	TP_ARGS(dev, queue, ptr, place, where));

/* NAPI has taken it, and depth others are left. */
DEFINE_EVENT(vnic_place, vnic_polled,
	TP_PROTO(const struct net_device *dev, unsigned int queue,
		 const void *ptr, enum vnic_place place, const void *where),
	TP_ARGS(dev, queue, ptr, place, where));

/* Somebody who waited goes on. */
TRACE_EVENT(vnic_wake,
	TP_PROTO(const struct net_device *dev, unsigned int queue,
		 enum vnic_waiter waiter),
	TP_ARGS(dev, queue, waiter),
	TP_STRUCT__entry(
		VNIC_DEV_FIELDS
		__field(int,	waiter)
	),
	TP_fast_assign(
		VNIC_DEV_ASSIGN;
		__entry->waiter = waiter;
	),
	TP_printk(VNIC_DEV_FORMAT " waiter=%s", VNIC_DEV_ARGS,
		  vnic_show_waiter(__entry->waiter))
);

/* One end has let it go, and it is the other end's. */
TRACE_EVENT(vnic_handover,
	TP_PROTO(const struct net_device *dev, const struct net_device *peer,
		 unsigned int queue, const void *ptr),
	TP_ARGS(dev, peer, queue, ptr),
	TP_STRUCT__entry(
		VNIC_PACKET_FIELDS
		__array(char,		peer,	IFNAMSIZ)
		__field(int,		peer_ifindex)
		__field(unsigned int,	peer_netns)
	),
	TP_fast_assign(
		VNIC_PACKET_ASSIGN;
		memcpy(__entry->peer, peer->name, IFNAMSIZ);
		__entry->peer_ifindex = peer->ifindex;
		__entry->peer_netns = dev_net(peer)->ns.inum;
	),
	TP_printk(VNIC_PACKET_FORMAT " peer=%s peer_ifindex=%d peer_netns=%u",
		  VNIC_PACKET_ARGS, __entry->peer, __entry->peer_ifindex,
		  __entry->peer_netns)
);

/* About to be given to the stack. */
TRACE_EVENT(vnic_deliver,
	TP_PROTO(const struct net_device *dev, unsigned int queue,
		 const void *ptr, enum vnic_how how),
	TP_ARGS(dev, queue, ptr, how),
	TP_STRUCT__entry(
		VNIC_PACKET_FIELDS
		__field(int,	how)
	),
	TP_fast_assign(
		VNIC_PACKET_ASSIGN;
		__entry->how = how;
	),
	TP_printk(VNIC_PACKET_FORMAT " how=%s", VNIC_PACKET_ARGS,
		  vnic_show_how(__entry->how))
);

/* What an XDP program has decided. A frame that is no packet yet has no skbaddr. */
TRACE_EVENT(vnic_xdp,
	TP_PROTO(const struct net_device *dev, unsigned int queue,
		 const void *ptr, unsigned int bytes, unsigned int act),
	TP_ARGS(dev, queue, ptr, bytes, act),
	TP_STRUCT__entry(
		VNIC_PACKET_FIELDS
		__field(unsigned int,	act)
	),
	TP_fast_assign(
		VNIC_PACKET_ASSIGN;
		__entry->len = bytes;
		__entry->act = act;
	),
	TP_printk(VNIC_PACKET_FORMAT " act=%s", VNIC_PACKET_ARGS,
		  __print_symbolic(__entry->act,
				   { XDP_ABORTED,	"aborted" },
				   { XDP_DROP,		"drop" },
				   { XDP_PASS,		"pass" },
				   { XDP_TX,		"tx" },
				   { XDP_REDIRECT,	"redirect" }))
);

/* Lost: by which counter of ethtool -S, and by which reason of the core's. */
TRACE_EVENT(vnic_drop,
	TP_PROTO(const struct net_device *dev, unsigned int queue,
		 const void *ptr, const char *way, const char *loss,
		 unsigned int reason),
	TP_ARGS(dev, queue, ptr, way, loss, reason),
	TP_STRUCT__entry(
		VNIC_PACKET_FIELDS
		__array(char,		counter, 24)
		__field(unsigned int,	reason)
	),
	TP_fast_assign(
		VNIC_PACKET_ASSIGN;
		snprintf(__entry->counter, sizeof(__entry->counter), "%s%s",
			 way, loss);
		__entry->reason = reason;
	),
	TP_printk(VNIC_PACKET_FORMAT " counter=%s reason=%u", VNIC_PACKET_ARGS,
		  __entry->counter, __entry->reason)
);

#endif /* VNIC_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
