// SPDX-License-Identifier: GPL-2.0
/*
 * socket - a queue as a raw packet socket, which vhost-net takes as back end
 *
 *	stack --> vnic_socket_put() --> sk_receive_queue --> vhost, recv, read
 *	vhost, send, write --> vnic_send() --> stack
 *
 * vhost-net knows three sorts of back end: the files of tun and of tap, and raw
 * sockets of AF_PACKET (VHOST_NET_SET_BACKEND in <linux/vhost.h>). Ours is one
 * by its type; no other code of AF_PACKET ever sees it. vhost looks into
 * sk_receive_queue itself, so that is where packets wait from the moment that
 * somebody has asked for a socket, for all who read.
 *
 * vhost may say more in a control message, a pointer into the kernel, and so
 * may whoever calls sendmsg(): nothing tells the two apart. It does only where
 * sk_sndbuf is INT_MAX or the socket is SOCK_ZEROCOPY. This one never is, and
 * no control message is ever looked into.
 */
#include <linux/file.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/poll.h>
#include <linux/rtnetlink.h>
#include <linux/security.h>
#include <linux/uio.h>
#include <net/sock.h>

#include "trace.h"
#include "vnic.h"

/* Of a socket that is open. */
static struct vnic_queue *vnic_socket_queue(const struct socket *sock)
{
	return container_of(sock->sk, struct vnic_socket, sk)->queue;
}

/* ---------------------------------------------------------- its receive queue */

/*
 * A frame of XDP's as a packet, copied: it may lie in memory of any sort, and
 * vhost wants skbs. NULL if there is no memory.
 */
static struct sk_buff *vnic_socket_skb(struct vnic_port *port,
				       struct vnic_queue *queue,
				       const struct xdp_frame *frame)
{
	struct sk_buff *skb = netdev_alloc_skb(port->dev, frame->len);

	if (!skb)
		return NULL;
	skb_put_data(skb, frame->data, frame->len);
	skb_reset_mac_header(skb);
	if (frame->len >= ETH_HLEN)
		skb->protocol = eth_hdr(skb)->h_proto;
	skb_set_queue_mapping(skb, READ_ONCE(queue->index));
	return skb;
}

/* Returns false if there is no room. */
static bool vnic_socket_append(struct vnic_port *port, struct vnic_queue *queue,
			       struct sk_buff *skb)
{
	struct sk_buff_head *list = &queue->raw->sk.sk_receive_queue;
	unsigned long flags;
	bool room;

	spin_lock_irqsave(&list->lock, flags);
	room = skb_queue_len(list) < READ_ONCE(queue->ring.size);
	if (likely(room)) {
		vnic_trace(queue, port->dev, READ_ONCE(queue->index), skb,
			   VNIC_PLACE_SOCKET, list);
		__skb_queue_tail(list, skb);
	} else {
		vnic_trace(full, port->dev, READ_ONCE(queue->index), skb,
			   VNIC_PLACE_SOCKET, list);
	}
	spin_unlock_irqrestore(&list->lock, flags);
	return room;
}

/**
 * vnic_socket_put() - put a packet where the readers of the socket find it
 * @port: the device
 * @queue: a queue for which vnic_socket_of()
 * @ptr: the packet, as an entry of the ring
 *
 * Context: bottom halves off, RCU; interrupts may be off.
 * Return: false if there is no room, or no memory for a copy of an XDP frame;
 * the packet is still the caller's.
 */
bool vnic_socket_put(struct vnic_port *port, struct vnic_queue *queue, void *ptr)
{
	struct xdp_frame *frame;
	struct sk_buff *skb;

	if (likely(!vnic_ring_is_xdp(ptr)))
		return vnic_socket_append(port, queue, ptr);
	frame = vnic_ring_to_xdp(ptr);
	skb = vnic_socket_skb(port, queue, frame);
	if (!skb)
		return false;
	if (vnic_socket_append(port, queue, skb)) {
		xdp_return_frame(frame);
		return true;
	}
	/* The caller counts the frame; where it was lost is seen by the copy. */
	kfree_skb_reason(skb, SKB_DROP_REASON_FULL_RING);
	return false;
}

/**
 * vnic_socket_take() - take the oldest packets out
 * @queue: a queue for which vnic_socket_of()
 * @ptrs: where to put them
 * @n: the most to take
 *
 * Context: process. Safe against other consumers.
 * Return: how many there were, now the caller's.
 */
