Invoke-WebRequest https://tools.example.invalid/a.msi -OutFile a.msi
msiexec /i a.msi
