/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Old kernels, lifted up to the newest: the drivers are written for 7.3 and
 * this file alone knows that 6.1 differs. Each shim says in which kernel its
 * original appeared; when that kernel is the oldest one supported, delete it.
 * The VNIC_HAVE_* answers come from probes.mk.
 */
#ifndef VNIC_COMPAT_H
#define VNIC_COMPAT_H

#include <linux/compat.h>
#include <linux/etherdevice.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/if_tun.h>
#include <linux/netdevice.h>
#include <linux/ptr_ring.h>
#include <linux/skbuff.h>
#include <linux/uio.h>
#include <linux/virtio_net.h>
#include <net/gro.h>
#include <net/net_namespace.h>
#include <net/rtnetlink.h>
#include <net/sch_generic.h>
#include <net/sock.h>
#include <net/tcp.h>
#include <net/xdp.h>

#ifdef VNIC_HAVE_NETDEV_LOCK_H		/* 6.15: moved out of netdevice.h */
#include <net/netdev_lock.h>
#endif

#ifdef VNIC_HAVE_PAGE_POOL_DIR		/* 6.6: one file became three */
#include <net/page_pool/helpers.h>
#else
#include <net/page_pool.h>
#endif

#ifdef VNIC_HAVE_GSO_H			/* 6.5: moved out of netdevice.h */
#include <net/gso.h>
#endif

#ifdef VNIC_HAVE_SKBUFF_REF_H		/* 6.10: moved out of skbuff.h */
#include <linux/skbuff_ref.h>
#endif

#ifdef VNIC_HAVE_RPS_H			/* 6.9: moved out of sock.h */
#include <net/rps.h>
#endif

/* 6.6: every page of a pool may be cut into pieces. */
#ifndef PP_FLAG_PAGE_FRAG
#define PP_FLAG_PAGE_FRAG	0
#endif

/* 7.2: what a full ring does. We have it on every kernel. */
#ifndef IFF_BACKPRESSURE
#define IFF_BACKPRESSURE	0x0080
#endif

/* 6.2: UDP segments. Older kernels cut them too, but tun has no word for it. */
#ifndef TUN_F_USO4
#define TUN_F_USO4		0x20
#define TUN_F_USO6		0x40
#endif
#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4	5
#endif

/* 6.17: packets in UDP tunnels. Here only to be refused by name. */
#ifndef TUN_F_UDP_TUNNEL_GSO
#define TUN_F_UDP_TUNNEL_GSO		0x080
#define TUN_F_UDP_TUNNEL_GSO_CSUM	0x100
#endif
#ifndef VIRTIO_NET_HDR_GSO_UDP_TUNNEL
#define VIRTIO_NET_HDR_GSO_UDP_TUNNEL		0x60
#define VIRTIO_NET_HDR_F_UDP_TUNNEL_CSUM	8
#endif

/* 6.16: the least size of a TCP segment, which bounds their number. */
#ifndef TCP_MIN_GSO_SIZE
#define TCP_MIN_GSO_SIZE	(TCP_MIN_SND_MSS - MAX_TCP_OPTION_SPACE)
#endif

/* 6.15: does the transmit queue hold packets back, or pass them on at once? */
#ifndef VNIC_HAVE_TXQ_HAS_NO_QUEUE
static inline bool qdisc_txq_has_no_queue(const struct netdev_queue *txq)
{
	return !READ_ONCE(rcu_access_pointer(txq->qdisc)->enqueue);
}
#endif

/* Between 6.12 and 7.3: whether to empty the qdiscs is an argument. */
static inline void vnic_dev_deactivate(struct net_device *dev)
{
#ifdef VNIC_HAVE_DEACTIVATE_RESET
	dev_deactivate(dev, true);
#else
	dev_deactivate(dev);
#endif
}

/* 6.4: the pieces of an iterator are no more to be reached for directly. */
static inline const struct iovec *vnic_iter_iov(const struct iov_iter *iter)
{
#ifdef VNIC_HAVE_ITER_IOV
	return iter_iov(iter);
#else
	return iter->iov;
#endif
}

/* 6.3: a device says what XDP can do with it. */
#ifdef VNIC_HAVE_XDP_FEATURES
#define VNIC_XDP_RUN	(NETDEV_XDP_ACT_BASIC | NETDEV_XDP_ACT_REDIRECT)
#define VNIC_XDP_RUN_SG	NETDEV_XDP_ACT_RX_SG
#define VNIC_XDP_XMIT	NETDEV_XDP_ACT_NDO_XMIT
#define VNIC_XDP_XMIT_SG NETDEV_XDP_ACT_NDO_XMIT_SG
#define vnic_set_xdp_features(dev, features)				\
	((dev)->xdp_features = (features))
