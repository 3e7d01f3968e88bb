#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# vnic-exec: programs that inherit devices, and nothing besides. Those that move
# packets get two, one of each namespace; traffic() in lib.sh goes through them:
#
#      namespace LEFT                              namespace RIGHT
#
#        ping, TCP                                  (answers, echoes)
#         |                                              |
#        t0 10.79.0.1/24                       t1 10.79.0.2/24
#         |                                              |
#         +-- fd --  socat, QEMU or another program  -- fd --+
#
# With --vhost the left one is a socket, and in the last test it is vhost-net
# that reads and writes there.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_tap.sh"
use_unpacked
need_kind vntap
need_tools cmp ethtool ping python3 setpriv socat unshare
need_programs vnic-exec
need_helpers machine newlink

NOBODY=(setpriv --clear-groups --reuid 65534 --regid 65533)
QEMU=qemu-system-x86_64
QEMU_OPTIONS=(-M none -nodefaults -no-user-config -display none
	-netdev "hubport,id=h0,hubid=0,netdev=t0"
	-netdev "hubport,id=h1,hubid=0,netdev=t1")
chmod 711 "$WORK"

need()
{
	type -P "$1" >/dev/null || skip "$1 is not installed"
}

# need_vhost: sockets that vhost-net takes, of the module, and vhost-net itself
need_vhost()
{
	local out

	if [[ ! -d /sys/module/vhost_net ]]; then
		modprobe -q vhost_net && defer modprobe -rq vhost_net
	fi
	out=$("$VNIC_EXEC" --vhost --tap vhost%d true 2>&1) && return
	[[ $out != *"/dev/vhost-net: it is not there"* ]] ||
		skip "this kernel has no vhost-net"
	[[ $out != *"module is too old"* ]] ||
		skip "this module has no vhost sockets"
	fail "$out"
}

# bare COMMAND...: with no file but the first three, whoever has started the tests
bare()
(
	for file in /proc/self/fd/*; do
		((${file##*/} < 3)) || eval "exec ${file##*/}>&-"
	done
	exec "$@"
)

