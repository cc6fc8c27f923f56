@echo off
rem portable Python for the captions of our town hall
curl -fLo python.zip https://www.python.org/ftp/python/3.12.7/python-3.12.7-embed-amd64.zip
mkdir py & tar -xf python.zip -C py
py\python.exe captions.py
