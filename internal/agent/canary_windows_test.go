package agent

import "golang.org/x/sys/windows"

const fullVolume = windows.ERROR_DISK_FULL
