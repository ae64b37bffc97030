#!/usr/bin/env bash
# Builds the images of the end-to-end suite, as archives that `ctr images import` and
# `kind load image-archive` take:
#
#   test/e2e/images.sh DIRECTORY
#
#   DIRECTORY/operator.tar   localhost/tokensync-operator:e2e   by the project's Dockerfile
#   DIRECTORY/sidecar.tar    localhost/tokensync-sidecar:e2e    likewise
#   DIRECTORY/app.tar        localhost/tokensync-e2e-app:e2e    by test/e2e/Dockerfile
#
# Nothing is pulled: the binaries are built here, and the base has nothing but the root
# certificates of this machine. An image is built anew when something in it changed.
#
# It takes Debian's buildah, which it installs where there is none, and whose store it keeps
# in DIRECTORY while it runs. E2E_IMAGES_BUILDER=docker or podman uses that instead.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
builder=${E2E_IMAGES_BUILDER:-buildah}

fail() {
	echo "test/e2e/images.sh: $*" >&2
	exit 1
}

(($# == 1)) || fail "name the directory for the images, such as bin/e2e/images"
mkdir -p "$1"
out=$(cd "$1" && pwd)
[[ -w $out ]] || fail "$out belongs to somebody else, such as root after a run with sudo: run it as that user"
arch=$(go env GOARCH)

# Two may come at a time.
exec 9>"$out/.lock"
flock 9

# ---- The program that makes images ----

source "$root/hack/apt.sh"

install_buildah() {
	local otherwise="install buildah by hand, or set E2E_IMAGES_BUILDER=docker or podman"
	command -v apt-get >/dev/null || fail "there is no buildah, and no apt-get to install it with: $otherwise"
	((EUID == 0)) || fail "there is no buildah, and to install it takes root: run \"sudo apt-get install buildah\", or set E2E_IMAGES_BUILDER=docker or podman"
	echo ">> images: installing Debian's buildah; this happens once" >&2
	apt_get update || fail "apt-get update has failed: is the network there? Otherwise $otherwise"
	apt_get install -y --no-install-recommends buildah || fail "apt-get could not install buildah: $otherwise"
}

case $builder in
buildah) command -v buildah >/dev/null || install_buildah ;;
docker | podman) command -v "$builder" >/dev/null || fail "there is no $builder on the PATH, which E2E_IMAGES_BUILDER names" ;;
*) fail "E2E_IMAGES_BUILDER is $builder: use buildah, docker or podman" ;;
esac

# Every build would leave a copy of each layer there.
trap 'rm -rf "$out/storage"' EXIT

buildah_here() {
	buildah --root "$out/storage/root" --runroot "$out/storage/run" --storage-driver vfs "$@"
}

build() { # name $1, and how
	local name=$1
	shift
	case $builder in
	buildah) buildah_here bud --isolation chroot --pull-never --quiet -t "$name" "$@" >/dev/null ;;
	*) "$builder" build --quiet -t "$name" "$@" >/dev/null ;;
	esac
}

save() { # name $1 into file $2
	case $builder in
	buildah) buildah_here push --quiet "$1" "oci-archive:$2:$1" ;;
	podman) podman save --quiet --format oci-archive -o "$2" "$1" ;;
	docker) docker save -o "$2" "$1" ;;
	esac
}

# ---- What goes into the images ----

compile() { # package $1 into file $2
	(cd "$root" && CGO_ENABLED=0 GOOS=linux GOARCH="$arch" \
		go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=e2e" -o "$2" "$1")
}

context=$out/context
mkdir -p "$root/dist" "$context"
for command in tokensync-operator tokensync-sidecar; do
	compile "./cmd/$command" "$root/dist/$command-linux-$arch"
done
compile ./test/e2e/app "$context/app"
certificates=/etc/ssl/certs/ca-certificates.crt
[[ -f $certificates ]] || fail "there is no $certificates: install the package ca-certificates"
cp "$certificates" "$context/ca-certificates.crt"

# ---- The images ----

of_the_suite() { # target $1, name $2
	build "$2" --target "$1" -f "$here/Dockerfile" "$context"
}

of_the_project() { # target $1, name $2
	local base=localhost/tokensync-e2e-base:e2e
	of_the_suite base "$base"
	build "$2" --target "$1" -f "$root/Dockerfile" --build-arg BASE="$base" --build-arg BINARY=prebuilt \
		--build-arg TARGETOS=linux --build-arg TARGETARCH="$arch" --build-arg VERSION=e2e "$root"
}

# Builds an image and saves it, unless all that it is made of is as it was then.
image() { # target $1, name $2, by which function $3, inputs $4...
	local target=$1 name=$2 by=$3 file=$out/$1.tar stamp start=$SECONDS
	shift 3
	stamp="$builder $name $(cat "$@" "$here/images.sh" "$here/Dockerfile" | sha256sum)"
	if [[ -f $file && -f $file.stamp && $(<"$file.stamp") == "$stamp" ]]; then
		return
	fi
	"$by" "$target" "$name"
	rm -f "$file.new"
	save "$name" "$file.new"
	mv "$file.new" "$file"
	echo "$stamp" >"$file.stamp"
	echo ">> images: built $name in $((SECONDS - start)) s"
}

for target in operator sidecar; do
	image "$target" "localhost/tokensync-$target:e2e" of_the_project \
		"$root/dist/tokensync-$target-linux-$arch" "$root/Dockerfile" "$root/.dockerignore" "$certificates"
done
image app localhost/tokensync-e2e-app:e2e of_the_suite "$context/app"
