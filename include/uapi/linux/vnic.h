/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * vnic: what user space needs to know of the virtual NIC drivers.
 *
 * /dev/vnic speaks the ABI of /dev/net/tun, so its ioctls, flags and packet
 * headers are those of <linux/if_tun.h>, byte for byte; nothing of it is
 * repeated here.
 */
#ifndef _UAPI_LINUX_VNIC_H
#define _UAPI_LINUX_VNIC_H

#include <linux/if_tun.h>
#include <linux/veth.h>

/**
 * define VNIC_DEV_PATH - the character device behind vntun and vntap
 *
 * Open it once for each queue and attach with TUNSETIFF. Programs made for
 * /dev/net/tun run on it unmodified.
 */
#define VNIC_DEV_PATH		"/dev/vnic"

/* Link kinds, as in IFLA_INFO_KIND (``ip link add type KIND``). */
#define VNIC_KIND_DUMMY		"vndummy"
#define VNIC_KIND_VETH		"vnveth"
#define VNIC_KIND_TUN		"vntun"
#define VNIC_KIND_TAP		"vntap"

/**
 * enum vnic_veth_attr - attributes of vnveth in IFLA_INFO_DATA
 * @VNIC_VETH_UNSPEC: not used
 * @VNIC_VETH_PEER: the peer: a struct ifinfomsg, whose ifi_index may ask for
 *	an interface index (0: the kernel chooses), then IFLA_* attributes of
 *	the peer: name, address, MTU, namespace and others. Only at creation.
 *	The same number and layout as VETH_INFO_PEER of <linux/veth.h>.
 *
 * Without it the peer is called as IFLA_PARENT_DEV_NAME says, else vnveth%d,
 * and lives in the namespace that IFLA_LINK_NETNSID names, else in that of
 * the first end.
 */
enum vnic_veth_attr {
	VNIC_VETH_UNSPEC = VETH_INFO_UNSPEC,
	VNIC_VETH_PEER = VETH_INFO_PEER,
};

#endif /* _UAPI_LINUX_VNIC_H */
