#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# usage: by_hand.sh CLIENTS SECONDS SCALE OUTDIR
# What a user writes by hand for the same benchmark on the same cluster: PostgreSQL as a job, wait until it answers,
# pgbench -i, N clients with one srun, fetch the logs, cancel. One ssh connection, polls every second. No report.
set -euo pipefail
clients=$1 seconds=$2 scale=$3 out=$4
login=${AIFACTORY_TEST_LOGIN:-$HOME/.aifactory/local_cluster}
image=/var/lib/aifactory/local_cluster/images/postgresql.sif
name=byhand-$$
dir=/var/lib/aifactory/local_cluster/scratch/u101/$name
control=$(mktemp -u)
remote() {
  ssh -i "$login/id_ed25519" -o "UserKnownHostsFile=$login/known_hosts" -o ControlMaster=auto -o "ControlPath=$control" \
    -o ControlPersist=60 -p 22022 u101@127.0.0.1 "$@"
}
finish() {
  remote "scancel --me --name=$name-service,$name-clients; rm -rf $dir" || true
  ssh -o "ControlPath=$control" -O exit 127.0.0.1 2>/dev/null || true
}
trap finish EXIT
mkdir -p "$out"

remote "umask 077; mkdir -p $dir && cat >$dir/service.sh && cat /dev/null" <<SCRIPT
#!/bin/bash
#SBATCH --job-name=$name-service --account=p200981 --partition=cpu --nodes=1 --time=10 --output=$dir/service.log
data=\$(mktemp -d)
trap 'kill %1; wait; rm -rf \$data' TERM
apptainer -q exec --cleanenv --bind \$data:/data $image sh -c '
  initdb --no-sync -D /data/pg -U bench --auth=trust >/dev/null
  exec postgres -D /data/pg -h 127.0.0.1 -p 15432 -k /data' &
wait
SCRIPT
remote "cat >$dir/clients.sh" <<SCRIPT
#!/bin/bash
#SBATCH --job-name=$name-clients --account=p200981 --partition=cpu --nodes=1 --ntasks=$clients --time=10
#SBATCH --output=$dir/clients.log
run="apptainer -q exec --cleanenv --bind $dir $image"
\$run pgbench -i -q -s $scale -h 127.0.0.1 -p 15432 -U bench postgres
srun --cpu-bind=none --output=$dir/client-%t.log \$run pgbench -h 127.0.0.1 -p 15432 -U bench -c 1 -T $seconds postgres
SCRIPT
service=$(remote "sbatch --parsable $dir/service.sh")
until remote "squeue -h -j $service -o %T" | grep -q RUNNING; do sleep 1; done
until remote "$(printf 'apptainer -q exec %s pg_isready -q -h 127.0.0.1 -p 15432' "$image")"; do sleep 1; done
job=$(remote "sbatch --parsable $dir/clients.sh")
while [ -n "$(remote "squeue -h -j $job -o %T")" ]; do sleep 1; done
remote "tar -C $dir -cf - ." | tar -C "$out" -xf -
remote "scancel $service"
while [ -n "$(remote "squeue -h -j $service -o %T")" ]; do sleep 1; done
grep -h '^tps' "$out"/client-*.log | awk '{sum += $3} END {printf "%.0f transactions/s\n", sum}'
