#!/bin/sh
# SPDX-License-Identifier: MIT
# Milvus with etcd and its message queue in one process, on the eleven ports from SERVICE_PORT on: the proxy (gRPC
# and REST) on the first, health and metrics on the last. Data lies in a folder that is removed at the end; a
# graceful stop would only take long.
set -eu
port=$SERVICE_PORT
dir=$(mktemp -d)
cd "$dir" # where the image's /run/milvus leads to, so that each server has its own
cp /opt/milvus/glog.conf .
cat >etcd.yaml <<END
name: default
listen-client-urls: http://127.0.0.1:$((port + 1))
advertise-client-urls: http://127.0.0.1:$((port + 1))
listen-peer-urls: http://127.0.0.1:$((port + 2))
initial-advertise-peer-urls: http://127.0.0.1:$((port + 2))
initial-cluster: default=http://127.0.0.1:$((port + 2))
log-level: error
END
cat >milvus.yaml <<END
etcd: {endpoints: "127.0.0.1:$((port + 1))", use: {embed: true}, config: {path: $dir/etcd.yaml}, data: {dir: $dir/etcd}}
mq: {type: rocksmq}
rocksmq: {path: $dir/rocksmq}
common: {storageType: local}
localStorage: {path: $dir/data}
proxy: {ip: "$SERVICE_ADDRESS", port: $port, internalPort: $((port + 3)), ginLogging: false}
rootCoord: {ip: 127.0.0.1, port: $((port + 4))}
queryCoord: {ip: 127.0.0.1, port: $((port + 5))}
queryNode: {ip: 127.0.0.1, port: $((port + 6))}
dataCoord: {ip: 127.0.0.1, port: $((port + 7))}
dataNode: {ip: 127.0.0.1, port: $((port + 8))}
indexNode: {ip: 127.0.0.1, port: $((port + 9))}
END
export DEPLOY_MODE=STANDALONE MILVUSCONF="$dir" METRICS_PORT=$((port + 10)) LD_LIBRARY_PATH=/opt/milvus/bin
/opt/milvus/bin/milvus run standalone &
trap 'kill -KILL "$!"' TERM
wait "$!" && status=0 || status=$?
cd /
rm -rf "$dir" "/tmp/milvus/server_id_$!"
exit "$status"
