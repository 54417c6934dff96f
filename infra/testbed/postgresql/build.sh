#!/usr/bin/env bash
# Unpacks PostgreSQL 16 and 17 into the folder given, each below its number; needs mvn and xz.
set -euo pipefail

mvn --quiet --batch-mode --color never --file "$(dirname "$0")/pom.xml" \
    dependency:unpack "-Dservers=$1"
for server in "$1"/1?; do
    tar --extract --xz --file "$server"/postgres-*.txz --directory "$server"
    rm -r "$server"/*.txz "$server"/META-INF
done
rm -r "$1/marks"
