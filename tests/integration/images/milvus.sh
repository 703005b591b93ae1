#!/bin/sh
# SPDX-License-Identifier: MIT
# Milvus' program by the name that it has in its own image, where the libraries beside it are found.
export LD_LIBRARY_PATH=/opt/milvus/bin
exec /opt/milvus/bin/milvus "$@"
