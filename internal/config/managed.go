package config

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	"howett.net/plist"
)

// maxManaged bounds a file of managed settings, in bytes.
const maxManaged = 1 << 20

// ManagedSource names where the managed settings of this system are kept.
func ManagedSource() string { return managedSource }

// fileOfAdmin reads a small file that only administrators can write to: what
// anybody can write is no policy. A file that is not there is no error.
func fileOfAdmin(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read managed settings: %w", err)
	}
	defer f.Close()
	if err := guarded(path); err != nil {
		return nil, fmt.Errorf("managed settings do not count: %w", err)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxManaged+1))
	if err != nil {
		return nil, fmt.Errorf("read managed settings: %w", err)
	}
	if len(data) > maxManaged {
		return nil, fmt.Errorf("managed settings do not count: more than %d bytes", maxManaged)
	}
	return data, nil
}

// fromFile makes the layer of a file whose form parse knows.
func fromFile(path string, parse func([]byte) (map[string]any, error)) managed {
	data, err := fileOfAdmin(path)
	if err != nil {
		return managed{from: path, err: err}
	}
	if data == nil {
		return managed{}
	}
	keys, err := parse(data)
	return managed{from: path, keys: keys, err: err}
}

// parseManagedYAML reads the file of Linux: a map like the configuration file.
func parseManagedYAML(data []byte) (map[string]any, error) {
	var nodes map[string]yaml.Node // and not values: a day would become a time
	if err := yaml.Unmarshal(data, &nodes); err != nil {
		return nil, fmt.Errorf("read managed settings: %w", err)
	}
	keys := make(map[string]any, len(nodes))
	for key, node := range nodes {
		keys[key] = &node
	}
	return keys, nil
}

// parsePlist reads the property list, XML or binary, into which macOS writes
// the settings of a configuration profile. Its top is a dictionary with the keys
// of the file; keys with "Payload" in front belong to the profile.
func parsePlist(data []byte) (keys map[string]any, err error) {
	defer func() {
		if r := recover(); r != nil { // of the library, over bytes that are no property list
			keys, err = nil, errors.New("read managed settings: it is no property list")
		}
	}()
	if _, err := plist.Unmarshal(data, &keys); err != nil {
		return nil, errors.New("read managed settings: it is no property list with a dictionary at its top")
	}
	for key := range keys {
		if strings.HasPrefix(key, "Payload") {
			delete(keys, key)
		}
	}
	return keys, nil
}

// policyValue is one value of the registry: of the policy's own key, or of a
// key below it, which Windows makes for a list.
type policyValue struct {
	List  string // name of the key below, "" for the policy's own
	Name  string
	Text  string
	Texts []string // of REG_MULTI_SZ
	Int   uint64   // of REG_DWORD and REG_QWORD
	Kind  string   // text, texts or int
}

// fromPolicy makes the layer of registry values. Names do not depend on case,
// as everywhere in the registry. brands, friends and notify are texts that hold
// YAML.
func fromPolicy(values []policyValue) map[string]any {
	keys := map[string]any{}
	lists := map[string][]policyValue{}
	for _, v := range values {
		name := strings.ToLower(v.Name)
		switch {
		case v.List != "":
			lists[strings.ToLower(v.List)] = append(lists[strings.ToLower(v.List)], v)
		case v.Kind == "int":
			keys[name] = v.Int
		case v.Kind == "texts":
			keys[name] = v.Texts
		case v.Kind == "text" && (name == "brands" || name == "friends" || name == "notify"):
			var node yaml.Node
			keys[name] = &node
			if err := yaml.Unmarshal([]byte(v.Text), &node); err != nil {
				keys[name] = unusable{err}
			}
		case v.Kind == "text":
			keys[name] = v.Text
		default:
			keys[name] = unusable{errors.New("it is neither text nor number")}
		}
	}
	for name, entries := range lists {
		keys[name] = listOf(entries)
	}
	return keys
}

// unusable is a value that could not be read: its own key is refused for it, and
// no other.
type unusable struct{ error }

func (u unusable) MarshalYAML() (any, error) { return nil, u.error }

// listOf orders the entries of a list by their names, which Windows counts up.
func listOf(entries []policyValue) []string {
	slices.SortFunc(entries, func(a, b policyValue) int {
		x, err1 := strconv.Atoi(a.Name)
		y, err2 := strconv.Atoi(b.Name)
		if err1 == nil && err2 == nil {
			return cmp.Compare(x, y)
		}
		return cmp.Compare(a.Name, b.Name)
	})
	out := make([]string, len(entries))
	for i, e := range entries {
		out[i] = e.Text
	}
	return out
}
