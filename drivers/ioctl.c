// SPDX-License-Identifier: GPL-2.0
/*
 * ioctl - the TUN commands on /dev/vnic
 *
 * The ABI is that of <linux/if_tun.h>; errno for errno what tun answers. One
 * function a command that is more than a line, then the table of them.
 */
#include <linux/if_arp.h>
#include <linux/ieee802154.h>
#include <linux/proc_fs.h>
#include <linux/rtnetlink.h>
#include <linux/uaccess.h>
#include <net/net_namespace.h>
#include <uapi/linux/if_fc.h>
#include <uapi/linux/if_fddi.h>
#include <uapi/linux/if_hippi.h>
#include <uapi/linux/if_ltalk.h>
#include <uapi/linux/sockios.h>
#include <net/ax25.h>
#include <net/rose.h>
#include <net/6lowpan.h>

#include "vnic.h"

/* Bits of TUNSETIFF that do something here. */
#define VNIC_IFF_FEATURES	(IFF_TUN | IFF_TAP | IFF_NO_CARRIER | \
				 VNIC_PORT_FEATURES)

/* Bytes of a hardware address that fit into a struct sockaddr. */
#define VNIC_SA_ROOM		(sizeof(struct sockaddr) - \
				 offsetof(struct sockaddr, sa_data))

static void vnic_ioctl_getiff(const struct vnic_port *port, struct ifreq *ifr)
{
	strscpy(ifr->ifr_name, port->dev->name, IFNAMSIZ);
	/* The bit of IFF_NO_PI, set when no socket filter is: tun has it so. */
	ifr->ifr_flags = port->flags | IFF_NOFILTER;
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
	port->owner = owner;
	netdev_state_change(port->dev);
	return 0;
}

static int vnic_ioctl_setgroup(struct vnic_port *port, gid_t gid)
{
	kgid_t group = make_kgid(current_user_ns(), gid);

	if (!gid_valid(group))
		return -EINVAL;
	port->group = group;
	netdev_state_change(port->dev);
	return 0;
}

/* Bytes of a hardware address for each type that a program may pose as. */
static unsigned char vnic_addr_len(unsigned short type)
{
	switch (type) {
	case ARPHRD_IP6GRE:
	case ARPHRD_TUNNEL6:
		return sizeof(struct in6_addr);
	case ARPHRD_IPGRE:
	case ARPHRD_TUNNEL:
	case ARPHRD_SIT:
		return sizeof(struct in_addr);
	case ARPHRD_ETHER:
		return ETH_ALEN;
	case ARPHRD_IEEE802154:
	case ARPHRD_IEEE802154_MONITOR:
		return IEEE802154_EXTENDED_ADDR_LEN;
	case ARPHRD_6LOWPAN:
		return EUI64_ADDR_LEN;
	case ARPHRD_FDDI:
		return FDDI_K_ALEN;
	case ARPHRD_HIPPI:
		return HIPPI_ALEN;
	case ARPHRD_IEEE802:
		return FC_ALEN;
	case ARPHRD_ROSE:
		return ROSE_ADDR_LEN;
	case ARPHRD_NETROM:
		return AX25_ADDR_LEN;
	case ARPHRD_LOCALTLK:
		return LTALK_ALEN;
	default:
		return 0;
	}
}

static int vnic_ioctl_setlink(struct vnic_port *port, unsigned long type)
{
	struct net_device *dev = port->dev;
	int err;

	if (dev->flags & IFF_UP)
		return -EBUSY;
	err = call_netdevice_notifiers(NETDEV_PRE_TYPE_CHANGE, dev);
	err = notifier_to_errno(err);
	if (err)
		return err;
	dev->type = type;
	dev->addr_len = vnic_addr_len(dev->type);
	call_netdevice_notifiers(NETDEV_POST_TYPE_CHANGE, dev);
	return 0;
}

static int vnic_ioctl_setsndbuf(struct vnic_queue *queue, int sndbuf)
{
	if (sndbuf <= 0)
		return -EINVAL;
	WRITE_ONCE(queue->sk.sk_sndbuf, sndbuf);
	/* It may have grown while a writer sleeps or polls for room. */
	queue->sk.sk_write_space(&queue->sk);
	return 0;
}

