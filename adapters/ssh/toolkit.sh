# Quarterdeck's part on a host: it runs a script once, apart from the session that asked for it.
#
#   sh toolkit.sh VERB ARGUMENT...      the verbs are the functions below the word VERBS
#
# POSIX sh and setsid; README.md tells what each file in a run's folder means. A verb's answer on
# standard output begins after the line MARK, because a host's profile may print things of its own.

set -u
MARK='--quarterdeck--'
mask=$(umask)
umask 077

refuse() {
    printf '%s\n' "$*" >&2
    exit 70
}

# nap SECONDS: or a whole second, where sleep knows no fractions.
nap() {
    sleep "$1" 2>/dev/null || sleep 1
}

# Sets `boot`: another one means that the host was started anew since.
read_boot() {
    boot=unknown
    { read -r boot < /proc/sys/kernel/random/boot_id; } 2>/dev/null
    return 0
}

# Sets `ticks`: when process PID began, in the kernel's count, so that its number cannot be mistaken
# for another's later; 0 where there is no /proc, `dead` for one that only waits to be buried.
read_ticks() {
    ticks=0
    line=
    { read -r line < "/proc/$1/stat"; } 2>/dev/null || return 0
    # shellcheck disable=SC2086  # the fields are words
    set -- ${line##*) }
    ticks=${20:-0}
    [ "${1:-}" != Z ] || ticks=dead
}

# Sets `uptime`: the seconds since the host was started, which nobody who sets its clock changes;
# empty where there is no /proc, because then no clock can be trusted.
read_uptime() {
    uptime=
    { read -r uptime _ < /proc/uptime; } 2>/dev/null
    uptime=${uptime%%.*}
    case $uptime in *[!0-9]*) uptime= ;; esac
    return 0
}

# span BEGUN: sets `seconds` from an uptime of this boot to now; `-` where it is not known.
span() {
    read_uptime
    seconds=-
    case $1 in '' | *[!0-9]*) return ;; esac
    [ -z "$uptime" ] || [ "$uptime" -lt "$1" ] || seconds=$((uptime - $1))
}

# lives RUN: whether its keeper is there.
lives() {
    claimed=
    read_boot
    { read -r claimed _ < "$1/claim"; } 2>/dev/null
    [ "$claimed" = "$boot" ] || return 1
    { read -r keeper since < "$1/pid"; } 2>/dev/null || return 1
    kill -0 "$keeper" 2>/dev/null || return 1
    read_ticks "$keeper"
    [ "$ticks" = "$since" ]
}

# settle RUN: wait for the keeper of a run that was claimed a moment ago.
settle() {
    naps=0
    until [ -e "$1/pid" ] || [ -e "$1/exit" ] || [ "$naps" -ge 150 ]; do
        nap 0.02
        naps=$((naps + 1))
    done
}

# age RUN: sets `seconds` since it was claimed, `-` when that was in another boot.
age() {
    claimed=
    begun=
    read_boot
    { read -r claimed begun < "$1/claim"; } 2>/dev/null
    [ "$claimed" = "$boot" ] || begun=
    span "$begun"
}

size_of() {
    size=$(wc -c < "$1")
    size=$((size))
}

# VERBS

# put FOLDER NAME SIZE: keep the standard input as a file, if all of it came.
put() {
    mkdir -p "$1" || exit 70
    cat > "$1/$2" || exit 70
    size_of "$1/$2"
    [ "$size" -eq "$3" ] || refuse "only $size of $3 bytes arrived"
}

# look PHASE KIND: `none`, or the number of the last run, `present` or `gone`, and its age in seconds
# (`-` when it is not known).
look() {
    number=0
    while [ -d "$1/$2.$((number + 1))" ]; do number=$((number + 1)); done
    [ "$number" -gt 0 ] || { echo none; return; }
    run=$1/$2.$number
    settle "$run"
    word=gone
    if lives "$run" || [ -e "$run/exit" ]; then word=present; fi
    age "$run"
    echo "$number $word $seconds"
}

