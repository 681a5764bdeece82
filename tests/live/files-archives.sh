#!/bin/sh
# Archives as roots: what arrives, what must not, and what is said of damaged, foreign and hostile ones. Every way out is tried alone.
. "$(dirname "$0")/front.inc"
[ "$(id -u)" = 0 ] || { echo "skip - needs root"; exit 77; }
[ -x /bin/busybox ] && command -v python3 >/dev/null || { echo "skip - needs busybox-static and python3"; exit 77; }
jar='new a; unshare mnt pid'
mkdir -p "$tmp/canary"
echo outside >"$tmp/canary/secret"

python3 - "$tmp" <<'P'
import gzip, io, lzma, os, sys, tarfile
top = sys.argv[1]
canary = top + "/canary"
up = "../" * 20 + canary.lstrip("/")
busybox = open("/bin/busybox", "rb").read()
S, H, D, C, B, F = tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE

class Tar:
    def __init__(self, name, **how):
        self.path = top + "/" + name
        self.tar = tarfile.open(self.path, "w", format=how.pop("format", tarfile.PAX_FORMAT))
        self("bin", type=D, mode=0o755)
        self("bin/busybox", busybox, mode=0o755)
        self("bin/sh", type=S, linkname="busybox")
    def __call__(self, name, data=b"", **fields):
        t = tarfile.TarInfo(name)
        t.mode = 0o644
        for key, value in fields.items():
            setattr(t, key, value)
        t.size = len(data)
        self.tar.addfile(t, io.BytesIO(data))
        return self
    def close(self):
        self.tar.close()

# Attributes
t = Tar("good.tar")
t("etc", type=D, mode=0o750, uid=1, gid=2, mtime=1000000000)
t("etc/file", b"hello\n", mode=0o640, uid=1000, gid=1001, mtime=1234567890)
t("etc/suid", b"x", mode=0o6755)
t("etc/cap", b"x", mode=0o755, pax_headers={"SCHILY.xattr.security.capability": "\x01\0\0\2\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0"})
t("etc/hard", type=H, linkname="etc/file")
t("etc/abs-hard", type=H, linkname="/etc/file")
t("etc/link", type=S, linkname="/etc/file", uid=5, gid=6)
t("/abs/dir/file", b"absolute\n")
t("./dot//slash/./file", b"dotted\n")
t("twice", b"first\n")
t("twice", b"second\n")
t("gone", type=D)
t("gone", b"a file now\n")
t("turned", b"a file\n")
t("turned", type=D, mode=0o700)
t("turned/in", b"in\n")
t("tmp", type=D, mode=0o1777)
t("null", type=C, devmajor=1, devminor=3)
t("disk", type=B, devmajor=8, devminor=0)
t("fifo", type=F)
t(".wh.removed")
t("etc/.wh..wh..opq")
t("n" * 255, b"long\n")
t("caf\u00e9 \u732b", b"utf8\n")
t(".", type=D, mode=0o751)
t.close()
Tar("gnu.tar", format=tarfile.GNU_FORMAT)("a" * 90 + "/" + "b" * 90, b"gnu long\n").close()
Tar("ustar.tar", format=tarfile.USTAR_FORMAT)("x/y", b"ustar\n").close()

