#!/usr/local/munki/munki-python
"""installcheck_script for Zoom: exit 0 asks Munki to install."""
import plistlib, sys
WANTED = (6, 2, 0)
try:
    with open("/Applications/zoom.us.app/Contents/Info.plist", "rb") as f:
        have = plistlib.load(f)["CFBundleShortVersionString"]
except OSError:
    sys.exit(0)
have = tuple(int(p) for p in have.split(" ")[0].split(".")[:3])
sys.exit(0 if have < WANTED else 1)
