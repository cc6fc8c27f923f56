#!/bin/zsh
# double-click to update everything
cd ~
brew update && brew upgrade && brew upgrade --cask zoom microsoft-teams webex && brew cleanup
softwareupdate -l
echo "Done. You can close this window."
