#!/bin/bash
# The profile for Ubuntu 24.04 is one that apparmor_parser takes. A parser older than version 4 knows neither that ABI nor the rule for user
# namespaces, so it gets the rest.
set -u
src=$(cd "$(dirname "$0")/../.." && pwd)
parser=$(PATH=$PATH:/sbin:/usr/sbin command -v apparmor_parser) || { echo "skip - no apparmor_parser"; exit 77; }
profile=$(mktemp)
trap 'rm -f "$profile"' EXIT
parse() { "$parser" -QK "$profile" 2>&1 | grep -v '^Cache read/write disabled'; return "${PIPESTATUS[0]}"; }
failed=0

sed 's|@bindir@|/usr/bin|' "$src/apparmor/belljar.in" >"$profile"
grep -q '^  userns,$' "$profile" || { echo "not ok - it has no rule for user namespaces, its only purpose"; failed=1; }
[ -e /etc/apparmor.d/abi/4.0 ] || sed -i '/^abi /d; /^  userns,$/d' "$profile"
if parse; then echo "ok - it is taken"; else echo "not ok - it is refused"; failed=1; fi
sed -i 's/flags=(unconfined)/flags=(unconfinedd)/' "$profile"
if parse >/dev/null; then echo "not ok - control: a wrong one is taken"; failed=1; else echo "ok - control: a wrong one is refused"; fi
exit $failed
