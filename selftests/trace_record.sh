#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# vnic-trace as a program: what it does with the command, with signals, with what
# it cannot record, and what it leaves behind. That it tells the right path is
# trace_path.sh's.
#
#   namespace A                      namespace B
#     v0 ============= pair ============= v1
#     eth0 = tap === vnic-hub === tap = eth0

. "$(dirname "$0")/lib.sh"
need_kind "$VNVETH" vntap
need_tools ip python3 ping setpriv jq
need_helpers newlink packets
need_programs vnic-trace vnic-hub

TRACING=/sys/kernel/tracing
[[ -d $TRACING/events ]] || mount -t tracefs tracefs "$TRACING" 2>/dev/null ||
	skip_all "this kernel has no tracefs"
[[ -d $TRACING/events/vnic ]] || skip_all "this kernel has no tracepoints"

# Whatever happens, nothing is left in tracefs.
clean()
{
	[[ -z $(find "$TRACING/instances" -mindepth 1 -maxdepth 1 \
		-name 'vnic-trace.*') ]] || return 1
	[[ ! -e $TRACING/dynamic_events ]] ||
		! grep -q vnictrace "$TRACING/dynamic_events"
}

cleaned()
{
	clean || fail "left in tracefs: $(ls "$TRACING/instances")" \
		"$(cat "$TRACING/dynamic_events")"
}

# record OPTION... -- COMMAND...: $STATUS, and what it says in $SAID
record()
{
	note "+ vnic-trace run $*"
	SAID=$("$VNIC_TRACE" run "$@" 2>&1 </dev/null)
	STATUS=$?
	note "$SAID"
	cleaned
}

has()
{
	[[ $SAID == *"$1"* ]] || fail "it does not say '$1'"
}

need_headers()
{
	[[ -e /sys/kernel/btf/vmlinux ]] ||
		skip "this kernel tells nothing of its types (BTF)"
}

setup()
{
	setup_ns A B
	silence "$A" "$B"
	setup_pair "$A" "$B"
	keep_neighbours "$A" "$B"
	run ip netns exec "$A" ping -c 1 -W 10 10.77.0.2
}

test_status()
{
	record -- true
	is "$STATUS" 0 "status of true"
	has "no packet was seen"
	record -- sh -c 'exit 7'
	is "$STATUS" 7 "the command's status"
	# shellcheck disable=SC2016	# its own
	record -- sh -c 'kill -KILL $$'
	is "$STATUS" 137 "the status of one that was killed"
	record -- /nowhere/command
	is "$STATUS" 127 "the status of none"
	has "/nowhere/command: No such file or directory"
}

test_refused()
{
	record --follow icmp:3 -- true
	is "$STATUS" 125 "status"
	has "--follow takes icmp, udp:PORT, tcp:PORT or all, not 'icmp:3'"
	SAID=$(setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$VNIC_TRACE" run -- true 2>&1)
	is $? 125 "status of somebody else"
	has "recording needs root"
	SAID=$(VNIC_TRACE_BUFFER_KB=much "$VNIC_TRACE" run -- true 2>&1)
	is $? 125 "status"
	has "VNIC_TRACE_BUFFER_KB is a number of KB"
	record --svg /nowhere/picture.svg -- true
	is "$STATUS" 125 "status"
	has "/nowhere/picture.svg: No such file or directory"
}

# traced: in the background, as if a terminal had started it: a signal that is
# ignored here would be there as well. Its command is $SLEEPER.
traced()
{
	start trace python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.setsid()
os.execv(sys.argv[1], sys.argv[1:])' "$VNIC_TRACE" run -- \
		sh -c "echo sleeper \$\$; exec sleep 1000"
	TRACE=$PID
	eventually 60 "the command runs" says trace "^sleeper [0-9]"
	SLEEPER=$(sed -n 's/^sleeper //p' "$WORK/trace")
	defer kill -9 "$SLEEPER"
}

test_term()
{
	traced
	run kill -TERM "$TRACE"
	ended trace "$TRACE" 60
	is "$STATUS" 143 "status"
	says trace "no packet was seen" || fail "it has shown nothing"
	cleaned
}

# Of a terminal it comes to the command as well.
test_int()
{
	traced
	run kill -INT "$TRACE" "$SLEEPER"
	ended trace "$TRACE" 60
	is "$STATUS" 130 "status"
	says trace "no packet was seen" || fail "it has shown nothing"
	cleaned
}

# What cannot clean up is cleaned up behind.
test_kill()
{
	traced
	run kill -KILL "$TRACE"
	ended trace "$TRACE" 60
	! clean || fail "killed, and yet nothing is left: what is tested here?"
	record -- true
	is "$STATUS" 0 "status of the next"
}

test_lost()
{
	setup
	export VNIC_TRACE_BUFFER_KB=4
	record -- "$PACKETS" -n "$A" v0 60 60
	unset VNIC_TRACE_BUFFER_KB
	[[ $SAID =~ 'CPU '[0-9]+': '[0-9]+' events were lost' ]] ||
		fail "it does not say what is lost"
}

# One who has been reading for long, and is no child of the command
test_daemon()
{
	setup_ns A B
	silence "$A" "$B"
	start hub "$VNIC_HUB" "tap:eth0@$A" "tap:eth0@$B"
	eventually 20 "the hub is ready" says hub "2 ports"
	run ip -n "$A" addr add 10.79.0.1/24 dev eth0
	run ip -n "$B" addr add 10.79.0.2/24 dev eth0
	run ip netns exec "$A" ping -c 1 -W 10 10.79.0.2
	record --json "$WORK/hub.json" -- ip netns exec "$A" ping -c 1 -W 10 \
		10.79.0.2
	is "$STATUS" 0 "status"
	is "$(jq -r '.runs[0].trips[0].hops | map(select(.station ==
		"vnic_deliver")) | .[0].netns' "$WORK/hub.json")" \
		"$(stat -Lc %i "/run/netns/$B")" "the namespace where it arrives"
	[[ -d $TRACING/events/syscalls ]] ||
		skip "this kernel has no events of system calls"
	is "$(jq -r '[.runs[0].trips[] | [.hops[] | select(.comm == "vnic-hub")
		| .station | select(. != "consume_skb")] | join(" ")] | .[0]' \
		"$WORK/hub.json" | grep -o 'vnic_taken.*vnic_enter')" \
		"vnic_taken syscall_exit syscall_enter vnic_enter" \
		"what the hub does with the first"
}

