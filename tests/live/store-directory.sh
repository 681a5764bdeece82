#!/bin/sh
# The run directory: whose it must be, and what happens when it can't be used. Needs root.
. "$(dirname "$0")/front.inc"
. "$(dirname "$0")/limits.inc"

# private SCRIPT: in a mount namespace with an own /run
private()
{
	unshare -m sh -c "mount --make-rprivate / && mount -t tmpfs -o \${SIZE:-size=1m} run /run && $1" 2>&1
}
export BELLJAR
limit='"$BELLJAR" -c "new web; limit pids 5"'

has "somebody else may write to it" "$(private "mkdir -m 777 /run/belljar; $limit")" "*/run/belljar: not a directory of yours alone (EPERM)*try: *chmod 700*"
has "it is another user's" "$(private "mkdir -m 700 /run/belljar; chown 65534 /run/belljar; $limit")" "*not a directory of yours alone*"
is "and is left alone" "$(private "mkdir -m 700 /run/belljar; chown 65534 /run/belljar; $limit >/dev/null 2>&1; sleep 0.2; stat -c %u /run/belljar")" 65534
has "it is a link" "$(private "mkdir -m 700 /run/x; ln -s x /run/belljar; $limit")" "*/run/belljar: can't be opened as a directory*"
has "it is a file" "$(private "echo >/run/belljar; $limit")" "*/run/belljar: can't be opened as a directory*"
has "it can't be written" "$(private "mount -o remount,ro /run; $limit")" "*/run/belljar: can't be made (EROFS)*"
has "no room" "$(SIZE=nr_inodes=2 private "mkdir -m 700 /run/belljar; $limit; ls /run/belljar")" "*(ENOSPC)*"
has "what does not need it works without it" "$(private 'mount -o remount,ro /run; "$BELLJAR" -c "new web; unshare mnt pid uts; run echo fine"')" "*fine"
is "made and gone" "$(private "$limit && ls -A /run")" ""
exit $((failed > 0))
