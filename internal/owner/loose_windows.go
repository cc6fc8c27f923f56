package owner

// loose: the managers of other systems have no say here.
func loose(string) bool { return true }
