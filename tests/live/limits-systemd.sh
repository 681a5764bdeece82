#!/bin/sh
# Where systemd is init, belljar asks it for a scope of its own and makes its groups there: as root and as a user. Nothing of it stays. Needs
# root, and a machine that was started by systemd; run by tests/run -k vm in one made for it, with a user bjuser (61234).
. "$(dirname "$0")/front.inc"
. "$(dirname "$0")/limits.inc"
[ -d /run/systemd/system ] || { echo "skip - systemd is not init here"; exit 77; }
[ -S /run/user/61234/systemd/private ] || { echo "skip - there is no manager for the user 61234"; exit 77; }
chmod 755 "$tmp"

scopes() { ls -d /sys/fs/cgroup/$slice/belljar-*.scope 2>/dev/null; }
no_scopes() { [ -z "$(scopes)" ]; }

# try NAME SLICE FIRST: belljar as it is in $BELLJAR. Sandboxes and programs that were there before the first limit come along.
try()
{
	name=$1 slice=$2
	session -k
	type 'new web' "$3" 'run -d sleep 60' 'new other' 'use web' 'limit memory 64M pids 20' 'run -d sleep 61' '@other limit pids 5' \
		'@other run cat /proc/self/cgroup' 'group batch' 'limit in batch memory 20M' \
		"run --group batch sh -c 'head -c 60000000 /dev/zero | tail -c 60000000 >/dev/null'"
	done_so_far
	scope=$(scopes)
	has "$name: one scope" "$scope" "/sys/fs/cgroup/$slice/belljar-$belljar.*.scope"
	has "$name: systemd knows it as delegated" "$(manager show -p Delegate -p ActiveState "$(basename "$scope")")" "*Delegate=yes*ActiveState=active*"
	is "$name: belljar is in it" "$(sed 's|.*/belljar-[^/]*||' "/proc/$belljar/cgroup")" /main
	is "$name: the limit is in the kernel's file" "$(control memory.max)" 67108864
	is "$name: programs of before and after are counted" "$(control pids.current)" 2
	has "$name: another sandbox's too" "$(cat "$tmp/out")" "*0::*belljar-$belljar.*.scope/belljar.$belljar.*/other*"
	has "$name: the limit bites" "$(cat "$tmp/out")" "*killed for memory*limit in batch memory 20M*"
	hasnt "$name: nothing was refused" "$(cat "$tmp/out")" "*EACCES*"
	exec 9>&-
	wait "$belljar"
	is "$name: the scope is gone" "$(within 150 no_scopes && echo gone)" gone

	session -k
	type 'new web' 'limit pids 30' 'run -d sleep 60'
	done_so_far
	is "$name: a scope again" "$(scopes | wc -l)" 1
	kill -9 "$belljar"
	exec 9>&-
	is "$name: after kill -9 it is gone too" "$(within 150 no_scopes && echo gone)" gone

	# A session of its own name outlives the belljar that made it, and so does its scope.
	run -s "sd$$" -c 'new web; limit pids 7; run -d sleep 60'
	is "$name: a named session's scope stays" "$status:$err:$(scopes | wc -l)" 0::1
	run -s "sd$$" -c 'limit pids 8; run cat /proc/self/cgroup; limit; new more; limit pids 5; run cat /proc/self/cgroup'
	has "$name: the next belljar works in it" "$status:$err:$out" "0::0::*.scope/belljar.*/web*pids    8 *1, *0::*.scope/belljar.*/more*"
	run -s "sd$$" end
	is "$name: and goes with it" "$(within 150 no_scopes && echo gone)" gone
}
manager() { systemctl "$@"; }
try root system.slice 'unshare pid'

as="setpriv --reuid 61234 --regid 61234 --clear-groups env HOME=/tmp"
printf '#!/bin/sh\nexec %s "%s" "$@"\n' "$as" "$BELLJAR" >"$tmp/belljar"
chmod 755 "$tmp/belljar"
BELLJAR=$tmp/belljar
manager() { $as XDG_RUNTIME_DIR=/run/user/61234 systemctl --user "$@"; }
try user 'user.slice/user-61234.slice/user@61234.service/*' 'unshare user pid'
exit $((failed > 0))
