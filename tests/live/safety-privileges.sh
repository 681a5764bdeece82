#!/bin/bash
# Privileges: attacks of the past on what programs are started with, on filters and on what the kernel lets root inside do; each fails, and why.
. "$(dirname "$0")/front.inc"
: "${PROBE:?}"
command -v perl >/dev/null && command -v python3 >/dev/null || { echo "skip - no perl and python3"; exit 77; }
able 'unshare docker user; map auto; root host; run true'
fact() { printf '%s\n' "$out" | sed -n "s/^$1=//p"; }
hard="new a; harden; bind $PROBE /tmp/probe ro"
root=
[ "$(id -u)" != 0 ] || root=1

# One policy for the first program, the second, one in the background, and one that another belljar starts (CVE-2019-10144, -10145, -10147).
export XDG_RUNTIME_DIR=$tmp
alike() { grep -vE '^(pid|ppid|tty|fd\..*|status.NSpid)=' "$1"; }
run -s alike -c "$hard; run /tmp/probe facts >$tmp/1; run /tmp/probe facts >$tmp/2; run -d /tmp/probe facts >$tmp/3; wait"
run -s alike -c "run /tmp/probe facts >$tmp/4; end"
is "the second belljar was let in" "$status:$err" "0:"
for i in 2 3 4; do is "the same policy: program $i" "$(alike "$tmp/$i" | diff "$tmp/1" - | grep -c '^>')" 0; done
unset XDG_RUNTIME_DIR

# A number that is read as another user, such as 1 as 0 (CVE-2026-30892).
for user in 01:1 :1 1: -1 "''" "' 1'" 4294967295 99999999999 0x1 1:0x1 1,; do
	run -c "new a; unshare user; map auto; user $user; run $PROBE facts"
	case $user in
	01:1) [ -z "$root" ] || is "user $user is exact" "$(fact uid):$(fact gid)" "1:1" ;;
	*) has "user $user is refused" "$status:$out" "2:" ;;
	esac
done

# Capabilities kept inheritable or ambient (CVE-2016-8867, CVE-2022-24769, CVE-2022-29162), groups kept (CVE-2022-36109).
if [ -n "$root" ] && command -v setpriv >/dev/null; then
	out=$(setpriv --inh-caps +net_raw,+chown --ambient-caps +net_raw --groups 27,28 "$BELLJAR" -c "new a; user 1000; run $PROBE facts" 2>&1 </dev/null)
	for set in CapInh CapPrm CapEff CapAmb; do is "a user has none: $set" "$(fact status.$set)" 0000000000000000; done
	is "nor groups of the caller's" "$(fact status.Groups)" ""
	out=$(setpriv --inh-caps +net_raw,+chown "$BELLJAR" -c "new a; run $PROBE facts" 2>&1 </dev/null)
	is "root inherits none" "$(fact status.CapInh)" 0000000000000000
fi

# A refusal of the kernel's that is taken for success (bubblewrap's PR_CAPBSET_DROP, crun's read-only mounts), and a success that is none: a
# belljar within one whose filter says so. refused CALL ARGUMENT ERRNO COMMANDS PATTERN
refused()
{
	local args= inner="new a; $4"
	[ -z "$2" ] || args=", \"args\": [ { \"index\": 0, \"value\": $2, \"op\": \"SCMP_CMP_EQ\" } ]"
	echo "{ \"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [ { \"names\": [ \"$1\" ], \"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": $3$args } ] }" >"$tmp/refuse.json"
	printf '%s\n' "$inner" >"$tmp/inner"
	run -c "new o; seccomp $tmp/refuse.json; run $BELLJAR -f $tmp/inner"
	has "$1 ${2:-} ${3/#0/unheard}: nothing is started" "$status:$out:$err" "$5"
}
if [ -n "$root" ]; then
	refused prctl 24 1 "cap set docker; run echo started" "125::*PR_CAPBSET_DROP*EPERM*"
	refused prctl 24 0 "cap set docker; run echo started" "125::*PR_CAPBSET_DROP*EPROTO*"
	refused capset '' 1 "cap set none; run echo started" "125::*capset*EPERM*"
	refused capset '' 0 "cap set none; run echo started" "125::*capset*EPROTO*"
	refused prctl 38 1 "nonewprivs on; run echo started" "125::*PR_SET_NO_NEW_PRIVS*EPERM*"
	refused prctl 38 0 "nonewprivs on; run echo started" "125::*PR_SET_NO_NEW_PRIVS*"
	refused setresuid '' 0 "user 1000; run echo started" "125::*setresuid*EPROTO*"
	refused setgroups '' 1 "user 1000; run echo started" "125::*setgroups*EPERM*"
	refused seccomp '' 1 "seccomp default; run echo started" "125::*seccomp*EPERM*"
	refused close_range '' 1 "run echo started" "1::*"
	refused mount_setattr '' 1 "unshare mnt; readonly /etc; run echo started" "1::*/etc*EPERM*"
	refused mount_setattr '' 1 "unshare mnt; bind /etc /mnt ro; run echo started" "1::*/etc*EPERM*"
	refused move_mount '' 1 "unshare mnt; mask /etc/passwd; run echo started" "1::*/etc/passwd*EPERM*"
fi

