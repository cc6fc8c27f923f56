package sign

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"
)

func TestBERToDER(t *testing.T) {
	cases := []struct{ in, want string }{
		{"3003020101", "3003020101"},
		{"30800201010000", "3003020101"},
		{"3080a0803080020101000000000000", "3007a00530030201" + "01"},
		{"300730800201010000", "30053003020101"},
	}
	for _, c := range cases {
		in, _ := hex.DecodeString(c.in)
		got, err := berToDER(in)
		if err != nil || hex.EncodeToString(got) != c.want {
			t.Errorf("berToDER(%s) = %x, %v, want %s", c.in, got, err, c.want)
		}
	}
	for _, in := range []string{"", "30", "3080", "308002010100", "30ff", "3084ffffffff", "0480", "1f8101"} {
		raw, _ := hex.DecodeString(in)
		var f *fault
		if got, err := berToDER(raw); !errors.As(err, &f) {
			t.Errorf("berToDER(%s) = %x, %v", in, got, err)
		}
	}
}

// Structures that would cost a decoder gigabytes or its stack.
func TestElementBudget(t *testing.T) {
	wide := append([]byte{0x30, 0x83, 0x03, 0x00, 0x00}, make([]byte, 0x30000)...)
	for i := 5; i < len(wide); i += 2 {
		wide[i] = 0x05
	}
	deep := []byte{0x05, 0x00}
	for range 100 {
		deep = append(encodeHeader(0x30, len(deep)), deep...)
	}
	var l limit
	for name, b := range map[string][]byte{"wide": wide, "deep": deep} {
		if _, _, err := splitDER(b); !errors.As(err, &l) {
			t.Errorf("%s DER: %v", name, err)
		}
		if _, err := berToDER(b); !errors.As(err, &l) {
			t.Errorf("%s BER: %v", name, err)
		}
	}
	if _, err := berToDER(bytes.Repeat([]byte{0x30, 0x80}, 1<<20)); !errors.As(err, &l) {
		t.Errorf("a million open sequences: %v", err)
	}
}