#else
#define VNIC_XDP_RUN	0
#define VNIC_XDP_RUN_SG	0
#define VNIC_XDP_XMIT	0
#define VNIC_XDP_XMIT_SG 0
#define vnic_set_xdp_features(dev, features)				\
	((void)(dev), (void)(features))
#endif

/* 6.11: what redirects leave behind lies on the stack of who runs them. */
#ifndef VNIC_HAVE_BPF_NET_CONTEXT
struct bpf_net_context {
};

static inline struct bpf_net_context *
bpf_net_ctx_set(struct bpf_net_context *context)
{
	return NULL;
}

static inline void bpf_net_ctx_clear(struct bpf_net_context *context)
{
}
#endif

/* Where a program wants to redirect a packet to. */
static inline struct bpf_redirect_info *vnic_redirect_info(void)
{
#ifdef VNIC_HAVE_BPF_NET_CONTEXT
	return bpf_net_ctx_get_ri();
#else
	return this_cpu_ptr(&bpf_redirect_info);
#endif
}

/* 6.18: of the memory of a frame, its type is all that there is to know. */
static inline void vnic_set_rxq_mem(struct xdp_rxq_info *rxq,
				    const struct xdp_frame *frame)
{
#ifdef VNIC_HAVE_FRAME_MEM_TYPE
	rxq->mem.type = frame->mem_type;
#else
	rxq->mem = frame->mem;
#endif
}

static inline enum xdp_mem_type
vnic_frame_mem_type(const struct xdp_frame *frame)
{
#ifdef VNIC_HAVE_FRAME_MEM_TYPE
	return frame->mem_type;
#else
	return frame->mem.type;
#endif
}

/*
 * Deliver what GRO holds in a NAPI that is disabled. The core does it only when
 * it polls, and frees what is left. 6.16: the lists have a home of their own.
 */
static inline void vnic_napi_flush(struct napi_struct *napi)
{
#ifdef VNIC_HAVE_GRO_NODE
	struct gro_node *lists = &napi->gro;
#else
	struct napi_struct *lists = napi;
#endif

	napi_gro_flush(napi, false);
	netif_receive_skb_list(&lists->rx_list);
	INIT_LIST_HEAD(&lists->rx_list);
	lists->rx_count = 0;
}

/* 6.8: a name that is no format. */
#ifndef VNIC_HAVE_ETHTOOL_PUTS
#define ethtool_puts(data, name)					\
	ethtool_sprintf(data, "%.*s", ETH_GSTRING_LEN, name)
#endif

/* 6.13: timers are made with what they do. */
#ifndef VNIC_HAVE_HRTIMER_SETUP
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*function)(struct hrtimer *),
				 clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = function;
}
#endif

/* 6.12: generic XDP may replace the packet. */
static inline int vnic_do_xdp_generic(struct bpf_prog *prog,
				      struct sk_buff **skb)
{
#ifdef VNIC_HAVE_XDP_GENERIC_PSKB
	return do_xdp_generic(prog, skb);
#else
	return do_xdp_generic(prog, *skb);
#endif
}

/*
 * Not an old kernel but an old program: one of 32 bits has a shorter struct
 * sock_fprog. The core's reader knows that if it is told the length.
 */
static inline int vnic_fprog_from_user(struct sock_fprog *fprog,
				       const void __user *from)
{
	size_t len = sizeof(*fprog);

#ifdef CONFIG_COMPAT
	if (in_compat_syscall())
		len = sizeof(struct compat_sock_fprog);
#endif
	return copy_bpf_fprog_from_user(fprog, USER_SOCKPTR((void __user *)from),
					len);
}

static inline int vnic_fprog_to_user(void __user *to,
				     const struct sock_fprog *fprog)
{
#ifdef CONFIG_COMPAT
	if (in_compat_syscall()) {
		struct compat_sock_fprog short_fprog = {
			.len = fprog->len,
			.filter = ptr_to_compat(fprog->filter),
		};

		return copy_to_user(to, &short_fprog, sizeof(short_fprog)) ?
		       -EFAULT : 0;
	}
#endif
	return copy_to_user(to, fprog, sizeof(*fprog)) ? -EFAULT : 0;
}

