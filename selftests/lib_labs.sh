# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# lib_labs - what the tests of tools/labs share, on top of lib.sh

use_unpacked
need_kind vntap "$VNVETH"
need_tools bridge ping setpriv setsid tc unshare
need_programs vnic-hub
need_labs

need()
{
	type -P "$1" >/dev/null || skip "$1 is not installed"
}

# nothing_left BEFORE NAME: namespaces, links, processes are those of before
nothing_left()
{
	local file

	is "$(there)" "$1" "what is there afterwards"
	for file in "/run/vnic-labs/$2"{,.d,.log}; do
		[[ ! -e $file ]] || fail "$2 has left $file"
	done
}

there()
{
	ip netns list | sort
	ip -br link | cut -d ' ' -f 1
	# A zombie has ended, whoever has not noticed it yet.
	pgrep -lx -r D,R,S 2>/dev/null \
		'vnic-hub|ovs-vswitchd|ovsdb-server|openvpn|dpdk-testpmd|python3|socat|iperf3|sleep'
}

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

need_rootless()
{
	need iperf3
	need nft
	need nsenter
	setpriv --clear-groups --reuid 65534 --regid 65534 unshare -Urn true \
		2>/dev/null || skip "users may not make user namespaces here"
}
