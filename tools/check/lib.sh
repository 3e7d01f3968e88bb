# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the checks share. Each is a program of its own: it prints what is wrong
# and exits with 1, or exits with 0. Sourced first; leaves you in the tree.

set -euo pipefail
shopt -s inherit_errexit

cd "$(dirname "${BASH_SOURCE[0]}")/../.."

die()
{
	echo "$(basename "$0"): $*" >&2
	exit 1
}

# This machine cannot do it, and need not: no failure, and no pass.
skip()
{
	echo "$*"
	exit 4
}

# Text from stdin as KTAP comments, inert even where it looks like a result.
quote()
{
	sed 's/^/# | /'
}

# need TOOL...: stop at the first that is missing. A check that cannot run has
# failed; it is never passed over.
need()
{
	local tool

	for tool in "$@"; do
		command -v "$tool" >/dev/null ||
			die "$tool is missing: type tools/setup check"
	done
}

# What git knows or would add, or what VNIC_CHECK_ONLY says instead.
all_files()
{
	if [[ ${VNIC_CHECK_ONLY:-} ]]; then
		echo "$VNIC_CHECK_ONLY"
	else
		git -c safe.directory='*' ls-files -co --exclude-standard | sort
	fi
}

# files KIND: the c, shell or python files among them.
files()
{
	local file line interpreter='^#!.*[/ ](bash|sh|python3)( |$)'

	all_files | while read -r file; do
		[[ -f $file && ! -L $file ]] || continue
		case $1:$file in
		c:*.[ch] | shell:*.sh | python:*.py)
			echo "$file"
			continue
			;;
		esac
		read -rn 80 line <"$file" 2>/dev/null || continue
		[[ $line =~ $interpreter ]] || continue
		case $1:${BASH_REMATCH[1]} in
		shell:*sh | python:python3) echo "$file" ;;
		esac
	done
}

# some KIND: the same, but to find none is a failure: whatever lists nothing
# would pass for ever.
some()
{
	local found

	need git
	found=$(files "$1")
	[[ -n $found ]] ||
		die "no $1 file found: is $PWD a git work tree? (git status)"
	echo "$found"
}

# The kernel under test, as tools/qemu/kernel and tools/qemu/vm are told: what
# tools/check/run --kernel has been told, else what they choose by themselves.
# shellcheck disable=SC2034
kernel_option=(${VNIC_CHECK_KERNEL:+--kernel "$VNIC_CHECK_KERNEL"})

# The unpacked linux-source: VNIC_SOURCE, or fetched.
linux_source()
{
	echo "${VNIC_SOURCE:-$(tools/qemu/source)}"
}

# build_log DIR MAKE-ARGUMENTS...: build the module from nothing in DIR (what
# is up to date warns no more), its output to stdout.
build_log()
{
	local dir=$1
	shift

	need make gcc
	eval "$(tools/qemu/kernel "${kernel_option[@]}")"
	rm -rf "$dir"
	make --no-print-directory module OUT="$dir" KDIR="$KDIR" "$@" 2>&1
}

# planted NAME MAKE-ARGUMENTS...: the check's own examples, tools/check/examples,
# give warnings in the lines that are marked there and in no other. Built like
# the module, as a module of their own; NAME_locks.c as well if there is one,
# for kernels where sparse still looks at locks.
planted()
{
	local name=$1 dir=build/check/$1.planted log file marked seen entry
	local -a inside=() arch=()
	shift

	eval "$(tools/qemu/kernel "${kernel_option[@]}")"
	# As tools/build does it
	entry=${KDIR%/usr/src/*}
	[[ ! -e $entry/chroot ]] || inside=("tools/qemu/chroot" "$entry")
	! grep -qs '^CONFIG_UML=y' "$KDIR/.config" || arch=(ARCH=um)
	rm -rf "$dir"
	mkdir -p "$dir"
	cp tools/check/examples/"$name"*.c "$dir"
	cat >"$dir/Kbuild" <<-END
		obj-m := $name.o
		ifeq (\$(wildcard \$(srctree)/include/linux/compiler-context-analysis.h),)
		obj-m += \$(patsubst \$(src)/%.c,%.o,\$(wildcard \$(src)/${name}_locks.c))
		endif
	END
	log=$(env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL "${inside[@]}" \
		make -s -C "$KDIR" M="$PWD/$dir" CONFIG_DEBUG_INFO_BTF_MODULES= \
		"${arch[@]}" "$@" modules 2>&1) ||
		die "its own example cannot be built
$log"
	for file in "$dir"/*.c; do
		[[ $file != *.mod.c && -e ${file%.c}.o ]] || continue
		marked=$(grep -n '/\* report \*/' "$file" | cut -d : -f 1)
		seen=$(sed -n "s|^[^ ]*${file##*/}:\([0-9]*\):[0-9]*: warning: .*|\1|p" \
			<<<"$log" | sort -nu)
		[[ $marked && $marked == "$seen" ]] ||
			die "in examples/${file##*/} it has to report lines" \
				"${marked//$'\n'/ }, and reports ${seen//$'\n'/ }
$log"
	done
}

# In the order in which they run: what breaks most often comes first.
# shellcheck disable=SC2034
static_checks=(w1 tools sparse clang shellcheck python vnic-trace kernel-doc
	checkpatch patches rules coccinelle bench docs translations)
# What the others say does not depend on the kernel.
# shellcheck disable=SC2034
[[ ! ${VNIC_CHECK_KERNEL:-} ]] || static_checks=(w1)
