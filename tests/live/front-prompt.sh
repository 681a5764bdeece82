#!/bin/sh
# The prompt, through a pseudo-terminal.
. "$(dirname "$0")/front.inc"
if ! command -v python3 >/dev/null; then
	echo "skipped: there is no python3"
	exit 77
fi
mkdir "$tmp/home"
python3 "$here/prompt.py" "$BELLJAR" "$tmp/home"
