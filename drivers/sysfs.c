// SPDX-License-Identifier: GPL-2.0
/*
 * sysfs - /sys/class/net/DEV/{tun_flags,owner,group} of a vntun or vntap
 *
 * What tun shows there, since libvirt and others read it.
 */
#include <linux/device.h>
#include <linux/netdevice.h>
#include <linux/sysfs.h>

#include "vnic.h"

static ssize_t tun_flags_show(struct device *device,
			      struct device_attribute *attr, char *buf)
{
	const struct vnic_port *port = netdev_priv(to_net_dev(device));

	return sysfs_emit(buf, "0x%x\n", READ_ONCE(port->flags));
}

static ssize_t owner_show(struct device *device,
			  struct device_attribute *attr, char *buf)
{
	const struct vnic_port *port = netdev_priv(to_net_dev(device));
	kuid_t owner = READ_ONCE(port->owner);

	if (!uid_valid(owner))
		return sysfs_emit(buf, "-1\n");
	return sysfs_emit(buf, "%u\n",
			  from_kuid_munged(current_user_ns(), owner));
}

static ssize_t group_show(struct device *device,
			  struct device_attribute *attr, char *buf)
{
	const struct vnic_port *port = netdev_priv(to_net_dev(device));
	kgid_t group = READ_ONCE(port->group);

	if (!gid_valid(group))
		return sysfs_emit(buf, "-1\n");
	return sysfs_emit(buf, "%u\n",
			  from_kgid_munged(current_user_ns(), group));
}

static DEVICE_ATTR_RO(tun_flags);
static DEVICE_ATTR_RO(owner);
static DEVICE_ATTR_RO(group);

static struct attribute *vnic_port_attrs[] = {
	&dev_attr_tun_flags.attr,
	&dev_attr_owner.attr,
	&dev_attr_group.attr,
	NULL
};

const struct attribute_group vnic_port_sysfs = {
	.attrs = vnic_port_attrs,
};
