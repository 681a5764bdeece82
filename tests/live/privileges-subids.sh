#!/bin/bash
# An ordinary user with subordinate ids: newuidmap gives belljar its ranges, and map auto hands them on. The user, and the ids, are in files that are
# mounted over /etc's in a mount namespace of the test's own, so the machine has never heard of them.
. "$(dirname "$0")/front.inc"
[ "$(id -u)" = 0 ] || { echo "skip - needs root"; exit 77; }
command -v newuidmap >/dev/null && command -v setpriv >/dev/null || { echo "skip - no newuidmap and setpriv"; exit 77; }
[ -e /etc/subuid ] && [ -e /etc/subgid ] || { echo "skip - no /etc/subuid and /etc/subgid to mount over"; exit 77; }
chmod 755 "$tmp"
cp /etc/passwd "$tmp/passwd"
echo 'bjsub:x:61235:61235::/:/bin/sh' >>"$tmp/passwd"
echo bjsub:200000:65536 >"$tmp/subuid"
echo bjsub:300000:1000 >"$tmp/subgid"
mkdir -m 1777 "$tmp/work"
cat >"$tmp/as" <<'S'
mount --make-rprivate / || exit
for file in passwd subuid subgid; do mount --bind "$1/$file" "/etc/$file" || exit; done
export HOME=/ TMPDIR=$1/work
unset XDG_RUNTIME_DIR BELLJAR_CACHE
cd /
exec setpriv --reuid 61235 --regid 61235 --clear-groups "$BELLJAR" -c "$2"
S
as_user()
{
	out=$(unshare -m sh "$tmp/as" "$tmp" "$1" 2>"$tmp/err" </dev/null)
	status=$?
	err=$(cat "$tmp/err")
}
as_user 'new a; run true'
[ "$status" = 0 ] || { echo "skip - no user namespaces for ordinary users here: $err"; exit 77; }

as_user 'new a; run cat /proc/self/uid_map /proc/self/gid_map'
is "belljar's own ids" "$(echo $out)" "0 61235 1 1 200000 65536 0 61235 1 1 300000 1000"
as_user 'new a; unshare docker user; map auto; run cat /proc/self/uid_map /proc/self/gid_map; run cat /proc/self/setgroups'
is "all of them are handed on, group ids by themselves" "$(echo $out)" "0 0 1 1 1 65536 0 0 1 1 1 1000 allow"
as_user 'new a; unshare docker user; map auto; user 1000:10,20; run id -u; run id -G'
is "other users and groups inside" "$(echo $out):$err" "1000 10 20:"
as_user 'new a; unshare docker user; map auto; user 1000:2000; run true'
has "but no group that is not there" "$status:$err" "125:*setresgid*EINVAL*no such id*"
as_user "new a; unshare docker user; map auto; bind $tmp/work /mnt; run sh -c 'echo x >/mnt/f; chown 33:33 /mnt/f'"
is "files of another user inside are a subordinate id's outside" "$status:$(stat -c %u:%g "$tmp/work/f")" "0:200032:300032"
as_user doctor
has "doctor says so" "$out" "*ok *user ids *bjsub:200000:65536*ok *group ids *bjsub:300000:1000*"
done_testing
