"""Lists the recordings of a Zoom account and downloads them."""
import os
import sys
import requests

TOKEN = os.environ["ZOOM_TOKEN"]
S = requests.Session()
S.headers["Authorization"] = f"Bearer {TOKEN}"


def recordings(user="me"):
    r = S.get(f"https://api.zoom.us/v2/users/{user}/recordings", params={"page_size": 100})
    r.raise_for_status()
    return r.json()["meetings"]


def download(url, to):
    with S.get(url, stream=True) as r, open(to, "wb") as f:
        for chunk in r.iter_content(1 << 20):
            f.write(chunk)


for m in recordings():
    for f in m["recording_files"]:
        download(f["download_url"], f"{m['topic']}-{f['id']}.mp4")
        print("saved", m["topic"], file=sys.stderr)
