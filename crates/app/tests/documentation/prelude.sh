# What the reader of a page has besides it: another terminal, a browser, a build, and a look at what was printed.
set -Eeuo pipefail
trap 'status=$?; echo "failed with $status: $BASH_COMMAND" >&2; exit $status' ERR
trap 'exit 1' TERM INT
trap 'end' EXIT

SERVER=

durward() {
    case ${1-} in
        serve) in_another_terminal "$@" ;;
        login) with_a_browser "$@" ;;
        demo) interrupted "$@" ;;
        people) [ "${2-}" != reset-mfa ] && command durward "$@" || without_a_second_factor "$@" ;;
        explain) within_a_second "$@" ;;
        # 2 says that something would change.
        diff) command durward "$@" || [ $? = 2 ] ;;
        *) command durward "$@" ;;
    esac
}

cargo() {
    case "$*" in
        'run --release -- '*) shift 3; durward "$@" ;;
        'build --release') ;;
        # This is part of it.
        'xtask test') ;;
        *) echo "nothing stands in for: cargo $*" >&2; return 1 ;;
    esac
}

# A reader's people have no telephone to set a second factor up with: the verb finds them, and says that there is none.
without_a_second_factor() {
    [ "$2" = reset-mfa ] && ! command durward "$@" 2>second-factor.err && grep -q 'has no second factor' second-factor.err
}

kill() {
    command kill "$@"
    [ "$1" != -TERM ] || wait "$2"
}

in_another_terminal() {
    : >server.out
    command durward "$@" >server.out 2>>server.log &
    SERVER=$!
    until grep -q '"ready":true' server.out; do
        command kill -0 "$SERVER" || { cat server.log >&2; return 1; }
        sleep 0.05
    done
    if [ -e "$GIVEN" ]; then
        local given=$GIVEN
        GIVEN=/nonexistent
        # shellcheck disable=SC1090
        . "$given"
    fi
}

# What a service decided is on its way to the authority still.
within_a_second() {
    local attempt
    for attempt in {1..20}; do
        if command durward "$@" 2>explain.err; then return; fi
        sleep 0.05
    done
    cat explain.err >&2
    return 1
}

# Until it says how to end it; then it is ended so.
interrupted() {
    if [ "${2-}" = --check ]; then command durward "$@"; return; fi
    command durward "$@" >demo.out &
    local demo=$!
    until grep -q 'Ctrl-C' demo.out; do
        command kill -0 "$demo"
        sleep 0.05
    done
    command kill -INT "$demo"
    wait "$demo"
}

# Logs in as $PERSON on the page whose address the program prints.
with_a_browser() {
    command durward "$@" 2>login.err &
    local program=$! url page action transaction
    until url=$(grep -o 'https://[^ ]*/authorize?[^ ]*' login.err); do
        command kill -0 "$program"
        sleep 0.05
    done
    local browse=(curl -sfL --cacert "$DURWARD_CA" -b jar -c jar)
    page=$("${browse[@]}" "$url")
    action=$(sed -n 's/.*<form[^>]* action="\([^"]*\)".*/\1/p' <<<"$page" | head -1)
    transaction=$(sed -n 's/.*name="transaction" value="\([^"]*\)".*/\1/p' <<<"$page" | head -1)
    "${browse[@]}" -o /dev/null -H "Origin: $AUTHORITY" --data-urlencode "transaction=$transaction" \
        --data-urlencode "username=$PERSON" --data-urlencode "password=$(cat "$PERSON.password")" "$AUTHORITY${action#"$AUTHORITY"}"
    wait "$program"
}

given_file() {
    mkdir -p "$(dirname "$1")"
    cat >"$1"
}

request_id() {
    cat $(ls -v said/*) | grep -io 'x-request-id: [A-Za-z0-9_-]*' | tail -1 | cut -d' ' -f2
}

# The first text member of this name in JSON.
member() {
    grep -o "\"$1\": *\"[^\"]*\"" | head -1 | cut -d'"' -f4
}

kid() { command durward keys list --output json | member kid; }
session_id() { command durward sessions list carla --output json | member id; }
key_id() { command durward api-keys list --output json | member id; }
token_id() { command durward audit list --kind token.issued --output json | member issued; }

end() {
    [ -z "$SERVER" ] || command kill -KILL "$SERVER" 2>/dev/null || true
}
