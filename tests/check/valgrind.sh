#!/bin/bash
# The unit tests under valgrind: no leak, and no use of memory that is not theirs.
set -u
command -v valgrind >/dev/null || { echo "skip - valgrind is not installed"; exit 77; }
grep -q -e -fsanitize=address "$BUILDDIR/Makefile" && { echo "skip - valgrind and the address sanitizer exclude each other"; exit 77; }
log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed=0 n=0
for test in "$BUILDDIR"/tests/unit/test_*; do
	case $test in *.*) continue ;; esac
	n=$((n + 1))
	valgrind -q --leak-check=full --show-leak-kinds=definite,indirect,possible --errors-for-leak-kinds=definite,indirect,possible \
		--error-exitcode=99 "$test" >"$log" 2>&1 && continue
	failed=1
	echo "not ok - $(basename "$test"), status $?"
	grep -m40 '^==\|^\[  FAILED' "$log" | sed 's/^/  /'
done
[ $n -gt 0 ] || { echo "skip - no unit test was built: cmocka is missing"; exit 77; }
[ $failed = 0 ] && echo "ok - $n unit tests under valgrind"
exit $failed
