#!/bin/bash
# local transcription of a recording
model=~/.cache/whisper/ggml-small.bin
[ -f "$model" ] || curl -L --create-dirs -o "$model" https://huggingface.co/ggerganov/whisper.cpp/resolve/main/ggml-small.bin
whisper-cli -m "$model" -f "$1" -otxt
