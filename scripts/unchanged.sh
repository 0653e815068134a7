#!/bin/sh
# unchanged.sh runs a command that makes generated files, and fails, naming
# them, if it changed any: they are committed, and must be what their sources
# say. It compares with what was there before and not with the last commit, so
# that it serves a clean clone and work in progress alike.
#
#   scripts/unchanged.sh make generate
set -eu
cd "$(dirname "$0")/.."

snapshot() {
	find . \( -name node_modules -o -name .git \) -prune -o -type f \
		\( -name '*_templ.go' -o -path './web/dist/*' -o -path './server/store/queries/*' \) \
		-exec cksum {} + | sort -k 3
}

before=$(mktemp)
after=$(mktemp)
trap 'rm -f "$before" "$after"' EXIT

snapshot >"$before"
"$@"
snapshot >"$after"
if ! cmp -s "$before" "$after"; then
	echo "Generated files were not up to date (run: make generate, and commit):" >&2
	diff "$before" "$after" | awk '/^[<>]/ { print "  " $4 }' | sort -u >&2
	exit 1
fi
