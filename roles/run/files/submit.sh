#!/bin/sh
# SPDX-License-Identifier: MIT
# Submits the jobs of a run, each once: looks for the job's name before it submits.
# usage: sh submit.sh RUN_ID ROLE...          (roles in order; the clients start when the service has started)
# prints, per role:  job ROLE ID submitted|adopted     or at the first failure:  error ROLE RC, then Slurm's own words
set -u
run_id=$1
shift
cd "$(dirname "$0")" || exit 1
image_id=""
service_id=""

fail() {
  echo "error $1 $2"
  cat submit.err
  exit 0
}

submit() {
  role=$1
  shift
  id=$(squeue --noheader --states=all --user="$(id -un)" --name="aifactory-$run_id-$role" --format=%A 2>submit.err) ||
    fail "$role" $?
  id=$(echo "$id" | sort -n | head -n 1)
  how=adopted
  if [ -z "$id" ]; then
    id=$(sbatch --parsable "$@" "$role.sbatch" 2>submit.err) || fail "$role" $?
    id=${id%%;*}
    how=submitted
  fi
  echo "job $role $id $how"
}

# Whether the image job has nothing to do: all that it makes is there.
nothing_to_fetch() {
  while read -r path; do
    [ -e "$path" ] || return 1
  done <needs.txt
}

for role in "$@"; do
  case $role in
    image)
      nothing_to_fetch && continue
      submit image
      image_id=$id
      ;;
    service)
      if [ -n "$image_id" ]; then
        submit service --dependency="afterok:$image_id" --kill-on-invalid-dep=yes
      else
        submit service
      fi
      service_id=$id
      ;;
    clients)
      # a service that is cancelled in the queue counts as one that has started
      if [ -n "$image_id" ]; then
        submit clients --dependency="after:$service_id,afterok:$image_id" --kill-on-invalid-dep=yes
      else
        submit clients --dependency="after:$service_id"
      fi
      ;;
  esac
done
