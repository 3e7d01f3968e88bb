// SPDX-License-Identifier: GPL-2.0
/* What double_fetch.cocci has to report, and what it has to leave alone. */
#include "vnic.h"

static int reads_twice(struct vnic_batch *batch, void __user *argp)
{
	if (copy_from_user(batch, argp, sizeof(*batch)))
		return -EFAULT;
	if (batch->count > VNIC_BATCH_MAX)
		return -EINVAL;
	if (copy_from_user(batch, argp, sizeof(*batch)))	/* report */
		return -EFAULT;
	return 0;
}

static int reads_once(struct vnic_batch *batch, void __user *argp)
{
	if (copy_from_user(batch, argp, sizeof(*batch)))
		return -EFAULT;
	if (batch->count > VNIC_BATCH_MAX)
		return -EINVAL;
	return batch->count;
}

static void *reads_count_again(struct tun_filter __user *arg)
{
	u16 count;

	if (get_user(count, &arg->count))
		return ERR_PTR(-EFAULT);
	if (count > VNIC_FILTER_EXACT)
		return ERR_PTR(-EINVAL);
	return memdup_user(arg, struct_size(arg, addr, count));	/* report */
}

static void *reads_on(void __user *arg)
{
	struct tun_filter head;

	if (copy_from_user(&head, arg, sizeof(head)))
		return ERR_PTR(-EFAULT);
	return memdup_user(arg + sizeof(head), ETH_ALEN * head.count);
}

static int reads_field_again(struct ifreq *ifr, struct ifreq __user *argp)
{
	short flags;

	if (get_user(flags, &argp->ifr_flags))
		return -EFAULT;
	if (!(flags & IFF_TAP))
		return -EINVAL;
	if (copy_from_user(ifr, argp, sizeof(*ifr)))	/* report */
		return -EFAULT;
	return 0;
}

static int reads_each(struct vnic_packet *to, struct vnic_packet __user *from,
		      unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (copy_from_user(to, from, sizeof(*to)))
			return -EFAULT;
		from++;
	}
	return copy_from_user(to, from, sizeof(*to)) ? -EFAULT : 0;
}

static int reads_either(unsigned int cmd, struct ifreq *ifr, int *number,
			void __user *argp)
{
	switch (cmd) {
	case TUNSETIFF:
		return copy_from_user(ifr, argp, sizeof(*ifr)) ? -EFAULT : 0;
	default:
		return copy_from_user(number, argp, sizeof(int)) ? -EFAULT : 0;
	}
}

static int turns_back(struct iov_iter *from, struct vnic_vnet *vnet, void *buf)
{
	if (!copy_from_iter_full(vnet, sizeof(*vnet), from))
		return -EFAULT;
	iov_iter_revert(from, sizeof(*vnet));
	if (!copy_from_iter_full(buf, ETH_DATA_LEN, from))	/* report */
		return -EFAULT;
	return 0;
}

static int goes_on(struct iov_iter *from, struct vnic_vnet *vnet, void *buf)
{
	if (!copy_from_iter_full(vnet, sizeof(*vnet), from))
		return -EFAULT;
	if (!copy_from_iter_full(buf, ETH_DATA_LEN, from))
		return -EFAULT;
	return 0;
}
