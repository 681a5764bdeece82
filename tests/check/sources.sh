#!/bin/bash
# The lists of Makefile.am and what is in the tree are the same: a file that is left out of the tarball is noticed there, not by its users.
set -u
cd "${SRCDIR:-.}" || exit 1
failed=0
listed=$(sed 's/#.*//' Makefile.am | grep -oE '\b(src|tests/unit)/[a-z0-9_/]+(\.[chS])?' | sort -u)
for file in src/*.c src/*/*.[chS]; do
	grep -qxF "$file" <<<"$listed" || { echo "not ok - Makefile.am does not list $file"; failed=1; }
done
for file in tests/unit/test_*.c; do
	grep -qxF "${file%.c}" <<<"$listed" || { echo "not ok - Makefile.am does not list $file"; failed=1; }
done
for file in $(grep -E '\.[chS]$' <<<"$listed"); do
	[ -e "$file" ] || { echo "not ok - Makefile.am lists $file, which is not there"; failed=1; }
done
for file in lessons/*.bell; do
	grep -qF "$file" Makefile.am || { echo "not ok - Makefile.am does not list $file"; failed=1; }
done
[ $failed = 0 ] && echo "ok - Makefile.am lists all sources"
exit $failed
