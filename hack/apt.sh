# Sourced by the scripts that get Debian's packages. The array as_root may hold a command
# that makes who runs them root.
[[ -v as_root ]] || as_root=()

# What apt-get says is of interest when it fails.
quietly() {
	local said
	said=$("$@" 2>&1) || { echo "$said" >&2; return 1; }
}

# Other programs may use apt-get, too, and are waited for.
apt_get() {
	quietly "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@"
}

# Fetches packages into this folder, without installing them. The lists of a fresh machine
# are missing, and those of an old one name what is gone.
apt_download() {
	apt-get -qq download "$@" >/dev/null 2>&1 || { apt_get update && quietly apt-get -qq download "$@"; }
}
