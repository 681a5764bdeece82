#!/bin/sh
# Disk traffic is held to its rate: direct writes everywhere, buffered ones where version 2 counts them. Needs root and loop devices.
. "$(dirname "$0")/front.inc"
. "$(dirname "$0")/limits.inc"

has_controller io || { echo "skip - no io controller here"; exit 77; }
[ -e /dev/loop-control ] || modprobe loop 2>/dev/null || { echo "skip - no loop devices"; exit 77; }
truncate -s 16M "$tmp/disk" && loop=$(losetup -f --show "$tmp/disk" 2>/dev/null) || { echo "skip - no loop device to be had"; exit 77; }
trap 'losetup -d "$loop"; rm -rf "$tmp"' EXIT

# written HOW LIMIT: milliseconds that 2 MiB take
written()
{
	begin=$(date +%s%3N)
	run -c "new web; $2; run dd if=/dev/zero of=$loop bs=64k count=32 $1"
	[ "$status" = 0 ] || fail "dd: $err"
	echo $(($(date +%s%3N) - begin))
}
# Two million bytes at one a second: the time can only be longer than that.
slow=$(written oflag=direct "limit io $loop wbps=1M")
is "direct writes take their time" "$([ "$slow" -ge 1500 ] && echo held || echo "$slow ms")" held
if v1_controller io; then
	run -c "new web; limit io $loop wbps=1M"
	has "version 1 misses buffered ones, and that is said" "$status:$err" "0:io: *version 1*miss what is written through the cache*"
	run -c "new web; limit io $loop rbps=1M; limit io $loop max"
	is "of reading it is not" "$status:$err" "0:"
fi
if ! v1_controller io && ! v1_controller memory; then
	slow=$(written conv=fsync "limit memory 64M io $loop wbps=1M")
	is "buffered writes too" "$([ "$slow" -ge 1500 ] && echo held || echo "$slow ms")" held
fi
slow=$(begin=$(date +%s%3N); run -c "new web; limit io $loop riops=20; run dd if=$loop of=/dev/null bs=4k count=40 iflag=direct"; echo $(($(date +%s%3N) - begin)))
is "operations are counted" "$([ "$slow" -ge 1000 ] && echo held || echo "$slow ms")" held

id=$(cat "/sys/class/block/${loop#/dev/}/dev")
session -k
type 'new web' "limit io $loop rbps=1M wiops=5"
done_so_far
if v1_controller io; then
	is "the files of version 1" "$(control blkio.throttle.read_bps_device):$(control blkio.throttle.write_iops_device)" "$id 1048576:$id 5"
else
	has "the file of version 2" "$(control io.max)" "$id rbps=1048576 wbps=max riops=max wiops=5"
fi
type 'new b like web' 'limit' 'use web' "limit io $loop max"
done_so_far
has "another like it" "$(cat "$tmp/out")" "*io *$id rbps=1M wiops=5*"
is "nothing stands there when it is lifted" "$(control "$(v1_controller io && echo blkio.throttle.read_bps_device || echo io.max)")" -
exec 9>&-
wait "$belljar"

# A partition stands for no disk of its own; what lies on one is limited where the disk is.
part=$(ls -d /sys/class/block/*/partition 2>/dev/null | head -1)
if [ -n "$part" ] && [ -b "/dev/$(basename "$(dirname "$part")")" ]; then
	run -c "new web; limit io /dev/$(basename "$(dirname "$part")") rbps=1M"
	has "a partition" "$status:$err" "1:*is a partition*try: /dev/*"
fi
exit $((failed > 0))
