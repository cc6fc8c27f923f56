@echo off
rem compares the hash of the installer with the one on our page
certutil -hashfile "%~dp0ZoomInstallerFull.msi" SHA256 | find /i "%1" && echo The file is the right one.
