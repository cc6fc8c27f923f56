#!/bin/sh
# notes
mg-blank 60
echo done
