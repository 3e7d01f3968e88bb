#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The labs of tools/labs with Open vSwitch, in short: two switches with the kernel's
# datapath, and tunnels between them. Their own tests look at the datapaths' flows.

. "$(dirname "$0")/lib.sh"
# shellcheck source=selftests/lib_labs.sh
. "$HERE/lib_labs.sh"

# need_vswitch MODULE...: Open vSwitch, and what the kernel has for its tunnels
need_vswitch()
{
	local thing

	for thing in ovs-vswitchd ovsdb-server socat; do
		need "$thing"
	done
	for thing in openvswitch "$@"; do
		modprobe -qn "$thing" || skip "this kernel has no $thing"
	done
}

test_kubevirt()
{
	need_vswitch geneve
	VNIC_SHORT=1 lab kubevirt
}

test_overlay()
{
	need_vswitch vxlan ip_gre
	VNIC_SHORT=1 lab overlay
}

# Two Open vSwitches go on, and their datapaths.
test_daemons()
{
	need_vswitch geneve
	orphaned kubevirt "add k6t-eth0" 'ovs-vswitchd|ovsdb-server'
}

subtests \
	kubevirt "a machine in a pod, Open vSwitch and Geneve between nodes" \
	overlay "VXLAN, GRE, internal port, patch and OpenFlow rules" \
	daemons "killed half-built: two Open vSwitches are found"
