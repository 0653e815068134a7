#!/bin/sh
# bench-sealed.sh says what it costs a keystroke that notes are sealed and acts
# recorded. There is no switch that turns either off, so it puts the same load,
# in turns, on this server and on the last of its versions that did neither,
# and compares how long a keystroke took to its peers. Whatever else has changed
# since counts, too.
#
#   scripts/bench-sealed.sh bin/tidechart [rounds]
set -eu
cd "$(dirname "$0")/.."

BEFORE=2946ba9e09ac89c638318aec089783637dc2ec78
LOAD="--notes 50 --clients 5 --typists 2 --rate 5 --warmup 2s --duration 8s"
MOST=1.2 # p50, times what it was
PEOPLE="chen okafor rivera haddad"

now=$1
rounds=${2:-4}
dir=$(mktemp -d "${TMPDIR:-/tmp}/tide.XXXXXX")
chmod 755 "$dir" # the private Postgres may run as another user
pid=
trap 'test -z "$pid" || kill "$pid" 2>/dev/null || true; wait; rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM

mkdir "$dir/source"
git archive "$BEFORE" | tar x -C "$dir/source"
(cd "$dir/source" && go build -buildvcs=false -o "$dir/before" ./cmd/tidechart)

# measure BINARY NAME: one load on a new server, whose p50 and p99 in ms it prints.
measure() {
	rm -rf "$dir/data"
	mkfifo "$dir/out"
	"$1" demo --listen 127.0.0.1:0 --data "$dir/data" --connections-per-person 100 >"$dir/out" 2>"$dir/log" &
	pid=$!
	exec 3<"$dir/out"
	rm "$dir/out"
	read -r _ url <&3
	tokens=
	for who in $PEOPLE; do
		tokens="$tokens --token $("$1" token --user "$who" --data "$dir/data")"
	done
	# shellcheck disable=SC2086 # several words each
	"$now" loadtest "$url" $tokens $LOAD --json >"$dir/report" || { tail -n 40 "$dir/report" "$dir/log" >&2; return 1; }
	kill "$pid"
	wait "$pid" || true
	pid=
	exec 3<&-
	awk '/"keystrokeToPeer"/ { found = 1 } found && /"p50Ms"/ { gsub(/[^0-9.]/, "", $2); p50 = $2 } found && /"p99Ms"/ { gsub(/[^0-9.]/, "", $2); print p50, $2; exit }' "$dir/report"
}

round=1
while [ "$round" -le "$rounds" ]; do
	for of in before now; do
		binary=$now
		test $of = now || binary=$dir/before
		figures=$(measure "$binary")
		echo "$figures" >>"$dir/$of.all"
		echo "$round: $of: p50 and p99 to peer, ms: $figures"
	done
	round=$((round + 1))
done

# middle FILE COLUMN: the median.
middle() { awk -v c="$2" '{ print $c }' "$1" | sort -n | awk '{ a[NR] = $1 } END { print (a[int((NR + 1) / 2)] + a[int((NR + 2) / 2)]) / 2 }'; }
awk -v before="$(middle "$dir/before.all" 1)" -v now="$(middle "$dir/now.all" 1)" -v most="$MOST" -v b99="$(middle "$dir/before.all" 2)" -v n99="$(middle "$dir/now.all" 2)" 'BEGIN {
	printf "in the middle: p50 %.2f ms, before %.2f ms: %.2f times, at most %.1f; p99 %.2f ms, before %.2f ms\n", now, before, now / before, most, n99, b99
	exit now > most * before
}'
