#!/bin/sh
# What was changed in a root, from the upper layer: layers, changes, commit and its way back, reset; seen inside, in the archive and on the
# host's disk.
. "$(dirname "$0")/front.inc"
[ "$(id -u)" = 0 ] || { echo "skip - needs root"; exit 77; }
[ -x /bin/busybox ] && command -v python3 >/dev/null || { echo "skip - needs busybox-static and python3"; exit 77; }
jar='new a; unshare mnt pid'
mkdir -p "$tmp/low/etc/gone" "$tmp/low/etc/again" "$tmp/low/full" "$tmp/low/moved"
for f in etc/kept etc/edited etc/deleted etc/remade etc/touched etc/gone/x etc/again/x full/a moved/m; do echo low >"$tmp/low/$f"; done
change="echo more >>/etc/edited; rm /etc/deleted; rm /etc/remade; echo new >/etc/remade; chmod 600 /etc/touched; rm -r /etc/gone /full; mkdir /full
	echo b >/full/b; mkdir /made; echo x >/made/x; ln -s x /made/link; mkfifo /made/fifo; ln /made/x /made/hard; rm -r /etc/again; echo f >/etc/again"
want="modified copy-up directory /etc
modified replaced file /etc/again
deleted whiteout - /etc/deleted
modified copy-up file /etc/edited
deleted whiteout - /etc/gone
modified replaced file /etc/remade
modified copy-up file /etc/touched
modified opaque directory /full
added new file /full/b
added new directory /made
added new fifo /made/fifo
added new file /made/hard
added new link /made/link
added new file /made/x"
columns() { echo "$out" | awk '/^(added|modified|deleted)/ { print $1, $2, $3, $5 }'; }

run -c "$jar; root $tmp/low busybox; run sh -c '$change'; changes"
is "changes, with the mechanism" "$(columns)" "$want"
run -c "$jar; root $tmp/low busybox upper $tmp/up; run sh -c '$change'; changes"
is "... in a directory of the host's" "$(columns)" "$want"
run -c "$jar; root $tmp/low busybox upper $tmp/up; changes"
is "... and the next time" "$(columns)" "$want"
run --json -c "$jar; root $tmp/low busybox upper $tmp/up; layers; changes"
is "JSON: layers" "$(echo "$out" | python3 -c "
import json, sys
d = json.JSONDecoder(); t = sys.stdin.read(); l, n = d.raw_decode(t); c, _ = d.raw_decode(t[n:].strip())
print([x['kind'] for x in l], l[0]['files'], l[1]['files'], l[1]['directory'] == '$tmp/low', l[2]['bytes'], len(c), c[0]['path'])")" \
	"['upper', 'lower', 'lower'] 14 14 True None 14 /etc"
run -c "$jar; root $tmp/low busybox size 1M; run sh -c 'echo x >/f'; layers"
has "layers: what a layer in memory may hold" "$out" "*memory  *upper  *4096  *1  *1048576*$tmp/low  *lower*"

# commit and back, as an archive and as a directory; the archive's words
run -c "$jar; root $tmp/low busybox; run sh -c '$change'; commit $tmp/l.tar; commit $tmp/l.tgz; commit $tmp/l.d"
is "commit says the digest" "$out" "sha256:$(sha256sum <"$tmp/l.tar" | cut -d' ' -f1)
sha256:$(sha256sum <"$tmp/l.tgz" | cut -d' ' -f1)"
is "the archive has OCI's marks" "$(python3 -c "
import tarfile
t = tarfile.open('$tmp/l.tar')
n = t.getnames()
print([x for x in n if '.wh.' in x and not x.startswith('made')], t.getmember('made/x').islnk() or t.getmember('made/hard').islnk(), t.getmember('full').isdir())")" \
	"['etc/.wh.deleted', 'etc/.wh.gone', 'full/.wh..wh..opq'] True True"
