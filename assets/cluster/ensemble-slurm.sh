#!/bin/bash
# Train an ensemble on a Slurm cluster: every member is a task of an array job, side by side; a second job joins them.
#
#   assets/cluster/ensemble-slurm.sh SCREEN MODEL.safetensors MEMBERS [options of grn-explorer train]
#
# Options of sbatch go into SBATCH_OPTIONS, for example SBATCH_OPTIONS="--gres=gpu:1 --time=4:00:00 --mem=16G".
# A task that the cluster stops and starts again goes on from its last checkpoint.
set -euo pipefail

if [ $# -lt 3 ]; then
    sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
screen=$1 model=$2 members=$3
shift 3
program=${GRN_EXPLORER:-grn-explorer}
read -r -a options <<<"${SBATCH_OPTIONS:-}"

# The shell of the job expands the number of the task, nothing else.
quoted() { printf '%q ' "$@"; }
base=${model%.safetensors}
member="$(printf '%q' "$base").member-\$SLURM_ARRAY_TASK_ID.safetensors"
train="$(quoted "$program" train "$screen" --resume "$@")--member \$SLURM_ARRAY_TASK_ID -o $member"
files=()
for ((number = 1; number <= members; number++)); do files+=("$base.member-$number.safetensors"); done

array=$(sbatch --parsable --requeue --job-name=grn-member --array="1-$members" "${options[@]}" --wrap "$train")
sbatch --job-name=grn-merge --dependency="afterok:${array%%;*}" \
    --wrap "$(quoted "$program" merge "${files[@]}" -o "$model")"
