#!/bin/sh
# sqlc.sh makes server/store/queries anew, unless all is as when that was done last: to compile sqlc takes a minute. The file sum there has a
# checksum of the SQL, of sqlc's version and settings, and of what it made, so that none of them changes unseen.
set -eu
cd "$(dirname "$0")/../server/store"
LC_ALL=C
export LC_ALL

sum() {
	{
		grep 'github.com/sqlc-dev/sqlc ' ../../tools.mod
		cksum sqlc.yaml ../../migrations/*.sql queries/*.sql queries/*.go
	} | cksum
}

[ "$(cat queries/sum 2>/dev/null)" != "$(sum)" ] || exit 0
# Its C parser takes minutes to compile; without C it uses one in WebAssembly.
CGO_ENABLED=0 go tool -modfile=../../tools.mod sqlc generate
sum >queries/sum
