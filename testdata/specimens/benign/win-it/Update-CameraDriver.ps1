# updates the camera driver of the conference room PCs from the vendor
param([string]$Version = '3.2.1')
$zip = "$env:TEMP\camera-$Version.zip"
Invoke-WebRequest "https://download.example-cameras.com/drivers/$Version/camera.zip" -OutFile $zip
if ((Get-FileHash $zip -Algorithm SHA256).Hash -ne '6F1C9A0E0B6D3C1E5B5B9C0D0C3A4F6E7D8C9B0A1F2E3D4C5B6A79880F0E0D0C') { throw 'The hash does not fit' }
Expand-Archive $zip "$env:TEMP\camera" -Force
pnputil /add-driver "$env:TEMP\camera\*.inf" /install
Remove-Item $zip
