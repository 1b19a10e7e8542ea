#!/usr/bin/env bash
# Fetches the jars of the broker and its tools into lib/ with Maven, once. Several callers may run
# it at the same time; the folder appears only when it is complete.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

[[ -d "$jars" ]] && exit 0
need java 'a Java 17 runtime'
need mvn 'Maven 3.8 or later'

exec 8>"$folder/.fetch.lock"
flock 8
[[ -d "$jars" ]] && exit 0
partial="$jars.partial"
rm -rf "$partial"
echo 'kafka: fetching the jars from the Maven repository, about 55 MB' >&2
mvn --quiet --batch-mode --file "$folder/pom.xml" dependency:copy-dependencies \
  -DoutputDirectory="$partial" >&2 || fail 'Maven could not fetch the jars'
mv "$partial" "$jars"