test_follow()
{
	need_headers
	setup
	record --follow icmp -- ip netns exec "$A" ping -c 1 -W 10 10.77.0.2
	is "$STATUS" 0 "status"
	has "ICMP echo request 10.77.0.1 -> 10.77.0.2"
	has "ICMP echo reply 10.77.0.2 -> 10.77.0.1"
	has "the answer to trip 1"
	record --follow udp:7 -- ip netns exec "$A" ping -c 1 -W 10 10.77.0.2
	has "2 other packets are not followed"
	has "no packet was seen"
}

test_outputs()
{
	local odd='<b>&"\1' kind

	setup
	run ip -n "$A" link set v0 down
	run ip -n "$A" link set v0 name "$odd"
	run ip -n "$A" link set "$odd" up
	record --keep "$WORK/kept" --svg "$WORK/svg" --html "$WORK/html" \
		--json "$WORK/json" --chrome "$WORK/chrome" --text "$WORK/text" \
		--title 'a <title> & more' -- ip netns exec "$A" \
		ping -c 1 -W 10 10.77.0.2
	is "$STATUS" 0 "status"
	run python3 -c 'import sys, xml.dom.minidom
xml.dom.minidom.parse(sys.argv[1])' "$WORK/svg"
	is "$(jq -r '.runs[0].title' "$WORK/json")" 'a <title> & more' title
	is "$(jq -r '[.runs[0].lanes[] | select(.kind == "device") | .name]
		| .[0]' "$WORK/json")" "$odd" "name of the device"
	jq -e '.traceEvents | length > 20' "$WORK/chrome" >/dev/null ||
		fail "there is hardly anything in --chrome"
	! grep -q '<b>' "$WORK/html" "$WORK/svg" ||
		fail "a name has become markup"
	# And the same from what was kept, by anybody.
	chmod 755 "$WORK"
	for kind in svg html json chrome text; do
		setpriv --reuid 65534 --regid 65534 --clear-groups \
			"$VNIC_TRACE" show "--$kind" - --title 'a <title> & more' \
			"$WORK/kept" >"$WORK/again"
		run cmp "$WORK/$kind" "$WORK/again"
	done
}

test_compare()
{
	need_in_tree veth
	setup_ns A B
	silence "$A" "$B"
	cat >"$WORK/across" <<-END
		ip -n $A link add v0 type \$1 peer name v1 netns $B ||
			ip -n $A link add v0 parentdev v1 link-netns $B type \$1
		ip -n $A addr add 10.77.0.1/24 dev v0
		ip -n $B addr add 10.77.0.2/24 dev v1
		ip -n $A link set v0 up
		ip -n $B link set v1 up
		ip netns exec $A ping -c 1 -W 10 10.77.0.2
		echo "this was \$VNIC_KIND"
		ip -n $A link del v0
	END
	record --compare veth,vnveth --normalize --text "$WORK/text" \
		--svg "$WORK/svg" -- sh "$WORK/across" {}
	has "this was veth"
	has "this was vnveth"
	SAID=$(<"$WORK/text")
	has "=== veth"
	has "=== vnveth"
	has "vnic_handover"
	has "netif_rx"
	grep -q 'id="hop-1-1"' "$WORK/svg" || fail "one picture is missing"
}

subtests \
	status "the command's status is ours" \
	refused "what cannot be done is said" \
	term "ended by TERM: the command ends, the rest is done" \
	int "ended by Ctrl-C: the same" \
	kill "killed: the next one cleans up" \
	lost "a buffer that is too small: what is lost is said" \
	daemon "a program that runs already" \
	follow "only some packets" \
	outputs "every output, with odd names; and from what was kept" \
	compare "both kinds, lined up"
