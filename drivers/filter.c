// SPDX-License-Identifier: GPL-2.0
/*
 * filter - which packets of the stack do not go to the program
 *
 *	stack --> addresses --> classic BPF --> eBPF --> ring
 *
 * A virtual machine has told its network card which addresses it listens to;
 * what it would throw away need not be handed to it (TUNSETTXFILTER, vntap
 * only). A program says more by BPF: how many bytes it wants, 0 for none.
 */
#include <linux/bpf.h>
#include <linux/crc32.h>
#include <linux/etherdevice.h>
#include <linux/filter.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "vnic.h"

/* Six bits of the CRC, as the hash filters of real cards have it. */
static u64 vnic_filter_hash(const u8 *addr)
{
	return BIT_ULL(ether_crc(ETH_ALEN, addr) >> 26);
}

/*
 * Fill @mac with @n addresses. Returns false if they cannot be filtered by:
 * a unicast address that there is no room to compare with.
 */
static bool vnic_filter_fill(struct vnic_mac_filter *mac, const u8 *addr,
			     unsigned int n)
{
	unsigned int i;

	mac->count = min_t(unsigned int, n, VNIC_FILTER_EXACT);
	memcpy(mac->exact, addr, mac->count * ETH_ALEN);
	for (i = mac->count; i < n; i++) {
		if (!is_multicast_ether_addr(addr + i * ETH_ALEN))
			return false;
		mac->hash |= vnic_filter_hash(addr + i * ETH_ALEN);
	}
	return true;
}

/**
 * vnic_filter_mac_get() - read the argument of TUNSETTXFILTER
 * @arg: struct tun_filter and its addresses, in user memory
 * @ret: what to answer: how many addresses are compared exactly, 0 without a
 *	filter, or -EFAULT or -ENOMEM
 *
 * Context: process, RTNL not held.
 * Return: the filter, or NULL for none, or if *@ret is negative.
 */
struct vnic_mac_filter *vnic_filter_mac_get(const void __user *arg, int *ret)
{
	struct vnic_mac_filter *mac;
	struct tun_filter head;
	u8 *addr;

	*ret = -EFAULT;
	if (copy_from_user(&head, arg, sizeof(head)))
		return NULL;
	*ret = 0;
	if (!head.count)
		return NULL;
	addr = memdup_user(arg + sizeof(head), ETH_ALEN * head.count);
	if (IS_ERR(addr)) {
		*ret = PTR_ERR(addr);
		return NULL;
	}
	mac = kzalloc(sizeof(*mac), GFP_KERNEL_ACCOUNT);
	if (!mac) {
		*ret = -ENOMEM;
	} else if (!vnic_filter_fill(mac, addr, head.count)) {
		kfree(mac);
		mac = NULL;
	} else {
		if (head.flags & TUN_FLT_ALLMULTI)
			mac->hash = U64_MAX;
		*ret = mac->count;
	}
	kfree(addr);
	return mac;
}

static struct vnic_prog *vnic_filter_wrap(struct bpf_prog *prog)
{
	struct vnic_prog *wrap = kzalloc(sizeof(*wrap), GFP_KERNEL_ACCOUNT);

	if (!wrap) {
		bpf_prog_destroy(prog);
		return ERR_PTR(-ENOMEM);
	}
	wrap->prog = prog;
	return wrap;
}

/**
 * vnic_filter_cbpf_get() - compile the classic program of TUNATTACHFILTER
 * @fprog: its length, and its instructions in user memory
 *
 * Context: process, RTNL not held.
 * Return: the program, or ERR_PTR() of -EINVAL, -EFAULT or -ENOMEM.
 */
struct vnic_prog *vnic_filter_cbpf_get(struct sock_fprog *fprog)
{
	struct bpf_prog *prog;
	int err;

	err = bpf_prog_create_from_user(&prog, fprog, NULL, false);
	return err ? ERR_PTR(err) : vnic_filter_wrap(prog);
}

/**
 * vnic_filter_ebpf_get() - take the program behind a file descriptor
 * @fd: of a BPF_PROG_TYPE_SOCKET_FILTER, or -1 for none
 *
 * Context: process.
 * Return: the program, NULL for none, or ERR_PTR() of -EBADF, -EINVAL (not a
 * program of that type) or -ENOMEM.
 */
struct vnic_prog *vnic_filter_ebpf_get(int fd)
{
	struct bpf_prog *prog;

	if (fd == -1)
		return NULL;
	prog = bpf_prog_get_type(fd, BPF_PROG_TYPE_SOCKET_FILTER);
	return IS_ERR(prog) ? ERR_CAST(prog) : vnic_filter_wrap(prog);
}

