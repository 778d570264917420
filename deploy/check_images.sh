#!/usr/bin/env bash
# Check, without a container engine, that each image has what its processes import: per stage a
# clean virtual environment with the image's packages, only the folders that the Dockerfile
# copies, and the entry module imported in there.
#
#     deploy/check_images.sh                     # ingest, worker, dashboard
#     deploy/check_images.sh worker worker-gpu   # some of them
#
# PYTHON names the interpreter (default python3.11, the images' version).
set -euo pipefail
cd "$(dirname "$0")/.."

declare -A entries=(
    [ingest]="ingest.__main__ ingest.process.service ingest.process.jobs alerts.service alerts.delivery maskwatch.cli deploy.healthcheck"
    [worker]="worker.__main__ worker.service worker.uploads.image_jobs worker.uploads.recording_jobs worker.uploads.recordings face_detector.loading models.loading models.cli maskwatch.cli deploy.healthcheck"
    [worker-gpu]="worker.__main__ worker.service worker.uploads.image_jobs worker.uploads.recording_jobs worker.uploads.recordings face_detector.loading models.loading models.cli maskwatch.cli deploy.healthcheck"
    [dashboard]="dashboard.__main__ dashboard.serving.server gunicorn.workers.ggevent maskwatch.cli deploy.healthcheck"
)

# The folders that a target copies into /app, those of the targets it builds on first.
copied() {
    awk -v want="$1" '
        $1 == "FROM" { stage = $4; base[stage] = $2 }
        $1 == "COPY" && $NF ~ "^/app/" { copies[stage] = copies[stage] " " $(NF - 1) }
        END { for (stage = want; stage in base; stage = base[stage]) print copies[stage] }
    ' deploy/Dockerfile | xargs
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0

[ $# -gt 0 ] || set -- ingest worker dashboard
for target in "$@"; do
    app="$scratch/$target/app" venv="$scratch/$target/venv"
    mkdir -p "$app"
    read -ra folders <<<"$(copied "$target")"
    cp --parents -r "${folders[@]}" "$app"
    rm -rf "$app/models/training" # as .dockerignore does
    "${PYTHON:-python3.11}" -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes \
        --only-binary :all: -r "deploy/requirements-$target.lock"
    echo "$target: $(du -sh "$venv" | cut -f1) installed; folders ${folders[*]}"
    for module in ${entries[$target]}; do
        if (cd "$app" && PYTHONPATH="$app" PYTHONDONTWRITEBYTECODE=1 \
            env -u VIRTUAL_ENV "$venv/bin/python" -c "import $module"); then
            echo "$target: import $module ok"
        else
            echo "$target: import $module FAILED" >&2
            failed=1
        fi
    done
done
exit "$failed"
