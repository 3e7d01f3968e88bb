// SPDX-License-Identifier: GPL-2.0
/* What sparse has to warn of: locks, up to the kernels that leave it to clang. */
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>

static DEFINE_SPINLOCK(lock);
static int held;

static void takes(void)
	__acquires(&lock)
{
	spin_lock(&lock);
}

static void gives(void)
	__releases(&lock)
{
	spin_unlock(&lock);
}

static void takes_and_gives(void)
{
	takes();
	held++;
	gives();
}

static void takes_unsaid(int n)	/* report */
{
	spin_lock_bh(&lock);
	held += n;
}

static void gives_what_it_must_hold(int n)	/* report */
	__must_hold(&lock)
{
	held += n;
	spin_unlock(&lock);
}

static void lets_go_for_a_moment(void)
	__must_hold(&lock)
{
	spin_unlock(&lock);
	spin_lock(&lock);
}

static int returns_early(bool early)	/* report */
{
	rcu_read_lock();
	if (early)
		return held;
	rcu_read_unlock();
	return 0;
}

static int __init planted_init(void)
{
	takes();
	lets_go_for_a_moment();
	gives_what_it_must_hold(1);
	gives();
	takes_and_gives();
	takes_unsaid(1);
	return returns_early(true);
}
module_init(planted_init);

MODULE_DESCRIPTION("What sparse has to warn of in locks");
MODULE_LICENSE("GPL");
