#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The labs of tools/labs: each network is set up, its packets go where its page
# says (counters and tracepoints: the lab's own test), and it is taken down,
# also when somebody has broken it off.

. "$(dirname "$0")/lib.sh"
need_kind vntap "$VNVETH"
need_tools bridge ping setsid tc unshare
need_programs vnic-hub

for LABS in "$HERE/../tools/labs" "$HERE/../../../tools/labs" ""; do
	[[ ! -x $LABS/containers ]] || break
done
[[ $LABS ]] || skip_all "there is no tools/labs"

# nothing_left BEFORE: namespaces and processes are those of before
nothing_left()
{
	is "$(there)" "$1" "what is there afterwards"
	[[ ! -e /run/vnic-labs/$2 ]] || fail "$2 has left its notes"
}

there()
{
	ip netns list | sort
	ip -br link | cut -d ' ' -f 1
	pgrep -x vnic-hub
}

# lab NAME: from up to down
lab()
{
	local before out

	before=$(there)
	defer "$LABS/$1" down
	run "$LABS/$1" up
	refused "$1: is up already" "$LABS/$1" up
	run "$LABS/$1" show
	capture out "$LABS/$1" test
	note "$out"
	[[ $out == *"$1: path: out "* ]] || fail "no path was looked at"
	capture out "$LABS/$1" down
	[[ $out == *"$1: taken down, nothing is left"* ]] ||
		fail "it does not say that nothing is left: $out"
	nothing_left "$before" "$1"
	capture out "$LABS/$1" down
	is "$out" "$1: is not up; nothing is left" "down once more"
	refused "$1: is not up" "$LABS/$1" test
}

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

test_children()
{
	need_in_tree macvlan
	need_in_tree ipvlan
	lab children
}

test_switch()
{
	lab switch
}

# A packet that goes elsewhere is no pass: here, one that a filter eats.
test_wrong_path()
{
	defer "$LABS/containers" down
	run "$LABS/containers" up
	run ip -n two link add elsewhere type "$VNDUMMY"
	run ip -n two link set elsewhere up
	run ip -n two route replace 10.11.0.1/32 dev elsewhere
	refused "10.11.0.2 does not answer one" "$LABS/containers" test
	run ip -n two route del 10.11.0.1/32 dev elsewhere
	run "$LABS/containers" test
}

# stopping: machine up, as "half", which comes as far as its first pair
stopping()
{
	local real

	real=$(type -P ip)
	mkdir "$WORK/bin"
	cat >"$WORK/bin/ip" <<-END
		#!/bin/sh
		case "\$*" in
		*"add port0"*) : >"$WORK/stopped"; exec sleep 1000 ;;
		esac
		exec $real "\$@"
	END
	chmod +x "$WORK/bin/ip"
	defer rm -rf "$WORK/bin" "$WORK/stopped"
	start half env "PATH=$WORK/bin:$PATH" setsid --wait "$LABS/machine" up
	eventually 60 "half of it is there" test -e "$WORK/stopped"
	LEADER=$(pgrep -xf "bash $LABS/machine up")
}

test_killed()
{
	local before out

	before=$(there)
	defer "$LABS/machine" down
	stopping
	run kill -9 -- "-$LEADER"
	ended half "$PID" 10
	[[ -e /run/netns/host ]] || fail "nothing was left: no test of it"
	capture out "$LABS/machine" up
	[[ $out == *"machine: something is left of a call that was broken off"* ]] ||
		fail "it does not say that something was left: $out"
	run "$LABS/machine" test
	run "$LABS/machine" down
	nothing_left "$before" machine
}

test_interrupted()
{
	local before

	before=$(there)
	defer "$LABS/machine" down
	stopping
	run kill -TERM -- "-$LEADER"
	ended half "$PID" 30
	says half "machine: not finished; what there is goes again" ||
		fail "it does not say that it was broken off"
	says half "machine: taken down, nothing is left" || fail "something is left"
	nothing_left "$before" machine
}

# A namespace of somebody else's is in the way: it stays, the rest goes.
test_in_the_way()
{
	local before

	run ip netns add pod
	defer ip netns del pod
	before=$(there)
	refused "there is a namespace pod, which is not this lab's" \
		"$LABS/machine" up
	nothing_left "$before" machine
}

test_missing()
{
	# shellcheck disable=SC2016	# its own arguments
	refused "switch: tc is not installed" unshare -m sh -c \
		'mount --bind /dev/null "$(realpath "$(command -v tc)")" && "$0" up' \
		"$LABS/switch"
	refused "usage: tools/labs/switch [up|show|trace|test|down]" \
		"$LABS/switch" upp
}

subtests \
	containers "two containers" \
	machine "a virtual machine's bridge" \
	vpn "a VPN in user space: twice through the stack" \
	children "macvlan, ipvlan, bridge and pair" \
	switch "a switch in user space that owns the NIC" \
	wrong_path "a path that is another one fails" \
	killed "killed half-built: the next call cleans up" \
	interrupted "interrupted half-built: it cleans up" \
	in_the_way "somebody else's namespace stays" \
	missing "a program that is missing is named, and a word that is none"
