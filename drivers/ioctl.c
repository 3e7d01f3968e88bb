// SPDX-License-Identifier: GPL-2.0
/*
 * ioctl - the TUN commands on /dev/vnic
 *
 * The ABI is that of <linux/if_tun.h>; errno for errno what tun answers. One
 * function a command that is more than a line, then the table of them.
 */
#include <linux/compat.h>
#include <linux/proc_fs.h>
#include <linux/rtnetlink.h>
#include <linux/uaccess.h>
#include <net/net_namespace.h>
#include <uapi/linux/sockios.h>

#include "vnic.h"

/* Bits of TUNSETIFF that do something here. */
#define VNIC_IFF_FEATURES	(IFF_TUN | IFF_TAP | IFF_NO_CARRIER | \
				 IFF_MULTI_QUEUE | VNIC_QUEUE_FLAGS)

/* What of a device's flags TUNGETIFF tells beside the file's own. */
#define VNIC_IFF_DEVICE		(IFF_TUN | IFF_TAP | IFF_PERSIST | \
				 IFF_MULTI_QUEUE | IFF_BACKPRESSURE)

static void vnic_ioctl_getiff(struct vnic_queue *queue, struct vnic_port *port,
			      struct ifreq *ifr)
{
	unsigned int flags = READ_ONCE(queue->flags) & VNIC_QUEUE_FLAGS;

	flags |= READ_ONCE(port->flags) & VNIC_IFF_DEVICE;
	if (READ_ONCE(queue->index) == VNIC_NO_SLOT)
		flags |= IFF_DETACH_QUEUE;
	/* The bit of IFF_NO_PI, set when no classic filter is: tun has it so. */
	if (!rcu_access_pointer(port->cbpf) || READ_ONCE(queue->nofilter))
		flags |= IFF_NOFILTER;
	memset(ifr, 0, sizeof(*ifr));
	vnic_port_get_name(port, ifr->ifr_name);
	ifr->ifr_flags = flags;
}

static int vnic_ioctl_setqueue(struct vnic_queue *queue, unsigned int flags)
{
	if (flags & IFF_ATTACH_QUEUE)
		return vnic_attach_again(queue);
	if (flags & IFF_DETACH_QUEUE)
		return vnic_attach_pause(queue);
	return -EINVAL;
}

static int vnic_ioctl_setifindex(struct vnic_queue *queue, int ifindex)
{
	if (ifindex < 0)
		return -EINVAL;
	queue->ifindex = ifindex;
	return 0;
}

static int vnic_ioctl_setpersist(struct vnic_port *port, bool on)
{
	unsigned int flags = port->flags & ~IFF_PERSIST;

	WRITE_ONCE(port->flags, on ? flags | IFF_PERSIST : flags);
	netdev_state_change(port->dev);
	return 0;
}

static int vnic_ioctl_setowner(struct vnic_port *port, uid_t uid)
{
	kuid_t owner = make_kuid(current_user_ns(), uid);

	if (!uid_valid(owner))
		return -EINVAL;
	WRITE_ONCE(port->owner, owner);
	netdev_state_change(port->dev);
	return 0;
}

static int vnic_ioctl_setgroup(struct vnic_port *port, gid_t gid)
{
	kgid_t group = make_kgid(current_user_ns(), gid);

	if (!gid_valid(group))
		return -EINVAL;
	WRITE_ONCE(port->group, group);
	netdev_state_change(port->dev);
	return 0;
}

/* For each queue of a device, attached or not. Under RTNL. */
static void vnic_ioctl_set_sndbuf_of(struct vnic_queue *queue, int sndbuf)
{
	WRITE_ONCE(queue->sk.sk_sndbuf, sndbuf);
	/* It may have grown while a writer sleeps or polls for room. */
	queue->sk.sk_write_space(&queue->sk);
}

static int vnic_ioctl_setsndbuf(struct vnic_port *port, int sndbuf)
{
	struct vnic_queue *queue;
	unsigned int i;

	if (sndbuf <= 0)
		return -EINVAL;
	for (i = 0; i < port->numqueues; i++) {
		queue = rtnl_dereference(port->slots[i].queue);
		vnic_ioctl_set_sndbuf_of(queue, sndbuf);
	}
	list_for_each_entry(queue, &port->disabled, next)
		vnic_ioctl_set_sndbuf_of(queue, sndbuf);
	return 0;
}

/*
 * Which bits go with which, as tun has it: none without checksums, ECN and
 * tunnels only with something that they belong to. Any that is left over is
 * one that we, or this kernel, cannot do; programs try bits to learn that.
 */
