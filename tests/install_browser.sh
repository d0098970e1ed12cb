#!/usr/bin/env bash
# Makes a Chromium available to the browser tests: the system's, Debian's package, or Playwright's own download.
set -eu
if command -v chromium >/dev/null || command -v google-chrome >/dev/null; then
    exit 0
fi
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    apt-get update -qq && apt-get install -y -qq chromium fonts-dejavu
else
    python -m playwright install chromium
fi
