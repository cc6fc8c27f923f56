#!/usr/bin/env python3
"""Munki preflight: sets the client identifier from the inventory service."""
import json
import subprocess
import sys
import urllib.request

URL = "https://inventory.example.com/api/v1/hosts/{}"


def serial():
    out = subprocess.check_output(["/usr/sbin/ioreg", "-c", "IOPlatformExpertDevice", "-d", "2"], text=True)
    for line in out.splitlines():
        if "IOPlatformSerialNumber" in line:
            return line.split('"')[-2]
    return None


def main():
    with urllib.request.urlopen(URL.format(serial()), timeout=10) as answer:
        host = json.load(answer)
    subprocess.check_call(["/usr/bin/defaults", "write", "/Library/Preferences/ManagedInstalls", "ClientIdentifier", host["manifest"]])


if __name__ == "__main__":
    sys.exit(main())