static int vnic_ioctl_setoffload(struct vnic_port *port, unsigned long bits)
{
	netdev_features_t offloads = 0;

	if (bits & TUN_F_CSUM) {
		offloads |= NETIF_F_HW_CSUM;
		bits &= ~(TUN_F_CSUM | TUN_F_UFO);
		if (bits & (TUN_F_TSO4 | TUN_F_TSO6)) {
			if (bits & TUN_F_TSO_ECN)
				offloads |= NETIF_F_TSO_ECN;
			if (bits & TUN_F_TSO4)
				offloads |= NETIF_F_TSO;
			if (bits & TUN_F_TSO6)
				offloads |= NETIF_F_TSO6;
			bits &= ~(TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN);
		}
		/* The stack has one switch for both. */
		if ((bits & TUN_F_USO4) && (bits & TUN_F_USO6)) {
			offloads |= NETIF_F_GSO_UDP_L4;
			bits &= ~(TUN_F_USO4 | TUN_F_USO6);
		}
		if (VNIC_TUNNEL_OFFLOADS && (bits & TUN_F_UDP_TUNNEL_GSO) &&
		    (offloads & (NETIF_F_TSO | NETIF_F_TSO6 |
				 NETIF_F_GSO_UDP_L4))) {
			offloads |= NETIF_F_GSO_UDP_TUNNEL;
			if (bits & TUN_F_UDP_TUNNEL_GSO_CSUM)
				offloads |= NETIF_F_GSO_UDP_TUNNEL_CSUM;
			bits &= ~(TUN_F_UDP_TUNNEL_GSO |
				  TUN_F_UDP_TUNNEL_GSO_CSUM);
		}
	}
	if (bits)
		return -EINVAL;
	vnic_port_set_offloads(port, offloads);
	return 0;
}

static int vnic_ioctl_setvnethdrsz(struct vnic_queue *queue, int len)
{
	if (len < (int)sizeof(struct virtio_net_hdr))
		return -EINVAL;
	WRITE_ONCE(queue->vnet_hdr_len, len);
	return 0;
}

/* TUNSETVNETLE, TUNSETVNETBE */
static int vnic_ioctl_setorder(struct vnic_queue *queue, unsigned int bit,
			       bool on)
{
	unsigned int flags = queue->flags & ~bit;

	WRITE_ONCE(queue->flags, on ? flags | bit : flags);
	return 0;
}

