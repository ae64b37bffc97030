# Sourced by what builds Kubernetes and its kin from Go modules: here and in ../node.
# Wants `out`, the directory of the binaries.

module_version() { # of module $2 as pinned in the module at $1
	(cd "$1" && go list -m -f '{{.Version}}' "$2")
}

# Components read their version from variables, which their own build sets by flags.
kubernetes_flags() { # of version $1
	local minor=${1#v1.} package
	minor=${minor%%.*}
	for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
		printf -- '-X %s.gitVersion=%s -X %s.gitMajor=1 -X %s.gitMinor=%s -X %s.gitTreeState=clean ' \
			$package "$1" $package $package "$minor" $package
	done
}

build() { # in the module at $1, with linker flags $2, packages $3...
	local module=$1 flags=$2 start=$SECONDS
	shift 2
	echo ">> building $* (once, into $out)"
	(cd "$module" && CGO_ENABLED=0 go build -trimpath -ldflags "-s -w $flags" -o "$out/" "$@")
	echo ">> built ${*##*/} in $((SECONDS - start)) s"
}
