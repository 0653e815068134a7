package store

import "context"

// thinnedAtOnce is how many checkpoints one transaction deletes (I10).
const thinnedAtOnce = 5000

// ThinCheckpoints deletes checkpoints of which newer ones say the same: of those older than three days all but the newest of each hour,
// of those older than 90 days all but the newest of each day. It returns how many. The
// database lets no others go (migration 0034). Proofs are made from the tree, and need none of them.
func (db *DB) ThinCheckpoints(ctx context.Context) (all int64, err error) {
	for {
		n, err := db.Queries.ThinCheckpoints(ctx, thinnedAtOnce)
		if all += n; err != nil || n < thinnedAtOnce {
			return all, err
		}
	}
}
