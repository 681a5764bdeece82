#!/bin/bash
# can: what it answers is what the kernel does, for each operation and many kinds of sandboxes; and its reasons.
. "$(dirname "$0")/front.inc"
: "${PROBE:?}"
able 'unshare docker user; map auto; run true'
all="mount umount pivot-root chroot hostname unshare unshare-user links raw-socket low-port reboot setuid setgroups chown mknod settime module syslog swapon"
# Where belljar has only one id to give, these fail for want of another.
[ "$(id -u)" = 0 ] || all=$(echo " $all " | sed 's/ setuid / /; s/ chown / /')

# agrees SETTING: every answer is what happens
agrees()
{
	local script="new a; $1; run $PROBE calls $all" op
	for op in $all; do script+="; can a $op"; done
	run -c "$script"
	# A kernel without modules says so to everybody.
	none=$(printf '%s\n' "$out" | sed -n 's/=ENOSYS$/=/p')
	tried=$(printf '%s\n' "$out" | grep = | grep -v "^${none:-none}" | sed -E 's/=(EPERM|EACCES)$/=no/; s/=[A-Z].*|=ok$/=yes/')
	said=$(paste -d= <(printf '%s\n' $all) <(printf '%s\n' "$out" | grep -xE 'yes|no') | grep -v "^${none:-none}")
	is "can is right: $1" "$said" "$tried"
	yes=$(printf '%s\n' "$said" | grep -c yes)
}
agrees "unshare docker user; map auto"
[ "$yes" -gt 8 ] || fail "most are allowed, not $yes"
agrees "unshare docker user; map auto; cap set docker; nonewprivs on; seccomp default"
agrees "unshare user net; map auto; cap drop net_admin sys_chroot"
agrees "unshare docker user; map auto; seccomp deny chroot setresuid; cap set none"
[ "$yes" -lt 4 ] || fail "hardly any is allowed, not $yes"
if [ "$(id -u)" = 0 ]; then
	agrees "umask 022"
	agrees "cap set docker; seccomp default"
	agrees "user 1000"
	agrees "user 1000; cap ambient net_raw sys_chroot"
	agrees "unshare docker; unshare user; map auto"
	agrees "securebits noroot"
	run -c "new a; new b; unshare user net; map auto; cap set docker; @a can net_admin on net of b; can net_admin on net of a"
	has "who owns a user namespace has all over it; not the other way round" "$out" "yes
*it made user namespace *
no
*net namespace belongs to user namespace * don't count*
*net_admin is not in its bounding set*cap add net_admin*"
	run -c "new a; unshare pid; user 1000; run -d sleep 60; user inherit; can a chroot; can 2 chroot"
	is "a process keeps what it was started with" "$(printf '%s\n' "$out" | grep -xE 'yes|no' | tr '\n' ' ')" "yes no "
fi
run -c "new a; unshare docker user; map auto; seccomp default; can keyctl; can mount; can sys_time on host; cap drop sys_admin; nonewprivs on; can mount; user 0; cap set none; can chown"
has "reasons" "$out" "no
  the filter of system calls refuses keyctl with EPERM
yes
  the filter of system calls allows mount
  the mnt namespace belongs to user namespace *, where its capabilities count
  sys_admin is among its effective capabilities*
no
  it is asked in the machine's first user namespace, and it is in another
*no
  the filter of system calls refuses mount with EPERM
  sys_admin is not in its bounding set*
no
  chown is not in its bounding set*"
run --json -c "new a; cap set none; can chown"
has "for programs" "$out" '{"can":false,"reasons":\["chown is not in its bounding set*"\]}'
bad() { run -c "new a; $1"; has "refused: $1" "$status:$err" "$2"; }
bad "can fly" "2:*expected NAME, PID or WHAT*"
bad "can 4711 mount" "1:*4711: no such process in a*"
bad "can b mount" "2:*"
bad "can all" "2:*expected NAME, PID or WHAT*"
bad "new b; can net_admin on a" "2:*which namespace of a*"
run -n -c "new a; can a mount"
is "a dry run asks nothing" "$status" 0
done_testing
