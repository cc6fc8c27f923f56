#!/usr/bin/env python3
"""Command line of our deployment: deploy.py ENV VERSION"""
import argparse
import base64
import os
import subprocess
import urllib.request


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("env", choices=["test", "prod"])
    p.add_argument("version")
    a = p.parse_args()
    token = base64.b64decode(os.environ["DEPLOY_TOKEN"]).decode().strip()
    req = urllib.request.Request(f"https://deploy.corp.example.com/{a.env}/{a.version}", method="POST", headers={"Authorization": "Bearer " + token})
    with urllib.request.urlopen(req) as r:
        print(r.read().decode())
    subprocess.run(["kubectl", "--context", a.env, "rollout", "status", "deploy/app"], check=True)


if __name__ == "__main__":
    main()
