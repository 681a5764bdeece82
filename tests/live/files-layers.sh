#!/bin/sh
# Layers: several below one another, an upper one that is kept, archives in the cache, many, odd paths; seen inside and on the host's disk.
. "$(dirname "$0")/front.inc"
[ "$(id -u)" = 0 ] || { echo "skip - needs root"; exit 77; }
[ -x /bin/busybox ] && command -v python3 >/dev/null || { echo "skip - needs busybox-static and python3"; exit 77; }
jar='new a; unshare mnt pid'
kernel=$(uname -r | awk -F. '{ print $1 * 100 + $2 }')
mkdir -p "$tmp/top/etc" "$tmp/mid/etc" "$tmp/low/etc/deep"
echo top >"$tmp/top/both"; echo mid >"$tmp/mid/both"; echo low >"$tmp/low/both"
echo mid >"$tmp/mid/etc/mid"; echo low >"$tmp/low/etc/low"; echo deep >"$tmp/low/etc/deep/f"
chmod 751 "$tmp/top"
layers="$tmp/top $tmp/mid $tmp/low busybox"

run -c "$jar; root $layers; run sh -c 'cat /both /etc/mid /etc/low /etc/deep/f; stat -c %a /; grep -c \" / overlay \" /proc/mounts'"
is "the topmost layer is found first, the others through it" "$(echo "$out" | tr '\n' ' ')" "top mid low deep 751 1 "
run -c "$jar; root busybox $tmp/low; run sh -c 'cat /both; mount' "
has "busybox on top" "$out" "low*"
run -c "$jar; root $layers ro; run sh -c 'echo x >/f'"
has "read-only: no upper layer" "$status:$err" "1:*Read-only file system*"
run -c "$jar; root $layers size 1M; run sh -c 'dd if=/dev/zero of=/f bs=64k count=64'"
has "the upper layer has a size" "$status:$err" "1:*No space left*"
is "nothing is made in the layers" "$(find "$tmp/top" "$tmp/mid" "$tmp/low" | wc -l)" 13

# An upper layer that is kept
run -c "$jar; root $layers upper $tmp/kept; run sh -c 'echo new >/made; rm /etc/low; echo more >>/etc/mid'"
is "upper: what is written stays" "$status:$(cat "$tmp/kept/upper/made" "$tmp/kept/upper/etc/mid" | tr '\n' ' ')" "0:new mid more "
is "... a mark of what was deleted too" "$(stat -c '%F %t:%T' "$tmp/kept/upper/etc/low")" "character special file 0:0"
is "... and it looks like the topmost layer" "$(stat -c %a "$tmp/kept/upper")" 751
run -c "$jar; root $layers upper $tmp/kept; run sh -c 'cat /made /etc/mid; ls /etc'"
has "... and is there the next time" "$out:$(echo "$out" | grep -cw low)" "new
mid
more*:0"
run -c "$jar; root $layers upper $tmp/new/er; run true"
has "upper: the directory above must be there" "$status:$err" "1:*new/er: can't be found*"
mkdir "$tmp/link"
ln -s "$tmp/low" "$tmp/link/upper"
run -c "$jar; root $layers upper $tmp/link"
has "upper: no link where the layer should be" "$status:$err" "1:*upper: it is no directory*"
is "... and nothing is left of the attempt" "$(ls -A "$tmp/link")" upper
BELLJAR_FAULT=6 "$BELLJAR" -c "$jar; root $layers upper $tmp/none" >/dev/null 2>&1 </dev/null
is "a root that fails leaves no upper directory" "$(ls -A "$tmp" | grep -c none)" 0
run -c "$jar; root $tmp/top $tmp/mid busybox upper $tmp/top"
has "the upper layer in a layer" "$status:$err" "1:*$tmp/top: it can't be the upper layer*"

