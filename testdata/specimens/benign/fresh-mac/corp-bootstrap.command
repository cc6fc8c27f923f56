#!/bin/bash
# first start of a Mac of Example Corp; hosts of the company only
curl -fsSL https://bootstrap.example-corp.com/mac.sh -o /tmp/bootstrap.sh
echo "$(curl -fsSL https://bootstrap.example-corp.com/mac.sh.sha256)  /tmp/bootstrap.sh" | shasum -a 256 -c - && bash /tmp/bootstrap.sh
