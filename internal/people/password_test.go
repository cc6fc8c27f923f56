package people

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
)

// cheap is a Hasher whose hashes cost little.
func cheap() *Hasher { return NewHasherOf(64, 1) }

func TestHashAndVerify(t *testing.T) {
	h := NewHasher()
	hash, err := h.Hash(t.Context(), "correct horse battery")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=65536,t=3,p=4$") {
		t.Errorf("not what RFC 9106 recommends: %s", hash)
	}
	for password, want := range map[string]bool{
		"correct horse battery": true, "correct horse batterY": false, "": false, "correct horse battery ": false,
	} {
		ok, stale, err := h.Verify(t.Context(), hash, password)
		if ok != want || stale || err != nil {
			t.Errorf("%q: %v, stale %v, %v; want %v", password, ok, stale, err, want)
		}
	}
	if err := h.VerifyNobody(t.Context(), "x"); err != nil {
		t.Error(err)
	}
}

// The hash was made by the argon2 command of Debian's package of that name:
// echo -n "pa55 word with spaces" | argon2 somesaltofours -id -t 2 -k 256 -p 1 -l 24 -e
func TestVerifyForeignHash(t *testing.T) {
	const hash = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHRvZm91cnM$vm8442sVBmsS5wJIsxXLIdMy4jeP8POS"
	ok, stale, err := NewHasher().Verify(t.Context(), hash, "pa55 word with spaces")
	if !ok || !stale || err != nil {
		t.Errorf("%v, stale %v, %v", ok, stale, err)
	}
}

func TestHashesDiffer(t *testing.T) {
	h := cheap()
	a, _ := h.Hash(t.Context(), "the same one")
	b, _ := h.Hash(t.Context(), "the same one")
	if a == b {
		t.Error("two hashes of a password are the same: no salt")
	}
	hash, _ := h.Hash(t.Context(), "Zoe\u0308 likes tea")
	if ok, _, err := h.Verify(t.Context(), hash, "Zo\u00eb likes tea"); !ok || err != nil {
		t.Errorf("an accent that another keyboard sends in another way: %v, %v", ok, err)
	}
}

func TestVerifyTellsStale(t *testing.T) {
	old := cheap()
	hash, _ := old.Hash(t.Context(), "some password")
	next := cheap()
	next.cost.passes++
	if ok, stale, err := next.Verify(t.Context(), hash, "some password"); !ok || !stale || err != nil {
		t.Errorf("%v, stale %v, %v", ok, stale, err)
	}
}

var damagedHashes = []string{
	"", "x", "$", "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ",
	"$argon2i$v=19$m=64,t=1,p=1$c29tZXNhbHQ$MDEyMzQ1Njc4OWFiY2RlZg",
	"$argon2id$v=16$m=64,t=1,p=1$c29tZXNhbHQ$MDEyMzQ1Njc4OWFiY2RlZg",
	"$argon2id$v=19$m=64,t=0,p=1$c29tZXNhbHQ$MDEyMzQ1Njc4OWFiY2RlZg",
	"$argon2id$v=19$m=64,t=1,p=0$c29tZXNhbHQ$MDEyMzQ1Njc4OWFiY2RlZg",
	"$argon2id$v=19$m=64,t=1,p=300$c29tZXNhbHQ$MDEyMzQ1Njc4OWFiY2RlZg",
	"$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHQ$MDEyMzQ1Njc4OWFiY2RlZg",
	"$argon2id$v=19$m=64,t=4294967295,p=1$c29tZXNhbHQ$MDEyMzQ1Njc4OWFiY2RlZg",
	"$argon2id$v=19$m=064,t=1,p=1$c29tZXNhbHQ$MDEyMzQ1Njc4OWFiY2RlZg",
	"$argon2id$v=19$m=64,t=1,p=1,x=2$c29tZXNhbHQ$MDEyMzQ1Njc4OWFiY2RlZg",
	"$argon2id$v=19$m=64,t=1,p=1$$MDEyMzQ1Njc4OWFiY2RlZg",
	"$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$",
	"$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$MDEyMzQ1Njc4OWFiY2RlZg==",
	"$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$MDEyMzQ1Njc4OWFiY2RlZg$",
}