# Ways out
hostile = {
    "dotdot": lambda t: t(up + "/f", b"owned\n"),
    "midway": lambda t: t("x/../../../" + up + "/f", b"owned\n"),
    "only-dots": lambda t: t("..", type=D, mode=0o777),
    "absolute": lambda t: t(canary + "/f", b"owned\n"),
    "through-link": lambda t: t("d", type=S, linkname=canary)("d/f", b"owned\n"),
    "through-relative": lambda t: t("d", type=S, linkname=up)("d/f", b"owned\n"),
    "two-links": lambda t: t("a", type=S, linkname="b")("b", type=S, linkname=canary)("a/f", b"owned\n"),
    "over-link": lambda t: t("d", type=S, linkname=canary + "/secret")("d", b"owned\n"),
    "dir-over-link": lambda t: t("d", type=S, linkname=canary)("d", type=D, mode=0o777)("d/f", b"owned\n"),
    "loop": lambda t: t("l", type=S, linkname="l")("l/f", b"owned\n"),
    "hard-absolute": lambda t: t("h", type=H, linkname=canary + "/secret")("h", b"owned\n"),
    "hard-relative": lambda t: t("h", type=H, linkname=up + "/secret"),
    "hard-through-link": lambda t: t("d", type=S, linkname=canary)("h", type=H, linkname="d/secret"),
    "hard-self": lambda t: t("h", type=H, linkname="h"),
    "root-replaced": lambda t: t(".", type=S, linkname=canary)("f", b"owned\n"),
    "root-file": lambda t: t("/", b"owned\n"),
    "proc-link": lambda t: t("proc", type=S, linkname=canary),
    "dev-link": lambda t: t("dev", type=S, linkname=canary)("dev/null", type=C, devmajor=1, devminor=3),
    "sys-file": lambda t: t("proc", b"not a directory\n"),
    "magic": lambda t: t("m", type=S, linkname="/proc/self/root")("m" + canary + "/f", b"owned\n"),
    "whiteout": lambda t: t("w", type=S, linkname=canary)("w/.wh.secret"),
    "deep": lambda t: t("d/" * 5000 + "f", b"deep\n"),
    "long-part": lambda t: t("p" * 300, b"long\n"),
    "owners": lambda t: t("o", b"x", uid=2**32 - 1, gid=2**31),
    "times": lambda t: t("o", b"x", mtime=-1)("p", b"x", mtime=2**62),
    "overlay-marks": lambda t: t("o", b"x", pax_headers={"SCHILY.xattr.trusted.overlay.redirect": up}),
}
for name, make in hostile.items():
    t = Tar("hostile-" + name + ".tar")
    make(t)
    t.close()

# Bombs and damage
# 10 GB of zeros in less than 10 KB: members of a compressed file stand behind one another, and compressed files may be compressed again.
def packed_twice(name, head, member, times):
    with open(top + "/" + name, "wb") as out:
        out.write(lzma.compress(gzip.compress(head) + gzip.compress(member, 9) * times))
t = tarfile.TarInfo("zeros")
t.size = 10 << 30
packed_twice("huge.tar.xz", t.tobuf(tarfile.GNU_FORMAT), bytes(1 << 26), (t.size >> 26) + 1)
# The same as one hole, and a million entries.
with open(top + "/hole", "wb") as out:
    out.truncate(10 << 30)
packed_twice("million.tar.xz", b"", tarfile.TarInfo("one").tobuf() * 10000, 100)
with tarfile.open(top + "/bomb.tar.gz", "w:gz", compresslevel=9) as out:
    t = tarfile.TarInfo("zeros")
    t.size = 1 << 30
    class Zeros(io.RawIOBase):
        def read(self, n=-1): return bytes(n)
    out.addfile(t, Zeros())
with tarfile.open(top + "/many.tar", "w") as out:
    for i in range(6000):
        out.addfile(tarfile.TarInfo("f%d" % i))
