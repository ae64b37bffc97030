#!/usr/bin/env bash
# Copies the roles of config/rbac into the chart, which renders their rules: what
# the operator may do is written once.
set -euo pipefail

cd "$(dirname "$0")/.."
out=charts/tokensync/files

rm -rf "$out"
mkdir -p "$out"
for role in role leader_election_role credential_viewer_role credential_editor_role; do
	file=config/rbac/$role.yaml
	# The chart reads the first document of each.
	if (($(grep -c '^kind: ' "$file") != 1)); then
		echo "$file: holds more than one object; the chart would drop the others" >&2
		exit 1
	fi
	{
		echo "# Copied by hack/chart-rbac.sh from $file. Do not edit."
		grep -v '^---$' "$file"
	} >"$out/$role.yaml"
done