# start PHASE RUN STAGED BASE LIMIT TIMEOUT SHELL AS: claim the run and start it; `started`, or
# `found` when it had been claimed before. AS is self, root or password, which then is the input.
start() {
    command -v setsid > /dev/null || refuse 'the host has no setsid (util-linux or busybox has it)'
    run=$1/$2
    mkdir -p "$1" || exit 70
    if ! reason=$(mkdir "$run" 2>&1); then
        [ -d "$run" ] || refuse "$reason"
        rm -rf "$3"
        echo found
        return
    fi
    mv "$3/script" "$3/env" "$run/" && rmdir "$3" || exit 70
    : >> "$1/output" || exit 70
    size_of "$1/output"
    # The number of a byte never comes twice, also when what was before is lost.
    [ "$size" -ge "$4" ] || dd if=/dev/null of="$1/output" bs=1 seek="$4" count=0 2>/dev/null
    : > "$run/state"
    : > "$run/end"
    read_boot
    read_uptime
    echo "$boot $uptime" > "$run/claim" || exit 70
    password=
    [ "$8" != password ] || IFS= read -r password
    printf '%s\n' "$password" | setsid sh "$0" keep "$run" "$5" "$6" "$7" "$8" "$mask" \
        > /dev/null 2>&1 &
    settle "$run"
    [ -e "$run/pid" ] || refuse 'the script could not be started apart from the session'
    echo started
}

# keep RUN LIMIT TIMEOUT SHELL AS MASK: the run's keeper. It stays until the script has ended.
keep() {
    IFS= read -r password
    read_ticks "$$"
    cd "$1" || exit 70
    echo "$$ $ticks" > pid.new && mv pid.new pid
    code=143
    size_of ../output
    before=$size
    if [ ! -e stop ]; then
        mkfifo pipe
        pump "$2" &
        run_as "$5" "$1" "$3" "$4" "$6" > pipe 2>&1 < /dev/null
        code=$?
        # What the script left running may hold its output open: it is not waited for.
        naps=0
        until [ -e total ] || [ "$naps" -ge 100 ]; do
            nap 0.02
            naps=$((naps + 1))
        done
    fi
    conclude
}

# All output is read, whatever is kept of it, so that the script never writes to a closed pipe.
pump() {
    (
        ulimit -f $(($1 / 512))
        trap '' XFSZ
        exec tee -a ../output
    ) < pipe 2> /dev/null | wc -c > total.new && mv total.new total
}

# run_as AS RUN TIMEOUT SHELL MASK
run_as() {
    if [ "$1" != self ] && ! command -v sudo > /dev/null; then
        echo 'sudo is not installed'
        return 127
    fi
    case $1 in
        self) sh "$0" run "$2" "$3" "$4" "$5" "$PATH" ;;
        root) sudo -n sh "$0" run "$2" "$3" "$4" "$5" "$PATH" ;;
        password)
            printf '%s\n' "$password" | sudo -S -p '' sh "$0" run "$2" "$3" "$4" "$5" "$PATH"
            ;;
    esac
}

conclude() {
    how=ended
    dropped=0
    [ -e began ] || how=refused
    [ ! -e timed-out ] || how=timed-out
    [ ! -e stop ] || how=stopped
    if [ -e total ]; then
        size_of ../output
        dropped=$(($(cat total) - size + before))
    fi
    age .
    rm -f env pipe total
    # On a full disk there is no result, rather than an empty one.
    echo "$code $how $dropped $seconds" > exit.new &&
        { cat exit.new >> end; mv exit.new exit; }
}

# run RUN TIMEOUT SHELL MASK PATH: the script in a group of its own, under a watchdog; perhaps as
# root, whose PATH sudo has made: the log-in's own comes first.
run() {
    : > "$1/began"
    cd "${HOME:-/}" 2> /dev/null || cd /
    umask "$4"
    setsid sh -c 'PATH=${4:+$4:}$PATH; . "$1"; exec "$2" "$3"' \
        sh "$1/env" "$3" "$1/script" "$5" < /dev/null &
    script=$!
    watch "$1" "$2" "$script" > /dev/null 2>&1 &
    watchdog=$!
    wait "$script" 2> /dev/null
    code=$?
    if [ -e "$1/stop" ] || [ -e "$1/timed-out" ]; then
        wait "$watchdog"
    else
        kill "$watchdog" 2> /dev/null
    fi
    exit "$code"
}

