#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The module: loads, unloads, is loaded when it is needed.
#
#     namespace A                            namespace B
#   ping -f, iperf3 -c                        iperf3 -s
#         |                                      |
#        v0 ============== pair ============== v1
#        d0 (vndummy), t0 (vntun), p0 (vntap)     t1 (made by TUNSETIFF)
#
# This file unloads the module under whoever else uses it: do not run it
# beside another one.

. "$(dirname "$0")/lib.sh"
((EUID == 0)) || skip_all "needs root: sudo selftests/$SELF"
KO=${VNIC_KO:-$(modinfo -n vnic 2>/dev/null)}
[[ -r $KO ]] || skip_all "no vnic.ko; type: make &&" \
	"VNIC_KO=\$PWD/vnic.ko selftests/$SELF"
need_tools ip iperf3 ping depmod modinfo
need_helpers newlink
KINDS="vndummy vnveth vntun vntap"

loaded()
{
	[[ -d /sys/module/vnic ]]
}

in_use()
{
	(($(< /sys/module/vnic/refcnt) > 0))
}

insert()
{
	loaded || run insmod "$KO"
}

remove()
{
	if loaded; then
		run rmmod vnic
	fi
}

# As it was found, at the end.
if loaded; then
	defer insmod "$KO"
else
	defer rmmod vnic
fi

# What the kernel says from here on is LOG's.
mark_log()
{
	MARK="vnic-selftest $$ $EPOCHREALTIME"
	echo "$MARK" > /dev/kmsg
}

log()
{
	dmesg | sed "1,/$MARK/d"
}

no_warning()
{
	local bad

	bad=$(log | grep -E 'WARNING|BUG|Oops|refcount|to become free|stall')
	[[ -z $bad ]] || fail "the kernel says: $bad"
}

test_load()
{
	local before after out

	remove
	[[ ! -e /dev/vnic ]] || fail "/dev/vnic is there without the module"
	interfaces before ""
	mark_log
	insert
	interfaces after ""
	is "$after" "$before" "interfaces before and after the module"
	[[ -c /dev/vnic ]] || fail "no /dev/vnic"
	is "$(stat -c %a /dev/vnic)" 666 "mode of /dev/vnic"
	is "$(grep -cw vnic /proc/misc)" 1 "entries in /proc/misc"
	out=$(log | grep 'vnic' | grep -vE 'taint|verification')
	(($(grep -c . <<< "$out") <= 1)) ||
		fail "more than one line in the log: $out"
	no_warning
	remove
	[[ ! -e /dev/vnic ]] || fail "/dev/vnic is still there"
}

test_ten_times()
{
	local i

	mark_log
	for ((i = 0; i < 10; i++)); do
		remove
		insert
		run ip link add "vnic$$" type vndummy
	done
	remove
	gone "" "vnic$$" || fail "vnic$$ outlives its driver"
	no_warning
}

test_aliases()
{
	local out kind

	capture out modinfo -F alias "$KO"
	for kind in $KINDS; do
		grep -qx "rtnl-link-$kind" <<< "$out" ||
			fail "no alias for the kind $kind: $out"
	done
	capture out modinfo -F license "$KO"
	[[ $out == GPL* ]] || fail "license: $out"
	capture out modinfo -F version "$KO"
	[[ -n $out ]] || fail "no version"
	insert
	is "$(< /sys/module/vnic/version)" "$out" "version in sysfs"
}

