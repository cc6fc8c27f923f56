package exits

import "testing"

// FuzzParse: what is accepted of a configuration of exits is valid, and can be
// read again.
func FuzzParse(f *testing.F) {
	f.Add([]byte(goodExits))
	f.Add([]byte("exits:\n  - name: a\n    type: webhook\n    url: https://a.invalid/\n    secret_file: /s\n"))
	f.Add([]byte("exits: &a [*a]\n"))
	f.Add([]byte("exits: []\n---\nexits: []\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		all, err := Parse(data)
		if err == nil && ValidateAll(all) != nil {
			t.Errorf("accepted, and not valid: %+v", all)
		}
	})
}