# group_lives GROUP: whether any of its processes does more than wait to be buried.
group_lives() {
    kill -0 "-$1" || return 1
    [ -e /proc/self/stat ] || return 0
    for file in /proc/[0-9]*/stat; do
        line=
        { read -r line < "$file"; } 2> /dev/null
        # shellcheck disable=SC2086  # the fields are words: state, parent, group
        set -- "$1" ${line##*) }
        [ "${4:-}" != "$1" ] || [ "${2:-}" = Z ] || return 0
    done
    return 1
}

# A wait begins; then `waited SECONDS NAPS` after each nap: whether so many seconds have passed. Where
# no clock can be trusted, NAPS of them are taken for a second.
begin_waiting() {
    read_uptime
    from=$uptime
    naps=0
}

waited() {
    read_uptime
    naps=$((naps + 1))
    if [ -n "$from" ]; then
        # Both are cut to whole seconds: one more has passed for certain.
        [ $((uptime - from)) -gt "$1" ]
    else
        [ "$naps" -gt $(($1 * $2)) ]
    fi
}

# watch RUN TIMEOUT GROUP: end the group when it is told to, or when its time is up.
watch() {
    begin_waiting
    until [ -e "$1/stop" ]; do
        if waited "$2" 1; then
            : > "$1/timed-out"
            break
        fi
        sleep 1
    done
    # One that began a moment ago may not lead its group yet.
    until kill -0 "-$3" || ! kill -0 "$3"; do nap 0.02; done
    kill -TERM "-$3"
    begin_waiting
    until ! group_lives "$3" || waited 10 10; do nap 0.1; done
    kill -KILL "-$3"
}

# follow PHASE RUN OFFSET: the phase's output from there to the run's end; what came of the run is
# the last line of standard error: `end CODE HOW DROPPED SECONDS`, or `gone`.
follow() {
    run=$1/$2
    [ -e "$1/output" ] || : > "$1/output"
    exec 3< "$1/output"
    [ -e "$run/end" ] || : > "$run/end"
    exec 4< "$run/end"
    dd bs=1 skip="$3" count=0 <&3 2> /dev/null
    naps=0
    until [ -e "$run/exit" ]; do
        cat <&3
        if ! lives "$run" && [ ! -e "$run/exit" ]; then
            cat <&3
            # Who followed it too may have cleaned up: what was open can be read all the same.
            if read -r ended <&4; then echo "end $ended" >&2; else echo gone >&2; fi
            return
        fi
        # Many scripts are short, and the long ones have time.
        if [ "$naps" -lt 10 ]; then nap 0.02; else nap 0.1; fi
        naps=$((naps + 1))
        # Whoever asked may be away: then this write ends it.
        [ $((naps % 50)) -ne 0 ] || echo >&2
    done
    cat <&3
    read -r ended < "$run/exit"
    echo "end $ended" >&2
}

# stop PHASE RUN: end the run; one that was not claimed yet never starts.
stop() {
    run=$1/$2
    mkdir -p "$1" || exit 70
    if mkdir "$run" 2> /dev/null; then
        echo '143 stopped 0 0' > "$run/exit.new" && mv "$run/exit.new" "$run/exit"
        return
    fi
    settle "$run"
    : > "$run/stop" || exit 70
    naps=0
    while [ ! -e "$run/exit" ] && lives "$run"; do
        [ "$naps" -lt 150 ] || refuse 'the script does not end'
        nap 0.1
        naps=$((naps + 1))
    done
}

# state RUN LIMIT: what the script wrote for the phases after it; one byte more than LIMIT is too much.
state() {
    head -c $(($2 + 1)) "$1/state"
}

# clean TASK WHAT: forget the task, and those of the same cluster that nobody came back for in a
# week; or, when WHAT is all, whatever there is of the cluster.
clean() {
    cluster=${1%/*}
    if [ "$2" = all ]; then
        rm -rf "$cluster"
        return
    fi
    rm -rf "$1"
    find "$cluster" -mindepth 1 -maxdepth 1 -type d -mtime +7 -exec rm -rf {} + 2> /dev/null
    rmdir "$cluster" 2> /dev/null
    return 0
}

verb=$1
shift
case $verb in
    keep | run) ;;
    *) printf '%s\n' "$MARK" ;;
esac
"$verb" "$@"
