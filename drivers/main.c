// SPDX-License-Identifier: GPL-2.0
/*
 * vnic - virtual NIC drivers: vndummy, vnveth, vntun, vntap
 *
 * This file is the table of contents. Parts are started from the ground up
 * and stopped in reverse: when a kind goes, its devices go with it.
 */
#include <linux/module.h>
#include <net/rtnetlink.h>

#include "vnic.h"

static struct rtnl_link_ops * const vnic_kinds[] = {
	&vndummy_link_ops,
	&vnveth_link_ops,
	&vntun_link_ops,
	&vntap_link_ops,
};

static void vnic_kinds_exit(int n)
{
	while (n--)
		rtnl_link_unregister(vnic_kinds[n]);
}

static int __init vnic_kinds_init(void)
{
	int err, i;

	for (i = 0; i < ARRAY_SIZE(vnic_kinds); i++) {
		err = rtnl_link_register(vnic_kinds[i]);
		if (err) {
			vnic_kinds_exit(i);
			return err;
		}
	}
	return 0;
}

static int __init vnic_init(void)
{
	int err;

	vnic_frame_init();
	err = vnic_cell_init();
	if (err)
		goto exit_frame;
	err = vnic_port_notifier_init();
	if (err)
		goto exit_cell;
	err = vnic_kinds_init();
	if (err)
		goto exit_notifier;
	err = vnic_chardev_init();
	if (err)
		goto exit_kinds;
	return 0;

exit_kinds:
	vnic_kinds_exit(ARRAY_SIZE(vnic_kinds));
exit_notifier:
	vnic_port_notifier_exit();
exit_cell:
	vnic_cell_exit();
exit_frame:
	vnic_frame_exit();
	return err;
}

static void __exit vnic_exit(void)
{
	vnic_chardev_exit();
	vnic_kinds_exit(ARRAY_SIZE(vnic_kinds));
	vnic_port_notifier_exit();
	vnic_cell_exit();
	vnic_frame_exit();
	/* Programs of filters are freed by functions of this module. */
	rcu_barrier();
}

module_init(vnic_init);
module_exit(vnic_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Virtual NIC drivers: vndummy, vnveth, vntun, vntap");
MODULE_VERSION(VNIC_VERSION);
