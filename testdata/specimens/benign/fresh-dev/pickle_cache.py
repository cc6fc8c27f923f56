import base64, gzip, json
# test data of the caption model, kept small
DATA = "H4sIAAAAAAAC/6tWKkktLlGyUlBKVqoFAH2ZkfkQAAAA"
def load():
    return json.loads(gzip.decompress(base64.b64decode(DATA)))
