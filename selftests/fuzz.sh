#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# A million hostile virtio headers for each kind: all are refused and counted,
# and none reaches the stack; the true ones among them arrive.
#
#      vnet_fuzz -- VNIC_IOC_SEND, write -- /dev/vnic -- interface
#          \______________ how many came? AF_PACKET ______/
#
# Then some seconds of tools/fuzz, which is "make fuzz" for longer: operations of
# every kind from four threads, from a seed that is always the same and from one
# that never was before.
#
# Once more, the same: build/selftests/vnet_fuzz tap 1000000 SEED
#                      build/selftests/fuzz --seed SEED --seconds 20

. "$(dirname "$0")/lib.sh"
need_kind vntun vntap
need_helpers vnet_fuzz fuzz

: "${VNIC_FUZZ_COUNT:=$((1000000 / ${VNIC_PATIENCE:-1}))}"
: "${VNIC_FUZZ_SECONDS:=20}"

fuzz()
{
	run "$VNET_FUZZ" "$1" "$VNIC_FUZZ_COUNT"
}

test_vntun() { fuzz tun; }
test_vntap() { fuzz tap; }

# set_for_now FILE TEXT: until the subtest ends
set_for_now()
{
	local before

	[[ -w $1 ]] || return 0
	before=$(<"$1")
	defer eval "echo ${before@Q} >${1@Q}"
	echo "$2" >"$1"
}

operations()
{
	# A kind that does not exist starts no modprobe; links go quickly.
	set_for_now /proc/sys/kernel/modprobe ""
	set_for_now /sys/kernel/rcu_expedited 1
	run "$FUZZ" --seed "$1" --seconds "$VNIC_FUZZ_SECONDS"
}

test_operations() { operations 4711; }
test_operations_today() { operations "$(date +%s)"; }

subtests \
	vntun "hostile headers in front of IP packets" \
	vntap "hostile headers in front of frames" \
	operations "random operations from four threads" \
	operations_today "the same, never seen before"
