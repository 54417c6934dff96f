#!/usr/bin/env bash
# Copies the jars of one Kafka broker into the folder given; needs mvn.
set -euo pipefail

mvn --quiet --batch-mode --color never --file "$(dirname "$0")/pom.xml" \
    dependency:copy-dependencies -DincludeScope=runtime "-DoutputDirectory=$1/libs"
