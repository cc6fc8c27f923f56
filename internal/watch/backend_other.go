//go:build !linux

package watch

// backends are the names that FilesConfig.Backend may have.
var backends = []string{"", nameFsnotify}

// openBackend opens the backend of that name.
func openBackend(string) (backend, error) { return openFsnotify() }
