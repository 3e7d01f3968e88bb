# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# lib_tap - what a program has of a tap, for the tests of programs. On top of lib.sh.

# files PID NAME: how many open files of this process are queues of NAME
files()
{
	grep -ls $'^iff:\t'"$2"'$' "/proc/$1"/fdinfo/* | wc -l
}

# queues NS NAME: how many queues it sends by
queues()
{
	ip netns exec "$1" sh -c "ls -d /sys/class/net/$2/queues/tx-*" \
		2>/dev/null | wc -l
}

# framing NS NAME on|off: does it carry vnet headers?
framing()
{
	local got=off flags

	capture flags ip netns exec "$1" cat "/sys/class/net/$2/tun_flags"
	((!(flags & 0x4000))) || got=on
	is "$got" "$3" "vnet headers on $2"
}
