#!/bin/sh
wget -q https://binaries.webex.com/WebexDesktop-Ubuntu-Official-Package/Webex.deb -O /tmp/Webex.deb && sudo apt install -y /tmp/Webex.deb
