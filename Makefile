# libfripp: see README.md. 'make help' lists the targets.
#
# Variables: PREFIX BINDIR LIBDIR INCLUDEDIR MANDIR DOCDIR DESTDIR   where it is installed
#            CARGO CARGOFLAGS CC CFLAGS LDFLAGS OBJCOPY       what it is built with
#            TARGET_DIR (or CARGO_TARGET_DIR)                 where it is built
#            V=1                                              show the commands
#            STRICT=1                                         a test that is skipped has failed

PREFIX     = /usr/local
BINDIR     = $(PREFIX)/bin
LIBDIR     = $(PREFIX)/lib
INCLUDEDIR = $(PREFIX)/include
MANDIR     = $(PREFIX)/share/man
DOCDIR     = $(PREFIX)/share/doc/fripp
DESTDIR    =

CARGO      = cargo
CARGOFLAGS =
OBJCOPY    = objcopy
CFLAGS     = -O2 -g
WARN       = -std=gnu11 -Wall -Wextra -Wpedantic -Werror
TARGET_DIR = $(or $(CARGO_TARGET_DIR),target)
V          = 0
STRICT    ?= 0

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p;/^version/q' Cargo.toml)
SONAME  := libfripp.so.$(firstword $(subst ., ,$(VERSION)))
REAL    := libfripp.so.$(VERSION)

BUILD    := $(abspath $(TARGET_DIR))
RELEASE  := $(BUILD)/release
LIBS     := $(BUILD)/lib
SO       := $(LIBS)/libfripp.so
STATIC   := $(LIBS)/libfripp.a
RUST     := $(shell find src -name '*.rs' -o -name '*.c') build.rs \
            capi/src/lib.rs capi/build.rs capi/Cargo.toml Cargo.toml Cargo.lock
PC       := $(BUILD)/fripp.pc

export CARGO_TARGET_DIR := $(BUILD)

ifeq ($(V),1)
Q     =
say   = @:
quiet =
progress =
else
Q     = @
say   = @printf '  %-8s %s\n'
quiet = --quiet
# of what takes minutes, cargo tells on a terminal how far it is
progress := $(shell test -t 2 || echo --quiet)
endif

# what programs of this project are compiled and linked with
CPROG = $(CC) $(WARN) $(CFLAGS) -Iinclude $(CPPFLAGS)
LINK  = $(LDFLAGS) -L$(LIBS) -lfripp -Wl,-rpath,$(LIBS)

.PHONY: all lib help clean

# -- build ---------------------------------------------------------------

# the same bytes, whatever the folder
REPRODUCIBLE = CARGO_BUILD_RUSTFLAGS="$$(CARGO='$(CARGO)' scripts/remap)"

# what the library is linked from, when cargo has built it
LINKED  = $(RELEASE)/libfripp.a packaging/fripp.map scripts/link
# libraries that a program needs beside libfripp.a
STATIC_LIBS = -lutil -lrt -lpthread -lm -ldl

LIBRARY = $(REPRODUCIBLE) $(CARGO) build --release --locked -p fripp-capi

##: all the library, then the command
all: lib

##: lib build the library alone: libfripp.so and libfripp.a
lib:
	$(say) CARGO 'libfripp.so libfripp.a (a minute, the first time)'
	$(Q)$(LIBRARY) $(progress) $(CARGOFLAGS)
	$(Q)[ -e $(SO) ] && [ -z "$$(find $(RUST) $(LINKED) -newer $(SO) | head -n 1)" ] || \
	    CC='$(CC)' OBJCOPY='$(OBJCOPY)' scripts/link $(RELEASE) $(LIBS) $(SONAME) $(STATIC_LIBS)

# for those who need it built, and do not want cargo to run if it is
# (install, as root, may not even have it)
$(SO): $(RUST) packaging/fripp.map scripts/link
	$(Q)$(MAKE) --no-print-directory lib

$(STATIC): $(SO)

# what follows '##:' in these files
help:
	$(Q)awk '/^##: / { name = $$2; sub (/^##: [^ ]+ /, ""); \
	    printf "%-22s %s\n", name, $$0 }' $(MAKEFILE_LIST)

##: clean remove what was built
clean:
	$(say) CLEAN '$(TARGET_DIR)'
	$(Q)$(CARGO) clean $(quiet)
	$(Q)rm -rf $(BUILD)/demo $(BUILD)/benches $(BUILD)/c-tests $(BUILD)/examples $(BUILD)/check $(BUILD)/lib $(BUILD)/cmake $(BUILD)/report $(BUILD)/stress $(PC)
	$(Q)rmdir $(BUILD) 2>/dev/null || :

include $(sort $(wildcard scripts/mk/*.mk))
