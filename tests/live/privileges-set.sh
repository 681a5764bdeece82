#!/bin/bash
# What programs are started with: capabilities, ids, limits, masks, no_new_privs, as the kernel says it. Undone, copied, kept.
. "$(dirname "$0")/front.inc"
[ "$(id -u)" = 0 ] || { echo "skip - needs root"; exit 77; }
: "${PROBE:?}"
fact() { printf '%s\n' "$out" | sed -n "s/^$1=//p"; }
zero=0000000000000000
mask=$(sed -n 's/^CapBnd:\t//p' /proc/self/status)
all=$((0x$mask))
sets() { echo "$(fact status.CapInh) $(fact status.CapPrm) $(fact status.CapEff) $(fact status.CapBnd) $(fact status.CapAmb)"; }
hex() { printf '%016x' "$1"; }

# Nothing set: what belljar has, nothing inheritable.
run -c "new a; run $PROBE facts"
is "as the first process" "$(sets)" "$zero $mask $mask $mask $zero"

# Capabilities: dropped ones leave the bounding set.
run -c "new a; cap drop sys_admin CAP_NET_RAW; run $PROBE facts"
less=$(hex $((all & ~(1 << 21 | 1 << 13))))
is "dropped" "$(sets)" "$zero $less $less $less $zero"
run -c "new a; cap set docker; run $PROBE facts"
docker=00000000a80425fb
is "docker's 14" "$(sets)" "$zero $docker $docker $docker $zero"
run -c "new a; cap set none; cap add chown; run $PROBE facts"
is "added" "$(sets)" "$zero $(hex 1) $(hex 1) $(hex 1) $zero"
run -c "new a; cap set none; run $PROBE facts; run mount -t tmpfs none /mnt"
is "none" "$(sets)" "$zero $zero $zero $zero $zero"
isnt "and the kernel means it" "$status" 0
run -c "new a; unshare docker user; map auto; cap set docker; nonewprivs on; run $PROBE facts"
is "in a user namespace of its own" "$(sets)" "$zero $docker $docker $docker $zero"
is "no new privileges" "$(fact status.NoNewPrivs)" 1

# Other users have none but ambient ones, in all ways a program is started.
run -c "new a; user 1000:1001,27,28; run $PROBE facts"
is "a user has no capabilities" "$(sets)" "$zero $zero $zero $mask $zero"
is "ids" "$(fact uid):$(fact gid):$(fact status.Groups)" "1000:1001:27 28 "
run -c "new a; user 1000; run -d $PROBE facts >$tmp/facts; wait"
out=$(cat "$tmp/facts")
is "in the background too, and no group is kept" "$(sets)$(fact status.Groups)" "$zero $zero $zero $mask $zero"
run -c "new a; unshare docker; user 1000; run $PROBE facts"
is "in namespaces too" "$(sets)" "$zero $zero $zero $mask $zero"
run -c "new a; user 1000; cap set net_raw; cap ambient net_raw; run $PROBE facts"
raw=$(hex $((1 << 13)))
is "ambient" "$(sets)" "$raw $raw $raw $raw $raw"
run -c "new a; user 1000; cap ambient net_raw; cap drop net_raw; run $PROBE facts"
is "what is dropped is not ambient any more" "$(fact status.CapEff)" "$zero"
run -c "new a; cap drop net_raw; cap ambient net_raw"
has "an ambient one must be among those there are" "$status:$err" "1:*can't have net_raw*cap add net_raw*"
run -c "new a; unshare user; map uid 0 0 1 gid 0 0 1; user 5; run true"
has "an id that is not there" "$status:$err" "125:*setresgid*EINVAL*no such id*"
run -c "new a; user 1000; run sh -c 'exit 0'"
is "a directory that the user may not enter is no obstacle" "$status" 0

# The other values.
run -c "new a; umask 027; rlimit nofile 256:512 core 0; run sh -c 'umask; ulimit -n; ulimit -Hn; ulimit -c'"
is "umask and limits" "$(echo $out)" "0027 256 512 0"
run -c "new a; rlimit nofile 256; rlimit core 0; rlimit nofile inherit; rlimit"
is "a limit lifted" "$(printf '%s\n' "$out" | tail -1 | tr -s ' ')" "core 0 0"
run -c "new a; securebits noroot noroot-locked; run $PROBE facts"
is "root without power" "$(fact uid):$(fact status.CapEff)" "0:$zero"

# Undo, copies, failures.
run -c "new a; cap set none; cap set docker; undo; run $PROBE facts"
is "undo" "$(fact status.CapBnd)" "$zero"
run -c "new a; cap set none; undo; run $PROBE facts"
is "undo to the beginning" "$(fact status.CapBnd)" "$mask"
run -c "new a; cap set docker; user 7; umask 077; rlimit core 1; nonewprivs on; new b like a; run $PROBE facts"
is "a copy" "$(sets) $(fact uid) $(fact status.NoNewPrivs)" "$zero $zero $zero $docker $zero 7 1"
run -n -c "new a; cap drop sys_admin; user 7; cap show"
has "a dry run knows" "$out" "*setresuid(): 7*all but sys_admin*"
run -c "new a; rlimit stack 4096; run true"
isnt "a program that can't start" "$status" 0

# What can't be.
bad() { run -c "new a; $1"; has "refused: $1" "$status:$err" "2:*$2*"; }
bad "cap drop" "expected"
bad "cap drop sys_nothing" "sys_nothing is not a capability"
bad "cap drop 64" "is not a capability"
bad "user root" "is not a user"
bad "user 4294967295" "is not a user"
bad "user 1:2:3" "is not a user"
bad "user 1," "is not a user"
bad "user 99999999999999999999" "is not a user"
bad "umask 8" "is not an octal mask"
bad "umask 1000" "is not an octal mask"
bad "rlimit files 1" "is not a limit"
bad "rlimit nofile 2:1" "is not a limit"
bad "rlimit nofile -1" "is not a limit"
bad "securebits root" "is not a securebit"
bad "nonewprivs maybe" "expected on"

# A named session keeps them, for who comes later too.
export XDG_RUNTIME_DIR=$tmp
"$BELLJAR" -c 'keep privileges-test; new a; cap set docker; user 7; umask 077' </dev/null
run -s privileges-test -c "run $PROBE facts"
is "kept in a named session" "$(sets) $(fact uid)" "$zero $zero $zero $docker $zero 7"
run -s privileges-test -c "show; end"
has "and shown" "$out" "*programs: *user 7, capabilities docker, umask 0077*"
done_testing
