package collect

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"meetguard/internal/people"
	"meetguard/internal/store"
)

// triesIn counts log-ins in the store, so that collectors which share it count
// together.
func triesIn(st store.Store) people.Keep {
	return func(ctx context.Context, keys []string, change func([]people.Tries) []people.Tries) error {
		return st.ChangeTries(ctx, keys, func(known []store.Tries) []store.Tries {
			tries := make([]people.Tries, len(known))
			for i, k := range known {
				tries[i] = people.Tries(k)
			}
			var next []store.Tries
			for _, n := range change(tries) {
				next = append(next, store.Tries(n))
			}
			return next
		})
	}
}

// once tells whether nobody has used the word before, on any collector of the
// store. It is remembered for people.ForgetTries.
func (s *Server) once(ctx context.Context, word string, now time.Time) (bool, error) {
	sum := sha256.Sum256([]byte("once\x00" + word))
	first := false
	err := s.store.ChangeTries(ctx, []string{hex.EncodeToString(sum[:16])}, func(known []store.Tries) []store.Tries {
		first = known[0].N == 0
		return []store.Tries{{N: known[0].N + 1, Last: now}}
	})
	return first, err
}
