#!/usr/bin/env bash
# Copies the roles of config/rbac into the chart, which renders their rules: what
# the operator may do is written once.
set -euo pipefail

cd "$(dirname "$0")/.."
out=charts/tokensync/files

rm -f "$out"/*.yaml
mkdir -p "$out"
for file in config/rbac/*role.yaml; do
	# The chart reads the first document of each.
	if (($(grep -c '^kind: ' "$file") != 1)); then
		echo "$file: holds more than one object; the chart would drop the others" >&2
		exit 1
	fi
	{
		echo "# Copied by hack/chart-rbac.sh from $file. Do not edit."
		grep -v '^---$' "$file"
	} >"$out/$(basename "$file")"
done
