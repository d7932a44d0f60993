// A bank's own system that follows a ledger, in Go with the official client of NATS and nothing of Letopis.
//
// It keeps the last position it has dealt with, computes every fact's leaf hash itself, notices what is missing, and
// fetches that at the owner's door. It reads single facts (CloudEvents) and segments (NDJSON under zstd).
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/nats-io/nats.go"
)

// Record is a stored fact as it travels: every value is a string.
type Record map[string]string

type event struct {
	Position string `json:"position"`
	Leafhash string `json:"leafhash"`
	Data     Record `json:"data"`
}

type follower struct {
	name, ledger string
	last         int
	silence      time.Duration
	streams      map[string]string
}

func hash(first byte, parts ...[]byte) string {
	all := sha256.New()
	all.Write([]byte{first})
	for _, part := range parts {
		all.Write(part)
	}
	return hex.EncodeToString(all.Sum(nil))
}

// leafHash is SHA-256(0x00 || leaf); encoding/json sorts the keys of a map, and nothing in a leaf needs escaping
// but what JSON itself does.
func leafHash(record Record) (string, error) {
	salt, err := hex.DecodeString(record["salt"])
	if err != nil {
		return "", err
	}
	leaf := map[string]string{
		"commitment": hash(2, salt, []byte(record["data"])),
		"meta":       hash(3, salt, []byte(record["meta"])),
	}
	for name, value := range record {
		if name != "salt" && name != "data" && name != "meta" {
			leaf[name] = value
		}
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(leaf); err != nil {
		return "", err
	}
	return hash(0, bytes.TrimRight(text.Bytes(), "\n")), nil
}

func (f *follower) take(record Record, told, source string) error {
	position, err := strconv.Atoi(record["position"])
	if err != nil {
		return err
	}
	leaf, err := leafHash(record)
	if err != nil {
		return err
	}
	before, seen := f.streams[record["stream"]]
	switch {
	case position != f.last+1:
		return fmt.Errorf("%d does not follow %d", position, f.last)
	case told != "" && leaf != told:
		return fmt.Errorf("fact %d is not what its hash says", position)
	case seen && record["prev"] != before:
		return fmt.Errorf("fact %d does not follow its stream's %s", position, before)
	}
	line, err := json.Marshal(map[string]any{
		"position": position, "type": record["type"], "leaf": leaf, "source": source,
	})
	if err != nil {
		return err
	}
	fmt.Println(string(line))
	f.streams[record["stream"]] = record["position"]
	f.last = position
	// A database would keep this in the transaction of what was done with the fact.
	return os.WriteFile(os.Getenv("CHECKPOINT_FILE"), []byte(record["position"]), 0o600)
}

func (f *follower) token() (string, error) {
	secret, err := os.ReadFile(os.Getenv("CLIENT_SECRET_FILE"))
	if err != nil {
		return "", err
	}
	answer, err := http.PostForm(os.Getenv("TOKEN_URL"), url.Values{
		"grant_type": {"client_credentials"}, "client_id": {f.name}, "client_secret": {strings.TrimSpace(string(secret))},
	})
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	var told struct {
		Token string `json:"access_token"`
	}
	return told.Token, json.NewDecoder(answer.Body).Decode(&told)
}

// door fetches what the ledger's owner has after a position.
func (f *follower) door() ([]Record, error) {
	token, err := f.token()
	if err != nil {
		return nil, err
	}
	place := fmt.Sprintf("%s/v1/ledgers/%s/facts?after=%d", os.Getenv("DOOR_URL"), f.ledger, f.last)
	request, err := http.NewRequest(http.MethodGet, place, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		problem, _ := io.ReadAll(answer.Body)
		return nil, fmt.Errorf("the owner's door says %s: %s", answer.Status, problem)
	}
	return lines(answer.Body)
}

func lines(source io.Reader) ([]Record, error) {
	var found []Record
	for decoder := json.NewDecoder(source); ; {
		var record Record
		if err := decoder.Decode(&record); errors.Is(err, io.EOF) {
			return found, nil
		} else if err != nil {
			return nil, err
		}
		found = append(found, record)
	}
}

// catchUp fetches up to a position, or all there is for 0.
func (f *follower) catchUp(until int) error {
	for until == 0 || f.last < until {
		records, err := f.door()
		if err != nil || len(records) == 0 {
			return err
		}
		for _, record := range records {
			if err := f.take(record, "", "door"); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *follower) hear(message *nats.Msg) error {
	if strings.HasSuffix(message.Subject, ".segment") {
		return f.segment(message.Data)
	}
	var told event
	if err := json.Unmarshal(message.Data, &told); err != nil {
		return err
	}
	position, err := strconv.Atoi(told.Position)
	if err != nil {
		return err
	}
	if position > f.last+1 || (position > f.last && told.Data == nil) {
		if err := f.catchUp(position); err != nil {
			return err
		}
	}
	if position <= f.last {
		return nil
	}
	return f.take(told.Data, told.Leafhash, "bus")
}

func (f *follower) segment(body []byte) error {
	plain, err := zstd.NewReader(bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer plain.Close()
	records, err := lines(plain)
	if err != nil {
		return err
	}
	for _, record := range records {
		position, err := strconv.Atoi(record["position"])
		if err != nil {
			return err
		}
		if position > f.last+1 {
			if err := f.catchUp(position - 1); err != nil {
				return err
			}
		}
		// Borders of segments may change; what is had is skipped.
		if position > f.last {
			if err := f.take(record, "", "bus"); err != nil {
				return err
			}
		}
	}
	return nil
}

func run() error {
	f := &follower{name: os.Getenv("NAME"), ledger: os.Getenv("LEDGER"), streams: map[string]string{}}
	f.silence = 10 * time.Second
	if given, err := time.ParseDuration(os.Getenv("SILENCE") + "s"); err == nil {
		f.silence = given
	}
	if kept, err := os.ReadFile(os.Getenv("CHECKPOINT_FILE")); err == nil {
		if f.last, err = strconv.Atoi(string(kept)); err != nil {
			return err
		}
	}
	key, err := nats.NkeyOptionFromSeed(os.Getenv("NKEY_SEED_FILE"))
	if err != nil {
		return err
	}
	client, err := nats.Connect(
		os.Getenv("NATS_URL"), key, nats.CustomInboxPrefix("_INBOX_"+f.name), nats.MaxReconnects(-1),
	)
	if err != nil {
		return err
	}
	defer client.Close()
	js, err := client.JetStream()
	if err != nil {
		return err
	}
	durable := f.name + "_" + f.ledger
	news, err := js.PullSubscribe("", durable, nats.Bind("LEDGER_"+f.ledger, durable))
	if err != nil {
		return err
	}
	for {
		messages, err := news.Fetch(100, nats.MaxWait(f.silence))
		if err != nil && len(messages) == 0 {
			// Silence shows no hole: the owner knows whether there is more.
			time.Sleep(time.Second)
			if err := f.catchUp(0); err != nil {
				return err
			}
			continue
		}
		for _, message := range messages {
			if err := f.hear(message); err != nil {
				return err
			}
			if err := message.Ack(); err != nil {
				return err
			}
		}
	}
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
