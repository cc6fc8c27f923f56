#!/bin/sh
# deploys PowerShell too
curl -s https://tools.example.invalid/a.pkg
