#!/bin/sh
# inmemory.sh runs a command whose temporary files are in memory where there is
# room for them, and on the disk as ever where there is not: tests make some
# hundred databases, each of a thousand files, and throw them away.
#
#   scripts/inmemory.sh go test ./server/store
set -eu

MEMORY=/dev/shm
ROOM=4194304 # KiB that have to be free; tests take a quarter of it

usable() {
	[ -z "${TMPDIR-}" ] && [ -w "$MEMORY" ] || return
	grep " $MEMORY tmpfs " /proc/mounts 2>/dev/null | grep -qv noexec || return # tests are programs there
	[ "$(df -Pk "$MEMORY" | awk 'NR == 2 { print $4 }')" -ge "$ROOM" ] &&
		[ "$(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo)" -ge $((2 * ROOM)) ]
}

usable || exec "$@"
TMPDIR=$(mktemp -d "$MEMORY/tidechart-XXXXXX")
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
chmod 1777 "$TMPDIR" # Postgres may run as another user
"$@"
