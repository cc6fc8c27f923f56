@echo off
mshta "C:\Program Files\Acme\about.hta"
rem see https://acme.example.invalid/