static int vnic_ioctl_netns(struct net *net)
{
	if (!ns_capable(net->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	return open_related_ns(&net->ns, get_net_ns);
}

static void vnic_ioctl_gethwaddr(const struct net_device *dev,
				 struct ifreq *ifr)
{
	struct sockaddr *sa = &ifr->ifr_hwaddr;

	memset(sa, 0, sizeof(*sa));
	memcpy(sa->sa_data, dev->dev_addr,
	       min_t(size_t, VNIC_SA_ROOM, dev->addr_len));
	sa->sa_family = dev->type;
}

static int vnic_ioctl_sethwaddr(struct net_device *dev,
				const struct ifreq *ifr)
{
	struct sockaddr_storage ss = { };

	/* The request has no room for the longest ones. */
	if (dev->addr_len > VNIC_SA_ROOM)
		return -EINVAL;
	memcpy(&ss, &ifr->ifr_hwaddr, sizeof(ifr->ifr_hwaddr));
	return vnic_set_mac_user(dev, &ss);
}

/**
 * struct vnic_ioctl_arg - a command's argument, in the kernel
 * @value: the argument itself, for commands that take no pointer
 * @number: the int that it points to
 * @fault: -EFAULT if it could not be read, which is said where tun does: after
 *	whether there is a device
 * @ifr: the request that it points to
 *
 * Read before RTNL is taken and written back after: user memory may be slow to
 * come, as slow as whoever serves its pages likes, and the whole machine's
 * network configuration would wait.
 */
struct vnic_ioctl_arg {
	unsigned long	value;
	int		number;
	int		fault;
	struct ifreq	ifr;
};

/* Commands on an attached queue. */
static int vnic_ioctl_port(struct vnic_queue *queue, struct vnic_port *port,
			   unsigned int cmd, struct vnic_ioctl_arg *arg)
{
	switch (cmd) {
	case TUNGETIFF:
		vnic_ioctl_getiff(port, &arg->ifr);
		return 0;
	case TUNSETPERSIST:
		return vnic_ioctl_setpersist(port, arg->value);
	case TUNSETOWNER:
		return vnic_ioctl_setowner(port, arg->value);
	case TUNSETGROUP:
		return vnic_ioctl_setgroup(port, arg->value);
	case TUNSETLINK:
		return vnic_ioctl_setlink(port, arg->value);
	case TUNSETSNDBUF:
		return arg->fault ?: vnic_ioctl_setsndbuf(queue, arg->number);
	case TUNGETSNDBUF:
		arg->number = READ_ONCE(queue->sk.sk_sndbuf);
		return 0;
	case TUNSETOFFLOAD:
		/* None is on, so none can be turned on and all be turned off. */
		return arg->value ? -EINVAL : 0;
	case TUNSETNOCSUM:
	case TUNSETDEBUG:
		/*
		 * Succeed, for programs that insist: tun has ignored the one
		 * since 2.6, and has messages for the other, of which there
		 * are none here.
		 */
		return 0;
	case TUNSETCARRIER:
		return arg->fault ?: vnic_port_change_carrier(port->dev,
							      arg->number);
	case TUNGETDEVNETNS:
		return vnic_ioctl_netns(dev_net(port->dev));
	case SIOCGIFHWADDR:
		vnic_ioctl_gethwaddr(port->dev, &arg->ifr);
		return 0;
	case SIOCSIFHWADDR:
		return vnic_ioctl_sethwaddr(port->dev, &arg->ifr);
	default:
		/* What tun answers to a command that it does not know. */
		return -EINVAL;
	}
}

static int vnic_ioctl_locked(struct vnic_queue *queue, unsigned int cmd,
			     struct vnic_ioctl_arg *arg)
{
	struct vnic_port *port = rtnl_dereference(queue->port);

	switch (cmd) {
	case TUNSETIFF:
		if (port)
			return -EEXIST;
		arg->ifr.ifr_name[IFNAMSIZ - 1] = '\0';
		return vnic_port_attach(queue, &arg->ifr);
	case TUNSETQUEUE:
		/* For devices of many queues, to which no file belongs here. */
		return -EINVAL;
	case TUNSETIFINDEX:
		if (port)
			return -EPERM;
		return arg->fault ?: vnic_ioctl_setifindex(queue, arg->number);
	default:
		if (!port)
			return -EBADFD;
		return vnic_ioctl_port(queue, port, cmd, arg);
	}
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
		if (copy_from_user(&arg->number, argp, sizeof(arg->number)))
			arg->fault = -EFAULT;
		return 0;
	default:
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
		return copy_to_user(argp, &arg->number, sizeof(arg->number)) ?
		       -EFAULT : 0;
	default:
		return 0;
	}
}

/**
 * vnic_ioctl() - a command on a queue
 * @queue: the queue
 * @cmd: TUN* or SIOC*
 * @value: its argument, a pointer already converted for 32-bit callers
 * @ifreq_len: bytes of the caller's struct ifreq, of which 32-bit ones have
 *	fewer; what we use of it is the same in both
 *
 * Context: process; takes RTNL.
 * Return: 0, a file descriptor (TUNGETDEVNETNS, SIOCGSKNS), or an errno as tun
 * has it.
 */
long vnic_ioctl(struct vnic_queue *queue, unsigned int cmd,
		unsigned long value, size_t ifreq_len)
{
	struct vnic_ioctl_arg arg = { .value = value };
	int ret, err;

	err = vnic_ioctl_read(cmd, &arg, ifreq_len);
	if (err)
		return err;

	if (cmd == TUNGETFEATURES) {
		arg.number = VNIC_IFF_FEATURES;
		ret = 0;
	} else if (cmd == SIOCGSKNS) {
		ret = vnic_ioctl_netns(sock_net(&queue->sk));
	} else {
		rtnl_lock();
		ret = vnic_ioctl_locked(queue, cmd, &arg);
		rtnl_unlock();
	}
	if (ret < 0)
		return ret;
	err = vnic_ioctl_write(cmd, &arg, ifreq_len);
	return err ?: ret;
}