# runs PID PROGRAM: that is what has become of vnic-exec.
runs()
{
	local name

	{ read -r name <"/proc/$1/comm"; } 2>/dev/null &&
		[[ ${2##*/} == "$name"* ]]
}

# both NAME OPTIONS0 OPTIONS1 PROGRAM [ARGUMENT]...: run by nobody, it has t0 of
# LEFT, with these options, as %fd% and t1 of RIGHT as %%fd%%.
both()
{
	# shellcheck disable=SC2086	# several options
	start "$1" "$VNIC_EXEC" --keep-privileges --up --netns "$LEFT" $2 \
		--tap t0 -- "$VNIC_EXEC" --up --netns "$RIGHT" $3 --tap t1 \
		--user nobody -- "${@:4}"
	within 20 runs "$PID" "$4" || fail "no $4, but: $(cat "$WORK/$1")"
	run ip -n "$LEFT" addr add 10.79.0.1/24 dev t0
	run ip -n "$RIGHT" addr add 10.79.0.2/24 dev t1
}

spaces()
{
	setup_ns LEFT RIGHT
	silence "$LEFT" "$RIGHT"
}

# over NAME: what both has started ends as it wants to, and t0 and t1 with it.
over()
{
	run kill "$PID"
	ended "$1" "$PID" 20
	eventually 5 "t0 goes with it" gone "$LEFT" t0
	eventually 5 "t1 goes with it" gone "$RIGHT" t1
}

test_socat()
{
	spaces
	both socat "" "" socat -b 65550 FD:%fd% FD:%%fd%%
	framing "$LEFT" t0 off
	traffic "$LEFT" "$RIGHT" 10.79.0.2
	over socat
}

# used NS NAME N: the stack has sent something by N of its queues
used()
{
	local queue

	queue=$(ip netns exec "$1" ethtool -S "$2" |
		grep -c 'queue_[0-9]*_tx_packets: [1-9]')
	is "$queue" "$3" "queues by which $2 has sent"
}

# Each queue of one has a socat that joins it with that queue of the other:
# where one was missing, so would be what comes by it. Many flows take all.
test_queues()
{
	local i before
	local -A now

	spaces
	# shellcheck disable=SC2016	# expanded in there
	both sh "--queues 4" "--queues 4" sh -c '
		right=$2 IFS=:
		set -- $1
		for fd in $right; do
			socat -b 65550 "FD:$1" "FD:$fd" &
			shift
		done
		wait' sh %fds% %%fds%%
	defer pkill -P "$PID"
	for i in t0 t1; do
		is "$(files "$PID" "$i")" 4 "files on $i"
	done
	is "$(queues "$LEFT" t0)" 4 "queues of t0"
	is "$(queues "$RIGHT" t1)" 4 "queues of t1"
	traffic "$LEFT" "$RIGHT" 10.79.0.2
	counters now "$RIGHT" t1
	before=${now[rx_packets]}
	run ip netns exec "$LEFT" python3 -c '
import socket
for port in range(20000, 20100):
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.bind(("10.79.0.1", port))
        sock.sendto(b"hello", ("10.79.0.2", 9))'
	used "$LEFT" t0 4
	eventually 10 "100 datagrams have come to t1" \
		more_than $((before + 99)) "$RIGHT" t1 rx_packets
}

test_qemu()
{
	need "$QEMU"
	spaces
	both qemu --vnet-hdr "" "$QEMU" \
		-netdev tap,id=t0,fd=%fd% -netdev tap,id=t1,fd=%%fd%% \
		"${QEMU_OPTIONS[@]}"
	framing "$LEFT" t0 on
	framing "$RIGHT" t1 off
	traffic "$LEFT" "$RIGHT" 10.79.0.2
	over qemu
}

# answering: of several queues of t0, QEMU joins only the first to its hub, and
# throws away what comes by the others. What goes to the right answers what came
# by the first queue, and takes that one; but for questions about an address,
# which are saved here.
answering()
{
	local address

	link_field address "$RIGHT" t1 address
	run ip -n "$LEFT" neigh replace 10.79.0.2 lladdr "$address" dev t0 \
		nud permanent
	traffic "$RIGHT" "$LEFT" 10.79.0.1
}

test_qemu_queues()
{
	need "$QEMU"
	spaces
	both qemu "--vnet-hdr --queues 4" "" "$QEMU" \
		-netdev tap,id=t0,fds=%fds% -netdev tap,id=t1,fd=%%fd%% \
		"${QEMU_OPTIONS[@]}"
	is "$(files "$PID" t0)" 4 "QEMU's files on t0"
	is "$(queues "$LEFT" t0)" 4 "queues of t0"
	answering
	over qemu
}

# told OPTION... ARGUMENT: what a program gets as its argument, and a comma, goes
# into $TOLD
told()
{
	capture TOLD bare ip netns exec "$LEFT" "$VNIC_EXEC" --tap t0 \
		"${@:1:$#-1}" -- printf '%%s,' "${@: -1}"
}

test_told()
{
	setup_ns LEFT
	told '%fd% and %fds%'
	is "$TOLD" "3 and 3," "of one file"
	told --queues 3 '%fd%%fds%%%%name%%%name%%'
	is "$TOLD" "33:4:5%t0%name%," "of three"
	told ''
	is "$TOLD" "," "of nothing"
	# As it is where one runs another.
	# shellcheck disable=SC2016	# expanded in there
	capture TOLD bare env VNIC_FD=9 VNIC_VHOSTFD=9 VNIC_VHOSTFDS=9 \
		ip netns exec "$LEFT" "$VNIC_EXEC" --tap vm%d --queues 2 -- \
		sh -c 'echo $VNIC_FD $VNIC_FDS $VNIC_NAME \
			${VNIC_VHOSTFD-none} ${VNIC_VHOSTFDS-none}'
	is "$TOLD" "3 3:4 vm0 none none" "by the environment"
}

# The files are those of the device, and there are no others.
test_files()
{
	local out fds

	setup_ns LEFT
	# shellcheck disable=SC2016	# expanded in there
	capture out bare "$VNIC_EXEC" --netns "$LEFT" --tap t0 --queues 2 -- \
		sh -c 'echo $VNIC_FDS; ls /proc/$$/fd
			IFS=:
			for fd in $VNIC_FDS; do
				readlink /proc/$$/fd/$fd
				grep ^iff: /proc/$$/fdinfo/$fd
			done'
	fds=${out%%$'\n'*}
	out=${out//[$'\n\t']/ }
	is "${out#"$fds "}" \
		"0 1 2 ${fds/:/ } /dev/vnic iff: t0 /dev/vnic iff: t0" \
		"open files"
	# The caller's go on, and a standard file that is closed stays so.
	# shellcheck disable=SC2016
	capture out bare ip netns exec "$LEFT" \
		sh -c 'exec "$@" 7<"$0" <&- 2>&-' / "$VNIC_EXEC" --tap t0 -- \
		sh -c 'echo $VNIC_FD; ls /proc/$$/fd; :'
	fds=${out%%$'\n'*}
	out=${out//$'\n'/ }
	is "${out#"$fds "}" "1 $fds 7" "open files, two of them the caller's"
}

# status WHAT COMMAND...: what the kernel says of the process that "cat" is, into
# $SAID
status()
{
	capture SAID "${@:2}" cat /proc/self/status
	SAID=$'\n'${SAID//$'\t'/ }$'\n'
	WHAT=$1
}

# said LINE...: so it does.
said()
{
	local line

	for line; do
		[[ $SAID =~ $'\n'"$line"\ *$'\n' ]] ||
			fail "$WHAT: not '$line'; but $SAID"
	done
}

powerless()
{
	said "Cap"{Inh,Prm,Eff,Bnd,Amb}": 0000000000000000" "NoNewPrivs: 1"
}

# known COMMAND...: the system knows a user and his second group.
known()
{
	{ cat /etc/passwd; echo vnic-user:x:64000:64000::/:/bin/false; } \
		>"$WORK/passwd"
	{ cat /etc/group; echo vnic-group:x:64001:vnic-user; } >"$WORK/group"
	# shellcheck disable=SC2016	# its own arguments
	unshare -m sh -c 'mount --bind "$0/passwd" /etc/passwd &&
		mount --bind "$0/group" /etc/group && exec "$@"' "$WORK" "$@"
}

test_privileges()
{
	local -a exec=("$VNIC_EXEC" --tap t0) more

	setup_ns LEFT
	exec+=(--netns "$LEFT")
	# More than root has as a rule, and all of it goes.
	more=(setpriv --groups "4,24" --inh-caps +net_admin
		--ambient-caps +net_admin)
	status "a user" "${more[@]}" "${exec[@]}" --user nobody
	said "Uid: 65534 65534 65534 65534" "Gid: 65534 65534 65534 65534" \
		"Groups: 65534"
	powerless
	status "numbers" "${more[@]}" "${exec[@]}" --user 12345:23456
	said "Uid: 12345 12345 12345 12345" "Gid: 23456 23456 23456 23456" \
		"Groups:"
	powerless
	status "a user and his groups" known "${exec[@]}" --user vnic-user
	said "Uid: 64000 64000 64000 64000" "Gid: 64000 64000 64000 64000" \
		"Groups: 64000 64001"
	status "one group" known "${exec[@]}" --user vnic-user:vnic-group
	said "Gid: 64001 64001 64001 64001" "Groups:"
	powerless

	# User 0 is root for exec(), which must not give anything back.
	status "root" "${more[@]}" "${exec[@]}"
	said "Uid: 0 0 0 0"
	powerless
	status "root's child" "${exec[@]}" -- sh -c '"$@"; :' sh
	powerless
	refused "Operation not permitted" "${exec[@]}" -- ip -n "$LEFT" \
		link set lo up
	status "all kept" "${exec[@]}" --keep-privileges
	said "NoNewPrivs: 0"
	[[ $SAID != *"CapEff: 0000000000000000"* ]] || fail "nothing was kept"
	run "${exec[@]}" --keep-privileges -- ip -n "$LEFT" link set lo up
}

# By somebody who has no privilege to begin with, but a device.
test_owner()
{
	local -a exec

	setup_ns LEFT RIGHT
	exec=(ip netns exec "$LEFT" "${NOBODY[@]}" "$VNIC_EXEC" --tap t0)
	refused "t0: not permitted: be root, or let root type" \
		"${exec[@]}" true
	# IFLA_TUN_OWNER
	run "$NEWLINK" -n "$LEFT" add vntap name t0 info 1 fe:ff:00:00
	status "the owner" "${exec[@]}"
	said "Uid: 65534 65534 65534 65534" "CapEff: 0000000000000000" \
		"NoNewPrivs: 1"
	refused "--user nobody: cannot become it: Operation not permitted" \
		"${exec[@]}" --user nobody true
	refused "--up: not permitted: this takes CAP_NET_ADMIN" \
		"${exec[@]}" --up true
	refused "not permitted: be root for another namespace" \
		"${exec[@]}" --netns "$RIGHT" true
}

# ends STATUS COMMAND...
ends()
{
	local out status

	note "+ ${*:2}   (must end with $1)"
	out=$("${@:2}" 2>&1 {IDLE}>&-)
	status=$?
	note "$out"
	is "$status" "$1" "status"
	OUT=$out
}

test_status()
{
	local -a exec

	setup_ns LEFT
	exec=("$VNIC_EXEC" --netns "$LEFT" --tap t0)
	ends 42 "${exec[@]}" -- sh -c 'exit 42'
	start sleep "${exec[@]}" -- sleep 1000
	eventually 20 "it is the program" runs "$PID" sleep
	exists "$LEFT" t0 || fail "there is no t0"
	run kill -TERM "$PID"
	ended sleep "$PID" 10
	is "$STATUS" 143 "status"

	: >"$WORK/program"
	ends 126 "${exec[@]}" "$WORK/program"
	is "$OUT" "vnic-exec: cannot run $WORK/program: Permission denied" "126"
	ends 127 "${exec[@]}" no-such-program
	is "$OUT" "vnic-exec: cannot run no-such-program: No such file or directory" \
		"127"
	mkdir -m 700 "$WORK/closed"
	cp "$(type -P true)" "$WORK/closed/true"
	ends 0 "${exec[@]}" "$WORK/closed/true"
	ends 126 "${exec[@]}" --user nobody "$WORK/closed/true"
	eventually 5 "t0 is gone" gone "$LEFT" t0
}

# A device that is there: it stays, and has to be what was asked for.
test_existing()
{
	local -a exec

	setup_ns LEFT
	exec=("$VNIC_EXEC" --netns "$LEFT")
	run ip -n "$LEFT" link add t0 type vntap
	run ip -n "$LEFT" link add t4 numtxqueues 4 type vntap
	run "${exec[@]}" --tap t0 true
	carrier_is "$LEFT" t0 down || fail "t0 was brought up"
	run "${exec[@]}" --tap t4 true
	run "${exec[@]}" --tap t4 --queues 4 --up true
	[[ $(ip -n "$LEFT" link show t4) == *[\<,]UP[,\>]* ]] ||
		fail "t4 was not brought up"
	ends 125 "${exec[@]}" --tap t4 --queues 5 true
	[[ $OUT == "vnic-exec: --tap t4, queue 5 of 5: all queues of"* ]] ||
		fail "it does not say which"
	refused "--tap t0, queue 1 of 2: that interface is of another kind" \
		"${exec[@]}" --tap t0 --queues 2 true
	refused "--tun t0: that interface is of another kind" \
		"${exec[@]}" --tun t0 true
	refused "--tap lo: that interface is of another kind" \
		"${exec[@]}" --tap lo true
	start sleep "${exec[@]}" --tap t0 sleep 1000
	eventually 20 "it is the program" runs "$PID" sleep
	refused "--tap t0: another program has it" "${exec[@]}" --tap t0 true
	exists "$LEFT" t0 || fail "t0 is gone"
	exists "$LEFT" t4 || fail "t4 is gone"
}

# Patterns, and packets instead of frames.
test_names()
{
	setup_ns LEFT
	start first "$VNIC_EXEC" --netns "$LEFT" --tap vm%d --vnet-hdr=off -- \
		sleep 1000
	eventually 20 "it is the program" runs "$PID" sleep
	exists "$LEFT" vm0 || fail "there is no vm0"
	start second "$VNIC_EXEC" --netns "$LEFT" --tun vm%d --vnet-hdr=on -- \
		sleep 1000
	eventually 20 "it is the program" runs "$PID" sleep
	link_has "$LEFT" vm0 info_kind=vntap
	link_has "$LEFT" vm1 info_kind=vntun
	framing "$LEFT" vm0 off
	framing "$LEFT" vm1 on
	is "$(files "$PID" vm1)" 1 "files on vm1"
}

# wrong TEXT ARGUMENT...
wrong()
{
	ends 125 "$VNIC_EXEC" "${@:2}"
	[[ $OUT == *"$1"* ]] || fail "it does not say '$1'"
}

test_wrong()
{
	wrong "name a device: --tap NAME or --tun NAME"
	wrong "name a device" -- true
	wrong "name a program" --tap t0
	wrong "name a program" --tap t0 --
	wrong "--tun t1: there is one device, and that is --tap t0" \
		--tap t0 --tun t1 true
	wrong "1 to 15 letters" --tap "" true
	wrong "1 to 15 letters" --tap abcdefghijklmnop true
	wrong "--tap a/b: no device can be called that" --tap a/b true
	wrong "no device can be called that" --tap "a b" true
	wrong "no device can be called that" --tap .. true
	wrong "a pattern has one %d" --tap t%x true
	wrong "a pattern has one %d" --tap t%d%d true
	wrong "--queues 0: give a number from 1 to 256" --queues 0 --tap t0 true
	wrong "give a number from 1 to 256" --queues 257 --tap t0 true
	wrong "give a number from 1 to 256" --queues 1x --tap t0 true
	wrong "--vnet-hdr=yes: say on or off" --vnet-hdr=yes --tap t0 true
	wrong "unrecognized option" --colour
	wrong "--user gives privileges up" -k --user nobody --tap t0 true
	wrong "there is no user no-such-one" --user no-such-one --tap t0 true
	wrong "there is no group no-such-one" --user nobody:no-such-one \
		--tap t0 true
	wrong "--user 4321: nobody knows its group: give one, 4321:GROUP" \
		--user 4321 --tap t0 true
	wrong "there is no user 4294967295" --user 4294967295 --tap t0 true
	wrong "a=%file%: there is no %file%" --tap t0 true a=%file%
	wrong "100%: a percent sign is written %%" --tap t0 true 100%
	wrong "%vhostfds% needs --vhost" --tap t0 true %vhostfds%
	wrong "--netns nowhere: there is no such network namespace" \
		--netns nowhere --tap t0 true
	run "$VNIC_EXEC" --help
	run "$VNIC_EXEC" --version
}

test_missing()
{
	refused "--tap t0: there is no /dev/vnic: load the module" unshare -m \
		sh -c 'mount -t tmpfs none /dev && exec "$@"' sh \
		"$VNIC_EXEC" --tap t0 true
	# shellcheck disable=SC2016
	refused "Too many open files" sh -c 'ulimit -n 8; exec "$@"' sh \
		"$VNIC_EXEC" --tap t0 --queues 20 true
}

# Sockets in place of the files, which are closed, and one of vhost-net for each.
test_vhost_files()
{
	local out

	need_vhost
	setup_ns LEFT
	# shellcheck disable=SC2016	# expanded in there
	capture out bare "$VNIC_EXEC" --vhost --netns "$LEFT" --tap t0 \
		--queues 2 --user nobody -- sh -c '
		echo $VNIC_FD,$VNIC_FDS,$VNIC_VHOSTFD,$VNIC_VHOSTFDS
		echo %fd%,%fds%,%vhostfd%,%vhostfds%
		ls /proc/$$/fd | wc -w
		IFS=:
		for fd in $VNIC_FDS $VNIC_VHOSTFDS; do
			readlink /proc/$$/fd/$fd | sed "s/:.*//"
		done'
	mapfile -t out <<<"$out"
	is "${out[1]}" "${out[0]}" "the arguments"
	is "${out[*]:2}" "7 socket socket /dev/vhost-net /dev/vhost-net" \
		"open files"
	eventually 5 "t0 goes with its sockets" gone "$LEFT" t0
	# shellcheck disable=SC2016	# expanded in there
	refused "--vhost, /dev/vhost-net: it is not there: load the module" \
		unshare -m sh -c 'numbers=$(stat -c "0x%t 0x%T" /dev/vnic)
		mount -t tmpfs none /dev && mknod /dev/vnic c $numbers &&
		exec "$@"' sh "$VNIC_EXEC" --vhost --tap t0 true
}

# What reads and writes is served as by the file.
test_vhost_socat()
{
	need_vhost
	spaces
	both socat "--vhost --vnet-hdr=off" "" \
		socat -b 65550 FD:%fd% FD:%%fd%%
	framing "$LEFT" t0 off
	traffic "$LEFT" "$RIGHT" 10.79.0.2
	over socat
}

# QEMU gives all to vhost-net that a machine needs. There is no machine, whose
# driver would be what starts it: until then QEMU itself reads and writes.
test_vhost_qemu()
{
	need "$QEMU"
	need_vhost
	spaces
	both qemu --vhost "" "$QEMU" \
		-netdev tap,id=t0,fd=%fd%,vhost=on,vhostfd=%vhostfd% \
		-netdev tap,id=t1,fd=%%fd%% "${QEMU_OPTIONS[@]}"
	framing "$LEFT" t0 on
	traffic "$LEFT" "$RIGHT" 10.79.0.2
	over qemu
	both qemu "--vhost --queues 4" "" "$QEMU" \
		-netdev tap,id=t0,fds=%fds%,vhost=on,vhostfds=%vhostfds% \
		-netdev tap,id=t1,fd=%%fd%% "${QEMU_OPTIONS[@]}"
	is "$(queues "$LEFT" t0)" 4 "queues of t0"
	answering
	over qemu
}

# The kernel moves the packets, between the socket and rings in the memory of a
# program that could have opened neither; with headers, and without.
test_vhost()
{
	local header

	need_vhost
	cp "$MACHINE" "$WORK/machine"
	spaces
	for header in on off; do
		both vhost "--vhost --vnet-hdr=$header" "" \
			"$WORK/machine" %fd% %vhostfd% %%fd%%
		eventually 20 "vhost-net is at work" says vhost "at work"
		framing "$LEFT" t0 "$header"
		traffic "$LEFT" "$RIGHT" 10.79.0.2
		over vhost
	done
}

subtests \
	socat "socat between two files that it has inherited" \
	queues "four queues of each, with a program for each" \
	qemu "QEMU's hub, run by nobody, fd=N, with and without vnet headers" \
	qemu_queues "the same, fds=N:N:N:N" \
	told "what the program is told: arguments, environment" \
	files "the files that it has, and no other" \
	privileges "user, groups, capabilities: what is left of root" \
	owner "by the owner of a device, without privileges" \
	status "signals and exit status are the program's" \
	existing "devices that are there, and what does not fit them" \
	names "patterns, vntun, vnet headers" \
	wrong "what is wrong is said, before anything is opened" \
	missing "no /dev/vnic, too many files" \
	vhost_files "vhost: sockets, and nothing of the files" \
	vhost_socat "vhost: socat on the socket" \
	vhost_qemu "vhost: QEMU takes socket and vhost-net, one and many" \
	vhost "vhost: vhost-net between the socket and a program's memory"
