#!/usr/bin/env bash
#SBATCH --job-name=fxnorm
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=64
#SBATCH --cpus-per-task=1
#SBATCH --mem-per-cpu=4G
#SBATCH --time=12:00:00
# Run a command with a Dask cluster of one worker for each task of the job, from a checkout on the
# shared disk with its environment active:
#   sbatch docs/slurm/cluster.sh dvc repro normalize
set -euo pipefail
mkdir -p .scratch
# What a killed job leaves goes when another command works in .scratch: it has this name and no lock.
place=$(mktemp -d "$PWD/.scratch/.fxnorm-scratch-cluster-XXXXXX")
exec 9<"$place"
flock 9
trap 'kill $(jobs -p) 2>/dev/null || true; wait || true; rm -rf "$place"' EXIT
dask scheduler --port 0 --no-dashboard --scheduler-file "$place/scheduler.json" &
scheduler=$!
srun dask worker --scheduler-file "$place/scheduler.json" --nthreads 1 --no-dashboard \
  --local-directory /tmp &
read_address='import json, sys; print(json.load(open(sys.argv[1]))["address"])'
# The file is there before it is whole.
until address=$(python -c "$read_address" "$place/scheduler.json" 2>/dev/null); do
  kill -0 "$scheduler" 2>/dev/null || { echo "the Dask scheduler has ended" >&2; exit 1; }
  sleep 0.2
done
# What lies in between is read by all workers: it goes to the shared disk, too.
FXNORM_DASK=$address TMPDIR=$place "$@"
