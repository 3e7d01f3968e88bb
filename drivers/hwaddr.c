// SPDX-License-Identifier: GPL-2.0
/*
 * hwaddr - what a vntun or vntap poses as: its type and hardware address
 *
 * TUNSETLINK, SIOCGIFHWADDR and SIOCSIFHWADDR on the fd. A program may claim to
 * be the far end of any kind of link; only the length of an address follows.
 */
#include <linux/if_arp.h>
#include <linux/ieee802154.h>
#include <linux/netdevice.h>
#include <uapi/linux/if_fc.h>
#include <uapi/linux/if_fddi.h>
#include <uapi/linux/if_hippi.h>
#include <uapi/linux/if_ltalk.h>
#include <net/ax25.h>
#include <net/rose.h>
#include <net/6lowpan.h>

#include "vnic.h"

/* Bytes of a hardware address that fit into a struct sockaddr. */
#define VNIC_SA_ROOM		(sizeof(struct sockaddr) - \
				 offsetof(struct sockaddr, sa_data))

/* Bytes of a hardware address for each type that a program may pose as. */
static unsigned char vnic_hwaddr_len(unsigned short type)
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

/**
 * vnic_hwaddr_set_type() - TUNSETLINK
 * @port: the device
 * @type: ARPHRD_*
 *
 * Context: process, RTNL held.
 * Return: 0; -EBUSY while it is up; what somebody who was asked says.
 */
int vnic_hwaddr_set_type(struct vnic_port *port, unsigned long type)
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
	dev->addr_len = vnic_hwaddr_len(dev->type);
	call_netdevice_notifiers(NETDEV_POST_TYPE_CHANGE, dev);
	return 0;
}

/**
 * vnic_hwaddr_get() - SIOCGIFHWADDR
 * @port: the device
 * @ifr: the answer: the type, and as much of the address as there is room for
 *
 * Context: process, RTNL held.
 */
void vnic_hwaddr_get(struct vnic_port *port, struct ifreq *ifr)
{
	const struct net_device *dev = port->dev;
	struct sockaddr *sa = &ifr->ifr_hwaddr;

	memset(sa, 0, sizeof(*sa));
	spin_lock(&port->name_lock);
	memcpy(sa->sa_data, dev->dev_addr,
	       min_t(size_t, VNIC_SA_ROOM, dev->addr_len));
	spin_unlock(&port->name_lock);
	sa->sa_family = READ_ONCE(dev->type);
}

/**
 * vnic_hwaddr_set() - SIOCSIFHWADDR
 * @port: the device
 * @ifr: the address, a copy
 *
 * Context: process, RTNL held.
 * Return: 0; -EINVAL for a device whose addresses the request has no room for;
 * what the core says.
 */
int vnic_hwaddr_set(struct vnic_port *port, const struct ifreq *ifr)
{
	struct net_device *dev = port->dev;
	struct sockaddr_storage ss = { };

	/* The request has no room for the longest ones. */
	if (dev->addr_len > VNIC_SA_ROOM)
		return -EINVAL;
	memcpy(&ss, &ifr->ifr_hwaddr, sizeof(ifr->ifr_hwaddr));
	return vnic_set_mac_user(dev, &ss);
}