# The upper half of an argument that the kernel does not look at (CVE-2019-10063), and calls by the numbers of other instruction sets.
run -k -c "new b; unshare user; map auto; run $PROBE calls mount-i386; $hard; run /tmp/probe calls vsock vsock-high mount-i386 nr0x400000a5"
i386=$(printf '%s\n' "$out" | head -1)
has "only the half that counts is compared" "$out" "*vsock=EPERM
vsock-high=EPERM
*"
has "x32 calls are filtered" "$out" "*nr0x400000a5=E[PN][EO][RS][MY]*"
# Where the kernel takes them at all, what is answered without a filter shows that the filter is what refuses.
[ "$i386" != mount-i386=EFAULT ] || has "i386 calls are filtered" "$out" "mount-i386=EFAULT
*mount-i386=EPERM*"

# Calls that a list of bad ones would miss (CVE-2021-41133; isolate's io_uring): keyctl perf bpf userfaultfd, 425 to 433 io_uring and mounts, clone3,
# mount_setattr, listmount and what is newer.
numbers="250 298 321 323 $(seq 425 433) 435 442 458 467 470 600"
run -c "$hard; run /tmp/probe calls $(printf 'nr%s ' $numbers)"
is "new calls are refused unless they are known to do no harm" "$(printf '%s\n' "$out" | grep ^nr | grep -vcE '=(EPERM|ENOSYS)$'):$(printf '%s\n' "$out" | grep -c ^nr)" "0:$(wc -w <<<"$numbers")"

# Faults of the kernel that namespaced capabilities reach (CVE-2022-0185, CVE-2023-2640, CVE-2024-1086): fsconfig, overlay, nf_tables, a further user
# namespace by any call.
run -c "$hard; run /tmp/probe calls unshare-user mount links; run perl -e 'print syscall(56, 0x10000011, 0, 0, 0, 0) < 0 ? qq(clone: \$!\n) : exit; socket(my \$s, 16, 3, 12) or die; bind(\$s, pack(q(SSLL), 16, 0, 0, 0)); my \$m = pack(q(LSSLL CCn LSS CCn LSS CCn), 20, 16, 1, 1, 0, 0, 0, 10, 28, 2560, 1537, 2, 2, 0, 0, 0, 0, 0, 0); send(\$s, pack(q(LSSLL CCn), 20, (10<<8)|1, 5, 7, 0, 2, 0, 0), 0) or print qq(nft: \$!\n); recv(\$s, my \$r, 4096, 0); my \$e = unpack(q(x16 l), \$r); \$! = -\$e; print qq(nft: \$!\n)'"
has "no further user namespace, no mounts, no links" "$out" "*unshare-user=EPERM
mount=EPERM
links=EPERM
clone: Operation not permitted
*"
has "no packet filter" "$out" "*nft: Operation not permitted*"

# Variables meant for inside that reach a helper on the host (CVE-2025-23266).
run -c "new a; env LD_PRELOAD=/x.so; !env | grep -c LD_PRELOAD; run true | env; true"
hasnt "variables of a sandbox stay inside" "$out" "*LD_PRELOAD*"

# Names too long for the message that carries them (CVE-2021-43784).
long=$(printf 'a%.0s' {1..70000})
for command in "new $long" "bridge $long" "bridge abcdefghijklmnop" "new b; unshare net; link b:abcdefghijklmnop host:y" "join net $long" "hostname $long"; do
	run -c "new a; unshare uts net; $command"
	has "refused, not cut: ${command:0:40}" "$status:${err:0:300}" "[12]:*"
done

# A router that is none, announced from inside to the host (CVE-2020-10749). The host is a net namespace of the test's own.
cat >"$tmp/announce" <<'P'
import socket, struct, sys
source = socket.inet_pton(socket.AF_INET6, sys.argv[2])
target = socket.inet_pton(socket.AF_INET6, 'ff02::1')
message = struct.pack('!BBHBBHII', 134, 0, 0, 64, 0, 1800, 0, 0)
total = sum(struct.unpack('!%dH' % ((len(source + target + message) + 8) // 2), source + target + struct.pack('!II', len(message), 58) + message))
while total >> 16:
    total = (total & 0xffff) + (total >> 16)
message = message[:2] + struct.pack('!H', ~total & 0xffff) + message[4:]
packet = struct.pack('!IHBB', 6 << 28, len(message), 58, 255) + source + target + message
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0x86dd)
s.bind((sys.argv[1], 0x86dd))
s.send(bytes.fromhex('333300000001 020000000001 86dd') + packet)
P
cat >"$tmp/router" <<S
new a
unshare net
link a:x host:bjra 10.9.0.1/24 10.9.0.2/24
run python3 $tmp/announce x fe80::1
!echo 1 >/proc/sys/net/ipv6/conf/bjra/accept_ra
run python3 $tmp/announce x fe80::2
!for i in \$(seq 100); do ip -6 route show default | grep -q fe80::2 && break; sleep 0.05; done; ip -6 route show default
S
if [ -n "$root" ] && [ -e /proc/sys/net/ipv6 ]; then
	out=$(unshare -n "$BELLJAR" -f "$tmp/router" 2>&1 </dev/null)
	has "the host believes no router at the other end, but would if it were told to" "$out" "*default via fe80::2 *"
	hasnt "and has not believed the first" "$out" "*fe80::1*"
fi
done_testing