int vnic_socket_take(struct vnic_queue *queue, void **ptrs, int n)
{
	struct sk_buff_head *list = &queue->raw->sk.sk_receive_queue;
	unsigned long flags;
	int i;

	/* vhost takes one at a time. */
	if (n == 1) {
		ptrs[0] = skb_dequeue(list);
		return !!ptrs[0];
	}
	spin_lock_irqsave(&list->lock, flags);
	for (i = 0; i < n; i++) {
		ptrs[i] = __skb_dequeue(list);
		if (!ptrs[i])
			break;
	}
	spin_unlock_irqrestore(&list->lock, flags);
	return i;
}

/**
 * vnic_socket_trim() - take out a packet that is too much
 * @queue: a queue, with a socket or without
 * @len: so many have room
 *
 * Context: process.
 * Return: the newest one, now the caller's, or NULL if all have room.
 */
struct sk_buff *vnic_socket_trim(struct vnic_queue *queue, unsigned int len)
{
	struct vnic_socket *raw = vnic_socket_of(queue);

	if (!raw || vnic_socket_len(raw) <= len)
		return NULL;
	return skb_dequeue_tail(&raw->sk.sk_receive_queue);
}

/*
 * What has waited in the ring goes first, but for who reads right now. No packet
 * is put there any more.
 */
static void vnic_socket_move(struct vnic_port *port, struct vnic_queue *queue)
{
	struct sk_buff_head *list = &queue->raw->sk.sk_receive_queue;
	struct sk_buff_head older;
	unsigned long flags;
	struct sk_buff *skb;
	void *ptr;

	__skb_queue_head_init(&older);
	while ((ptr = ptr_ring_consume_bh(&queue->ring))) {
		skb = ptr;
		if (vnic_ring_is_xdp(ptr)) {
			skb = vnic_socket_skb(port, queue,
					      vnic_ring_to_xdp(ptr));
			if (!skb) {
				vnic_recv_lose(port, queue, ptr, VNIC_TX_NOMEM);
				continue;
			}
			xdp_return_frame(vnic_ring_to_xdp(ptr));
		}
		__skb_queue_tail(&older, skb);
	}
	spin_lock_irqsave(&list->lock, flags);
	skb_queue_splice(&older, list);
	spin_unlock_irqrestore(&list->lock, flags);
}

/* ------------------------------------------------------------- its operations */

static int vnic_socket_release(struct socket *sock)
{
	struct vnic_socket *raw;

	if (!sock->sk)
		return 0;
	raw = container_of(sock->sk, struct vnic_socket, sk);
	sock_orphan(sock->sk);
	sock->sk = NULL;
	/* Perhaps the last one, and the queue goes with it. */
	fput(raw->file);
	return 0;
}

static __poll_t vnic_socket_poll(struct file *file, struct socket *sock,
				 poll_table *wait)
{
	return vnic_face_poll(vnic_socket_queue(sock), file, wait);
}

/* What is about the socket, or any device, is for the core. */
static bool vnic_socket_is_ours(unsigned int cmd)
{
	return _IOC_TYPE(cmd) == _IOC_TYPE(TUNSETIFF) ||
	       _IOC_TYPE(cmd) == VNIC_IOC_MAGIC ||
	       cmd == SIOCGIFHWADDR || cmd == SIOCSIFHWADDR;
}

static bool vnic_socket_noblock(const struct socket *sock)
{
	return sock->file->f_flags & O_NONBLOCK;
}

static int vnic_socket_ioctl(struct socket *sock, unsigned int cmd,
			     unsigned long arg)
{
	if (!vnic_socket_is_ours(cmd))
		return -ENOIOCTLCMD;
	return vnic_ioctl(vnic_socket_queue(sock), cmd, arg,
			  sizeof(struct ifreq), vnic_socket_noblock(sock));
}

static int __maybe_unused vnic_socket_compat_ioctl(struct socket *sock,
						   unsigned int cmd,
						   unsigned long arg)
{
	if (!vnic_socket_is_ours(cmd))
		return -ENOIOCTLCMD;
	return vnic_compat_ioctl(vnic_socket_queue(sock), cmd, arg,
				 vnic_socket_noblock(sock));
}

/*
 * An iterator of one's own: what is not taken has to be all there when it is tried
 * again. One range of the program's memory is described as that, which is copied
 * with less ado than a list of one.
 */
