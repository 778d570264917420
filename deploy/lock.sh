#!/bin/sh
# Writes every *.lock from the requirements*.txt beside it: `make lock`, `make upgrade`.
#
#     deploy/lock.sh              # keeps the locked versions wherever they still fit
#     deploy/lock.sh --upgrade    # takes the newest that fit
#
# UV names the uv to use. See docs/adr/0041-locked-packages.md.
set -eu
cd "$(dirname "$0")/.."

lock() { # the lock to write, then its sources and options
    "${UV:-uv}" pip compile --quiet --no-config --no-emit-index-url --no-emit-find-links \
        --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
        --custom-compile-command "make upgrade" --output-file "$@"
}

# The largest comes first. All others take its versions, so that a package has one version everywhere.
lock requirements-dev.lock requirements-dev.txt requirements-build.txt "$@"
for name in requirements requirements-build deploy/requirements-ingest deploy/requirements-worker \
    deploy/requirements-worker-gpu deploy/requirements-dashboard deploy/requirements-tracing; do
    lock "$name.lock" "$name.txt" --constraint requirements-dev.lock "$@"
done
