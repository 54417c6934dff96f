#!/usr/bin/env bash
# Builds the program that renders as Go and sprig do into the folder given; needs go.
set -euo pipefail
cd "$(dirname "$0")"

# One package at a time beside the machine's other work: BUILD_FLAGS=-p=1.
# shellcheck disable=SC2086
GOFLAGS="-mod=readonly -buildvcs=false ${BUILD_FLAGS:-}" CGO_ENABLED=0 \
    go build -trimpath -ldflags "-s -w" -o "$1/render" .
