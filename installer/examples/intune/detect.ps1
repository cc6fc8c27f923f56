# Detection rule for a Win32 app: installed, and the service runs. Intune takes
# text and exit code 0 as "detected".
$program = Join-Path $env:ProgramFiles 'MeetGuard\meetguard.exe'
$service = Get-Service -Name meetguard -ErrorAction SilentlyContinue
if ((Test-Path $program) -and $service -and $service.Status -eq 'Running') {
    & $program version
    exit 0
}
exit 1
