#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# A million hostile virtio headers for each kind: all are refused and counted,
# and none reaches the stack; the true ones among them arrive.
#
#      vnet_fuzz -- VNIC_IOC_SEND, write -- /dev/vnic -- interface
#          \______________ how many came? AF_PACKET ______/
#
# Once more, the same: build/selftests/vnet_fuzz tap 1000000 SEED

. "$(dirname "$0")/lib.sh"
need_kind vntun vntap
need_helpers vnet_fuzz

: "${VNIC_FUZZ_COUNT:=1000000}"

fuzz()
{
	run "$VNET_FUZZ" "$1" "$VNIC_FUZZ_COUNT"
}

test_vntun() { fuzz tun; }
test_vntap() { fuzz tap; }

subtests \
	vntun "hostile headers in front of IP packets" \
	vntap "hostile headers in front of frames"
