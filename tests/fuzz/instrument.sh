#!/bin/sh
# Stands in for rustc where cargo compiles the crates of this workspace: has LLVM count which edges an input takes, and
# what it compares. The flags are those of `cargo fuzz`, without the sanitizers, which need another compiler.
case " $* " in
    # Build scripts run without libFuzzer.
    *" build_script_build "*) exec "$@" ;;
esac
exec "$@" \
    -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares
