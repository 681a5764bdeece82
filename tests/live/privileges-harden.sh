#!/bin/bash
# Masks, read-only paths, what is compared with Docker and bubblewrap, and a hardened sandbox as a probe inside and the kernel outside see it.
. "$(dirname "$0")/front.inc"
: "${PROBE:?}"
able 'unshare docker user; map auto; root host; run true'
user=
[ "$(id -u)" = 0 ] || user=user
fact() { printf '%s\n' "$out" | sed -n "s/^$1=//p"; }
in="new a; unshare docker $user; ${user:+map auto;} root host"

# Masks and read-only paths.
run -c "$in; mask /etc/passwd /etc/ssl; run sh -c 'wc -c </etc/passwd; ls -A /etc/ssl | wc -l; echo x >/etc/ssl/x; stat -c %t:%T /etc/passwd'; mounts"
has "a file and a directory are hidden" "$out" "0
0
1:3
*/etc/ssl *tmpfs *mask *ro,*"
has "and can't be written to" "$err" "*Read-only file system*"
run -c "$in; mask /etc/passwd; umount /etc/passwd; run sh -c '[ -s /etc/passwd ]'; mask /etc/passwd; undo; run sh -c '[ -s /etc/passwd ]'"
is "and can be seen again" "$status:$err" "0:"
run -c "$in; readonly /usr; run sh -c 'ls /usr >/dev/null && touch /dev/shm/x; touch /usr/x'"
has "read-only" "$status:$err" "1:*/usr/x*Read-only file system*"
is "only that" "$(printf '%s\n' "$err" | grep -c touch:)" 1
run -c "$in; mask /etc/passwd; mask /etc/passwd; readonly /usr /usr; readonly /usr; mounts"
is "once is enough" "$(printf '%s\n' "$out" | grep -Ec '^ */(etc/passwd|usr) .* ro,')" 2

# What leads through a link is refused, and nothing outside is touched; the root's own /dev/null is never what is mounted.
R=$tmp/root
mkdir -p "$R"/{proc,dev,sys,bin,real} "$tmp/canary"
cp "$PROBE" "$R/bin/probe"
: >"$R/real/file"
ln -s ../../../../../../../../..$tmp/canary "$R/link"
ln -s real "$R/inner"
for path in /link /inner /inner/file /link/x; do
	for what in mask readonly; do
		run -c "new a; unshare docker $user; ${user:+map auto;} root $R; $what $path"
		has "$what through a link: $path" "$status:$err" "1:*$path: *symbolic link*"
	done
done
is "the canary lives" "$(ls -A "$tmp/canary"; grep -c "$tmp/canary" /proc/self/mountinfo)" 0
[ -n "$user" ] || run -c "$in; run sh -c 'rm /dev/null; ln -s /proc/sys/kernel/core_pattern /dev/null'; mask docker; run stat -c %t:%T /proc/keys /proc/timer_list"
[ -n "$user" ] || is "a null of the root's own making is not used" "$out:$err" "1:3
1:3:"
run -c "$in; mask /no/such; "
has "what is not there" "$status:$err" "1:*/no/such*no such file*"

# Docker's list.
run -c "$in; mask docker; mask docker; run sh -c 'cat /proc/keys /proc/kcore | wc -c; ls -A /sys/firmware | wc -l; echo x >/proc/sys/kernel/domainname; touch /proc/bus; mkdir /sys/x'"
is "hidden" "$out" "0
0"
is "read-only, as root inside" "$(printf '%s\n' "$err" | grep -ci 'read-only')" 3
[ -n "$user" ] || {
	run -c "new a; unshare mnt; root host; mask docker; unshare pid net; run sh -c 'cat /proc/keys | wc -c; echo x >/proc/sys/kernel/domainname'"
	has "a new /proc is masked like the old one" "$out:$err" "0:*ead-only file system*"
}
run -c "$in; mask docker; mask /etc/passwd; new b like a; run sh -c 'cat /proc/keys /etc/passwd | wc -c'"
is "a copy" "$out:$err" "0:"
[ -n "$user" ] || {
	run -c "new a; mask /etc/passwd"
	has "the host's own mounts are left alone" "$status:$err" "1:*no mount namespace*unshare mnt*"
}

