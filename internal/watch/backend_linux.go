package watch

// backends are the names that FilesConfig.Backend may have.
var backends = []string{"", nameInotify, nameFsnotify}

// openBackend opens the backend of that name.
func openBackend(name string) (backend, error) {
	if name == nameFsnotify {
		return openFsnotify()
	}
	return openInotify()
}
