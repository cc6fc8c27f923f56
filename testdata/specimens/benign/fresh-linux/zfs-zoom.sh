#!/bin/sh
# "zoom" into a slow pool: the 20 slowest files
zpool iostat -v 5 1
find /tank -type f -size +1G -printf '%s %p\n' | sort -n | tail -20
