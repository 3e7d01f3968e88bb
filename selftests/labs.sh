#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The labs of tools/labs: each network is set up, its packets go where its page
# says (counters and tracepoints: the lab's own test), and it is taken down. Those of
# Open vSwitch are in labs_vswitch.sh; what goes wrong is in labs_faults.sh.

. "$(dirname "$0")/lib.sh"
# shellcheck source=selftests/lib_labs.sh
. "$HERE/lib_labs.sh"

test_containers()
{
	lab containers
}

test_machine()
{
	lab machine
}

test_vpn()
{
	lab vpn
}

test_openvpn()
{
	need openvpn
	lab openvpn "rx_bytes of wire-b: 186 more" "OutRequests of Ip: 2 more"
}

test_children()
{
	need iperf3
	need_in_tree macvlan
	need_in_tree ipvlan
	lab children
}

test_rootless()
{
	need_rootless
	lab rootless "world is called by 192.0.2.1" \
		"outside of home, the user may not make a device"
}

test_switch()
{
	need python3
	lab switch "the page of http://10.15.0.1/ has come whole, all of it by host0"
}

# As long as it is there it takes a processor.
test_testpmd()
{
	need dpdk-testpmd
	need ethtool
	need python3
	comes testpmd
	works testpmd \
		"the page of http://10.15.0.1/ has come whole, all of it by host0"
	goes testpmd
}

# testpmd_on FILE NS: testpmd with a port of virtio-user, whose back end is vhost
# with FILE's t0. It goes on without one, until its input ends. Only as the command
# of capture.
testpmd_on()
{
	local plugins=()

	! compgen -G "$LABS/../../build/programs/usr/lib/*/dpdk" >/dev/null ||
		plugins=(-d librte_mempool_ring.so -d librte_net_virtio.so)
	VNIC_DEV=$1 as_tun ip netns exec "$2" \
		env "RUNTIME_DIRECTORY=$WORK" timeout 120 dpdk-testpmd \
		--no-huge -m 64 --no-pci --no-shconf --no-telemetry \
		--lcores "0@0,1@$(($(nproc) - 1))" "${plugins[@]}" \
		--vdev "virtio_user0,path=/dev/vhost-net,iface=t0" \
		-- --total-num-mbufs=2048 </dev/null
}

# vhost-net takes tun's own files, tap's, and packet sockets.
test_virtio_user()
{
	local out

	need dpdk-testpmd
	need_in_tree vhost_net
	[[ -c /dev/vhost-net && -c /dev/net/tun ]] ||
		skip "this kernel has no vhost-net"
	setup_ns LEFT
	capture out testpmd_on /dev/net/tun "$LEFT"
	[[ $out != *VHOST_NET_SET_BACKEND* ]] || fail "tun's file is refused: $out"
	capture out testpmd_on /dev/vnic "$LEFT"
	[[ $out == *"VHOST_NET_SET_BACKEND fails, Socket operation on non-socket"* ]] ||
		fail "our file is not refused: $out"
}

subtests \
	containers "two containers" \
	machine "a virtual machine's bridge" \
	vpn "a VPN in user space: twice through the stack" \
	openvpn "the same with OpenVPN" \
	children "macvlan, ipvlan, bridge and pair" \
	rootless "containers, bridge and NAT of a user without privileges" \
	switch "a switch in user space that owns the NIC" \
	testpmd "the same with DPDK's testpmd" \
	virtio_user "vhost-net refuses our file as DPDK's back end"
