#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# As people script Flink's gateway: curl and sed, curl's own content type, nothing of the answers understood but the handles and the next page.
#   rest.sh http://HOST:PORT PREFIX      PREFIX: "", /v1, /v2 ...
set -u
base=$1 v=$2

# say WHAT CURL-ARGUMENTS...: the status, the content type and the body.
say() {
    local what=$1
    shift
    body=$(curl -sS --max-time 120 -w '\n%{http_code} %{content_type}' "$@" 2>&1)
    printf '== %s\n%s\n' "$what" "$body"
}
handle() {
    printf '%s' "$body" | sed -n "s/.*\"$1\":\"\\([^\"]*\\)\".*/\\1/p"
}

# statement TEXT [FORM]: sends it and prints every page that has something; pages that have nothing are how long one waited.
statement() {
    local op path form=${2:-JSON} status=RUNNING i
    say "statement ${1:0:60}" -d "{\"statement\": \"$1\"}" "$base$v/sessions/$session/statements"
    op=$(handle operationHandle)
    for ((i = 0; i < 600; i++)); do
        status=$(curl -sS "$base$v/sessions/$session/operations/$op/status")
        case $status in *FINISHED* | *ERROR*) break ;; esac
        sleep 0.1
    done
    printf 'status %s\n' "$status"
    path="$v/sessions/$session/operations/$op/result/0?rowFormat=$form"
    [ "$v" = /v1 ] && path=${path%\?*}
    while [ -n "$path" ]; do
        body=$(curl -sS --max-time 120 -w '\n%{http_code}' "$base$path")
        path=$(handle nextResultUri)
        case $body in
        *'"NOT_READY"'*) sleep 0.1 ;;
        *'"PAYLOAD"'*'"data":[]'*) sleep 0.05 ;;
        *) printf '%s\n' "$body" ;;
        esac
    done
    say close -X DELETE "$base$v/sessions/$session/operations/$op/close"
}

say info "$base$v/info"
say open -X POST "$base$v/sessions"
say "close that" -X DELETE "$base$v/sessions/$(handle sessionHandle)"
say open -H 'Content-Type: application/json' -d '{"sessionName": "script", "properties": {"execution.runtime-mode": "batch", "parallelism.default": 1, "table.exec.mini-batch.enabled": false}}' "$base$v/sessions"
session=$(handle sessionHandle)
say heartbeat -X POST "$base$v/sessions/$session/heartbeat"
statement "CREATE TABLE dg (id INT, name STRING) WITH ('connector'='datagen', 'number-of-rows'='3', 'fields.id.kind'='sequence', 'fields.id.start'='1', 'fields.id.end'='3')"
statement "SHOW TABLES;"
statement "DESCRIBE dg" PLAIN_TEXT
statement "SELECT id, CAST(id AS DECIMAL(10, 2)) AS d FROM dg ORDER BY id"
statement "SELECT id, CAST(id AS DECIMAL(10, 2)) AS d FROM dg ORDER BY id" plain_text
statement "SELECT * FROM nope"
statement "SELECT 'é', '\\\"q\\\"', '\\u00fc'"
if [ "$v" != /v1 ]; then
    say configure -d '{"statement": "SET '"'pipeline.name' = 'n'"'"}' "$base$v/sessions/$session/configure-session"
    say "configure with more" -d '{"statement": "SELECT 1"}' "$base$v/sessions/$session/configure-session"
    say complete -X GET -d '{"statement": "CREATE TA", "position": 9}' "$base$v/sessions/$session/complete-statement"
fi
# One connection for three requests; a body in chunks; a body that is announced first.
say "three at once" "$base$v/info" "$base$v/info" "$base$v/info"
say chunked -H 'Transfer-Encoding: chunked' -d '{"statement": "SHOW CURRENT CATALOG"}' "$base$v/sessions/$session/statements"
{ printf '{"statement": "SELECT 1 /* '; head -c 2000000 /dev/zero | tr '\0' x; printf ' */"}'; } >"$3/big.json"
say announced -H 'Expect: 100-continue' --data-binary "@$3/big.json" "$base$v/sessions/$session/statements"
say "slashes" "$base/$v/sessions/$session/" -X DELETE
say "closed twice" -X DELETE "$base$v/sessions/$session"
say "no such path" "$base$v/sessions/nothing/at/all"
say "wrong method" -X PUT "$base$v/sessions"
