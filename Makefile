# libfripp: see README.md. 'make help' lists the targets.
#
# Variables: PREFIX LIBDIR INCLUDEDIR DESTDIR   where it is installed
#            CARGO CARGOFLAGS CC CFLAGS         what it is built with
#            TARGET_DIR (or CARGO_TARGET_DIR)   where it is built
#            V=1                                show the commands

PREFIX     = /usr/local
LIBDIR     = $(PREFIX)/lib
INCLUDEDIR = $(PREFIX)/include
DESTDIR    =

CARGO      = cargo
CARGOFLAGS =
CFLAGS     = -O2 -g
WARN       = -std=gnu11 -Wall -Wextra -Wpedantic -Werror
TARGET_DIR = $(or $(CARGO_TARGET_DIR),target)
V          = 0

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p;/^version/q' Cargo.toml)
SONAME  := libfripp.so.$(firstword $(subst ., ,$(VERSION)))
REAL    := libfripp.so.$(VERSION)

BUILD    := $(abspath $(TARGET_DIR))
RELEASE  := $(BUILD)/release
SO       := $(RELEASE)/libfripp.so
STATIC   := $(RELEASE)/libfripp.a
RUST     := $(wildcard src/*.rs src/*/*.rs src/*/*.c) build.rs cbindgen.toml Cargo.toml Cargo.lock
PC       := $(BUILD)/fripp.pc

export CARGO_TARGET_DIR := $(BUILD)

ifeq ($(V),1)
Q     =
say   = @:
quiet =
else
Q     = @
say   = @printf '  %-8s %s\n'
quiet = --quiet
endif

# what programs of this project are compiled and linked with
CPROG = $(CC) $(WARN) $(CFLAGS) -Iinclude $(CPPFLAGS)
LINK  = $(LDFLAGS) -L$(RELEASE) -lfripp -Wl,-rpath,$(RELEASE)

.PHONY: all help clean install uninstall header symbols demo bench check \
        check-rust check-c check-header check-symbols check-readme check-install \
        check-examples

# -- build ---------------------------------------------------------------

# without the rlib, which is there for the tests: rustc does no link-time
# optimisation, whatever the profile says, for a crate that is to be one too
LIBRARY = $(CARGO) rustc --release --locked --lib --crate-type cdylib,staticlib

all:
	$(say) CARGO 'libfripp.so libfripp.a (a minute, the first time)'
	$(Q)$(LIBRARY) $(quiet) $(CARGOFLAGS)

# for those who need it built, and do not want cargo to run if it is
# (install, as root, may not even have it)
$(SO): $(RUST)
	$(Q)$(MAKE) --no-print-directory all

$(STATIC): $(SO)

help:
	@echo 'all        build the library: $(SO)'
	@echo 'demo       play traffic of a real broker through it, and record metrics; SERVER=host:port for yours'
	@echo 'check      all tests, of Rust and of C, and those of what is installed'
	@echo 'check-servers  what real servers count: statsd, collectd, netdata (installs them)'
	@echo 'bench      every goal of speed, beside what cannot be avoided and other clients'
	@echo 'bench-guard  whether a path has come to take more instructions'
	@echo 'install    to DESTDIR, PREFIX, LIBDIR, INCLUDEDIR; uninstall takes it away again'
	@echo 'header     write include/fripp.h from the comments in src/ffi'
	@echo 'symbols    write exports.txt from the library'
	@echo 'clean      remove what was built'

clean:
	$(say) CLEAN '$(TARGET_DIR)'
	$(Q)$(CARGO) clean $(quiet)
	$(Q)rm -rf $(BUILD)/demo $(BUILD)/benches $(BUILD)/c-tests $(BUILD)/examples $(BUILD)/check $(PC)
	$(Q)rmdir $(BUILD) 2>/dev/null || :

# -- install -------------------------------------------------------------

# paths below the prefix are written with it, so that a package can be moved
below = $(patsubst $(PREFIX)/%,$${prefix}/%,$(1))

$(PC): fripp.pc.in Cargo.toml Makefile
	$(Q)mkdir -p $(@D)
	$(Q)sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' \
	    -e 's|@LIBDIR@|$(call below,$(LIBDIR))|' \
	    -e 's|@INCLUDEDIR@|$(call below,$(INCLUDEDIR))|' fripp.pc.in >$@

# the prefix may be another one each time
.PHONY: $(PC)

# tell the run-time linker, where it is this machine's and one may
LDCONFIG = if [ -z '$(DESTDIR)' ] && [ "`id -u`" = 0 ]; then ldconfig 2>/dev/null || :; fi

install: $(SO) $(PC)
	$(say) INSTALL '$(DESTDIR)$(LIBDIR) $(DESTDIR)$(INCLUDEDIR)'
	$(Q)install -d '$(DESTDIR)$(LIBDIR)/pkgconfig' '$(DESTDIR)$(INCLUDEDIR)'
	$(Q)install -m 755 $(SO) '$(DESTDIR)$(LIBDIR)/$(REAL)'
	$(Q)ln -sf $(REAL) '$(DESTDIR)$(LIBDIR)/$(SONAME)'
	$(Q)ln -sf $(SONAME) '$(DESTDIR)$(LIBDIR)/libfripp.so'
	$(Q)install -m 644 $(STATIC) '$(DESTDIR)$(LIBDIR)/libfripp.a'
	$(Q)install -m 644 $(PC) '$(DESTDIR)$(LIBDIR)/pkgconfig/fripp.pc'
	$(Q)install -m 644 include/fripp.h '$(DESTDIR)$(INCLUDEDIR)/fripp.h'
	$(Q)$(LDCONFIG)

uninstall:
	$(say) REMOVE '$(DESTDIR)$(LIBDIR) $(DESTDIR)$(INCLUDEDIR)'
	$(Q)cd '$(DESTDIR)$(LIBDIR)' 2>/dev/null && rm -f $(REAL) $(SONAME) \
	    libfripp.so libfripp.a pkgconfig/fripp.pc || :
	$(Q)rm -f '$(DESTDIR)$(INCLUDEDIR)/fripp.h'
	$(Q)$(LDCONFIG)

# -- committed files that are made from others ----------------------------

# where cargo ran build.rs, which cargo says of a fresh build, too
built_header = $$($(LIBRARY) --quiet $(CARGOFLAGS) \
    --message-format=json-render-diagnostics \
    | sed -n 's|.*"build-script-executed".*"out_dir":"\([^"]*/build/fripp-[^"]*\)".*|\1/fripp.h|p')

header:
	$(say) HEADER include/fripp.h
	$(Q)h=$(built_header) && cp "$$h" include/fripp.h

symbols: $(SO)
	$(say) SYMBOLS exports.txt
	$(Q)scripts/exports $(SO) >exports.txt

# -- check ---------------------------------------------------------------

# a part of 'make check' each; new ones go here
PARTS = check-rust check-header check-symbols check-readme check-install \
        check-examples check-c

check: all
	$(Q)MAKE='$(MAKE) --no-print-directory' scripts/check $(BUILD)/check $(PARTS)

check-rust:
	$(Q)$(CARGO) test --locked $(quiet:--quiet=-q) $(CARGOFLAGS)

check-c: $(SO)
	$(Q)$(MAKE) --no-print-directory -C c-tests check LIBDIR_BUILT='$(RELEASE)' \
	    INCLUDE='$(abspath include)' CC='$(CC)' BUILD='$(BUILD)/c-tests' V='$(V)'

check-examples: $(SO)
	$(Q)$(MAKE) --no-print-directory -C examples check LIBDIR_BUILT='$(RELEASE)' \
	    INCLUDE='$(abspath include)' CC='$(CC)' BUILD='$(BUILD)/examples' V='$(V)'

check-header:
	$(Q)h=$(built_header) && diff -u include/fripp.h "$$h" || { \
	    echo 'include/fripp.h is not what src/ffi says. To mend it: make header'; exit 1; }

check-symbols: $(SO)
	$(Q)scripts/check-symbols $(SO) $(SONAME)

# the C examples of README.md compile as they stand
check-readme: $(SO)
	$(Q)rm -rf $(BUILD)/check/readme && mkdir -p $(BUILD)/check/readme
	$(Q)awk -v dir=$(BUILD)/check/readme ' \
	    /^```c$$/ { file = dir "/" ++n ".c"; next } \
	    /^```$$/ { file = "" } file { print >file } END { exit !n }' README.md
	$(Q)for c in $(BUILD)/check/readme/*.c; do \
	    $(CPROG) -Wno-unused-function -o "$${c%.c}" "$$c" $(LINK) && "$${c%.c}" || exit 1; \
	done

check-install: $(SO)
	$(Q)MAKE='$(MAKE) --no-print-directory' CC='$(CC)' scripts/check-install

.PHONY: check-servers check-servers-mutants

# what real servers count, see docs/servers.md; '-mutants' sends wrong
# lines, which have to be found
check-servers check-servers-mutants: $(BUILD)/servers/record
	$(Q)servers/check.py $(if $(findstring mutants,$@),--wrong) $(BUILD)/servers $<

$(BUILD)/servers/record: servers/record.c include/fripp.h $(SO)
	$(say) CC $(@F)
	$(Q)mkdir -p $(@D)
	$(Q)$(CPROG) -o $@ $< $(LINK) -pthread

# -- demo ----------------------------------------------------------------

DEMO = $(BUILD)/demo/listener $(BUILD)/demo/replay $(BUILD)/demo/typed
SERVER =

demo: $(SO) $(DEMO)
ifeq ($(SERVER),)
	$(Q)$(BUILD)/demo/listener $(if $(ALL),-a) $(BUILD)/demo/replay demo/traffic.txt
	$(Q)$(BUILD)/demo/typed
else
	$(Q)$(BUILD)/demo/replay demo/traffic.txt '$(SERVER)'
	$(Q)$(BUILD)/demo/typed '$(SERVER)'
endif

$(BUILD)/demo/%: demo/%.c demo/tally.c demo/tally.h include/fripp.h $(SO)
	$(say) CC $(@F)
	$(Q)mkdir -p $(@D)
	$(Q)$(CPROG) -pthread -o $@ $< demo/tally.c $(LINK)

# -- bench ---------------------------------------------------------------

# FRIPP_BASELINE=FILE  the fripp.c of week 4 as a shared object, to compare
# BENCH_ROUNDS, BENCH_ONLY, BENCH_CALLGRIND, BENCH_JSON: see benches/main.c

BENCH     := $(BUILD)/benches/bench
BENCH_MEM := $(BUILD)/benches/memory
BENCH_SO  := $(BUILD)/benches/libfripp-stripped.so
PEERS     := $(BUILD)/peers/release/libfripp_bench_peers.so
BENCH_C   := $(filter-out benches/memory.c,$(wildcard benches/*.c))

.PHONY: bench-build bench-peers bench-guard bench-guard-update bench-picture

bench: bench-build bench-peers
	$(Q)FRIPP_PEERS='$(wildcard $(PEERS))' $(BENCH) $(BENCH_MEM) $(BENCH_SO)

bench-build: $(BENCH) $(BENCH_MEM) $(BENCH_SO)

# other clients, from crates.io; the run goes on without them
bench-peers:
	$(say) CARGO 'other clients, to compare'
	$(Q)cd benches/peers && CARGO_TARGET_DIR='$(BUILD)/peers' \
	    $(CARGO) build --release --locked $(quiet) \
	    || echo 'other clients could not be built: they are left out'

$(BENCH): $(BENCH_C) benches/bench.h include/fripp.h $(SO)
	$(say) CC $(@F)
	$(Q)mkdir -p $(@D)
	$(Q)$(CPROG) -rdynamic -pthread -o $@ $(BENCH_C) $(LINK) -ldl -lm

# symbols of the C library that one defines oneself are not pedantic
$(BENCH_MEM): benches/memory.c include/fripp.h $(SO)
	$(say) CC $(@F)
	$(Q)mkdir -p $(@D)
	$(Q)$(CPROG) -o $@ $< $(LINK)

$(BENCH_SO): $(SO)
	$(Q)mkdir -p $(@D)
	$(Q)strip -s -o $@ $<

# instructions of each path, held against a committed figure
bench-guard: $(BENCH)
	$(Q)benches/guard $(BENCH)

bench-guard-update: $(BENCH)
	$(Q)benches/guard -u $(BENCH)

bench-picture:
	$(Q)benches/picture '$(or $(BENCH_JSON),$(error BENCH_JSON is to name the figures of make bench))' docs/speed.svg