is "a directory has the kernel's" "$(stat -c '%F %t:%T' "$tmp/l.d/etc/deleted"):$(stat -c %h "$tmp/l.d/made/x")" "character special file 0:0:2"
look='cd /; cat etc/edited etc/remade etc/again; stat -c %a etc/touched; ls etc/kept full made; ls etc | grep -c -e deleted -e gone'
run -c "$jar; root $tmp/low busybox; run sh -c '$change; $look'"
seen=$out
for l in l.tar l.tgz l.d; do
	run -c "$jar; root $tmp/$l $tmp/low busybox; run sh -c '$look'"
	is "root takes it back: $l" "$(echo "$out" | grep -v '^fifo$')" "$(echo "$seen" | grep -v '^fifo$')"
done
run -c "$jar; root $tmp/low busybox; run sh -c '$change'; commit $tmp/u.tar; undo; !ls $tmp | grep -c u.tar"
has "undo takes the archive away" "$out" "sha256:*
took back: commit $tmp/u.tar
0"
run -c "new a; unshare user mnt pid; map auto; root busybox; run sh -c 'echo x >/f; chown 5:6 /f'; commit $tmp/owner.tar"
is "owners as the sandbox numbers them" "$(python3 -c "
import tarfile
m = tarfile.open('$tmp/owner.tar').getmember('f')
print(m.uid, m.gid)")" "5 6"
run -c "$jar; root $tmp/low busybox; commit $tmp/l.tar"
has "what is there is not replaced" "$status:$err" "1:*l.tar: it is there already*"
run -c "$jar; root $tmp/low busybox; run touch /.wh.x; commit $tmp/w.tar"
has "a name that would be a mark" "$status:$err" "1:*w.tar: .wh.x has a name that means a deleted file*"
run -c "$jar; root $tmp/low busybox; run sh -c 'i=0; while [ \$i -lt 250 ]; do mkdir d; cd d; i=\$((i+1)); done'; commit $tmp/w.tar"
has "too deep" "$status:$err" "1:*more than 200 directories in one another*"
run -k -c "$jar; changes; commit $tmp/w.tar; reset; layers; root $tmp/low ro; changes; root $tmp/l.d rw; reset"
is "roots without an upper layer" "$(echo "$err" | grep -c -e 'has no layers' -e 'no upper layer')" 6
is "nothing is left of commits that failed" "$(ls -A "$tmp" | grep -c -e '^w.tar' -e belljar)" 0

# reset
run -c "$jar; root $tmp/low busybox size 64K; run sh -c 'echo x >/f; rm -r /etc /bin'; reset; changes; run sh -c 'cat /etc/kept; ls /f'"
has "reset: the layer in memory" "$out:$err" "CHANGE*low:*/f: No such file*"
run -c "$jar; root $tmp/low busybox upper $tmp/up; reset; layers; run cat /etc/deleted"
has "reset: the directory is emptied too" "$out:$(find "$tmp/up/upper" | wc -l):$(ls "$tmp/up" | tr '\n' ' ')" "*low:1:upper work *"
run -c "$jar; root $tmp/low busybox; run -d sleep 100; reset"
has "reset: not while programs run" "$status:$err" "1:*programs run in it*"

# A session that lasts: the layer in memory is reached by another belljar, under another name too
run -s bj-changes -c "$jar; root $tmp/low busybox; run sh -c 'echo x >/f'"
run -s bj-changes -c "changes; rename b; layers"
has "another belljar sees the changes" "$status:$out" "0:*added*/f*memory*"
run -s bj-changes -c "commit $tmp/named.tar; reset; run sh -c 'echo y >/g'"
run -s bj-changes -c "changes"
has "... and what is in the layer after a reset" "$(columns)" "added new file /g"
is "... and its archive was whole" "$(tar tf "$tmp/named.tar" | tr '\n' ' ')" "./ f "
"$BELLJAR" -s bj-changes -c end >/dev/null 2>&1 </dev/null
done_testing
