# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034	# for who sources it
#
# What the kernel writes when something is wrong with it, as a pattern for
# grep -E: tools/qemu/vm and tools/uml/vm say so whatever the command does.

complaint='Kernel panic|BUG: |WARNING: |Oops: |kernel BUG at|protection fault'
complaint+='|INFO: task .* blocked|rcu.* detected .*stall|refcount_t: |UBSAN: '
complaint+='|unregister_netdevice: waiting|KASAN: |kmemleak: [0-9]+ new'
