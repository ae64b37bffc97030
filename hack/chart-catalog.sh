#!/usr/bin/env bash
# Copies the providers of config/catalog into the chart, which installs them with
# catalog.enabled. It reads them as data, so that braces in them are not Helm's.
set -euo pipefail

cd "$(dirname "$0")/.."
out=charts/tokensync/files/catalog

rm -rf "$out"
mkdir -p "$out"
for provider in config/catalog/*.yaml; do
	name=$(basename "$provider")
	[[ $name == kustomization.yaml ]] && continue
	# The chart reads the first document of each.
	if (($(grep -c '^kind: ' "$provider") != 1)); then
		echo "$provider: holds more than one object; the chart would drop the others" >&2
		exit 1
	fi
	{
		echo "# Copied by hack/chart-catalog.sh from $provider. Do not edit."
		sed '/^#/d' "$provider"
	} >"$out/$name"
done
# Every one of them is also in the kustomization.
if ! diff <(cd "$out" && ls) <(sed -n 's/^- //p' config/catalog/kustomization.yaml | sort) >/dev/null; then
	echo "config/catalog/kustomization.yaml does not list every provider of its folder" >&2
	exit 1
fi