# The comparison.
run -c "new a; show --gaps"
has "everything is open" "$out" "*ipc *host's *own *unshare ipc
*user *host's *own *unshare user
*root *root host
*masked paths *0 of *mask docker
*seccomp *none *default *seccomp default
*gaps; harden closes all of them"
run --json -c "new a; unshare net; show --gaps"
has "for programs" "$out" '*"what":"net","here":"own","docker":"own","bubblewrap":"host'\''s","command":null*'
run -c "new a; unshare uts; cap set chown; explain harden"
has "the recipe is told, of what is missing" "$out" "unshare cgroup ipc mnt net pid user
*kernel: unshare(CLONE_NEWUSER)*
map auto
*root host
*mask docker
*hide /proc/kcore in a*
nonewprivs on
*seccomp default
*"
hasnt "and no more" "$out" "*cap set*"

# The hardened sandbox: capabilities, filter, privileges, paths, processes, descriptors.
exec 7</
run -c "new a; harden; show --gaps; bind $PROBE /tmp/probe ro; run /tmp/probe facts; run sh -c 'ls -d /proc/[0-9]*; ls /dev; ls -l /proc/self/fd | grep -c -- \"->\"'; ps"
exec 7<&-
has "no gaps are left" "$status:$out" "0:*no gaps*"
docker=$((0xa80425fb))
for set in CapInh CapPrm CapEff CapBnd CapAmb; do
	is "no capability above the list: $set" $((0x$(fact status.$set) & ~docker)) 0
done
is "seccomp, no new privileges" "$(fact status.Seccomp) $(fact status.NoNewPrivs)" "2 1"
is "three descriptors, none more" "$(printf '%s\n' "$out" | sed -n 's/^\(fd\.[0-9]*\)=.*/\1/p' | tr '\n' ' ')" "fd.0 fd.1 fd.2 "
is "process 1 shows nothing" "$(fact init.exe)" "-Permission denied"
is "no process but its own" "$(printf '%s\n' "$out" | grep -c '^/proc/[0-9]')" 2
hasnt "no devices of the machine's" "$out" "*[sv]da*"
for kind in cgroup ipc mnt net pid user uts; do
	isnt "own namespace: $kind" "$(fact "ns.$kind")" "$(readlink "/proc/self/ns/$kind")"
done
# In whatever order it came to what it has: new views of pids and links are made though what is there hides something.
for first in "unshare mnt user" "unshare user; map auto; unshare mnt; root host" "unshare user mnt pid; map auto; root host; mask docker" \
	"unshare user mnt net; map auto; root host; mask docker; mask /proc/version"; do
	run -c "new a; $first; harden; show --gaps; run sh -c 'ls -d /proc/[0-9]* | wc -l; ls /sys/class/net'"
	has "hardened after $first" "$status:$out" "0:*no gaps
[2-4]
lo"
done
mark=written.$$
run -c "new a; harden; run sh -c 'find / -maxdepth 3 -type d -writable 2>/dev/null | while read -r d; do (: >\"\$d/$mark\") 2>/dev/null && echo \"\$d\"; done'"
has "it can write in its own root" "$out" "*/tmp*"
is "and nothing of that is the host's" "$(find / -maxdepth 4 -name "$mark" 2>/dev/null)" ""
run -c "new a; harden; run mount -t tmpfs none /mnt; run umount /proc/keys"
isnt "masks stay where they are" "$status" 0
run -c "new a; harden; run unshare -Ur true"
has "no further user namespace" "$status:$err" "*not permitted*unshare (EPERM)*"
run -c "new a; cap set chown; user 0; harden; cap show; harden; undo; show --gaps"
has "what is stricter stays; undo goes back by steps" "$out" "*chown*took back: seccomp default*1 gaps*"
run -c "new a; unshare docker $user; ${user:+map auto;} run -d sleep 60; harden"
has "no program may run meanwhile" "$status:$err" "1:*harden: *programs run*"
done_testing