good = open(top + "/good.tar", "rb").read()
open(top + "/cut.tar", "wb").write(good[:len(good) // 2])
packed = gzip.compress(good)
open(top + "/cut.tar.gz", "wb").write(packed[:len(packed) // 2])
broken = bytearray(packed)
for i in range(len(broken) // 2, len(broken) // 2 + 64):
    broken[i] ^= 0xff
open(top + "/broken.tar.gz", "wb").write(broken)
header = bytearray(good)
header[512 + 148:512 + 154] = b"777777"
open(top + "/header.tar", "wb").write(header)
open(top + "/text", "w").write("no archive\n" * 100)
open(top + "/empty", "w").close()
P
mkfifo "$tmp/pipe"
tar -C "$tmp" --sparse -czf "$tmp/hole.tar.gz" hole
rm "$tmp/hole"
for name in huge.tar.xz hole.tar.gz million.tar.xz; do
	[ "$(stat -c %s "$tmp/$name")" -lt 10000 ] || fail "$name is no bomb: $(stat -c %s "$tmp/$name") bytes"
done

# What arrives
run -c "$jar; root $tmp/good.tar; run sh -c 'cd /; busybox stat -c \"%n %a %u %g %h %Y\" etc etc/file etc/suid tmp . ; busybox ls; busybox cat abs/dir/file dot/slash/file twice gone turned/in; busybox readlink etc/link; busybox stat -c %u etc/link; busybox ls -A etc; busybox cat n* caf*; busybox stat -c %i etc/file etc/hard etc/abs-hard | busybox uniq | busybox wc -l'"
is "a good archive" "$status:$err" 0:
has "owner, mode, time, links" "$out" "*etc 750 1 2 2 1000000000
etc/file 640 1000 1001 3 1234567890
etc/suid 6755 0 0 1 *
tmp 1777 *
. 751 0 0 *"
has "contents" "$out" "*
absolute
dotted
second
a file now
in
/etc/file
5
*
long
utf8
1"
hasnt "device nodes, fifos and marks of deleted files stay away" "$out" "*null*"
hasnt "fifos" "$out" "*fifo*"
hasnt "marks" "$out" "*.wh.*"
for format in gnu ustar; do
	run -c "$jar; root $tmp/$format.tar; run sh -c 'busybox find / -xdev -type f | busybox grep -v busybox | busybox xargs busybox cat'"
	has "format $format" "$out" "*$format*"
done
run -c "$jar; root $tmp/good.tar ro; run sh -c 'echo x >/new'"
has "read-only" "$err" "*Read-only*"

# What must not
for archive in "$tmp"/hostile-*.tar; do
	timeout 20 "$BELLJAR" -c "$jar; root $archive; run sh -c 'echo x >/proc/self/comm; for d in d l h w m; do echo y >\$d/f; done; true'" >"$tmp/out" 2>&1 </dev/null
	status=$?
	name=$(basename "$archive" .tar)
	[ $status -le 2 ] || fail "$name: status $status"
	[ $status = 0 ] || grep -q "^belljar: root: .*" "$tmp/out" || fail "$name: not said in words: $(cat "$tmp/out")"
	is "$name" "$(ls -A "$tmp/canary" | tr '\n' ' ')$(cat "$tmp/canary/secret")$(stat -c %h%a "$tmp/canary/secret")" "secret outside1644"
done
for name in dotdot midway only-dots hard-absolute hard-relative hard-through-link hard-self root-replaced root-file proc-link dev-link sys-file deep long-part loop; do
	run -c "$jar; root $tmp/hostile-$name.tar"
	is "refused: $name" "$status" 1
done
has "by the entry's name" "$("$BELLJAR" -c "$jar; root $tmp/hostile-dotdot.tar" 2>&1)" "*entry ../../../*/canary/f: it would lie outside*"
printf 'x' >"$tmp/esc"
python3 - "$tmp" <<'P'
import tarfile, sys
t = tarfile.open(sys.argv[1] + "/escape.tar", "w")
t.addfile(tarfile.TarInfo("../\x1b]0;owned\x07"))
t.close()
P
run -c "$jar; root $tmp/escape.tar"
hasnt "names can't drive the terminal" "$err" "*$(printf '\033')*"

# Bombs and damage: an error, and the sandbox as it was
for try in "bomb.tar.gz unpack 8M:*zeros: can't be written, the archive holds more than may be unpacked (EFBIG)*unpack 2G*" "huge.tar.xz:*entry zeros*EFBIG*" "hole.tar.gz:*entry hole*EFBIG*" \
	"million.tar.xz unpack 2M:*entry one*EFBIG*" "many.tar unpack 2M:*entry f4*EFBIG*" "cut.tar:*" "cut.tar.gz:*truncated*" \
	"broken.tar.gz:*" "header.tar:*" "text:*no archive*" "empty:*empty*" "pipe:*neither*" "nothere:*no such*"; do
	run -c "$jar; root $tmp/${try%%:*}"
	is "an error: ${try%%:*}" "$status" 1
	has "in words" "$err" "${try#*:}"
	run -k -c "$jar; mounts > $tmp/before; root $tmp/${try%%:*}; expect not mounted /dev/mqueue; run ls -d $tmp; mounts > $tmp/mounts; root $tmp/good.tar; run sh -c 'echo usable'"
	has "and the sandbox is as it was" "$out" "$tmp
usable"
	is "nothing of it stays in the cache" "$(ls -A "$BELLJAR_CACHE" | grep -c belljar)" 0
	is "nothing is mounted" "$(<"$tmp/mounts")" "$(<"$tmp/before")"
done
exit $((failed > 0))