# With users numbered otherwise
if [ "$kernel" -ge 603 ] || [ "$(stat -f -c %T "$tmp")" != tmpfs ]; then
	run -c "new a; unshare user mnt pid; map auto; root $layers upper $tmp/mapped; run sh -c 'stat -c %u:%g / /both /etc/mid; echo x >/f; echo y >>/etc/mid; stat -c %u /f'"
	is "layers and an upper layer of a mapped user namespace" "$(echo "$out" | tr '\n' ' ')" "0:0 0:0 0:0 0 "
	is "... stored with the host's numbers" "$(stat -c %u "$tmp/mapped/upper/f" "$tmp/mapped/upper/etc/mid" | tr '\n' ' ')" "0 0 "
fi

# Archives
python3 - "$tmp" <<'P'
import io, sys, tarfile
def tar(name, *entries):
    t = tarfile.open(sys.argv[1] + "/" + name, "w", format=tarfile.PAX_FORMAT)
    for path, data, fields in entries:
        i = tarfile.TarInfo(path)
        i.mode = 0o644
        for k, v in fields.items():
            setattr(i, k, v)
        i.size = len(data)
        t.addfile(i, io.BytesIO(data))
    t.close()
D = tarfile.DIRTYPE
d = {"type": D, "mode": 0o755}
tar("base.tar", ("etc", b"", d), ("etc/one", b"base\n", {}), ("etc/two", b"base\n", {"uid": 1000}), ("etc/dir", b"", d), ("etc/dir/a", b"a\n", {}),
    ("full", b"", d), ("full/a", b"a\n", {}), ("again", b"", d), ("again/a", b"a\n", {}))
tar("marks.tar", ("etc", b"", d), ("etc/.wh.one", b"", {}), ("full", b"", d), ("full/.wh..wh..opq", b"", {}), ("full/b", b"b\n", {}),
    (".wh.again", b"", {}), ("again", b"", d), ("again/c", b"c\n", {}), ("etc/.wh.dir", b"", {}), ("newer", b"new\n", {}), (".wh.newer", b"", {}),
    (".wh..wh.plnk", b"", {}))
