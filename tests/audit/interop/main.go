// Checks an exported log with golang.org/x/mod/sumdb alone: the code that checks Go's own checksum database.
//
// Usage: interop VKEY FOLDER
//
// The package's tile paths name the height of a tile, those of C2SP do not; everything else is the same.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

func main() {
	said, err := check(os.Args[1], os.Args[2])
	if err != nil {
		fmt.Println("refused:", err)
		os.Exit(1)
	}
	fmt.Println(said)
}

func check(vkey, folder string) (string, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return "", err
	}
	tree, err := checkpoint(verifier, filepath.Join(folder, "checkpoint"))
	if err != nil {
		return "", err
	}
	hashes, err := entries(folder, tree.N)
	if err != nil {
		return "", err
	}
	derived := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		found := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			found[i] = hashes[index]
		}
		return found, nil
	})
	if err := root(tree, derived); err != nil {
		return "", err
	}
	tiles, err := hashTiles(folder, tree.N, derived)
	if err != nil {
		return "", err
	}
	inclusions, err := include(folder, tree, hashes)
	if err != nil {
		return "", err
	}
	consistencies, err := consistent(verifier, folder, tree)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d entries, %d hash tiles, %d inclusion proofs, %d consistency proofs",
		tree.N, tiles, inclusions, consistencies), nil
}

// checkpoint opens a signed checkpoint; its three lines must be origin, size and root.
func checkpoint(verifier note.Verifier, path string) (tlog.Tree, error) {
	var tree tlog.Tree
	content, err := os.ReadFile(path)
	if err != nil {
		return tree, err
	}
	opened, err := note.Open(content, note.VerifierList(verifier))
	if err != nil {
		return tree, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() || lines[3] != "" {
		return tree, fmt.Errorf("%s: not a checkpoint of this log", path)
	}
	tree.N, err = strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tree, err
	}
	decoded, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || copy(tree.Hash[:], decoded) != tlog.HashSize {
		return tree, fmt.Errorf("%s: not a root", path)
	}
	return tree, nil
}

// entries hashes every entry of every bundle, and returns all hashes that a log of that size stores.
func entries(folder string, size int64) ([]tlog.Hash, error) {
	var hashes []tlog.Hash
	stored := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		found := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			found[i] = hashes[index]
		}
		return found, nil
	})
	for n := int64(0); n<<height < size; n++ {
		path := file(folder, tlog.Tile{H: height, L: -1, N: n, W: width(size, 0, n)})
		bundle, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		for i := 0; i < width(size, 0, n); i++ {
			if len(bundle) < 2 || len(bundle) < 2+int(binary.BigEndian.Uint16(bundle)) {
				return nil, fmt.Errorf("%s: cut off at entry %d", path, n<<height+int64(i))
			}
			end := 2 + int(binary.BigEndian.Uint16(bundle))
			more, err := tlog.StoredHashes(n<<height+int64(i), bundle[2:end], stored)
			if err != nil {
				return nil, err
			}
			hashes = append(hashes, more...)
			bundle = bundle[end:]
		}
		if len(bundle) != 0 {
			return nil, fmt.Errorf("%s: more than its entries", path)
		}
	}
	return hashes, nil
}

func root(tree tlog.Tree, reader tlog.HashReader) error {
	// The package gives the empty tree no hash; RFC 6962 gives it that of the empty string.
	derived := tlog.Hash(sha256.Sum256(nil))
	if tree.N > 0 {
		var err error
		if derived, err = tlog.TreeHash(tree.N, reader); err != nil {
			return err
		}
	}
	if derived != tree.Hash {
		return fmt.Errorf("the entries do not lead to the signed root")
	}
	return nil
}

// hashTiles compares every tile with what follows from the entries.
func hashTiles(folder string, size int64, reader tlog.HashReader) (int, error) {
	count := 0
	for level := 0; size>>(height*level) > 0; level++ {
		for n := int64(0); n<<height < size>>(height*level); n++ {
			tile := tlog.Tile{H: height, L: level, N: n, W: width(size, level, n)}
			derived, err := tlog.ReadTileData(tile, reader)
			if err != nil {
				return 0, err
			}
			stored, err := os.ReadFile(file(folder, tile))
			if err != nil {
				return 0, err
			}
			if !bytes.Equal(stored, derived) {
				return 0, fmt.Errorf("%s: not the hashes of the entries", file(folder, tile))
			}
			count++
		}
	}
	return count, nil
}

// include proves some entries from the tiles alone, each tile authenticated by the package.
func include(folder string, tree tlog.Tree, hashes []tlog.Hash) (int, error) {
	reader := tlog.TileHashReader(tree, tileFolder(folder))
	count := 0
	seen := map[int64]bool{}
	for _, index := range []int64{0, 1, 254, 255, 256, tree.N / 2, tree.N - 2, tree.N - 1} {
		if index < 0 || index >= tree.N || seen[index] {
			continue
		}
		seen[index] = true
		proof, err := tlog.ProveRecord(tree.N, index, reader)
		if err != nil {
			return 0, err
		}
		leaf := hashes[tlog.StoredHashIndex(0, index)]
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaf); err != nil {
			return 0, err
		}
		count++
	}
	return count, nil
}

// consistent proves every older checkpoint of the export consistent with the newest.
func consistent(verifier note.Verifier, folder string, tree tlog.Tree) (int, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "checkpoints", "*"))
	if err != nil {
		return 0, err
	}
	reader := tlog.TileHashReader(tree, tileFolder(folder))
	count := 0
	for _, path := range paths {
		old, err := checkpoint(verifier, path)
		if err != nil {
			return 0, err
		}
		if old.N == 0 {
			if old.Hash != sha256.Sum256(nil) {
				return 0, fmt.Errorf("%s: not the empty tree", path)
			}
			continue
		}
		proof, err := tlog.ProveTree(tree.N, old.N, reader)
		if err != nil {
			return 0, err
		}
		if err := tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash); err != nil {
			return 0, fmt.Errorf("%s: %v", path, err)
		}
		count++
	}
	return count, nil
}

func width(size int64, level int, n int64) int {
	held := size>>(height*level) - n<<height
	if held > 1<<height {
		held = 1 << height
	}
	return int(held)
}

// file is where C2SP tlog-tiles puts a tile.
func file(folder string, tile tlog.Tile) string {
	path := strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/", height))
	return filepath.Join(folder, "tile", strings.Replace(path, "data/", "entries/", 1))
}

type tileFolder string

func (tileFolder) Height() int { return height }

func (folder tileFolder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, tile := range tiles {
		content, err := os.ReadFile(file(string(folder), tile))
		if err != nil {
			return nil, err
		}
		data[i] = content
	}
	return data, nil
}

func (tileFolder) SaveTiles([]tlog.Tile, [][]byte) {}
