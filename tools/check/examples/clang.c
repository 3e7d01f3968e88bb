// SPDX-License-Identifier: GPL-2.0
/* What clang has to warn of, and gcc does not in the kernel. */
#include <linux/module.h>

static int is_set_sometimes(int set)
{
	int value;

	if (set)	/* report */
		value = 1;
	return value;
}

static int never_ends(int n)
{
	int i, sum = 0;

	for (i = 0; i < n; sum++)	/* report */
		cpu_relax();
	return sum;
}

static int is_set(int set)
{
	int value = 0;

	if (set)
		value = 1;
	return value;
}

static int __init planted_init(void)
{
	return is_set_sometimes(num_online_cpus()) + is_set(1) + never_ends(1);
}
module_init(planted_init);

MODULE_DESCRIPTION("What clang has to warn of");
MODULE_LICENSE("GPL");
