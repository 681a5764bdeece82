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

# What was compiled is kept for the next belljar; what is not to be trusted there counts as nothing.
once="new a; $user seccomp deny getppid=ENXIO; run $PROBE calls getppid"
rm -rf "$BELLJAR_CACHE"
run -c "$once"
kept=$(echo "$BELLJAR_CACHE"/filters/*)
is "kept, for its user alone" "$(stat -c %a:%u "$BELLJAR_CACHE" "$BELLJAR_CACHE/filters" "$kept" | tr '\n' ' ')" "700:$(id -u) 700:$(id -u) 600:$(id -u) "
before=$(stat -c %i "$kept")
run -c "$once"
is "and taken" "$out:$(stat -c %i "$kept"):$(ls "$BELLJAR_CACHE/filters" | wc -l)" "getppid=ENXIO:$before:1"
if command -v python3 >/dev/null; then
	# The same with a program that allows everything. It is what would be loaded, were it not for who could have put it there.
	python3 - "$kept" "$tmp/forged" <<'P'
import struct, sys
data = open(sys.argv[1], "rb").read()
key, n, answers, listens, otherwise, unused = struct.unpack_from("<6I", data, 16)
new = struct.pack("<6I", key, 1, 0, 0, 0, 0) + data[40:40 + key] + struct.pack("<HBBI", 6, 0, 0, 0x7fff0000)
h = 14695981039346656037
for c in new:
    h = (h ^ c) * 1099511628211 % 2**64
open(sys.argv[2], "wb").write(data[:8] + struct.pack("<Q", h) + new)
P
	forge() { rm -rf "$kept"; cp "$tmp/forged" "$kept"; chmod 600 "$kept"; }
	forge
	run -c "$once"
	is "control: a forged one of one's own is loaded" "$out" "getppid=ok"
	hostile() { run -c "$once"; is "not loaded: $1" "$status:$out" "0:getppid=ENXIO"; }
	forge; chmod 620 "$kept"; hostile "others can write it"
	forge; mv "$kept" "$tmp/elsewhere"; ln -s "$tmp/elsewhere" "$kept"; hostile "a link"
	forge; rm "$kept"; mkdir "$kept"; hostile "a directory"; rmdir "$kept"
	forge; rm "$kept"; mkfifo "$kept"; hostile "a fifo"
	forge; printf x | dd of="$kept" bs=1 seek=50 conv=notrunc 2>/dev/null; hostile "of another value"
	forge; truncate -s -4 "$kept"; hostile "cut short"
	forge; : >"$kept"; hostile "empty"
	forge; printf '\377\377\377\377' | dd of="$kept" bs=1 seek=20 conv=notrunc 2>/dev/null; hostile "its count lies"
	forge; chmod 770 "$BELLJAR_CACHE/filters"; hostile "others can write the directory"; chmod 700 "$BELLJAR_CACHE/filters"
	forge; mv "$BELLJAR_CACHE/filters" "$tmp/filters"; ln -s "$tmp/filters" "$BELLJAR_CACHE/filters"; hostile "the directory is a link"
	rm "$BELLJAR_CACHE/filters"; mv "$tmp/filters" "$BELLJAR_CACHE"
	forge; chmod 711 "$BELLJAR_CACHE"; hostile "others reach the cache"; chmod 700 "$BELLJAR_CACHE"
	[ "$(id -u)" != 0 ] || { forge; chown 1 "$kept"; hostile "somebody else's"; }
	[ "$(id -u)" != 0 ] || { forge; chown 1 "$BELLJAR_CACHE/filters"; hostile "in somebody else's directory"; chown 0 "$BELLJAR_CACHE/filters"; }
	rm -rf "$BELLJAR_CACHE"
	run -c "$once"
	cmp -s "$kept" "$tmp/forged" && fail "made anew" || ok "made anew"
fi
i=0
while [ $i -lt 70 ]; do i=$((i + 1)); echo "seccomp deny getppid=$([ $((i % 2)) = 0 ] && echo EIO || echo ENXIO)"; echo "run true"; done >"$tmp/many"
run -c "new a; $user source $tmp/many"
[ "$(ls "$BELLJAR_CACHE/filters" | wc -l)" -le 64 ] && ok "not more than 64" || fail "$(ls "$BELLJAR_CACHE/filters" | wc -l) are kept"
BELLJAR_CACHE=/proc/no/such run -c "$once"
is "nowhere to keep it" "$status:$out" "0:getppid=ENXIO"

# What people run works inside, under the default and under a profile in Docker's own form, which comes to the very same filter.
docker()
{
	"$BELLJAR" -c "new a; cap set docker; seccomp default; seccomp show" </dev/null | python3 -c '
import json, sys
common = sys.stdin.readline().split()[1:]
allow, caps = "SCMP_ACT_ALLOW", "CAP_SYS_ADMIN"
def arg(value, op="SCMP_CMP_EQ", two=0): return [{"index": 0, "value": value, "valueTwo": two, "op": op}]
traced = ["process_vm_readv", "process_vm_writev", "ptrace"]
rules = [{"names": [c for c in common if c not in traced + ["arch_prctl", "chroot"]], "action": allow},
	{"names": traced, "action": allow, "includes": {"minKernel": "4.8"}}]
rules += [{"names": ["personality"], "action": allow, "args": arg(v)} for v in (0, 8, 0x20000, 0x20008, 0xffffffff)]
rules += [{"names": ["arch_prctl"], "action": allow, "includes": {"arches": ["amd64", "x32"]}},
	{"names": ["s390_runtime_instr"], "action": allow, "includes": {"arches": ["s390", "s390x"]}},
	{"names": ["chroot"], "action": allow, "includes": {"caps": ["CAP_SYS_CHROOT"]}},
	{"names": ["mount", "clone", "clone3", "unshare"], "action": allow, "includes": {"caps": [caps]}},
	{"names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1, "args": arg(0xffffffff, "SCMP_CMP_MASKED_EQ", 40)},
	{"names": ["socket"], "action": allow, "args": None},
	{"names": ["clone"], "action": allow, "args": arg(0x7e020000, "SCMP_CMP_MASKED_EQ"),
		"excludes": {"caps": [caps], "arches": ["s390", "s390x"]}},
	{"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38, "excludes": {"caps": [caps]}}]
archs = [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]},
	{"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]},
	{"architecture": "SCMP_ARCH_RISCV64", "subArchitectures": None}]
json.dump({"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1, "archMap": archs, "syscalls": rules}, sys.stdout, indent="\t")'
}
filters=(default)
if command -v python3 >/dev/null; then
	docker >"$tmp/docker.json"
	filters+=("$tmp/docker.json")
	run -n -c "new a; cap set docker; seccomp $tmp/docker.json; seccomp bpf"
	profile=$out
	run -n -c "new a; cap set docker; seccomp default; seccomp bpf"
	is "equal in effect to the default" "$(printf '%s\n' "$profile" | grep -c '^ ')$(printf '%s\n' "$profile" | grep '^ ' | md5sum)" \
		"$(printf '%s\n' "$out" | grep -c '^ ')$(printf '%s\n' "$out" | grep '^ ' | md5sum)"
fi
works() { run -c "new a; $user cap set docker; seccomp $filter; nonewprivs on; run $1"; is "works under ${filter##*/}: $1" "$status:$out:$err" "0:$2:"; }
for filter in "${filters[@]}"; do
	works "bash -c 'for i in 1 2; do echo \$i | cat; done; wait'" "1
2"
	works "sh -c 'ls / >/dev/null; tar -C /etc -cf - passwd | tar -tf -'" passwd
	! command -v dpkg-deb >/dev/null || works "sh -c 'cd $tmp && mkdir -p p/DEBIAN && chmod 755 p p/DEBIAN && printf \"Package: p\\nVersion: 1\\nArchitecture: all\\nMaintainer: m\\nDescription: d\\n\" >p/DEBIAN/control && dpkg-deb --root-owner-group -b p >/dev/null && dpkg-deb -f p.deb Package'" p
	! command -v python3 >/dev/null || works "python3 -c 'import threading, subprocess; t = threading.Thread(target=print, args=(7,)); t.start(); t.join()'" 7
	! command -v busybox >/dev/null || works "busybox sh -c 'busybox ps >/dev/null; echo ok'" ok
done
done_testing
