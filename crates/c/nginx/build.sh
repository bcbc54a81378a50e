#!/usr/bin/env bash
# Builds target/ngx_http_claimgate_module.so for the nginx of Debian's package nginx-dev.
set -euo pipefail
cd "$(dirname "$0")"
here=$PWD
(cd ../staticlib && cargo build --quiet --release)
mkdir -p target
rm -rf target/nginx
cp -r /usr/share/nginx/src target/nginx
cd target/nginx
# shellcheck disable=SC1091
. ./conf_flags
./configure "${NGX_CONF_FLAGS[@]}" --add-dynamic-module="$here" \
    --with-cc-opt="-O2 -g -fPIC -fstack-protector-strong -D_FORTIFY_SOURCE=2 -Wall -Wextra -Wno-unused-parameter -Werror" \
    --with-ld-opt="-Wl,-z,relro -Wl,-z,now -fPIC" >configure.log ||
    { tail configure.log >&2; exit 1; }
make --silent -f objs/Makefile modules
cp objs/ngx_http_claimgate_module.so ..
ls -l ../ngx_http_claimgate_module.so | awk '{ print "ngx_http_claimgate_module.so: " $5 " bytes" }'
