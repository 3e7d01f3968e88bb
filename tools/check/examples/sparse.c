// SPDX-License-Identifier: GPL-2.0
/* What sparse has to warn of: address spaces and byte order. */
#include <linux/module.h>
#include <linux/netdevice.h>

static struct net_device __rcu *peer;

static struct net_device *reads_without_rcu(void)
{
	return peer;	/* report */
}

static int reads_user_memory(const int __user *arg)
{
	return *arg;	/* report */
}

static bool is_too_long(__be16 len)
{
	return len > ETH_DATA_LEN;	/* report */
}

static bool is_ipv4(__be16 proto)
{
	return proto == ETH_P_IP;	/* report */
}

static bool is_ipv6(__be16 proto)
{
	return proto == htons(ETH_P_IPV6);
}

static int __init planted_init(void)
{
	return !reads_without_rcu() || reads_user_memory(NULL) ||
	       is_too_long(0) || is_ipv4(0) || is_ipv6(0);
}
module_init(planted_init);

MODULE_DESCRIPTION("What sparse has to warn of");
MODULE_LICENSE("GPL");
