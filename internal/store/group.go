package store

import "sync"

// groupCommit lets batches that arrive while a commit runs share the next one.
type groupCommit struct {
	queueMu  sync.Mutex
	queue    []*pendingSave // batches that wait for a commit
	commitMu sync.Mutex     // held by the one who commits
}

// pendingSave is a batch on its way. Everything but batch is written under
// commitMu.
type pendingSave struct {
	batch   Batch
	done    bool
	results []Result
	err     error
}
