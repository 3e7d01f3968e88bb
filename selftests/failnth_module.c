// SPDX-License-Identifier: GPL-2.0
/*
 * The module itself, loaded with each allocation failed once (failnth.h). Takes
 * it from VNIC_KO, and leaves it loaded.
 */
#include "failnth.h"

#include <sys/syscall.h>

static int load(void)
{
	int file = open(getenv("VNIC_KO") ?: "vnic.ko", O_RDONLY | O_CLOEXEC);
	int result;

	if (file < 0)
		return -errno;
	result = neg(SYSCALL(syscall(SYS_finit_module, file, "", 0)));
	close(file);
	return result;
}

static int unload(void)
{
	return neg(syscall(SYS_delete_module, "vnic", O_NONBLOCK));
}

FAIL_TEST(load)
{
	ASSERT_TRUE(WAIT_FOR(!unload()));
	look(&first);
	SWEEP(NOTHING, load(), unload());
	ASSERT_EQ(0, load());
}

TEST_HARNESS_MAIN