tar("nodes.tar", ("node", b"", {"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 3, "mode": 0o666}),
    ("mark", b"", {"type": tarfile.CHRTYPE, "devmajor": 0, "devminor": 0}), ("file", b"x\n", {}))
tar("badmark.tar", (".wh.", b"", {}))
P
run -c "$jar; root $tmp/marks.tar $tmp/base.tar busybox; run sh -c 'cd /; cat etc/two newer; ls etc; ls full again'"
is "marks of deleted files and of directories that hide" "$out" "base
new
group
hostname
hosts
passwd
resolv.conf
two
again:
c

full:
b"
is "each archive is in the cache once" "$(ls "$BELLJAR_CACHE/layers" | wc -l)" 2
is "by its digest" "$(ls "$BELLJAR_CACHE/layers" | grep -c "^$(sha256sum <"$tmp/base.tar" | cut -d' ' -f1)$")" 1
is "nobody else comes in" "$(stat -c %a "$BELLJAR_CACHE")" 700
cp "$tmp/base.tar" "$tmp/copy.tar"
run -c "$jar; root $tmp/copy.tar busybox; run cat /etc/one"
is "a copy is the same layer" "$out:$(ls "$BELLJAR_CACHE/layers" | wc -l)" base:2
echo hand >"$BELLJAR_CACHE/layers/$(sha256sum <"$tmp/base.tar" | cut -d' ' -f1)/root/etc/one"
run -c "$jar; root $tmp/base.tar busybox; run cat /etc/one"
is "it is not unpacked again" "$out" hand
rm -rf "$BELLJAR_CACHE"
digest=$(sha256sum <"$tmp/base.tar" | cut -d' ' -f1)
wrong=$(echo "$digest" | tr '0-9a-f' '1-9a-f0')
for i in 1 2; do
	run -c "$jar; root $tmp/base.tar@sha256:$digest busybox; run cat /etc/one"
	is "the digest that is asked for ($i)" "$out" base
	run -c "$jar; root $tmp/copy.tar@sha256:$wrong busybox"
	has "another digest ($i)" "$status:$err" "1:*copy.tar: its digest is sha256:$digest*asked for*"
	run -c "$jar; root $tmp/base.tar@sha256:$wrong busybox"
	has "another digest, of one that is there ($i)" "$status:$err" "1:*its digest is sha256:$digest*asked for*"
done
is "and nothing of it stays" "$(ls -A "$BELLJAR_CACHE" | tr '\n' ' '):$(ls "$BELLJAR_CACHE/layers" | wc -l)" "files layers :1"
run -k -c "$jar; root $tmp/nodes.tar busybox; run ls -d /node /mark /file; root $tmp/nodes.tar busybox devices; run ls -l /node; run ls /mark"
has "device nodes when they are asked for" "$out:$err" "/file
crw-rw-rw-*1,*3 */node:*/node: No such*/mark: No such*"
run -c "$jar; root $tmp/badmark.tar busybox"
has "a mark of nothing" "$status:$err" "1:*badmark.tar: entry .wh.: a mark that nothing is deleted*"
run -c "new a; unshare user mnt pid; map auto; root $tmp/base.tar busybox; run stat -c %u /etc /etc/one /etc/two"
is "an archive's owners in a mapped user namespace" "$(echo "$out" | tr '\n' ' ')" "0 0 1000 "

run -c "cache"
has "cache: what is there" "$out" "LAYER *BYTES *FILES *FROM*$(sha256sum <"$tmp/base.tar" | cut -c1-16) *[0-9]* *9 *$tmp/*"
run -k -c "cache rm 0123456789abcdef; cache rm xyz; cache rm $(sha256sum <"$tmp/base.tar" | cut -c1-16)"
is "cache rm: by the beginning of a digest" "$(echo "$err" | grep -c -e 'no layer in the cache begins' -e 'no beginning of a digest'):$(ls "$BELLJAR_CACHE/layers" | grep -c "^$digest")" 2:0
run -c "$jar; root $tmp/base.tar busybox; run cat /etc/one"
is "... and it is unpacked again" "$out:$(ls "$BELLJAR_CACHE/layers" | grep -c "^$digest")" "base:1"
run -c "cache rm all; cache"
is "cache rm all" "$(ls "$BELLJAR_CACHE/layers" "$BELLJAR_CACHE/files" | grep -c '[0-9a-f]$')" 0

# Many, and odd ones
many=
for i in $(seq 300); do
	mkdir "$tmp/m$i"
	echo "$i" >"$tmp/m$i/f$i"
	echo "$i" >"$tmp/m$i/all"
	many="$many $tmp/m$i"
done
run -c "$jar; root$many busybox; run sh -c 'cat /f1 /f150 /f300 /all; ls / | grep -c ^f; echo x >/f300; cat /f300'"
is "300 layers" "$(echo "$out" | tr '\n' ' ')" "1 150 300 1 300 x "
run -c "$jar; root$many$many busybox"
has "too many" "$status:$err" "1:*601 layers: the kernel lets at most 499*"
odd=$(printf 'a:b,c\\d e\nf\351\\')
mkdir "$tmp/$odd"
echo odd >"$tmp/$odd/odd"
out=$(ODD="$tmp/$odd" ODD_UP="$tmp/$odd.up" "$BELLJAR" -c "$jar; root \$ODD busybox upper \$ODD_UP; run sh -c 'cat /odd; echo x >/written'" 2>&1 </dev/null)
is "a path with : , \\ blanks, newline and a byte that is no UTF-8" "$out:$(cat "$tmp/$odd.up/upper/written" 2>/dev/null)" "odd:x" 

# A session that lasts
run -s bj-layers -c "$jar; root $layers upper $tmp/kept"
run -s bj-layers -c "show a; run cat /made"
has "another belljar knows the layers" "$out" "*root: *$tmp/top $tmp/mid $tmp/low busybox*new"
run -s bj-layers -c "new b like a"
has "two can't write to one upper layer" "$status:$err" "1:*a: its root keeps what is written in $tmp/kept*"
run end bj-layers 2>/dev/null || "$BELLJAR" -s bj-layers -c end >/dev/null 2>&1 </dev/null
for bad in "root $tmp/top upper" "root $tmp/top upper $tmp/k size 1M" "root $tmp/top ro upper $tmp/k" "root $tmp/top $tmp/mid rw" "root $tmp/base.tar rw"; do
	run -c "$jar; $bad"
	is "usage: ${bad#root }" "$status" 2
done
done_testing
