#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# A program asks how many packets wait for it: VNIC_IOC_WAITING.
#
#    namespace A
#   packets --> t0 (vntap) --> [ring] --> waiting.py, which asks

. "$(dirname "$0")/../lib.sh"
need_kind vntap
need_tools python3
need_helpers packets

# ask WORD...: what waiting.py prints, in OUT
ask()
{
	capture OUT ip netns exec "$A" python3 "$(dirname "$0")/waiting.py" \
		"$PACKETS" "$@"
}

setup()
{
	setup_ns A
	silence "$A"
}

test_none()
{
	setup
	ask send 0 read 0
	is "$OUT" "0 of 1000" "packets that wait"
}

test_some()
{
	setup
	ask send 5 read 0
	is "$OUT" "5 of 1000" "packets that wait"
	ask send 7 read 3
	is "$OUT" "4 of 1000" "packets that wait, when three were read"
}

test_full()
{
	setup
	ask length 20 send 50 read 0
	is "$OUT" "20 of 20" "packets that wait in a ring of 20"
}

# To ask takes nothing away.
test_again()
{
	setup
	ask send 5 read 0 again
	is "$OUT" "5 of 1000" "packets that wait, asked twice"
}

test_errors()
{
	local error

	setup
	for error in device:EBADFD flags:EINVAL reserved:EINVAL \
		address:EFAULT; do
		ask wrong "${error%:*}"
		is "$OUT" "${error#*:}" "answer to a wrong ${error%:*}"
	done
}

subtests \
	none "none" \
	some "some, and what is left" \
	full "as many as there is room for" \
	again "nothing is taken" \
	errors "no device, what is not 0, memory that is not there"
