// Package migrations holds the numbered SQL files that build the database schema.
package migrations

import "embed"

// FS holds the migrations in goose's format, one file a number, without gaps.
//
//go:embed *.sql
var FS embed.FS
