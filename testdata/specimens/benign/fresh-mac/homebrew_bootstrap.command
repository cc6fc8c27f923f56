#!/bin/bash
# Sets up a new developer Mac
/bin/bash -c "$(curl -fsSL https://raw.githubusercontent.com/Homebrew/install/HEAD/install.sh)"
eval "$(/opt/homebrew/bin/brew shellenv)"
brew install git jq ripgrep
brew install --cask zoom microsoft-teams slack webex