func TestVerifyRefusesDamagedHash(t *testing.T) {
	for _, hash := range damagedHashes {
		ok, _, err := NewHasher().Verify(t.Context(), hash, "")
		if ok || err == nil {
			t.Errorf("%q: %v, %v", hash, ok, err)
		} else if hash != "" && hash != "x" && hash != "$" && strings.Contains(err.Error(), hash) {
			t.Errorf("the error shows the hash: %v", err)
		}
	}
}

// Two are hashed at a time and some may wait; the next one is sent away at once,
// and one whose caller leaves does not wait on.
func TestHasherIsBounded(t *testing.T) {
	h := cheap()
	for range hashing {
		h.slots <- struct{}{}
	}
	gone, leave := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	errs := make(chan error, hashing+waiting)
	for range hashing + waiting {
		wg.Go(func() {
			_, err := h.Hash(gone, "password")
			errs <- err
		})
	}
	for h.queue.Load() < hashing+waiting { // they come to wait
	}
	if _, err := h.Hash(t.Context(), "password"); !errors.Is(err, ErrBusy) {
		t.Errorf("one too many: %v", err)
	}
	leave()
	wg.Wait()
	close(errs)
	for err := range errs {
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("one that left: %v", err)
		}
	}
	<-h.slots
	if _, err := h.Hash(t.Context(), "password"); err != nil {
		t.Errorf("when there is room: %v", err)
	}
	if h.queue.Load() != 0 {
		t.Errorf("%d are counted as waiting", h.queue.Load())
	}
	if _, err := h.Hash(t.Context(), strings.Repeat("x", maxPasswordBytes+1)); err == nil || errors.Is(err, ErrBusy) {
		t.Errorf("a password without end: %v", err)
	}
}

func TestCheckPassword(t *testing.T) {
	for password, want := range map[string]error{
		"tea rug pond eight":             nil,
		"Ünterwegs nach Süden":           nil,
		"雨の日は家で本を読むのが好き":                 nil,
		"kZ9#vR2!qLm7":                   nil,
		"x$L8)q2@Wm.0":                   nil,
		strings.Repeat("pond tea ", 28):  nil,
		"short":                          errShort,
		"elevenchars":                    errShort,
		"雨雨":                             errShort,
		strings.Repeat("pond tea ", 29):  errLong,
		"tab\tin the middle":             errText,
		"bytes \xff\xfe of nothing":      errText,
		"i am Ana.Lyst, hello":           errName,
		"aaaaaaaaaaaaaaaa":               errSimple,
		"121212121212":                   errSimple,
		"abcabcabcabcabc":                errSimple,
		"123456789012":                   errSimple,
		"abcdefghijklmnop":               errSimple,
		"zyxwvutsrqponm":                 errSimple,
		"password1234":                   errCommon,
		"Passw0rd!2026":                  errCommon,
		"P@$$w0rd2026":                   errCommon,
		"administrator1":                 errCommon,
		"MeetGuard-Admin-2026":           errCommon,
		"Qwertyuiop123!":                 errCommon,
		"correct horse password battery": nil,
		"928374651029":                   errCommon,
		"Sommer2026Sommer":               errCommon,
	} {
		if err := CheckPassword("ana.lyst", password); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", password, err, want)
		}
	}
	if err := CheckPassword("jo", "the banjo plays on"); err != nil {
		t.Errorf("a name of two letters is in many words: %v", err)
	}
}

func FuzzParsePHC(f *testing.F) {
	for _, hash := range damagedHashes {
		f.Add(hash)
	}
	f.Add("$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$MDEyMzQ1Njc4OWFiY2RlZg")
	f.Fuzz(func(t *testing.T, hash string) {
		p, err := parsePHC(hash)
		if err == nil && p.String() != hash {
			t.Errorf("%q was read as %q", hash, p)
		}
	})
}
