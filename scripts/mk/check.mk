# Tests that need nothing but the library.

.PHONY: check check-layers check-words check-skips check-rust check-c check-header check-man check-symbols check-archive check-docs \
        check-install check-examples check-example-rust lint-man

# a part of 'make check' each; new ones go here
PARTS = check-layers check-words check-rust check-header check-man check-symbols check-archive check-version \
        check-dependencies check-docs check-install check-examples \
        check-example-rust check-load check-c check-demo check-skips check-release

# what scripts/link needs
LINKS = $(or $(call have,$(OBJCOPY)),$(call have,llvm-objcopy))

# a part can do without a tool: without TOOL WHAT
without = command -v $(firstword $(1)) >/dev/null || echo 'skipped - $(2): without $(firstword $(1))'
have = $(shell command -v $(firstword $(1)))

##: check run all tests: Rust, C, and what is installed; with STRICT=1 a skipped test fails
check: all
	$(Q)MAKE='$(MAKE) --no-print-directory' CC='$(CC)' CXX='$(CXX)' STRICT='$(STRICT)' \
	    scripts/check $(BUILD)/check $(PARTS)

# whether skips are counted, and told
check-skips:
	$(Q)scripts/check-skips

##: check-layers check that imports in src/ point down the layers, and never form a circle
check-layers:
	$(Q)scripts/check-layers

# text of others, what is generated, data; then words that codespell takes for others
NOT_SPELLED = ./target,./.git,./vendor,*.lock,*.svg,schema.ts,./fuzz/corpus,./docs/logs,./c-tests/data,./c-tests/abi,./benches/traffic,./command/src/report/page/uplot
NO_TYPOS = ratatui,bu,mutli,crate,crates,nd,upto,nown

##: check-words find phrases that have to be read twice, and wrong spellings, and say what to write instead
check-words:
	$(Q)scripts/check-words
	$(Q)$(call without,codespell,spelling)
	$(if $(call have,codespell),$(Q)codespell --quiet-level 3 --skip '$(NOT_SPELLED)' --ignore-words-list $(NO_TYPOS) .)

check-rust:
	$(Q)$(call without,tmux,fripp top on a terminal)
	$(Q)$(CARGO) test --locked --workspace $(quiet:--quiet=-q) $(CARGOFLAGS)

# scripts and programs of c-tests that want more than a C compiler
C_TESTS_HERE = $(if $(call have,$(CXX)),,CXX_PROGRAMS=) SCRIPTS='$(filter-out \
    $(if $(call have,$(CXX)),,t-header.sh) $(if $(call have,valgrind),,t-valgrind.sh), \
    $(notdir $(wildcard c-tests/t-*.sh)))'

check-c: $(SO)
	$(Q)$(call without,$(CXX),the header and the library in C++)
	$(Q)$(call without,valgrind,contexts under valgrind)
	$(Q)$(MAKE) --no-print-directory -C c-tests check LIBDIR_BUILT='$(LIBS)' \
	    INCLUDE='$(abspath include)' CC='$(CC)' CXX='$(CXX)' BUILD='$(BUILD)/c-tests' V='$(V)' $(C_TESTS_HERE)

check-examples: $(SO)
	$(Q)$(MAKE) --no-print-directory -C examples check LIBDIR_BUILT='$(LIBS)' \
	    INCLUDE='$(abspath include)' CC='$(CC)' BUILD='$(BUILD)/examples' V='$(V)'

check-example-rust:
	$(Q)$(CARGO) run --locked --quiet $(CARGOFLAGS) --example from_rust 2>/dev/null \
	    | diff examples/from_rust.expected -

check-header:
	$(Q)h=$(built_header) && diff -u include/fripp.h "$$h" || { \
	    echo 'include/fripp.h is not what src/ffi says. To fix it: make header'; exit 1; }

check-man:
	$(Q)scripts/man --check

##: lint-man check the manual pages with mandoc
lint-man:
	$(Q)mandoc -T lint -W style $(PAGES)/*.1 $$(grep -L '^\.so ' docs/man/*.[37])

check-symbols: $(SO)
	$(Q)$(if $(LINKS),,echo 'skipped - symbol versions: without objcopy')
	$(Q)scripts/check-symbols $(SO) $(SONAME) $(if $(LINKS),versions)

# libfripp.a in a program with another Rust library
check-archive: $(STATIC)
	$(Q)$(if $(LINKS),,echo 'skipped - libfripp.a beside another Rust library: without objcopy')
	$(if $(LINKS),$(Q)CC='$(CC)' scripts/check-archive $(STATIC) $(STATIC_LIBS))

# the code blocks of all documents, against what is installed
check-docs: $(SO)
	$(Q)rm -rf $(BUILD)/check/prefix
	$(Q)$(MAKE) --no-print-directory install PREFIX='$(BUILD)/check/prefix' \
	    DESTDIR= LIBDIR='$(BUILD)/check/prefix/lib' >/dev/null
	$(Q)CC='$(CC)' CXX='$(CXX)' scripts/check-docs $(BUILD)/check/prefix $(BUILD)/check/docs \
	    *.md command/README.md c-tests/README.md examples/*/README.md docs/*.md docs/man/pages.md

check-install: $(SO)
	$(Q)MAKE='$(MAKE) --no-print-directory' CC='$(CC)' CXX='$(CXX)' scripts/check-install