/* 6.12: NETIF_F_LLTX became a field of its own. */
static inline void vnic_set_lltx(struct net_device *dev)
{
#ifdef VNIC_HAVE_DEV_LLTX
	dev->lltx = true;
#else
	dev->features |= NETIF_F_LLTX;
#endif
}

/*
 * 6.7: the core allocates dev->tstats, and wants it of whoever has a peer:
 * bpf_redirect_peer() counts there.
 */
static inline void vnic_set_tstats(struct net_device *dev)
{
#ifdef VNIC_HAVE_PCPU_STAT_TYPE
	dev->pcpu_stat_type = NETDEV_PCPU_STAT_TSTATS;
#endif
}

/* 6.12: a reason also for who does not know whether interrupts are off. */
#ifndef VNIC_HAVE_KFREE_SKB_ANY_REASON
static inline void dev_kfree_skb_any_reason(struct sk_buff *skb,
					    enum skb_drop_reason reason)
{
	if (in_hardirq() || irqs_disabled())
		dev_kfree_skb_irq(skb);
	else
		kfree_skb_reason(skb, reason);
}
#endif

/* 6.12: rings are resized with bottom halves off, not interrupts. */
#ifndef VNIC_HAVE_RING_RESIZE_BH
#define ptr_ring_resize_multiple_bh	ptr_ring_resize_multiple
#endif

/* 6.7: the peer's part of a message is parsed, not what follows its head. */
#ifndef VNIC_HAVE_PARSE_IFINFOMSG
static inline int rtnl_nla_parse_ifinfomsg(struct nlattr **tb,
					   const struct nlattr *peer,
					   struct netlink_ext_ack *extack)
{
	const struct ifinfomsg *msg = nla_data(peer);

	if (msg->ifi_index < 0) {
		NL_SET_ERR_MSG_ATTR(extack, peer, "ifindex can't be negative");
		return -EINVAL;
	}
	return rtnl_nla_parse_ifla(tb, nla_data(peer) + sizeof(*msg),
				   nla_len(peer) - sizeof(*msg), extack);
}
#endif

/* 6.3: a socket without an inode is told whose it is. */
#ifndef VNIC_HAVE_SOCK_INIT_UID
static inline void sock_init_data_uid(struct socket *sock, struct sock *sk,
				      kuid_t uid)
{
	sock_init_data(sock, sk);
	sk->sk_uid = uid;
}
#endif

/* 6.2: who asked is told to those who listen. */
static inline int vnic_configure_link(struct net_device *dev,
				      const struct ifinfomsg *msg)
{
#ifdef VNIC_HAVE_CONFIGURE_PORTID
	return rtnl_configure_link(dev, msg, 0, NULL);
#else
	return rtnl_configure_link(dev, msg);
#endif
}

/*
 * 6.13: a dummy device to hang a NAPI on is only allocated, no more embedded.
 * Asked for is the old way, since there are kernels that have both and cannot
 * free what they have allocated.
 */
#ifdef VNIC_HAVE_INIT_DUMMY_NETDEV
static inline struct net_device *vnic_alloc_netdev_dummy(void)
{
	struct net_device *dev = kzalloc(sizeof(*dev), GFP_KERNEL);

	if (dev)
		init_dummy_netdev(dev);
	return dev;
}

static inline void vnic_free_netdev_dummy(struct net_device *dev)
{
	kfree(dev);
}
#else
static inline struct net_device *vnic_alloc_netdev_dummy(void)
{
	return alloc_netdev_dummy(0);
}

static inline void vnic_free_netdev_dummy(struct net_device *dev)
{
	free_netdev(dev);
}
#endif

/*
 * 7.2: the receive filter is set from a work item, with the lists as
 * arguments. A virtual device passes everything; that the operation is there
 * is what lets user space add multicast addresses.
 */
#ifdef VNIC_HAVE_RX_MODE_ASYNC
#define VNIC_NDO_SET_RX_MODE	.ndo_set_rx_mode_async = vnic_set_rx_mode

static inline int vnic_set_rx_mode(struct net_device *dev,
				   struct netdev_hw_addr_list *uc,
				   struct netdev_hw_addr_list *mc)
{
	return 0;
}
#else
#define VNIC_NDO_SET_RX_MODE	.ndo_set_rx_mode = vnic_set_rx_mode

static inline void vnic_set_rx_mode(struct net_device *dev)
{
}
#endif

/* 6.17: the address comes with room for the longest one. */
static inline int vnic_set_mac_user(struct net_device *dev,
				    struct sockaddr_storage *ss)
{
#ifdef VNIC_HAVE_MAC_STORAGE
	return dev_set_mac_address_user(dev, ss, NULL);
#else
	return dev_set_mac_address_user(dev, (struct sockaddr *)ss, NULL);
#endif
}