static void vnic_socket_iter(struct iov_iter *own, const struct iov_iter *iter)
{
	if (iter_is_iovec(iter) && iter->nr_segs == 1)
		iov_iter_ubuf(own, iov_iter_rw(iter),
			      vnic_iter_iov(iter)->iov_base + iter->iov_offset,
			      iov_iter_count(iter));
	else
		*own = *iter;
}

/* No address: whoever is at the other end gets it. */
static int vnic_socket_sendmsg(struct socket *sock, struct msghdr *msg,
			       size_t len)
{
	struct vnic_queue *queue = vnic_socket_queue(sock);
	struct vnic_port *port;
	struct iov_iter from;
	int ret;

	/* Its length says nothing: vhost leaves there what was before. */
	if (unlikely(msg->msg_control))
		return -EINVAL;
	port = vnic_port_get(queue);
	if (!port)
		return -EBADFD;
	vnic_socket_iter(&from, &msg->msg_iter);
	ret = vnic_send(port, queue, &from, msg->msg_flags & MSG_DONTWAIT);
	vnic_port_put(port);
	/* A frame is taken whole; sendmmsg() asks whether something is left. */
	if (ret > 0)
		iov_iter_truncate(&msg->msg_iter, 0);
	return ret;
}

/* What recv() may be asked for; of the last three nothing is to be done here. */
#define VNIC_SOCKET_RECV	(MSG_DONTWAIT | MSG_TRUNC | MSG_NOSIGNAL | \
				 MSG_CMSG_CLOEXEC | MSG_CMSG_COMPAT)

static int vnic_socket_recvmsg(struct socket *sock, struct msghdr *msg,
			       size_t len, int flags)
{
	struct vnic_queue *queue = vnic_socket_queue(sock);
	struct iov_iter to;
	ssize_t ret;

	if (flags & ~VNIC_SOCKET_RECV)
		return -EINVAL;
	vnic_socket_iter(&to, &msg->msg_iter);
	ret = vnic_face_read(queue, &to, flags & MSG_DONTWAIT);
	if (ret > (ssize_t)len) {
		msg->msg_flags |= MSG_TRUNC;
		ret = flags & MSG_TRUNC ? ret : len;
	}
	return ret;
}

/* Bytes of the oldest packet, without headers, as vhost reckons. */
static int vnic_socket_peek_len(struct socket *sock)
{
	struct sk_buff_head *list = &sock->sk->sk_receive_queue;
	unsigned long flags;
	struct sk_buff *skb;
	int len = 0;

	spin_lock_irqsave(&list->lock, flags);
	skb = skb_peek(list);
	if (skb)
		len = vnic_recv_len(skb);
	spin_unlock_irqrestore(&list->lock, flags);
	return len;
}

static void vnic_socket_show_fdinfo(struct seq_file *seq, struct socket *sock)
{
	vnic_face_show(vnic_socket_queue(sock), seq);
}

static const struct proto_ops vnic_socket_ops = {
	.family		= PF_PACKET,
	.owner		= THIS_MODULE,
	.release	= vnic_socket_release,
	.bind		= sock_no_bind,
	.connect	= sock_no_connect,
	.socketpair	= sock_no_socketpair,
	.accept		= sock_no_accept,
	.getname	= sock_no_getname,
	.poll		= vnic_socket_poll,
	.ioctl		= vnic_socket_ioctl,
	VNIC_SOCKET_COMPAT_IOCTL(vnic_socket_compat_ioctl)
	.listen		= sock_no_listen,
	.shutdown	= sock_no_shutdown,
	.sendmsg	= vnic_socket_sendmsg,
	.recvmsg	= vnic_socket_recvmsg,
	.mmap		= sock_no_mmap,
	.show_fdinfo	= vnic_socket_show_fdinfo,
	.peek_len	= vnic_socket_peek_len,
};

/* --------------------------------------------------------------- made and gone */

static struct proto vnic_socket_proto = {
	.name		= "vnic_socket",
	.owner		= THIS_MODULE,
	.obj_size	= sizeof(struct vnic_socket),
};

/* Of a send buffer: any but INT_MAX, of which vhost concludes that it is tun. */
#define VNIC_SOCKET_SNDBUF	0x100000

