package config

import _ "embed"

//go:embed schema.json
var schema []byte

// Schema is the JSON Schema (draft 2020-12) of the file, for editors and for
// whoever checks files before they are rolled out. It knows less than Validate:
// no schema can tell whether a folder is there.
func Schema() []byte { return append([]byte(nil), schema...) }
