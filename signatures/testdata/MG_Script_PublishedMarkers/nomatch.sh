curl -A mac-curl https://up.example.invalid/update/version/1
