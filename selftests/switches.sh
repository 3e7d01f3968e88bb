#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Programs made for /dev/net/tun, as their distribution ships them, on our
# file: virtual machines and switches. (Those that make devices, and VPNs:
# programs.sh.) The traffic is that of traffic() in lib.sh:
#
#      namespace LEFT                              namespace RIGHT
#
#        ping, TCP                                  (answers, echoes)
#         |                                              |
#        t0 10.79.0.1/24                       t1 10.79.0.2/24
#         |                                              |
#         +--- QEMU's hub, or a bridge of Open vSwitch --+
#
# QEMU runs with a machine that has no processor: the devices are all there is
# of it. VNIC_DEV=/dev/net/tun runs all of it on the in-tree driver.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_tap.sh"
use_unpacked
need_tools cmp ping setpriv socat unshare
need_device

# Whom no driver knows, and where he may write.
NOBODY=(setpriv --clear-groups --reuid 65534 --regid 65533)
OPEN=$WORK/open
chmod 711 "$WORK"
mkdir -m 777 "$OPEN"

need()
{
	type -P "$1" >/dev/null || skip "$1 is not installed"
}

QEMU=qemu-system-x86_64

# hub NS OPTIONS0 OPTIONS1 [COMMAND...]: QEMU, as COMMAND runs it, with a hub
# that joins t0 and t1; what each -netdev says besides is in the OPTIONS.
hub()
{
	need "$QEMU"
	start qemu as_tun ip netns exec "$1" "${@:4}" "$QEMU" -M none \
		-nodefaults -no-user-config -display none \
		-netdev "tap,id=t0,$2" -netdev "tap,id=t1,$3" \
		-netdev hubport,id=h0,hubid=0,netdev=t0 \
		-netdev hubport,id=h1,hubid=0,netdev=t1
}

has()
{
	(($(files "$@")))
}

# said: how QEMU explains itself
said()
{
	cat "$WORK/qemu"
}

# ends LEFT RIGHT: once QEMU has t0 and t1, which are both in LEFT, they go to
# their places.
ends()
{
	within 20 has "$PID" t1 || fail "QEMU has no t1, but says: $(said)"
	link_has "$1" t0 info_kind="$TAP"
	link_has "$1" t1 info_kind="$TAP"
	run ip -n "$1" link set t1 netns "$2"
	run ip -n "$1" addr add 10.79.0.1/24 dev t0
	run ip -n "$2" addr add 10.79.0.2/24 dev t1
	run ip -n "$1" link set t0 up
	run ip -n "$2" link set t1 up
}

# over LEFT RIGHT: QEMU goes, and what it has made goes with it.
over()
{
	run kill "$PID"
	ended qemu "$PID" 20
	eventually 5 "t0 goes with QEMU" gone "$1" t0
	eventually 5 "t1 goes with QEMU" gone "$2" t1
}

test_hub()
{
	setup_ns LEFT RIGHT
	silence "$LEFT" "$RIGHT"
	hub "$LEFT" ifname=t0,script=no,downscript=no \
		ifname=t1,script=no,downscript=no,vnet_hdr=off
	ends "$LEFT" "$RIGHT"
	framing "$LEFT" t0 on
	framing "$RIGHT" t1 off
	traffic "$LEFT" "$RIGHT" 10.79.0.2
	over "$LEFT" "$RIGHT"
}

# answering LEFT RIGHT: of several queues of t0, QEMU joins only the first to its
# hub, and throws away what comes by the others. All that goes to the right does
# so in answer to what came from there by the first queue, and must take that
# one; but for questions about an address, which are saved here.
answering()
{
	local address

	link_field address "$2" t1 address
	run ip -n "$1" neigh replace 10.79.0.2 lladdr "$address" dev t0 \
		nud permanent
	traffic "$2" "$1" 10.79.0.1
}

# One device is a user's, the other one a user's and a group's; QEMU is both.
test_queues()
{
	setup_ns LEFT RIGHT
	silence "$LEFT" "$RIGHT"
	run as_tun ip -n "$LEFT" tuntap add dev t0 mode tap multi_queue \
		user 65534
	run as_tun ip -n "$LEFT" tuntap add dev t1 mode tap \
		user 65534 group 65533
	refused "Operation not permitted" ip netns exec "$LEFT" \
		setpriv --clear-groups --reuid 65533 --regid 65533 \
		socat "TUN,tun-device=$VNIC_DEV,tun-name=t1,tun-type=tap" PIPE
	refused "Operation not permitted" ip netns exec "$LEFT" \
		setpriv --clear-groups --reuid 65534 --regid 65534 \
		socat "TUN,tun-device=$VNIC_DEV,tun-name=t1,tun-type=tap" PIPE
	hub "$LEFT" ifname=t0,script=no,downscript=no,queues=4 \
		ifname=t1,script=no,downscript=no "${NOBODY[@]}"
	ends "$LEFT" "$RIGHT"
	is "$(files "$PID" t0)" 4 "QEMU's files on t0"
	is "$(queues "$LEFT" t0)" 4 "queues of t0"
	answering "$LEFT" "$RIGHT"
	run kill "$PID"
	ended qemu "$PID" 20
	eventually 5 "t0 has no program" carrier_is "$LEFT" t0 down
}

