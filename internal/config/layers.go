package config

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The layers of a configuration, weakest first. A managed setting is what the
// administrator of a fleet has set by the means of the system: it wins and
// nothing on this machine but that means changes it.
const (
	LayerDefault = "default"
	LayerFile    = "file"
	LayerEnv     = "env"
	LayerFlag    = "flag"
	LayerManaged = "managed"
)

// envPrefix begins the name of every variable of ours. Names that begin with
// envTests are left to the tests of the program itself, and those of envScripts
// to `make run` and `make lure`.
const (
	envPrefix = "MEETGUARD_"
	envTests  = "MEETGUARD_TEST_"
)

var envScripts = []string{"MEETGUARD_RUN_DIR", "MEETGUARD_LISTEN"}

// Origin is where the value of one key comes from.
type Origin struct {
	Layer string `json:"source"`         // one of the Layer… constants
	From  string `json:"from,omitempty"` // the file, the variable, the flag or the policy
}

// Locked says that nothing below the managed layer can change the key.
func (o Origin) Locked() bool { return o.Layer == LayerManaged }

// Refused is a managed setting that cannot be used. What the layers below say
// counts then, because a slip in a policy must not blind a fleet.
type Refused struct {
	Key  string `json:"key"` // "" if the whole layer is refused
	From string `json:"from"`
	Why  string `json:"why"`
}

// Effective is the configuration in use with where each part of it comes from.
type Effective struct {
	Config  Config
	Origins map[string]Origin // by key; every key has one
	Refused []Refused
	Over    []string // keys of the environment and flags that a managed setting overrules
}

// Flag is a key that was set on the command line.
type Flag struct {
	Name   string // as it was written, with its dashes
	Key    string
	Values []string // several only for a list
}

// Inputs are what a configuration is made of beside the defaults.
type Inputs struct {
	File  string   // "" for DefaultPath, if that exists
	Env   []string // "NAME=value", as os.Environ gives them
	Flags []Flag
}

// managed is the layer of the administrator.
type managed struct {
	from string // "" if there is none
	keys map[string]any
	err  error // why it cannot be used at all
}

// LoadLayers reads every layer. Whatever is wrong with the file, the variables
// and the flags is told at once; a managed setting that is wrong is refused.
func LoadLayers(in Inputs) (Effective, error) { return loadLayers(in, readManaged()) }

func loadLayers(in Inputs, policy managed) (Effective, error) {
	e := Effective{Config: Default(), Origins: map[string]Origin{}}
	for _, key := range Keys() {
		e.Origins[key] = Origin{Layer: LayerDefault}
	}
	err := errors.Join(e.file(in.File), e.env(in.Env), e.flags(in.Flags))
	if err == nil {
		err = e.Config.Validate()
	}
	if err != nil {
		return e, err
	}
	e.managed(policy)
	return e, nil
}

func (e *Effective) file(path string) error {
	named := path != ""
	if !named {
		path = DefaultPath()
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) && !named {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the configuration: %w", err)
	}
	if err := Parse(data, &e.Config); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	var set map[string]any
	if err := yaml.Unmarshal(data, &set); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for key := range set {
		e.Origins[key] = Origin{LayerFile, path}
	}
	return nil
}

// env takes the variables of ours. One that no key has is an error, as in the
// file; one that is empty counts as not set.
func (e *Effective) env(environ []string) error {
	var all []error
	for _, line := range environ {
		name, value, _ := strings.Cut(line, "=")
		if !strings.HasPrefix(name, envPrefix) || strings.HasPrefix(name, envTests) || slices.Contains(envScripts, name) || value == "" {
			continue
		}
		key := strings.ToLower(strings.TrimPrefix(name, envPrefix))
		values := []string{value}
		if key == "watch" {
			values = strings.Split(value, string(os.PathListSeparator))
		}
		if err := e.set(key, values); err != nil {
			all = append(all, fmt.Errorf("%s: %w", name, err))
			continue
		}
		e.Origins[key] = Origin{LayerEnv, name}
	}
	return errors.Join(all...)
}

func (e *Effective) flags(flags []Flag) error {
	var all []error
	for _, f := range flags {
		if err := e.set(f.Key, f.Values); err != nil {
			all = append(all, fmt.Errorf("%s: %w", f.Name, err))
			continue
		}
		e.Origins[f.Key] = Origin{LayerFlag, f.Name}
	}
	return errors.Join(all...)
}

// set gives a key its value from text. What is neither text, number nor list of
// texts is written as YAML.
func (e *Effective) set(key string, values []string) error {
	field, ok := fieldOf(&e.Config, key)
	if !ok {
		return fmt.Errorf("no key is called %q, see `meetguard config show`", key)
	}
	switch v := field.Addr().Interface().(type) {
	case *string:
		*v = values[len(values)-1]
	case *int:
		n, err := strconv.Atoi(values[len(values)-1])
		if err != nil {
			return fmt.Errorf("%q is no number", values[len(values)-1])
		}
		*v = n
	case *[]string:
		*v = slices.Clone(values)
	default:
		return decodeKey(&e.Config, key, values[len(values)-1])
	}
	return nil
}