/**
 * vnic_filter_put() - free what was made for a device that did not take it
 * @prog: a program, or NULL
 * @mac: addresses, or NULL
 *
 * Context: process.
 */
void vnic_filter_put(struct vnic_prog *prog, struct vnic_mac_filter *mac)
{
	if (prog)
		bpf_prog_destroy(prog->prog);
	kfree(prog);
	kfree(mac);
}

/**
 * vnic_filter_mac_set() - replace the addresses
 * @port: the device
 * @mac: the new ones, ours from now on, or NULL
 *
 * Context: process, RTNL held.
 */
void vnic_filter_mac_set(struct vnic_port *port, struct vnic_mac_filter *mac)
{
	mac = rcu_replace_pointer(port->mac, mac, lockdep_rtnl_is_held());
	if (mac)
		kfree_rcu(mac, rcu);
}

static void vnic_filter_free(struct rcu_head *rcu)
{
	struct vnic_prog *prog = container_of(rcu, struct vnic_prog, rcu);

	bpf_prog_destroy(prog->prog);
	kfree(prog);
}

/**
 * vnic_filter_prog_set() - replace a program
 * @slot: where it is; under RTNL
 * @prog: the new one, ours from now on, or NULL
 *
 * Context: process, RTNL held.
 */
void vnic_filter_prog_set(struct vnic_prog __rcu **slot,
			  struct vnic_prog *prog)
{
	prog = rcu_replace_pointer(*slot, prog, lockdep_rtnl_is_held());
	if (prog)
		call_rcu(&prog->rcu, vnic_filter_free);
}

static void vnic_filter_drop(struct vnic_prog __rcu **slot)
{
	struct vnic_prog *prog = rcu_dereference_protected(*slot, true);

	RCU_INIT_POINTER(*slot, NULL);
	if (prog)
		call_rcu(&prog->rcu, vnic_filter_free);
}

/**
 * vnic_filter_exit() - the device goes: so do all its programs
 * @port: the device, which nobody uses any more
 *
 * Context: process.
 */
void vnic_filter_exit(struct vnic_port *port)
{
	kfree(rcu_dereference_protected(port->mac, true));
	RCU_INIT_POINTER(port->mac, NULL);
	vnic_filter_drop(&port->cbpf);
	vnic_filter_drop(&port->ebpf);
	vnic_filter_drop(&port->steering);
}

static bool vnic_filter_mac_pass(const struct vnic_mac_filter *mac,
				 const struct sk_buff *skb)
{
	/* There is no mac_header yet; the frame begins with the address. */
	const u8 *dest = skb->data;
	unsigned int i;

	if (skb_headlen(skb) < ETH_ALEN)
		return false;
	for (i = 0; i < mac->count; i++)
		if (ether_addr_equal_unaligned(dest, mac->exact[i]))
			return true;
	return is_multicast_ether_addr(dest) &&
	       (mac->hash & vnic_filter_hash(dest));
}

/**
 * vnic_filter_apply() - does the program want the packet, and how much of it?
 * @port: the device
 * @queue: the queue that it would go to
 * @skb: the packet; may be made shorter
 *
 * Context: bottom halves off.
 * Return: 0, or the counter of the reason for which it has to be dropped.
 */
enum vnic_counter vnic_filter_apply(struct vnic_port *port,
				    struct vnic_queue *queue,
				    struct sk_buff *skb)
{
	enum vnic_counter counter = 0;
	struct vnic_mac_filter *mac;
	struct vnic_prog *prog;
	unsigned int len;

	rcu_read_lock();
	mac = rcu_dereference(port->mac);
	if (mac && !vnic_filter_mac_pass(mac, skb)) {
		counter = VNIC_TX_FILTER_MAC;
		goto unlock;
	}
	prog = rcu_dereference(port->cbpf);
	if (prog && !READ_ONCE(queue->nofilter)) {
		len = bpf_prog_run_clear_cb(prog->prog, skb);
		if (!len)
			counter = VNIC_TX_FILTER_CBPF;
		else if (pskb_trim(skb, len))
			counter = VNIC_TX_NOMEM;
		if (counter)
			goto unlock;
	}
	prog = rcu_dereference(port->ebpf);
	if (prog) {
		len = bpf_prog_run_clear_cb(prog->prog, skb);
		if (!len)
			counter = VNIC_TX_FILTER_EBPF;
		else if (pskb_trim(skb, len))
			counter = VNIC_TX_NOMEM;
	}
unlock:
	rcu_read_unlock();
	return counter;
}
