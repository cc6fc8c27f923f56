#!/bin/bash
# tools for the transcription course
curl -LsSf https://astral.sh/uv/install.sh | sh
~/.local/bin/uv tool install openai-whisper
