package login

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash/crc32"
	"math/big"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
)

// Limits of tokens.
const (
	TokenLasts    = 90 * 24 * time.Hour  // of a program, unless whoever issues it says otherwise
	MaxTokenLasts = 365 * 24 * time.Hour // likewise, at most

	personalTokenLasts = 30 * 24 * time.Hour // of a person, at most

	maxTokens         = 20   // of one program
	maxPersonalTokens = 1000 // of one person: scripts ask for one each time
	maxTokenLabel     = 100  // characters

	tokenUsedEvery = time.Hour // is how exactly it is known when a token was last used
)

// A token is a prefix, 32 random bytes and a checksum of both, in letters and digits, so that scanners of code and logs
// find those that leaked, and nothing else: tide_[0-9A-Za-z]{49}. docs/limits.md says so, too.
const (
	tokenPrefix = "tide_"
	secretSize  = 43 // letters and digits for 32 bytes
	sumSize     = 6  // and for a CRC-32
)

var tokens = regexp.MustCompile(`^` + tokenPrefix + `[0-9A-Za-z]{49}$`)

// NewToken is a token about to be issued.
type NewToken struct {
	Username string
	Label    string        // what it is for, for people
	Scopes   []string      // names of what it is for: of a program only, and demanded of those
	Unit     string        // on which the first two scopes count
	Lasts    time.Duration // zero: the default
	By       uuid.UUID     // who issues it; zero: the operator
}

// IssueToken makes a bearer token by which a program speaks: as itself, for what the scopes say, or for a person, for
// whatever they may do. Only its hash is stored. What cannot be is an [ErrPerson].
func IssueToken(ctx context.Context, db *store.DB, t NewToken) (string, error) {
	p, err := anyone(ctx, db.Queries, t.Username)
	if err == nil {
		err = t.check(ctx, db, p)
	}
	if err != nil {
		return "", err
	}
	token := newToken()
	row := queries.InsertTokenParams{
		ID: uuid.New(), Hash: hashOfToken(token), Person: p.ID, Label: t.Label, Scopes: t.Scopes, Unit: orNull(t.Unit),
		By: uuid.NullUUID{UUID: t.By, Valid: t.By != uuid.Nil}, ExpiresAt: time.Now().Add(t.Lasts), Most: maxTokens,
	}
	if !IsProgram(p.Role) {
		row.Most = maxPersonalTokens
	}
	e := audit.Event{Act: audit.IssueToken, About: p.ID, Code: strings.TrimSpace(fmt.Sprintf("token=%s %s %s", row.ID, strings.Join(t.Scopes, " "), t.Unit))}
	err = db.Act(ctx, &e, func(q *queries.Queries) error {
		n, err := q.InsertToken(ctx, row)
		if err == nil && n == 0 {
			err = fmt.Errorf("%w: %s has %d tokens; revoke one first", ErrPerson, t.Username, row.Most)
		}
		return err
	})
	if err != nil && !errors.Is(err, ErrPerson) {
		err = fmt.Errorf("store token: %w", err)
	}
	if err != nil {
		return "", err
	}
	return token, nil
}

// check says what is wrong with a token for p, and fills in what was left to the default.
func (t *NewToken) check(ctx context.Context, db *store.DB, p queries.Person) error {
	program, most := IsProgram(p.Role), personalTokenLasts
	if program {
		most = MaxTokenLasts
	}
	if t.Lasts == 0 {
		t.Lasts = min(TokenLasts, most)
	}
	t.Label = strings.Join(strings.Fields(t.Label), " ")
	scopes, known := access.ScopesOf(t.Scopes)
	if t.Scopes = scopes.Names(); t.Scopes == nil {
		t.Scopes = []string{}
	}
	switch {
	case p.Suspended:
		return fmt.Errorf("%w: %s is suspended", ErrPerson, t.Username)
	case !program && (len(t.Scopes) > 0 || t.Unit != ""):
		return fmt.Errorf("%w: scopes and a unit are for service accounts, and %s is none", ErrPerson, t.Username)
	case program && (scopes == 0 || !known):
		return fmt.Errorf("%w: say what the token is for: %s", ErrPerson, strings.Join(access.ScopeNames(), ", "))
	case scopes&access.OfUnit != 0 && t.Unit == "":
		return fmt.Errorf("%w: say for the notes of which unit the token is", ErrPerson)
	case scopes&access.OfUnit == 0 && t.Unit != "":
		return fmt.Errorf("%w: only a token for notes is for a unit", ErrPerson)
	case t.Lasts <= 0 || t.Lasts > most:
		return fmt.Errorf("%w: this token lasts for up to %d days", ErrPerson, int(most.Hours()/24))
	case !utf8.ValidString(t.Label) || utf8.RuneCountInString(t.Label) > maxTokenLabel:
		return fmt.Errorf("%w: a label has up to %d characters", ErrPerson, maxTokenLabel)
	case t.Unit != "":
		return checkUnit(ctx, db.Queries, t.Unit)
	}
	return nil
}

