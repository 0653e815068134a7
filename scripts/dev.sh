#!/bin/sh
# dev.sh bundles, builds and starts the demo. `make dev` runs it anew after
# each change.
set -eu
cd "$(dirname "$0")/.."
go run ./web/build
go build -o bin/tidechart ./cmd/tidechart
exec bin/tidechart demo --listen "$LISTEN" --data "$DATA"
