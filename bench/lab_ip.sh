#!/bin/sh
# The lab of the lab table, made and removed with the ip command. It puts br0 into the net namespace that it is run in, and
# its nodes into /run/netns: bench/run gives it a private net and mount namespace for both.
#
#	lab_ip.sh script N      one ip process for each change
#	lab_ip.sh batch N       ip -batch outside, one ip -batch inside each node
set -eu
how=$1 count=$2

address() # NUMBER
{
	echo "10.0.$(($1 / 256)).$(($1 % 256))/16"
}

script_node() # NUMBER
{
	ip netns add "n$1"
	ip link add "n$1" numtxqueues 1 numrxqueues 1 type veth peer name eth0 netns "n$1" numtxqueues 1 numrxqueues 1
	ip link set "n$1" master br0 up
	ip -n "n$1" address add "$(address "$1")" dev eth0
	ip -n "n$1" link set eth0 up
	ip -n "n$1" link set lo up
}

script_build()
{
	ip link add br0 type bridge
	for i in $(seq "$count"); do
		script_node "$i"
	done
	ip address add 10.0.255.254/16 dev br0
	ip link set br0 up
}

script_remove()
{
	for i in $(seq "$count"); do
		ip netns delete "n$i"
	done
	ip link delete br0
}

batch_build()
{
	{
		echo 'link add br0 type bridge'
		for i in $(seq "$count"); do
			echo "netns add n$i"
			echo "link add n$i master br0 up numtxqueues 1 numrxqueues 1 type veth" \
			     "peer name eth0 netns n$i numtxqueues 1 numrxqueues 1"
		done
		echo 'address add 10.0.255.254/16 dev br0'
		echo 'link set br0 up'
	} | ip -batch -
	for i in $(seq "$count"); do
		printf 'address add %s dev eth0\nlink set eth0 up\nlink set lo up\n' "10.0.$((i / 256)).$((i % 256))/16" |
			ip -n "n$i" -batch -
	done
}

batch_remove()
{
	{
		for i in $(seq "$count"); do
			echo "netns delete n$i"
		done
		echo 'link delete br0'
	} | ip -batch -
}

"${how}_build"
[ -z "${PAIR_BUILT-}" ] || echo > "$PAIR_BUILT"
"${how}_remove"