func newToken() string {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	token := tokenPrefix + inBase62(new(big.Int).SetBytes(secret), secretSize)
	return token + checksum(token)
}

func checksum(text string) string {
	return inBase62(new(big.Int).SetUint64(uint64(crc32.ChecksumIEEE([]byte(text)))), sumSize)
}

// inBase62 writes a number in letters and digits, with zeros in front.
func inBase62(n *big.Int, size int) string {
	text := n.Text(62)
	return strings.Repeat("0", size-len(text)) + text
}

// isToken reports whether text could be a token: whether it was mistyped, or invented, without asking the database.
func isToken(text string) bool {
	return tokens.MatchString(text) && checksum(text[:len(text)-sumSize]) == text[len(text)-sumSize:]
}

func hashOfToken(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// ByToken returns the person a bearer token belongs to, or [ErrNotSignedIn].
func (d *Desk) ByToken(ctx context.Context, token string) (Person, error) {
	if !isToken(token) {
		return Person{}, ErrNotSignedIn
	}
	return d.ofToken(ctx, hashOfToken(token))
}

// ofToken returns the person of the token with that hash.
func (d *Desk) ofToken(ctx context.Context, hash []byte) (Person, error) {
	row, err := d.db.PersonByToken(ctx, hash)
	if errors.Is(err, store.ErrNotFound) {
		return Person{}, ErrNotSignedIn
	}
	if err != nil {
		return Person{}, fmt.Errorf("look up token: %w", err)
	}
	scopes, all := access.ScopesOf(row.Scopes)
	if !all || (scopes != 0) != IsProgram(row.Person.Role) { // it was issued to what this person is not any more
		return Person{}, ErrNotSignedIn
	}
	if row.UsedAt == nil || time.Since(*row.UsedAt) > tokenUsedEvery {
		if err := d.db.UseToken(ctx, row.ID); err != nil {
			return Person{}, fmt.Errorf("note that a token is used: %w", err)
		}
	}
	who := known(row.Person, base64.RawURLEncoding.EncodeToString(hash), row.ExpiresAt)
	who.Scopes, who.Device = scopes, deviceOf(row.Label)
	if row.UnitID != nil {
		who.TokenUnit = *row.UnitID
	}
	return who, nil
}

// deviceOf names a token, for who reviews what was done with it.
func deviceOf(label string) string {
	if label == "" {
		return "a token"
	}
	return "token “" + label + "”"
}

// A Token is one that was issued, without what proves anything.
type Token struct {
	ID               uuid.UUID
	Label            string
	Scopes           []string // names; none: it speaks for a person
	Unit             string
	Created, Expires time.Time
	Used             time.Time // to the hour; zero: never
	By               string    // who has issued it; empty: the operator
}

// Tokens lists somebody's newest tokens that have not expired, 100 at most.
func Tokens(ctx context.Context, db *store.DB, username string) ([]Token, error) {
	p, err := anyone(ctx, db.Queries, username)
	if err != nil {
		return nil, err
	}
	rows, err := db.TokensOf(ctx, p.ID, maxListed)
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	all := make([]Token, len(rows))
	for i, r := range rows {
		all[i] = Token{ID: r.ID, Label: r.Label, Scopes: r.Scopes, Unit: r.UnitID, Created: r.CreatedAt, Expires: r.ExpiresAt, By: r.ByName}
		if r.UsedAt != nil {
			all[i].Used = *r.UsedAt
		}
	}
	return all, nil
}

// RevokeToken ends one of somebody's tokens; its sockets close when the change is heard of. [store.ErrNotFound]: it is not
// theirs, or has ended.
func RevokeToken(ctx context.Context, db *store.DB, username string, token uuid.UUID) error {
	p, err := anyone(ctx, db.Queries, username)
	if err != nil {
		return err
	}
	e := audit.Event{Act: audit.RevokeToken, About: p.ID, Code: "token=" + token.String()}
	err = db.Act(ctx, &e, func(q *queries.Queries) error {
		n, err := q.RevokeToken(ctx, token, p.ID)
		if err == nil && n == 0 {
			err = store.ErrNotFound
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("revoke token: %w", err)
	}
	return nil
}
