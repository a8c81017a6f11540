# The front door. The build itself is CMake (CMakePresets.json); this file only knows the order of steps.
# Build directories are build/<preset>: release, dev (ASan+UBSan), tsan, sim, fuzz.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

JOBS ?= 2#          tests run at once; scenario tests start several processes each
ROUNDS ?= 5#        of `make bench`
FUZZ_SECONDS ?= 60# for each target of `make fuzz`
SEEDS ?= 10000#     of `make sim`
FIRST ?= 0#         the first of them

FUZZ_TARGETS := $(notdir $(wildcard tests/fuzz/corpus/*))

# What races can happen in: everything that shares state between loops and threads.
TSAN_TESTS := ^(base|io|wire|store.*|session|upstream|gateway|lab|scenario.*)$$

SYMBOLIZER := $(firstword $(wildcard /usr/bin/llvm-symbolizer-19) llvm-symbolizer)
export ASAN_SYMBOLIZER_PATH := $(SYMBOLIZER)
export ASAN_OPTIONS ?= detect_stack_use_after_return=1:strict_string_checks=1:check_initialization_order=1
export UBSAN_OPTIONS ?= print_stacktrace=1
export TSAN_OPTIONS ?= second_deadlock_stack=1:external_symbolizer_path=$(SYMBOLIZER)

# $(call compile,preset): configures once; afterwards ninja notices by itself when CMake files changed.
compile = [ -f build/$(1)/build.ninja ] || cmake --preset $(1); ninja -C build/$(1)

.PHONY: help build run test test-tsan sim tidy bench fuzz format clean

help: ## list the targets
	@echo "usage: make TARGET"
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | awk -F'\t' '{ printf "  %-10s %s\n", $$1, $$2 }'

build: ## install what is missing, compile; the binary is build/release/stateway
	@tools/setup build
	@$(call compile,release)

run: build ## build, then serve the example cart on http://127.0.0.1:8080
	@exec build/release/stateway run -c examples/cart/stateway.toml

test: ## all tests under ASan and UBSan; JOBS=2 at once
	@tools/setup test
	@$(call compile,dev)
	@ctest --test-dir build/dev --output-on-failure --no-tests=error -j$(JOBS)

test-tsan: ## the tests in which threads meet, under TSan
	@tools/setup test
	@$(call compile,tsan)
	@ctest --test-dir build/tsan --output-on-failure --no-tests=error -j$(JOBS) -R '$(TSAN_TESTS)'

sim: ## SEEDS=10000 simulated worlds from FIRST=0, on all cores (CONTRIBUTING.md)
	@tools/setup test
	@[ -f build/sim/build.ninja ] || cmake --preset sim
	@ninja -C build/sim sim_soak
	@build/sim/tests/sim/sim_soak --first $(FIRST) --seeds $(SEEDS) --jobs $$(nproc)

tidy: ## the rules of CONTRIBUTING.md that a compiler does not know
	@tools/setup test
	@tools/tidy/tidy

bench: ## compare with nginx, HAProxy and sessions of applications, ROUNDS=5 (docs/benchmarks.md)
	@tools/setup bench
	@$(call compile,release) all bench_floor bench_redis_cart
	@python3 bench/proxy --rounds $(ROUNDS)
	@python3 bench/session-table --rounds $(ROUNDS)
	@python3 bench/store-table --rounds $(ROUNDS)

fuzz: ## every fuzz target for FUZZ_SECONDS=60
	@tools/setup test
	@[ -f build/fuzz/build.ninja ] || cmake --preset fuzz
	@ninja -C build/fuzz $(addprefix fuzz_,$(FUZZ_TARGETS))
	@for name in $(FUZZ_TARGETS); do \
	  echo "fuzz: $$name for $(FUZZ_SECONDS) s"; mkdir -p "build/fuzz/corpus/$$name"; \
	  build/fuzz/tests/fuzz/fuzz_$$name -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 -verbosity=0 \
	    -print_final_stats=1 -artifact_prefix="build/fuzz/$$name-" \
	    "build/fuzz/corpus/$$name" "tests/fuzz/corpus/$$name"; \
	done

format: ## clang-format every tracked C++ file
	@tools/setup test
	@git ls-files -z '*.cc' '*.h' | xargs -0 -r clang-format-19 -i

clean: ## remove the build directories; var/ (stored sessions) stays
	@rm -rf build