# A virtual machine, not started: it has taken four queues, and has detached
# those that its guest does not use yet.
test_detach()
{
	need "$QEMU"
	setup_ns LEFT
	start qemu as_tun ip netns exec "$LEFT" "$QEMU" -M microvm -S -m 16 \
		-nodefaults -no-user-config -display none \
		-netdev tap,id=t0,ifname=t0,script=no,downscript=no,queues=4 \
		-device virtio-net-device,netdev=t0,mq=on
	within 20 one_of_four || {
		[[ $(said) != *"unsupported machine type"* ]] ||
			skip "this QEMU has no machine microvm"
		fail "$(files "$PID" t0) files on t0," \
			"$(queues "$LEFT" t0) queues attached; QEMU: $(said)"
	}
}

one_of_four()
{
	(($(files "$PID" t0) == 4 && $(queues "$LEFT" t0) == 1))
}

# Opened and attached by root, inherited by a QEMU that could do neither.
test_fd()
{
	setup_ns LEFT RIGHT
	silence "$LEFT" "$RIGHT"
	hub "$LEFT" fd=10 fd=11 "$HERE/handover.py" run t0 t1 -- "${NOBODY[@]}"
	ends "$LEFT" "$RIGHT"
	traffic "$LEFT" "$RIGHT" 10.79.0.2
	over "$LEFT" "$RIGHT"
}

# The same over a UNIX socket to a QEMU that runs already, as libvirt does it;
# of t0 it gets four queues.
test_socket()
{
	need "$QEMU"
	setup_ns LEFT RIGHT
	silence "$LEFT" "$RIGHT"
	start qemu "${NOBODY[@]}" "$QEMU" -M none -nodefaults -no-user-config \
		-display none -qmp "unix:$OPEN/qmp,server=on,wait=off"
	within 20 test -S "$OPEN/qmp" || fail "no monitor; QEMU: $(said)"
	run ip netns exec "$LEFT" "$HERE/handover.py" qemu "$OPEN/qmp" t0:4 t1
	is "$(files "$PID" t0)" 4 "QEMU's files on t0"
	is "$(files "$PID" t1)" 1 "QEMU's files on t1"
	ends "$LEFT" "$RIGHT"
	answering "$LEFT" "$RIGHT"
	over "$LEFT" "$RIGHT"
}

# All of Open vSwitch lives in $WORK/ovs, and makes ovs-netdev, br0, t0 and t1
# in a namespace of its own.
test_ovs()
{
	local program schema dir=$WORK/ovs

	for program in ovsdb-tool ovsdb-server ovs-vswitchd ovs-vsctl; do
		need "$program"
	done
	schema=$(type -P ovs-vsctl)
	schema=${schema%/bin/*}/share/openvswitch/vswitch.ovsschema
	mkdir "$dir"
	export OVS_RUNDIR=$dir OVS_LOGDIR=$dir OVS_DBDIR=$dir
	export OVS_SYSCONFDIR=$dir OVS_PKGDATADIR=${schema%/*}
	# It looks for the kernel's own switch, which loads that.
	[[ -d /sys/module/openvswitch ]] || defer modprobe -rq openvswitch

	setup_ns LEFT RIGHT SWITCH
	silence "$LEFT" "$RIGHT" "$SWITCH"
	run ovsdb-tool create "$dir/conf.db" "$schema"
	start ovsdb ovsdb-server "$dir/conf.db" \
		--remote="punix:$dir/db.sock" --unixctl="$dir/ovsdb.ctl"
	within 20 test -S "$dir/db.sock" ||
		fail "no data base: $(cat "$WORK/ovsdb")"
	run ovs-vsctl --no-wait init
	start vswitchd as_tun ip netns exec "$SWITCH" ovs-vswitchd \
		"unix:$dir/db.sock" --unixctl="$dir/vswitchd.ctl"
	run ovs-vsctl --timeout=60 \
		add-br br0 -- set bridge br0 datapath_type=netdev -- \
		add-port br0 t0 -- set interface t0 type=internal -- \
		add-port br0 t1 -- set interface t1 type=internal
	link_has "$SWITCH" br0 info_kind="$TAP"
	link_has "$SWITCH" t0 info_kind="$TAP"
	run ip -n "$SWITCH" link set t0 netns "$LEFT"
	run ip -n "$SWITCH" link set t1 netns "$RIGHT"
	run ip -n "$LEFT" addr add 10.79.0.1/24 dev t0
	run ip -n "$RIGHT" addr add 10.79.0.2/24 dev t1
	run ip -n "$LEFT" link set t0 up
	run ip -n "$RIGHT" link set t1 up
	traffic "$LEFT" "$RIGHT" 10.79.0.2
	# br0 is the bridge's own port.
	run ip -n "$SWITCH" addr add 10.79.0.3/24 dev br0
	run ip -n "$SWITCH" link set br0 up
	run ip netns exec "$SWITCH" ping -q -w 30 -c 3 -i 0.05 10.79.0.1
	run ovs-vsctl --timeout=60 del-br br0
	eventually 10 "t0 goes with the bridge" gone "$LEFT" t0
	eventually 10 "br0 goes with the bridge" gone "$SWITCH" br0
}

subtests \
	hub "QEMU, with and without vnet headers" \
	queues "QEMU, unprivileged, four queues of a user's, a group's" \
	detach "QEMU, a virtual machine that uses one queue of four" \
	fd "QEMU, unprivileged, fd=N" \
	socket "QEMU, unprivileged, files passed over a socket" \
	ovs "Open vSwitch, netdev datapath, two internal ports and a bridge's"
