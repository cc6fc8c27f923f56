package people

import (
	"bytes"
	"encoding/base64"
	"testing"
	"time"
)

func sealer(t *testing.T) *Sealer {
	t.Helper()
	s, err := NewSealer(NewKey())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSeal(t *testing.T) {
	s := sealer(t)
	secret := []byte("a secret of twenty b")
	sealed := s.Seal("totp of ana", secret)
	if got, err := s.Open("totp of ana", sealed); err != nil || !bytes.Equal(got, secret) {
		t.Errorf("%q, %v", got, err)
	}
	if bytes.Contains(sealed, secret[:8]) || bytes.Equal(sealed, s.Seal("totp of ana", secret)) {
		t.Error("what is sealed can be read or compared")
	}
	if _, err := s.Open("totp of bo", sealed); err == nil {
		t.Error("opened for another account")
	}
	if _, err := sealer(t).Open("totp of ana", sealed); err == nil {
		t.Error("opened with another key")
	}
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if _, err := s.Open("totp of ana", bad); err == nil {
			t.Fatalf("opened with byte %d changed", i)
		}
		if _, err := s.Open("totp of ana", sealed[:i]); err == nil {
			t.Fatalf("opened when cut to %d bytes", i)
		}
	}
	for _, n := range []int{0, 16, 31, 33} {
		if _, err := NewSealer(make([]byte, n)); err == nil {
			t.Errorf("a key of %d bytes was taken", n)
		}
	}
}

func TestTicket(t *testing.T) {
	s := sealer(t)
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	text, err := s.SealTicket("device", map[string]string{"user": "ana"}, now.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]string
	if err := s.OpenTicket("device", text, now, &got); err != nil || got["user"] != "ana" {
		t.Errorf("%v, %v", got, err)
	}
	for name, c := range map[string]struct {
		s    *Sealer
		use  string
		text string
		now  time.Time
	}{
		"expired":     {s, "device", text, now.Add(time.Minute)},
		"other use":   {s, "log-in", text, now},
		"other key":   {sealer(t), "device", text, now},
		"empty":       {s, "device", "", now},
		"no base64":   {s, "device", "%", now},
		"cut":         {s, "device", text[:len(text)-4], now},
		"a bare seal": {s, "device", base64.RawURLEncoding.EncodeToString(s.Seal("device", []byte(`{"u":9999999999,"b":{}}`))), now},
	} {
		got := map[string]string{}
		if err := c.s.OpenTicket(c.use, c.text, c.now, &got); err == nil || len(got) != 0 {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if _, err := s.SealTicket("x", func() {}, now); err == nil {
		t.Error("a function was sealed")
	}
}