/* 6.12: the owner of a file's signals is allocated when it is first wanted. */
#ifndef VNIC_HAVE_F_OWNER_ALLOCATE
static inline int file_f_owner_allocate(struct file *file)
{
	return 0;
}
#endif

/* Sockets have an entry for 32-bit programs where there are such programs. */
#ifdef CONFIG_COMPAT
#define VNIC_SOCKET_COMPAT_IOCTL(function)	.compat_ioctl = (function),
#else
#define VNIC_SOCKET_COMPAT_IOCTL(function)
#endif

/* 7.0: the lock to be taken for a peer in another namespace is named. */
#ifndef VNIC_HAVE_UNREGISTER_QUEUE_NET
static inline void unregister_netdevice_queue_net(struct net *net,
						  struct net_device *dev,
						  struct list_head *head)
{
	unregister_netdevice_queue(dev, head);
}
#endif

/*
 * 6.15: rtnl_link_ops::newlink takes its arguments in a structure, and the
 * core looks for the namespace of a peer. A driver writes the new form,
 * declares it with VNIC_NEWLINK(function, peer attribute or 0, validate) and
 * puts VNIC_NEWLINK_OP(function) into its rtnl_link_ops.
 */
#ifdef VNIC_HAVE_NEWLINK_PARAMS
#define VNIC_NEWLINK(fn, peer, check)
#define VNIC_NEWLINK_OP(fn)	(fn)
#else
struct rtnl_newlink_params {
	struct net *src_net;
	struct net *link_net;
	struct net *peer_net;
	struct nlattr **tb;
	struct nlattr **data;
};

static inline struct net *
rtnl_newlink_peer_net(struct rtnl_newlink_params *params)
{
	return params->peer_net ?: params->src_net;
}

typedef int (*vnic_newlink_fn)(struct net_device *dev,
			       struct rtnl_newlink_params *params,
			       struct netlink_ext_ack *extack);
typedef int (*vnic_validate_fn)(struct nlattr *tb[], struct nlattr *data[],
				struct netlink_ext_ack *extack);

/*
 * What newer kernels do for a peer before they call newlink: check its part of
 * the message, find its namespace and ask for CAP_NET_ADMIN there, which old
 * ones forgot (of the sender; who opened the socket is not known here).
 * @src_net is the namespace of the link where one was named, else the
 * requester's.
 */
static inline int vnic_newlink_compat(vnic_newlink_fn fn, int peer,
				      vnic_validate_fn check,
				      struct net *src_net,
				      struct net_device *dev,
				      struct nlattr *tb[],
				      struct nlattr *data[],
				      struct netlink_ext_ack *extack)
{
	struct rtnl_newlink_params params = {
		.src_net = src_net, .tb = tb, .data = data,
	};
	struct nlattr **peer_tb = NULL;
	int err = 0;

	if (peer && data && data[peer]) {
		peer_tb = kcalloc(IFLA_MAX + 1, sizeof(*peer_tb), GFP_KERNEL);
		if (!peer_tb)
			return -ENOMEM;
		err = rtnl_nla_parse_ifinfomsg(peer_tb, data[peer], extack);
		if (!err)
			err = check(peer_tb, NULL, extack);
		if (err)
			goto free_tb;
		params.peer_net = rtnl_link_get_net(src_net, peer_tb);
		if (IS_ERR(params.peer_net)) {
			err = PTR_ERR(params.peer_net);
			goto free_tb;
		}
		if (!ns_capable(params.peer_net->user_ns, CAP_NET_ADMIN))
			err = -EPERM;
	}
	if (!err)
		err = fn(dev, &params, extack);
	if (params.peer_net)
		put_net(params.peer_net);
free_tb:
	kfree(peer_tb);
	return err;
}

#define VNIC_NEWLINK(fn, peer, check)					\
static int fn##_compat(struct net *src_net, struct net_device *dev,	\
		       struct nlattr *tb[], struct nlattr *data[],	\
		       struct netlink_ext_ack *extack)			\
{									\
	return vnic_newlink_compat(fn, peer, check, src_net, dev, tb,	\
				   data, extack);			\
}

#define VNIC_NEWLINK_OP(fn)	(fn##_compat)
#endif

#ifdef VNIC_HAVE_PEER_TYPE
#define VNIC_PEER_TYPE(type)	.peer_type = (type),
#else
#define VNIC_PEER_TYPE(type)
#endif

#endif
