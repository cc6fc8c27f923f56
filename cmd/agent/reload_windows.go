package main

import "os"

// reloadRequests never come: Windows has no such signal, restart the service.
func reloadRequests() (requests <-chan os.Signal, stop func()) { return nil, func() {} }
