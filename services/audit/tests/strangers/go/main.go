// Reads a log of Letopis with Go's own checksum-database libraries, and checks proofs that Letopis made with them.
//
//	stranger FOLDER VERIFIER-KEY < proofs.json
package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type files string

func (folder files) Height() int                           { return 8 }
func (folder files) SaveTiles(tiles []tlog.Tile, _ [][]byte) {}

// C2SP tlog-tiles leave the height, which is always 8, out of the path.
func (folder files) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, tile := range tiles {
		one, err := os.ReadFile(filepath.Join(string(folder), strings.Replace(tile.Path(), "tile/8/", "tile/", 1)))
		if err != nil {
			return nil, err
		}
		data[i] = one
	}
	return data, nil
}

type proof struct {
	Position int64    `json:"position"`
	Old      int64    `json:"old"`
	OldRoot  string   `json:"old_root"`
	Leaf     string   `json:"leaf"`
	Hashes   []string `json:"hashes"`
}

func hashOf(text string) (hash tlog.Hash) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != tlog.HashSize {
		log.Fatalf("%q is no hash", text)
	}
	copy(hash[:], raw)
	return hash
}

func main() {
	log.SetFlags(0)
	folder, key := os.Args[1], os.Args[2]
	verifier, err := note.NewVerifier(key)
	if err != nil {
		log.Fatal(err)
	}
	signed, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	if err != nil {
		log.Fatal(err)
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		log.Fatal(err)
	}
	lines := strings.Split(opened.Text, "\n")
	var tree tlog.Tree
	if _, err := fmt.Sscanf(lines[1], "%d", &tree.N); err != nil {
		log.Fatal(err)
	}
	if tree.Hash, err = tlog.ParseHash(lines[2]); err != nil {
		log.Fatal(err)
	}
	reader := tlog.TileHashReader(tree, files(folder))
	root, err := tlog.TreeHash(tree.N, reader)
	if err != nil || root != tree.Hash {
		log.Fatalf("the tiles do not lead to the checkpoint: %v", err)
	}
	var proofs []proof
	if err := json.NewDecoder(os.Stdin).Decode(&proofs); err != nil {
		log.Fatal(err)
	}
	for _, one := range proofs {
		var hashes []tlog.Hash
		for _, text := range one.Hashes {
			hashes = append(hashes, hashOf(text))
		}
		if one.Position > 0 {
			err = tlog.CheckRecord(hashes, tree.N, tree.Hash, one.Position-1, hashOf(one.Leaf))
		} else {
			err = tlog.CheckTree(hashes, tree.N, tree.Hash, one.Old, hashOf(one.OldRoot))
		}
		if err != nil {
			log.Fatalf("%+v: %v", one, err)
		}
	}
	fmt.Printf("%d facts, %d proofs\n", tree.N, len(proofs))
}
