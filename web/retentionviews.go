package web

import "time"

// RetentionView is how long records are kept, and what is due.
type RetentionView struct {
	Shell
	Classes      []RetentionClass
	Unclassified int // patients

	Notes, Patients, Held int // that are due, and of the notes those that holds keep
	Due                   []DueNote
	Runs                  []PurgeRun // the newest first
}

// RetentionClass is for how long some records are kept.
type RetentionClass struct {
	Name, Of string
	Years    int
	Records  int
}

// DueNote is a note whose time is over.
type DueNote struct {
	Record Record
	Since  time.Time
	Held   bool
}

// PurgeRun is what one purge took away.
type PurgeRun struct {
	Begun, Ended    time.Time // Ended is zero of one that was stopped
	Notes, Patients int
}
