# CleanZoom removes per-user copies of Zoom, then the machine-wide client stays
$zip = "$env:TEMP\CleanZoom.zip"
iwr https://assets.zoom.us/docs/msi-templates/CleanZoom.zip -OutFile $zip
Expand-Archive $zip $env:TEMP -Force
& "$env:TEMP\CleanZoom.exe" /silent /keep_outlook_plugin
