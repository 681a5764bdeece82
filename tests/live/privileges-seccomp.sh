#!/bin/bash
# Filters of system calls: Docker's default, profiles, changes, learning; what is refused is named. As the kernel says it, from inside.
. "$(dirname "$0")/front.inc"
: "${PROBE:?}"
user=
[ "$(id -u)" = 0 ] || user="unshare user; map auto;"
fact() { printf '%s\n' "$out" | sed -n "s/^$1=//p"; }

run -c "new a; $user seccomp default; run $PROBE facts"
is "a filter is on" "$(fact status.Seccomp)" 2
is "only three descriptors come in" "$(printf '%s\n' "$out" | grep -c '^fd\.')" 3
run -c "new a; $user cap set docker; seccomp default; run $PROBE calls unshare mount getppid unshare"
is "docker's default" "$out" "unshare=EPERM
mount=EPERM
getppid=ok
unshare=EPERM"
is "what was refused is named" "$err" "a: filtered calls: unshare (EPERM, 2 times), mount (EPERM)"
run -c "new a; $user seccomp default; run $PROBE calls unshare"
is "with the capability the call is allowed" "$out:$err" "unshare=ok:"
run -c "new a; $user seccomp default; cap set docker; nonewprivs on; run $PROBE calls mount"
is "with no new privileges" "$out" "mount=EPERM"
run -c "new a; $user seccomp default; run -d $PROBE calls keyctl > $tmp/out; wait"
is "in the background" "$(cat "$tmp/out")" "keyctl=EPERM"
[ -n "$user" ] || {
	run -c "new a; user 1000; cap set docker; seccomp default; run $PROBE calls mount getppid"
	is "for a user" "$out" "mount=EPERM
getppid=ok"
}
run -c "new a; $user unshare pid mnt net; seccomp default; cap set docker; run $PROBE calls mount; unshare ipc; run $PROBE calls mount"
is "in namespaces, the holder goes on" "$out" "mount=EPERM
mount=EPERM"

# Changes.
run -c "new a; $user seccomp deny getppid=ENXIO mount=ENOSYS; run $PROBE calls getppid mount"
is "errors" "$out:$err" "getppid=ENXIO
mount=ENOSYS:a: filtered calls: getppid (ENXIO)"
run -c "new a; $user seccomp deny getppid; seccomp allow getppid; run $PROBE calls getppid"
is "the last word counts" "$out" "getppid=ok"
run -c "new a; $user seccomp deny getppid; seccomp deny unshare; undo; run $PROBE calls getppid unshare"
has "undo" "$out" "took back*getppid=EPERM
unshare=ok"
run -c "new a; $user seccomp notify getppid; run $PROBE calls getppid"
is "notify" "$out:$err" "getppid=ok:a: filtered calls: getppid (let through)"
run -c "new a; $user seccomp deny execve; run true"
has "nothing can start" "$status:$err" "126:*EPERM*refuse execve*"
run -c "new a; $user seccomp deny exit exit_group; run true"
is "a program can end" "$status" 0

# Learn, then lock.
run -c "new a; $user seccomp learn $PROBE calls getppid; seccomp lock; run $PROBE calls getppid; run $PROBE calls unshare"
has "learned" "$out" "getppid=ok
*execve*getppid*
getppid=ok
unshare=EPERM"
is "and locked" "$err" "a: filtered calls: unshare (EPERM)"
run -c "new a; $user seccomp lock"
has "nothing learned" "$status:$err" "1:*nothing was learned*"

# Profiles.
cat >"$tmp/p.json" <<J
{ "defaultAction": "SCMP_ACT_ALLOW",
  "syscalls": [
    { "names": [ "getppid" ], "action": "SCMP_ACT_ERRNO", "errnoRet": 6, "excludes": { "caps": [ "CAP_SYS_TIME" ] } },
    { "names": [ "unshare" ], "action": "SCMP_ACT_KILL_PROCESS" } ] }
J
run -c "new a; $user cap set docker; seccomp $tmp/p.json; run $PROBE calls getppid; seccomp show"
has "a profile" "$out" "getppid=ENXIO*deny ENXIO getppid*kill process unshare*all others: allow"
run -c "new a; $user seccomp $tmp/p.json; run $PROBE calls unshare"
is "killed" "$status" 159
run -c "new a; $user cap set docker; seccomp $tmp/p.json; new b like a; run $PROBE calls getppid"
has "a copy" "$out$err" "*getppid=ENXIO*"
sed 's/unshare/unshared/' "$tmp/p.json" >"$tmp/q.json"
run -c "new a; seccomp $tmp/q.json"
has "an unknown call is named by its line" "$status:$err" "1:*q.json:4: unshared is no system call*"
printf '{\n  "defaultAction": }' >"$tmp/r.json"
run -c "new a; seccomp $tmp/r.json"
has "wrong JSON" "$status:$err" "1:*r.json:2: *"
run -c "new a; seccomp $tmp/none.json"
has "no such file" "$status:$err" "1:*none.json*ENOENT*"
bad() { run -c "new a; $1"; has "refused: $1" "$status:$err" "2:*$2*"; }
bad "seccomp deny mountt" "mountt is no system call"
bad "seccomp deny mount=NO" "NO is no error"
bad "seccomp allow" "expected"
bad "seccomp profile" "profile"
run -n -c "new a; cap set docker; seccomp default; seccomp bpf"
has "a dry run, and the code" "$status:$out" "0:*seccomp: default*ld arch*ret errno ENOSYS*"

# What people run works inside.
works() { run -c "new a; $user cap set docker; seccomp default; nonewprivs on; run $1"; is "works: $1" "$status:$out:$err" "0:$2:"; }
works "bash -c 'for i in 1 2; do echo \$i | cat; done; wait'" "1
2"
works "sh -c 'ls / >/dev/null; tar -C /etc -cf - passwd | tar -tf -'" passwd
! command -v python3 >/dev/null || works "python3 -c 'import threading, subprocess; t = threading.Thread(target=print, args=(7,)); t.start(); t.join()'" 7
! command -v busybox >/dev/null || works "busybox sh -c 'busybox ps >/dev/null; echo ok'" ok
done_testing