static struct vnic_socket *vnic_socket_alloc(struct vnic_queue *queue,
					     struct file *file)
{
	struct vnic_socket *raw;
	struct sock *sk;

	sk = sk_alloc(sock_net(&queue->sk), PF_PACKET, GFP_KERNEL,
		      &vnic_socket_proto, 0);
	if (!sk)
		return NULL;
	sock_init_data_uid(NULL, sk, current_fsuid());
	sk->sk_type = SOCK_RAW;
	sk->sk_sndbuf = VNIC_SOCKET_SNDBUF;
	/* The device has filters; one that is set here would see no packet. */
	sock_set_flag(sk, SOCK_FILTER_LOCKED);
	raw = container_of(sk, struct vnic_socket, sk);
	raw->queue = queue;
	raw->file = file;
	return raw;
}

/**
 * vnic_socket_free() - free what a queue has for sockets
 * @raw: that, or NULL; no socket is open, and no packet waits
 *
 * Context: process.
 */
void vnic_socket_free(struct vnic_socket *raw)
{
	if (raw)
		sock_put(&raw->sk);
}

/* From now on, all packets for the program wait there. Under RTNL. */
static int vnic_socket_publish(struct vnic_port *port, struct vnic_queue *queue,
			       struct file *file)
{
	struct vnic_socket *raw = vnic_socket_alloc(queue, file);

	if (!raw)
		return -ENOMEM;
	/* Pairs with smp_load_acquire() in vnic_socket_of(). */
	smp_store_release(&queue->raw, raw);
	synchronize_net();
	vnic_socket_move(port, queue);
	/* Who was woken for one in the ring may have found nothing anywhere. */
	wake_up_interruptible_all(&queue->socket.wq.wait);
	/* If all was lost for want of memory, no reader will wake the stack. */
	if (vnic_queue_backpressure(port, queue))
		vnic_queue_consumed(port, queue, 0);
	return 0;
}

/* Under RTNL. */
static int vnic_socket_join(struct vnic_queue *queue, struct file *file,
			    struct socket *sock)
{
	struct vnic_port *port = rtnl_dereference(queue->port);
	int err;

	if (!port)
		return -EBADFD;
	if (vnic_shared_has_recv(queue) ||
	    (queue->raw && queue->raw->sk.sk_socket))
		return -EBUSY;
	err = queue->raw ? 0 : vnic_socket_publish(port, queue, file);
	if (err)
		return err;
	/* For the security module it is what the queue is. */
	err = security_tun_dev_attach(&queue->raw->sk, port->security);
	if (err < 0)
		return err;
	sock_graft(&queue->raw->sk, sock);
	/* It may have been another one's, which is over: that had this lock. */
	sock_reset_flag(&queue->raw->sk, SOCK_DEAD);
	get_file(file);
	return 0;
}

/**
 * vnic_socket_open() - VNIC_IOC_SOCKET
 * @queue: the queue
 * @file: the file that it belongs to, which the socket holds
 * @flags: O_CLOEXEC, O_NONBLOCK
 *
 * Context: process; takes RTNL, waits for RCU.
 * Return: a file descriptor, or -EINVAL, -EBADFD, -EBUSY, -ENOMEM, -EMFILE,
 * -ENFILE, or as the security module says.
 */
int vnic_socket_open(struct vnic_queue *queue, struct file *file,
		     unsigned long flags)
{
	struct socket *sock;
	struct file *opened;
	int fd, err;

	if (flags & ~(unsigned long)(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	fd = get_unused_fd_flags(flags & O_CLOEXEC);
	if (fd < 0)
		return fd;
	err = sock_create_lite(PF_PACKET, SOCK_RAW, 0, &sock);
	if (err)
		goto put_fd;
	__module_get(THIS_MODULE);
	sock->ops = &vnic_socket_ops;
	/* Releases the socket if it fails. */
	opened = sock_alloc_file(sock, flags & O_NONBLOCK, "[vnic]");
	err = PTR_ERR_OR_ZERO(opened);
	if (err)
		goto put_fd;
	/* As the file: asked not to, no call waits. */
	opened->f_mode |= FMODE_NOWAIT;
	rtnl_lock();
	err = vnic_socket_join(queue, file, sock);
	rtnl_unlock();
	if (err)
		goto put_file;
	fd_install(fd, opened);
	return fd;

put_file:
	fput(opened);
put_fd:
	put_unused_fd(fd);
	return err;
}
