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
		'vnic-hub|ovs-vswitchd|ovsdb-server|openvpn|dpdk-testpmd|qemu-system-x86|dnsmasq|python3|socat|iperf3|sleep'
}

need_rootless()
{
	need iperf3
	need nft
	need nsenter
	setpriv --clear-groups --reuid 65534 --regid 65534 unshare -Urn true \
		2>/dev/null || skip "users may not make user namespaces here"
	unshare -n nft 'table ip nat { chain leaving {
		type nat hook postrouting priority srcnat; masquerade; }; }' \
		2>/dev/null || skip "this kernel does not masquerade by nft"
}

# noted NAME: what it has noted of its programs, by which down finds them
noted()
{
	local what pid birth

	while read -r what pid birth; do
		[[ $what == pid ]] || continue
		is "$birth" "$(sed 's/.*) //' "/proc/$pid/stat" | cut -d ' ' -f 20)" \
			"the birth of its process $pid"
	done <"/run/vnic-labs/$1"
}

# comes NAME, works NAME [TEXT...], goes NAME: up; test, which says these, too; down
comes()
{
	BEFORE=$(there)
	defer "$LABS/$1" down
	run "$LABS/$1" up
	noted "$1"
}

works()
{
	local out text

	capture out "$LABS/$1" test
	note "$out"
	for text in "path: out " "${@:2}"; do
		[[ $out == *"$1: $text"* ]] || fail "it does not say '$text'"
	done
}

goes()
{
	local out

	capture out "$LABS/$1" down
	[[ $out == *"$1: taken down, nothing is left"* ]] ||
		fail "it does not say that nothing is left: $out"
	nothing_left "$BEFORE" "$1"
}

# lab NAME [TEXT...]: all of it, and what it says when it is called too often
lab()
{
	local out

	comes "$1"
	refused "$1: is up already" "$LABS/$1" up
	run "$LABS/$1" show
	works "$@"
	goes "$1"
	capture out "$LABS/$1" down
	is "$out" "$1: is not up; nothing is left" "down once more"
	refused "$1: is not up" "$LABS/$1" test
}

# stopping LAB WORDS: LAB up, as "half", which comes as far as ip with these WORDS
stopping()
{
	local real

	real=$(type -P ip)
	mkdir "$WORK/bin"
	cat >"$WORK/bin/ip" <<-END
		#!/bin/sh
		case "\$*" in
		*"$2"*) echo \$\$ >"$WORK/stopped"; exec sleep 1000 ;;
		esac
		exec $real "\$@"
	END
	chmod +x "$WORK/bin/ip"
	defer rm -rf "$WORK/bin" "$WORK/stopped"
	start half env "PATH=$WORK/bin:$PATH" setsid --wait "$LABS/$1" up
	eventually 120 "half of it is there" test -s "$WORK/stopped"
	# shellcheck disable=SC2034 # a test's to use
	LEADER=$(pgrep -xf "bash $LABS/$1 up")
}

# orphaned LAB WORDS [PROGRAMS]: its up alone is killed at WORDS, what it has started
# goes on, of these three or more, and down finds them.
orphaned()
{
	local before out

	before=$(there)
	defer "$LABS/$1" down
	stopping "$1" "$2"
	run kill -9 "$LEADER"
	ended half "$PID" 10
	run kill "$(cat "$WORK/stopped")"
	[[ ! ${3:-} || $(pgrep -xc -r S "$3") -ge 3 ]] ||
		fail "no program was left: no test of it"
	capture out "$LABS/$1" down
	[[ $out == *"$1: taken down, nothing is left"* ]] ||
		fail "it does not say that nothing is left: $out"
	nothing_left "$before" "$1"
}
