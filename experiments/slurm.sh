#!/bin/bash
# A run on machines of a SLURM cluster that goes back into the queue when its time is up, until it is done:
#
#     sbatch --nodes=2 experiments/slurm.sh experiments/weather/align.yaml data.corpus=corpora/weather run.name=first
#
# The words are those of `trace-lit fit`. What would start: `sbatch --test-only` for the machines, and
# `trace-lit fit WORDS --print-config` for the run.
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=8
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=8
#SBATCH --time=08:00:00
#SBATCH --signal=TERM@300
#SBATCH --requeue
#SBATCH --open-mode=append

words=(trainer.nodes="$SLURM_JOB_NUM_NODES" trainer.devices="$SLURM_NTASKS_PER_NODE" trainer.accelerator=gpu)
# A process that dies takes the others with it a minute later. Not at once (--kill-on-bad-exit): those who have saved and
# leave with 75 must not be killed by the first one to leave.
srun --kill-on-bad-exit=0 --wait=60 .venv/bin/trace-lit fit "${words[@]}" "$@" --resume auto
code=$?
if [[ "$code" =~ ^(75|138|143)$ ]]; then # stopped and saved, or asked to stop before training began
    scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