static int vnic_ioctl_netns(struct net *net)
{
	if (!ns_capable(net->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	return open_related_ns(&net->ns, get_net_ns);
}

/* The device may be on its way into another one. */
static int vnic_ioctl_getdevnetns(struct vnic_port *port)
{
	struct net *net;
	int fd;

	rcu_read_lock();
	net = maybe_get_net(dev_net(port->dev));
	rcu_read_unlock();
	if (!net)
		return -EINVAL;
	fd = vnic_ioctl_netns(net);
	put_net(net);
	return fd;
}

/**
 * struct vnic_ioctl_arg - a command's argument, in the kernel
 * @value: the argument itself, for commands that take no pointer
 * @number: the int that it points to
 * @fault: why it could not be read or understood, which is said where tun
 *	does: after whether there is a device
 * @answer: of TUNSETTXFILTER
 * @ifr: the request that it points to
 * @fprog: TUNATTACHFILTER, TUNGETFILTER
 * @prog: a BPF program, owned until a device has taken it
 * @mac: TUNSETTXFILTER, as @prog
 *
 * Read before RTNL is taken and written back after: user memory may be slow to
 * come, as slow as whoever serves its pages likes, and the whole machine's
 * network configuration would wait.
 */
struct vnic_ioctl_arg {
	unsigned long		value;
	int			number;
	int			fault;
	int			answer;
	struct ifreq		ifr;
	struct sock_fprog	fprog;
	struct vnic_prog	*prog;
	struct vnic_mac_filter	*mac;
};

static int vnic_ioctl_settxfilter(struct vnic_port *port,
				  struct vnic_ioctl_arg *arg)
{
	if (!vnic_port_is_tap(port))
		return -EINVAL;
	if (arg->fault)
		return arg->fault;
	vnic_filter_mac_set(port, arg->mac);
	arg->mac = NULL;
	return arg->answer;
}

/* TUNATTACHFILTER, and with @on false TUNDETACHFILTER. */
static int vnic_ioctl_setfilter(struct vnic_port *port,
				struct vnic_ioctl_arg *arg, bool on)
{
	struct vnic_queue *queue;
	unsigned int i;

	if (!vnic_port_is_tap(port))
		return -EINVAL;
	if (arg->fault)
		return arg->fault;
	vnic_filter_prog_set(&port->cbpf, on ? arg->prog : NULL);
	if (!on)
		return 0;
	arg->prog = NULL;
	spin_lock(&port->name_lock);
	port->fprog = arg->fprog;
	spin_unlock(&port->name_lock);
	/* Whoever is there gets it; IFF_NOFILTER was for the one before. */
	for (i = 0; i < port->numqueues; i++) {
		queue = rtnl_dereference(port->slots[i].queue);
		WRITE_ONCE(queue->nofilter, false);
	}
	return 0;
}

static int vnic_ioctl_setprog(struct vnic_prog __rcu **slot,
			      struct vnic_ioctl_arg *arg)
{
	if (arg->fault)
		return arg->fault;
	vnic_filter_prog_set(slot, arg->prog);
	arg->prog = NULL;
	return 0;
}

/* Commands that ask an attached queue. No RTNL; -ENOIOCTLCMD for others. */
static int vnic_ioctl_get(struct vnic_queue *queue, struct vnic_port *port,
			  unsigned int cmd, struct vnic_ioctl_arg *arg)
{
	switch (cmd) {
	case TUNGETIFF:
		vnic_ioctl_getiff(queue, port, &arg->ifr);
		return 0;
	case TUNGETSNDBUF:
		arg->number = READ_ONCE(queue->sk.sk_sndbuf);
		return 0;
	case TUNGETVNETHDRSZ:
		arg->number = READ_ONCE(queue->vnet_hdr_len);
		return 0;
	case TUNGETVNETLE:
		arg->number = !!(READ_ONCE(queue->flags) & VNIC_QUEUE_LE);
		return 0;
	case TUNGETVNETBE:
		if (!IS_ENABLED(CONFIG_TUN_VNET_CROSS_LE))
			return -EINVAL;
		arg->number = !!(READ_ONCE(queue->flags) & VNIC_QUEUE_BE);
		return 0;
	case TUNGETFILTER:
		if (!vnic_port_is_tap(port))
			return -EINVAL;
		spin_lock(&port->name_lock);
		arg->fprog = port->fprog;
		spin_unlock(&port->name_lock);
		return 0;
	case TUNGETDEVNETNS:
		return vnic_ioctl_getdevnetns(port);
	case SIOCGIFHWADDR:
		vnic_hwaddr_get(port, &arg->ifr);
		return 0;
	default:
		return -ENOIOCTLCMD;
	}
}

/* Commands that change how an attached queue is spoken to. Under RTNL. */
static int vnic_ioctl_queue(struct vnic_queue *queue, unsigned int cmd,
			    struct vnic_ioctl_arg *arg)
{
	switch (cmd) {
	case TUNSETVNETHDRSZ:
		return arg->fault ?:
		       vnic_ioctl_setvnethdrsz(queue, arg->number);
	case TUNSETVNETLE:
		return arg->fault ?: vnic_ioctl_setorder(queue, VNIC_QUEUE_LE,
							 arg->number);
	case TUNSETVNETBE:
		if (!IS_ENABLED(CONFIG_TUN_VNET_CROSS_LE))
			return -EINVAL;
		return arg->fault ?: vnic_ioctl_setorder(queue, VNIC_QUEUE_BE,
							 arg->number);
	default:
		/* What tun answers to a command that it does not know. */
		return -EINVAL;
	}
}

/* Commands that change the device of an attached queue. Under RTNL. */
static int vnic_ioctl_port(struct vnic_queue *queue, struct vnic_port *port,
			   unsigned int cmd, struct vnic_ioctl_arg *arg)
{
	switch (cmd) {
	case TUNSETPERSIST:
		return vnic_ioctl_setpersist(port, arg->value);
	case TUNSETOWNER:
		return vnic_ioctl_setowner(port, arg->value);
	case TUNSETGROUP:
		return vnic_ioctl_setgroup(port, arg->value);
	case TUNSETLINK:
		return vnic_hwaddr_set_type(port, arg->value);
	case TUNSETSNDBUF:
		return arg->fault ?: vnic_ioctl_setsndbuf(port, arg->number);
	case TUNSETOFFLOAD:
		return vnic_ioctl_setoffload(port, arg->value);
	case TUNSETNOCSUM:
		/* Without effect since 2.6, in tun as here. */
		return 0;
	case TUNSETDEBUG:
		port->msg_enable = arg->value;
		return 0;
	case TUNSETTXFILTER:
		return vnic_ioctl_settxfilter(port, arg);
	case TUNATTACHFILTER:
	case TUNDETACHFILTER:
		return vnic_ioctl_setfilter(port, arg, cmd == TUNATTACHFILTER);
	case TUNSETSTEERINGEBPF:
		return vnic_ioctl_setprog(&port->steering, arg);
	case TUNSETFILTEREBPF:
		return vnic_ioctl_setprog(&port->ebpf, arg);
	case TUNSETCARRIER:
		return arg->fault ?: vnic_port_change_carrier(port->dev,
							      arg->number);
	case SIOCSIFHWADDR:
		return vnic_hwaddr_set(port, &arg->ifr);
	default:
		return vnic_ioctl_queue(queue, cmd, arg);
	}
}

static int vnic_ioctl_locked(struct vnic_queue *queue, unsigned int cmd,
			     struct vnic_ioctl_arg *arg)
{
	struct vnic_port *port = rtnl_dereference(queue->port);
	int ret;

	switch (cmd) {
	case TUNSETIFF:
		if (port)
			return -EEXIST;
		arg->ifr.ifr_name[IFNAMSIZ - 1] = '\0';
		return vnic_attach(queue, &arg->ifr);
	case TUNSETQUEUE:
		return vnic_ioctl_setqueue(queue, arg->ifr.ifr_flags);
	case TUNSETIFINDEX:
		if (port)
			return -EPERM;
		return arg->fault ?: vnic_ioctl_setifindex(queue, arg->number);
	default:
		if (!port)
			return -EBADFD;
		ret = vnic_ioctl_port(queue, port, cmd, arg);
		netif_info(port, drv, port->dev, "ioctl 0x%x answers %d\n",
			   cmd, ret);
		return ret;
	}
}

static void vnic_ioctl_read_prog(unsigned int cmd, struct vnic_ioctl_arg *arg)
{
	const void __user *argp = (void __user *)arg->value;
	struct vnic_prog *prog = NULL;

	switch (cmd) {
	case TUNATTACHFILTER:
		arg->fault = vnic_fprog_from_user(&arg->fprog, argp);
		if (!arg->fault)
			prog = vnic_filter_cbpf_get(&arg->fprog);
		break;
	case TUNSETSTEERINGEBPF:
	case TUNSETFILTEREBPF:
		if (copy_from_user(&arg->number, argp, sizeof(arg->number)))
			arg->fault = -EFAULT;
		else
			prog = vnic_filter_ebpf_get(arg->number);
		break;
	}
	if (IS_ERR(prog))
		arg->fault = PTR_ERR(prog);
	else
		arg->prog = prog;
}

static int vnic_ioctl_read(unsigned int cmd, struct vnic_ioctl_arg *arg,
			   size_t ifreq_len)
{
	const void __user *argp = (void __user *)arg->value;

	switch (cmd) {
	case TUNSETIFF:
	case TUNSETQUEUE:
	case SIOCGIFHWADDR:
	case SIOCSIFHWADDR:
		return copy_from_user(&arg->ifr, argp, ifreq_len) ? -EFAULT : 0;
	case TUNSETIFINDEX:
	case TUNSETSNDBUF:
	case TUNSETCARRIER:
	case TUNSETVNETHDRSZ:
	case TUNSETVNETLE:
	case TUNSETVNETBE:
		if (copy_from_user(&arg->number, argp, sizeof(arg->number)))
			arg->fault = -EFAULT;
		return 0;
	case TUNSETTXFILTER:
		arg->mac = vnic_filter_mac_get(argp, &arg->answer);
		arg->fault = min(arg->answer, 0);
		return 0;
	default:
		vnic_ioctl_read_prog(cmd, arg);
		return 0;
	}
}

static int vnic_ioctl_write(unsigned int cmd, const struct vnic_ioctl_arg *arg,
			    size_t ifreq_len)
{
	void __user *argp = (void __user *)arg->value;

	switch (cmd) {
	case TUNSETIFF:
	case TUNGETIFF:
	case SIOCGIFHWADDR:
		return copy_to_user(argp, &arg->ifr, ifreq_len) ? -EFAULT : 0;
	case TUNGETFEATURES:
	case TUNGETSNDBUF:
	case TUNGETVNETHDRSZ:
	case TUNGETVNETLE:
	case TUNGETVNETBE:
		return copy_to_user(argp, &arg->number, sizeof(arg->number)) ?
		       -EFAULT : 0;
	case TUNGETFILTER:
		return vnic_fprog_to_user(argp, &arg->fprog);
	default:
		return 0;
	}
}

static int vnic_ioctl_tun(struct vnic_queue *queue, unsigned int cmd,
			  struct vnic_ioctl_arg *arg)
{
	int ret = -ENOIOCTLCMD;
	struct vnic_port *port;

	if (cmd == TUNGETFEATURES) {
		arg->number = VNIC_IFF_FEATURES;
		return 0;
	}
	if (cmd == SIOCGSKNS)
		return vnic_ioctl_netns(sock_net(&queue->sk));
	port = vnic_port_get(queue);
	if (port) {
		ret = vnic_ioctl_get(queue, port, cmd, arg);
		vnic_port_put(port);
	}
	if (ret != -ENOIOCTLCMD)
		return ret;
	rtnl_lock();
	ret = vnic_ioctl_locked(queue, cmd, arg);
	rtnl_unlock();
	return ret;
}

/* Our own commands, of which tun knows nothing. */
static long vnic_ioctl_own(struct vnic_queue *queue, unsigned int cmd,
			   void __user *argp, bool noblock)
{
	u32 version = VNIC_UAPI_VERSION;

	switch (cmd) {
	case VNIC_IOC_VERSION:
		return copy_to_user(argp, &version, sizeof(version)) ?
		       -EFAULT : 0;
	case VNIC_IOC_SEND:
	case VNIC_IOC_RECV:
		return vnic_batch(queue, cmd, argp, noblock);
	case VNIC_IOC_RING_SETUP:
		return vnic_shared_setup(queue, argp);
	case VNIC_IOC_RING_SEND:
		return vnic_shared_send(queue, noblock);
	case VNIC_IOC_RING_WAIT:
		return vnic_shared_wait(queue, noblock);
	default:
		return -ENOTTY;
	}
}

static noinline long vnic_ioctl_as_tun(struct vnic_queue *queue,
				       unsigned int cmd, unsigned long value,
				       size_t ifreq_len)
{
	struct vnic_ioctl_arg arg = { .value = value };
	int ret, err;

	err = vnic_ioctl_read(cmd, &arg, ifreq_len);
	if (err)
		return err;
	ret = vnic_ioctl_tun(queue, cmd, &arg);
	/* What no device has taken. */
	vnic_filter_put(arg.prog, arg.mac);
	if (ret < 0)
		return ret;
	err = vnic_ioctl_write(cmd, &arg, ifreq_len);
	if (err && cmd == TUNSETIFF)
		vnic_attach_end(queue);
	return err ?: ret;
}

/**
 * vnic_ioctl() - a command on a queue
 * @queue: the queue
 * @cmd: TUN*, SIOC* or VNIC_IOC_*
 * @value: its argument, a pointer already converted for 32-bit callers
 * @ifreq_len: bytes of the caller's struct ifreq, of which 32-bit ones have
 *	fewer; what we use of it is the same in both
 * @noblock: the file is O_NONBLOCK
 *
 * Context: process; takes RTNL for what changes something.
 * Return: 0, a file descriptor (TUNGETDEVNETNS, SIOCGSKNS), a number of
 * addresses (TUNSETTXFILTER) or of packets (VNIC_IOC_*), or an errno as tun
 * has it.
 */
long vnic_ioctl(struct vnic_queue *queue, unsigned int cmd,
		unsigned long value, size_t ifreq_len, bool noblock)
{
	/* Most of what there is are packets, which need none of the rest. */
	if (likely(_IOC_TYPE(cmd) == VNIC_IOC_MAGIC))
		return vnic_ioctl_own(queue, cmd, (void __user *)value,
				      noblock);
	return vnic_ioctl_as_tun(queue, cmd, value, ifreq_len);
}

/**
 * vnic_compat_ioctl() - the same for a 32-bit program on a 64-bit kernel
 * @queue: the queue
 * @cmd: as vnic_ioctl()
 * @arg: its argument; pointers and struct ifreq are shorter than ours
 * @noblock: as vnic_ioctl()
 *
 * Context: as vnic_ioctl().
 * Return: as vnic_ioctl().
 */
long vnic_compat_ioctl(struct vnic_queue *queue, unsigned int cmd,
		       unsigned long arg, bool noblock)
{
	switch (cmd) {
	case TUNSETPERSIST:
	case TUNSETOWNER:
	case TUNSETGROUP:
	case TUNSETLINK:
	case TUNSETOFFLOAD:
	case TUNSETNOCSUM:
	case TUNSETDEBUG:
		arg = (compat_ulong_t)arg;
		break;
	default:
		arg = (unsigned long)compat_ptr(arg);
		break;
	}
	return vnic_ioctl(queue, cmd, arg, sizeof(struct compat_ifreq),
			  noblock);
}
