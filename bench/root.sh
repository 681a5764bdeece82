#!/bin/sh
# Makes what the rows run in: DIR/root, a busybox root, and bundles around it in the container format for each of its
# programs true, pause and check: DIR/runc-PROGRAM with the limits, DIR/crun-PROGRAM without, for a crun that is told to
# leave cgroups alone.
#
#	root.sh DIR PROGRAMS     where PROGRAMS holds the compiled "true" and "pause"
set -eu
dir=$1 programs=$2
busybox=$(command -v busybox) || {
	echo "root.sh: no busybox: install busybox-static" >&2
	exit 1
}

mkdir -p "$dir/root"
cd "$dir/root"
mkdir -p bin dev etc proc root sys tmp
cp "$busybox" bin/busybox
cp "$programs/true" bin/true
cp "$programs/pause" bin/pause
for name in sh cat head readlink rm sleep tail touch; do
	ln -sf busybox "bin/$name"
done
cat > bin/check <<'EOF'
#!/bin/sh
# Says what the sandbox around it really is, by trying: $1 holds the host's namespaces.
kinds=0
for kind in cgroup ipc mnt net pid uts user; do
	case " $* " in
	*" $(readlink /proc/self/ns/$kind) "*) ;;
	*) kinds=$((kinds + 1)) ;;
	esac
done
mounts=0
while read -r line; do
	mounts=$((mounts + 1))
done < /proc/mounts
root=writable
touch /written 2> /dev/null || root=read-only
rm -f /written
memory=free
head -c 100000000 /dev/zero | tail -c 100000000 > /dev/null 2>&1 || memory=limited
pids=free
(
	for i in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32; do
		sleep 2 &
	done
) 2> /dev/null || pids=limited
nodes=
for name in null zero full random urandom tty ptmx; do
	test -c /dev/$name && nodes="$nodes $name"
done
echo "$kinds kinds of namespace, $mounts mounts, root $root, memory $memory, pids $pids, /dev:$nodes"
EOF
chmod +x bin/check
echo 'root:x:0:0::/root:/bin/sh' > etc/passwd
cd ..

bundle() # NAME RESOURCES PROGRAM
{
	mkdir -p "$1"
	cat > "$1/config.json" <<-EOF
	{
	  "ociVersion": "1.0.0",
	  "process": {
	    "user": {"uid": 0, "gid": 0},
	    "args": ["$3"],
	    "env": ["PATH=/bin"],
	    "cwd": "/"
	  },
	  "root": {"path": "$dir/root", "readonly": true},
	  "mounts": [
	    {"destination": "/proc", "type": "proc", "source": "proc"},
	    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
	     "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
	    {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
	     "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]},
	    {"destination": "/dev/shm", "type": "tmpfs", "source": "shm",
	     "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]},
	    {"destination": "/sys", "type": "sysfs", "source": "sysfs",
	     "options": ["nosuid", "noexec", "nodev", "ro"]}
	  ],
	  "linux": {
	    $2
	    "namespaces": [
	      {"type": "mount"}, {"type": "pid"}, {"type": "network"}, {"type": "ipc"}, {"type": "uts"}, {"type": "cgroup"}
	    ]
	  }
	}
	EOF
}

limits='"resources": {"memory": {"limit": 67108864}, "pids": {"limit": 32}},'
own=$(cd /proc/self/ns && for kind in cgroup ipc mnt net pid uts user; do readlink $kind; done | tr '\n' ' ')
for program in true pause "check $own"; do
	args=$(echo "/bin/$program" | sed 's/ *$//; s/ /", "/g')
	bundle "runc-${program%% *}" "$limits" "$args"
	bundle "crun-${program%% *}" '' "$args"
done
