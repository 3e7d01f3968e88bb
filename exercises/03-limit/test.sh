#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# A vndummy drops what is longer than it is told: attribute 33, a u32.
#
#    namespace A
#   packets of several sizes
#     |
#   d0 (vndummy) --> nowhere, or dropped

. "$(dirname "$0")/../lib.sh"
need_kind vndummy
need_tools ethtool
need_helpers newlink packets

# limit N: the attribute, as newlink wants it: little endian
limit()
{
	printf '%02x%02x%02x%02x' $(($1 & 255)) $(($1 >> 8 & 255)) \
		$(($1 >> 16 & 255)) $(($1 >> 24))
}

setup()
{
	setup_ns A
	silence "$A"
	setup_dummy "$A" "$@"
}

test_dropped()
{
	setup info 33 "$(limit 200)"
	options "$A" d0 "32=00 33=$(limit 200)"
	run "$PACKETS" -n "$A" d0 10 200
	run "$PACKETS" -n "$A" d0 5 201
	run "$PACKETS" -n "$A" d0 5 1500
	counts "$A" d0 tx_packets=10 tx_bytes=2000 tx_drop_too_big=10 \
		ip_tx_dropped=10
	sums "$A" d0
}

test_changed()
{
	setup
	options "$A" d0 "32=00"
	run "$PACKETS" -n "$A" d0 5 300
	run "$NEWLINK" -n "$A" set d0 kind vndummy info 33 "$(limit 299)"
	run "$PACKETS" -n "$A" d0 5 300
	run "$NEWLINK" -n "$A" set d0 kind vndummy info 33 "$(limit 0)"
	options "$A" d0 "32=00"
	run "$PACKETS" -n "$A" d0 5 300
	counts "$A" d0 tx_packets=10 tx_drop_too_big=5
}

# A limit that was not given is not changed, and one does not change another.
test_alone()
{
	setup info 33 "$(limit 100)"
	run "$NEWLINK" -n "$A" set d0 kind vndummy info 32 01
	options "$A" d0 "32=01 33=$(limit 100)"
	run "$NEWLINK" -n "$A" set d0 kind vndummy info 33 "$(limit 14)"
	options "$A" d0 "32=01 33=$(limit 14)"
}

test_refused()
{
	setup info 33 "$(limit 100)"
	refused "EINVAL info: A limit below 14 bytes lets nothing pass" \
		"$NEWLINK" -n "$A" set d0 kind vndummy info 33 "$(limit 13)"
	# All of a request or nothing
	refused "EINVAL info: A limit below 14 bytes lets nothing pass" \
		"$NEWLINK" -n "$A" set d0 kind vndummy info 32 01 \
		info 33 "$(limit 1)"
	options "$A" d0 "32=00 33=$(limit 100)"
	refused "EINVAL info: A limit below 14 bytes lets nothing pass" \
		"$NEWLINK" -n "$A" add vndummy name d1 info 33 "$(limit 2)"
	gone "$A" d1 || fail "d1 was made"
	refused "ERANGE info" \
		"$NEWLINK" -n "$A" set d0 kind vndummy info 33 64
	refused "EINVAL info: This kind has no such attribute" \
		"$NEWLINK" -n "$A" set d0 kind vndummy info 63 00
}

subtests \
	dropped "longer packets are dropped, and counted as too_big" \
	changed "changed, and taken away" \
	alone "one attribute leaves the other" \
	refused "what cannot be, and why; then nothing is changed"
