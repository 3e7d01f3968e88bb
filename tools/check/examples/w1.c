// SPDX-License-Identifier: GPL-2.0
/* What a build with W=1 has to warn of. */
#include <linux/module.h>

int has_no_prototype(int n)	/* report */
{
	return n;
}

static const int used_by_nobody = 1;	/* report */

MODULE_DESCRIPTION("What a build with W=1 has to warn of");
MODULE_LICENSE("GPL");
