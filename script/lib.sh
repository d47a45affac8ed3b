# shellcheck shell=bash
# What the scripts share; sourced, not run.

# Where the caller is: what a relative path on the command line begins at.
# shellcheck disable=SC2034  # for who sources this
started_in=$PWD
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit

# One job a core.
jobs=$(nproc)
export jobs

# Builds go through ccache where it is installed, and then folders share their results: paths inside the repository are
# hashed relative to it, and the build folder's name is left out.
if command -v ccache >/dev/null; then
    export CMAKE_CXX_COMPILER_LAUNCHER=ccache
    export CCACHE_SLOPPINESS=pch_defines,time_macros
    export CCACHE_BASEDIR=$root
    export CCACHE_NOHASHDIR=1
    export CCACHE_ABSSTDERR=1
fi

# Prints what is being done now, with the time since the script began.
phase() { printf '\n=== %02d:%02d %s\n' $((SECONDS / 60)) $((SECONDS % 60)) "$*"; }

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}
