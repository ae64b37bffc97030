#!/usr/bin/env bash
# Copies the policies of config/injection into the chart, which installs them with
# sidecar.injection.enabled and puts its values into them. It reads them as data.
set -euo pipefail

cd "$(dirname "$0")/.."
out=charts/tokensync/files/injection

rm -rf "$out"
mkdir -p "$out"
for file in config/injection/*_policy.yaml config/injection/*_binding.yaml; do
	# The chart reads the first document of each.
	if (($(grep -c '^kind: ' "$file") != 1)); then
		echo "$file: holds more than one object; the chart would drop the others" >&2
		exit 1
	fi
	{
		echo "# Copied by hack/chart-injection.sh from $file. Do not edit."
		grep -v '^---$' "$file"
	} >"$out/$(basename "$file")"
done