# An installed module, without touching what is installed: a folder with
# this one module, and a modprobe for the kernel that looks there.
test_autoload()
{
	local tree=$WORK/tree/lib/modules/${VNIC_KERNEL:-$(uname -r)}
	local kind minor helper

	mkdir -p "$tree"
	cp "$KO" "$tree/vnic.ko"
	touch "$tree"/modules.{order,builtin,builtin.modinfo}
	run depmod -b "$WORK/tree" "${tree##*/}"
	printf '#!/bin/sh\nexec modprobe -d %s "$@"\n' "$WORK/tree" \
		> "$WORK/modprobe"
	chmod +x "$WORK/modprobe"
	helper=$(< /proc/sys/kernel/modprobe)
	defer sysctl -qw "kernel.modprobe=$helper"
	run sysctl -qw "kernel.modprobe=$WORK/modprobe"

	setup_ns A
	for kind in $KINDS; do
		remove
		run ip -n "$A" link add type "$kind"
		loaded || fail "$kind is there, its module is not"
		link_has "$A" "${kind}0" info_kind="$kind"
	done

	# Only a fixed minor number can be opened before the module is there.
	minor=$(sed -n 's/^vnic vnic c10://p' "$tree/modules.devname")
	[[ -n $minor ]] || return 0
	remove
	run mknod "$WORK/node" c 10 "$minor"
	run bash -c "exec 9<> $WORK/node"
	loaded || fail "opening the device did not load the module"
}

# tuntap NS NAME: a persistent device, made by TUNSETIFF. ip insists on
# /dev/net/tun.
tuntap()
{
	tun_node
	VNIC_DEV=/dev/vnic run as_tun ip -n "$1" tuntap add dev "$2" mode tun
}

test_interfaces_up()
{
	local names

	insert
	mark_log
	setup_ns A B
	setup_pair "$A" "$B"
	run ip -n "$A" link add d0 type vndummy
	run ip -n "$A" link add t0 type vntun
	run ip -n "$A" link add p0 type vntap
	tuntap "$B" t1
	run ip -n "$A" link set d0 up
	run ip -n "$A" link set t0 up
	run ip -n "$A" link set p0 up
	run ip -n "$B" link set t1 up
	remove
	interfaces names "$A"
	is "$names" "" "what is left in A"
	interfaces names "$B"
	is "$names" "" "what is left in B"
	no_warning
}

test_under_traffic()
{
	local server client flood

	insert
	mark_log
	setup_ns A B
	setup_pair "$A" "$B"
	start server ip netns exec "$B" \
		iperf3 -s1 --forceflush --rcv-timeout 1000
	server=$PID
	eventually 10 "iperf3 listens" says server "Server listening"
	start flood ip netns exec "$A" ping -qf -w 60 10.77.0.2
	flood=$PID
	receives 10 "$B" v1
	start client ip netns exec "$A" \
		iperf3 -c 10.77.0.2 -t 60 --snd-timeout 1000
	client=$PID
	eventually 20 "both are at work" \
		more_than 20000000 "$B" v1 rx_bytes
	remove
	gone "$A" v0 || fail "v0 is still there"
	gone "$B" v1 || fail "v1 is still there"
	ended client "$client" 20
	((STATUS)) || fail "the iperf3 client did not notice"
	ended server "$server" 20
	kill -INT "$flood"
	ended flood "$flood" 5
	says flood "transmitted" || fail "ping says nothing"
	! says flood " 0% packet loss" || fail "ping did not notice"
	no_warning
}

test_busy()
{
	local fd

	insert
	note "+ exec {fd}<> /dev/vnic"
	exec {fd}<> /dev/vnic || fail "/dev/vnic can't be opened"
	eventually 1 "the open file holds the module" in_use
	refused "in use" rmmod vnic
	loaded || fail "the module is gone although it was refused"
	note "+ exec {fd}>&-"
	exec {fd}>&-
	remove
	loaded && fail "still loaded"
	return 0
}

subtests \
	load "makes /dev/vnic, no interface, one line in the log at most" \
	ten_times "loaded and unloaded ten times" \
	aliases "an alias for each kind" \
	autoload "loaded when a kind is asked for" \
	interfaces_up "unloaded with interfaces of all kinds up" \
	under_traffic "unloaded under a ping flood and iperf3" \
	busy "not unloaded while /dev/vnic is open"
