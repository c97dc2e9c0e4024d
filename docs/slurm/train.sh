#!/usr/bin/env bash
#SBATCH --job-name=fxnorm-train
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=4
#SBATCH --cpus-per-task=32
#SBATCH --time=48:00:00
#SBATCH --requeue
# Train one system on all GPUs of the job, from a checkout on the shared disk with its environment
# active, after `dvc repro pretrain`:
#   sbatch docs/slurm/train.sh ours_S_Lb
# A job that ends early goes on at its last checkpoint when it is submitted again.
set -euo pipefail
export FXNORM_NODES=$SLURM_JOB_NUM_NODES FXNORM_DEVICES=$SLURM_GPUS_ON_NODE
# sed reads to the end: scontrol would fail on a pipe that closes early.
first=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | sed -n 1p)
srun torchrun --nnodes "$FXNORM_NODES" --nproc-per-node "$FXNORM_DEVICES" \
  --rdzv-id "$SLURM_JOB_ID" --rdzv-backend c10d --rdzv-endpoint "$first:29500" \
  -m stages.train "$1"
dvc commit --force "train@$1"
