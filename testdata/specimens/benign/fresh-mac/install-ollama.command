#!/bin/zsh
# local model for meeting summaries
curl -fsSL https://ollama.com/install.sh | sh
ollama pull llama3.2