// managed puts the layer of the administrator on top. All of it counts if all
// of it is right; else each key that is right by itself.
func (e *Effective) managed(m managed) {
	if m.from == "" {
		return
	}
	if m.err != nil {
		e.Refused = append(e.Refused, Refused{From: m.from, Why: m.err.Error()})
		return
	}
	keys := make([]string, 0, len(m.keys))
	for key := range m.keys {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	whole, left := e.Config, []string{}
	for _, key := range keys {
		if err := decodeValue(&whole, key, m.keys[key]); err != nil {
			e.refuse(key, m.from, err)
		} else {
			left = append(left, key)
		}
	}
	if whole.Validate() != nil {
		left = e.oneByOne(left, m)
	} else {
		e.Config = whole
	}
	for _, key := range left {
		if o := e.Origins[key]; o.Layer == LayerEnv || o.Layer == LayerFlag {
			e.Over = append(e.Over, o.From)
		}
		e.Origins[key] = Origin{LayerManaged, m.from}
	}
}

// oneByOne takes each key that leaves the configuration right, and returns them.
func (e *Effective) oneByOne(keys []string, m managed) []string {
	var good []string
	for _, key := range keys {
		c := e.Config
		err := decodeValue(&c, key, m.keys[key])
		if err == nil {
			err = c.Validate()
		}
		if err != nil {
			e.refuse(key, m.from, err)
			continue
		}
		e.Config = c
		good = append(good, key)
	}
	return good
}

func (e *Effective) refuse(key, from string, err error) {
	why := strings.ReplaceAll(err.Error(), "\n", "; ")
	e.Refused = append(e.Refused, Refused{Key: key, From: from, Why: why})
}

// decodeValue gives a key its value as YAML, a plist or the registry holds it.
func decodeValue(c *Config, key string, value any) error {
	if _, ok := fieldOf(c, key); !ok {
		return fmt.Errorf("no key is called %q", key)
	}
	text, err := yaml.Marshal(value)
	if err != nil {
		return err
	}
	return decodeKey(c, key, string(text))
}

// decodeKey reads YAML as the value of one key, with unknown keys below it being
// errors. What c held for the key is replaced; what the text leaves out of it has
// its default.
func decodeKey(c *Config, key, text string) error {
	var node yaml.Node
	if err := yaml.Unmarshal([]byte(text), &node); err != nil {
		return err
	}
	if len(node.Content) != 1 {
		return errors.New("it holds no value")
	}
	doc, err := yaml.Marshal(map[string]*yaml.Node{key: node.Content[0]})
	if err != nil {
		return err
	}
	field, _ := fieldOf(c, key)
	old := reflect.ValueOf(field.Interface())
	defaults := Default()
	base, _ := fieldOf(&defaults, key)
	field.Set(base)
	if err := decodeStrict(doc, c); err != nil {
		field.Set(old)
		return err
	}
	return nil
}

// Keys lists the keys of the file in its order.
func Keys() []string {
	t := reflect.TypeFor[Config]()
	keys := make([]string, t.NumField())
	for i := range keys {
		keys[i] = keyOf(t.Field(i))
	}
	return keys
}

func keyOf(f reflect.StructField) string {
	key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return key
}

func fieldOf(c *Config, key string) (reflect.Value, bool) {
	v := reflect.ValueOf(c).Elem()
	for i := range v.NumField() {
		if keyOf(v.Type().Field(i)) == key {
			return v.Field(i), true
		}
	}
	return reflect.Value{}, false
}

// Setting is one line of what is in use.
type Setting struct {
	Key    string `json:"key"`
	Value  any    `json:"value"`
	Locked bool   `json:"locked"`
	Origin
}

// Settings lists every key with its value and where that comes from, in the
// order of the file.
func (e Effective) Settings() []Setting {
	var out []Setting
	for _, key := range Keys() {
		o := e.Origins[key]
		out = append(out, Setting{Key: key, Value: plainValue(e.Config, key), Locked: o.Locked(), Origin: o})
	}
	return out
}

// plainValue is the value of a key in the shape that the file has it in.
func plainValue(c Config, key string) any {
	field, _ := fieldOf(&c, key)
	text, err := yaml.Marshal(field.Interface())
	if err != nil {
		return nil
	}
	var v any
	if yaml.Unmarshal(text, &v) != nil {
		return nil
	}
	return v
}

// Changed lists the keys whose values differ between two configurations, in the
// order of the file.
func Changed(a, b Config) []string {
	var out []string
	for _, key := range Keys() {
		x, _ := fieldOf(&a, key)
		y, _ := fieldOf(&b, key)
		if !reflect.DeepEqual(x.Interface(), y.Interface()) {
			out = append(out, key)
		}
	}
	return out
}
