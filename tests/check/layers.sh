#!/bin/bash
# The layers hold: who includes whom, and which objects name calls that only the kernel layer makes. Also that each header stands alone.
set -u
cd "${SRCDIR:-.}" || exit 1
failed=0
bad() { echo "not ok - $*"; failed=1; }

# The table of HACKING.md: "layer: what it may include beside itself".
declare -A may=([base]="" [kern]="base" [holder]="base kern" [sandbox]="base kern" [lang]="base" [cmd]="base kern sandbox lang" [ui]="base lang cmd")
for file in src/*/*.[ch]; do
	layer=$(basename "$(dirname "$file")")
	[ -n "${may[$layer]+x}" ] || { bad "$file is in no layer"; continue; }
	for other in $(sed -n 's/^#include "\([a-z]*\)\/.*/\1/p' "$file" | sort -u); do
		[ "$other" = "$layer" ] || [[ " ${may[$layer]} " == *" $other "* ]] || bad "$file includes $other/"
	done
	case $file in *.c) [ "$(grep -m1 '^#include' "$file")" = '#include "config.h"' ] || bad "$file: config.h is not its first include" ;; esac
	grep -nE '\b(sprintf|strcpy|strcat|atoi|gets)\(' "$file" /dev/null | grep -v '^[^:]*:[^:]*:[ 	]*\*' && bad "$file: an unbounded call"
done
echo "ok - includes"

calls='mount|umount2?|unshare|setns|clone3?|prctl|pivot_root|nl_.*|rtnl_.*|nla_.*|nlmsg_.*|cap_.*|seccomp.*|sethostname|mknod(at)?|chroot|ptrace'
for object in "${BUILDDIR:?}"/src/*/*.o "$BUILDDIR"/src/*.o; do
	case $object in */kern/*) continue ;; esac
	used=$(nm -u "$object" | awk '{ print $2 }' | sed 's/@.*//' | grep -xE "$calls")
	[ -z "$used" ] || bad "${object#"$BUILDDIR"/} calls" $used
done
echo "ok - calls"

for header in src/*/*.h; do
	printf '#include "config.h"\n#include "%s"\n' "${header#src/}" |
		${CC:-cc} -std=gnu11 -fsyntax-only -Wall -I"$BUILDDIR" -Isrc $(pkg-config --cflags libnl-3.0) -x c - 2>&1 | grep -q . && bad "$header does not stand alone"
done
echo "ok - headers"
exit $failed
