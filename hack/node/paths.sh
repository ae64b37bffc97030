# Sourced by the scripts of this folder: where things are, and whether they are there.

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
controlplane=${KUBEBUILDER_ASSETS:-$repository/bin/controlplane}

# What is built or unpacked, and stays.
bin=$repository/bin/node/bin
debian=$repository/bin/node/debian

# What a node makes of its own accord, and down.sh removes: certificates, kubeconfigs,
# configuration, logs, and the layers of containers.
state=$repository/bin/node/state
pki=$state/pki
log=$state/log

# The name of the node, of its cgroup and of its bridge; and its address, which nobody
# outside of its network namespace can reach.
node=tokensync-node
address=10.199.0.1

# Prints the number of the process in the file $1 of $state, if that is one of the node's. A
# file may be older than the machine has been up, and its number somebody else's by now.
process() {
	local number
	number=$(cat "$state/$1.pid" 2>/dev/null) && grep -qs "/$node\$" "/proc/$number/cgroup" && echo "$number"
}

# Asks whether path $3 at host $1 and port $2 is answered with 200.
answers() {
	local status
	exec 3<>"/dev/tcp/$1/$2" || return
	printf 'GET %s HTTP/1.0\r\n\r\n' "$3" >&3
	read -r status <&3
	exec 3>&-
	[[ $status == *200* ]]
}

# The hierarchies of cgroup v1 that the kubelet and runc use.
hierarchies="cpu cpuacct cpuset memory devices freezer blkio pids"
