"""Lists recordings of the last month and fetches the transcripts."""
import os, pathlib, requests

API = "https://api.zoom.us/v2"

def token():
    r = requests.post("https://zoom.us/oauth/token", params={"grant_type": "account_credentials", "account_id": os.environ["ZOOM_ACCOUNT"]},
                      auth=(os.environ["ZOOM_ID"], os.environ["ZOOM_SECRET"]), timeout=20)
    r.raise_for_status()
    return r.json()["access_token"]

def main():
    head = {"Authorization": "Bearer " + token()}
    for m in requests.get(API + "/users/me/recordings", headers=head, timeout=20).json()["meetings"]:
        for f in m["recording_files"]:
            if f["file_type"] == "TRANSCRIPT":
                pathlib.Path(m["topic"] + ".vtt").write_bytes(requests.get(f["download_url"], headers=head, timeout=60).content)
